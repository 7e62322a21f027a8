"""Which input sizes a network takes."""

"""How the answers of the other commands are shown."""

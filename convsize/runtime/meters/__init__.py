"""What measures memory while a network runs."""

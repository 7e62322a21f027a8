"""How numbers, colours and lines of text are written."""

"""A network written out as a readable PyTorch file."""

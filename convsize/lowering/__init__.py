"""From a network to PyTorch calls as plain data."""

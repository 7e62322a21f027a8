"""What runs PyTorch: the only package that imports it, and only when a command needs it."""

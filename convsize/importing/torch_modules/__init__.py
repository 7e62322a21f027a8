"""What the modules of torch.nn call: one table of classes, read without PyTorch."""

"""Predictions held against PyTorch: one file for each kind of figure."""

"""Importing PyTorch modules: finding them, writing down what they call, and running them beside their specs."""

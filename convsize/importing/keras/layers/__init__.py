"""What the layers of Keras call: one table of classes."""

"""Keras models, read as data: the configuration is JSON, and neither Keras nor any code of the model is run."""

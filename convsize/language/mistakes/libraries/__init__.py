"""Layers as other libraries call them."""

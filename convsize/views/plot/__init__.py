"""Plots: what charts are made of."""

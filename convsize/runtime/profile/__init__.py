"""Layers and steps, measured one by one."""

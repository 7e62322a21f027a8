"""Pasted text: modules as code or as `print(model)` shows them, read and never run."""

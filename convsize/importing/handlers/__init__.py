"""Handlers: what every op of a call list is in the language."""

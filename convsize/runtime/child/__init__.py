"""Work in a process of its own, and which call ended it."""

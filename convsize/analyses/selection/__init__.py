"""Which part of a network is meant: blocks, frozen layers, logits, layers that run in place."""

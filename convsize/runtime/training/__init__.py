"""Training: the loop, its checkpoints, and several processes at once."""

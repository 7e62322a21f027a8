"""Data sets: what `--data` names, as batches of the network's own inputs and targets."""

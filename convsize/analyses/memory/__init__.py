"""The memory of a training step or an inference pass: what is kept, for how long, and the peak."""

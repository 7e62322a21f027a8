"""How other tools count multiply-adds, and why their figures differ from ours."""

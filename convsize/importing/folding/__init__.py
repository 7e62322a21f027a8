"""Folding: repeats and blocks, by how much shorter they make a spec."""

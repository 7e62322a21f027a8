"""How results are shown: one file per format, pure functions from records to text."""

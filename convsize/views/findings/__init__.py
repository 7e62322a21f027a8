"""How the findings of `check` are shown: one file for each format."""

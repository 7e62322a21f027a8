"""Records that show themselves: printed, each is the text of the command that gives it."""

"""The command line: one file per command, its machinery imported inside the command's body."""

"""What the files of ops share."""

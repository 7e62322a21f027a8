"""What two networks have in common, and how they differ."""

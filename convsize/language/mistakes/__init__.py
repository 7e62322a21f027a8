"""What is said of text that does not parse."""

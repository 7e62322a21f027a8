"""One file per rule, with its reference page."""

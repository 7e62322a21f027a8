"""The pages of `convsize report`."""

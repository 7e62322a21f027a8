"""Which pixels reach a unit, and which are lost on the way."""

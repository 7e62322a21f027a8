"""How much of the input a unit sees."""

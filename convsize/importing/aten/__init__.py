"""ATen's calls as the fronts that run nothing write them: the arguments by name, and the shape of the result."""

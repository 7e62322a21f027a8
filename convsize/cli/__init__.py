"""The command line: one file per command, its machinery imported inside the command's body."""

import gc

COLLECTOR = gc.get_threshold()
"""How often Python looks for objects that hold each other in cycles."""

# A tree and its records hold each other in next to no cycles, and looking for some after every 700 new objects takes a
# good part of a start and a fifth of the time of a large network. Looking remains, so memory stays bounded.
gc.set_threshold(50_000)

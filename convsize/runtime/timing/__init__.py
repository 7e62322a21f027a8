"""How layers and networks are timed, and devices calibrated."""

"""The smallest change of geometry that makes a spec valid: what could be changed, and which change does it."""

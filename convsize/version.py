"""The version of this package, and nothing else: it is read at every start and when the package is built."""

__version__ = "0.1.0"

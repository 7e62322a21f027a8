"""Directories that data sets lie in."""

from __future__ import annotations

from pathlib import Path

from convsize.errors import UsageError


def require_directory(kind: str, place: str) -> Path:
    """The directory of a data set. Raises UsageError where there is none."""
    path = Path(place).expanduser()
    if not path.is_dir():
        told = "is a file" if path.exists() else "does not exist"
        raise UsageError(f"--data {kind}:{place}: this directory {told}; name the one that the data set lies in")
    return path

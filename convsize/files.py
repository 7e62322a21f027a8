"""Files that commands write."""

from __future__ import annotations

import os

from convsize.errors import UsageError


def make_folder(path: str) -> None:
    """Makes a folder with those above it. Raises UsageError where that cannot be done."""
    try:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103 (the path stays as it was given)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"the folder `{path}` cannot be made: {reason}") from None


def write(path: str, data: bytes) -> None:
    """Writes a whole file. Raises UsageError where that cannot be done."""
    try:
        with open(path, "wb") as file:  # noqa: PTH123 (the path stays as it was given)
            file.write(data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"`{path}` cannot be written: {reason}") from None


def read(path: str, most: int = -1) -> bytes | None:
    """The first `most` bytes of a file, or None where there is none. Raises UsageError where it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(most)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"`{path}` cannot be read: {reason}") from None

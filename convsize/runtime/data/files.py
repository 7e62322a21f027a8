"""Directories that data sets lie in."""

from __future__ import annotations

import os
from pathlib import Path

from convsize.errors import UsageError


def require_directory(kind: str, place: str) -> Path:
    """The directory of a data set. Raises UsageError where there is none."""
    path = Path(place).expanduser()
    require_no_dead_link(path)
    if not path.is_dir():
        told = "is a file" if path.exists() else "does not exist"
        raise UsageError(f"--data {kind}:{place}: this folder {told}; name the one that contains the data set")
    return path


def require_no_dead_link(path: Path) -> None:
    """Raises UsageError where a path is a link that leads nowhere, or to itself."""
    if path.is_symlink() and not path.exists():
        raise UsageError(f"`{path}` is a link that leads nowhere: remove or mend it")


def is_there(path: Path) -> bool:
    """Whether there is a file. Raises UsageError where there is something else of that name."""
    if path.is_file():
        return True
    require_no_dead_link(path)
    if path.exists():
        raise UsageError(f"`{path}` is no file: a folder, a pipe or a device")
    return False


def files_below(place: Path) -> list[Path]:
    """Everything below a folder that is no folder, in order, however deep; links to folders are not followed.

    Raises OSError where a folder cannot be read.
    """
    found: list[str] = []
    ahead = [str(place)]
    while ahead:
        with os.scandir(ahead.pop()) as entries:
            for each in entries:
                if each.is_dir(follow_symlinks=False):
                    ahead.append(each.path)
                elif not each.is_symlink() or not Path(each.path).is_dir():
                    found.append(each.path)
    return sorted(map(Path, found))

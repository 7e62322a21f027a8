"""Specs that a command changes: written at once or not at all, or shown as what would change."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def replace(path: str, text: str) -> None:
    """Writes a file at once or not at all, with the permissions it had; behind a link, the file the link leads to.

    Raises UsageError where it cannot be written.
    """
    import tempfile

    from convsize.errors import UsageError

    target = Path(path).resolve()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
            draft.chmod(target.stat().st_mode & 0o7777)
            draft.replace(target)
        except BaseException:
            draft.unlink()
            raise
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {error.strerror}") from None


def show_difference(before: str, after: str, name: str, change: str) -> None:
    """A unified diff, coloured on a terminal; `change` says what the text would be: "canonical", "fixed"."""
    import difflib

    from convsize.cli import terminal

    paint = terminal.paint(sys.stdout)
    styles = {"+": "green", "-": "red", "@": "cyan"}
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"{name} (as it is)",
        f"{name} ({change})",
    )
    for line in lines:
        end = "\n" if line.endswith("\n") else "\n\\ No newline at end of file\n"
        terminal.write(paint(line.rstrip("\r\n"), styles.get(line[0])) + end)

"""Specs that a command changes: written at once or not at all, or shown as what would change."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path


def replace(path: str, text: str) -> None:
    """Writes a file at once or not at all; through a link, the file that the link leads to. Owner and permissions stay.

    Raises UsageError where it cannot be written: what may not be written, what is no regular file, what has another
    name by a hard link (which would go on naming the old text), and what would get another owner.
    """
    import tempfile

    from convsize.errors import UsageError

    target = Path(path).resolve()
    try:
        before = target.stat()
        refusal = _refusal(before)
        if refusal:
            raise UsageError(f"`{path}` was not changed: {refusal}")
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
                if hasattr(os, "fchown") and (os.geteuid(), os.getegid()) != (before.st_uid, before.st_gid):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
            # After fchown, which takes set-user-ID bits away.
            draft.chmod(stat.S_IMODE(before.st_mode))
            draft.replace(target)
        except BaseException:
            draft.unlink()
            raise
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {error.strerror}") from None


def _refusal(before: os.stat_result) -> str | None:
    """Why a file is not replaced by another one."""
    if not stat.S_ISREG(before.st_mode):
        return "it is not a regular file"
    if not before.st_mode & 0o222:
        return "it may not be written; `chmod u+w` allows it"
    if before.st_nlink > 1:
        return f"it has {before.st_nlink} hard links, and the others would keep the old text"
    return None


def show_difference(before: str, after: str, name: str, change: str) -> None:
    """A unified diff, coloured on a terminal; `change` says what the text would be: "canonical", "fixed"."""
    import difflib

    from convsize.cli import terminal

    paint = terminal.paint(sys.stdout)
    styles = {"+": "green", "-": "red", "@": "cyan"}
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"{name} (current)",
        f"{name} ({change})",
    )
    for line in lines:
        end = "\n" if line.endswith("\n") else "\n\\ No newline at end of file\n"
        terminal.write(paint(line.rstrip("\r\n"), styles.get(line[0])) + end)

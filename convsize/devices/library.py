"""Where device files lie, and how they are found by name."""

from __future__ import annotations

import os
from typing import Literal

from convsize.devices.document import NAME, read
from convsize.errors import UsageError
from convsize.records.device import Device
from convsize.words import did_you_mean, nearest

LARGEST_FILE = 64 * 2**20
"""Bytes. A file with every layer of a hundred networks takes a few millions."""

_BUNDLED = os.path.dirname(__file__)  # noqa: PTH120 (pathlib takes longer to import than a device to read)
_SUFFIX = ".json"


def home() -> str:
    """The folder of the user's own device files: convsize/devices below XDG_CONFIG_HOME, or ~/.config where unset."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):  # noqa: PTH117 (the specification has relative ones ignored)
        base = os.path.expanduser("~/.config")  # noqa: PTH111
    return os.path.join(base, "convsize", "devices")  # noqa: PTH118


def names() -> tuple[str, ...]:
    """The names of all devices that there are files of, the user's own first."""
    return tuple(dict.fromkeys([*_listed(home()), *_listed(_BUNDLED)]))


def of_machine(kind: str) -> str | None:
    """The name under which this machine's "cpu" or "cuda" was calibrated; None where it was not."""
    return kind if kind in _listed(home()) else None


def load(name: str) -> Device:
    """The device of a name, or of a file: what has a slash in it or ends in .json is a path.

    A device of the user's own comes before a bundled one of the same name.

    Raises UsageError where there is none, or where its file is torn, foreign or of another version.
    """
    return read(*_data(name))


def kind_of(name: str) -> tuple[Literal["cpu", "cuda"], Device | None]:
    """`cpu` or `cuda`, or the kind of a device of that name with what is known of it.

    Raises UsageError as `load` does.
    """
    if name == "cpu":
        return "cpu", None
    if name == "cuda":
        return "cuda", None
    device = load(name)
    return device.kind, device


def path(name: str) -> str:
    """The file that `load` reads a device from. Raises UsageError where there is none."""
    if os.sep in name or name.endswith(_SUFFIX):
        return name
    if NAME.fullmatch(name):
        for folder in (home(), _BUNDLED):
            file = os.path.join(folder, name + _SUFFIX)  # noqa: PTH118
            if os.path.isfile(file):  # noqa: PTH113
                return file
    known = names()
    endings = [each for each in known if len(name) > 1 and each.endswith(name.lower())]
    guess = nearest(name, known) or (endings[0] if len(endings) == 1 else None)
    hint = f"{did_you_mean(guess)} There are: {', '.join(known)}" if guess else f"known devices: {', '.join(known)}"
    if name in ("cpu", "cuda"):
        hint = f"`convsize calibrate --device {name}` measures this machine; {hint}"
    raise UsageError(f"there is no device `{name}`: {hint}")


def _data(name: str) -> tuple[bytes, str]:
    file = path(name)
    try:
        with open(file, "rb") as opened:  # noqa: PTH123
            data = opened.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no device file `{file}`") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"the device file `{file}` cannot be read: {reason}") from None
    if len(data) > LARGEST_FILE:
        raise UsageError(f"`{file}` is larger than the limit for device files: {LARGEST_FILE:,} bytes")
    return data, file


def _listed(folder: str) -> list[str]:
    try:
        found = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []
    stems = [each.removesuffix(_SUFFIX) for each in found if each.endswith(_SUFFIX)]
    return [each for each in stems if NAME.fullmatch(each)]

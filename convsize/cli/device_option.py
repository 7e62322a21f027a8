"""What the commands about training make of their options alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from convsize.records.device import Device


def device_of(name: str) -> tuple[Literal["cpu", "cuda"], Device | None]:
    """`cpu` or `cuda`, or the kind of a device of that name with what is known of it.

    Raises UsageError where there is none of that name, or its file cannot be read.
    """
    if name == "cpu":
        return "cpu", None
    if name == "cuda":
        return "cuda", None
    from convsize import devices

    device = devices.load(name)
    return device.kind, device

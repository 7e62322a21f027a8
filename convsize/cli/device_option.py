"""What the commands about training make of their options alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from convsize.records import Capacity
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


def capacity_of(
    kind: Literal["cpu", "cuda"], known: Device | None, memory: str | None, reserve: str | None
) -> Capacity | None:
    """The memory that a network is to fit into: a budget, or the device's; None where neither is known.

    Of it stays free what --reserve says or, where it says nothing, what a GPU holds that is not predicted.

    Raises UsageError where a size is none, or nothing is there to keep the reserve free of.
    """
    from convsize.analyses.memory.device import unpredicted
    from convsize.cli.units import size
    from convsize.errors import UsageError
    from convsize.records import Capacity

    there = size(memory, "--memory") if memory else None if known is None else known.memory
    if there is None:
        if reserve is not None:
            raise UsageError("--reserve keeps a part of the memory free: name a device, or give --memory 16GiB")
        return None
    kept = unpredicted(kind, known) if reserve is None else size(reserve, "--reserve")
    return Capacity(there, kept, known.title if known is not None and not memory else None)

"""Devices for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from convsize.records.device import Device
from convsize.views.text.layout import grid, wrapped
from convsize.views.text.numbers import count, size
from convsize.views.text.paint import PLAIN, Paint

SCHEMA = 1
_HEAD = ("name", "device", "memory", "bandwidth", "float32", "float16", "power", "figures")
_WIDE, _NARROW = 100, 6
"""The width from which on all columns are shown, and how many are below it, so that no cell is broken."""


def render(found: Sequence[tuple[Device, str]], home: str, *, width: int = 80, paint: Paint = PLAIN) -> str:
    """A line for every device with its peaks, and what its figures rest on; each comes with its file."""
    rows = [
        (
            device.name,
            f"{device.title}, calibrated" if device.calibrated and width < _WIDE else device.title,
            "–" if device.memory is None else size(device.memory),
            rate(device.bandwidth, "B/s"),
            _peak(device, "float32"),
            _peak(device, "float16"),
            "–" if device.tdp is None else f"{device.tdp:g} W",
            f"{device.source.kind} {device.source.date[:10]}",
        )
        for device, _ in found
    ]
    shown = len(_HEAD) if width >= _WIDE else _NARROW
    styles = ["cyan", *[None] * 6, "dim"][:shown]
    table = grid(_HEAD[:shown], [row[:shown] for row in rows], width=width, paint=paint, styles=styles)
    notes = (
        "Peaks are dense FLOP/s. The float32 column is plain arithmetic; PyTorch computes float32 "
        "convolutions in tf32 on GPUs that have it. Memory is what PyTorch can use, which is less than the "
        "nominal size."
    )
    own = f"`convsize calibrate` measures this machine and writes a device file to {home}; --device accepts such files."
    return "\n".join([table, *wrapped(notes, width), *wrapped(own, width)]) + "\n"


def rate(value: float, unit: str) -> str:
    """Three digits with a decimal unit: 4.80 TB/s."""
    for scale, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= scale:
            number = value / scale
            digits = 2 if number < 9.995 else 1 if number < 99.95 else 0
            return f"{number:.{digits}f} {prefix}{unit}"
    return f"{value:.0f} {unit}"


def _peak(device: Device, dtype: str) -> str:
    found = dict(device.peaks).get(dtype)
    return "–" if found is None else count(round(found))


def render_json(found: Sequence[tuple[Device, str]]) -> str:
    """All that is known of each, but for the samples and shapes of a calibration, of which their number is said."""
    return json.dumps([_object(device, file) for device, file in found], indent=2, ensure_ascii=False) + "\n"


def _object(device: Device, file: str) -> dict[str, Any]:
    value: dict[str, Any] = {"schema": SCHEMA, **device.as_dict(), "file": file}
    value["source"] = {**device.source.as_dict(), "versions": dict(device.source.versions)}
    value["peaks"] = dict(device.peaks)
    value["workspaces"] = None if device.workspaces is None else dict(device.workspaces)
    if device.efficiency is not None:
        value["efficiency"] = dict(zip(("compute", "bandwidth"), device.efficiency, strict=True))
    value["classes"] = {each.name: len(each.samples) for each in device.classes}
    value["shapes"] = len(device.shapes)
    value["accuracy"] = [each.as_dict() for each in device.accuracy]
    return value

"""A device as JSON: a versioned document that is checked field by field when it is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from convsize.errors import UsageError
from convsize.records.device import Accuracy, ClassTable, Device, DeviceSource, Sample

SCHEMA = 1
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""What a device can be called: a word as specs have them, for `step_time(h200)` says it."""

_REQUIRED = ("schema", "name", "title", "kind", "source", "memory", "bandwidth", "peaks", "overhead")
_FIELDS = (
    *_REQUIRED,
    *("tdp", "cublas_workspace", "context", "workspaces", "efficiency", "threads", "noise"),
    *("classes", "shapes", "accuracy", "channels_last"),
)


_LEAST, _MOST = 1e-30, 1e30
"""Between these lie all seconds, bytes and operations a second."""


class _Wrong(Exception):  # noqa: N818 (carries a sentence, it is no error of its own)
    """What is wrong with a document."""


def read(data: bytes, where: str) -> Device:
    """The device that a file says. Raises UsageError, which names the file and what is wrong in it."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise UsageError(
            f"`{where}` is not a device file: it is not JSON, or it is truncated; write it again with `convsize "
            "calibrate`"
        ) from None
    try:
        return _device(value)
    except _Wrong as wrong:
        raise UsageError(f"`{where}` is not a readable device file: {wrong}") from None


def _device(value: Any) -> Device:
    if not isinstance(value, dict) or "schema" not in value:
        raise _Wrong("it states no `schema`; `convsize calibrate` writes such files")
    if value["schema"] != SCHEMA:
        newer = isinstance(value["schema"], int) and value["schema"] > SCHEMA
        more = "a newer convsize wrote it: update convsize" if newer else "write it again with `convsize calibrate`"
        raise _Wrong(f"its schema is {value['schema']!r}, and this convsize reads {SCHEMA}; {more}")
    missing = [each for each in _REQUIRED if each not in value]
    if missing:
        raise _Wrong(f"it has no `{missing[0]}`")
    unknown = [each for each in value if each not in _FIELDS]
    if unknown:
        raise _Wrong(f"it has a field `{unknown[0]}`, which schema {SCHEMA} does not know")
    name = _text(value, "name")
    if not NAME.fullmatch(name):
        raise _Wrong(f"`{name}` is not a name: use small letters, digits and `_`, with a letter first")
    kind = value["kind"]
    if kind not in ("cpu", "cuda"):
        raise _Wrong(f"its kind is {kind!r}, not cpu or cuda")
    peaks = _table(value, "peaks")
    if not peaks:
        raise _Wrong("`peaks` is empty")
    efficiency = None
    if value.get("efficiency") is not None:
        shares = dict(_table(value, "efficiency"))
        if set(shares) != {"compute", "bandwidth"} or not all(0 < share <= 1 for share in shares.values()):
            raise _Wrong("`efficiency` takes the shares `compute` and `bandwidth`, above 0 and up to 1")
        efficiency = (shares["compute"], shares["bandwidth"])
    workspaces = None
    if value.get("workspaces") is not None:
        workspaces = tuple((key, _count(size, "workspaces")) for key, size in _pairs(value, "workspaces"))
    return Device(
        name=name,
        title=_text(value, "title"),
        kind=kind,
        source=_source(value["source"]),
        memory=_optional_count(value, "memory"),
        bandwidth=_number(value["bandwidth"], "bandwidth"),
        peaks=peaks,
        overhead=_number(value["overhead"], "overhead", zero=True),
        tdp=None if value.get("tdp") is None else _number(value["tdp"], "tdp"),
        cublas_workspace=_optional_count(value, "cublas_workspace"),
        context=_optional_count(value, "context"),
        workspaces=workspaces,
        efficiency=efficiency,
        threads=_optional_count(value, "threads"),
        noise=None if value.get("noise") is None else _number(value["noise"], "noise", zero=True),
        classes=tuple(_class(name, samples) for name, samples in _pairs(value, "classes")),
        shapes=_table(value, "shapes"),
        accuracy=tuple(_accuracy(each) for each in _list(value.get("accuracy", []), "accuracy")),
        channels_last=_flag(value, "channels_last"),
    )


def _source(value: Any) -> DeviceSource:
    if not isinstance(value, dict) or value.get("kind") not in ("datasheet", "calibrated"):
        raise _Wrong("its `source` is neither a datasheet nor a calibration")
    versions = _pairs(value, "versions")
    notes = _list(value.get("notes", []), "notes")
    if not all(
        isinstance(each, str) and each.isprintable() for each in (*notes, *(version for _, version in versions))
    ):
        raise _Wrong("`notes` and `versions` of its source are texts")
    return DeviceSource(value["kind"], _text(value, "title"), _text(value, "date"), tuple(notes), tuple(versions))


def _class(name: str, value: Any) -> ClassTable:
    samples = []
    for each in _list(value, name):
        numbers = [_number(part, name, zero=True) for part in _list(each, name)]
        if len(numbers) < 2 or not numbers[-1]:
            raise _Wrong(f"a sample of `{name}` is a list of features with its seconds at the end")
        samples.append(Sample(tuple(numbers[:-1]), numbers[-1]))
    if not samples or len({len(each.features) for each in samples}) != 1:
        raise _Wrong(f"`{name}` has no samples, or samples of unequal length")
    return ClassTable(name, tuple(samples))


def _accuracy(value: Any) -> Accuracy:
    if not isinstance(value, dict) or set(value) != set(Accuracy.field_names()):
        raise _Wrong(f"an entry of `accuracy` states {', '.join(Accuracy.field_names())}")
    return Accuracy(
        _text(value, "mode"),
        _text(value, "what"),
        _number(value["mean"], "mean", zero=True),
        _number(value["median"], "median", zero=True),
        _number(value["worst"], "worst", zero=True),
        _count(value["cells"], "cells"),
    )


def _flag(value: dict[str, Any], key: str) -> bool:
    found = value.get(key, False)
    if not isinstance(found, bool):
        raise _Wrong(f"its `{key}` is neither true nor false")
    return found


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str) or not found or not found.isprintable():
        raise _Wrong(f"its `{key}` is not a text")
    return found


def _number(value: Any, key: str, *, zero: bool = False) -> float:
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if not right or not ((zero and value == 0) or _LEAST <= value <= _MOST):
        kind = "not a number" if zero else "not a number above 0"
        raise _Wrong(f"{_shown(value)} in `{key}` is {kind} that a device can have")
    return float(value)


def _count(value: Any, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise _Wrong(f"{_shown(value)} in `{key}` is not a whole number that a device can have")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _optional_count(value: dict[str, Any], key: str) -> int | None:
    return None if value.get(key) is None else _count(value[key], key)


def _list(value: Any, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Wrong(f"its `{key}` is not a list")
    return value


def _pairs(value: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    found = value.get(key, {})
    if not isinstance(found, dict):
        raise _Wrong(f"its `{key}` is not an object")
    if not all(name.isprintable() for name in found):
        raise _Wrong(f"a name in `{key}` is not a text")
    return [*found.items()]


def _table(value: dict[str, Any], key: str) -> tuple[tuple[str, float], ...]:
    return tuple((name, _number(number, key)) for name, number in _pairs(value, key))


def dump(device: Device) -> str:
    """The document of a device; what is not known of it is left out."""
    source: dict[str, Any] = {**device.source.as_dict(), "notes": list(device.source.notes)}
    source["versions"] = dict(device.source.versions)
    value: dict[str, Any] = {"schema": SCHEMA, **device.as_dict(), "source": source, "peaks": dict(device.peaks)}
    if device.efficiency is not None:
        value["efficiency"] = dict(zip(("compute", "bandwidth"), device.efficiency, strict=True))
    if device.workspaces is not None:
        value["workspaces"] = dict(device.workspaces)
    value["classes"] = {each.name: [[*s.features, s.seconds] for s in each.samples] for each in device.classes}
    value["shapes"] = dict(device.shapes)
    value["accuracy"] = [each.as_dict() for each in device.accuracy]
    optional = set(_FIELDS) - set(_REQUIRED)
    kept = {
        key: each
        for key, each in value.items()
        if key not in optional or (each not in (None, {}, []) and each is not False)
    }
    return _lines(kept.items())


def _lines(items: Iterable[tuple[str, Any]]) -> str:
    """JSON with a line for every class and every shape, however many samples there are."""
    out = []
    for key, value in items:
        if key in ("classes", "shapes"):
            rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(each)}" for name, each in value.items())
            out.append(f"  {json.dumps(key)}: {{\n{rows}\n  }}")
        else:
            text = json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n  ")
            out.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(out) + "\n}\n"

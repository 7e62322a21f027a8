"""Sizes and types of numbers, as people write them on the command line."""

from __future__ import annotations

from fractions import Fraction

from convsize.errors import UsageError
from convsize.words import BYTES, COUNTS

_SCALES = {unit.lower(): size for size, unit in (*COUNTS, *BYTES)}


def size(text: str, option: str) -> int:
    """Bytes of `16GiB`, `80GB`, `24G` or `512mib`; K, M, G, T and P are powers of 1000, as in a spec.

    Raises UsageError where there is no number, or no unit, which could mean anything.
    """
    written = text.strip()
    number = written.rstrip("KMGTPiBkmgtpIb")
    unit = written[len(number) :].lower()
    scale = _SCALES.get(unit if unit.endswith("ib") else unit.removesuffix("b"))
    number = number.strip()
    digits = number.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15) or (unit and scale is None):
        raise UsageError(f"{option} takes a size such as 16GiB, 80GB or 512MiB, not `{text}`")
    if scale is None:
        if Fraction(number) == 0:
            return 0
        raise UsageError(f"{option} {text} has no unit: write {number}GiB, {number}GB or {number}MiB")
    return int(Fraction(number) * scale)


_SHORT = {
    "bf16": "bfloat16",
    "fp16": "float16",
    "half": "float16",
    "fp32": "float32",
    "float": "float32",
    "fp64": "float64",
    "double": "float64",
}


def dtype(text: str | None) -> str | None:
    """The name that PyTorch gives a type of numbers: bf16 is bfloat16; what has no other name is returned as it is."""
    return text if text is None else _SHORT.get(text.lower(), text)

"""Which inputs an output of an interpolation, or of a pool to a stated size, reads along an axis.

An output lies at a ratio r of inputs to outputs: with half-pixel centres output o at r(o + 1/2) - 1/2, with aligned
corners at o(L - 1)/(n - 1). What is read beyond the borders is the pixel at the border, which is read anyway.
Source: ATen/native/UpSample.h, UpSampleKernel.cpp and AdaptivePooling.h, PyTorch 2.13.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from convsize.geometry import AxisReads, GeometryError

Mode = Literal["nearest", "linear", "bicubic"]

_LARGEST_LIST = 65_536
"""Outputs of an axis of which every one is looked at."""

_LONGEST_PERIOD = 2**16
"""Outputs after which a pattern of reads repeats: each of them is looked at."""


def require_short(extent: int, count: int, period: int) -> None:
    """Raises GeometryError (E103) where a pattern of reads is longer than anyone would wait for."""
    if period > _LONGEST_PERIOD:
        raise GeometryError(
            "E103",
            f"{extent} to {count} is too uneven: what outputs read repeats after {period:,}, the limit is "
            f"{_LONGEST_PERIOD:,}",
            "write a smaller extent, or one that shares a large factor with the input's",
        )


def adaptive_reads(extent: int, count: int) -> AxisReads:
    """Output o of n pools the inputs ⌊oL/n⌋ … ⌈(o + 1)L/n⌉ - 1, as PyTorch's adaptive pools do."""
    ratio = Fraction(extent, count)
    outputs = range(ratio.denominator)
    return AxisReads(
        tuple([floor(o * ratio) for o in outputs]),
        tuple([ceil((o + 1) * ratio) - 1 for o in outputs]),
        ratio.numerator,
    )


def nearest_reads(extent: int, count: int, scale: Fraction | None) -> AxisReads:
    """Output o reads the input ⌊r·o⌋, as float32 has it: at few sizes that is the pixel before."""
    ratio = Fraction(extent, count) if scale is None else 1 / scale
    reads = tuple([floor(o * ratio) for o in range(ratio.denominator)])
    exact = AxisReads(reads, reads, ratio.numerator)
    if count not in (extent, 2 * extent) and count <= _LARGEST_LIST:
        step = _float32(_float32(extent) / _float32(count) if scale is None else 1 / float(scale))
        found = tuple([min(int(_float32(_float32(o) * step)), extent - 1) for o in range(count)])
        if any(exact.of(o)[0] != at for o, at in enumerate(found)):
            return AxisReads(found, found, extent)
    return exact


def linear_reads(extent: int, count: int, scale: Fraction | None, mode: Mode) -> AxisReads:
    """Half-pixel centres: two inputs, of a cubic four, and one alone where an output lies right on it."""
    ratio = Fraction(extent, count) if scale is None else 1 / scale
    centres = [ratio * Fraction(2 * o + 1, 2) - Fraction(1, 2) for o in range(ratio.denominator)]
    return _around(centres, mode, ratio.numerator)


def aligned_reads(extent: int, count: int, mode: Mode) -> AxisReads:
    """Aligned corners: the first and the last output lie on the first and the last input."""
    ratio = Fraction(extent - 1, count - 1) if count > 1 else Fraction(0)
    if not ratio:
        return AxisReads((0,) * count, (0,) * count, extent)
    return _around([o * ratio for o in range(ratio.denominator)], mode, ratio.numerator)


def _around(centres: list[Fraction], mode: Mode, shift: int) -> AxisReads:
    before, after = (1, 2) if mode == "bicubic" else (0, 1)
    whole = [centre.denominator == 1 for centre in centres]
    return AxisReads(
        tuple([floor(c) - (0 if on else before) for c, on in zip(centres, whole, strict=True)]),
        tuple([floor(c) + (0 if on else after) for c, on in zip(centres, whole, strict=True)]),
        shift,
    )


def smooth_reads(extent: int, count: int, scale: Fraction | None, mode: Mode) -> AxisReads:
    """With antialias: all inputs under the filter, which is as wide as r outputs where r is above 1.

    A hat weighs what is less than one of its widths away, a cubic filter what is less than two; it is 0 at one.
    """
    ratio = Fraction(extent, count) if scale is None else 1 / scale
    width = max(ratio, Fraction(1))
    reach = width * (2 if mode == "bicubic" else 1)
    first, last = [], []
    for o in range(ratio.denominator):
        middle = ratio * Fraction(2 * o + 1, 2) - Fraction(1, 2)
        low, high = floor(middle - reach) + 1, ceil(middle + reach) - 1
        if mode == "bicubic":
            low += middle - low == width
            high -= high - middle == width
        first.append(low)
        last.append(high)
    return AxisReads(tuple(first), tuple(last), ratio.numerator)


def read_by(reads: AxisReads, extent: int, output: int) -> int:
    """How many inputs of an axis an output reads."""
    first, last = reads.of(output)
    return min(last, extent - 1) - max(first, 0) + 1


def _float32(value: float) -> float:
    """The nearest float32."""
    found: float = struct.unpack("f", struct.pack("f", value))[0]
    return found

"""Which kernel PyTorch takes for a convolution on a CPU: one of oneDNN, or the one that unfolds its input into columns.

Source: at::native::ConvParams::use_mkldnn, PyTorch 2.13. With more than one thread oneDNN takes every filter of one
position, too; here and wherever peaks are measured it is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from convsize.analyses.memory.strides import Extents

_FEW = 20_480
"""Values of a single sample up to which PyTorch does not call oneDNN for a small filter."""


def extents(value: object) -> Extents:
    """A number of a call of PyTorch for every axis, or the one for all."""
    if isinstance(value, int):
        return (value,)
    assert isinstance(value, tuple)
    return value


def is_unfolded(kwargs: Mapping[str, object], shape: Extents, itemsize: int = 4) -> bool:
    """Whether a convolution of an input of this shape is no call of oneDNN.

    It never is in float64, and always in a half precision type, on a processor that has instructions for that.
    """
    if itemsize != 4:
        return itemsize > 4
    kernel, stride, dilation = (extents(kwargs.get(name, 1)) for name in ("kernel_size", "stride", "dilation"))
    batch = shape[0]
    plain = not any(step > 1 for step in (*stride, *dilation))
    if prod(kernel[-2:]) == 1 and plain and batch < 16:
        return True
    wide = all(extent > 3 for extent in (1, *kernel)[-2:])
    values = prod(shape) if len(shape) < 5 else prod(shape[:4])
    return kwargs.get("groups", 1) == 1 and batch == 1 and values <= _FEW and not wide

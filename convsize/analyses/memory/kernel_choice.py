"""Which kernel PyTorch takes on a CPU, and which it lacks.

A convolution is one of oneDNN, or one that unfolds its input into columns. An average over three axes has no kernel in
half precision. Source: at::native::ConvParams::use_mkldnn and AveragePool3d.cpp, PyTorch 2.13. With more than one
thread oneDNN takes every filter of one position, too; here and wherever peaks are measured it is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from convsize.analyses.memory.strides import Extents
from convsize.errors import UsageError
from convsize.graph.network import Network

_FEW = 20_480
"""Values of a single sample up to which PyTorch does not call oneDNN for a small filter."""


def require_kernels(network: Network, dtype: str) -> None:
    """Raises UsageError where a CPU cannot compute a network in a type, for PyTorch has no kernel for a layer."""
    missing = without_kernel(network, dtype)
    if missing:
        smooth = [name for name in missing if name in _smooth(network)]
        shown = smooth or missing
        names = ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")
        raise UsageError(
            f"{network.name}: {no_antialias(names, dtype)}"
            if smooth
            else f"{network.name}: PyTorch averages over no three axes in {dtype} on a CPU (avg_pool3d), as {names} "
            "must: take float32, or --autocast, which averages in float32"
        )


def no_antialias(names: str, dtype: str) -> str:
    """What to say of interpolation with antialias in half precision."""
    return (
        f"PyTorch has no interpolation with antialias in {dtype} on a CPU, as {names} must: take float32, "
        "or leave `antialias` out"
    )


def _smooth(network: Network) -> tuple[str, ...]:
    """The layers that interpolate with antialias."""
    return tuple(
        node.name
        for node in network.layers
        for call in node.op.torch(*network.input_shapes(node))
        if dict(call.kwargs).get("antialias")
    )


def without_kernel(network: Network, dtype: str) -> tuple[str, ...]:
    """The layers of which PyTorch computes no batch in this type on a CPU."""
    if dtype not in {"bfloat16", "float16"}:
        return ()
    return tuple(
        node.name
        for node in network.layers
        for call in node.op.torch(*network.input_shapes(node))
        if call.kernel in {"nn.AvgPool3d", "nn.LPPool3d"}
        or dict(call.kwargs).get("antialias")
        # Maps become an axis of their own, which is averaged over; all axes but the first of space are one.
        or (call.kernel == "nn.LocalResponseNorm" and len(node.output.spatial) > 1)
    )


def extents(value: object) -> Extents:
    """A number of a call of PyTorch for every axis, or the one for all."""
    if isinstance(value, int):
        return (value,)
    assert isinstance(value, tuple)
    return value


def is_unfolded(kwargs: Mapping[str, object], shape: Extents, dtype: str = "float32") -> bool:
    """Whether a convolution of an input of this shape is no call of oneDNN.

    It never is in float64, nor in float16 but on the few processors that compute in it, and always in bfloat16 on a
    processor that has instructions for that.
    """
    if dtype != "float32":
        return dtype != "bfloat16"
    kernel, stride, dilation = (extents(kwargs.get(name, 1)) for name in ("kernel_size", "stride", "dilation"))
    batch = shape[0]
    plain = not any(step > 1 for step in (*stride, *dilation))
    if prod(kernel[-2:]) == 1 and plain and batch < 16:
        return True
    wide = all(extent > 3 for extent in (1, *kernel)[-2:])
    values = prod(shape) if len(shape) < 5 else prod(shape[:4])
    return kwargs.get("groups", 1) == 1 and batch == 1 and values <= _FEW and not wide

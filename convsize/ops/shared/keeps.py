"""What activations and norms keep for backward, which is one of a few habits."""

from __future__ import annotations

from typing import Literal

from convsize.geometry import Shape
from convsize.ops.base import Parameter, Saved, SaveMode


def tensor_bytes(shape: Shape, mode: SaveMode) -> int:
    """The bytes of a batch of volumes."""
    return mode.batch * shape.elements * mode.itemsize


def kept_activation(keeps: Literal["input", "output"], source: Shape, mode: SaveMode) -> tuple[Saved, ...]:
    """What an activation keeps: its input or its output.

    One that needs its input and works in place has overwritten it, so autograd keeps a clone: in place saves nothing.
    """
    if not mode.needs[0]:
        return ()
    if keeps == "input" and mode.inplace:
        return (Saved("extra", name="clone of the input", size=tensor_bytes(source, mode)),)
    return (Saved(keeps),)


def norm_parameters(depth: int, affine: bool) -> tuple[Parameter, ...]:
    """The gain and the bias of a norm, one of each a map."""
    return (Parameter("weight", (depth,)), Parameter("bias", (depth,), "bias")) if affine else ()


def map_parameters(source: Shape) -> tuple[Parameter, Parameter]:
    """A gain and a bias of every map, with axes of 1 for the positions, over which they broadcast."""
    shape = (source.channels, *(1,) * source.rank)
    return Parameter("weight", shape), Parameter("bias", shape, "bias")


def wide_under_autocast(mode: SaveMode) -> int:
    """Bytes of what an operator gives that autocast computes in float32 on CUDA, and on a CPU as it comes."""
    autocast = mode.parameter_itemsize > mode.itemsize
    return max(mode.itemsize, 4) if autocast and mode.device == "cuda" else mode.itemsize


def kept_statistics(size: int) -> tuple[Saved, Saved]:
    """The two tensors that a norm keeps of its statistics, each of `size` bytes."""
    return (Saved("extra", name="mean", size=size), Saved("extra", name="inverse deviation", size=size))


def kept_norm(affine: bool, mode: SaveMode, rows: int, *, bias: bool) -> tuple[Saved, ...]:
    """What a layer or group norm keeps: input, gain (and `bias`), and two statistics of each of its `rows` a sample."""
    if not (mode.needs[0] or (mode.trains and affine)):
        return ()
    names = (("weight", "bias") if bias else ("weight",)) if affine else ()
    gains = (Saved("parameter", name=name) for name in names)
    return (Saved("input"), *gains, *kept_statistics(mode.batch * rows * mode.statistic_itemsize(affine=affine)))

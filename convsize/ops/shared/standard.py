"""Standardised weights: filters of mean 0 and variance 1, made of a convolution's weights in every forward pass."""

from __future__ import annotations

from fractions import Fraction
from math import prod

from convsize.geometry import Extents, GeometryError
from convsize.ops.base import Parameter, Saved, SaveMode, Suffixes, TorchCall, TorchValue, Work
from convsize.ops.shared.arguments import above_zero
from convsize.record import Record

_EPSILON = Fraction(1, 1000000)


class Standard(Record):
    """How the filters of a convolution are standardised: w - mean over deviation, of each filter.

    gain: whether they are scaled as well, by a learned gain of each over the square root of its number of weights.
    """

    gain: bool
    eps: Fraction

    @property
    def arguments(self) -> tuple[tuple[str, TorchValue], ...]:
        """Those of the module besides a convolution's own."""
        return (("gain", self.gain), ("eps", float(self.eps)))


def standard_of(suffixes: Suffixes) -> Standard | None:
    """What `ws` or `sws` says. Raises GeometryError E111 where the number after it is not above 0."""
    if suffixes.standard is None:
        return None
    eps = _EPSILON if suffixes.epsilon is None else above_zero("eps", suffixes.epsilon)
    return Standard(suffixes.standard == "sws", eps)


def require_variance(standard: Standard | None, weights: int) -> None:
    """Raises GeometryError E212 where a filter is a single weight, which has no variance."""
    if standard is not None and weights < 2:
        raise GeometryError(
            "E212", "weight standardisation of filters of a single weight: all of them would be 0", "leave `ws` out"
        )


def convolution_parameters(
    standard: Standard | None, maps: int, depth: int, kernel: Extents, *, bias: bool
) -> tuple[Parameter, ...]:
    """Weight, bias and gain; depth: the maps that a filter reads."""
    found = [Parameter("weight", (maps, depth, *kernel))]
    if bias:
        found.append(Parameter("bias", (maps,), "bias"))
    if standard is not None and standard.gain:
        found.append(Parameter("gain", (maps, *(1,) * (len(kernel) + 1))))
    return tuple(found)


def convolution_call(standard: Standard | None, rank: int, kwargs: tuple[tuple[str, TorchValue], ...]) -> TorchCall:
    """The call of a convolution, of PyTorch's or of standardised weights."""
    if standard is None:
        return TorchCall(f"nn.Conv{rank}d", kwargs)
    return TorchCall("convsize.StdConv", (*kwargs, *standard.arguments))


def standard_work(standard: Standard, weight: Parameter) -> Work:
    """A norm of the weights, and the scale of each gain: once a batch."""
    gains = weight.shape[0] if standard.gain else 0
    return Work("norm", 4 * weight.elements + gains)


def kept_standard(standard: Standard, weight: Parameter, mode: SaveMode) -> tuple[Saved, ...]:
    """What is kept of the weights: the standardised ones, themselves, and what their norm's backward needs."""
    made = Saved("extra", name="standardised weight", size=weight.elements * mode.itemsize)
    if not mode.trains:
        return (made,)
    itemsize = mode.parameter_itemsize or mode.itemsize
    # The weights may be of another type than what they are convolved with, under autocast.
    size = prod(weight.shape[:1]) * max(itemsize, 4 if mode.device == "cuda" else 0)
    kept = [made, Saved("parameter", name="weight")]
    kept += [Saved("extra", name=name, size=size) for name in ("mean of a filter", "inverse deviation of a filter")]
    if standard.gain:
        kept.append(Saved("extra", name="scaled gain", size=prod(weight.shape[:1]) * itemsize))
    return tuple(kept)

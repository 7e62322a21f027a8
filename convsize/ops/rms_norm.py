"""Root mean square normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import POINTWISE, GeometryError, Shape, Window
from convsize.ops.base import (
    Argument,
    Kind,
    Op,
    Parameter,
    ParamSpec,
    Saved,
    SaveMode,
    Statistics,
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.arguments import above_zero, whole


class RMSNorm(Op):
    """Root mean square normalisation over the depth: at every position the values of all maps are divided by the root
    of the mean of their squares.

    Spec
        `rms`, `rms(gain=0)` without gain; `rms(eps=0.000001)` sets the number that is added to the mean.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        weight D.
    MACs
        none. FLOPs: 3 an element (square, sum, scale), 1 more with a gain.
    Saved for backward
        on a CPU it is several operators, in float32 or more: the input (a copy of it, where it is in half precision),
        the inverse root of every position, L… numbers a sample, the weight, and the quotients that the gain multiplies.
        CUDA has one kernel: input, weight and inverse roots. That is taken from PyTorch's source, not measured.
    PyTorch
        nn.RMSNorm, with the depth moved to the last axis and back where there are positions. Where nothing is said of
        `eps` it is the distance from 1 to the next number of the type.
    Source
        Zhang & Sennrich 2019.
    """

    NAME: ClassVar[str] = "RMS norm"
    KIND: ClassVar[Kind] = "norm"
    VALUES: ClassVar[Values] = "any"
    STATISTICS: ClassVar[Statistics] = "squares"
    STEM: ClassVar[str] = "rms"
    SPELLING: ClassVar[str] = "rms"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("eps", "number", required=False),
        ParamSpec("gain", required=False, default=1),
    )

    eps: Fraction | None
    gain: bool

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        gain = whole(arguments["gain"])
        if gain not in (0, 1):
            raise GeometryError("E111", f"`gain` is 0 or 1, not {gain}", "write `rms`, or `rms(gain=0)` without a gain")
        eps = arguments["eps"]
        return cls(None if eps is None else above_zero("eps", eps), bool(gain))

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (inputs[0].channels,)),) if self.gain else ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("norm", (3 + self.gain) * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        trains = mode.trains and self.gain
        if not mode.needs[0] and not trains:
            return ()
        weight = (Saved("parameter", name="weight"),) if self.gain else ()
        wide = max(mode.itemsize, 4)
        roots = Saved("extra", name="inverse roots", size=mode.batch * inputs[0].area * wide)
        if mode.device == "cuda":
            return (Saved("input"), *weight, roots)
        size = mode.batch * inputs[0].elements * wide
        own = Saved("input") if mode.itemsize >= 4 else Saved("extra", name="input in float32", size=size)
        return (
            *((own, roots, *weight) if mode.needs[0] else ()),
            *((Saved("extra", name="quotients", size=size),) if trains else ()),
        )

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        kwargs = (
            ("normalized_shape", inputs[0].channels),
            ("eps", None if self.eps is None else float(self.eps)),
            ("elementwise_affine", self.gain),
        )
        return (TorchCall("convsize.RMSNorm" if inputs[0].rank else "nn.RMSNorm", kwargs),)

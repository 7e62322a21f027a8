"""Filter response normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import POINTWISE, Shape, Window
from convsize.ops.base import (
    Argument,
    Kind,
    MapsRead,
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
from convsize.ops.shared.arguments import above_zero
from convsize.ops.shared.keeps import map_parameters, wide_under_autocast
from convsize.ops.shared.windows import require_spatial


class FilterResponseNorm(Op):
    """Filter response normalisation: every map of a sample is divided by the root of the mean of its squares, with a
    learned gain and bias: γ·x/√(mean x² + ε) + β. A thresholded linear unit follows it: `frn tlu`.

    Spec
        `frn`; `frn(eps=0.001)` sets ε, which is 0.000001 otherwise. The paper's ε that is learned is not taken.
    Shape
        as its input, which has positions.
    Window
        its own position; the mean sees the whole map, which is no receptive field.
    Parameters
        weight D, bias D (as D·1…, so that they broadcast as they are).
    MACs
        none. FLOPs: 5 an element (square, sum, scale, gain, bias).
    Saved for backward
        input, the quotients, weight, and the inverse root of every map, D numbers a sample. Under autocast on CUDA also
        the input in float32.
    PyTorch
        torch.pow, a mean, torch.rsqrt, and products with two parameters.
    Source
        Singh & Krishnan 2020.
    """

    NAME: ClassVar[str] = "filter response norm"
    KIND: ClassVar[Kind] = "norm"
    VALUES: ClassVar[Values] = "any"
    STATISTICS: ClassVar[Statistics] = "map squares"
    STEM: ClassVar[str] = "frn"
    SPELLING: ClassVar[str] = "frn"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("eps", "number", required=False, default=Fraction(1, 10**6)),)

    eps: Fraction

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(above_zero("eps", arguments["eps"]))

    def output(self, *inputs: Shape) -> Shape:
        require_spatial("filter response normalisation", inputs[0])
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return map_parameters(inputs[0])

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("norm", 5 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        itemsize = wide_under_autocast(mode)
        size = mode.batch * inputs[0].elements * itemsize
        return (
            *((Saved("extra", name="quotients", size=size),) if mode.trains else ()),
            *(
                (
                    Saved("input"),
                    *((Saved("extra", name="input in float32", size=size),) if itemsize > mode.itemsize else ()),
                    Saved("parameter", name="weight"),
                    Saved("extra", name="inverse roots", size=mode.batch * inputs[0].channels * itemsize),
                )
                if mode.needs[0]
                else ()
            ),
        )

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        shape = (inputs[0].channels, *(1,) * inputs[0].rank)
        return (TorchCall("convsize.FilterResponseNorm", (("shape", shape), ("eps", float(self.eps)))),)

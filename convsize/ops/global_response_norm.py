"""Global response normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import POINTWISE, Shape, Window
from convsize.ops.base import (
    Argument,
    Kind,
    Op,
    Parameter,
    ParamSpec,
    Saved,
    SaveMode,
    Statistics,
    Suffixes,
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.arguments import above_zero
from convsize.ops.shared.keeps import map_parameters, wide_under_autocast
from convsize.ops.shared.windows import require_spatial

_EPS = Fraction(1, 10**6)


class GlobalResponseNorm(Op):
    """Global response normalisation: every map is weighted by its norm over the mean of all maps' norms, with a learned
    gain and bias, and added: x + γ·x·n/(mean n + ε) + β, n the root of the sum of a map's squares.

    Spec
        `GRN`; `grn(eps=0.001)` sets ε, which is 0.000001 otherwise.
    Shape
        as its input, which has positions.
    Window
        its own position; the factors come from whole maps, which is no receptive field, as of a gate.
    Parameters
        weight D, bias D (as D·1…, so that they broadcast as they are); both begin at 0, where it changes nothing.
    MACs
        none. FLOPs: 6 an element (square, sum, factor, gain, bias, sum with the input).
    Saved for backward
        input, its product with the factors, weight, and the norms, factors and means with ε: 2·D + 1 numbers a sample.
    PyTorch
        torch.linalg.vector_norm, a mean, and products with two parameters.
    Source
        Woo et al. 2023, ConvNeXt V2.
    """

    NAME: ClassVar[str] = "global response norm"
    KIND: ClassVar[Kind] = "norm"
    VALUES: ClassVar[Values] = "any"
    STATISTICS: ClassVar[Statistics] = "maps"
    STEM: ClassVar[str] = "grn"
    SPELLING: ClassVar[str] = "GRN"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("eps", "number", required=False, default=_EPS),)

    eps: Fraction

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls(_EPS)

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(above_zero("eps", arguments["eps"]))

    def output(self, *inputs: Shape) -> Shape:
        require_spatial("global response normalisation", inputs[0])
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return map_parameters(inputs[0])

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("norm", 6 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        itemsize = wide_under_autocast(mode)
        rows = mode.batch * inputs[0].channels * itemsize
        product = Saved("extra", name="product with the factors", size=mode.batch * inputs[0].elements * itemsize)
        return (
            *((product,) if mode.trains else ()),
            *(
                (
                    Saved("input"),
                    Saved("parameter", name="weight"),
                    Saved("extra", name="norms", size=rows),
                    Saved("extra", name="factors", size=rows),
                    Saved("extra", name="mean of the norms", size=mode.batch * itemsize),
                )
                if mode.needs[0]
                else ()
            ),
        )

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        shape = (inputs[0].channels, *(1,) * inputs[0].rank)
        return (TorchCall("convsize.GlobalResponseNorm", (("shape", shape), ("eps", float(self.eps)))),)

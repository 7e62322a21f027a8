"""Local response normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    Shape,
    Window,
)
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
from convsize.ops.shared.arguments import (
    number,
    require_positive,
    whole,
)
from convsize.ops.shared.keeps import tensor_bytes
from convsize.ops.shared.windows import (
    require_size,
    require_spatial,
)


class LocalResponseNorm(Op):
    """Local response normalisation: every value is divided by (k + α/n·Σ x²)^β over its n neighbours in depth.

    Spec
        `LRN5`: 5 maps; 5 where left out; `lrn(5, alpha=0.0001, beta=0.75, k=2)` sets PyTorch's numbers.
    Shape
        as its input.
    Window
        its own position; the neighbours lie along the depth.
    Parameters
        none.
    MACs
        none. FLOPs: n + 4 an element (square, n - 1 additions, factor, addition, power, division).
    Saved for backward
        input, its squares padded in depth (D + n - 1 maps), the denominator and its base.
    PyTorch
        nn.LocalResponseNorm, whose α is divided by n as above and whose k is 1 where the paper has 2.
    Source
        Krizhevsky et al. 2012, AlexNet, section 3.3.
    """

    NAME: ClassVar[str] = "local response norm"
    KIND: ClassVar[Kind] = "norm"
    VALUES: ClassVar[Values] = "any"
    STATISTICS: ClassVar[Statistics] = "neighbours"
    STEM: ClassVar[str] = "lrn"
    SPELLING: ClassVar[str] = "LRN5"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size",)
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("n", required=False, default=5),
        ParamSpec("alpha", "number", required=False, default=Fraction(1, 10000)),
        ParamSpec("beta", "number", required=False, default=Fraction(3, 4)),
        ParamSpec("k", "number", required=False, default=Fraction(1)),
    )

    window_size: int
    alpha: Fraction
    beta: Fraction
    k: Fraction

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        size = require_size("window", suffixes.size or (5,), "LRN5")
        return cls(size, Fraction(1, 10000), Fraction(3, 4), Fraction(1))

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(whole(arguments["n"]), number(arguments["alpha"]), number(arguments["beta"]), number(arguments["k"]))

    def output(self, *inputs: Shape) -> Shape:
        require_positive("the window", self.window_size)
        require_spatial("local response normalisation", inputs[0])
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("norm", (self.window_size + 4) * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0]:
            return ()
        (source,) = inputs
        whole_size = tensor_bytes(source, mode)
        padded = tensor_bytes(Shape(source.channels + self.window_size - 1, source.spatial), mode)
        return (
            Saved("input"),
            Saved("extra", name="padded squares", size=padded),
            Saved("extra", name="base of the denominator", size=whole_size),
            Saved("extra", name="denominator", size=whole_size),
        )

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        kwargs = (
            ("size", self.window_size),
            ("alpha", float(self.alpha)),
            ("beta", float(self.beta)),
            ("k", float(self.k)),
        )
        return (TorchCall("nn.LocalResponseNorm", kwargs),)

"""Ops as somebody writes them who uses convsize: in a package of their own, with nothing changed in this one."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import AxisWindow, Shape, Window
from convsize.ops.base import Argument, Kind, Op, Parameter, ParamSpec, Saved, SaveMode, TorchCall, Values, Work


class Hardtanh(Op):
    """Hard tanh: every value is cut off at two bounds.

    Spec
        `hardtanh(low=-1, high=1)`.
    Shape
        as its input.
    Saved for backward
        input.
    """

    NAME: ClassVar[str] = "hard tanh"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "hardtanh"
    SPELLING: ClassVar[str] = "hardtanh(low,high)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("low", "number", required=False, default=Fraction(-1)),
        ParamSpec("high", "number", required=False, default=Fraction(1)),
    )

    low: float
    high: float

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        low, high = arguments["low"], arguments["high"]
        assert isinstance(low, Fraction)
        assert isinstance(high, Fraction)
        return cls(float(low), float(high))

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return Window("pointwise")

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 2 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return (Saved("input"),) if mode.needs[0] else ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.Hardtanh", (("min_val", self.low), ("max_val", self.high)), like="nn.ReLU6"),)


class Project(Op):
    """Projection: a 1x1 convolution without a bias.

    Spec
        `project(d)`.
    Shape
        D@L -> d@L.
    """

    NAME: ClassVar[str] = "projection"
    KIND: ClassVar[Kind] = "convolution"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "project"
    SPELLING: ClassVar[str] = "project(d)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("d"),)

    depth: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        depth = arguments["d"]
        assert isinstance(depth, int)
        return cls(depth)

    def output(self, *inputs: Shape) -> Shape:
        return Shape(self.depth, inputs[0].spatial)

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", (AxisWindow(1),) * inputs[0].rank)

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (self.depth, inputs[0].channels, *(1,) * inputs[0].rank)),)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return output.elements * inputs[0].channels

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        kept = (Saved("input"),) if mode.trains else ()
        return (*kept, Saved("parameter", name="weight")) if mode.needs[0] else kept

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        kwargs = (
            ("in_channels", source.channels),
            ("out_channels", self.depth),
            ("kernel_size", (1,) * source.rank),
            ("bias", False),
        )
        return (TorchCall(f"nn.Conv{source.rank}d", kwargs),)


class Unmeasured(Hardtanh):
    """An op whose PyTorch call nothing is known of."""

    NAME: ClassVar[str] = "soft sign"
    STEM: ClassVar[str] = "softsign"
    SPELLING: ClassVar[str] = "softsign"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = ()

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(-1.0, 1.0)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.Softsign"),)

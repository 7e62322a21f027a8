"""GELU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import Shape
from convsize.ops.base import Argument, Kind, ParamSpec, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class GELU(Pointwise):
    """GELU: x·Φ(x) = x/2·(1 + erf(x/√2)), element by element.

    Spec
        `gelu`; `gelu(tanh)`: x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), which comes near it.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 5 an element (division, erf, addition, two multiplications); 9 with tanh (two additions,
        six multiplications, tanh).
    Saved for backward
        its input; in place a clone of it, so in place saves nothing.
    PyTorch
        nn.GELU.
    Source
        Hendrycks & Gimpel 2016.
    """

    NAME: ClassVar[str] = "GELU"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "gelu"
    SPELLING: ClassVar[str] = "gelu"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("approximate", "choice", required=False, default="none", choices=("none", "tanh")),
    )

    tanh: bool

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(arguments["approximate"] == "tanh")

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", (9 if self.tanh else 5) * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.GELU", (("approximate", "tanh"),) if self.tanh else ()),)

"""Learned tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import AxisWindow, Shape, Window
from convsize.ops.base import (
    Argument,
    Kind,
    MapsRead,
    Op,
    Parameter,
    ParamSpec,
    Saved,
    SaveMode,
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.arguments import require_positive, whole
from convsize.ops.shared.sequences import require_sequence


class Token(Op):
    """Learned tokens: positions in front of a sequence that hold learned values, as a class token.

    Spec
        `token` for one, `token(n)` for n. `front` takes it out of the sequence again.
    Shape
        D@L to D@(L + n).
    Window
        its own position in the sequence; the tokens see nothing.
    Parameters
        weight D·n.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing.
    PyTorch
        torch.cat of one parameter and the sequence.
    Source
        Devlin et al. 2019, BERT; Dosovitskiy et al. 2021, ViT.
    """

    NAME: ClassVar[str] = "learned token"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "token"
    SPELLING: ClassVar[str] = "token(n)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("n", required=False, default=1),)

    count: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        count = whole(arguments["n"])
        require_positive("the number of tokens", count)
        return cls(count)

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        require_sequence("learned tokens", source)
        return Shape(source.channels, (source.spatial[0] + self.count,))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", (AxisWindow(1, before=self.count),))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (inputs[0].channels, self.count)),)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("convsize.Token", (("shape", (inputs[0].channels, self.count)),)),)

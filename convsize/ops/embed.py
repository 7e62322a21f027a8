"""Embedding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    GeometryError,
    Shape,
    Window,
)
from convsize.ops.base import Argument, Kind, Op, Parameter, ParamSpec, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.arguments import (
    require_positive,
    whole,
)
from convsize.ops.shared.windows import (
    require_spatial,
)


class Embedding(Op):
    """Embedding: every token, a whole number below v, becomes a learned vector of d values.

    Spec
        `embed(v,d)`: a vocabulary of v, vectors of d.
    Shape
        1@L -> d@L.
    Window
        its own position.
    Parameters
        weight v·d.
    MACs
        none: a row is looked up. FLOPs: none.
    Saved for backward
        input, where the weight is trained.
    PyTorch
        nn.Embedding, with the vectors moved to the depth.
    Source
        Kim 2014, convolutional networks for sentences.
    """

    NAME: ClassVar[str] = "embedding"
    KIND: ClassVar[Kind] = "lookup"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "embed"
    SPELLING: ClassVar[str] = "embed(v,d)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("vocabulary"), ParamSpec("depth"))

    num_embeddings: int
    embedding_dim: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(whole(arguments["vocabulary"]), whole(arguments["depth"]))

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        require_positive("the vocabulary", self.num_embeddings)
        require_positive("the depth", self.embedding_dim)
        require_spatial("embedding", source)
        if source.channels != 1:
            raise GeometryError(
                "E111",
                f"an embedding reads one token per position, but its input is {source.channels} deep",
                f"declare the tokens as `1@{'x'.join(map(str, source.spatial))}`",
            )
        return Shape(self.embedding_dim, source.spatial)

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (self.num_embeddings, self.embedding_dim)),)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return (Saved("input"),) if mode.trains else ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        kwargs = (("num_embeddings", self.num_embeddings), ("embedding_dim", self.embedding_dim))
        return (TorchCall("convsize.Embedding", kwargs),)

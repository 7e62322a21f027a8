"""Attention over positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from convsize.geometry import (
    EVERYTHING,
    GeometryError,
    Shape,
    Window,
)
from convsize.ops.base import (
    Argument,
    ExtentRule,
    Kind,
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
from convsize.ops.shared.windows import require_spatial


class Attention(Op):
    """Attention in heads: every position gets a mean of the values of all positions, weighted by how well its query
    meets their keys.

    Spec
        `attn(heads)`: the depth holds the queries, the keys and the values one after another, a third each, and each
        third holds its heads one after another: `C1D{3*c} attn(12) C1D{c/3}`.
    Shape
        3·D@H×W to D@H×W; the heads must divide D. A sequence of L tokens is D@L.
    Window
        everything: every position sees all positions.
    Parameters
        none: the projections around it are layers of their own.
    MACs
        2·L²·D for L = H·W positions: the products of queries with keys, and of weights with values. FLOPs: of each of
        the heads·L² weights 5 for the softmax and 1 for the scale 1/√(D/heads).
    Saved for backward
        queries, keys and values, each a copy with the heads' vectors in order, the output, and the logarithm of the sum
        of every softmax, heads·L numbers of 4 bytes or more: PyTorch's fused kernel on a CPU never makes all weights.
        On CUDA the same, by its fused kernels: FlashAttention in half precision, in float32 the memory-efficient one,
        which rounds L up to a multiple of 32 there. These two are taken from PyTorch's source, not measured.
    PyTorch
        F.scaled_dot_product_attention on the three thirds, seen as heads.
    Source
        Vaswani et al. 2017; over the positions of images: Dosovitskiy et al. 2021, ViT. Fused: Dao et al. 2022,
        FlashAttention.
    """

    NAME: ClassVar[str] = "attention"
    KIND: ClassVar[Kind] = "attention"
    VALUES: ClassVar[Values] = "any"
    EXTENTS: ClassVar[ExtentRule] = "kept"
    STEM: ClassVar[str] = "attn"
    SPELLING: ClassVar[str] = "attn(heads)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("heads"),)

    heads: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        heads = whole(arguments["heads"])
        require_positive("the number of heads", heads)
        return cls(heads)

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        require_spatial("attention", source)
        depth, parts = source.channels, 3 * self.heads
        if depth % parts:
            above = depth - depth % parts + parts
            raise GeometryError(
                "E204",
                f"queries, keys and values in {self.heads} heads are {parts} equal parts of the depth {depth}: "
                f"{depth}/{parts} leaves {depth % parts}",
                f"give them a depth of {above} before it, as by `C1D{above}`",
            )
        return Shape(depth // 3, source.spatial)

    def window(self, *inputs: Shape) -> Window:
        return EVERYTHING

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 2 * output.area**2 * output.channels

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        weights = self.heads * output.area**2
        return (Work("activation", 5 * weights), Work("scale", weights))

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        return bool(inputs) and inputs[-1]

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not any(mode.needs):
            return ()
        size = mode.batch * output.elements * mode.itemsize
        rows = output.area
        if mode.device == "cuda" and mode.itemsize == 4:
            rows = -(-rows // 32) * 32
        sums = mode.batch * self.heads * rows * max(mode.itemsize, 4)
        return (
            *(Saved("extra", name=name, size=size) for name in ("queries", "keys", "values")),
            Saved("output"),
            Saved("extra", name="logarithms of the sums", size=sums),
        )

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("convsize.Attention", (("heads", self.heads),)),)

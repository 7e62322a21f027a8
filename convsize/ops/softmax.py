"""Softmax."""

from __future__ import annotations

from collections.abc import Mapping
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
    Suffixes,
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.arguments import (
    require_parts,
    whole,
)
from convsize.ops.shared.keeps import kept_activation


class Softmax(Op):
    """Softmax over the depth: exp(x) over the sum of it, at every position.

    Spec
        `S` or `softmax`; `softmax(r)`: across r equal slices of the depth, each value against those at its place in the
        other slices; `softmax(r,groups)`: the depth falls into groups first, and each of them into r slices.
    Shape
        as its input; groups·r must divide the depth.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 5 an element (comparison, subtraction, exponential, addition, division).
    Saved for backward
        its output.
    PyTorch
        nn.Softmax over dimension 1; between reshapes for slices.
    Source
        Bridle 1990; across slices: Li et al. 2019, selective kernels.
    """

    NAME: ClassVar[str] = "softmax"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "distribution"
    STEM: ClassVar[str] = "softmax"
    SPELLING: ClassVar[str] = "S"
    SUFFIXES: ClassVar[tuple[str, ...]] = ()
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("r", required=False),
        ParamSpec("groups", required=False, default=1),
    )

    slices: int | None
    groups: int

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls(None, 1)

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        slices = arguments["r"]
        return cls(None if slices is None else whole(slices), whole(arguments["groups"]))

    def output(self, *inputs: Shape) -> Shape:
        if self.slices is not None:
            require_parts("E204", "groups", self.groups, inputs[0].channels)
            require_parts("E204", "slices", self.slices, inputs[0].channels // self.groups)
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    @property
    def ends_in_logits(self) -> bool:
        return self.slices is None

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 5 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("output", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        if self.slices is None:
            return (TorchCall("nn.Softmax", (("dim", 1),)),)
        (source,) = inputs
        groups = () if self.groups == 1 else (self.groups,)
        sliced = (-1, *groups, self.slices, source.channels // (self.groups * self.slices), *source.spatial)
        return (
            TorchCall("torch.reshape", (("shape", sliced),)),
            TorchCall("nn.Softmax", (("dim", 1 + len(groups)),)),
            TorchCall("torch.reshape", (("shape", (-1, *source.dims)),)),
        )

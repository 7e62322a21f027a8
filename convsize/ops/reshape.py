"""Reshaping."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
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
    ParamSpec,
    TorchCall,
    Values,
)
from convsize.ops.shared.arguments import (
    require_positive,
    wholes,
)
from convsize.ops.shared.moving import Moving
from convsize.words import plural


class Reshape(Moving):
    """Reshaping: the same values, in the same order, as another volume.

    Spec
        `reshape(c,h,w)`; one number makes a vector, two a 1-D volume, four a 3-D one.
    Shape
        any -> c@h×w with as many elements.
    Window
        the whole extent of its input: positions move.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing: it is a view.
    PyTorch
        torch.reshape.
    Source
        Radford et al. 2016, DCGAN: project and reshape.
    """

    NAME: ClassVar[str] = "reshaping"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    EXTENTS: ClassVar[ExtentRule] = "reshaped"
    STEM: ClassVar[str] = "reshape"
    SPELLING: ClassVar[str] = "reshape(c,h,w)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("dims", variadic=True),)

    dims: tuple[int, ...]

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(wholes(arguments["dims"]))

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        for dim in self.dims:
            require_positive("every number of a shape", dim)
        if len(self.dims) > 4:
            raise GeometryError(
                "E206",
                f"a shape of {plural(len(self.dims), 'number')}: volumes have one to three axes",
                "write `reshape(c,h,w)`",
            )
        target = Shape(self.dims[0], self.dims[1:])
        if target.elements != source.elements:
            product = "·".join(map(str, source.dims))
            wanted = "·".join(map(str, self.dims))
            rest = prod(self.dims[1:])
            raise GeometryError(
                "E211",
                f"{source} has {product} = {plural(source.elements, 'value')}, {target} would have {wanted} = "
                f"{target.elements:,}"
                if source.rank and target.rank
                else f"{source} has {plural(source.elements, 'value')}, {target} would have {target.elements:,}",
                f"write `reshape({','.join(map(str, (source.elements // rest, *self.dims[1:])))})`"
                if source.elements % rest == 0
                else f"choose numbers whose product is {source.elements}",
            )
        return target

    def window(self, *inputs: Shape) -> Window:
        return EVERYTHING

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("torch.reshape", (("shape", (-1, *self.dims)),)),)

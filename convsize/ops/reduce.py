"""Reduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from convsize.geometry import EVERYTHING, POINTWISE, AxisWindow, GeometryError, Shape, Window
from convsize.ops.base import (
    Argument,
    ExtentRule,
    Kind,
    MapsRead,
    Op,
    Parameter,
    ParamSpec,
    Saved,
    SaveMode,
    TorchCall,
    TorchValue,
    Values,
    Work,
)
from convsize.ops.shared.arguments import require_parts, whole
from convsize.ops.shared.windows import require_spatial

_CALLS = {
    "mean": "torch.mean",
    "sum": "torch.sum",
    "max": "torch.amax",
    "min": "torch.amin",
    "norm": "torch.linalg.vector_norm",
    "std": "torch.std",
    "var": "torch.var",
}
_AXES = ("time", "height", "width")


class Reduce(Op):
    """Reduction: one value of many, over the depth, all positions, one axis of them, or slices of the depth.

    Spec
        `reduce(how,over)`; how: `mean`, `sum`, `max`, `min`, `norm` (√Σx²), `std`, `var` (of what is there, divided by
        its number n, not n - 1). over: `depth`, `positions`, `height`, `width`, or `time`, the first axis of three.
        `reduce(sum,slices,r)`: value by value over r equal slices of the depth; with `groups=g` the depth falls into g
        groups first, and each of them into r slices. Maxout over r is `reduce(max,slices,r)`.
    Shape
        what is reduced becomes 1: `reduce(mean,depth)` D@H×W -> 1@H×W, `reduce(mean,width)` D@H×W -> D@H×1; over slices
        D@H×W -> D/r@H×W.
    Window
        the whole extent of what is reduced, elsewhere its own position.
    Parameters
        none.
    MACs
        none. FLOPs a value that enters: mean 1, norm 2, var and std 4 (std with a root for each result); sum, max and
        min 1 less the results.
    Saved for backward
        mean, sum: nothing. var: input. max, min, norm, std: input and output.
    PyTorch
        torch.mean, torch.sum, torch.amax, torch.amin, torch.linalg.vector_norm, torch.std, torch.var; slices between
        reshapes.
    Source
        Woo et al. 2018, CBAM (mean and maximum of the depth); Hou et al. 2021, coordinate attention (means of one
        axis); Zhang et al. 2020, ResNeSt (slices); Goodfellow et al. 2013, maxout.
    """

    NAME: ClassVar[str] = "reduction"
    KIND: ClassVar[Kind] = "pool"
    VALUES: ClassVar[Values] = "any"
    EXTENTS: ClassVar[ExtentRule] = "reduced"
    STEM: ClassVar[str] = "reduce"
    SPELLING: ClassVar[str] = "reduce(how,over)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("how", "choice", choices=tuple(_CALLS)),
        ParamSpec("over", "choice", choices=("depth", "positions", *_AXES, "slices")),
        ParamSpec("r", required=False),
        ParamSpec("groups", required=False, default=1),
    )

    how: str
    over: str
    slices: int
    groups: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        how, over, slices, groups = (arguments[param.name] for param in cls.PARAMS)
        if (over == "slices") != (slices is not None) or (over != "slices" and groups != 1):
            raise GeometryError(
                "E111",
                f"`reduce({how},slices,r)` needs the number r of slices"
                if over == "slices"
                else f"`reduce({how},{over})` takes no number: only slices are counted",
                f"write `reduce({how},slices,2)`" if over == "slices" else f"write `reduce({how},{over})`",
            )
        return cls(str(how), str(over), 1 if slices is None else whole(slices), whole(groups))

    def _axes(self, source: Shape) -> tuple[int, ...]:
        """The axes of the positions that are reduced."""
        if self.over == "positions":
            return tuple(range(source.rank))
        return (_AXES[-source.rank :].index(self.over),) if self.over in _AXES else ()

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        if self.over == "depth":
            return Shape(1, source.spatial)
        if self.over == "slices":
            require_parts("E204", "groups", self.groups, source.channels)
            require_parts("E204", "slices", self.slices, source.channels // self.groups)
            return Shape(source.channels // self.slices, source.spatial)
        require_spatial("a reduction over positions", source)
        if self.over in _AXES and self.over not in _AXES[-source.rank :]:
            names = _AXES[-source.rank :]
            raise GeometryError(
                "E206",
                f"{source} has no axis `{self.over}`",
                f"write `reduce({self.how},{names[0]})`"
                if len(names) == 1
                else f"its axes are {' and '.join(f'`{name}`' for name in names)}",
            )
        axes = self._axes(source)
        return Shape(source.channels, tuple(1 if at in axes else each for at, each in enumerate(source.spatial)))

    def window(self, *inputs: Shape) -> Window:
        (source,) = inputs
        axes = self._axes(source) if source.rank else ()
        if not axes:
            return POINTWISE
        if len(axes) == source.rank:
            return EVERYTHING
        return Window("axes", tuple(AxisWindow(each if at in axes else 1) for at, each in enumerate(source.spatial)))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return 1 if self.over in ("depth", "slices") else inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def is_linear(self) -> bool:
        return self.how in ("mean", "sum")

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        return self.how in ("norm", "std", "var") or all(inputs)

    def without_effect(self, *inputs: Shape) -> str | None:
        if self.how in ("mean", "sum", "max", "min") and self.output(*inputs) == inputs[0]:
            return "it reduces a single value to itself"
        return None

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        entering, left = inputs[0].elements, output.elements
        flops = {"mean": entering, "norm": 2 * entering, "var": 4 * entering, "std": 4 * entering + left}
        return (Work("pool", flops.get(self.how, entering - left)),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0]:
            return ()
        ways = {"mean": "", "sum": "", "var": "i"}.get(self.how, "io")
        return (*((Saved("input"),) if "i" in ways else ()), *((Saved("output"),) if "o" in ways else ()))

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        if self.over != "slices":
            dims = (1,) if self.over == "depth" else tuple(2 + at for at in self._axes(source))
            return (self._call(dims[0] if len(dims) == 1 else dims, keepdim=True),)
        width = source.channels // self.groups // self.slices
        groups = () if self.groups == 1 else (self.groups,)
        parted = (-1, *groups, self.slices, width, *source.spatial)
        calls = (TorchCall("torch.reshape", (("shape", parted),)), self._call(1 + len(groups), keepdim=False))
        if not groups:
            return calls
        return (*calls, TorchCall("torch.reshape", (("shape", (-1, self.groups * width, *source.spatial)),)))

    def _call(self, dim: int | tuple[int, ...], *, keepdim: bool) -> TorchCall:
        more: tuple[tuple[str, TorchValue], ...] = (("correction", 0),) if self.how in ("std", "var") else ()
        kept: tuple[tuple[str, TorchValue], ...] = (("keepdim", True),) if keepdim else ()
        return TorchCall(_CALLS[self.how], (("dim", dim), *more, *kept))

"""Padding by zeros, by a value, by mirrored or repeated pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar, Self, get_args

from convsize.geometry import (
    AxisWindow,
    Fill,
    GeometryError,
    Shape,
    Window,
)
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
from convsize.ops.shared.arguments import (
    number,
    wholes,
)
from convsize.ops.shared.windows import (
    kept_mirrored,
    pad_call,
    require_rest,
    require_spatial,
    slide,
)
from convsize.words import plural


class Pad(Op):
    """Padding as a layer of its own; negative amounts crop.

    Spec
        `pad(n)`: n zeros on every side; `pad(before,after)`: on every axis; `pad(b1,a1,b2,a2)`: by axis.
        `pad(1,value=-1)`: a value in place of zeros. `pad(3,reflect)`: the pixels mirrored at the border, whose own is
        not repeated; `replicate`: the border's pixel; `circular`: the pixels of the far side.
    Shape
        D@L -> D@(L + before + after) per axis. A reflection takes L - 1 pixels at most, circular padding L.
    Window
        1 per axis, padded. Padding that is no zeros reads pixels once more, which are no lost pixels then. Receptive
        fields are stated as with zeros: near the border a unit sees mirrored pixels besides.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing; its input where it reflects or replicates.
    PyTorch
        F.pad.
    Source
        Yoon, part 6; F(x) padded by hand in TensorFlow's models. Reflection: Johnson et al. 2016, style transfer.
    """

    NAME: ClassVar[str] = "padding layer"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    STEM: ClassVar[str] = "pad"
    SPELLING: ClassVar[str] = "pad(n)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("amounts", variadic=True),
        ParamSpec("mode", "choice", required=False, default="zeros", choices=get_args(Fill)),
        ParamSpec("value", "number", required=False, default=Fraction(0)),
    )

    pairs: tuple[tuple[int, int], ...]
    fill: Fill
    value: Fraction

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        require_spatial("padding", source)
        amounts = wholes(arguments["amounts"])
        fill: Fill = next(each for each in get_args(Fill) if each == arguments["mode"])
        value = number(arguments["value"])
        if value and cls is Pad:
            return PadByValue.from_arguments(arguments, source)  # type: ignore[return-value]
        if fill != "zeros" and (value or min(amounts) < 0):
            what = f"a value of {float(value):g}" if value else f"a crop of {-min(amounts)}"
            written = ",".join(str(max(amount, 0)) for amount in amounts)
            raise GeometryError("E102", f"{what} means nothing in `{fill}` padding", f"write `pad({written},{fill})`")
        if len(amounts) == 1:
            return cls(((amounts[0], amounts[0]),) * source.rank, fill, value)
        if len(amounts) == 2:
            return cls(((amounts[0], amounts[1]),) * source.rank, fill, value)
        if len(amounts) == 2 * source.rank:
            return cls(tuple(zip(amounts[::2], amounts[1::2], strict=True)), fill, value)
        raise GeometryError(
            "E206",
            f"{plural(len(amounts), 'amount')} of padding fit no input of {plural(source.rank, 'axis')}",
            "write `pad(n)`, `pad(before,after)`, or a before and an after for every axis",
        )

    def _axes(self) -> tuple[AxisWindow, ...]:
        return tuple(AxisWindow(1, before=before, after=after, fill=self.fill) for before, after in self.pairs)

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        for axis, (before, after) in enumerate(self.pairs):
            require_rest(source, axis, before, after)
        return Shape(source.channels, slide(source, self._axes(), "floor"))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes())

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def without_effect(self, *inputs: Shape) -> str | None:
        return "it adds nothing" if not any(map(any, self.pairs)) else None

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_mirrored(self._axes(), mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        if self.fill != "zeros" and any(map(any, self.pairs)):
            return (pad_call(self.pairs, self.fill),)
        return (pad_call(self.pairs, value=float(self.value)) if self.value else pad_call(self.pairs),)


class PadByValue(Pad):
    """Padding by a value that is no zero: `pad(1,value=-1)`. Its page is that of `pad`."""

    VALUES: ClassVar[Values] = "any"

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        return self.value > 0 and all(inputs)

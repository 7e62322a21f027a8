"""Upsampling, and resizing to stated extents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor, gcd
from typing import ClassVar, Literal, Self, cast

from convsize.geometry import (
    AxisReads,
    AxisWindow,
    Extents,
    GeometryError,
    Shape,
    Window,
    per_axis,
)
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
from convsize.ops.shared.arguments import extents_of_tap, require_positive, wholes
from convsize.ops.shared.resample import (
    Mode,
    aligned_reads,
    linear_reads,
    nearest_reads,
    read_by,
    require_short,
    smooth_reads,
)
from convsize.ops.shared.windows import axis_name, require_spatial

_MODE = ParamSpec(
    "mode",
    "choice",
    required=False,
    default="nearest",
    choices=("nearest", "linear", "bilinear", "trilinear", "bicubic"),
)
_SAMPLING = ParamSpec(
    "sampling", "choice", required=False, default="centred", choices=("centred", "aligned", "antialias")
)
_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}

Sampling = Literal["centred", "aligned", "antialias"]


def _plain(scale: Fraction) -> float:
    """A scale as PyTorch is told it."""
    return scale.numerator if scale.denominator == 1 else float(scale)


def _sampled(arguments: Mapping[str, Argument], source: Shape) -> tuple[Mode, Sampling]:
    """How values are found between positions. Raises GeometryError (E111)."""
    mode, sampling = arguments["mode"], arguments["sampling"]
    if mode == "nearest" and sampling != "centred":
        raise GeometryError(
            "E111",
            f"the nearest value has no `{sampling}`: nothing is interpolated",
            f"write the mode before it: `{_LINEAR[source.rank]},{sampling}`",
        )
    flat = "bicubic" if mode == "bicubic" else "antialias" if sampling == "antialias" else ""
    if flat and source.rank != 2:
        raise GeometryError(
            "E111",
            f"`{flat}` interpolates planes: two axes, and the input has {source.rank}",
            f"write `{_LINEAR[source.rank]}`",
        )
    found: Mode = "nearest" if mode == "nearest" else "bicubic" if mode == "bicubic" else "linear"
    how: Sampling = "aligned" if sampling == "aligned" else "antialias" if sampling == "antialias" else "centred"
    return found, how


class Upsample(Op):
    """Upsampling: every axis becomes s times as long, or as long as a tap's, by nearest values or by interpolation.

    Spec
        `up(s)`: by s on every axis, whole or a fraction; `up(1,2)`: by axis; `up(@stem)`: to the extents of the tap,
        whatever they are. `up(2,bilinear)`: interpolated, linear, bilinear or trilinear by the number of axes, or
        bicubic; `up(2,bilinear,aligned)`: with aligned corners; `up(1/2,bilinear,antialias)`: with a filter as wide as
        what is left out.
    Shape
        D@L -> D@⌊L·S⌋ per axis, or the extents of the tap.
    Window
        nearest: 1. Linear: the two inputs around an output, bicubic: four; the one that an output lies right on alone.
        Antialias: as wide as 2/s (bicubic 4/s) inputs where s is below 1. For a whole s: transposed, nearest s wide
        with stride s, linear 2s - (s mod 2) wide, as the hat function of half-pixel centres spreads an input over that
        many outputs.
    Parameters
        none.
    MACs
        none. FLOPs: none for nearest; linear 2·2^n - 1 an output over n axes (2^n multiplications, the rest additions),
        bicubic 2·4^n - 1; antialias 2t - 1 for t inputs an output, axis after axis.
    Saved for backward
        nothing.
    PyTorch
        nn.Upsample; F.interpolate with antialias, and with `size=stem.shape[2:]` for a tap.
    Source
        Odena et al. 2016, deconvolution and checkerboard artifacts; Keys 1981, cubic convolution interpolation.
    """

    NAME: ClassVar[str] = "upsampling"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "averaged"
    EXTENTS: ClassVar[ExtentRule] = "resized"
    STEM: ClassVar[str] = "up"
    SPELLING: ClassVar[str] = "up(s)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("scale", "number", variadic=True, like=True), _MODE, _SAMPLING)

    scale_factor: tuple[Fraction, ...]
    extents: Extents
    mode: Mode
    sampling: Sampling

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        require_spatial("upsampling", source)
        mode, sampling = _sampled(arguments, source)
        scale = arguments["scale"]
        if isinstance(scale, Shape):
            return cls((), extents_of_tap(scale, source), mode, sampling)
        assert isinstance(scale, tuple)
        factors = tuple([Fraction(each) for each in scale])
        if len(factors) == 1:
            factors *= source.rank
        per_axis(tuple([1] * len(factors)), source.rank)
        for factor in factors:
            if factor <= 0:
                raise GeometryError("E111", f"the scale must be above 0, not {factor}", "write `up(2)`, or `up(1/2)`")
        return cls(factors, (), mode, sampling)

    @property
    def scale(self) -> tuple[Fraction, ...]:
        return self.scale_factor

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        if self.extents:
            for axis, extent in enumerate(self.extents):
                require_positive(f"the {axis_name(source, axis)}", extent)
            self._require_short(source, self.extents)
            return Shape(source.channels, self.extents)
        extents = tuple([floor(e * s) for e, s in zip(source.spatial, self.scale_factor, strict=True)])
        for axis, (extent, factor) in enumerate(zip(extents, self.scale_factor, strict=True)):
            if extent < 1:
                raise GeometryError(
                    "E208",
                    f"{source.spatial[axis]}·{factor} is below 1: no {axis_name(source, axis)} is left",
                    "take a larger scale, or a larger input",
                )
        self._require_short(source, extents)
        return Shape(source.channels, extents)

    def _require_short(self, source: Shape, extents: Extents) -> None:
        factors = self._factors(source)
        for axis, (extent, count) in enumerate(zip(source.spatial, extents, strict=True)):
            if self.sampling == "aligned":
                period = (count - 1) // gcd(extent - 1, count - 1) if extent > 1 and count > 1 else count
            else:
                period = count // gcd(extent, count) if factors is None else factors[axis].numerator
            require_short(extent, count, period)

    def _factors(self, source: Shape) -> tuple[Fraction, ...] | None:
        """The scale as PyTorch takes it; None where its float64 would make other extents."""
        if not self.scale_factor:
            return None
        exact = all(
            floor(extent * float(factor)) == floor(extent * factor)
            for extent, factor in zip(source.spatial, self.scale_factor, strict=True)
        )
        return self.scale_factor if exact else None

    def _reads(self, source: Shape) -> tuple[AxisReads, ...]:
        factors = self._factors(source)
        found = []
        for axis, (extent, count) in enumerate(zip(source.spatial, self.output(source).spatial, strict=True)):
            factor = None if factors is None else factors[axis]
            if self.mode == "nearest":
                found.append(nearest_reads(extent, count, factor))
            elif self.sampling == "aligned":
                found.append(aligned_reads(extent, count, self.mode))
            elif self.sampling == "antialias":
                found.append(smooth_reads(extent, count, factor, self.mode))
            else:
                found.append(linear_reads(extent, count, factor, self.mode))
        return tuple(found)

    def window(self, *inputs: Shape) -> Window:
        reads = self._reads(inputs[0])
        scale = self.scale_factor
        even = self.sampling == "centred" and self.mode != "bicubic" and all(s.denominator == 1 for s in scale)
        if not scale or not even:
            return Window("reads", reads=reads)
        if self.mode == "nearest":
            if any(each.period != factor for each, factor in zip(reads, scale, strict=True)):
                return Window("reads", reads=reads)  # float32 rounds a pixel away
            return Window("axes", tuple(AxisWindow(int(s), int(s), transposed=True) for s in scale))
        # Output o has its centre at (o + 1/2)/s - 1/2 and weighs the inputs less than one pixel away from it: input i
        # reaches the outputs o with |o + 1/2 - s(i + 1/2)| < s: 2s of them for an even s, 2s - 1 for an odd one.
        axes = []
        for s in map(int, scale):
            before = s // 2
            kernel = 2 * s - s % 2
            axes.append(AxisWindow(kernel, s, before=before, after=kernel - s - before, transposed=True))
        return Window("axes", tuple(axes))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        return self.mode != "bicubic" and super().is_non_negative(inputs)

    def without_effect(self, *inputs: Shape) -> str | None:
        return "every extent stays as it is" if set(self.scale_factor) == {1} else None

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        (source,) = inputs
        if self.mode == "nearest" or source.spatial == output.spatial:
            return ()
        if self.sampling == "antialias":
            # The width first, over the rows that there are, then the height.
            flops = 0
            rows, (height, width) = self._reads(source), source.spatial
            if width != output.spatial[1]:
                taps = [read_by(rows[1], width, o) for o in range(output.spatial[1])]
                flops += height * (2 * sum(taps) - len(taps))
            if height != output.spatial[0]:
                taps = [read_by(rows[0], height, o) for o in range(output.spatial[0])]
                flops += output.spatial[1] * (2 * sum(taps) - len(taps))
            return (Work("resample", source.channels * flops),)
        moved = sum(before != after for before, after in zip(source.spatial, output.spatial, strict=True))
        each = 2 * (4 if self.mode == "bicubic" else 2) ** moved - 1
        return (Work("resample", each * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        factors = self._factors(source)
        mode = _LINEAR[source.rank] if self.mode == "linear" else self.mode
        kwargs: list[tuple[str, TorchValue]] = (
            [("size", self.output(source).spatial)]
            if factors is None
            else [("scale_factor", cast("tuple[int, ...]", tuple([_plain(s) for s in factors])))]
        )
        kwargs.append(("mode", mode))
        if self.sampling == "antialias":
            return (TorchCall("F.interpolate", (*kwargs, ("antialias", True)), like="nn.Upsample"),)
        if self.sampling == "aligned":
            kwargs.append(("align_corners", True))
        return (TorchCall("nn.Upsample", tuple(kwargs)),)


class Resize(Upsample):
    """Resizing to stated extents, by nearest values or by interpolation.

    Spec
        `resize(28,28)`; one number for every axis. `resize(28,bilinear)`, `resize(28,bilinear,aligned)`,
        `resize(28,bicubic,antialias)`: as `up`.
    Shape
        D@L -> D@l per axis.
    Window
        nearest: 1. Linear: the two inputs around an output, bicubic: four; the one that an output lies right on alone.
        Antialias: as wide as 2L/l (bicubic 4L/l) inputs where l is below L.
    Parameters
        none.
    MACs
        none. FLOPs: as of `up`.
    Saved for backward
        nothing.
    PyTorch
        nn.Upsample with `size`; F.interpolate with antialias.
    Source
        Long et al. 2015, fully convolutional networks; Keys 1981, cubic convolution interpolation.
    """

    NAME: ClassVar[str] = "resizing"
    STEM: ClassVar[str] = "resize"
    SPELLING: ClassVar[str] = "resize(h,w)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("extents", variadic=True), _MODE, _SAMPLING)

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        require_spatial("resizing", source)
        mode, sampling = _sampled(arguments, source)
        return cls((), per_axis(wholes(arguments["extents"]), source.rank), mode, sampling)

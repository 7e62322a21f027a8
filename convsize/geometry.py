"""Shapes, windows, paddings and the only convolution arithmetic in the project.

Everything is per axis and in exact integers. The formulas are those of the lecture notes: an axis of L pixels under a
filter of F with P zeros on each side and stride S gives (L - F + 2P)/S + 1 (Varma & Das, ch. 12; Aggarwal, ch. 8).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from convsize.errors import ConvsizeError
from convsize.record import Record
from convsize.words import plural

Extents = tuple[int, ...]
Rounding = Literal["floor", "ceil", "exact"]
PaddingMode = Literal["explicit", "valid", "half", "full", "same"]
Fill = Literal["zeros", "reflect", "replicate", "circular"]
"""What padding is made of: a constant, pixels mirrored at the border, the border's own, or those of the far side."""

AXIS_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("time", "height", "width")}


class GeometryError(ConvsizeError):
    """A volume that cannot be: `code` from the catalogue, one sentence with the numbers, and a concrete fix."""

    def __init__(self, code: str, message: str, help: str | None = None) -> None:  # noqa: A002 (the catalogue's word)
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


class Shape(Record):
    """A volume: depth (channels) and its spatial extents; no extents means a flat vector of `channels` values."""

    channels: int
    spatial: Extents = ()

    @property
    def rank(self) -> int:
        """The number of spatial axes: 0 for a flat vector."""
        return len(self.spatial)

    @property
    def area(self) -> int:
        """The number of positions: H·W, or 1 for a flat vector."""
        product = 1
        for extent in self.spatial:
            product *= extent
        return product

    @property
    def elements(self) -> int:
        """The number of values: C·H·W."""
        return self.channels * self.area

    @property
    def dims(self) -> Extents:
        """(C, H, W), without the batch."""
        return (self.channels, *self.spatial)

    def __str__(self) -> str:
        if not self.spatial:
            return str(self.channels)
        return f"{self.channels}@{'x'.join(map(str, self.spatial))}"


class Padding(Record):
    """Padding as written: a mode, or explicit (before, after) pairs, one for every axis or one per axis."""

    mode: PaddingMode
    pairs: tuple[tuple[int, int], ...] = ()
    fill: Fill = "zeros"

    def resolve(self, kernel: int, stride: int, dilation: int, extent: int, axis: int) -> tuple[int, int]:
        """The zeros before and after the axis `axis` of `extent` pixels.

        half: d(k-1)/2 on each side (odd kernels; the caller rules out even ones); full: d(k-1); same: as TensorFlow,
        so that the output is ⌈L/S⌉, the odd zero after.
        """
        reach = dilation * (kernel - 1)
        if self.mode == "explicit":
            return self.pairs[axis] if len(self.pairs) > 1 else self.pairs[0]
        if self.mode == "valid":
            return (0, 0)
        if self.mode == "half":
            return (reach // 2, reach - reach // 2)
        if self.mode == "full":
            return (reach, reach)
        total = max((-(-extent // stride) - 1) * stride + reach + 1 - extent, 0)
        return (total // 2, total - total // 2)


NO_PADDING = Padding("valid")
HALF_PADDING = Padding("half")


class AxisWindow(Record):
    """How the outputs along one axis read the inputs along it.

    fill: what the padding is made of; but for zeros it reads pixels of the axis once more.

    Output o reads the inputs o·stride - before + dilation·t for t in 0 … kernel-1. Transposed, input i is read by the
    outputs i·stride - before + dilation·t. Negative padding crops.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    transposed: bool = False
    fill: Fill = "zeros"

    @property
    def reach(self) -> int:
        """The effective kernel d(k-1) + 1."""
        return self.dilation * (self.kernel - 1) + 1


class AxisReads(Record):
    """How the outputs along one axis read the inputs along it where no two neighbours need read alike many.

    Output o reads the inputs first[o] … last[o], as far as there are such, for o in 0 … P-1; output o + P reads what
    output o reads, `shift` further on. Neighbours touch, overlap or leave gaps, as interpolation at any ratio and pools
    that do not divide have it.
    """

    first: tuple[int, ...]
    last: tuple[int, ...]
    shift: int

    @property
    def period(self) -> int:
        """P, after which the pattern repeats."""
        return len(self.first)

    @property
    def widths(self) -> tuple[int, int]:
        """How many inputs an output reads, at least and at most, borders left aside."""
        found = [last - first + 1 for first, last in zip(self.first, self.last, strict=True)]
        return min(found), max(found)

    def of(self, output: int) -> tuple[int, int]:
        """The first and the last input that an output reads; they may lie outside of the axis."""
        turns, phase = divmod(output, len(self.first))
        return self.first[phase] + turns * self.shift, self.last[phase] + turns * self.shift


class Window(Record):
    """What one output of an op sees of its inputs' positions.

    `axes` holds one window per spatial axis, `reads` of uneven windows what every output reads. Of "blocks" the windows
    lie side by side, and an output sees the one that it is in. POINTWISE sees its own position, EVERYTHING the
    whole extent of its input (global pooling, fully connected layers).
    """

    kind: Literal["axes", "reads", "blocks", "pointwise", "everything"]
    axes: tuple[AxisWindow, ...] = ()
    reads: tuple[AxisReads, ...] = ()

    @property
    def by_axis(self) -> tuple[AxisWindow | AxisReads, ...]:
        """What there is for every axis, even or uneven; nothing where no window slides."""
        return self.reads or (self.axes if self.kind == "axes" else ())


POINTWISE = Window("pointwise")
EVERYTHING = Window("everything")


def output_extent(extent: int, window: AxisWindow, rounding: Rounding = "floor") -> int:
    """The output extent of an axis: ⌊(L + before + after - reach)/S⌋ + 1, or with ⌈ ⌉ under ceil.

    Under ceil a last window that would start in the padding after the input is left out, as PyTorch and Caffe do.
    The result may be below 1, which means that the window does not fit. For a transposed window:
    (L-1)·S - before - after + reach, where an output padding is a smaller `after`.
    """
    if window.transposed:
        return (extent - 1) * window.stride - window.before - window.after + window.reach
    free = extent + window.before + window.after - window.reach
    if rounding == "ceil":
        count = -(-free // window.stride) + 1
        # Only the window that rounding up adds may be left out: those that fit the padding as written stay.
        if free % window.stride and (count - 1) * window.stride >= extent + window.before:
            count -= 1
        return count
    return free // window.stride + 1


def remainder(extent: int, window: AxisWindow) -> int:
    """The pixels of the padded axis left behind the last window under floor: (L + before + after - reach) mod S."""
    return (extent + window.before + window.after - window.reach) % window.stride


def overhang(extent: int, window: AxisWindow, count: int) -> int:
    """The pixels by which the last of `count` windows reaches beyond the padded axis: (n-1)S + reach - L - P, or 0."""
    return max((count - 1) * window.stride + window.reach - (extent + window.before + window.after), 0)


def same_transposed(window: AxisWindow) -> tuple[int, int]:
    """The padding of a transposed axis under which its output is L·S, as in TensorFlow: reach - S, the odd one after.

    Where the stride is above the reach the second number is negative: the output is longer than the windows reach.
    """
    total = window.reach - window.stride
    before = max(total, 0) // 2
    return (before, total - before)


class Dividing(Record):
    """What would make an axis divide without a remainder, each alone and nearest to what it is; None: none near."""

    padding: int | None
    kernel: int | None
    stride: int
    extents: tuple[int, ...]


def dividing(extent: int, window: AxisWindow) -> Dividing:
    """The nearest padding (equal on both sides), kernel, stride and input extents that leave no remainder.

    (L + 2P - d(k-1) - 1) mod S = 0, solved for one of them with the others as they are.
    """
    free = extent + window.before + window.after - window.reach
    rest = free % window.stride

    def nearest(value: int, lowest: int, divides: Callable[[int], bool]) -> int | None:
        # Residues repeat after S steps; far beyond a filter's usual size no suggestion is of use to anyone.
        for step in range(min(window.stride, 64) + 1):
            for candidate in (value - step, value + step):
                if candidate >= lowest and divides(candidate):
                    return candidate
        return None

    bare = extent - window.reach
    room = extent + window.before + window.after - 1
    stride = nearest(window.stride, 1, lambda s: free % s == 0)
    return Dividing(
        nearest(window.before, 0, lambda p: bare + 2 * p >= 0 and (bare + 2 * p) % window.stride == 0),
        nearest(
            window.kernel,
            1,
            lambda k: room >= window.dilation * (k - 1) and (room - window.dilation * (k - 1)) % window.stride == 0,
        ),
        1 if stride is None else stride,
        tuple(size for size in (extent - rest, extent - rest + window.stride) if size >= 1),
    )


def per_axis(values: Extents, rank: int) -> Extents:
    """One value for every axis where a single one is given.

    Raises GeometryError (E206) where the number of values is not the number of axes.
    """
    if len(values) == rank:
        return values
    if len(values) == 1:
        return values * rank
    written = "x".join(map(str, values))
    raise GeometryError(
        "E206",
        f"`{written}` names {plural(len(values), 'axis')}, the input has {rank}",
        f"write one number for every axis, or {rank} joined by `x`" if rank else "the input is flat: no window fits it",
    )

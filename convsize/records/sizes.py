"""Which input sizes a network takes."""

from __future__ import annotations

from convsize.errors import Diagnostic, Source
from convsize.record import Record


class Progression(Record):
    """The extents start … start + width - 1, and all of them again after every `modulus` pixels, without end."""

    modulus: int
    start: int
    width: int = 1

    def has(self, extent: int) -> bool:
        """Whether an extent is one of them."""
        return extent >= self.start and (extent - self.start) % self.modulus < self.width


class SizeRange(Record):
    """The extents first, first + step … last."""

    first: int
    last: int
    step: int

    def has(self, extent: int) -> bool:
        """Whether an extent is one of them."""
        return self.first <= extent <= self.last and (extent - self.first) % self.step == 0


class SizeSet(Record):
    """A set of extents: progressions without end, and what lies outside them."""

    progressions: tuple[Progression, ...]
    ranges: tuple[SizeRange, ...]

    def has(self, extent: int) -> bool:
        """Whether an extent is in the set."""
        return any(one.has(extent) for one in self.progressions) or any(one.has(extent) for one in self.ranges)

    @property
    def smallest(self) -> int | None:
        """The smallest extent, or None of an empty set."""
        firsts = [one.start for one in self.progressions] + [one.first for one in self.ranges]
        return min(firsts, default=None)

    def below(self, extent: int) -> int | None:
        """The largest extent of the set that is at most `extent`."""
        found = []
        for one in self.progressions:
            if one.start <= extent:
                turn, rest = divmod(extent - one.start, one.modulus)
                found.append(one.start + turn * one.modulus + min(rest, one.width - 1))
        for span in self.ranges:
            if span.first <= extent:
                last = min(span.last, extent)
                found.append(last - (last - span.first) % span.step)
        return max(found, default=None)

    def above(self, extent: int) -> int | None:
        """The smallest extent of the set that is at least `extent`."""
        found = []
        for one in self.progressions:
            turn, rest = divmod(max(extent - one.start, 0), one.modulus)
            found.append(one.start + (turn * one.modulus + rest if rest < one.width else (turn + 1) * one.modulus))
        for span in self.ranges:
            if extent <= span.last:
                first = max(extent, span.first)
                found.append(first + (span.first - first) % span.step)
        return min(found, default=None)


class AxisSizes(Record):
    """Which extents one axis of one or several inputs may have, the other axes as `others` says.

    inputs: the names of the inputs that share it; axis: its place among their axes, from 0; name: "height" and so on;
    declared: its extent in the spec, in pixels. valid: the network can be built; exact: besides, no window leaves real
    pixels after the last one it reads; checkpoint: valid, and every parameter keeps the shape it has at the declared
    size.
    """

    inputs: tuple[str, ...]
    axis: int
    name: str
    declared: int
    valid: SizeSet
    exact: SizeSet
    checkpoint: SizeSet


class Bound(Record):
    """A layer that ties sizes down: its name, its shorthand, its place, and in a sentence how."""

    layer: str
    spec: str
    line: int
    text: str


class NearSize(Record):
    """A wished extent of an axis, in pixels, with the nearest valid and exact ones at or below it and at or above it.

    They are None where there are none.
    """

    axis: AxisSizes
    wished: int
    below: int | None
    above: int | None
    exact_below: int | None
    exact_above: int | None


class SizeAnswer(Record):
    """What becomes of a network at some input volumes: `diagnostics` say why it cannot be built, else `dropping` which
    layers leave real pixels behind.
    """

    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    diagnostics: tuple[Diagnostic, ...]
    dropping: tuple[Bound, ...]


class InputSizes(Record):
    """Which input sizes a network takes.

    inputs: the volumes as declared; base: those at which the other axes are held while one varies, which are the
    declared ones if the network can be built at them. checkpoint: layers whose parameters follow the input size.
    coupled: layers that tie axes together, so that an axis' extents hold for the others at `base` only; without them
    every combination of the axes' extents will do. left_out: the lines of inline volumes, which hold at the declared
    size alone and bind no other. Where the network cannot be built at its declared size and parameters follow the input
    size, `checkpoint` is empty, and so are the axes' sets of that name.
    """

    name: str
    source: Source
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    base: tuple[tuple[str, tuple[int, ...]], ...]
    axes: tuple[AxisSizes, ...]
    checkpoint: tuple[Bound, ...]
    coupled: tuple[Bound, ...]
    left_out: tuple[int, ...] = ()

    def least(self, *, exact: bool) -> tuple[tuple[str, tuple[int, ...]], ...] | None:
        """The smallest valid (or exact) volume of every input; None where there is none or axes are tied together."""
        if self.coupled:
            return None
        found = []
        for name, (depth, *_) in self.inputs:
            own = [(one.exact if exact else one.valid).smallest for one in self.axes if name in one.inputs]
            extents = tuple(extent for extent in own if extent is not None)
            if len(extents) != len(own):
                return None
            found.append((name, (depth, *extents)))
        return tuple(found)


class SizesReport(Record):
    """The answer to `sizes`: the sets, what is wrong at the declared size, and what was asked besides."""

    sizes: InputSizes
    declared: tuple[Diagnostic, ...]
    near: tuple[NearSize, ...]
    why: tuple[SizeAnswer, ...]

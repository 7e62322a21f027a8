"""Extents as functions of an input's extent, and the sets of extents that conditions on them leave.

Everything a window does to an axis is quasi-affine: with n = m·k + r the extent is p·k + t_r, for a period m, a slope p
and one offset for every residue r. A stride of s refines the period by s/gcd(p, s) and divides the slope; a transposed
stride multiplies it. Rounding up and TensorFlow's padding depend on the residue alone, so they are exact here, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

from convsize.errors import UsageError
from convsize.record import Record
from convsize.records import Progression, SizeRange, SizeSet
from convsize.words import plural

LARGEST_PERIOD = 65_536
"""Residues; sixteen halvings. No network that is trained comes near, and a spec may not eat the memory."""


class Line:
    """An extent as a function of the input's extent n = period·k + r: slope·k + offsets[r].

    Compared by identity: lines are shared, and comparing offsets would cost more than what sharing saves.
    """

    __slots__ = ("_refined", "offsets", "period", "slope")

    def __init__(self, period: int, slope: int, offsets: Sequence[int]) -> None:
        self.period = period
        self.slope = slope
        self.offsets = tuple(offsets)
        self._refined: dict[int, Line] = {}

    def __call__(self, extent: int) -> int:
        """The value at an extent of the input."""
        return self.slope * (extent // self.period) + self.offsets[extent % self.period]

    @property
    def varies(self) -> bool:
        """Whether it depends on the input at all."""
        return self.slope != 0

    def refined(self, period: int) -> Line:
        """The same function over a multiple of its period. Raises UsageError beyond the largest period."""
        if period == self.period:
            return self
        check_period(period)
        found = self._refined.get(period)
        if found is None:
            factor = period // self.period
            offsets = [t + self.slope * turn for turn in range(factor) for t in self.offsets]
            found = self._refined[period] = Line(period, self.slope * factor, offsets)
        return found

    def times(self, factor: int) -> Line:
        """The function times a constant."""
        return self if factor == 1 else Line(self.period, self.slope * factor, [t * factor for t in self.offsets])

    def plus(self, other: Line) -> Line:
        """The sum of two functions."""
        one, two = common(self, other)
        return Line(one.period, one.slope + two.slope, [a + b for a, b in zip(one.offsets, two.offsets, strict=True)])

    def scaled(self, factor: Fraction) -> tuple[Line, Line]:
        """The line refined so that its residues fix the extent mod the factor's denominator, and ⌊factor·extent⌋."""
        whole = factor.denominator
        fine = self.refined(self.period * (whole // gcd(self.slope, whole)))
        offsets = [extent * factor.numerator // whole for extent in fine.offsets]
        return fine, Line(fine.period, fine.slope // whole * factor.numerator, offsets)

    def strided(self, stride: int, count: Callable[[int], int]) -> tuple[Line, Line]:
        """The line refined so that its residues fix the extent mod `stride`, and what `count` makes of it.

        count must give one more for every `stride` pixels more.
        """
        fine = self.refined(self.period * (stride // gcd(self.slope, stride)))
        return fine, Line(fine.period, fine.slope // stride, [count(extent) for extent in fine.offsets])

    def spread(self, stride: int, count: Callable[[int], int]) -> Line:
        """What `count` makes of it; it must give `stride` more for every pixel more."""
        return Line(self.period, self.slope * stride, [count(extent) for extent in self.offsets])


def check_period(period: int) -> None:
    """Raises UsageError where the sizes repeat too late to be listed."""
    if period > LARGEST_PERIOD:
        raise UsageError(
            f"the sizes of this network repeat only every {plural(period, 'position')}: the product of its strides "
            f"exceeds the limit of {LARGEST_PERIOD:,}"
        )


def common(one: Line, two: Line) -> tuple[Line, Line]:
    """Two lines over one period."""
    period = lcm(one.period, two.period)
    return one.refined(period), two.refined(period)


Bounds = tuple[int, int | None] | None
"""The first and the last k (None: without end), or None of the whole where there is no such k."""


class Condition(Record):
    """The extents n = period·k + r that fulfil something: for every r the k from … to …, or none."""

    period: int
    bounds: tuple[Bounds, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing fulfils it."""
        return not any(self.bounds)


def at_least(line: Line, least: int) -> Condition:
    """Where line(n) ≥ least."""
    if not line.slope:
        return Condition(line.period, tuple((0, None) if t >= least else None for t in line.offsets))
    return Condition(line.period, tuple((max(-((t - least) // line.slope), 0), None) for t in line.offsets))


def no_less(one: Line, two: Line) -> Condition:
    """Where one(n) ≥ two(n)."""
    one, two = common(one, two)
    rise = one.slope - two.slope
    bounds: list[Bounds] = []
    for a, b in zip(one.offsets, two.offsets, strict=True):
        if rise > 0:
            bounds.append((max(-((a - b) // rise), 0), None))
        elif a < b:
            bounds.append(None)
        else:
            bounds.append((0, (a - b) // -rise if rise else None))
    return Condition(one.period, tuple(bounds))


def residues(allowed: Sequence[bool]) -> Condition:
    """Where n mod the number of flags has its flag set."""
    return Condition(len(allowed), tuple((0, None) if flag else None for flag in allowed))


def equal(one: Line, two: Line) -> Condition:
    """Where the two are equal: whole residues where their slopes agree, else one k at most for each."""
    one, two = common(one, two)
    rise = one.slope - two.slope
    bounds: list[Bounds] = []
    for a, b in zip(one.offsets, two.offsets, strict=True):
        if not rise:
            bounds.append((0, None) if a == b else None)
        else:
            k, rest = divmod(b - a, rise)
            bounds.append((k, k) if not rest and k >= 0 else None)
    return Condition(one.period, tuple(bounds))


def points(condition: Condition) -> list[int]:
    """The single extents of a condition's residues that hold one only."""
    return [
        condition.period * one[0] + residue
        for residue, one in enumerate(condition.bounds)
        if one is not None and one[0] == one[1]
    ]


def every(conditions: Iterable[Condition]) -> Condition:
    """Where all conditions hold, among the extents from 1."""
    # Those of one period are met first: thousands of layers share a few periods, and the common one may be long.
    found: dict[int, list[Bounds]] = {1: [(0, None)]}
    for condition in conditions:
        known = found.get(condition.period)
        if known is None:
            found[condition.period] = list(condition.bounds)
        else:
            found[condition.period] = [_both(one, two) for one, two in zip(known, condition.bounds, strict=True)]
    period = lcm(*found)
    check_period(period)
    whole: list[Bounds] = [(1, None), *[(0, None)] * (period - 1)]
    for own, bounds in found.items():
        factor = period // own
        for residue in range(period):
            turn, part = divmod(residue, own)
            bound = bounds[part]
            if bound is not None:
                # n = period·k' + residue = own·(factor·k' + turn) + part
                low, high = bound
                bound = (-((turn - low) // factor), None if high is None else (high - turn) // factor)
            whole[residue] = _both(whole[residue], bound)
    return Condition(period, tuple(whole))


def _both(one: Bounds, two: Bounds) -> Bounds:
    if one is None or two is None:
        return None
    low = max(one[0], two[0])
    high = two[1] if one[1] is None else one[1] if two[1] is None else min(one[1], two[1])
    return (low, high) if high is None or high >= low else None


# ---- sets for people -------------------------------------------------------------------------------------------------


def size_set(condition: Condition, single: Iterable[int] = ()) -> SizeSet:
    """The extents of a condition, and some single ones, as few progressions and ranges."""
    starts: dict[int, int] = {}
    extras = set(single)
    for residue, bound in enumerate(condition.bounds):
        if bound is None:
            continue
        low, high = bound
        if high is None:
            starts[residue] = condition.period * low + residue
        else:
            extras.update(condition.period * k + residue for k in range(low, high + 1))
    period = _shortest_period(starts.keys(), condition.period)
    # Three residues of four are one run of three, the odd ones of eight one class of two: whichever is shorter to say.
    found = [
        _covered(starts, extras, condition.period, moduli)
        for moduli in ([d for d in range(1, period + 1) if period % d == 0], [period])
    ]
    return min(found, key=lambda one: len(one.progressions) + len(one.ranges))


def _covered(starts: Mapping[int, int], extras: set[int], period: int, moduli: Iterable[int]) -> SizeSet:
    """Residues with their first extents as progressions of the moduli, coarse ones first; neighbours are merged."""
    single = set(extras)
    found: list[tuple[int, int]] = []
    covered: set[int] = set()
    for modulus in moduli:
        if len(covered) == len(starts):
            break
        for first in range(modulus):
            members = range(first, period, modulus)
            if not all(r in starts for r in members) or all(r in covered for r in members):
                continue
            last_missing = max(starts[r] - period for r in members)
            start = max(last_missing + modulus, first or modulus)
            found.append((modulus, start))
            for residue in members:
                single.update(range(starts[residue], start, period))
            covered.update(members)
    progressions: list[Progression] = []
    for modulus, start in sorted(found):
        before = progressions[-1] if progressions else None
        if before is not None and (before.modulus, before.start + before.width) == (modulus, start):
            progressions[-1] = before.replace(width=before.width + 1)
        else:
            progressions.append(Progression(modulus, start))
    loose = sorted(n for n in single if not any(one.has(n) for one in progressions))
    return SizeSet(tuple(sorted(progressions, key=lambda one: one.start)), _ranges(loose))


def _shortest_period(kept: Iterable[int], period: int) -> int:
    residues_kept = set(kept)
    return next(
        d
        for d in range(1, period + 1)
        if period % d == 0 and all((r + d) % period in residues_kept for r in residues_kept)
    )


def _ranges(extents: Sequence[int]) -> tuple[SizeRange, ...]:
    """Sorted extents as arithmetic ranges, the longest that fit from the left; two alone make no range."""
    found: list[SizeRange] = []
    at = 0
    while at < len(extents):
        end = at
        if at + 1 < len(extents):
            step = extents[at + 1] - extents[at]
            while end + 1 < len(extents) and extents[end + 1] - extents[end] == step:
                end += 1
            if end - at == 1 and step > 1:
                end = at
        step = extents[at + 1] - extents[at] if end > at else 1
        found.append(SizeRange(extents[at], extents[end], step))
        at = end + 1
    return tuple(found)

"""The part of an axis that a unit sees, as a function of the unit's place: exact, also where it varies with the phase.

A convolution moves the field of every unit by the same jump. After a transposed convolution or an upsampling,
neighbouring units see fields of different sizes, and the pattern repeats after some number of units. So a field is a
table over one period; ordinary networks have a period of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor, gcd, lcm

from convsize.geometry import AxisReads, AxisWindow
from convsize.record import Record

Number = int | Fraction
Edge = int | Fraction | None

LARGEST_JUMP = 2**62
"""Jumps beyond this are not followed: one that doubles 20,000 times has 6,000 digits and no meaning."""


class Field(Record):
    """The pixels lo(i) … hi(i) that unit i of a layer sees along an axis.

    The tables hold units 0 … P-1; lo(i + P) = lo(i) + shift, likewise hi. Both are None for a unit that sees nothing
    (a transposed convolution whose stride is above its kernel makes such). `ordered`: no unit sees nothing, and
    neither lo nor hi ever falls. Fractions stand in bounds only, see `bounded`.
    """

    lo: tuple[Edge, ...]
    hi: tuple[Edge, ...]
    shift: Number
    ordered: bool

    @property
    def period(self) -> int:
        """P, after which the pattern repeats."""
        return len(self.lo)


IDENTITY = Field((0,), (0,), 1, True)


def spans(field: Field) -> list[tuple[int, Number, Number]]:
    """(phase, lo, hi) of the units of one period that see something."""
    found = []
    for phase, (low, high) in enumerate(zip(field.lo, field.hi, strict=True)):
        if low is not None and high is not None:
            found.append((phase, low, high))
    return found


def extent(field: Field, units: int) -> int:
    """The extent of the largest field of the units 0 … `units`-1, in pixels."""
    return max((floor(high - low) + 1 for phase, low, high in spans(field) if phase < units), default=0)


def bounded(field: Field) -> Field:
    """A field of period one that holds every unit's own: the tightest linear bounds, in fractions."""
    if field.period == 1:
        return field
    jump = Fraction(field.shift, 1) / field.period
    edges = spans(field)
    if not edges:
        return Field((None,), (None,), jump, False)
    low = min(low - jump * phase for phase, low, _ in edges)
    high = max(high - jump * phase for phase, _, high in edges)
    return Field((low,), (high,), jump, True)


def through(field: Field, window: AxisWindow | AxisReads, longest: int) -> Field | None:
    """The field after a window; None where its jump is beyond LARGEST_JUMP.

    A convolution's output o sees what the inputs o·s - before + d·t see together. Tables grow to at most `longest`
    entries; where an exact one would be longer the field is the linear bound of its units' own.
    """
    if isinstance(window, AxisReads):
        found = _read(field, window, longest)
    elif window.transposed:
        found = _transposed(field, window, longest)
    elif field.period == 1 and field.ordered:
        found = _slid_line(field, window)
    else:
        found = _slid(field, window, longest)
    return None if found.shift > LARGEST_JUMP * found.period else found


def _slid_line(field: Field, window: AxisWindow) -> Field:
    low, high, shift = field.lo[0], field.hi[0], field.shift
    assert low is not None
    assert high is not None
    first = low - shift * window.before
    return Field((first,), (high + shift * (window.reach - 1 - window.before),), shift * window.stride, True)


def _at(edges: Sequence[Edge], index: int, shift: Number) -> Edge:
    turns, phase = divmod(index, len(edges))
    edge = edges[phase]
    return None if edge is None else edge + shift * turns


def _hull(field: Field, first: int, step: int, count: int) -> tuple[Edge, Edge]:
    """What the units first, first + step, … (`count` of them) see together; the step is not negative."""
    last = first + step * (count - 1)
    if field.ordered:
        return _at(field.lo, first, field.shift), _at(field.hi, last, field.shift)
    # The pattern moves forward from turn to turn, so one turn from each end holds the extremes.
    turn = min(count, field.period // gcd(field.period, step))
    lows = [_at(field.lo, first + step * tap, field.shift) for tap in range(turn)]
    highs = [_at(field.hi, last - step * tap, field.shift) for tap in range(turn)]
    return (
        min((low for low in lows if low is not None), default=None),
        max((high for high in highs if high is not None), default=None),
    )


def _slid(field: Field, window: AxisWindow, longest: int) -> Field:
    common = gcd(field.period, window.stride)
    period = field.period // common
    taps = min(window.kernel, field.period)
    if not field.ordered and period * taps > 8 * longest:
        return _slid_line(bounded(field), window)
    edges = [
        _hull(field, unit * window.stride - window.before, window.dilation, window.kernel) for unit in range(period)
    ]
    return _from_edges(edges, field.shift * (window.stride // common), field.ordered)


def _read(field: Field, reads: AxisReads, longest: int) -> Field:
    """Behind uneven windows: output o sees what the inputs first(o) … last(o) see together."""
    common = gcd(field.period, reads.shift)
    turns = field.period // common
    if reads.period * turns > longest and (field.period > 1 or turns > 1):
        return _read(bounded(field), reads, longest)
    if reads.period > longest:
        field = bounded(field)
        low, high, jump = field.lo[0], field.hi[0], Fraction(field.shift * reads.shift, 1) / reads.period
        if low is None or high is None:
            return Field((None,), (None,), jump, False)
        down = min(field.shift * first - jump * o for o, first in enumerate(reads.first))
        up = max(field.shift * last - jump * o for o, last in enumerate(reads.last))
        return Field((low + down,), (high + up,), jump, True)
    edges = []
    for unit in range(reads.period * turns):
        first, last = reads.of(unit)
        edges.append(_hull(field, first, 1, last - first + 1))
    return _from_edges(edges, field.shift * (reads.shift // common), False)


def _from_edges(edges: list[tuple[Edge, Edge]], shift: Number, ordered: bool) -> Field:
    lows, highs = tuple([low for low, _ in edges]), tuple([high for _, high in edges])
    return Field(lows, highs, shift, ordered or (_never_falls(lows, shift) and _never_falls(highs, shift)))


def _never_falls(edges: tuple[Edge, ...], shift: Number) -> bool:
    before = edges[-1]
    if before is None:
        return False
    before -= shift
    for edge in edges:
        if edge is None or edge < before:
            return False
        before = edge
    return True


def _transposed(field: Field, window: AxisWindow, longest: int) -> Field:
    """Output o is fed by the inputs i with i·s - before + d·t = o for a tap t in 0 … k-1.

    With g = gcd(s, d) there are such i only where g divides o + before; then every (s/g)-th tap meets one, and the
    inputs it meets lie d/g apart.
    """
    stride, dilation = window.stride, window.dilation
    common = gcd(stride, dilation)
    tap_step, unit_step = stride // common, dilation // common
    inverse = pow(unit_step, -1, tap_step)
    taps = 1 if field.ordered else min(-(-window.kernel // tap_step), field.period)
    long = field.period * stride > longest or field.period * stride * taps > 8 * longest
    if long or isinstance(field.shift, Fraction):  # a table of bounds is no better than a bound
        return _transposed_bound(bounded(field), window)
    edges: list[tuple[Edge, Edge]] = []
    for unit in range(field.period * stride):
        position = unit + window.before
        first_tap = position // common * inverse % tap_step
        if position % common or first_tap >= window.kernel:
            edges.append((None, None))
            continue
        count = (window.kernel - 1 - first_tap) // tap_step + 1
        highest = (position - dilation * first_tap) // stride
        edges.append(_hull(field, highest - unit_step * (count - 1), unit_step, count))
    return _from_edges(edges, field.shift, False)


def _transposed_bound(field: Field, window: AxisWindow) -> Field:
    """The linear bound after a transposed window: (o + before - (reach-1))/s <= i <= (o + before)/s."""
    jump = Fraction(field.shift, 1) / window.stride
    low, high = field.lo[0], field.hi[0]
    if low is None or high is None:
        return Field((None,), (None,), jump, False)
    return Field((low + jump * (window.before - window.reach + 1),), (high + jump * window.before,), jump, True)


def same_jump(first: Field, second: Field) -> bool:
    """Whether the fields of neighbouring units lie equally far apart."""
    return first.shift * second.period == second.shift * first.period


def _mean_centre(field: Field) -> Number:
    """Twice the centre of unit 0 on the line through all units' centres."""
    if field.period == 1 and field.lo[0] is not None and field.hi[0] is not None:
        return field.lo[0] + field.hi[0]
    edges = spans(field)
    if not edges:
        return 0
    jump = Fraction(field.shift, 1) / field.period
    return Fraction(sum(low + high - 2 * jump * phase for phase, low, high in edges)) / len(edges)


def joined(first: Field, second: Field, units: int, longest: int) -> tuple[Field, bool]:
    """What the same unit of two branches sees together, and whether the branches' centres meet.

    Centres are compared on average over a period: nearest upsampling moves single units off their centre, never all.
    Where the branches' jumps differ the field varies from unit to unit without a pattern: the result then has the
    first one's jump and holds the fields of all `units` units. A single unit has no jump to differ in. A branch of
    which a unit sees nothing adds nothing there, and where it sees nothing at all it decides nothing.
    """
    if first == second:
        return first, True
    for one, other in ((first, second), (second, first)):
        if not any(phase < units for phase, _, _ in spans(one)):
            return other, True
    if first.period != second.period and lcm(first.period, second.period) > longest:
        first, second = bounded(first), bounded(second)
    if same_jump(first, second):
        return _united(first, second), _mean_centre(first) == _mean_centre(second)
    meets = units == 1 and _centre_of_first(first) == _centre_of_first(second)
    if len(spans(first)) < first.period:
        # Some of its units see nothing: the other one's field holds there, or the bounds of its own.
        if len(spans(second)) == second.period:
            first, second = second, first
        else:
            first = bounded(first)
    return _moved_over(first, second, units), meets


def shift_of(first: Field, second: Field, units: int, longest: int) -> Number:
    """How far the second branch's centres lie after the first one's, on average over the `units` units, in pixels.

    Where the pattern is too long to follow, or known as a bound only, nothing is known of single units: that is 0.
    """
    period = lcm(first.period, second.period)
    if period > longest or isinstance(first.shift, Fraction) or isinstance(second.shift, Fraction):
        return 0
    doubled: list[Number] = []
    for phase in range(min(period, units)):
        # The difference is linear along a phase, so its ends have its mean.
        for unit in (phase, phase + (units - 1 - phase) // period * period):
            low, high = _at(first.lo, unit, first.shift), _at(first.hi, unit, first.shift)
            other_low, other_high = _at(second.lo, unit, second.shift), _at(second.hi, unit, second.shift)
            if low is not None and high is not None and other_low is not None and other_high is not None:
                doubled.append(other_low + other_high - low - high)
    return Fraction(sum(doubled)) / (2 * len(doubled)) if doubled else 0


def early(field: Field, window: AxisWindow | AxisReads) -> Number:
    """How far a strided window's centre lies before the middle of the pixels that it stands for, in pixels.

    With half padding it stands on the first of its `s` units, as nearly all networks have it.
    """
    if isinstance(window, AxisReads) or window.transposed:
        return 0
    centre = window.reach - 1 - 2 * window.before  # in halves of a unit
    short = window.stride - 1 - max(centre, 0)
    return mean_jump(field) * short / 2 if short > 0 else 0


def mean_jump(field: Field) -> Fraction:
    """How far apart the fields of neighbouring units lie, in pixels."""
    return Fraction(field.shift) / field.period


def ends_meet(first: Field, second: Field) -> bool:
    """Whether the last pixels that a unit sees of two branches are the same, at every unit: both are causal."""
    if not same_jump(first, second):
        return False
    period = lcm(first.period, second.period)
    return all(_at(first.hi, unit, first.shift) == _at(second.hi, unit, second.shift) for unit in range(period))


def _united(first: Field, second: Field) -> Field:
    period = lcm(first.period, second.period)
    edges: list[tuple[Edge, Edge]] = []
    for unit in range(period):
        lows = [_at(field.lo, unit, field.shift) for field in (first, second)]
        highs = [_at(field.hi, unit, field.shift) for field in (first, second)]
        edges.append(
            (
                min((low for low in lows if low is not None), default=None),
                max((high for high in highs if high is not None), default=None),
            )
        )
    return _from_edges(edges, first.shift * (period // first.period), first.ordered and second.ordered)


def _centre_of_first(field: Field) -> Edge:
    low, high = field.lo[0], field.hi[0]
    return None if low is None or high is None else low + high


def _moved_over(first: Field, second: Field, units: int) -> Field:
    """The first field, of which every unit sees something, widened by what the second one has beyond it at any unit."""
    period = lcm(first.period, second.period)
    down: Number = 0
    up: Number = 0
    for phase in range(min(period, units)):
        # The difference is linear along a phase, so its ends hold the extremes.
        for unit in {phase, phase + (units - 1 - phase) // period * period}:
            low, high = _at(first.lo, unit, first.shift), _at(first.hi, unit, first.shift)
            other_low, other_high = _at(second.lo, unit, second.shift), _at(second.hi, unit, second.shift)
            if low is None or high is None or other_low is None or other_high is None:
                continue
            down = max(down, low - other_low)
            up = max(up, other_high - high)
    lows = tuple([None if low is None else low - down for low in first.lo])
    highs = tuple([None if high is None else high + up for high in first.hi])
    return Field(lows, highs, first.shift, first.ordered)


def _turns(field: Field, units: int) -> list[tuple[int, Number, Number]]:
    """(turns, lo, hi) of every phase among the first `units`; turns: how often it comes again."""
    period = field.period
    return [((units - 1 - phase) // period, low, high) for phase, low, high in spans(field) if phase < units]


def covered(field: Field, units: int, pixels: int) -> tuple[int, int] | None:
    """The first and last of an axis's `pixels` that any of the units 0 … `units`-1 sees; None where none sees any."""
    lowest, highest = pixels, -1
    shift = field.shift
    for turns, low, high in _turns(field, units):
        # The first unit that does not end before the image, and the last that does not begin after it.
        first = max(0, -int(high // shift))
        last = min(turns, int((pixels - 1 - low) // shift))
        if first <= last:
            lowest = min(lowest, max(0, ceil(low + shift * first)))
            highest = max(highest, min(pixels - 1, floor(high + shift * last)))
    return (lowest, highest) if lowest <= highest else None


def best_placed(field: Field, wide: tuple[int, int] | None, units: int, pixels: int) -> int:
    """The most pixels, clipped at the borders, that one of the units 0 … `units`-1 sees; all of them see `wide`."""
    best = 0 if wide is None else wide[1] - wide[0] + 1
    shift = field.shift
    for turns, low, high in _turns(field, units):
        # The clipped extent rises as long as the field begins before the image, and falls from where it ends after it:
        # it is largest beside one of these two places, whatever every unit sees besides.
        crossings = (-low) // shift, (pixels - 1 - high) // shift
        places = {min(max(int(crossing) + more, 0), turns) for crossing in crossings for more in (0, 1)}
        for place in places:
            if best == pixels:
                return best
            first = max(0, ceil(low + shift * place))
            last = min(pixels - 1, floor(high + shift * place))
            if first > last:
                continue
            if wide is not None:
                first, last = min(first, wide[0]), max(last, wide[1])
            best = max(best, last - first + 1)
    return best

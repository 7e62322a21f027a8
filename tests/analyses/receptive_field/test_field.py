"""Fields along one axis against sets of pixels that are followed one by one."""

from fractions import Fraction
from math import lcm

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convsize.analyses.receptive_field.field import (
    IDENTITY,
    LARGEST_JUMP,
    Field,
    best_placed,
    bounded,
    covered,
    early,
    ends_meet,
    extent,
    joined,
    mean_jump,
    same_jump,
    shift_of,
    spans,
    through,
)
from convsize.geometry import AxisReads, AxisWindow
from convsize.ops.shared.resample import adaptive_reads, aligned_reads, linear_reads, nearest_reads, smooth_reads

LONGEST = 4096


@st.composite
def uneven(draw):
    """What interpolation and pools that do not divide read of an axis."""
    extent_, count = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    return draw(
        st.sampled_from(
            (
                adaptive_reads(extent_, count),
                nearest_reads(extent_, count, None),
                linear_reads(extent_, count, None, "linear"),
                linear_reads(extent_, count, Fraction(count, extent_), "bicubic"),
                aligned_reads(extent_, count, "linear"),
                smooth_reads(extent_, count, None, "bicubic"),
            )
        )
    )


@st.composite
def windows(draw):
    if not draw(st.integers(0, 3)):
        return draw(uneven())
    transposed = draw(st.booleans())
    kernel, stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    return AxisWindow(kernel, stride, dilation, draw(st.integers(-3, 5)), 0, transposed)


def seen_by(unit, chain):
    """The pixels that a unit behind a chain of windows sees, on an axis without ends."""
    units = {unit}
    for window in reversed(chain):
        if isinstance(window, AxisReads):
            ends = [window.of(unit) for unit in units]
            units = {place for first, last in ends for place in range(first, last + 1)}
            continue
        taps = range(window.kernel)
        if window.transposed:
            units = {
                (unit + window.before - window.dilation * tap) // window.stride
                for unit in units
                for tap in taps
                if (unit + window.before - window.dilation * tap) % window.stride == 0
            }
        else:
            units = {unit * window.stride - window.before + window.dilation * tap for unit in units for tap in taps}
    return units


def behind(chain):
    field = IDENTITY
    for window in chain:
        field = through(field, window, LONGEST)
    return field


def at(field, unit):
    turns, phase = divmod(unit, field.period)
    low, high = field.lo[phase], field.hi[phase]
    return None if low is None else (low + field.shift * turns, high + field.shift * turns)


chains = st.lists(windows(), max_size=4)


@given(chains, st.integers(-30, 30))
def test_a_field_is_the_hull_of_what_a_unit_sees(chain, unit):
    pixels = seen_by(unit, chain)
    assert at(behind(chain), unit) == ((min(pixels), max(pixels)) if pixels else None)


@given(chains, st.integers(1, 12))
def test_the_largest_extent_is_that_of_some_unit(chain, units):
    field = behind(chain)
    hulls = [seen_by(unit, chain) for unit in range(min(units, field.period))]
    assert extent(field, units) == max((max(seen) - min(seen) + 1 for seen in hulls if seen), default=0)


@given(chains, st.integers(-30, 30))
def test_bounds_hold_every_unit(chain, unit):
    pixels = seen_by(unit, chain)
    if pixels:
        low, high = at(bounded(behind(chain)), unit)
        assert low <= min(pixels)
        assert max(pixels) <= high


@given(chains, st.integers(-30, 30), st.integers(1, 8))
def test_where_tables_are_cut_short_the_field_is_a_bound(chain, unit, longest):
    field = IDENTITY
    for window in chain:
        field = through(field, window, longest)
    pixels = seen_by(unit, chain)
    if pixels:
        low, high = at(field, unit)
        assert low <= min(pixels)
        assert max(pixels) <= high


@given(windows())
def test_a_bound_is_no_wider_than_it_must_be(window):
    bound = through(IDENTITY, window, 1)
    assert mean_jump(bound) == mean_jump(through(IDENTITY, window, LONGEST))
    room = []
    for unit in range(40):
        pixels = seen_by(unit, [window])
        if pixels:
            low, high = at(bound, unit)
            room.append((min(pixels) - low, high - max(pixels)))
    # Some unit sees the first pixel that the bound leaves it, and some unit the last one.
    assert not room or [min(ends) for ends in zip(*room, strict=True)] == [0, 0]


@given(chains, chains, st.integers(1, 12))
def test_a_join_is_the_hull_of_its_branches(one, other, units):
    first, second = behind(one), behind(other)
    field, _ = joined(first, second, units, LONGEST)
    blind = any(not any(seen_by(unit, chain) for unit in range(units)) for chain in (one, other))
    exact = blind or first.shift * second.period == second.shift * first.period
    for unit in range(units):
        pixels = seen_by(unit, one) | seen_by(unit, other)
        if pixels:
            low, high = at(field, unit)
            assert low <= min(pixels)
            assert high >= max(pixels)
            if exact:
                assert (low, high) == (min(pixels), max(pixels))


@given(chains, st.integers(1, 9), st.integers(1, 40))
def test_what_units_cover_and_the_best_one_sees(chain, units, pixels):
    field = behind(chain)
    hulls = [at(field, unit) for unit in range(units)]
    clipped = [(max(0, hull[0]), min(pixels - 1, hull[1])) for hull in hulls if hull is not None]
    clipped = [(first, last) for first, last in clipped if first <= last]
    wanted = (min(first for first, _ in clipped), max(last for _, last in clipped)) if clipped else None
    assert covered(field, units, pixels) == wanted
    assert best_placed(field, None, units, pixels) == max((last - first + 1 for first, last in clipped), default=0)


@given(chains, st.integers(1, 9), st.integers(1, 40), st.data())
def test_the_best_unit_together_with_what_all_see(chain, units, pixels, data):
    first = data.draw(st.integers(0, pixels - 1))
    wide = (first, data.draw(st.integers(first, pixels - 1)))
    field = behind(chain)
    best = wide[1] - wide[0] + 1
    for unit in range(units):
        hull = at(field, unit)
        if hull is not None and max(0, hull[0]) <= min(pixels - 1, hull[1]):
            best = max(best, max(wide[1], min(pixels - 1, hull[1])) - min(wide[0], max(0, hull[0])) + 1)
    assert best_placed(field, wide, units, pixels) == best


@pytest.mark.parametrize(
    ("low", "high", "jump", "wide", "units", "pixels", "most"),
    [
        (-2, -2, 3, (2, 4), 3, 5, 4),  # unit 1 sees pixel 1 and, as all do, 2 … 4; unit 2 sees pixel 4
        (-9, -8, 5, None, 3, 2, 1),  # unit 2 sees pixels 1 and 2, of which the second is no more there
        (-7, -5, 4, None, 4, 2, 1),  # unit 2 sees 1 … 3
        (2, 7, 3, (4, 4), 7, 12, 8),  # unit 2 sees 8 … 13 and pixel 4; unit 1 sees 5 … 10
        (0, 0, 1, (3, 3), 9, 9, 6),  # unit 8 sees pixels 8 and 3
    ],
)
def test_the_best_unit_by_hand(low, high, jump, wide, units, pixels, most):
    assert best_placed(Field((low,), (high,), jump, ordered=True), wide, units, pixels) == most


def test_upsampling_gives_units_of_different_extents():
    # up(2) then a 3-wide window: output 0 reads -1, 0, 1 = pixels -1, 0, 0; output 1 reads 0, 1, 2 = pixels 0, 0, 1.
    field = behind([AxisWindow(2, 2, transposed=True), AxisWindow(3, 1, 1, 1, 1)])
    assert field == Field((-1, 0), (0, 1), 1, True)


def test_a_stride_above_the_kernel_leaves_units_that_see_nothing():
    field = behind([AxisWindow(1, 2, transposed=True)])
    assert field == Field((0, None), (0, None), 1, False)
    # Taps 2 apart on the odd units meet nothing but such units; on the even ones they meet three pixels.
    assert behind([AxisWindow(1, 2, transposed=True), AxisWindow(3, 1, 2)]) == Field((0, None), (2, None), 1, False)


def test_tables_stay_short():
    window = AxisWindow(1000, 1000, transposed=True)
    field = IDENTITY
    for _ in range(3):
        field = through(field, window, LONGEST)
    # The first table of 1000 fits, the second of a million does not.
    assert field.period == 1
    assert field.shift == Fraction(1, 10**9)


def test_a_jump_beyond_reason_is_not_followed():
    field = IDENTITY
    count = 0
    while field is not None:
        field = through(field, AxisWindow(2, 2, 1, 1, 1), LONGEST)
        count += 1
    assert 2 ** (count - 1) <= LARGEST_JUMP < 2**count


@pytest.mark.parametrize(
    ("first", "second", "meets"),
    [
        ([AxisWindow(3, 1, 1, 1, 1)], [AxisWindow(5, 1, 1, 2, 2)], True),
        ([AxisWindow(3, 2, 1, 1, 1)], [AxisWindow(1, 2)], True),
        ([AxisWindow(3, 2, 1, 0, 1)], [AxisWindow(1, 2)], False),
        ([AxisWindow(2, 2), AxisWindow(2, 2, transposed=True)], [], True),
        ([AxisWindow(1, 2), AxisWindow(2, 2, transposed=True)], [], False),
        ([AxisWindow(1, 2)], [], False),
    ],
)
def test_where_centres_meet(first, second, meets):
    # 2-wide pools with stride 2 and their upsampling are centred on average: (0 + 1 + 0 + 1)/4 = (0 + 1)/2.
    assert joined(behind(first), behind(second), 8, LONGEST)[1] is meets


def doubled_centres(chain, units):
    """Twice the centres of what the units see, None where one sees nothing."""
    return [min(seen) + max(seen) if seen else None for seen in (seen_by(unit, chain) for unit in range(units))]


short_chains = st.lists(windows(), max_size=2)


@given(short_chains, short_chains)
def test_how_far_the_centres_of_two_branches_lie_apart(one, other):
    first, second = behind(one), behind(other)
    units = lcm(first.period, second.period)
    assume(units <= 60)
    before, after = doubled_centres(one, 2 * units), doubled_centres(other, 2 * units)
    apart = [there - here for here, there in zip(before, after, strict=True) if here is not None and there is not None]
    mean = Fraction(sum(apart), 2 * len(apart)) if apart else 0
    assert shift_of(first, second, 2 * units, LONGEST) == mean
    if None not in before + after and same_jump(first, second):
        assert joined(first, second, 8, LONGEST)[1] is (mean == 0)


@given(short_chains, short_chains)
def test_where_the_last_pixels_of_two_branches_meet(one, other):
    first, second = behind(one), behind(other)
    units = 2 * lcm(first.period, second.period)
    assume(units <= 120)
    last = [[max(seen_by(unit, chain), default=None) for unit in range(units)] for chain in (one, other)]
    assert ends_meet(first, second) is (same_jump(first, second) and last[0] == last[1])


@pytest.mark.parametrize(
    ("window", "pixels"),
    [
        (AxisWindow(3, 1, 1, 1, 1), 0),  # on its pixel
        (AxisWindow(3, 2, 1, 1, 1), Fraction(1, 2)),  # on the first of two pixels, whose middle lies half a pixel on
        (AxisWindow(2, 2), 0),  # in the middle of the two
        (AxisWindow(3, 4), Fraction(1, 2)),  # on 1 of 0 … 3
        (AxisWindow(3, 4, 1, 3), Fraction(3, 2)),  # before them all, which padding alone explains
        (AxisWindow(5, 2), 0),  # behind the middle
        (AxisWindow(3, 2, transposed=True), 0),
        (nearest_reads(9, 3, None), 0),
    ],
)
def test_how_far_half_padding_puts_a_stride_early(window, pixels):
    assert early(IDENTITY, window) == pixels
    # Behind a stride of 3 the units lie 3 pixels apart.
    assert early(behind([AxisWindow(3, 3)]), window) == 3 * pixels


@given(chains, chains)
def test_joins_of_equal_jumps_have_a_common_period(one, other):
    first, second = behind(one), behind(other)
    if first.shift * second.period == second.shift * first.period:
        field, _ = joined(first, second, 8, LONGEST)
        assert field.period == lcm(first.period, second.period) or first == second
        assert len(spans(field)) >= max(len(spans(first)), len(spans(second)))

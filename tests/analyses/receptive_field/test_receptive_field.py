"""Receptive fields of whole networks: figures worked by hand, and against sets of positions."""

from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convsize.analyses.facts import gather
from convsize.analyses.receptive_field import network as module
from convsize.analyses.receptive_field.network import before_positions_end, receptive_fields
from convsize.api import parse
from convsize.errors import SpecError
from convsize.geometry import AxisReads


def fields(text):
    network = parse(text)
    (found,) = receptive_fields(network, gather(network)).values()
    return network, found


def rows(text):
    """The receptive fields by the layers' names."""
    network, found = fields(text)
    return {node.name: row for node, row in zip(network.nodes, found.rows, strict=True)}


def last(text):
    network, found = fields(text)
    return found.rows[network.outputs["main"]]


def test_three_small_filters_see_as_much_as_a_large_one():
    # F10: 3, then 3 + 2 = 5, then 5 + 2 = 7.
    found = rows("input: 1@32x32\nC3 C3 C3")
    assert [found[f"conv{number}"].size for number in (1, 2, 3)] == [(3, 3), (5, 5), (7, 7)]
    assert found["conv3"].start == (-3, -3)
    assert found["conv3"].centre == (0, 0)
    assert found["conv3"].jump == (1, 1)


def test_the_stem_of_resnet():
    # 7x7/2 p3: size 7, jump 2, start -3. 3x3/2 p1 behind it: 7 + 2·2 = 11, jump 4, start -3 - 1·2 = -5.
    found = rows("input: 3@224x224\nC7D64/2 BN R M3/2p1")
    assert found["conv1"].values()[:4] == ((7, 7), (7, 7), (2, 2), (-3, -3))
    assert found["maxpool1"].values()[:4] == ((11, 11), (11, 11), (4, 4), (-5, -5))
    assert found["maxpool1"].centre == (0, 0)
    assert found["bn1"] == found["relu1"] == found["conv1"]


VGG_D = "(C3D64 R)*2 M (C3D128 R)*2 M (C3D256 R)*3 M ((C3D512 R)*3 M)*2"


def test_vgg_d_sees_212_pixels_before_its_fully_connected_layers():
    # Two 3x3 and a pool at jump 1: 1 + 2·2 + 1 = 6; at 2: 6 + 2·4 + 2 = 16; three at 4: 16 + 3·8 + 4 = 44;
    # at 8: 44 + 3·16 + 8 = 100; at 16: 100 + 3·32 + 16 = 212.
    network, found = fields(f"input: 3@224x224\n{VGG_D} FC4096 R FC1000 S")
    end = before_positions_end(network, found.rows, network.outputs["main"])
    assert network.nodes[end].name == "maxpool5"
    row = found.rows[end]
    assert (row.size, row.jump, row.whole) == ((212, 212), (32, 32), False)
    # Unit i sees 32i - 90 … 32i + 121, so that unit 3 of 0 … 6 sees 6 … 217, all 212 of it.
    assert row.start == (-90, -90)
    assert row.seen == Fraction(212 * 212, 224 * 224)


def test_fully_connected_layers_see_everything():
    found = last("input: 3@9x7\nC3 FC10 S")
    assert (found.size, found.jump, found.whole, found.seen) == ((9, 7), (0, 0), True, 1)
    assert found.start == (0, 0)
    assert found.centre == (4, 3)


def test_global_pooling_sees_only_what_the_windows_before_it_read():
    # (8 - 3)/2 + 1 = 3 windows read 0 … 6; pixel 7 is never seen.
    found = last("input: 1@8x8\nC3/2p0 GAP")
    assert (found.size, found.whole, found.seen) == ((7, 7), True, Fraction(49, 64))


def test_dilation_widens():
    # 2·(3 - 1) + 1 = 5.
    assert last("input: 1@9x9\nC3d2").size == (5, 5)


def test_axes_are_separate():
    found = last("input: 1@16x16\nC1x3/1x2 C3x1")
    assert (found.size, found.jump) == ((3, 3), (1, 2))


def test_branches_are_united_and_the_smallest_path_is_kept():
    # [1, 3, 5, pool 3] wide.
    found = last("input: 8@28x28\n[C1 | C3 | C5 | M3/1p1]")
    assert (found.size, found.smallest, found.aligned) == ((5, 5), (1, 1), True)
    # The smallest path grows by what follows it: 1 + 2.
    found = last("input: 8@28x28\n[C1 | C5] C3")
    assert (found.size, found.smallest) == ((7, 7), (3, 3))


def test_the_identity_branch_is_the_smallest_path():
    found = last("input: 8@28x28\n(C3 R C3 + x) (C3 + x)")
    assert (found.size, found.smallest) == ((7, 7), (1, 1))


def test_centres_that_do_not_meet_are_flagged():
    # A 3-wide window from pixel 2i on has its centre at 2i + 1, a 1-wide one at 2i.
    network, found = fields("input: 1@9x9\n[C3/2p0 | C1/2p0 crop(4)] C3")
    names = [node.name for node, row in zip(network.nodes, found.rows, strict=True) if row and not row.aligned]
    assert names == ["cat1", "conv3"]
    assert network.nodes[found.parted].name == "cat1"
    assert last("input: 1@9x9\n[C3/2 | C1/2] C3").aligned


def test_branches_whose_jumps_differ_are_flagged_and_bounded():
    # Unit i of 0 … 3 sees pixel i on the left (crop(4) takes 2 pixels on each side: i + 2), 2i on the right.
    found = last("input: 1@8x8\n[crop(4) | C1/2]")
    assert not found.aligned
    assert found.jump == (1, 1)
    # The right branch lies 2 - 2i below the left one: from 2 below (unit 0) to 1 above (unit 3): 2 + 1 + 1 = 4.
    assert found.size == (4, 4)


def test_a_gate_from_everything_is_wide_and_the_path_stays():
    gate = "input: 8@56x56\nC3 (x * GAP FC2 R FC8 sigmoid) C3"
    found = rows(gate)
    assert found["mul1"].size == (56, 56)
    assert found["mul1"].smallest == (3, 3)
    assert (found["mul1"].whole, found["mul1"].seen, found["mul1"].jump) == (False, 1, (1, 1))
    assert found["conv2"].smallest == (5, 5)
    assert found["conv2"].size == (56, 56)
    assert found["fc1"].whole


def test_a_gate_of_one_position_is_seen_from_everywhere():
    # A6 makes 1x1 of 6x6 and has a position, but every unit of the gate reads it.
    found = last("input: 8@6x6\n(x * A6)")
    assert (found.size, found.smallest, found.whole) == ((6, 6), (1, 1), False)


def test_a_gate_that_is_one_on_an_axis_is_read_from_everywhere_on_that_axis_alone():
    # A6x1 makes 1x4 of 6x4: along the width every unit has its own factor.
    found = last("input: 2@6x4\n(x * A6x1)")
    assert (found.size, found.jump) == ((6, 1), (1, 1))
    assert last("input: 2@2x4\n(x * A2x1)").size == (2, 1)
    # An axis of one position on which the gate has one, too, has a unit in its own place.
    found = last("input: 2@6x1\n(C3p1 * A6x1)")
    assert (found.size, found.smallest) == ((6, 3), (3, 1))
    # And one whose gate keeps all axes reads no more than its own place.
    assert last("input: 2@6x4\n(x * C1)").size == (1, 1)


@pytest.mark.parametrize(
    ("series", "size", "seen"),
    [
        ("(x * crop(4) GAP)", 7, 7),  # of 10 pixels the gate sees 3 … 6: unit 0 sees 0 … 6, unit 9 sees 3 … 9
        ("(x + C3/2p0 GAP)", 10, 10),  # the gate sees 0 … 8, and unit 9 sees pixel 9, too
        ("(C3 + crop(1))", 6, 6),  # the gate sees pixel 4; unit 9 sees 8 … 10, of which 10 is padding
        ("(C3 * GAP)", 10, 10),
        ("(C13 + crop(1))", 13, 10),
        ("(x + crop(4) GAP) C3", 7, 7),  # units 0 and 1 see 3 … 6 and pixels up to 2
    ],
)
def test_what_every_unit_sees_is_united_with_the_path(series, size, seen):
    found = last(f"input: 1@10\n{series}")
    assert (found.size, found.seen, found.whole) == ((size,), Fraction(seen, 10), False)


def test_growth_beyond_what_a_gate_sees():
    # 1 + 5·(9 - 1) = 41 along the path against 20 through the gate.
    found = last("input: 8@20x20\n(x * GAP) C9*5")
    assert (found.size, found.smallest) == ((41, 41), (41, 41))


def test_down_and_up_again_meets_the_skip_connection():
    # M: 2 wide; T2/2 doubles: both units see the 2 pixels of theirs; C3 sees units -1 … 1 of those: pixels -2 … 1.
    text = "input: 4@16x16\n[x | M T2D4/2] C3"
    found = rows(text)
    assert (found["tconv1"].size, found["tconv1"].jump) == ((2, 2), (1, 1))
    assert found["cat1"].aligned
    assert (found["conv1"].size, found["conv1"].smallest, found["conv1"].start) == ((4, 4), (3, 3), (-2, -2))


def test_transposed_convolutions_see_a_varying_number_of_inputs():
    # T3/2: output 2i reads i - 1 and i, output 2i + 1 reads i alone.
    found = last("input: 1@8x8\nT3/2")
    assert (found.size, found.jump, found.start) == ((2, 2), (Fraction(1, 2),) * 2, (-1, -1))


def test_an_overlarge_field_is_not_followed():
    # The jump doubles at every layer and the volume stays 2x2.
    network, found = fields("input: 1@2x2\n(M2/2p1)*100")
    assert found.beyond is not None
    assert [row is None for row in found.rows] == [index >= found.beyond for index in range(len(network.nodes))]


def test_every_input_has_fields_of_its_own():
    network = parse("input left: 1@8x8\ninput right: 1@8x8\n@left C3 as a\n[@a | @right C5] C3")
    found = receptive_fields(network, gather(network))
    end = network.outputs["main"]
    assert {name: each.rows[end].size for name, each in found.items()} == {"left": (5, 5), "right": (7, 7)}
    assert found["right"].rows[network.taps["a"]] is None


def test_reshaping_ends_positions():
    found = rows("input: 4@8x8\nC3 reshape(16,4,4) C3")
    assert found["conv1"].size == (3, 3)
    assert found["conv2"].whole


@pytest.mark.parametrize(
    ("series", "size"),
    [
        # Of 4 maps that see 3 pixels and 4 that see 7.
        ("[C3D4 | C7D4] slice(0,4)", 3),
        ("[C3D4 | C7D4] slice(4,8)", 7),
        ("[C3D4 | C7D4] slice(3,5)", 7),
        ("[C3D4 | C7D4] R BN M3/1p1 slice(0,4)", 5),
        ("[C3D4 | C7D4] C1D4 slice(0,2)", 7),  # a convolution mixes them
        ("[C3D4 | C7D4] LN slice(0,2)", 7),
        ("[C3D4 | C7D4] C1D4g2 slice(0,2)", 3),
        ("[C3D4 | C7D4] C1D4g4 slice(1,2)", 3),
        ("[C3D6 | C7D2] C1D4g2 slice(2,4)", 7),  # maps 4 … 7: two that see 3 and two that see 7
        ("[C3D4 | C7D4] DW3D16 slice(0,8)", 5),
        ("[C3D4 | C7D4] DW3D16 slice(8,16)", 9),
        ("[C3D4 | C7D4] T3D4p1g2 slice(0,2)", 5),
        ("[C3D4 | C7D4] shuffle(2) slice(0,1)", 3),  # 0, 4, 1, 5 …
        ("[C3D4 | C7D4] shuffle(2) slice(0,2)", 7),
        ("[C3D4 | C7D4] shuffle(2) pick(0,2,4,6)", 3),
        ("[C3D4 | C7D4] pick(7,0) slice(1,2)", 3),
        ("C3D4 widen(8) (x + C7D8) slice(4,8)", 9),  # the zeros see nothing
        ("C3D4 widen(8) slice(0,4)", 3),
        ("[C3D4 | C7D4] pad(1) slice(0,4)", 3),
        ("[C3D4 | C7D4] split[x | C3] slice(0,4)", 3),
        ("[C3D4 | C7D4] split[x | C3] slice(4,8)", 9),
        ("[C3D4 | C7D4] split[C3 | x]", 7),
        ("[C3D4 | [C5D2 | x]] slice(4,6)", 5),
        ("[C3D4 | C7D4] (x + C1D8g2) slice(0,4)", 3),
        ("[C3D4 | C7D4] (x * C1D1) slice(0,4)", 7),  # a gate of one map is read by all
        ("[C3D4 | C7D4] (x + C1D1) slice(0,4)", 7),
        ("[C3D4 | C7D4] (x + GAP) slice(0,4)", 32),
        ("[C3D4 | C7D4] up(2) A2 slice(0,4)", 3),
        ("[C3D8 | C7D8] pixelshuffle(2) M slice(0,2)", 3),
    ],
)
def test_maps_see_what_their_own_branch_sees(series, size):
    row = last(f"input: 2@32x32\n{series}")
    assert row.size == (size, size)


def test_maps_of_zeros_see_nothing():
    assert last("input: 2@8x8\nC3D4 widen(8) slice(4,8)") is None


def test_a_flattened_slice_sees_what_its_branch_sees():
    # C3 without padding on 4 maps of which 2 see nothing of the last two columns and rows (crop).
    assert last("input: 2@9x9\n[C3p0 | C1 crop(7)] flat slice(0,98)").size == (9, 9)
    assert last("input: 2@9x9\n[C3p0 | C1 crop(7)] flat slice(98,196)").size == (7, 7)


def test_branches_that_see_other_inputs():
    network = parse("input left: 2@8x8\ninput right: 2@8x8\n@left C3 as a\n[@a | @right C5] slice(0,2) as s C3")
    found = receptive_fields(network, gather(network))
    assert found["left"].rows[network.taps["s"]].size == (3, 3)
    assert found["right"].rows[network.taps["s"]] is None
    assert found["right"].rows[network.outputs["main"]] is None


@pytest.mark.parametrize("series", ["(T1/2 crop(6) + x)", "(x + T1/2 crop(6))"])
def test_a_branch_whose_units_partly_see_nothing_does_not_decide_the_field(series):
    found = last(f"input: 1@6x6\n{series}")
    assert found.jump == (1, 1)
    assert last(f"input: 1@6x6\n{series} GAP").size == (6, 6)


@pytest.mark.parametrize("series", ["(T1/3 crop(8) * x) FC3", "(x * T1/3 crop(8)) FC3"])
def test_a_gate_whose_units_partly_see_nothing_does_not_decide_the_field(series):
    found = last(f"input: 1@8x8\n{series}")
    assert (found.size, found.seen) == ((8, 8), 1)


@pytest.mark.parametrize("series", ["({} + crop(4))", "(crop(4) + {})", "[crop(4) | {}]", "(crop(4) * {})"])
def test_a_branch_that_sees_nothing_adds_nothing(series):
    # T1/4 on 4 units: 0, 4, 8 and 12 of 13 see one, and crop(1) takes number 6.
    found = last(f"input: 1@8x8\n{series.format('C1/2 T1/4 crop(1) up(4)')}")
    assert (found.size, found.jump, found.start, found.aligned) == ((1, 1), (1, 1), (2, 2), True)


def test_the_largest_field_is_that_of_a_unit_that_is_there():
    # T3/2p1 of a single unit gives a single one, which reads it with its middle tap; its neighbours would read two.
    assert last("input: 1@8x8\nC8p0 T3/2p1").size == (8, 8)


# ---- against sets of positions ---------------------------------------------------------------------------------------

TOKENS = [
    "C1",
    "C3",
    "C3/2",
    "C2/2p0",
    "C3d2",
    "M",
    "M3/2p1",
    "C4/3p1",
    "C5p1:2",
    "up(2)",
    "T2/2",
    "T3/2p1a1",
    "T1/2",
    "pad(1)",
    "R",
]

UNEVEN = [
    "up(3/2,bilinear)",
    "up(1/2)",
    "up(@input)",
    "resize(5,bilinear,aligned)",
    "resize(7)",
    "GAP4",
    "GMP5",
]
"""Windows that differ from unit to unit."""

GATES = ["GAP", "C3/2p0 GAP", "crop(2) GAP", "crop(3) C3p0", "crop(1)", "C3p0 GMP", "T1/3 crop(1)"]
"""Branches that every unit of a join may see."""


@st.composite
def specs(draw):
    """Two axes, series with sums of two branches that may or may not fit."""
    items = []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.integers(0, 3)):
            items.append(draw(st.sampled_from(TOKENS)))
        elif not draw(st.integers(0, 3)):
            items.append(f"(x {draw(st.sampled_from('+*'))} {draw(st.sampled_from(GATES))})")
        else:
            branches = [" ".join(draw(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=2))) for _ in range(2)]
            items.append(f"({branches[0]} + {draw(st.sampled_from([branches[1], 'x']))})")
    return f"input: 2@{draw(st.integers(4, 12))}x{draw(st.integers(4, 12))}\n{' '.join(items)}"


def reads(window, unit):
    """The units before a window that one unit reads along an axis."""
    if isinstance(window, AxisReads):
        first, last = window.of(unit)
        return set(range(first, last + 1))
    taps = [window.dilation * tap - window.before for tap in range(window.kernel)]
    if window.transposed:
        return {(unit - tap) // window.stride for tap in taps if (unit - tap) % window.stride == 0}
    return {unit * window.stride + tap for tap in taps}


def pixels_seen(network, facts, index, axis, unit, known, *, moving=False):
    """The pixels along an axis that a unit sees, on an axis without ends.

    moving: without those that every unit of a join sees, through a branch of one position.
    """
    key = (index, axis, unit, moving)
    if key not in known:
        node = network.nodes[index]
        if not node.inputs:
            known[key] = frozenset({unit})
        else:
            window = facts[index].window
            before = reads(window.by_axis[axis], unit) if window.by_axis else {unit}
            seen = []
            for source in node.inputs:
                there = network.nodes[source].output.spatial[axis : axis + 1]
                # A branch of one position is read by every unit of a wider join, and one without positions by all.
                once = len(node.inputs) > 1 and (not there or there[0] == 1 < node.output.spatial[axis])
                if window.kind == "everything" or once:
                    if moving:
                        continue
                    before_it = set(range(there[0])) if there else {0}
                else:
                    before_it = before
                seen += [pixels_seen(network, facts, source, axis, one, known, moving=moving) for one in before_it]
            known[key] = frozenset().union(*seen)
    return known[key]


def hulls_of(network, facts, node, axis, known, *, moving=False):
    """The first and last pixel that each unit sees, for units that see some."""
    units = range(node.output.spatial[axis])
    sets = [pixels_seen(network, facts, node.index, axis, unit, known, moving=moving) for unit in units]
    return [(min(one), max(one)) if one else None for one in sets]


@settings(max_examples=200)
@given(
    st.tuples(st.integers(4, 12), st.integers(4, 12)),
    st.lists(st.sampled_from([*TOKENS, *UNEVEN, *UNEVEN]), min_size=1, max_size=4),
)
def test_fields_of_uneven_windows_are_what_units_see(extents, items):
    height, width = extents
    assert_fields_are_what_units_see(f"input: 2@{height}x{width}\n{' '.join(items)}")


@settings(max_examples=400)
@given(specs())
def test_fields_are_what_units_see(text):
    assert_fields_are_what_units_see(text)


def assert_fields_are_what_units_see(text):
    try:
        network = parse(text)
    except SpecError:
        assume(False)
    facts = gather(network)
    (found,) = receptive_fields(network, facts).values()
    known = {}
    image = network.nodes[0].output.spatial
    for node, row in zip(network.nodes, found.rows, strict=True):
        if node.output.rank != len(image):
            continue  # the last layer of a gate
        seen = Fraction(1)
        for axis, extent in enumerate(image):
            moving = hulls_of(network, facts, node, axis, known, moving=True)
            hulls = [each for each in hulls_of(network, facts, node, axis, known) if each]
            if moving[0] and row.aligned:
                low, high = moving[0]
                assert row.start[axis] == low
                assert row.centre[axis] == Fraction(low + high, 2)
            clipped = [min(high, extent - 1) - max(low, 0) + 1 for low, high in hulls]
            largest = max([high - low + 1 for low, high in filter(None, moving)] + clipped, default=0)
            assert row.size[axis] >= largest
            if row.aligned and len(moving) > 12:  # every phase has a unit
                assert row.size[axis] == largest
            seen *= Fraction(max([0, *clipped]), extent)
        assert row.seen == seen or not row.aligned
        assert all(small <= size for small, size in zip(row.smallest, row.size, strict=True))


@settings(max_examples=150)
@given(specs())
def test_global_pooling_sees_what_all_units_see(text):
    try:
        network = parse(f"{text} GAP")
    except SpecError:
        assume(False)
    facts = gather(network)
    (found,) = receptive_fields(network, facts).values()
    row = found.rows[network.outputs["main"]]
    before = network.nodes[network.outputs["main"]].inputs[0]
    assume(found.rows[before].aligned)
    known = {}
    for axis, extent in enumerate(network.nodes[0].output.spatial):
        units = range(network.nodes[before].output.spatial[axis])
        sets = [pixels_seen(network, facts, before, axis, unit, known) for unit in units]
        clipped = [(max(min(one), 0), min(max(one), extent - 1)) for one in sets if one]
        clipped = [(first, last) for first, last in clipped if first <= last]
        wanted = max(last for _, last in clipped) - min(first for first, _ in clipped) + 1 if clipped else 0
        assert row.size[axis] == wanted


@pytest.mark.parametrize("layers", [1, 30])
def test_pointwise_layers_share_the_field_before_them(layers):
    _, found = fields(f"input: 1@8x8\nC3 {'R ' * layers}")
    assert len({id(row) for row in found.rows[1:]}) == 1


@pytest.mark.parametrize(("most", "left"), [(0, "bc"), (12, "bc"), (13, "c"), (25, "c"), (26, "")])
def test_the_last_of_many_inputs_may_be_left_out(monkeypatch, most, left):
    """7 nodes and 6 arrows are counted for every input that was followed; what is left out is said."""
    monkeypatch.setattr(module, "_FOLLOWED", most)
    report = parse("input a: 3@8x8\ninput b: 3@8x8\ninput c: 3@8x8\n@a (x + @b + @c) C3 R C3").analyze()
    said = [each.text for each in report.insights if each.kind == "not_computed"]
    text = {
        "bc": "receptive fields are given for a only: 2 more inputs would take too long",
        "c": "receptive fields are given for a and b only: 1 more input would take too long",
    }
    assert said == [text[left] for _ in left[:1]]


@pytest.mark.parametrize(
    ("kept", "size"), [("slice(0,2)", 5), ("slice(2,4)", 7), ("C1D4g2 slice(0,2)", 5), ("C1D4", 7)]
)
def test_a_gate_of_one_map_is_seen_by_all_maps(kept, size):
    # The maps of C3 see 3 and those of C7 see 7; the one map of the gate sees 5 and is a factor of every one.
    assert last(f"input: 4@16\n[C3D2 | C7D2] as a @input C5D1 as g @a (x * @g) {kept}").size == (size,)

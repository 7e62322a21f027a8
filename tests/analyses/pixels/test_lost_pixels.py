"""Lost and unread pixels: figures worked by hand, and against sets of positions."""

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convsize.analyses.facts import gather
from convsize.analyses.pixels import lost as module
from convsize.analyses.pixels.lost import lost_pixels, unread_pixels
from convsize.analyses.pixels.positions import Budget, BudgetError, everything, missing, read, union
from convsize.api import parse
from convsize.errors import SpecError
from convsize.geometry import AxisReads, AxisWindow, output_extent
from convsize.records import Lost, UnreadPixels


def lost(text):
    network = parse(text)
    return lost_pixels(network, gather(network)).layers[network.outputs["main"]]


def unread(text):
    network = parse(text)
    return unread_pixels(network, gather(network)).rows


def test_a_stride_that_does_not_divide_drops_the_last_pixels():
    # (10 - 3)/2 = 3.5: four windows read 0 … 8, pixel 9 is left over (E3).
    assert lost("input: 1@10\nC3/2p0") == (Lost(0, 1, 9, 0, True),)
    assert unread("input: 1@10\nC3/2p0") == (UnreadPixels("input", 0, 1, ((9, 10),)),)


def test_dropped_padding_is_no_loss():
    # ResNet's stem: 224 + 6 = 230 pixels, 112 windows read 0 … 228 of them: one zero is dropped and no pixel.
    assert lost("input: 3@224x224\nC7D64/2") == ()
    # 4 windows of 3 at stride 4 over 1 + 14 + 1 read 0-2, 4-6, 8-10, 12-14 of it: pixels 2, 6 and 10 are skipped, and
    # the last zero at 15.
    assert lost("input: 1@14\nC3/4p1") == (Lost(0, 3, 2, 1, False),)


def test_a_strided_1x1_convolution_skips_every_other_pixel():
    assert lost("input: 1@8x5\nC1/2") == (Lost(0, 4, 1, 0, False), Lost(1, 2, 1, 0, False))


def test_many_pixels_are_skipped_by_one_layer():
    # Windows at 0, 2 … 998 leave out 1, 3 … 999; with padding they are at -1, 1 … 999 and leave out 0, 2 … 998 and the
    # zero at 1000.
    assert lost("input: 1@1000\nC1/2") == (Lost(0, 500, 1, 0, False),)
    assert lost("input: 1@1000\nC1/2p1") == (Lost(0, 500, 0, 1, False),)
    # 50 windows of 3 at -1, 3 … 195 leave out 2, 6 … 194 between them, 198 and 199 behind them, and the zero at 200.
    assert lost("input: 1@200\nC3/4p1") == (Lost(0, 49 + 2, 2, 1, False),)
    # 3 windows at -1, 2 and 5 read up to pixel 7: pixel 8 and the zero behind it are left over.
    assert lost("input: 1@9\nC3/3p1") == (Lost(0, 1, 8, 1, True),)
    assert unread("input: 1@200\nC3/4p1")[0].pixels == 51
    # 99 windows at 0, 2 … 196 of what is left: the 98 between them and, cropped, two on each side.
    (row,) = unread("input: 1@201\ncrop(197) C1/2")
    assert (row.pixels, row.ranges[:3], row.ranges[-1]) == (98 + 4, ((0, 2), (3, 4), (5, 6)), (199, 201))


def test_a_fork_reads_what_one_branch_skips():
    assert unread("input: 4@8x8\n(C3/2 + C1/2)") == ()
    assert [row.pixels for row in unread("input: 4@8x8\n(C1/2 + C1/2)")] == [4, 4]


def test_losses_deep_in_the_network_reach_the_input():
    # M drops pixel 12 of 13; conv1's unit 12 alone reads nothing more than its neighbours but pixel 14 of 0 … 14.
    assert unread("input: 1@15\nC3p0 M") == (UnreadPixels("input", 0, 1, ((14, 15),)),)


def test_cropping_leaves_pixels_out():
    assert lost("input: 1@10x10\ncrop(6)") == (Lost(0, 4, 0, 0, False), Lost(1, 4, 0, 0, False))
    assert unread("input: 1@10x10\ncrop(6)")[0].ranges == ((0, 2), (8, 10))


def test_a_transposed_convolution_can_crop_its_inputs():
    # (4 - 1)·2 - 2·3 + 3 = 3 outputs: input 0 reaches -3 … -1 and input 3 reaches 3 … 5, both outside.
    assert lost("input: 1@4\nT3/2p3") == (Lost(0, 2, 0, 0, False),)


def test_an_input_that_nothing_uses_is_unread():
    found = unread("input a: 1@4\ninput b: 1@3x3\n@a C3")
    assert [(row.input, row.axis, row.pixels) for row in found] == [("b", 0, 3), ("b", 1, 3)]


def test_everything_is_read_by_fully_connected_layers_and_gates():
    assert unread("input: 4@9x9\nC3 (x * GAP) C1/3 FC2") == ()


def test_many_holes_are_counted_and_the_first_hundred_listed():
    (row,) = unread("input: 1@1000\nC1/2")
    assert row.pixels == 500
    assert row.ranges[:2] == ((1, 2), (3, 4))
    assert len(row.ranges) == 100


@pytest.mark.timed
def test_long_axes_and_deep_chains_are_quick():
    began = time.perf_counter()
    assert unread("input: 1@16777216\nC3*2000 M C5p0*2000") == ()
    assert time.perf_counter() - began < 5


def test_what_takes_too_long_is_not_worked_out(monkeypatch):
    monkeypatch.setattr(module, "_BYTES", 1000)
    network = parse("input: 1@100000\nC1/2 C1/2")
    facts = gather(network)
    found = lost_pixels(network, facts)
    assert not found.complete
    assert found.layers == [(), (), ()]
    assert unread_pixels(network, facts).rows is None


# ---- against sets of positions ---------------------------------------------------------------------------------------


def positions_of(found, extent):
    if isinstance(found, bytes):
        assert len(found) == extent
        return {place for place, flag in enumerate(found) if flag}
    return {place for start, stop in found for place in range(start, stop)}


def brute_reads(window, outputs, extent):
    if isinstance(window, AxisReads):
        ends = [window.of(output) for output in outputs]
        return {place for first, last in ends for place in range(max(first, 0), min(last + 1, extent))}
    taps = range(window.kernel)
    if window.transposed:
        return {
            unit
            for unit in range(extent)
            if any(unit * window.stride - window.before + window.dilation * tap in outputs for tap in taps)
        }
    every = {unit * window.stride - window.before + window.dilation * tap for unit in outputs for tap in taps}
    every = {place for place in every if -max(window.before, 0) <= place < extent + max(window.after, 0)}
    if window.fill == "replicate":
        return {min(max(place, 0), extent - 1) for place in every}
    if window.fill == "circular":
        return {place % extent for place in every}
    if window.fill == "reflect":
        mirrored = {abs(place) for place in every}
        return {2 * (extent - 1) - place if place >= extent else place for place in mirrored}
    return {place for place in every if 0 <= place < extent}


@settings(max_examples=400)
@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 5),
    st.integers(-3, 6),
    st.integers(-3, 6),
    st.booleans(),
    st.integers(1, 120),
    st.randoms(use_true_random=False),
    st.sampled_from([0.1, 0.5, 0.95, 1.0]),
    st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]),
)
def test_what_a_window_reads(kernel, stride, dilation, before, after, transposed, extent, random, share, fill):
    window = AxisWindow(kernel, stride, dilation, before, after, transposed, "zeros" if transposed else fill)
    assume(max(before, after) < extent or window.fill in ("zeros", "replicate"))
    count = output_extent(extent, window)
    assume(1 <= count <= 800)
    mask = bytes(random.random() < share for _ in range(count))
    outputs = union(mask, (), count, Budget(10**9))
    wanted = brute_reads(window, {place for place, flag in enumerate(mask) if flag}, extent)
    found = read(outputs, count, window, extent, Budget(10**9))
    assert positions_of(found, extent) == wanted
    assert positions_of(read(mask, count, window, extent, Budget(10**9)), extent) == wanted
    holes, ranges = missing(found, extent)
    assert holes == extent - len(wanted)
    listed = positions_of(ranges, extent)
    assert listed <= set(range(extent)) - wanted
    assert len(listed) == holes or len(ranges) == 100


@st.composite
def uneven_windows(draw):
    """Windows that move on from output to output by as much as they like, and may begin or end outside of the axis."""
    period = draw(st.integers(1, 4))
    first, last = [draw(st.integers(-4, 3))], [draw(st.integers(-4, 3))]
    for _ in range(period - 1):
        first.append(first[-1] + draw(st.integers(0, 4)))
        last.append(last[-1] + draw(st.integers(0, 4)))
    last = [max(ends) for ends in zip(first, last, strict=True)]
    return AxisReads(tuple(first), tuple(last), max(first[-1] - first[0], last[-1] - last[0]) + draw(st.integers(0, 4)))


@given(uneven_windows(), st.integers(1, 30), st.lists(st.booleans(), min_size=1, max_size=20))
def test_what_uneven_windows_read(window, extent, mask):
    wanted = brute_reads(window, {place for place, flag in enumerate(mask) if flag}, extent)
    for outputs in (bytes(mask), union(bytes(mask), (), len(mask), Budget(10**9))):
        assert positions_of(read(outputs, len(mask), window, extent, Budget(10**9)), extent) == wanted


def test_budgets_end():
    budget = Budget(10)
    budget.spend(10)
    with pytest.raises(BudgetError):
        budget.spend(1)
    assert everything(0) == ()


TOKENS = [
    "C1",
    "C3",
    "C3/2",
    "C2/2p0",
    "C3d2",
    "C3preflect",
    "C2/3p1:0reflect",
    "C3/4p1replicate",
    "C2/2p2circular",
    "pad(2,reflect)",
    "M",
    "M3/2p1",
    "C4/3p1",
    "C1/2",
    "up(2)",
    "T2/2",
    "T3/2p3",
    "pad(-1)",
    "R",
]

UNEVEN = ["up(2/3)", "up(1/3,bilinear)", "up(@input,bilinear)", "resize(3)", "resize(4,bilinear,aligned)", "GAP3"]
"""Windows that differ from unit to unit."""


@st.composite
def specs(draw):
    items = []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.integers(0, 3)):
            items.append(draw(st.sampled_from(TOKENS)))
        else:
            branches = [" ".join(draw(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=2))) for _ in range(2)]
            items.append(f"({branches[0]} + {draw(st.sampled_from([branches[1], 'x']))})")
    return f"input: 2@{draw(st.integers(4, 40))}\n{' '.join(items)}"


@settings(max_examples=200)
@given(st.integers(4, 40), st.lists(st.sampled_from([*TOKENS, *UNEVEN, *UNEVEN]), min_size=1, max_size=4))
def test_unread_and_lost_pixels_of_uneven_windows_against_sets(extent, items):
    assert_pixels_against_sets(f"input: 2@{extent}\n{' '.join(items)}")


@settings(max_examples=300)
@given(specs())
def test_unread_and_lost_pixels_against_sets(text):
    assert_pixels_against_sets(text)


def assert_pixels_against_sets(text):
    try:
        network = parse(text)
    except SpecError:
        assume(False)
    facts = gather(network)
    nodes = network.nodes
    needed = {node.index: set() for node in nodes}
    needed[network.outputs["main"]] = set(range(nodes[network.outputs["main"]].output.spatial[0]))
    rows = lost_pixels(network, facts).layers
    for node in reversed(nodes):
        window = facts[node.index].window
        for source in node.inputs:
            extent = nodes[source].output.spatial[0]
            if not window.by_axis:
                needed[source] |= needed[node.index]
                continue
            (axis,) = window.by_axis
            needed[source] |= brute_reads(axis, needed[node.index], extent)
            outputs = set(range(node.output.spatial[0]))
            skipped = set(range(extent)) - brute_reads(axis, outputs, extent)
            assert [(row.pixels, row.first) for row in rows[node.index]] == (
                [(len(skipped), min(skipped))] if skipped else []
            )
            if skipped:
                (row,) = rows[node.index]
                read_pixels = set(range(extent)) - skipped
                assert row.trailing == (not read_pixels or min(skipped) > max(read_pixels))
                if not isinstance(axis, AxisReads) and not axis.transposed:
                    front, back = max(axis.before, 0), max(axis.after, 0)
                    shifted = axis.replace(before=axis.before - front)
                    padded = brute_reads(shifted.replace(fill="zeros"), outputs, front + extent + back)
                    assert row.padding == front + back - len(padded - set(range(front, front + extent)))
    extent = nodes[0].output.spatial[0]
    missed = set(range(extent)) - needed[0]
    found = unread_pixels(network, facts).rows
    assert [row.pixels for row in found] == ([len(missed)] if missed else [])
    if missed:
        assert positions_of(found[0].ranges, extent) == missed

"""Plots: every value where its axis says, round ticks, gaps, and texts that stay on the page."""

import math
import re
from itertools import combinations, pairwise
from math import hypot

import pytest

import convsize
from convsize.analyses.memory.peak import training_memory
from convsize.records import TrainingSetting
from convsize.views.answers.pictures import memory as memory_picture
from convsize.views.canvas.colours import THEMES
from convsize.views.canvas.scene import Dot, Line, Text, text_width
from convsize.views.plot.axes import PlacedAxis
from convsize.views.plot.labels import Label, placed_or_numbered
from convsize.views.plot.plot import Axis, Bar, Curve, Mark, Panel, Plot, Spot, Spots, inline, scene, shapes
from convsize.views.text import numbers


def texts(plot):
    return [each.text for each in scene(plot).shapes if isinstance(each, Text)]


def plot_of(*curves, y=None, x=None, **rest):
    return Plot("A plot", x or Axis("step"), (Panel(y or Axis("loss"), curves, **rest),))


def test_linear_ticks_are_round_and_lie_on_the_axis():
    axis = PlacedAxis(Axis("", "number"), [0.13, 0.87], 300, 0)
    ticks = axis.ticks(lambda _: 40)
    assert [text for _, text in ticks] == ["0", "0.2", "0.4", "0.6", "0.8"]
    assert [place for place, _ in ticks] == pytest.approx([axis.place(0.2 * at) for at in range(5)])


def test_bytes_have_ticks_of_powers_of_two():
    axis = PlacedAxis(Axis("", "bytes"), [0, 5.5 * 2**30], 300, 0)
    assert [text for _, text in axis.ticks(lambda _: 60)] == ["0", "2 GiB", "4 GiB"]


@pytest.mark.parametrize("low", [1e-9, 3e-4, 1.0, 7.0, 2e12])
@pytest.mark.parametrize("ratio", [1.0, 1.5, 20.0, 1e6])
@pytest.mark.parametrize("scale", ["linear", "log", "log2"])
def test_ticks_never_touch(low, ratio, scale):
    axis = PlacedAxis(Axis("", "number", scale), [low, low * ratio], 0, 500)
    ticks = axis.ticks(lambda text: text_width(text, 9) + 10)
    assert all(-1 <= place <= 501 for place, _ in ticks)
    for (one, text), (other, after) in pairwise(ticks):
        assert other - one >= (text_width(text, 9) + text_width(after, 9)) / 2 + 10 - 1e-6


def test_words_as_ticks_leave_out_what_has_no_room():
    axis = PlacedAxis(Axis("", ticks=tuple((float(at), f"layer{at}") for at in range(100))), [0, 100], 0, 500)
    written = axis.ticks(lambda text: text_width(text, 9) + 14)
    assert written[0][1] == "layer0"
    assert 3 < len(written) < 20


def test_a_line_goes_through_its_points():
    found, _, _ = shapes(plot_of(Curve("loss", [0, 1, 2], [3.0, 1.0, 2.0])), THEMES["light"], 0, 0)
    line = next(each for each in found if isinstance(each, Line) and each.width == 1.8)
    (_, first), (middle, lowest), (right, _) = line.points
    assert middle - line.points[0][0] == pytest.approx(right - middle)
    assert lowest > first  # the page's y grows downwards


def test_what_has_no_place_leaves_a_gap():
    curve = Curve("loss", [1, 2, 3, 4, 5], [1.0, 2.0, math.nan, 3.0, 4.0])
    lines = [each for each in scene(plot_of(curve)).shapes if isinstance(each, Line) and each.width == 1.8]
    assert [len(each.points) for each in lines] == [2, 2]
    logarithmic = plot_of(Curve("loss", [1, 2, 3], [0.0, 1.0, 10.0]), y=Axis("loss", scale="log"))
    lines = [each for each in scene(logarithmic).shapes if isinstance(each, Line) and each.width == 1.8]
    assert [len(each.points) for each in lines] == [2]


def test_marks_dots_and_legend_are_on_the_page():
    plot = Plot(
        "Roofline",
        Axis("FLOP/B", scale="log"),
        (
            Panel(
                Axis("FLOP/s", "count", "log"),
                (Curve("roof", [0.1, 10, 1000], [1e9, 1e11, 1e11]), Curve("other", [0.1, 1000], [1e10, 1e10])),
                (Spots("layers", (Spot(3, 2e10, "conv1", "conv1: 20G"), Spot(400, 9e10, "conv_with_a_long_name"))),),
                (Mark(400, "the best", 9e10), Mark(10, "ridge")),
            ),
        ),
        subtitle="on a processor",
    )
    page = scene(plot)
    for each in page.shapes:
        if isinstance(each, Text):
            wide = text_width(each.text, each.size, bold=each.bold)
            start = {"start": each.at[0], "middle": each.at[0] - wide / 2, "end": each.at[0] - wide}[each.anchor]
            assert start >= 0
            assert start + wide <= page.width
            assert 0 <= each.at[1] <= page.height
    assert {"Roofline", "on a processor", "conv1", "ridge", "the best", "roof", "layers"} <= set(texts(plot))
    assert sum(isinstance(each, Dot) for each in page.shapes) >= 3


def test_a_second_axis_has_its_own_scale():
    plot = plot_of(
        Curve("images a second", [1, 2, 4], [10, 18, 30]),
        Curve("memory", [1, 2, 4], [2**30, 2**31, 2**32], second=True),
        second=Axis("memory", "bytes"),
        x=Axis("batch", scale="log2"),
    )
    found = texts(plot)
    assert {"1", "2", "4"} <= set(found)
    assert any(text.endswith("GiB") for text in found)


def test_the_same_plot_gives_the_same_picture_in_either_theme():
    plot = plot_of(Curve("loss", list(range(50_000)), [1 / (1 + at) for at in range(50_000)]))
    assert scene(plot) == scene(plot)
    assert len(next(each for each in scene(plot).shapes if isinstance(each, Line) and each.width == 1.8).points) < 8000
    light, dark = (scene(plot, theme=theme) for theme in ("light", "dark"))
    assert [type(each) for each in light.shapes] == [type(each) for each in dark.shapes]
    assert light.colours != dark.colours


def test_nothing_to_show_is_an_empty_plot():
    assert "A plot" in texts(plot_of(Curve("loss", [], [])))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (1.5, "1.500 s"),
        (0.0123, "12.30 ms"),
        (0.99996, "1.000 s"),
        (4.2e-5, "42.00 µs"),
        (3e-9, "3.000 ns"),
    ],
)
def test_durations(seconds, text):
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5e7, "count", "50M"),
        (2**28, "bytes", "256 MiB"),
        (0.0025, "seconds", "2.5 ms"),
        (0.2, "share", "20%"),
        (0.05, "number", "0.05"),
        (0, "bytes", "0"),
        (1e-7, "number", "1e-7"),
    ],
)
def test_short_numbers(value, unit, text):
    assert numbers.short(value, unit) == text


def test_the_course_of_a_step():
    network = convsize.parse("input: 3@16x16\nC3D8 R M C3D16 R GAP FC10")
    peak = training_memory(network, TrainingSetting(4, "adamw")).peak
    found = [each.text for each in memory_picture.scene("net", "batch 4", peak).shapes if isinstance(each, Text)]
    assert {"net", "batch 4", "backward", "optimizer", "conv1"} <= set(found)
    where = peak.moment if peak.layer is None else f"{peak.moment} of {peak.layer}"
    assert f"{numbers.size(peak.bytes)}: {where}" in found


@pytest.mark.parametrize("mark", [Mark(0, "here"), Mark(3, "here", 0.0), Mark(3, "here", math.nan)])
def test_marks_without_a_place_are_left_out(mark):
    plot = plot_of(
        Curve("loss", [1, 10], [1.0, 2.0]), x=Axis("step", scale="log"), y=Axis("loss", scale="log"), marks=(mark,)
    )
    assert "here" not in texts(plot)


def test_bars_stand_on_zero_and_lead_to_their_rows() -> None:
    bars = tuple(Bar(at, value, f"layer {at}: <{value}>", f"row-{at}") for at, value in enumerate((4.0, 0.0, 8.0)))
    axis = Axis("", include=(-0.5, 2.5), ticks=((0.0, "a"), (1.0, "b"), (2.0, "c")))
    found = inline(Plot("", axis, (Panel(Axis("MACs", "count"), bars=bars),)), "MACs over depth")
    boxes = re.findall(r'<polygon points="([^"]+)"[^>]* class="point" data-to="(row-\d)" role="img"><title>', found)
    heights = []
    for points, _ in boxes:
        ys = [float(point.split(",")[1]) for point in points.split()]
        heights.append(max(ys) - min(ys))
    assert [target for _, target in boxes] == ["row-0", "row-1", "row-2"]
    assert heights[1] == 0
    assert heights[2] == pytest.approx(2 * heights[0], abs=0.05)
    assert "<title>layer 0: &lt;4.0&gt;</title>" in found
    assert 'role="group" aria-label="MACs over depth"' in found


def test_names_of_crowded_dots_cover_no_other_name_and_lines_lead_to_them() -> None:
    spots = tuple(Spot(3 + at % 6 * 0.1, 2 + at // 6 * 1.3, f"network {at}") for at in range(30))
    far = (Spot(9, 9, "far"), Spot(1, 9, "away"))
    found, _, _ = shapes(
        Plot("", Axis("x"), (Panel(Axis("y"), spots=(Spots("", (*spots, *far)),), height=400),)), THEMES["light"], 0, 0
    )
    texts = [shape for shape in found if isinstance(shape, Text) and re.match("network|far|away", shape.text)]
    assert len(texts) == 32
    boxes = [(t.at[0], t.at[1] - 8, t.at[0] + text_width(t.text, t.size), t.at[1] + 2) for t in texts]
    covered = [
        (one, other)
        for one, other in combinations(boxes, 2)
        if min(one[2], other[2]) - max(one[0], other[0]) > 0.5 and min(one[3], other[3]) - max(one[1], other[1]) > 0.5
    ]
    assert covered == []
    # The two dots that stand alone have their names beside them; of the others those that have no room have numbers.
    faint = [shape for shape in found if isinstance(shape, Line) and shape.colour == THEMES["light"].faint]
    assert all(
        hypot(line.points[1][0] - line.points[0][0], line.points[1][1] - line.points[0][1]) < 30 for line in faint
    )
    listed = {shape.text: shape.at for shape in texts if shape.at[0] > 740}
    assert not {"far", "away"} & listed.keys()
    numbers = [shape for shape in found if isinstance(shape, Text) and shape.text.isdigit() and shape.at[0] > 740]
    assert [int(shape.text) for shape in numbers] == list(range(1, len(listed) + 1))
    assert [at[1] for at in listed.values()] == [shape.at[1] for shape in numbers]


@pytest.mark.parametrize("count", [2, 12, 60])
def test_every_number_stands_at_its_dot(count: int) -> None:
    labels = [Label(f"network {at}", (200 + at % 8 * 9.0, 100 + at // 8 * 7.0), 3 + at % 5 * 4) for at in range(count)]
    texts, numbered = placed_or_numbered(labels, THEMES["light"], 9, (0, 0, 700, 400))
    there = {shape.text: shape.at for shape in texts if isinstance(shape, Text)}
    assert len(there) == count
    for label in labels:
        text = str(numbered.index(label) + 1) if label in numbered else label.text
        x, y = there[text]
        wide = text_width(text, 9)
        across = max(x - label.centre[0], label.centre[0] - x - wide, 0)
        down = max(y - 8 - label.centre[1], label.centre[1] - y - 2, 0)
        assert hypot(across, down) <= label.radius + 36, (text, across, down)

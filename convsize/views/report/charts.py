"""The charts of a report, as SVG that stands in the page: they show without scripts, print, and can be read aloud.

They are plots like those of every command. Their points have names and lead to the rows of the table; the page gives
their colours a dark and a light value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan, prod

from convsize.record import Record
from convsize.records import LayerRow, Report
from convsize.views.answers.comparison import compare
from convsize.views.answers.pictures.comparison import BUBBLES, SCATTER
from convsize.views.answers.pictures.comparison import scatter as bubbles
from convsize.views.plot.plot import Axis, Bar, Curve, Panel, Plot, Spot, Spots, inline
from convsize.views.report.content import Step, steps, volumes
from convsize.views.text import numbers
from convsize.words import grid_word, plural

_HEIGHT = 150.0
_DOT = 3.0


class Chart(Record):
    """A chart with its heading, one sentence on what it shows, and its drawing."""

    key: str
    title: str
    summary: str
    svg: str


def charts(report: Report) -> tuple[Chart, ...]:
    """What a network costs and sees, from its first layer to its last."""
    points = steps(report)
    totals, batch = report.totals, numbers.exact(report.batch)
    found = [
        _volumes(points, report),
        _bars(points, "parameters", "Parameters", lambda step: step.parameters, totals.parameters, "parameters"),
        _bars(points, "macs", "Multiply-adds", lambda step: step.macs, totals.macs, "MACs"),
        _bars(
            points,
            "memory",
            f"Activation memory, batch {batch}",
            lambda step: step.output_bytes,
            totals.activation_bytes,
            "activations",
            "bytes",
        ),
    ]
    fields = _fields(points, report)
    return (*found, fields) if fields is not None else tuple(found)


def scatter(reports: Sequence[tuple[Report, str]]) -> Chart:
    """MACs against parameters of several networks, each with the page it leads to."""
    plot = bubbles(compare([report for report, _ in reports]), [page for _, page in reports])
    summary = f"Both axes are logarithmic; {BUBBLES}."
    return Chart("scatter", SCATTER, summary, inline(plot.replace(title="", subtitle=""), SCATTER))


# ---- one chart each --------------------------------------------------------------------------------------------------


def _volumes(points: Sequence[Step], report: Report) -> Chart:
    series = (
        ("channels", [step.first.output[0] for step in points]),
        ("positions", [prod(step.first.output[1:]) for step in points]),
    )
    curves, dots = [], []
    for hue, (noun, values) in enumerate(series):
        places = [float(at) for at in range(len(points))]
        curves.append(Curve(noun, places, [float(value) for value in values], dashed=hue > 0, hue=hue))
        spots = tuple(
            _spot(
                at,
                value,
                f"{step.first.name}: {numbers.volume(step.first.output)}, {numbers.exact(value)} {noun}",
                step.first,
            )
            for at, (step, value) in enumerate(zip(points, values, strict=True))
        )
        dots.append(Spots("", spots, hue))
    panel = Panel(Axis("values", "count", "log", include=(1.0,)), tuple(curves), spots=tuple(dots), height=_HEIGHT)
    summary = f"From {volumes(report.inputs)} to {volumes(report.outputs)}. The axis is logarithmic."
    return Chart("volume", "Volume", summary, _drawn("Volume over depth", points, panel))


def _bars(
    points: Sequence[Step],
    key: str,
    title: str,
    figure: Callable[[Step], int],
    total: int,
    noun: str,
    unit: numbers.Unit = "count",
) -> Chart:
    write = numbers.size if unit == "bytes" else numbers.count

    def text(step: Step) -> str:
        value = figure(step)
        exact = f"{numbers.exact(value)}{' bytes' if unit == 'bytes' else ''}"
        return f"{step.label}: {exact} ({write(value)}), {numbers.share(value / (total or 1))} of the {noun}"

    bars = tuple(Bar(at, figure(step), text(step), _row(step.first)) for at, step in enumerate(points))
    panel = Panel(Axis("bytes" if unit == "bytes" else noun, unit), bars=bars, height=_HEIGHT)
    largest = max(points, key=figure)
    share = numbers.share(figure(largest) / (total or 1))
    summary = (
        f"The largest is {largest.label}: {write(figure(largest))} of {write(total)}, {share}."
        if figure(largest)
        else f"There are no {noun}."
    )
    return Chart(key, title, summary, _drawn(f"{title} over depth", points, panel))


def _fields(points: Sequence[Step], report: Report) -> Chart | None:
    """The receptive field along its longest axis; a unit after global pooling sees all, and is left out."""
    spots: list[Spot] = []
    noun = grid_word(len(report.inputs[0][1]) - 1)
    values = [nan] * len(points)
    for at, step in enumerate(points):
        row = next((row for row in reversed(step.rows) if _has_position(row)), None)
        if row is None or row.receptive_field is None:
            continue
        size = row.receptive_field.size
        values[at] = float(max(size))
        spots.append(
            _spot(at, max(size), f"{row.name}: {numbers.sized(size, noun)}{' an axis' if len(size) > 1 else ''}", row)
        )
    image = max(report.inputs[0][1][1:], default=0)
    if not spots or not image:
        return None
    places = [float(at) for at in range(len(points))]
    curves = (
        Curve("receptive field", places, values, hue=0),
        Curve("the input's extent", list(_ends(points)), [float(image)] * 2, dashed=True, hue=1),
    )
    panel = Panel(Axis(f"{noun}s"), curves, spots=(Spots("", tuple(spots)),), height=_HEIGHT)
    sizes = [int(spot.y) for spot in spots]
    summary = f"It grows from {sizes[0]} to {plural(max(sizes), noun)}; the input has {image}."
    return Chart("field", "Receptive field", summary, _drawn("Receptive field over depth", points, panel))


def _has_position(row: LayerRow) -> bool:
    field = row.receptive_field
    return field is not None and not field.whole and bool(field.size)


def _spot(at: int, value: int, title: str, row: LayerRow) -> Spot:
    return Spot(at, value, title=title, radius=_DOT, target=_row(row))


def _row(row: LayerRow) -> str:
    """The id of a layer's row in the table."""
    return f"row-{row.index}"


def _ends(points: Sequence[Step]) -> tuple[float, float]:
    """Half a place before the first step, and half a place after the last."""
    return -0.5, len(points) - 0.5


def _drawn(name: str, points: Sequence[Step], panel: Panel) -> str:
    ticks = tuple((float(at), step.first.name) for at, step in enumerate(points))
    return inline(Plot("", Axis("", include=_ends(points), ticks=ticks), (panel,)), name)

"""The charts of a report, as SVG that stands in the page: they show without scripts, print, and can be read aloud.

pygal draws them. It is plain Python, alive and small, and its charts are elements with titles, where uPlot and Chart.js
paint on a canvas that screen readers and printers see as a picture, and where Observable Plot would bring half a
megabyte of D3 into every page. Of its output only the shapes are kept: the colours are the page's, so that one chart
serves a light and a dark page, and no script, no date and no random id is left in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from math import prod
from typing import Any

from convsize.errors import UsageError
from convsize.record import Record
from convsize.records import LayerRow, Report
from convsize.views.report.content import Step, steps, volumes
from convsize.views.text import numbers

_WIDTH, _HEIGHT = 920, 250
_DIGITS = re.compile(r"-?\d+\.\d+")


class Chart(Record):
    """A chart with its heading, one sentence on what it shows, and its drawing."""

    key: str
    title: str
    summary: str
    svg: str


class _Point(Record):
    """A point: its value, what is said of it, and the layer it leads to."""

    value: Any
    text: str
    target: str
    size: float | None = None


def require_pygal() -> None:
    """Raises UsageError where pygal is not installed."""
    from importlib.util import find_spec

    if find_spec("pygal") is None:
        raise UsageError(
            "the charts of HTML reports need pygal, which is not installed: pip install 'convsize[report]' "
            "(--format markdown needs nothing)"
        )


def charts(report: Report) -> tuple[Chart, ...]:
    """What a network costs and sees, from its first layer to its last. Raises UsageError where there is no pygal."""
    require_pygal()
    points = steps(report)
    found = [
        _volumes(points, report),
        _bars(
            points,
            "parameters",
            "Parameters",
            lambda step: step.parameters,
            report.totals.parameters,
            numbers.count,
            "parameters",
        ),
        _bars(points, "macs", "Multiply-adds", lambda step: step.macs, report.totals.macs, numbers.count, "MACs"),
        _bars(
            points,
            "memory",
            f"Activation memory, batch {numbers.exact(report.batch)}",
            lambda step: step.output_bytes,
            report.totals.activation_bytes,
            numbers.size,
            "activations",
        ),
    ]
    fields = _fields(points, report)
    return (*found, fields) if fields is not None else tuple(found)


def scatter(reports: Sequence[tuple[Report, str]]) -> Chart:
    """MACs against parameters of several networks, each with the page it leads to; memory as the dots' area."""
    require_pygal()
    real = [(report, page) for report, page in reports if report.totals.macs and report.totals.parameters]
    most = max((report.totals.activation_bytes for report, _ in real), default=1)
    points = [
        _Point(
            (report.totals.parameters, report.totals.macs),
            f"{report.name}: {numbers.count(report.totals.parameters)} parameters, "
            f"{numbers.count(report.totals.macs)} MACs, activations {numbers.size(report.totals.activation_bytes)}",
            page,
            round(3 + 13 * (report.totals.activation_bytes / most) ** 0.5, 1),
        )
        for report, page in real
    ]
    import pygal  # type: ignore[import-untyped]

    costs = [report.totals.macs for report, _ in real]
    weights = [report.totals.parameters for report, _ in real]
    chart = pygal.XY(
        **(_settings(height=440) | {"show_minor_x_labels": True}),
        stroke=False,
        show_legend=False,
        logarithmic=True,
        show_x_guides=True,
        x_value_formatter=lambda value: numbers.count(round(value)),
        value_formatter=lambda value: numbers.count(round(value)),
        x_title="parameters",
        y_title="MACs",
    )
    if real:
        chart.range = (min(costs) * 0.7, max(costs) * 1.5)
        chart.xrange = (min(weights) * 0.7, max(weights) * 1.5)
        chart.y_labels = _powers(min(costs), max(costs))
        chart.x_labels = _powers(min(weights), max(weights))
    chart.add("networks", [{"value": point.value, "node": {"r": point.size}} for point in points])
    title = "Multiply-adds against parameters"
    summary = "Both axes are logarithmic. The larger a dot, the more memory the activations take."
    return Chart("scatter", title, summary, _drawn(chart, title, [points]))


# ---- one chart each --------------------------------------------------------------------------------------------------


def _volumes(points: Sequence[Step], report: Report) -> Chart:
    import pygal

    chart = pygal.Line(
        **_settings(), logarithmic=True, value_formatter=lambda value: numbers.count(round(value)), dots_size=3
    )
    series = {
        "channels": [_of(step, step.last.output[0], "channels") for step in points],
        "positions (height × width)": [_of(step, prod(step.last.output[1:]), "positions") for step in points],
    }
    most = max(point.value for each in series.values() for point in each)
    chart.y_labels = _powers(1, most)
    chart.range = (1, max(most, 10))
    _labels(chart, points)
    for name, values in series.items():
        chart.add(name, [point.value for point in values])
    summary = f"From {volumes(report.inputs)} to {volumes(report.outputs)}. The axis is logarithmic."
    return Chart("volume", "Volume", summary, _drawn(chart, "Volume over depth", list(series.values())))


def _bars(
    points: Sequence[Step],
    key: str,
    title: str,
    figure: Callable[[Step], int],
    total: int,
    write: Callable[[int], str],
    noun: str,
) -> Chart:
    import pygal

    chart = pygal.Bar(**_settings(), show_legend=False, value_formatter=lambda value: write(round(value)))
    values = [
        _Point(
            figure(step),
            f"{step.label}: {numbers.exact(figure(step))}{' bytes' if write is numbers.size else ''} "
            f"({write(figure(step))}), {numbers.share(figure(step) / (total or 1))} of the {noun}",
            f"row-{step.first.index}",
        )
        for step in points
    ]
    _labels(chart, points)
    most = max(point.value for point in values)
    chart.y_labels = _ticks(most, 1024 if write is numbers.size else 1000)
    chart.range = (0, max(most, 1))
    chart.add(title, [point.value for point in values])
    largest = max(points, key=figure)
    summary = (
        f"The most, {write(figure(largest))} or {numbers.share(figure(largest) / (total or 1))} of "
        f"{write(total)}, at {largest.label}."
        if figure(largest)
        else f"There are no {noun}."
    )
    return Chart(key, title, summary, _drawn(chart, f"{title} over depth", [values]))


def _fields(points: Sequence[Step], report: Report) -> Chart | None:
    """The receptive field along its longest axis; a unit behind global pooling sees all, and is left out."""
    import pygal

    values = []
    for step in points:
        row = next((row for row in reversed(step.rows) if _has_position(row)), None)
        field = None if row is None else row.receptive_field
        if row is None or field is None:
            values.append(_Point(None, "", ""))
        else:
            text = f"{row.name}: {numbers.axes(field.size)} pixels an axis"
            values.append(_Point(max(field.size), text, f"row-{row.index}"))
    sizes = [point.value for point in values if point.value is not None]
    image = max(report.inputs[0][1][1:], default=0)
    if not sizes or not image:
        return None
    chart = pygal.Line(
        **_settings(),
        value_formatter=lambda value: f"{numbers.exact(round(value))} px",
        dots_size=3,
        allow_interruptions=True,
    )
    most = max(*sizes, image)
    _labels(chart, points)
    chart.y_labels = _ticks(most, 1000)
    chart.range = (0, most)
    chart.add("receptive field", [point.value for point in values])
    chart.add("the input's extent", [image] * len(values), show_dots=False)
    summary = f"It grows from {sizes[0]} to {max(sizes)} pixels; the input has {image}."
    return Chart("field", "Receptive field", summary, _drawn(chart, "Receptive field over depth", [values, []]))


def _has_position(row: LayerRow) -> bool:
    field = row.receptive_field
    return field is not None and not field.whole and bool(field.size)


# ---- how pygal is asked ----------------------------------------------------------------------------------------------


def _settings(height: int = _HEIGHT) -> dict[str, Any]:
    return {
        "width": _WIDTH,
        "height": height,
        "margin": 6,
        "js": (),
        "legend_at_bottom": True,
        "legend_box_size": 10,
        "show_minor_x_labels": False,
        "truncate_label": -1,
        "truncate_legend": -1,
        "print_values": False,
        "spacing": 8,
    }


def _labels(chart: Any, points: Sequence[Step]) -> None:
    """Names under the axis, no more than stand side by side."""
    names = [step.first.name for step in points]
    room = max(1, 100 // (max(map(len, names)) + 2))
    every = -(-len(names) // room)
    # pygal knows labels by their text, and names are unique.
    chart.x_labels = names
    chart.x_labels_major = names[::every]


def _of(step: Step, value: int, noun: str) -> _Point:
    text = f"{step.label}: {numbers.volume(step.last.output)}, {numbers.exact(value)} {noun}"
    return _Point(value, text, f"row-{step.first.index}")


def _ticks(most: int, base: int) -> list[float]:
    """About four round numbers from 0 upwards, in multiples of the units that they are written in."""
    unit = 1
    while most >= unit * base:
        unit *= base
    goal = most / unit / 4
    step = next((each for each in (0.25, 0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 250) if each >= goal), 256)
    step = max(step, 1) if unit == 1 else step
    count = int(most / unit / step) + 1
    return [round(at * step * unit) for at in range(count)]


def _powers(low: int, high: int) -> list[int]:
    """The powers of ten from one to the other."""
    found = []
    value = 1
    while value <= high:
        if value >= low:
            found.append(value)
        value *= 10
    return found


# ---- what is kept of its drawing -------------------------------------------------------------------------------------

_LENGTHS = frozenset(("x", "y", "cx", "cy", "r", "d", "width", "height", "transform"))
_DROPPED = {"defs", "desc", "script", "style", "title"}
_CLASSES = re.compile(r"\b(?:reactive|tooltip-trigger|always_show|activate-serie|centered|logarithmic)\b ?")


def _drawn(chart: Any, title: str, series: Sequence[Sequence[_Point]]) -> str:
    """The chart as one SVG element; its points carry their texts and the ids that they lead to."""
    chart.uuid = "chart"
    root = chart.render_tree()
    marks = iter([point for points in series for point in points if point.value is not None])
    body = "".join(_written(child, marks) for child in root)
    size = f'viewBox="0 0 {root.get("viewBox").split(" ", 2)[2]}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="group" aria-label="{escape(title)}">{body}</svg>'


def _written(element: Any, marks: Any) -> str:
    """An element and what is in it, without what only pygal's own script has a use for."""
    if not isinstance(element.tag, str):  # a comment
        return ""
    tag = element.tag.rpartition("}")[2]
    kind = element.get("class") or ""
    if tag in _DROPPED or "tooltip-overlay" in kind or "text-overlay" in kind:
        return ""
    attributes = {name: value for name, value in element.attrib.items() if name != "id" and value not in ("", "0")}
    inside = escape(element.text or "", quote=False)
    if "tooltip-trigger" in kind:
        point = next(marks)
        attributes |= {"data-to": point.target, "aria-label": point.text, "role": "img", "class": "point"}
        inside += f"<title>{escape(point.text)}</title>"
    elif "class" in attributes:
        attributes["class"] = _CLASSES.sub("", attributes["class"]).strip()
    inside += "".join(_written(child, marks) for child in element)
    if tag == "g" and not inside:
        return ""
    said = "".join(f' {name}="{_short(name, value)}"' for name, value in _sorted(attributes.items()) if value)
    return f"<{tag}{said}>{inside}</{tag}>" if inside else f"<{tag}{said}/>"


def _sorted(items: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted((name.rpartition("}")[2], value) for name, value in items)


def _short(name: str, value: str) -> str:
    """A tenth of a pixel is enough."""
    if name in _LENGTHS:
        value = _DIGITS.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)
    return escape(value)

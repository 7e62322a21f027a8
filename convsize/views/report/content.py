"""What a report page says of a network, whatever it is written in: figures, layers, and the points of charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Literal

from convsize.geometry import Window
from convsize.record import Record
from convsize.records import FileFindings, LayerRow, Report, RulePage
from convsize.views.analysis.columns import step_counters
from convsize.views.drawing.folded import draw
from convsize.views.drawing.parts import Detail, Part
from convsize.views.text import numbers
from convsize.views.text.fold import Line, fold, unfolded
from convsize.words import grid_word, plural

Format = Literal["html", "markdown"]

MOST_LINES = 800
"""Layers that a page lists. A listing of more is folded and then cut, or the page would be larger than a megabyte."""

MOST_POINTS = 400
"""Points of a chart; more would stand closer than two pixels."""

MOST_TEXT = 50_000
"""Characters of a spec that a page shows."""

MOST_SHAPES = 300
"""Shapes of a drawing that a person can find their way in."""


class NetworkPage(Record):
    """What a page is written from: the analyses, the findings with the rules they are by, and each layer's window.

    windows are by the layer's index; rules are those that any finding is by.
    """

    report: Report
    findings: FileFindings
    rules: tuple[RulePage, ...]
    windows: Mapping[int, Window]


class Figure(Record):
    """A headline figure: what it is called, how it is written, the number itself, and how it comes about."""

    name: str
    title: str
    text: str
    value: int | None
    explanation: str


class Step(Record):
    """A layer with multiply-adds and the layers right after it, up to the next one: one point of the charts.

    ResNet-152 has 514 layers and 156 of these; a chart of all layers would show norms and activations, which cost and
    change nothing, at two places of three. Where there are too many to draw, a point is several of them.
    """

    rows: tuple[LayerRow, ...]

    @property
    def first(self) -> LayerRow:
        """The layer it is called after."""
        return self.rows[0]

    @property
    def label(self) -> str:
        """The first layer's name, with how many follow."""
        after = len(self.rows) - 1
        if not after:
            return self.first.name
        return f"{self.first.name} with the {'layer' if after == 1 else plural(after, 'layer')} after it"

    @property
    def parameters(self) -> int:
        """Of all its layers."""
        return sum(row.parameters for row in self.rows)

    @property
    def macs(self) -> int:
        """Of all its layers."""
        return sum(row.macs for row in self.rows)

    @property
    def output_bytes(self) -> int:
        """Of all its layers."""
        return sum(row.output_bytes for row in self.rows)


def steps(report: Report) -> tuple[Step, ...]:
    """The layers of a network in the order of the spec, as the charts show them."""
    found: list[list[LayerRow]] = []
    for row in report.layers:
        if row.macs or not found:
            found.append([row])
        else:
            found[-1].append(row)
    together = -(-len(found) // MOST_POINTS)
    if together > 1:
        found = [[row for rows in found[at : at + together] for row in rows] for at in range(0, len(found), together)]
    return tuple(Step(tuple(rows)) for rows in found)


def listing(report: Report) -> tuple[Line, ...]:
    """The lines of the table: every layer, or folded where they are too many, and no more than a page can hold."""
    return unfolded(report.layers) if len(report.layers) <= MOST_LINES else fold(report.layers)[:MOST_LINES]


def spec_text(report: Report) -> str:
    """The spec, or as much of it as a page can hold."""
    text = report.source.text
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"


def drawn(report: Report, most: int = MOST_SHAPES) -> tuple[Detail, tuple[Part, ...]] | None:
    """The finest of the details "block" and "network" at which a drawing has no more than so many shapes, if any."""
    details: tuple[Detail, ...] = ("block", "network")
    for detail in details:
        parts = tuple(draw(report, detail).leaves())
        if len(parts) <= most:
            return detail, parts
    return None


def figures(page: NetworkPage) -> tuple[Figure, ...]:
    """The figures at the head of a page."""
    report = page.report
    totals = report.totals
    field = totals.receptive_field
    work = "".join(f" + {numbers.exact(flops)} {kind}" for kind, flops in totals.work)
    batch = f"batch {numbers.exact(report.batch)}"
    image = report.inputs[0][1][1:]
    noun = grid_word(len(image))
    counters = step_counters(report)
    sees = "No layer has positions."
    if field is not None:
        sees = (
            f"What one unit of the last layer with positions sees of the {numbers.sized(image, noun)}"
            f"{' an axis' if len(image) > 1 else ''}"
        )
        if field.whole:
            sees += f": every unit sees {numbers.share(field.seen)} of the input."
        else:
            sees += (
                f"; neighbouring units lie {numbers.sized(field.jump, noun)} apart, and the first one begins at "
                f"{noun} {numbers.places(field.start)}. The best-placed unit sees {numbers.share(field.seen)} of the "
                "input."
            )
    return (
        Figure(
            "parameters",
            "parameters",
            numbers.count(totals.parameters),
            totals.parameters,
            f"The sum over all layers: {plural(totals.weights, 'weight')} + {plural(totals.biases, 'bias')} "
            f"= {numbers.exact(totals.parameters)}. Buffers, {plural(totals.buffers, 'value')}"
            f"{f' ({counters})' if counters else ''}, are not trained and not counted.",
        ),
        Figure(
            "macs",
            "MACs",
            numbers.count(totals.macs),
            totals.macs,
            "Multiply-adds of all convolutions and matrix products for one sample: "
            f"the sum over all layers is {numbers.exact(totals.macs)}.",
        ),
        Figure(
            "flops",
            "FLOPs",
            numbers.count(totals.flops),
            totals.flops,
            f"2 for each multiply-add and 1 for every other operation, one sample: 2·{numbers.exact(totals.macs)} MACs"
            f"{work} = {numbers.exact(totals.flops)}.",
        ),
        Figure(
            "activation_bytes",
            f"activations, {batch}",
            numbers.size(totals.activation_bytes),
            totals.activation_bytes,
            f"The outputs of all {plural(totals.layers, 'layer')} for {batch}: "
            f"{plural(totals.activation_elements, 'value')} of {report.dtype} = "
            f"{plural(totals.activation_bytes, 'byte')}. The peak of training is a different figure: see "
            "`convsize memory`.",
        ),
        Figure(
            "parameter_bytes",
            "parameter bytes",
            numbers.size(totals.parameter_bytes),
            totals.parameter_bytes,
            f"{plural(totals.parameters, 'parameter')} of {report.dtype} "
            f"= {plural(totals.parameter_bytes, 'byte')}, without gradients and optimiser state.",
        ),
        Figure(
            "weight_layers",
            "weight layers",
            numbers.exact(totals.weight_layers),
            totals.weight_layers,
            "The largest number of convolutions and fully connected layers on a path to the end of the trunk. "
            f"Layers of all kinds: {plural(totals.layers, 'layer')}.",
        ),
        Figure(
            "receptive_field",
            "receptive field",
            "–" if field is None else f"{numbers.axes(field.size)} px",
            None if field is None else prod(field.size),
            sees,
        ),
    )


def volumes(named: Sequence[tuple[str, tuple[int, ...]]]) -> str:
    """Volumes with their names; the end of the trunk and the input of a network with one need none."""
    if len(named) == 1:
        return numbers.volume(named[0][1])
    return ", ".join(f"{name} {numbers.volume(dims)}" for name, dims in named)

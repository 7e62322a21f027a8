"""The receptive field of one unit, drawn on the input, and how it grows from layer to layer.

The way that is shown is the one along which the field is largest. Of every layer on it the unit is drawn that is
nearest to the centre of the shown unit's field, of those that the unit drawn of the next layer sees: the fields lie in
each other. They have one centre only where every window has a unit in its middle, which those of an even size have not.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from convsize.errors import UsageError
from convsize.record import Record
from convsize.records import LayerRow, ReceptiveField, Report
from convsize.views.canvas.colours import THEMES, Colours, Theme, mixed
from convsize.views.canvas.scene import Dot, Image, Line, Polygon, Scene, Shape, Text, text_width
from convsize.views.text import numbers
from convsize.views.text.layout import Cell, bar, clip, full_width, line, widths, wrapped
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import grid_word, listed, meant, plural

_PANEL = 380.0
_OVERHANG = Fraction(1, 3)
"""How much of the input's extent is shown around it, for fields that reach over its borders."""

_MARGIN = 26.0
_ROW = 15.0
_MOST_ROWS = 22
_LEAST_STEP = 15.0
_PLOT_HEIGHT = 150.0
_BAR = 12
_DEPTHS = ("#0072b2", "#009e73", "#e69f00", "#d55e00")


class Step(Record):
    """A layer on the way, and what one unit of it sees: pixels first … last of every axis, the input's borders aside.

    unit: its index along every axis. clipped: how many of the pixels of every axis lie outside of the input.
    """

    row: LayerRow
    field: ReceptiveField
    unit: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    clipped: tuple[int, ...]


class Way(Record):
    """The layers from an input to the shown one, of which only those count at which the field or the jump changes."""

    input: str
    extents: tuple[int, ...]
    steps: tuple[Step, ...]

    @property
    def end(self) -> Step:
        """The layer that is shown."""
        return self.steps[-1]


def way(report: Report, layer: str | None = None, on: str | None = None) -> Way:
    """The way from an input (the first that the layer sees) to a layer; without a name to the trunk's last one that
    has a position.

    Raises UsageError where there is no such layer or input, or where the layer sees no positions of it.
    """
    rows = {row.name: row for row in report.layers}
    if on is not None and on not in dict(report.inputs):
        raise UsageError(f"no input is called `{on}`: {meant(on, list(dict(report.inputs)))}")
    if layer is None:
        placed = [each for each in report.placed if on is None or each[0] == on]
        if not placed:
            whose = "of this network has positions" if on is None else f"before the output sees positions of `{on}`"
            raise UsageError(f"no layer {whose}, so there is no receptive field to draw")
        name, target = placed[0][0], rows[placed[0][1]]
    elif layer in rows:
        target = rows[layer]
        name = on or next(iter(dict(target.receptive_fields)), "")
        if _of(target, name) is None:
            raise UsageError(f"`{target.name}` sees no positions of {f'`{on}`' if on else 'an input'}")
    else:
        raise UsageError(f"no layer is called `{layer}`: {meant(layer, list(rows))}")
    extents = dict(report.inputs)[name][1:]
    back = [target]
    while before := [rows[each] for each in back[-1].inputs if each in rows and _of(rows[each], name) is not None]:
        back.append(max(before, key=lambda row: (_size(row, name), row.index)))
    shown: list[tuple[LayerRow, ReceptiveField]] = []
    for row in reversed(back):
        field = _of(row, name)
        assert field is not None
        same = shown and (shown[-1][1].size, shown[-1][1].jump) == (field.size, field.jump)
        if same and row is target and not field.whole:
            shown.pop()
        if not same or row is target:
            shown.append((row, field))
    middle = _centre(target, name, extents)
    found: list[Step] = []
    for row, field in reversed(shown):
        found.append(_step(row, field, middle, extents, found[-1] if found else None))
    return Way(name, extents, tuple(reversed(found)))


def _of(row: LayerRow, name: str) -> ReceptiveField | None:
    return dict(row.receptive_fields).get(name)


def _size(row: LayerRow, name: str) -> int:
    field = _of(row, name)
    return sum(field.size) if field else 0


def _centre(row: LayerRow, name: str, extents: tuple[int, ...]) -> tuple[Fraction, ...]:
    """The middle of the field of the unit in the middle of a layer; of the input, where a unit sees all."""
    field = _of(row, name)
    assert field is not None
    if field.whole or len(row.output) - 1 != len(extents):
        return tuple(Fraction(extent - 1, 2) for extent in extents)
    return tuple(
        centre + jump * ((extent - 1) // 2)
        for centre, jump, extent in zip(field.centre, field.jump, row.output[1:], strict=True)
    )


def _step(
    row: LayerRow, field: ReceptiveField, middle: tuple[Fraction, ...], extents: tuple[int, ...], behind: Step | None
) -> Step:
    """What is drawn of a layer: `behind` is the step whose unit sees it, none for the layer that is shown."""
    if field.whole or len(row.output) - 1 != len(extents):
        zeros = tuple(0 for _ in extents)
        return Step(row, field, zeros, zeros, tuple(extent - 1 for extent in extents), zeros)
    units, first, last, clipped = [], [], [], []
    axes = zip(field.size, field.jump, field.start, field.centre, middle, row.output[1:], extents, strict=True)
    for axis, (size, jump, start, centre, wished, units_there, extent) in enumerate(axes):
        unit = 0
        if jump:
            unit = ceil((wished - centre) / jump - Fraction(1, 2))
            if behind is not None:
                least = ceil((behind.first[axis] - start) / jump)
                most = floor((behind.last[axis] + 1 - size - start) / jump)
                unit = min(max(unit, least), most) if least <= most else unit
            unit = min(max(unit, 0), units_there - 1)
        begin = floor(start + jump * unit)
        units.append(unit)
        first.append(begin)
        last.append(begin + size - 1)
        clipped.append(min(size, max(0, -begin) + max(0, begin + size - extent)))
    return Step(row, field, tuple(units), tuple(first), tuple(last), tuple(clipped))


def _middle(step: Step) -> tuple[int, ...]:
    """Twice the middle of what a unit sees, along every axis."""
    return tuple(first + last for first, last in zip(step.first, step.last, strict=True))


def _extent(step: Step) -> str:
    return "all" if step.field.whole else numbers.axes(step.field.size)


def _clipped(step: Step) -> str:
    return numbers.axes(step.clipped) if any(step.clipped) else "–"


# ---- on the terminal -------------------------------------------------------------------------------------------------


def render(report: Report, found: Way, *, width: int = 80, paint: Paint = PLAIN) -> str:
    """One line for every layer at which the field grows, with the share of the input that the best placed unit sees."""
    headers = ["layer", "spec", "field", "jump", "start", "clipped", "sees"]
    table = [headers]
    for step in found.steps:
        field = step.field
        table.append(
            [
                step.row.name,
                step.row.spec,
                _extent(step),
                "–" if field.whole else numbers.axes(field.jump),
                "–" if field.whole else numbers.places(field.start),
                _clipped(step),
                f"{bar(field.seen, 1, _BAR):<{_BAR}} {numbers.share(field.seen):>5}",
            ]
        )
    for drop in ("start", "jump", "spec"):
        if full_width(widths(table)) <= width:
            break
        at = table[0].index(drop)
        table = [[*row[:at], *row[at + 1 :]] for row in table]
    room = widths(table)
    room[0] = max(room[0] - max(full_width(room) - width, 0), 8)
    left = [header in ("layer", "spec", "sees") for header in table[0]]
    volume = numbers.volume(dict(report.inputs)[found.input])
    head = f"{report.name} · {found.input} {volume} · {found.end.row.name} {found.end.row.spec}"
    out = [paint(clip(head, width), "bold"), ""]
    for at, row in enumerate(table):
        styles = [("cyan" if header == "spec" else None) if at else "bold" for header in table[0]]
        cells = [Cell(clip(text, size), style) for text, size, style in zip(row, room, styles, strict=True)]
        out.append(line(cells, room, left, paint))
    places = f"{grid_word(len(found.extents))}s"
    notes = [
        f"clipped: {places} of the middle unit's field outside the input",
        "sees: the share of the input that the best-placed unit sees",
        f"{len(found.steps)} of {plural(len(report.layers), 'layer')}: those on the way of the largest field at which "
        "the field or the jump changes",
    ]
    others = [name for name, _ in report.inputs if name != found.input]
    if others:
        notes.append(
            f"on the input `{found.input}`; for another one: {listed([f'--on {name}' for name in others], 'or')}"
        )
    out += ["", *(paint(text, "dim") for note in notes for text in wrapped(note, width))]
    return "\n".join(out) + "\n"


# ---- as a picture ----------------------------------------------------------------------------------------------------


def scene(report: Report, found: Way, *, image: str | None = None, theme: Theme = "light") -> Scene:
    """The input with the fields on it, a table of the layers, and below a plot of the growth.

    `image` is a data URI of what is drawn on the input instead of a grid.
    """
    return _Picture(report, found, image, THEMES[theme]).scene()


class _Picture:
    """Draws one way. Of an input of one axis a strip is drawn, of one of three the last two axes."""

    def __init__(self, report: Report, found: Way, image: str | None, colours: Colours) -> None:
        self.report = report
        self.way = found
        self.image = image
        self.colours = colours
        self.order = {step.row.name: at for at, step in enumerate(found.steps)}
        *_, self.wide = found.extents
        self.place = grid_word(len(found.extents))
        self.high = found.extents[-2] if len(found.extents) > 1 else max(self.wide // 8, 1)
        over = [0, 0]
        for step in found.steps:
            x0, y0, x1, y1 = self.field(step)
            over = [max(over[0], -x0, x1 - self.wide), max(over[1], -y0, y1 - self.high)]
        self.over_x = min(over[0], int(self.wide * _OVERHANG) + 1)
        self.over_y = min(over[1], int(self.high * _OVERHANG) + 1)
        self.scale = _PANEL / max(self.wide + 2 * self.over_x, self.high + 2 * self.over_y)
        self.left = _MARGIN + self.over_x * self.scale
        self.top = 70 + self.over_y * self.scale

    def field(self, step: Step) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what a unit sees, in pixels, the last ones excluded."""
        x0, x1 = step.first[-1], step.last[-1] + 1
        if len(self.way.extents) == 1:
            return x0, 0, x1, self.high
        return x0, step.first[-2], x1, step.last[-2] + 1

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.left + x * self.scale, self.top + y * self.scale

    def scene(self) -> Scene:
        shapes: list[Shape] = [*self.heading(), *self.ground(), *self.fields()]
        bottom = self.top + (self.high + self.over_y) * self.scale
        right = _MARGIN + (self.wide + 2 * self.over_x) * self.scale + 30
        table, table_right, table_bottom = self.table(right)
        shapes += table
        top = max(bottom, table_bottom) + 46
        plot, plot_right = self.plot(top, max(table_right, 560.0))
        shapes += plot
        wide = max(table_right, plot_right) + _MARGIN
        return Scene(
            f"{self.report.name}: receptive field of {self.way.end.row.name}",
            ceil(wide),
            ceil(top + _PLOT_HEIGHT + 50),
            self.colours,
            tuple(shapes),
        )

    def colour(self, step: Step) -> str:
        """From blue near the input over green and orange to vermillion at the shown layer."""
        at = Fraction(self.order[step.row.name] * (len(_DEPTHS) - 1), max(len(self.way.steps) - 1, 1))
        below = min(floor(at), len(_DEPTHS) - 2)
        return mixed(_DEPTHS[below], _DEPTHS[below + 1], at - below)

    def heading(self) -> list[Shape]:
        end = self.way.end
        ink = self.colours.ink
        volume = numbers.volume(dict(self.report.inputs)[self.way.input])
        if end.field.whole:
            facts = "sees the whole input"
        else:
            facts = f"field {_extent(end)}, jump {numbers.axes(end.field.jump)}, unit {numbers.places(end.unit)}"
            facts += f", {numbers.sized(end.clipped, self.place)} clipped" if any(end.clipped) else ", nothing clipped"
        title = f"{end.row.name} {end.row.spec}"
        return [
            Text((_MARGIN, 28), title, 14, ink, "start", bold=True),
            Text((_MARGIN + text_width(title, 14, bold=True) + 14, 28), facts, 10, ink, "start"),
            Text((_MARGIN, 46), f"on {self.way.input} {volume} of {self.report.name}", 10, self.colours.faint, "start"),
        ]

    def ground(self) -> list[Shape]:
        """The input: the image, or a grid with one line every so many pixels."""
        (x0, y0), (x1, y1) = self.at(0, 0), self.at(self.wide, self.high)
        border = Polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), None, self.colours.ink, 1.2)
        if self.image is not None:
            return [Image((x0, y0), x1 - x0, y1 - y0, self.image), border]
        found: list[Shape] = [border.replace(fill=self.colours.panel, line=None)]
        every = next(step for step in _grid_steps() if step * self.scale >= 7)
        faint = mixed(self.colours.panel, self.colours.faint, Fraction(35, 100))
        for x in range(every, self.wide, every):
            found.append(Line((self.at(x, 0), self.at(x, self.high)), faint, 0.5))
        if len(self.way.extents) > 1:
            for y in range(every, self.high, every):
                found.append(Line((self.at(0, y), self.at(self.wide, y)), faint, 0.5))
        words = f"one line every {plural(every, self.place)}" if every > 1 else f"one cell per {self.place}"
        if any(_middle(step) != _middle(self.way.end) for step in self.way.steps):
            words += "; a window of an even size has no unit in its middle"
        found.append(Text((x0, y1 + self.over_y * self.scale + 14), words, 8, self.colours.faint, "start"))
        return [*found, border]

    def fields(self) -> list[Shape]:
        """The fields, the largest first; of those whose edges lie too close to be told apart only one."""
        found: list[Shape] = []
        edge = None
        low, high = (-self.over_x, -self.over_y), (self.wide + self.over_x, self.high + self.over_y)
        for step in reversed(self.way.steps):
            x0, y0, x1, y1 = self.field(step)
            here = self.at(0, max(y0, low[1]))[1] if len(self.way.extents) > 1 else self.at(max(x0, low[0]), 0)[0]
            if edge is not None and here - edge < _LEAST_STEP and step is not self.way.steps[0]:
                continue
            edge = here
            # A field that reaches beyond the shown surroundings stays open there.
            inside = max(x0, low[0]), max(y0, low[1]), min(x1, high[0]), min(y1, high[1])
            corners = tuple(self.at(*each) for each in _corners(*inside))
            colour = self.colour(step)
            last = step is self.way.end
            open_ = inside != (x0, y0, x1, y1)
            found.append(Polygon(corners, None, self.colours.paper, 4 if last else 3))
            found.append(
                Polygon(
                    corners, None, colour, 2.4 if last else 1.5, dashed=open_, title=f"{step.row.name} {_extent(step)}"
                )
            )
            text = f"{step.row.name} {_extent(step)}"
            wide = text_width(text, 8, bold=last)
            x, y = corners[0]
            if wide + 8 < corners[1][0] - x:
                back = _corners(x + 3, y + 2, x + 9 + wide, y + 13)
                found.append(Polygon(back, self.colours.paper, None))
                found.append(Text((x + 6, y + 11), text, 8, self.colours.ink, "start", bold=last))
        x0, y0, x1, y1 = self.field(self.way.end)
        found.append(Dot(self.at((x0 + x1) / 2, (y0 + y1) / 2), 3, self.colour(self.way.end), self.colours.paper))
        return found

    def table(self, left: float) -> tuple[list[Shape], float, float]:
        """The layers with their figures; of very many an even choice."""
        steps: Sequence[Step] = self.way.steps
        count = len(steps)
        if count > _MOST_ROWS:
            steps = [steps[round(at * (count - 1) / (_MOST_ROWS - 1))] for at in range(_MOST_ROWS)]
        rows = [("layer", "", "field", "jump", "clipped")]
        rows += [
            (
                step.row.name,
                step.row.spec,
                _extent(step),
                "–" if step.field.whole else numbers.axes(step.field.jump),
                _clipped(step),
            )
            for step in steps
        ]
        room = [max(text_width(text, 9, bold=True) for text in column) for column in zip(*rows, strict=True)]
        starts = [left + 14]
        for each in room:
            starts.append(starts[-1] + each + 12)
        found: list[Shape] = []
        y = 84.0
        for at, row in enumerate(rows):
            step = steps[at - 1] if at else None
            if step is not None:
                x = left
                found.append(Polygon(_corners(x, y - 7, x + 8, y + 1), self.colour(step), None))
            for column, text in enumerate(row):
                to_left = column < 2
                x = starts[column] if to_left else starts[column] + room[column]
                colour = self.colours.faint if column == 1 else self.colours.ink
                anchor = "start" if to_left else "end"
                if text:
                    found.append(Text((x, y), text, 9, colour, anchor, bold=at == 0 or step is self.way.end))
            y += _ROW
        if count > len(steps):
            text = f"{len(steps)} of the {plural(count, 'layer')} at which it grows"
            found.append(Text((left + 14, y), text, 8, self.colours.faint, "start"))
            y += _ROW
        return found, starts[-1], y

    def plot(self, top: float, right: float) -> tuple[list[Shape], float]:
        """The field's height and width (one line where they agree) over the layers on the way."""
        ink, faint = self.colours.ink, self.colours.faint
        left, bottom = _MARGIN + 34, top + _PLOT_HEIGHT
        steps = self.way.steps
        extents = self.way.extents[-2:]
        most = max(*(size for step in steps for size in step.field.size[-2:]), *extents)

        def x(at: int) -> float:
            return left + (right - left) * (at / max(len(steps) - 1, 1))

        def y(size: int) -> float:
            return bottom - _PLOT_HEIGHT * size / most

        found: list[Shape] = [
            Text(
                (_MARGIN, top - 14),
                f"growth of the receptive field over the layers, in {self.place}s",
                10,
                ink,
                "start",
                bold=True,
            ),
            Line(((left, top), (left, bottom), (right, bottom)), ink, 1),
        ]
        for tick in _ticks(most):
            found.append(Line(((left - 3, y(tick)), (left, y(tick))), ink, 1))
            found.append(Text((left - 6, y(tick) + 3), str(tick), 8, faint, "end"))
        for axis in range(len(extents)) if len(set(extents)) > 1 else [0]:
            name = "input" if len(set(extents)) == 1 else ("input height", "input width")[axis]
            found.append(Line(((left, y(extents[axis])), (right, y(extents[axis]))), faint, 1, dashed=True))
            found.append(Text((right, y(extents[axis]) - 4), f"{name} {extents[axis]}", 8, faint, "end"))
        alike = all(len(set(step.field.size[-2:])) == 1 for step in steps)
        for axis in [0] if alike else range(len(extents)):
            points = tuple((x(at), y(step.field.size[-len(extents) :][axis])) for at, step in enumerate(steps))
            if len(points) > 1:
                found.append(Line(points, faint, 1, dashed=axis > 0))
            found += [
                Dot(point, 3, self.colour(step), self.colours.paper, f"{step.row.name} {_extent(step)}")
                for point, step in zip(points, steps, strict=True)
            ]
        shown = -100.0
        for at, step in enumerate(steps):
            half = text_width(step.row.name, 8) / 2
            middle = max(min(x(at), right + 20 - half), left - 20 + half)
            if middle - half > shown + 6:
                found.append(Text((middle, bottom + 13), step.row.name, 8, faint))
                shown = middle + half
        return found, right


def _corners(x0: float, y0: float, x1: float, y1: float) -> tuple[tuple[float, float], ...]:
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def _grid_steps() -> Sequence[int]:
    return [factor * 10**power for power in range(10) for factor in (1, 2, 5)]


def _ticks(most: int) -> list[int]:
    """Some round numbers from 0 up to a largest one."""
    every = next(step for step in _grid_steps() if most / step <= 6)
    return list(range(0, most + 1, every))

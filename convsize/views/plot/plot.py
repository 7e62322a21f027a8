"""Figures as a picture: lines, steps, areas, bands, bars and dots over an axis that panels share.

One way to plot for every command. A plot is a record of what is shown; `scene` turns it into a page, `shapes` into a
part of one. What an axis cannot show (NaN, infinities; 0 and below on a logarithmic one) leaves a gap. Nothing is said
by colour alone: lines differ by dashes as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from math import ceil
from typing import Literal

from convsize.record import Record
from convsize.views.canvas.colours import THEMES, Colours, Theme, mixed
from convsize.views.canvas.scene import Dot, Line, Point, Polygon, Scene, Shape, Text, text_width
from convsize.views.plot.axes import Axis as Axis
from convsize.views.plot.axes import PlacedAxis
from convsize.views.plot.labels import Label, placed, placed_or_numbered

_SMALL, _ROW, _NAME_STEP = 9.0, 16.0, 11.0
_MARGIN, _GAP = 24.0, 30.0


class Curve(Record):
    """A series: y over x, in the order of x.

    shape: "line" through the points; "step" holds every y from its x to the next one, for which xs has one value more
    than ys. low: with it the area between low and ys is filled. edge: whether a filled area has its upper edge drawn (a
    band of spread has none). dots: whether its points are shown as well. hue: the number of its colour, by default its
    place among the curves; second: it is read on the panel's second axis.
    """

    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    shape: Literal["line", "step"] = "line"
    low: Sequence[float] | None = None
    edge: bool = True
    dashed: bool = False
    dots: bool = False
    hue: int | None = None
    second: bool = False


class Spot(Record):
    """A dot with its name beside it (or none), a title for those who point at it, and what it leads to on a page."""

    x: float
    y: float
    label: str = ""
    title: str = ""
    radius: float = 3.5
    bold: bool = False
    target: str | None = None


class Spots(Record):
    """Dots of one kind; hollow ones are outlines. Without a label they are not in the legend."""

    label: str
    spots: Sequence[Spot]
    hue: int = 0
    hollow: bool = False


class Bar(Record):
    """A bar from 0 to y over the place x, with a title for those who point at it, and what it leads to on a page."""

    x: float
    y: float
    title: str = ""
    target: str | None = None


class Mark(Record):
    """A point worth a word, such as a peak; without y a line from the bottom to the top, with its text low."""

    x: float
    text: str
    y: float | None = None
    second: bool = False


class Panel(Record):
    """Series over one y axis or two, with what is marked in them; bars stand 1 apart on x."""

    y: Axis
    curves: tuple[Curve, ...] = ()
    spots: tuple[Spots, ...] = ()
    marks: tuple[Mark, ...] = ()
    second: Axis | None = None
    height: float = 220.0
    bars: tuple[Bar, ...] = ()


class Plot(Record):
    """Panels under each other that share x; width is that of the page without its margins.

    The title may be left out where one stands beside the plot.
    """

    title: str
    x: Axis
    panels: tuple[Panel, ...]
    subtitle: str = ""
    width: float = 760.0


def scene(plot: Plot, *, theme: Theme = "light") -> Scene:
    """The plot as a page."""
    colours = THEMES[theme]
    found, right, bottom = shapes(plot, colours, _MARGIN, 0)
    return Scene(plot.title, ceil(right + _MARGIN), ceil(bottom + 14), colours, tuple(found))


def inline(plot: Plot, name: str) -> str:
    """The plot as an SVG element of a page that gives it a heading; its colours are those of `light_and_dark`."""
    colours = THEMES["light"]
    found, right, bottom = shapes(plot, colours, 4, 0)
    return Scene(name, ceil(right + _MARGIN), ceil(bottom), colours, tuple(found)).inline()


def shapes(plot: Plot, colours: Colours, left: float, top: float) -> tuple[list[Shape], float, float]:
    """The plot's shapes from a corner of a page on, its right end and its bottom."""
    found: list[Shape] = []
    right = max(left + plot.width, left + text_width(plot.title, 14, bold=True))
    y = top
    if plot.title:
        found.append(Text((left, top + 26), plot.title, 14, colours.ink, "start", bold=True))
        y += 34
    if plot.subtitle:
        found.append(Text((left, top + 44), plot.subtitle, _SMALL, colours.faint, "start"))
        right = max(right, left + text_width(plot.subtitle, _SMALL))
        y += 18
    drawings = []
    for panel in plot.panels:
        legend, high = _legend(panel, colours, left, y + 4, plot.width)
        found += legend
        start = y + high + 26
        drawings.append(_Panel(plot, panel, colours, start, start + panel.height))
        y = start + panel.height + 4
    if drawings:
        inner = (
            left + max(each.left_room for each in drawings),
            left + plot.width - max(each.right_room for each in drawings),
        )
        for each in drawings:
            found += each.shapes(*inner, last=each is drawings[-1])
            legend, right = _names(each.numbered, colours, left + plot.width + 14, right, each.top, each.bottom)
            found += legend
        y = drawings[-1].bottom + (34 if plot.x.title else 20)
    return found, right, y


def _names(
    numbered: Sequence[Label], colours: Colours, left: float, right: float, top: float, bottom: float
) -> tuple[list[Shape], float]:
    """The names of the dots that have numbers, in columns beside the panel, and the right end of all."""
    rows = max(int((bottom - top) / _NAME_STEP), 1)
    found: list[Shape] = []
    for start in range(0, len(numbered), rows):
        column = numbered[start : start + rows]
        for at, label in enumerate(column):
            y = top + at * _NAME_STEP + 8
            found.append(Text((left + 14, y), str(start + at + 1), _SMALL, colours.faint, "end"))
            found.append(Text((left + 19, y), label.text, _SMALL, colours.ink, "start", bold=label.bold))
        left += 19 + max(text_width(label.text, _SMALL, bold=label.bold) for label in column) + 14
        right = max(right, left - 14)
    return found, right


def _legend(panel: Panel, colours: Colours, left: float, top: float, width: float) -> tuple[list[Shape], float]:
    """What the curves and dots stand for, where there is more than one; its height."""
    named: list[Curve | Spots] = [curve for curve in panel.curves if curve.label]
    named += [each for each in panel.spots if each.label]
    if len(named) < 2 and panel.second is None:
        return [], 0.0
    found: list[Shape] = []
    x, y = left, top + 8
    for each in named:
        room = 24 + text_width(each.label, _SMALL) + 16
        if x > left and x + room > left + width:
            x, y = left, y + _ROW
        if isinstance(each, Spots):
            fill, line = _spot_colours(each, colours)
            found.append(Dot((x + 9, y - 3), 3.5, fill, line))
        else:
            hue = _hue(panel, each)
            if each.low is not None:
                edge = colours.series(hue) if each.edge else None
                found.append(Polygon(_box(x + 2, y - 8, x + 16, y + 1), _fill(each, hue, colours), edge, 1))
            else:
                found.append(Line(((x, y - 3), (x + 18, y - 3)), colours.series(hue), 2, dashed=each.dashed))
        found.append(Text((x + 23, y), each.label, _SMALL, colours.ink, "start"))
        x += room
    return found, y - top


def _hue(panel: Panel, curve: Curve) -> int:
    return next(at for at, each in enumerate(panel.curves) if each is curve) if curve.hue is None else curve.hue


def _fill(curve: Curve, hue: int, colours: Colours) -> str:
    return colours.area(hue) if curve.edge else mixed(colours.paper, colours.area(hue), Fraction(1, 2))


def _spot_colours(spots: Spots, colours: Colours) -> tuple[str, str]:
    return colours.paper if spots.hollow else colours.area(spots.hue), colours.series(spots.hue)


def _box(x0: float, y0: float, x1: float, y1: float) -> tuple[Point, ...]:
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


class _Panel:
    """One panel between a top and a bottom; its left and right follow from what all panels need."""

    def __init__(self, plot: Plot, panel: Panel, colours: Colours, top: float, bottom: float) -> None:
        self.plot, self.panel, self.colours = plot, panel, colours
        self.top, self.bottom = top, bottom
        self.y = PlacedAxis(panel.y, list(_values(panel, second=False)), bottom, top)
        self.y_ticks = self.y.ticks(lambda _: 32.0)
        self.numbered: list[Label] = []
        self.second: PlacedAxis | None = None
        self.second_ticks: list[tuple[float, str]] = []
        if panel.second is not None:
            self.second = PlacedAxis(panel.second, list(_values(panel, second=True)), bottom, top)
            self.second_ticks = self.second.ticks(lambda _: 32.0)
        self.left_room = max([30.0, *(text_width(text, _SMALL) + 10 for _, text in self.y_ticks)])
        self.right_room = max([4.0, *(text_width(text, _SMALL) + 10 for _, text in self.second_ticks)])

    def shapes(self, left: float, right: float, *, last: bool) -> list[Shape]:
        """Everything in it; `last` has the ticks' texts and the title of x."""
        self.left, self.right = left, right
        axis = self.plot.x
        values = [value for panel in self.plot.panels for value in _places(panel)]
        # Dots keep a distance from the ends of an axis; curves fill it, and so do places that are counted.
        tight = axis.ticks is not None or not any(each.spots for panel in self.plot.panels for each in panel.spots)
        self.x = PlacedAxis(axis, values, left, right, tight=tight)
        return [
            *self.grid(last=last),
            *(shape for curve in self.panel.curves if curve.low is not None for shape in self.curve(curve)),
            *self.bars(),
            *self.frame(last=last),
            *(shape for curve in self.panel.curves if curve.low is None for shape in self.curve(curve)),
            *self.dots(),
            *(shape for mark in self.panel.marks for shape in self.mark(mark)),
        ]

    def grid(self, *, last: bool) -> Iterator[Shape]:
        """The ticks of all axes with their lines."""
        colour = self.colours.grid
        faint = self.colours.faint
        for x, text in self.x.ticks(lambda text: text_width(text, _SMALL) + 14):
            yield Line(((x, self.top), (x, self.bottom)), colour, 0.7)
            if last:
                yield Text((x, self.bottom + 15), text, _SMALL, faint)
        for y, text in self.y_ticks:
            yield Line(((self.left, y), (self.right, y)), colour, 0.7)
            yield Text((self.left - 6, y + 3), text, _SMALL, faint, "end")
        for y, text in self.second_ticks:
            yield Line(((self.right, y), (self.right + 3, y)), self.colours.ink, 1)
            yield Text((self.right + 6, y + 3), text, _SMALL, faint, "start")

    def frame(self, *, last: bool) -> Iterator[Shape]:
        """The axes and their titles."""
        ink = self.colours.ink
        corners = [(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)]
        if self.panel.second is not None:
            corners.append((self.right, self.top))
            yield Text((self.right, self.top - 8), self.panel.second.title, 10, ink, "end")
        yield Line(tuple(corners), ink, 1)
        yield Text((self.left, self.top - 8), self.panel.y.title, 10, ink, "start")
        if last and self.plot.x.title:
            yield Text((self.right, self.bottom + 30), self.plot.x.title, 10, ink, "end")

    def at(self, x: float, y: float, *, second: bool) -> Point:
        axis = self.second if second and self.second is not None else self.y
        return self.x.place(x), axis.place(y)

    def curve(self, curve: Curve) -> Iterator[Shape]:
        """A curve in as many pieces as its gaps leave."""
        hue = _hue(self.panel, curve)
        axis = _axis(self.panel, second=curve.second)
        lows = curve.low if curve.low is not None else curve.ys
        rows = list(zip(curve.xs, curve.xs[1:], curve.ys, lows, strict=False)) if curve.shape == "step" else list(
            zip(curve.xs, curve.xs, curve.ys, lows, strict=True)
        )  # fmt: skip

        def shown(row: tuple[float, float, float, float]) -> bool:
            start, end, y, low = row
            return self.plot.x.shows(start) and self.plot.x.shows(end) and axis.shows(y) and axis.shows(low)

        for there, group in groupby(rows, shown):
            if not there:
                continue
            piece = list(group)
            step = curve.shape == "step"
            top = [self.at(x, y, second=curve.second) for s, e, y, _ in piece for x in ((s, e) if step else (s,))]
            if curve.low is not None:
                low = [self.at(x, y, second=curve.second) for s, e, _, y in piece for x in ((s, e) if step else (s,))]
                fill = _fill(curve, hue, self.colours)
                yield Polygon((*_thinned(top), *reversed(_thinned(low))), fill, None, title=curve.label)
            if len(top) == 1 and curve.edge:
                yield Dot(top[0], 2, self.colours.series(hue), None)
            elif curve.edge:
                width = 1.8 if curve.low is None else 1.0
                yield Line(_thinned(top), self.colours.series(hue), width, dashed=curve.dashed)
                for point in top if curve.dots else ():
                    yield Dot(point, 2.5, self.colours.series(hue), None)

    def bars(self) -> Iterator[Shape]:
        """The bars, with as much between them as can be seen."""
        if not self.panel.bars:
            return
        half = 0.5 if self.x.place(1) - self.x.place(0) < 4 else 0.4
        for bar in self.panel.bars:
            if self.panel.y.shows(bar.y):
                left, top = self.at(bar.x - half, bar.y, second=False)
                right, bottom = self.at(bar.x + half, 0, second=False)
                line = self.colours.series(0)
                yield Polygon(
                    _box(left, top, right, bottom), self.colours.area(0), line, 0.8, title=bar.title, target=bar.target
                )

    def dots(self) -> Iterator[Shape]:
        """The dots, larger ones below smaller ones, and then their names."""
        axis = self.panel.y
        there = [
            (each, spot, self.at(spot.x, spot.y, second=False))
            for each in self.panel.spots
            for spot in each.spots
            if self.plot.x.shows(spot.x) and axis.shows(spot.y)
        ]
        for each, spot, centre in sorted(there, key=lambda found: -found[1].radius):
            fill, line = _spot_colours(each, self.colours)
            yield Dot(centre, spot.radius, fill, line, spot.title, spot.target)
        labels = [Label(spot.label, centre, spot.radius, spot.bold) for _, spot, centre in there if spot.label]
        taken = [centre for _, spot, centre in there if not spot.label]
        room = (self.left, self.top - _GAP, self.right + _GAP, self.bottom)
        names, self.numbered = placed_or_numbered(labels, self.colours, _SMALL, room, taken)
        yield from names

    def mark(self, mark: Mark) -> Iterator[Shape]:
        """A marked place on x, or a marked point with its text where it covers least of the curves."""
        if not self.plot.x.shows(mark.x) or (
            mark.y is not None and not _axis(self.panel, second=mark.second).shows(mark.y)
        ):
            return
        if mark.y is not None:
            centre = self.at(mark.x, mark.y, second=mark.second)
            yield Dot(centre, 4, self.colours.skip, self.colours.paper, mark.text)
            label = Label(mark.text, centre, 4, bold=True)
            room = (self.left, self.top - _GAP, self.right, self.bottom)
            yield from placed([label], self.colours, _SMALL, room, list(self.along_curves()))
            return
        x = self.x.place(mark.x)
        wide = text_width(mark.text, _SMALL)
        to_left = x + 8 + wide > self.right
        start = max(x - 5 - wide if to_left else x + 5, self.left + 2)
        baseline = self.bottom - 7
        yield Line(((x, self.top), (x, self.bottom)), self.colours.faint, 1, dashed=True)
        yield Polygon(_box(start - 2, baseline - 9, start + wide + 2, baseline + 3), self.colours.paper, None)
        yield Text((start, baseline), mark.text, _SMALL, self.colours.ink, "start")

    def along_curves(self) -> Iterator[Point]:
        """Points on all curves, near enough to each other that no text lies between two of them."""
        for curve in self.panel.curves:
            axis = _axis(self.panel, second=curve.second)
            there = [
                self.at(x, y, second=curve.second)
                for x, y in zip(curve.xs, curve.ys, strict=False)
                if self.plot.x.shows(x) and axis.shows(y)
            ]
            for (x, y), (next_x, next_y) in pairwise(_thinned(there)):
                count = max(int(max(abs(next_x - x), abs(next_y - y)) / 6), 1)
                for at in range(count):
                    yield x + (next_x - x) * at / count, y + (next_y - y) * at / count


def _axis(panel: Panel, *, second: bool) -> Axis:
    return panel.second if second and panel.second is not None else panel.y


def _values(panel: Panel, *, second: bool) -> Iterator[float]:
    for curve in panel.curves:
        if curve.second == second:
            yield from curve.ys
            yield from curve.low or ()
    if not second:
        yield from (bar.y for bar in panel.bars)
        yield from (spot.y for each in panel.spots for spot in each.spots)
    for mark in panel.marks:
        if mark.y is not None and mark.second == second:
            yield mark.y


def _places(panel: Panel) -> Iterator[float]:
    for curve in panel.curves:
        yield from curve.xs
    yield from (bar.x for bar in panel.bars)
    for each in panel.spots:
        for spot in each.spots:
            yield spot.x
    for mark in panel.marks:
        yield mark.x


def _thinned(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points without those that no page of this size can show: of every half pixel the first, the lowest, the
    highest and the last.
    """
    found: list[Point] = []
    for _, group in groupby(points, lambda point: int(point[0] * 2)):
        near = list(group)
        if len(near) <= 4:
            found += near
            continue
        ends = (0, min(range(len(near)), key=lambda at: near[at][1]), max(range(len(near)), key=lambda at: near[at][1]))
        found += [near[at] for at in sorted({*ends, len(near) - 1})]
    return tuple(found)

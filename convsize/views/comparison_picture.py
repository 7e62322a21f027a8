"""Networks side by side as a picture: MACs against parameters, and where in their depth the costs sit."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor, log10, sqrt

from convsize.views import numbers
from convsize.views.comparison import COSTS, PARTS, Entry
from convsize.views.drawing_colours import THEMES, Colours, Theme, mixed
from convsize.views.drawing_scene import Dot, Line, Point, Polygon, Scene, Shape, Text, text_width

_LEFT, _TOP, _WIDE, _HIGH = 76.0, 76.0, 660.0, 400.0
_LARGEST, _LEAST = 24.0, 3.5
"""The radii of the bubbles of the largest activations, and of the smallest that is still seen."""

_BAR_WIDE, _BAR_HIGH, _BAR_STEP = 180.0, 12.0, 19.0
_HUES = ("#0072b2", "#56b4e9", "#f0e442", "#e69f00", "#d55e00")
"""From the input's end to the output's: the hues of Okabe & Ito from cold to warm."""


def scene(entries: Sequence[Entry], *, theme: Theme = "light") -> Scene:
    """The picture."""
    colours = THEMES[theme]
    bars, right, bottom = _bars(entries, colours, _TOP + _HIGH + 92)
    shapes = (*_scatter(entries, colours), *bars)
    wide = max(_LEFT + _WIDE + 40, right + 24)
    return Scene("Networks compared", ceil(wide), ceil(bottom + 20), colours, shapes)


class _Axis:
    """A logarithmic scale from one decade's or half decade's mark to another."""

    def __init__(self, values: Sequence[int], start: float, end: float) -> None:
        low, high = log10(max(min(values), 1)), log10(max(*values, 1, 1))
        room = max((high - low) * 0.08, 0.08)
        self.low, self.high = low - room, high + room
        self.start, self.end = start, end

    def place(self, value: float) -> float:
        share = (log10(max(value, 1)) - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * share

    def ticks(self) -> list[int]:
        factors = (1,) if self.high - self.low > 3 else (1, 2, 5) if self.high - self.low > 0.7 else range(1, 10)
        marks = [factor * 10**power for power in range(max(floor(self.low), 0), ceil(self.high)) for factor in factors]
        return [mark for mark in marks if self.low <= log10(mark) <= self.high]


def _scatter(entries: Sequence[Entry], colours: Colours) -> list[Shape]:
    """Bubbles whose areas follow the memory of the activations; those that no other network beats are filled."""
    ink, faint = colours.ink, colours.faint
    across = _Axis([entry.costs[0] for entry in entries], _LEFT, _LEFT + _WIDE)
    up = _Axis([entry.costs[1] for entry in entries], _TOP + _HIGH, _TOP)
    grid = mixed(colours.paper, faint, Fraction(25, 100))
    found: list[Shape] = [
        Text((_LEFT, 26), "MACs against parameters", 14, ink, "start", bold=True),
        Text(
            (_LEFT, 44),
            "a bubble's area is the activation memory; filled: no other costs less in one and no more in the others",
            9,
            faint,
            "start",
        ),
    ]
    for tick in across.ticks():
        x = across.place(tick)
        found.append(Line(((x, _TOP), (x, _TOP + _HIGH)), grid, 0.7))
        found.append(Text((x, _TOP + _HIGH + 15), _round(tick), 9, faint))
    for tick in up.ticks():
        y = up.place(tick)
        found.append(Line(((_LEFT, y), (_LEFT + _WIDE, y)), grid, 0.7))
        found.append(Text((_LEFT - 6, y + 3), _round(tick), 9, faint, "end"))
    corner = ((_LEFT, _TOP), (_LEFT, _TOP + _HIGH), (_LEFT + _WIDE, _TOP + _HIGH))
    found.append(Line(corner, ink, 1))
    found.append(Text((_LEFT + _WIDE, _TOP + _HIGH + 30), "parameters", 10, ink, "end"))
    found.append(Text((_LEFT, _TOP - 7), "MACs", 10, ink))

    largest = max(max(entry.costs[2] for entry in entries), 1)
    spots = [
        (
            entry,
            (across.place(entry.costs[0]), up.place(entry.costs[1])),
            max(_LARGEST * sqrt(entry.costs[2] / largest), _LEAST),
        )
        for entry in entries
    ]
    for entry, centre, radius in sorted(spots, key=lambda spot: -spot[2]):
        title = f"{entry.name}: " + ", ".join(
            [
                f"{numbers.count(entry.costs[0])} parameters",
                f"{numbers.count(entry.costs[1])} MACs",
                f"activations {numbers.size(entry.costs[2])}",
            ]
        )
        fill = mixed(colours.paper, "#56b4e9", Fraction(7, 10)) if entry.pareto else colours.paper
        line = mixed(ink, "#0072b2", Fraction(7, 10)) if entry.pareto else faint
        found.append(Dot(centre, radius, fill, line, title))
    return [*found, *_labels(spots, colours)]


def _labels(spots: Sequence[tuple[Entry, Point, float]], colours: Colours) -> list[Shape]:
    """Names beside the bubbles, each in the first of eight places where it covers no other and no bubble's middle."""
    found: list[Shape] = []
    taken = [(x - 4, y - 4, x + 4, y + 4) for _, (x, y), _ in spots]
    for entry, (x, y), radius in spots:
        size = 9.0
        wide = text_width(entry.name, size, bold=entry.pareto)
        near = radius + 4
        places = [
            (x + near, y + 3),
            (x - near - wide, y + 3),
            (x - wide / 2, y - near),
            (x - wide / 2, y + near + 7),
            (x + near * 0.7, y - near * 0.7),
            (x + near * 0.7, y + near * 0.7 + 7),
            (x - near * 0.7 - wide, y - near * 0.7),
            (x - near * 0.7 - wide, y + near * 0.7 + 7),
        ]

        def hidden(place: Point, wide: float = wide) -> float:
            """How much of other names a name covers there, and how far it leaves the plot."""
            box = (place[0], place[1] - 8, place[0] + wide, place[1] + 2)
            out = max(0.0, _LEFT - box[0]) + max(0.0, box[2] - _LEFT - _WIDE - 30)
            return out * 10 + sum(
                max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
                * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
                for other in taken
            )

        best = min(places, key=hidden)
        taken.append((best[0], best[1] - 8, best[0] + wide, best[1] + 2))
        found.append(Text(best, entry.name, size, colours.ink, "start", bold=entry.pareto))
    return found


def _bars(entries: Sequence[Entry], colours: Colours, top: float) -> tuple[list[Shape], float, float]:
    """A bar for every network and cost, of the fifths of its depth."""
    ink, faint = colours.ink, colours.faint
    names = max(text_width(entry.name, 9.5) for entry in entries)
    left = 28 + names + 12
    found: list[Shape] = [Text((28, top - 36), "where they sit, by depth", 14, ink, "start", bold=True)]
    fills = [mixed(colours.paper, hue, Fraction(85, 100)) for hue in _HUES]
    x = 28 + text_width("where they sit, by depth", 14, bold=True) + 20
    legend = ["first fifth of the weight layers", *["" for _ in range(PARTS - 2)], "last"]
    for fill, words in zip(fills, legend, strict=True):
        found.append(Polygon(_box(x, top - 46, 11, 11), fill, faint, 0.6))
        x += 14
        if words:
            found.append(Text((x + 2, top - 37), words, 9, ink, "start"))
            x += text_width(words, 9) + 12
    for at, (_, title, _) in enumerate(COSTS):
        found.append(Text((left + at * (_BAR_WIDE + 70), top - 8), title, 10, ink, "start", bold=True))
    y = top
    for entry in entries:
        found.append(Text((left - 10, y + 10), entry.name, 9.5, ink, "end"))
        for at, parts in enumerate(entry.by_depth):
            start = left + at * (_BAR_WIDE + 70)
            total = sum(parts)
            place = start
            for part, (value, fill) in enumerate(zip(parts, fills, strict=True)):
                wide = _BAR_WIDE * value / total if total else 0.0
                if wide:
                    share = numbers.share(Fraction(value, total))
                    title = f"{entry.name}, fifth {part + 1} of {PARTS}: {share} of the {COSTS[at][1]}"
                    found.append(Polygon(_box(place, y, wide, _BAR_HIGH), fill, faint, 0.5, title=title))
                    place += wide
            written = numbers.size(total) if COSTS[at][0] == "activation_bytes" else numbers.count(total)
            found.append(Text((start + _BAR_WIDE + 5, y + 10), written, 8.5, faint, "start"))
        y += _BAR_STEP
    return found, left + 3 * (_BAR_WIDE + 70) - 10, y


def _box(x: float, y: float, wide: float, high: float) -> tuple[Point, ...]:
    return ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))


def _round(value: int) -> str:
    """A round number: 50M."""
    for size, unit in ((10**15, "P"), (10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K")):
        if value >= size:
            return f"{value // size}{unit}"
    return str(value)

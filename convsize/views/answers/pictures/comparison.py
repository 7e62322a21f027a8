"""Networks side by side as a picture: MACs against parameters, and where in their depth the costs sit."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, sqrt

from convsize.views.answers.comparison import COSTS, PARTS, Entry
from convsize.views.canvas.colours import THEMES, Colours, Theme, mixed
from convsize.views.canvas.scene import Point, Polygon, Scene, Shape, Text, text_width
from convsize.views.plot.plot import Axis, Panel, Plot, Spot, Spots, shapes
from convsize.views.text import numbers

_LARGEST, _LEAST = 24.0, 3.5
"""The radii of the bubbles of the largest activations, and of the smallest that is still seen."""

SCATTER = "MACs against parameters"
BUBBLES = (
    "a bubble's area is the activation memory; filled: no other network is smaller in one cost and at "
    "most as large in the others"
)
_BAR_WIDE, _BAR_HIGH, _BAR_STEP = 180.0, 12.0, 19.0
_HUES = ("#0072b2", "#56b4e9", "#f0e442", "#e69f00", "#d55e00")
"""From the input's end to the output's: the hues of Okabe & Ito from cold to warm."""


def scene(entries: Sequence[Entry], *, theme: Theme = "light") -> Scene:
    """The picture."""
    colours = THEMES[theme]
    dots, wide, bottom = shapes(scatter(entries), colours, 28, 0)
    bars, right, bottom = _bars(entries, colours, bottom + 64)
    return Scene("Networks compared", ceil(max(wide + 24, right + 24)), ceil(bottom + 20), colours, (*dots, *bars))


def scatter(entries: Sequence[Entry], targets: Sequence[str | None] = ()) -> Plot:
    """Bubbles whose areas follow the memory of the activations; those that no other network beats are filled.

    targets: what the bubbles lead to on a page.
    """
    leads = dict(zip((entry.name for entry in entries), targets, strict=False))
    largest = max(max(entry.costs[2] for entry in entries), 1)

    def spots(*, pareto: bool) -> tuple[Spot, ...]:
        return tuple(
            Spot(
                entry.costs[0],
                entry.costs[1],
                entry.name,
                f"{entry.name}: {numbers.counted(entry.costs[0], 'parameter')}, {numbers.count(entry.costs[1])} MACs, "
                f"activations {numbers.size(entry.costs[2])}",
                max(_LARGEST * sqrt(entry.costs[2] / largest), _LEAST),
                bold=pareto,
                target=leads.get(entry.name),
            )
            for entry in entries
            if entry.pareto == pareto
        )

    return Plot(
        SCATTER,
        Axis("parameters", "count", "log"),
        (
            Panel(
                Axis("MACs", "count", "log"),
                spots=(Spots("", spots(pareto=True)), Spots("", spots(pareto=False), hollow=True)),
                height=400,
            ),
        ),
        subtitle=BUBBLES,
        width=740,
    )


def _bars(entries: Sequence[Entry], colours: Colours, top: float) -> tuple[list[Shape], float, float]:
    """A bar for every network and cost, of the fifths of its depth."""
    ink, faint = colours.ink, colours.faint
    names = max(text_width(entry.name, 9.5) for entry in entries)
    left = 28 + names + 12
    found: list[Shape] = [Text((28, top - 36), "distribution over depth", 14, ink, "start", bold=True)]
    fills = [mixed(colours.paper, hue, Fraction(85, 100)) for hue in _HUES]
    x = 28 + text_width("distribution over depth", 14, bold=True) + 20
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

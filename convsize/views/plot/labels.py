"""Names beside dots, where they cover neither each other nor the dots."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.record import Record
from convsize.views.canvas.scene import Point, Shape, Text, text_width


class Label(Record):
    """A name for the dot around `centre`."""

    text: str
    centre: Point
    radius: float
    bold: bool = False


def placed(
    labels: Sequence[Label], colour: str, size: float, left: float, right: float, taken: Sequence[Point] = ()
) -> list[Shape]:
    """The names, each in the first of eight places where it covers no other name and no dot's middle.

    They keep between `left` and `right`; `taken` are further points that they should not cover.
    """
    found: list[Shape] = []
    boxes = [(x - 4, y - 4, x + 4, y + 4) for x, y in (*(label.centre for label in labels), *taken)]
    for label in labels:
        (x, y), near = label.centre, label.radius + 4
        wide = text_width(label.text, size, bold=label.bold)
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
            """How much of others a name covers there, and how far it leaves the plot."""
            box = (place[0], place[1] - 8, place[0] + wide, place[1] + 2)
            out = max(0.0, left - box[0]) + max(0.0, box[2] - right)
            return out * 10 + sum(
                max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
                * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
                for other in boxes
            )

        best = min(places, key=hidden)
        boxes.append((best[0], best[1] - 8, best[0] + wide, best[1] + 2))
        found.append(Text(best, label.text, size, colour, "start", bold=label.bold))
    return found

"""Names beside dots, where they cover neither each other nor the dots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import cos, hypot, pi, sin

from convsize.record import Record
from convsize.views.canvas.colours import Colours
from convsize.views.canvas.scene import Line, Point, Shape, Text, text_width

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_FAR = (14.0, 24.0, 36.0, 50.0, 66.0, 84.0, 104.0)
"""How far from its dot a name goes that has no room beside it."""

_WAYS = 16
_LONG, _CROSSED = 0.2, 6.0
"""What a pixel of a line costs, and a pixel of it that crosses a name, where a pixel that a name covers costs 1."""

_ASCENT, _DESCENT = 8.0, 2.0


class Label(Record):
    """A name for the dot around `centre`."""

    text: str
    centre: Point
    radius: float
    bold: bool = False


def placed(
    labels: Sequence[Label], colours: Colours, size: float, room: Box, taken: Sequence[Point] = ()
) -> list[Shape]:
    """The names: each beside its dot where it covers no other name and no dot, else farther off with a line.

    Those whose dots stand alone come first, so that crowded ones go around them. Names keep within `room`; `taken` are
    further points that they should not cover.
    """
    lines: list[Shape] = []
    texts: list[Shape] = []
    dots = [_around_dot(label.centre, label.radius) for label in labels] + [_around_dot(point, 0) for point in taken]
    boxes = list(dots)
    names: list[Box] = []
    for label in sorted(labels, key=lambda label: _crowd(label, labels)):
        wide = text_width(label.text, size, bold=label.bold)
        best: tuple[float, Point, tuple[Point, Point] | None] | None = None
        own = _around_dot(label.centre, label.radius)
        for far, place in (*_beside(label, wide), *_around(label, wide)):
            if best is not None and best[0] <= far * _LONG:
                break
            box = _box(place, wide)
            cost = far * _LONG + _hidden(box, boxes, room)
            line = _leader(label, box)
            if line is not None and (best is None or cost < best[0]):
                along = list(_along(*line))
                cost += _CROSSED * sum(_hidden(each, names, room) for each in along)
                cost += sum(_hidden(each, [dot for dot in dots if dot != own], room) for each in along)
            if best is None or cost < best[0]:
                best = cost, place, line
        assert best is not None
        box, line = _box(best[1], wide), best[2]
        boxes.append(box)
        names.append(box)
        if line is not None:
            lines.append(Line(line, colours.faint, 0.7))
            boxes += _along(*line)
            names += _along(*line)
        texts.append(Text(best[1], label.text, size, colours.ink, "start", bold=label.bold))
    return [*lines, *texts]


def _around_dot(centre: Point, radius: float) -> Box:
    x, y = centre
    near = max(radius, 4.0)
    return (x - near, y - near, x + near, y + near)


def _crowd(label: Label, labels: Sequence[Label]) -> int:
    (x, y) = label.centre
    return sum(abs(x - other.centre[0]) < 80 and abs(y - other.centre[1]) < 24 for other in labels)


def _beside(label: Label, wide: float) -> Iterator[tuple[float, Point]]:
    """How far off, and the left end of the baseline: the eight places around a dot."""
    (x, y), near = label.centre, label.radius + 4
    yield 0, (x + near, y + 3)
    yield 0, (x - near - wide, y + 3)
    yield 0, (x - wide / 2, y - near)
    yield 0, (x - wide / 2, y + near + 7)
    for side in (x + near * 0.7, x - near * 0.7 - wide):
        yield 0, (side, y - near * 0.7)
        yield 0, (side, y + near * 0.7 + 7)


def _around(label: Label, wide: float) -> Iterator[tuple[float, Point]]:
    """Places farther and farther off."""
    x, y = label.centre
    for far in _FAR:
        for way in range(_WAYS):
            angle = 2 * pi * way / _WAYS
            across, down = cos(angle), sin(angle)
            left = x + across * (label.radius + far) - (wide if across < -0.1 else wide / 2 if across < 0.1 else 0)
            yield far, (left, y + down * (label.radius + far) + 3)


def _box(place: Point, wide: float) -> Box:
    return (place[0], place[1] - _ASCENT, place[0] + wide, place[1] + _DESCENT)


def _hidden(box: Box, boxes: Sequence[Box], room: Box) -> float:
    """How much of others a name covers, and how far it leaves the room there is."""
    left, top, right, bottom = box
    out = max(0.0, room[0] - left) + max(0.0, room[1] - top) + max(0.0, right - room[2]) + max(0.0, bottom - room[3])
    return out * 10 + sum(
        max(0.0, min(right, other[2]) - max(left, other[0])) * max(0.0, min(bottom, other[3]) - max(top, other[1]))
        for other in boxes
    )


def _leader(label: Label, box: Box) -> tuple[Point, Point] | None:
    """The line from a dot's edge to its name, where they are not side by side."""
    x, y = label.centre
    end = (min(max(x, box[0] - 1), box[2] + 1), min(max(y, box[1] + 1), box[3]))
    far = hypot(end[0] - x, end[1] - y)
    if far <= label.radius + 7:
        return None
    share = label.radius / far
    return (x + (end[0] - x) * share, y + (end[1] - y) * share), end


def _along(start: Point, end: Point) -> Iterator[Box]:
    """Small boxes on a line, which no name should cover."""
    count = max(int(hypot(end[0] - start[0], end[1] - start[1]) / 5), 1)
    for at in range(count):
        x, y = start[0] + (end[0] - start[0]) * at / count, start[1] + (end[1] - start[1]) * at / count
        yield x - 1, y - 1, x + 1, y + 1

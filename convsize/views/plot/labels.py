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

_NEAR = 24.0
"""How far a name may stand from its dot before a number takes its place."""

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
    page = _Page(labels, size, room, taken)
    for label in sorted(labels, key=lambda label: _crowd(label, labels)):
        page.put(label, page.best(label, label.text))
    return page.shapes(colours)


def placed_or_numbered(
    labels: Sequence[Label], colours: Colours, size: float, room: Box, taken: Sequence[Point] = ()
) -> tuple[list[Shape], list[Label]]:
    """The names, and those that have a number instead, in its order from 1 on: they find no place near their dots
    where neither they nor their lines cover anything.
    """
    page = _Page(labels, size, room, taken)
    crowded = []
    for label in sorted(labels, key=lambda label: _crowd(label, labels)):
        found = page.best(label, label.text)
        if found.hidden or found.far > _NEAR:
            crowded.append(label)
        else:
            page.put(label, found)
    crowded.sort(key=lambda label: (label.centre, label.text))
    for number, label in enumerate(crowded, 1):
        page.put(label, page.best(label, str(number), within=True))
    return page.shapes(colours), crowded


class _Found(Record):
    """Where a text may stand: how far off, how much it and its line hide, its left end, and the line to its dot."""

    text: str
    far: float
    hidden: float
    place: Point
    line: tuple[Point, Point] | None

    @property
    def cost(self) -> float:
        return self.far * _LONG + self.hidden


class _Page:
    """What stands already around the dots."""

    def __init__(self, labels: Sequence[Label], size: float, room: Box, taken: Sequence[Point]) -> None:
        self.size = size
        self.room = room
        self.dots = [_around_dot(label.centre, label.radius) for label in labels]
        self.dots += [_around_dot(point, 0) for point in taken]
        self.boxes = list(self.dots)
        self.names: list[Box] = []
        self.there: list[tuple[Label, _Found]] = []

    def best(self, label: Label, text: str, *, within: bool = False) -> _Found:
        """Where a text hides least, the nearer the better; within: near its dot, or in it."""
        wide = text_width(text, self.size, bold=label.bold)
        own = _around_dot(label.centre, label.radius)
        best: _Found | None = None
        for far, place in (*_beside(label, wide), *_around(label, wide)):
            if best is not None and (best.cost <= far * _LONG or (within and far > _NEAR)):
                break
            box = _box(place, wide)
            found = _Found(text, far, _hidden(box, self.boxes, self.room), place, _leader(label, box))
            if found.line is not None and (best is None or found.cost < best.cost):
                others = [dot for dot in self.dots if dot != own]
                along = list(_along(*found.line))
                crossed = _CROSSED * sum(_hidden(each, self.names, self.room) for each in along)
                crossed += sum(_hidden(each, others, self.room) for each in along)
                found = found.replace(hidden=found.hidden + crossed)
            if best is None or found.cost < best.cost:
                best = found
        assert best is not None
        if within and best.hidden and wide < 2 * label.radius:
            x, y = label.centre
            inside = _box((x - wide / 2, y + 3), wide)
            hidden = _hidden(inside, [box for box in self.boxes if box != own], self.room)
            if hidden < best.cost:
                best = _Found(text, 0, hidden, (x - wide / 2, y + 3), None)
        return best

    def put(self, label: Label, found: _Found) -> None:
        """Puts a text there."""
        box = _box(found.place, text_width(found.text, self.size, bold=label.bold))
        more = [box, *(_along(*found.line) if found.line is not None else ())]
        self.boxes += more
        self.names += more
        self.there.append((label, found))

    def shapes(self, colours: Colours) -> list[Shape]:
        """The lines, and over them the texts."""
        lines: list[Shape] = [Line(found.line, colours.faint, 0.7) for _, found in self.there if found.line is not None]
        texts = [
            Text(found.place, found.text, self.size, colours.ink, "start", bold=label.bold)
            for label, found in self.there
        ]
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

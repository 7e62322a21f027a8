"""The figure that papers print: every volume as a box in perspective, from the left to the right.

A box is as wide as its volume is deep, as high as its height, and its width goes back into the page, as in the figures
of LeCun et al. 1998 (whose numbers, 6@28x28, stand above) and Krizhevsky et al. 2012 (whose kernels are drawn in, and
whose groups stand above each other). A flat vector is a bar. Branches run side by side, skips go over the top,
iterations of a repeat that are alike are one box with others behind it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

from convsize.errors import ConvsizeError
from convsize.record import Record
from convsize.records import LayerRow, ReceptiveField, Report
from convsize.views.canvas.colours import THEMES, Colours, Theme, mixed
from convsize.views.canvas.scene import Dot, Line, Point, Polygon, Scene, Shape, Text, text_width
from convsize.views.drawing.folded import draw
from convsize.views.drawing.legend import HEAT_TITLES, families
from convsize.views.drawing.parts import JOINS, Drawing, Heat, Link, Part, family, heat_shares
from convsize.views.text import numbers

Scale = Literal["log", "linear"]

_HIGHEST, _DEEPEST = 130.0, 96.0
"""Pixels of the largest height or width, and of the largest depth."""
_LEAST = 3.0
_BACK = (0.42, -0.3)
"""Where a pixel of the width goes: back is right and up."""
_BAR = 9.0
_BETWEEN = 10.0
"""Pixels between the groups of a volume."""

_GAP = 40.0
_MARGIN = 24.0
_SMALL, _TINY, _KERNEL_SIZE = 10.0, 8.5, 7.5
_MOST_GROUPS = 4
_MOST_SHAPES = 3000
_MOST_SHEETS = 16
_WINDOWED = ("convolution", "pool")
_GROUPS = re.compile(r"C.*g(\d+)")


class _Solid(Record):
    """A box: its place (the upper left corner of its front), its sides in pixels, and in how many groups it stands."""

    part: Part
    x: float
    y: float
    depth: float
    height: float
    width: float
    groups: int

    @property
    def back(self) -> Point:
        return self.width * _BACK[0], self.width * _BACK[1]

    @property
    def right(self) -> float:
        return self.x + self.depth + self.back[0]

    @property
    def top(self) -> float:
        return self.y + self.back[1]

    def edge(self, y: float) -> float:
        """Where the right face ends at a height below its upper corner."""
        over = self.y + self.height - y
        share = 1.0 if over >= -self.back[1] else over / -self.back[1]
        return self.x + self.depth + share * self.back[0]

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def scene(report: Report, *, heat: Heat | None = None, theme: Theme = "light", scale: Scale = "log") -> Scene:
    """The figure; its sides in proportion, or on a log scale, on which a 7x7 map is still seen beside a 224x224 one.

    Raises ConvsizeError where it would have too many shapes to be read.
    """
    return _Figure(report, heat, THEMES[theme], scale).scene()


class _Figure:
    """Draws one network."""

    def __init__(self, report: Report, heat: Heat | None, colours: Colours, scale: Scale) -> None:
        self.report = report
        self.heat = heat
        self.colours = colours
        self.drawing: Drawing = draw(report, "block", apart=("pool", "reshaping"))
        self.parts = [part for part in self.drawing.leaves() if part.kind != "output"]
        if (shapes := len(self.parts) + len(self.drawing.links)) > _MOST_SHAPES:
            raise ConvsizeError(f"a figure of {shapes:,} volumes and arrows is unreadable: draw it as a graph")
        kept = {part.key for part in self.parts}
        self.links = [link for link in self.drawing.links if link.target in kept]
        self.shares = heat_shares(self.parts, heat) if heat else {}
        self.largest = Fraction(1) if heat == "receptive_field" else max(self.shares.values(), default=Fraction(1))
        volumes = [part.after for part in self.parts]
        extents = [extent for dims in volumes for extent in dims[1:]] or [1]
        depths = [dims[0] for dims in volumes]
        self.log = scale == "log"
        self.extent_unit = _HIGHEST / self.rise(max(extents))
        self.depth_unit = _DEEPEST / self.rise(max(depths))
        # Pixels of a bar's length: the longest bar is as high as the highest box.
        self.bar_unit = _HIGHEST / self.rise(max((dims[0] for dims in volumes if len(dims) == 1), default=1))
        self.split = self.groups()
        self.fields = {row.name: row.receptive_field for row in report.layers}
        if len(report.inputs) == 1:
            ((name, (_, *extents_in)),) = report.inputs
            one = tuple(Fraction(1) for _ in extents_in)
            zero = tuple(Fraction(0) for _ in extents_in)
            sizes = tuple(1 for _ in extents_in)
            self.fields[name] = ReceptiveField(sizes, sizes, one, zero, zero, Fraction(0))

    def rise(self, value: int) -> float:
        """A length on the scale; 1 is more than nothing on either."""
        return math.log2(value + 1) if self.log else float(value)

    def side(self, value: int, unit: float) -> float:
        """A length in pixels."""
        return max(self.rise(value) * unit, _LEAST)

    def scene(self) -> Scene:
        solids, bottom, right = self.placed()
        shapes: list[Shape] = []
        by_key = {solid.part.key: solid for solid in solids}
        incoming: dict[str, list[Link]] = {}
        for link in self.links:
            incoming.setdefault(link.target, []).append(link)
        for solid in solids:
            shapes += self.solid(solid)
        for solid in solids:
            for link in incoming.get(solid.part.key, []):
                if not self.over(link):
                    shapes += self.step(by_key[link.source], solid, link)
        shapes += self.skips(by_key)
        for solid in solids:
            shapes += self.words(solid)
        shapes += self.heading()
        wide = max([right, *(self.end(shape) for shape in shapes if isinstance(shape, Text))]) + _MARGIN
        return Scene(self.report.name, math.ceil(wide), math.ceil(bottom + _MARGIN), self.colours, tuple(shapes))

    @staticmethod
    def end(text: Text) -> float:
        width = text_width(text.text, text.size, bold=text.bold)
        return text.at[0] + {"start": width, "middle": width / 2, "end": 0.0}[text.anchor]

    # ---- places ----

    def placed(self) -> tuple[list[_Solid], float, float]:
        """Every box in its place, and how far down and to the right they and their words reach."""
        ranks, lanes = self.ranks_and_lanes()
        self.rank, self.lane = ranks, lanes
        self.taken = {(ranks[part.key], lanes[part.key]) for part in self.parts}
        sizes = {part.key: self.sides(part) for part in self.parts}
        columns = [0.0] * (max(ranks.values()) + 1)
        for part in self.parts:
            depth, _, width, _ = sizes[part.key]
            words = max(text_width(word, _SMALL) for word in [self.volume(part), *self.operation(part)])
            columns[ranks[part.key]] = max(columns[ranks[part.key]], depth + width * _BACK[0], words - _GAP * 0.5)
        starts = [_MARGIN]
        for column in columns:
            starts.append(starts[-1] + column + _GAP)
        self.starts = starts
        over: dict[int, int] = {}
        for link in self.links:
            if self.over(link):
                over[lanes[link.target]] = over.get(lanes[link.target], 0) + 1
        above, below, middle = {}, {}, {}
        for lane in set(lanes.values()):
            there = [part for part in self.parts if lanes[part.key] == lane]
            above[lane] = max(sizes[p.key][1] / 2 - sizes[p.key][2] * _BACK[1] for p in there) + 30
            above[lane] += min(over.get(lane, 0), 8) * 9
            below[lane] = max(sizes[p.key][1] / 2 + 14 + 12 * len(self.operation(p)) for p in there)
        y = 62.0
        for lane in sorted(above):
            middle[lane] = y + above[lane]
            y = middle[lane] + below[lane] + 6
        solids = []
        for part in self.parts:
            depth, height, width, groups = sizes[part.key]
            rank = ranks[part.key]
            x = starts[rank] + (columns[rank] - depth - width * _BACK[0]) / 2
            solids.append(_Solid(part, x, middle[lanes[part.key]] - height / 2, depth, height, width, groups))
        return solids, y, starts[-1] - _GAP

    def ranks_and_lanes(self) -> tuple[dict[str, int], dict[str, int]]:
        """For every part its column, which is the longest way to it, and its row: branches each have their own."""
        sources: dict[str, list[str]] = {}
        for link in self.links:
            sources.setdefault(link.target, []).append(link.source)
        ranks: dict[str, int] = {}
        lanes: dict[str, int] = {}
        last: dict[int, int] = {}
        for part in self.parts:
            read = sources.get(part.key, [])
            rank = max((ranks[key] + 1 for key in read), default=0)
            ranks[part.key] = rank
            # A join goes on in the first of its branches' rows; a branch takes the first row that has room for it.
            wished = min((lanes[key] for key in read), default=0)
            start = min((ranks[key] for key in read), default=-1)
            if last.get(wished, -1) >= rank or (len(read) == 1 and last.get(wished, -1) > start):
                wished = next(lane for lane in range(len(last) + 1) if last.get(lane, -1) <= start)
            lanes[part.key] = wished
            last[wished] = rank
        return ranks, lanes

    def sides(self, part: Part) -> tuple[float, float, float, int]:
        """Depth, height and width in pixels, and the number of groups."""
        depth, *extents = part.after
        if not extents:
            return _BAR, self.side(depth, self.bar_unit), _BAR, 1
        height = self.side(extents[-2], self.extent_unit) if len(extents) > 1 else _LEAST * 2
        width = self.side(extents[-1], self.extent_unit)
        groups = self.split.get(part.key, 1)
        height = groups * height + (groups - 1) * (_BETWEEN - width * _BACK[1])
        return self.side(depth // groups, self.depth_unit), height, width, groups

    def groups(self) -> dict[str, int]:
        """The volumes that are computed or read in groups, if in few enough to be drawn one above the other.

        Pools keep maps apart, so that the groups of their readers and of what they read are theirs, too.
        """
        own: dict[str, int] = {}
        for part in self.parts:
            found = _GROUPS.match(part.iteration[0].spec) if part.kind == "layer" else None
            if found and 1 < int(found[1]) <= _MOST_GROUPS:
                own[part.key] = int(found[1])
        self.computed = dict(own)
        pools = {part.key for part in self.parts if part.family == "pool"}
        split = dict(own)
        for link in reversed(self.links):
            groups = own.get(link.target) or (split.get(link.target) if link.target in pools else None)
            if groups:
                split.setdefault(link.source, groups)
        for link in self.links:
            if link.target in pools and link.source in split:
                split.setdefault(link.target, split[link.source])
        flat = {part.key for part in self.parts if len(part.after) < 3 or part.times > 1 or part.kind == "input"}
        return {key: groups for key, groups in split.items() if key not in flat}

    def over(self, link: Link) -> bool:
        """Whether a value goes over the top of others, that stand in its row on its way."""
        between = range(self.rank[link.source] + 1, self.rank[link.target])
        return any((at, self.lane[link.source]) in self.taken for at in between)

    # ---- shapes ----

    def fill(self, part: Part) -> str:
        if self.heat:
            return self.colours.heat(self.shares.get(part.key, Fraction(0)) / (self.largest or 1))
        return self.colours.fill(part.family)

    def solid(self, solid: _Solid) -> list[Shape]:
        """The box with its faces; others behind it where it stands for several iterations; groups above each other."""
        part = solid.part
        found: list[Shape] = []
        for behind in range(min(part.times - 1, 2), 0, -1):
            x, y = solid.x + 5 * behind, solid.y - 5 * behind
            found += self.box(part, x, y, solid.depth, solid.height, solid.width, sheets=False)
        for group in range(solid.groups):
            x, y, height = self.group_place(solid, group)
            found += self.box(part, x, y, solid.depth, height, solid.width, sheets=part.times == 1)
        return found

    @staticmethod
    def group_place(solid: _Solid, group: int) -> tuple[float, float, float]:
        """The upper left corner and the height of one of a box's groups."""
        gap = _BETWEEN - solid.back[1] if solid.groups > 1 else 0.0
        height = (solid.height - gap * (solid.groups - 1)) / solid.groups
        return solid.x, solid.y + group * (height + gap), height

    def box(
        self, part: Part, x: float, y: float, depth: float, height: float, width: float, *, sheets: bool
    ) -> list[Shape]:
        fill, line = self.fill(part), self.colours.line(part.family)
        light = mixed(fill, self.colours.paper, Fraction(45, 100))
        dark = mixed(fill, self.colours.ink, Fraction(12, 100))
        dx, dy = width * _BACK[0], width * _BACK[1]
        title = f"{part.label}: {numbers.volume(part.after)}"
        front = ((x, y), (x + depth, y), (x + depth, y + height), (x, y + height))
        top = ((x, y), (x + depth, y), (x + depth + dx, y + dy), (x + dx, y + dy))
        side = (
            (x + depth, y),
            (x + depth + dx, y + dy),
            (x + depth + dx, y + dy + height),
            (x + depth, y + height),
        )
        found: list[Shape] = [
            Polygon(top, light, line, 0.8, title=title),
            Polygon(side, dark, line, 0.8, title=title),
            Polygon(front, fill, line, 0.8, title=title),
        ]
        if sheets and 1 < part.after[0] <= _MOST_SHEETS and len(part.after) > 1:
            for sheet in range(1, part.after[0]):
                at = x + depth * sheet / part.after[0]
                found.append(Line(((at, y + height), (at, y), (at + dx, y + dy)), line, 0.4))
        return found

    def step(self, source: _Solid, target: _Solid, link: Link) -> list[Shape]:
        """What leads from a box to the next: the kernel on the one and the unit it makes on the other, or an arrow."""
        if target.part.kind == "layer" and len(source.part.after) > 2 and not link.volume:
            kernel = self.kernel(target.part.iteration[0])
            if kernel is not None:
                found: list[Shape] = []
                # Per-map and grouped layers stay in their group; any other reads all groups for each of its own.
                apart = target.part.family == "pool" or target.part.key in self.computed
                for group in range(source.groups):
                    own = [group] if apart and source.groups == target.groups else range(target.groups)
                    found += self.window(source, target, kernel, group, own)
                return found
        start = (source.edge(source.middle) + 2, source.middle)
        end = (target.x - 3, target.middle)
        bend = self.starts[self.rank[target.part.key]] - _GAP * 0.5
        straight = abs(start[1] - end[1]) < 1
        points = (start, end) if straight else (start, (bend, start[1]), (bend, end[1]), end)
        return [Line(points, self.colours.faint, 1.1, arrow=True)]

    def kernel(self, row: LayerRow) -> tuple[int, int] | None:
        """Height and width of a layer's window with its dilation, by how much more it sees than what it reads."""
        before = self.fields.get(row.inputs[0])
        after = row.receptive_field
        if family(row) not in _WINDOWED or before is None or after is None or before.whole or after.whole:
            return None
        pairs = list(zip(after.size, before.size, before.jump, strict=True))[-2:]
        sides = [(more - less) / jump + 1 for more, less, jump in pairs if jump]
        if len(sides) != 2 or any(side.denominator != 1 for side in sides):
            return None
        return int(sides[0]), int(sides[1])

    def window(
        self, source: _Solid, target: _Solid, kernel: tuple[int, int], group: int, targets: Iterable[int]
    ) -> list[Shape]:
        """A kernel on the right face of a box, and lines from its corners to the units it makes."""
        _, y, height = self.group_place(source, group)
        extents = source.part.after[-2:]
        tall = min(max(height * kernel[0] / extents[0], 5.0), height)
        wide = min(max(source.width * kernel[1] / extents[1], 8.0), source.width)
        u, v = (source.width - wide) * 0.5, (height - tall) * 0.62
        x0, y0 = source.x + source.depth + u * _BACK[0], y + v + u * _BACK[1]
        x1, y1 = x0 + wide * _BACK[0], y0 + wide * _BACK[1]
        face = ((x0, y0), (x1, y1), (x1, y1 + tall), (x0, y0 + tall))
        ink = self.colours.ink
        found: list[Shape] = []
        for each in targets:
            _, there, high = self.group_place(target, each)
            unit = (target.x, there + high * 0.55)
            found += [Line((corner, unit), self.colours.faint, 0.6, dashed=True) for corner in face]
            found.append(Dot(unit, 1.8, ink, None))
        found.append(Polygon(face, self.colours.paper, ink, 0.9))
        sides = "x".join(map(str, kernel))
        middle = source.x + source.depth + source.width * _BACK[0] / 2
        # Inside the face, where there is room for it.
        if text_width(sides, _KERNEL_SIZE) < source.width * _BACK[0] and max(kernel) > 1:
            found.append(Text((middle, y0 + tall + 11), sides, _KERNEL_SIZE, ink))
        return found

    def skips(self, solids: dict[str, _Solid]) -> list[Shape]:
        """Values that go over the top, each at its own height, the shortest lowest."""
        found: list[Shape] = []
        over = sorted(
            (link for link in self.links if self.over(link)),
            key=lambda link: (self.rank[link.target] - self.rank[link.source], self.rank[link.target], link.source),
        )
        levels: dict[int, list[tuple[int, int]]] = {}
        for link in over:
            source, target = solids[link.source], solids[link.target]
            span = (self.rank[link.source], self.rank[link.target])
            between = [each for key, each in solids.items() if span[0] <= self.rank[key] <= span[1]]
            row = [each for each in between if abs(each.middle - target.middle) < 1 or each is source]
            level = next(
                at
                for at in range(len(over) + 1)
                if all(end <= span[0] or begin >= span[1] for begin, end in levels.get(at, []))
            )
            levels.setdefault(level, []).append(span)
            height = min(each.top for each in row) - 22 - 9 * min(level, 8)
            (x0, start), (x1, end) = self.leaves_at(source), self.comes_in_at(target)
            points = ((x0, start), (x0, height), (x1, height), (x1, end))
            found.append(Line(points, self.colours.skip, 1.3, arrow=True))
        return found

    @staticmethod
    def leaves_at(solid: _Solid) -> Point:
        """Where a value that goes over the top leaves a box: at the right end of its upper edge, beside its volume."""
        return solid.right - min(6, solid.depth / 2), solid.top

    @staticmethod
    def comes_in_at(solid: _Solid) -> Point:
        """Where such a value enters a box: on its upper face, to the right."""
        return solid.right - solid.back[0] / 4 - min(6, solid.depth / 2), solid.top - solid.back[1] / 4

    # ---- words ----

    def volume(self, part: Part) -> str:
        """64@56x56, or 2×32@56x56 where it stands in groups."""
        groups = self.split.get(part.key, 1)
        if groups == 1:
            return numbers.volume(part.after)
        return f"{groups}×{numbers.volume((part.after[0] // groups, *part.after[1:]))}"

    def operation(self, part: Part) -> list[str]:
        """What makes a volume, one layer a line."""
        if part.kind == "input":
            return [part.label]
        names = {join: join for join in JOINS} | {"concatenation": "concat"}
        if part.kind == "block":
            words = [part.label]
        else:
            words = [names.get(part.family, part.iteration[0].spec), *(row.spec for row in part.iteration[1:])]
        return [*words, f"×{part.times}"] if part.times > 1 else words

    def words(self, solid: _Solid) -> list[Shape]:
        """The volume above a box, and what makes it below."""
        part = solid.part
        middle = (solid.x + solid.right) / 2
        lift = 5 * min(part.times - 1, 2)
        ink, faint = self.colours.ink, self.colours.faint
        volume = self.volume(part)
        half = text_width(volume, _SMALL) / 2 + 2
        beside = [self.leaves_at(solid)[0] for link in self.links if self.over(link) and link.source == part.key]
        beside += [self.comes_in_at(solid)[0] for link in self.links if self.over(link) and link.target == part.key]
        # Words stand to the left of lines that go over the top.
        middle = min([middle, *(x - half - 3 for x in beside)])
        x0, x1, y1 = middle - half, middle + half, solid.top - 3 - lift
        found: list[Shape] = [
            # Lines that go over the top give way to the words.
            Polygon(((x0, y1 - _SMALL - 1), (x1, y1 - _SMALL - 1), (x1, y1), (x0, y1)), self.colours.paper, None),
            Text((middle, y1 - 3), volume, _SMALL, ink),
        ]
        if self.shares.get(part.key):
            found.append(Text((middle, solid.top - 18 - lift), numbers.share(self.shares[part.key]), _TINY, faint))
        y = solid.y + solid.height + 14
        for at, word in enumerate(self.operation(part)):
            found.append(
                Text(
                    ((solid.x * 2 + solid.depth) / 2, y + 12 * at),
                    word,
                    _SMALL,
                    ink if at == 0 else faint,
                    bold=at == 0,
                )
            )
        return found

    def heading(self) -> list[Shape]:
        """The name and the totals, and what the colours mean."""
        ink = self.colours.ink
        totals = self.report.totals
        facts = f"{numbers.counted(totals.parameters, 'parameter')} · {numbers.count(totals.macs)} MACs"
        x = _MARGIN + text_width(self.report.name, 14, bold=True) + 16
        found: list[Shape] = [
            Text((_MARGIN, 26), self.report.name, 14, ink, "start", bold=True),
            Text((x, 26), facts, _SMALL, ink, "start"),
        ]
        x = _MARGIN
        if self.heat:
            found.append(Text((x, 47), HEAT_TITLES[self.heat], _TINY, ink, "start"))
            x += text_width(HEAT_TITLES[self.heat], _TINY) + 8
            legend = [
                (self.colours.heat(Fraction(step, 4)), ink, numbers.share(Fraction(step, 4) * self.largest))
                for step in range(5)
            ]
        else:
            legend = [
                (self.colours.fill(family), self.colours.line(family), title) for family, title in families(self.parts)
            ]
        for fill, line, title in legend:
            found.append(Polygon(((x, 38), (x + 11, 38), (x + 11, 49), (x, 49)), fill, line, 0.8))
            found.append(Text((x + 15, 47), title, _TINY, ink, "start"))
            x += 15 + text_width(title, _TINY) + 12
        return found

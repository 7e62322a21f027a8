"""Receptive fields: what a unit of every layer sees of an input, per axis, through every path of the graph.

One recurrence over the layers: the window of each layer says which units before it one unit reads, and `field` says
what those see. The axes are followed one by one, since every window is a product over the axes. Maps that see different
things, as after a concatenation, are told apart by ranges of the depth for as long as no layer mixes them.

The field of a layer is that of its units: the hull of what the units at a position see over all of its maps, as large
as that of its largest unit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import prod

from convsize.analyses.facts import Facts
from convsize.analyses.receptive_field.field import (
    IDENTITY,
    Field,
    Number,
    best_placed,
    covered,
    early,
    ends_meet,
    extent,
    joined,
    mean_jump,
    shift_of,
    through,
)
from convsize.geometry import AxisReads, AxisWindow, Shape, Window
from convsize.graph.network import Network, Node
from convsize.record import Record
from convsize.records import ReceptiveField, Shift

_TABLE_ENTRIES = 2_000_000
_FOLLOWED = 400_000
"""Layers and their inputs, for all inputs of a network together."""
_FOLLOWED_PARTS = 200_000
"""Parts of depths in all layers together; beyond them a layer's maps are no longer told apart."""


class Axis(Record):
    """What the units of a layer see along one axis of an input.

    field: the hull over the paths on which units have a position; None where there are none, or no longer.
    small: the same along the path that sees least.
    wide: the pixels (first, last) that every unit sees, through paths that see all positions; None without such.
    aligned: whether the centres of all branches so far met.
    early: how far before its place the field may lie, in pixels, because strided windows have half padding.
    blocks: whether units see blocks that they are in, so that fields lie around their places, not at them.
    """

    field: Field | None
    small: Field | None
    wide: tuple[int, int] | None
    aligned: bool = True
    early: Number = 0
    blocks: bool = False


Axes = tuple[Axis, ...]


class Part(Record):
    """Maps of a volume, from the end of the part before to before `end`, that see the same; None: nothing."""

    end: int
    axes: Axes | None


class Fields(Record):
    """What every layer sees of one input, by node index: None where it sees nothing of it.

    beyond: the first layer after which the field is so large that it is not followed any further, or None.
    parted: the first join whose branches' centres do not meet, or None.
    shifts: the branches of joins that look at different places at every unit, by the join's index.
    """

    rows: list[ReceptiveField | None]
    beyond: int | None
    parted: int | None
    shifts: dict[int, tuple[Shift, ...]]


def receptive_fields(network: Network, facts: Sequence[Facts]) -> dict[str, Fields]:
    """The receptive fields in every input, by the input's name.

    Where a network has so many inputs and layers that following each input would take minutes, the last inputs are
    left out.
    """
    once = len(network.nodes) + sum(len(node.inputs) for node in network.nodes)
    longest = max(64, min(4096, _TABLE_ENTRIES // len(network.nodes)))
    found: dict[str, Fields] = {}
    parts = _FOLLOWED_PARTS
    for name, index in network.inputs.items():
        if found and once * len(found) > _FOLLOWED:
            break
        fold = _Fold(network, facts, index, longest, parts)
        found[name] = fold.run()
        parts = fold.parts_left
    return found


class _Fold:
    """The recurrence for one input. `longest` bounds the tables of fields that vary with the phase."""

    def __init__(self, network: Network, facts: Sequence[Facts], source: int, longest: int, parts: int) -> None:
        self.network = network
        self.facts = facts
        self.source = source
        self.longest = longest
        self.parts_left = parts
        self.image = network.nodes[source].output.spatial
        self.beyond: int | None = None
        self.parted: int | None = None
        # Keyed by identity: the axes that are alive are few, and equal ones are mostly the same object.
        self.records: dict[tuple[int, tuple[int, ...]], tuple[Axes, ReceptiveField]] = {}

    def run(self) -> Fields:
        nodes = self.network.nodes
        states: list[Axes | None] = [None] * len(nodes)
        lost = [False] * len(nodes)
        identity = Axis(IDENTITY, IDENTITY, None)
        start = states[self.source] = (identity,) * len(self.image)
        rows: list[ReceptiveField | None] = [None] * len(nodes)
        rows[self.source] = self.record(start, nodes[self.source].output)
        divided: dict[int, tuple[Part, ...]] = {}
        shifts: dict[int, tuple[Shift, ...]] = {}
        for node in nodes[self.source + 1 :]:
            fact = self.facts[node.index]
            parts: list[Axes] = []
            branches: list[str] = []
            for place, index in enumerate(node.inputs):
                state = states[index]
                if lost[index]:
                    lost[node.index] = True
                if state is not None:
                    after = self.behind(state, _window(node, fact, place), fact.inputs[place], node.output)
                    if after is None:
                        lost[node.index] = True
                        if self.beyond is None:
                            self.beyond = node.index
                    else:
                        parts.append(after)
                        branches.append(nodes[index].name)
            if lost[node.index] or not parts:
                continue
            hull: Axes | None = self.joined(parts, node.output)
            if node.op.KIND in _REARRANGING or any(index in divided for index in node.inputs):
                told = self.parts(node, fact, states, divided)
                if len(told) > 1:
                    divided[node.index] = told
                if told and node.op.KIND == "reshaping":  # some maps may be gone
                    distinct = {id(part.axes): part.axes for part in told if part.axes is not None}
                    hull = self.joined(list(distinct.values()), node.output)
            if hull is None:
                continue
            state = hull
            if self.parted is None and not all(axis.aligned for axis in state):
                self.parted = node.index
            if len(parts) > 1 and not all(axis.aligned for axis in state):
                found = tuple(self.shifts(parts, branches, node.output))
                if found:
                    shifts[node.index] = found
            states[node.index] = state
            rows[node.index] = self.record(state, node.output)
        return Fields(rows, self.beyond, self.parted, shifts)

    def shifts(self, parts: Sequence[Axes], names: Sequence[str], output: Shape) -> Iterator[Shift]:
        """The branches of a join that lie a unit or more from the first one that has positions.

        Left aside is what upsampling explains: a strided window with half padding stands on the first of its pixels,
        and upsampling lays its copies over all of them. In one dimension causal branches, which end at the same pixel,
        are alike: the axis is time, and padding before it is how a network is kept from seeing what is yet to come.
        """
        for axis in range(output.rank):
            placed = [(name, part[axis]) for name, part in zip(names, parts, strict=True) if axis < len(part)]
            fields = [(name, each, each.field) for name, each in placed if each.field is not None]
            for name, other, field in fields[1:]:
                first_name, first, first_field = fields[0]
                pixels = shift_of(first_field, field, output.spatial[axis], self.longest)
                jump = max(mean_jump(first_field), mean_jump(field))
                if -other.early - jump < pixels < first.early + jump:
                    continue
                if first.blocks or other.blocks:
                    continue
                if output.rank > 1 or not ends_meet(first_field, field):
                    yield Shift(first_name, name, axis, Fraction(pixels), jump)

    def joined(self, parts: Sequence[Axes], output: Shape) -> Axes | None:
        """What the same unit of several branches sees together; None where there are none.

        A branch none of whose units sees anything along an axis sees nothing along the others either.
        """
        if not parts:
            return None
        parts = [part for part in parts if not _blind(part, output)] or parts
        state = parts[0]
        for part in parts[1:]:
            state = self.join(state, part, output)
        return state

    def parts(
        self, node: Node, fact: Facts, states: Sequence[Axes | None], divided: Mapping[int, tuple[Part, ...]]
    ) -> tuple[Part, ...]:
        """The maps of a layer by what they see; none where they are not told apart."""
        read = node.op.maps_read(*fact.inputs)
        if read == 1:
            return ()
        there = fact.window.kind == "pointwise" and all(shape.spatial == node.output.spatial for shape in fact.inputs)
        if there and read == node.output.channels and len(node.inputs) == 1:
            return divided.get(node.inputs[0], ())
        before = [
            divided.get(index) or (Part(shape.channels, states[index]),)
            for index, shape in zip(node.inputs, fact.inputs, strict=True)
        ]
        self.parts_left -= sum(map(len, before)) + (0 if isinstance(read, int) else len(read))
        if self.parts_left < 0:
            return ()
        known: dict[tuple[int, int], Axes | None] = {}

        def moved(place: int, axes: Axes | None) -> Axes | None:
            """What a part of an input sees, after the layer's window."""
            if axes is None or there:
                return axes
            key = (place, id(axes))
            if key not in known:
                known[key] = self.behind(axes, _window(node, fact, place), fact.inputs[place], node.output)
            return known[key]

        found: list[Part] = []
        if isinstance(read, int):
            self.in_equal_parts(node, fact, before, read, moved, found)
        else:
            for maps in read:
                place, first, last = maps.place, maps.first, maps.last
                if place is None:
                    _append(found, last - first, None)
                    continue
                for start, part in _overlapping(before[place], first, last):
                    _append(found, min(part.end, last) - max(start, first), moved(place, part.axes))
        if None in known.values():
            return ()  # one that is too large to follow leaves all of them together
        # Equal branches make one part; within a branch neighbours differ.
        alike = all(part.axes == found[0].axes for part in found[1:])
        return (found[-1].replace(axes=found[0].axes),) if alike else tuple(found)

    def in_equal_parts(
        self,
        node: Node,
        fact: Facts,
        before: Sequence[tuple[Part, ...]],
        count: int,
        moved: Callable[[int, Axes | None], Axes | None],
        found: list[Part],
    ) -> None:
        """The maps of a layer that come from `count` equal parts of its inputs, such as a grouped convolution's."""
        widths = [1 if shape.channels == 1 else shape.channels // count for shape in fact.inputs]
        at = [0] * len(before)
        known: dict[tuple[int, ...], Axes | None] = {}
        group = 0
        while group < count:
            alike = count - group
            read: list[Axes] = []
            for place, parts in enumerate(before):
                width = widths[place]
                first = 0 if fact.inputs[place].channels == 1 else group * width
                while parts[at[place]].end <= first:
                    at[place] += 1
                part = parts[at[place]]
                if first + width <= part.end:
                    if fact.inputs[place].channels > 1:
                        alike = min(alike, (part.end - first) // width)
                    among = [part]
                else:
                    alike = 1
                    among = [part for _, part in _overlapping(parts, first, first + width)]
                    self.parts_left -= len(among)
                distinct = {id(part.axes): part.axes for part in among}
                after = [moved(place, axes) for axes in distinct.values()]
                read += [axes for axes in after if axes is not None]
            key = tuple(map(id, read))
            if key not in known:
                known[key] = self.joined(read, node.output)
            _append(found, alike * (node.output.channels // count), known[key])
            group += alike

    def behind(self, state: Axes, window: Window, before: Shape, after: Shape) -> Axes | None:
        """The axes after a layer; None where they become too large to follow."""
        if window.kind == "pointwise" and before.spatial == after.spatial:
            return state
        if window.kind == "everything" or before.rank != after.rank or before.rank != len(self.image):
            return self.each(state, [None] * len(state), before)
        if window.kind == "pointwise":
            # A branch with one position that is read everywhere: a gate. Others keep their places.
            broadcast = [
                None if old == 1 and new > 1 else _POINT for old, new in zip(before.spatial, after.spatial, strict=True)
            ]
            return self.each(state, broadcast, before)
        slides: Sequence[AxisWindow | AxisReads] = window.axes or window.reads
        windows = [
            None if isinstance(each, AxisReads) and not each.shift and count > 1 else each
            for each, count in zip(slides, after.spatial, strict=True)
        ]
        found = self.each(state, windows, before)
        if window.kind == "blocks" and found is not None:
            # Every position of a block sees what the block as one does.
            spread = self.each(found, [axis.replace(transposed=True) for axis in window.axes], before)
            if spread is None:
                return None
            marked = spread[0].replace(blocks=True)
            return tuple([marked if axis is spread[0] else axis.replace(blocks=True) for axis in spread])
        return found

    def each(self, state: Axes, windows: Sequence[AxisWindow | AxisReads | None], before: Shape) -> Axes | None:
        """Every axis after its window, None for a window that sees the whole axis."""
        found: list[Axis] = []
        for number, (axis, window) in enumerate(zip(state, windows, strict=True)):
            if axis.field is None:
                found.append(axis)
                continue
            if window is None:
                found.append(self.widened(axis, before.spatial[number], self.image[number]))
                continue
            if number and axis is state[0] and window == windows[0]:
                found.append(found[0])
                continue
            field = through(axis.field, window, self.longest)
            small = field if axis.small is axis.field else through(axis.small or axis.field, window, self.longest)
            if field is None or small is None:
                return None
            moved = axis.early + early(axis.field, window)
            found.append(Axis(field, small, axis.wide, axis.aligned, moved, axis.blocks))
        return tuple(found)

    def widened(self, axis: Axis, units: int, pixels: int) -> Axis:
        """An axis of which a unit sees every position."""
        assert axis.field is not None
        seen = covered(axis.field, units, pixels)
        return Axis(None, None, _hull(seen, axis.wide) or (0, -1), axis.aligned)

    def join(self, first: Axes, second: Axes, output: Shape) -> Axes:
        """What the same unit of two branches sees together."""
        if first == second:
            return first
        found: list[Axis] = []
        for number, (one, other) in enumerate(zip(first, second, strict=True)):
            if number and one is first[0] and other is second[0] and output.spatial[number] == output.spatial[0]:
                found.append(found[0])
                continue
            aligned = one.aligned and other.aligned
            wide, blocks = _hull(one.wide, other.wide), one.blocks or other.blocks
            if one.field is None or other.field is None:
                positioned = one if other.field is None else other
                found.append(Axis(positioned.field, positioned.small, wide, aligned, positioned.early, blocks))
                continue
            field, meets = joined(one.field, other.field, output.spatial[number], self.longest)
            small, least = one.small or one.field, other.small or other.field
            units = output.spatial[number]
            less = extent(least, units) < extent(small, units)
            before = max(one.early, other.early)
            found.append(Axis(field, least if less else small, wide, aligned and meets, before, blocks))
        return tuple(found)

    def record(self, state: Axes, output: Shape) -> ReceptiveField:
        """The axes as the reports give them."""
        key = (id(state), output.spatial)
        known = self.records.get(key)
        if known is not None:
            return known[1]
        axes: list[_AxisRecord] = []
        for number, axis in enumerate(state):
            same = number and axis is state[0] and self.image[number] == self.image[0]
            if same and output.spatial[number : number + 1] == output.spatial[:1]:
                axes.append(axes[0])
            else:
                units = output.spatial[number] if axis.field is not None else 1
                axes.append(_axis_record(axis, units, self.image[number]))
        seen = prod([each.seen for each in axes])
        record = ReceptiveField(
            size=tuple([each.size for each in axes]),
            smallest=tuple([each.smallest for each in axes]),
            jump=tuple([each.jump for each in axes]),
            start=tuple([each.start for each in axes]),
            centre=tuple([each.centre for each in axes]),
            seen=Fraction(seen, prod(self.image)),
            whole=all(axis.field is None for axis in state),
            aligned=all(axis.aligned for axis in state),
        )
        self.records[key] = (state, record)
        return record


def _window(node: Node, fact: Facts, place: int) -> Window:
    return fact.window if len(fact.inputs) == 1 else node.op.window_of(place, *fact.inputs)


def _blind(axes: Axes, output: Shape) -> bool:
    """Whether no unit sees anything."""
    for number, axis in enumerate(axes):
        field = axis.field
        if field is not None and not field.ordered and axis.wide is None and not extent(field, output.spatial[number]):
            return True
    return False


def _append(parts: list[Part], count: int, axes: Axes | None) -> None:
    """Puts maps after others; those that see the same make one part."""
    start = parts[-1].end if parts else 0
    if parts and parts[-1].axes is axes:
        parts[-1] = Part(start + count, axes)
    else:
        parts.append(Part(start + count, axes))


def _overlapping(parts: Sequence[Part], first: int, last: int) -> Iterator[tuple[int, Part]]:
    """The parts with maps from `first` to before `last`, each with the number of its first map."""
    at = bisect_right(parts, first, key=lambda part: part.end)
    start = parts[at - 1].end if at else 0
    while start < last:
        part = parts[at]
        yield start, part
        start = part.end
        at += 1


_REARRANGING = frozenset({"concatenation", "reshaping"})
"""Kinds of ops that take maps apart and put them together."""

_POINT = AxisWindow(1)
_ZERO = Fraction(0)
_MOVED = ("reshaped", "flattened")
"""How the extents follow where an op reads everything and only moves it."""


class _AxisRecord(Record):
    size: int
    smallest: int
    jump: Fraction
    start: Fraction
    centre: Fraction
    seen: int


def _axis_record(axis: Axis, units: int, pixels: int) -> _AxisRecord:
    wide = 0 if axis.wide is None else axis.wide[1] - axis.wide[0] + 1
    if axis.field is None:
        first, last = axis.wide or (0, -1)
        return _AxisRecord(wide, wide, _ZERO, Fraction(first), Fraction(first + last, 2), wide)
    field = axis.field
    jump = Fraction(field.shift, 1) / field.period if field.period > 1 else Fraction(field.shift)
    low, high = _first_unit(field, jump)
    placed = best_placed(field, axis.wide if wide else None, units, pixels)
    return _AxisRecord(
        max(extent(field, units), placed),
        extent(axis.small or field, units),
        jump,
        Fraction(low),
        Fraction(low + high, 2),
        placed,
    )


def _first_unit(field: Field, jump: Fraction) -> tuple[int | Fraction, int | Fraction]:
    """The field of unit 0; where it sees nothing that of the next one that sees something, moved back by the jump."""
    for phase, (low, high) in enumerate(zip(field.lo, field.hi, strict=True)):
        if low is not None and high is not None:
            return (low - jump * phase, high - jump * phase) if phase else (low, high)
    return 0, -1


def _hull(first: tuple[int, int] | None, second: tuple[int, int] | None) -> tuple[int, int] | None:
    if first is None or second is None:
        return first or second
    if first[1] < first[0] or second[1] < second[0]:
        return second if first[1] < first[0] else first
    return min(first[0], second[0]), max(first[1], second[1])


def before_positions_end(network: Network, rows: Sequence[ReceptiveField | None], end: int) -> int | None:
    """The last layer that `end` is computed from and whose units still have a position, or None where none has.

    That is the layer before global pooling or the first fully connected layer: what a classifier's units see. Behind
    attention, and whatever else reads all positions and leaves several, they see the whole input. What only moves
    values, as `reshape` does, ends positions: which of them a unit holds is not followed.
    """
    last = None
    mixed: set[int] = set()
    for index in sorted(network.ancestors(end)):
        row, node = rows[index], network.nodes[index]
        if row is None or not node.inputs:
            continue
        if not row.whole:
            last = index
        elif not mixed.isdisjoint(node.inputs) or (
            node.op.EXTENTS not in _MOVED and network.window(node).kind == "everything"
        ):
            mixed.add(index)
            last = index if node.output.area > 1 else last
    return last

"""W514: dilated filters that look past every second pixel."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic, Span
from convsize.geometry import AxisWindow
from convsize.graph.network import Network, Node
from convsize.ops.shared.windows import axis_name
from convsize.record import Record
from convsize.rules.base import Context, Rule
from convsize.rules.places import FILTERS, axes_of, consumers, finding
from convsize.words import grid_word, listed, plural

_MOST_STEPS = 2_000_000
"""Positions that are laid out one by one before the rule gives up: the largest networks need a tenth of it."""


class _TooFar(Exception):  # noqa: N818 (no error: the rule is silent where it would take seconds)
    pass


class _Steps:
    """Counts down the positions that may still be looked at."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _MOST_STEPS

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise _TooFar


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    dilated = [node for node in network.layers if node.op.KIND in FILTERS and _holes(network, node)]
    if not dilated:
        return
    readers = consumers(network)
    ends = [
        node
        for node in network.layers
        if node.output.area > 1 and not any(network.nodes[each].output.area > 1 for each in readers[node.index])
    ]
    steps = _Steps()
    told: set[Span] = set()
    for end in ends:
        try:
            steps.take(len(network.nodes))
            inside = network.ancestors(end.index)
            last = max((node for node in dilated if node.index in inside), key=lambda node: node.index, default=None)
            found = None if last is None or last.span in told else _gridded(network, end, inside, last, steps)
        except _TooFar:
            return
        if found is not None:
            told.add(found.span)
            yield found


def _holes(network: Network, node: Node) -> bool:
    return any(axis.dilation > 1 and axis.kernel > 1 for axis in axes_of(network, node))


def _gridded(network: Network, end: Node, inside: frozenset[int], last: Node, steps: _Steps) -> Diagnostic | None:
    """The finding for one end of the network, if the filters before it leave holes along an axis."""
    for axis in range(end.output.rank):
        unit, seen = _nearest_to_the_middle(network, end, inside, axis, steps)
        name, pixels = max(seen.items(), key=lambda item: item[1].count, default=("", _NOWHERE))
        if not pixels.count or pixels.hull == pixels.count:
            continue
        if _seen(network, end, inside, axis, unit, steps, filled=True)[name].count == pixels.count:
            continue  # the holes are those of strides, not of dilation
        filters = [network.nodes[index] for index in inside if network.nodes[index].op.KIND in FILTERS]
        dilations = sorted({axes_of(network, node)[axis].dilation for node in filters if _holes(network, node)})
        shape = network.nodes[network.inputs[name]].output
        return finding(
            "W514",
            last,
            f"of the {plural(pixels.hull, grid_word(shape.rank))} of the {axis_name(shape, axis)} in its receptive "
            f"field a unit after this layer sees only {pixels.count}: dilation "
            f"{listed([str(each) for each in dilations])} leaves holes",
            (
                "mix dilations without a common factor, as in 1, 2, 3, or put an undilated filter before or after "
                "it: `C3`"
            ),
        )
    return None


class _Places(Record):
    """Positions along an axis: bit i of `bits` says whether first + i is one of them; bit 0 is set where any is."""

    first: int
    bits: int

    @property
    def count(self) -> int:
        """How many there are."""
        return self.bits.bit_count()

    @property
    def hull(self) -> int:
        """From the first to the last."""
        return self.bits.bit_length()

    def all(self) -> list[int]:
        """The positions."""
        return [self.first + at for at, bit in enumerate(bin(self.bits)[:1:-1]) if bit == "1"]

    def united(self, other: _Places) -> _Places:
        """The positions that are in one of them."""
        if not self.bits or not other.bits:
            return self if self.bits else other
        low = min(self.first, other.first)
        return _Places(low, self.bits << (self.first - low) | other.bits << (other.first - low))


_NOWHERE = _Places(0, 0)


def _places(positions: set[int], steps: _Steps) -> _Places:
    if not positions:
        return _NOWHERE
    first = min(positions)
    steps.take((max(positions) - first) // 8)
    digits = bytearray(b"0") * (max(positions) - first + 1)
    for position in positions:
        digits[~(position - first)] = ord("1")
    return _Places(first, int(digits.decode(), 2))


def _nearest_to_the_middle(
    network: Network, end: Node, inside: frozenset[int], axis: int, steps: _Steps
) -> tuple[int, dict[str, _Places]]:
    """The unit nearest to the middle that sees anything, and what it sees: some see nothing after `T1/2`."""
    count = end.output.spatial[axis]
    seen: dict[str, _Places] = {}
    for unit in sorted(range(count), key=lambda each: abs(each - count // 2)):
        steps.take(len(inside))
        seen = _seen(network, end, inside, axis, unit, steps, filled=False)
        if any(each.count for each in seen.values()):
            return unit, seen
    return count // 2, seen


def _seen(
    network: Network, end: Node, inside: frozenset[int], axis: int, unit: int, steps: _Steps, *, filled: bool
) -> dict[str, _Places]:
    """The pixels of every input along an axis that a unit of a layer sees; filled: as if filters had no holes."""
    places = {end.index: _Places(unit, 1)}
    for index in sorted(inside, reverse=True):
        node = network.nodes[index]
        here = places.get(index)
        if here is None or not node.inputs:
            continue
        window = network.window(node)
        for source in node.inputs:
            if window.kind in ("everything", "blocks") or network.nodes[source].output.rank != node.output.rank:
                continue  # beyond a global pooling all is seen, and windows of attention have no holes
            there = here
            if window.kind == "axes":
                along = window.axes[axis]
                steps.take((along.reach if filled else along.kernel) * here.count)
                there = _through(here, along, filled, steps)
            elif window.kind == "reads":
                steps.take(here.count)
                ends = [window.reads[axis].of(output) for output in here.all()]
                there = _places({place for first, last in ends for place in range(first, last + 1)}, steps)
            steps.take(there.count)
            places[source] = places.get(source, _NOWHERE).united(there)
    names = {index: name for name, index in network.inputs.items()}
    return {names[index]: found for index, found in places.items() if index in names}


def _through(outputs: _Places, window: AxisWindow, filled: bool, steps: _Steps) -> _Places:
    taps = range(0, window.reach, 1 if filled else window.dilation)
    if window.transposed:
        reached = {output + window.before - tap for output in outputs.all() for tap in taps}
        return _places({place // window.stride for place in reached if place % window.stride == 0}, steps)
    if window.stride > 1:
        return _places({place * window.stride - window.before + tap for place in outputs.all() for tap in taps}, steps)
    steps.take(len(taps) * (window.reach + outputs.hull) // 64)
    bits = 0
    for tap in taps:
        bits |= outputs.bits << tap
    return _Places(outputs.first - window.before, bits)


RULE = Rule(
    code="W514",
    name="gridding",
    summary="dilated filters leave holes in the receptive field",
    checks=(
        "The pixels that the middle unit of the last map with positions sees, found by going backwards "
        "through all branches. They are compared with the pixels it would see if the dilated filters had no "
        "holes."
    ),
    why=(
        "Successive filters with the same dilation d see a grid with a step of d: neighbouring units see "
        "disjoint sets of pixels, and a chequered pattern appears in the output. Dilations without a common "
        "factor, and undilated filters before or after, fill the holes."
    ),
    source=(
        "Wang et al. 2018, understanding convolution for semantic segmentation; Yu et al. 2017, dilated residual "
        "networks."
    ),
    example="input: 3@64x64\nC3D32d2 R C3D32d2 R C3D32d2 R C1D2\n",
    better="input: 3@64x64\nC3D32 R C3D32d2 R C3D32d3 R C1D2\n",
    fix="Use dilations such as 1, 2, 3 or 1, 2, 5 in a row instead of 2, 2, 2 or 2, 4, 8.",
    find=_find,
)

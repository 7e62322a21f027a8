"""What all axes of a network share when they are followed: the windows of every layer, and what was found of layers."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.errors import UsageError
from convsize.geometry import AxisReads, AxisWindow, GeometryError, Padding, Shape
from convsize.graph.network import Network, Node
from convsize.ops.base import Op
from convsize.record import Record
from convsize.records import Bound


class Slide(Record):
    """What windows do along one axis: the window, its rounding, and whether its padding follows the extent."""

    window: AxisWindow
    rounding: str
    same: Padding | None


class Plan:
    """What all axes of a network share: windows by layer, and what was found on the way."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.slides: dict[int, tuple[Slide, ...]] = {}
        self.everything: set[int] = set()
        self.placed: set[int] = set()
        self.reads: dict[int, tuple[AxisReads, ...]] = {}
        self.checkpoint: dict[int, Bound] = {}
        self.coupled: dict[int, Bound] = {}
        self.flat_depths = False
        self.shrinking: dict[int, int] = {}
        known: dict[tuple[int, tuple[Shape, ...]], tuple[tuple[Slide, ...], bool]] = {}
        for node in network.layers:
            shapes = network.input_shapes(node)
            key = (id(node.op), shapes)
            if key not in known:
                known[key] = _slides(node.op, shapes)
            self.slides[node.index], sees_everything = known[key]
            if node.op.parameters(*shapes) and _placed(node.op, shapes):
                self.placed.add(node.index)
            if node.op.scale:
                # At a size of which nothing is left over, and small, so that float32 rounds nothing away.
                whole = tuple(4 * factor.denominator for factor in node.op.scale)
                self.reads[node.index] = node.op.window(Shape(1, whole)).reads
            if sees_everything:
                _require_fixed(network, node, shapes)
                self.everything.add(node.index)

    def signature(self, names: Sequence[str], axis: int) -> object:
        """What decides an axis' answer: axes that are treated alike need not be solved twice."""
        nodes = self.network.nodes
        marks = []
        for node in nodes:
            slides = self.slides.get(node.index, ())
            spatial = node.output.spatial
            own = spatial[axis] if axis < len(spatial) else None
            scale = node.op.scale
            marks.append(
                (
                    slides[axis] if axis < len(slides) else None,
                    scale[axis] if axis < len(scale) else None,
                    own,
                    len(spatial),
                )
            )
        # Where all extents of a volume count at once, the others count as well.
        others = [sorted(node.output.spatial[:axis] + node.output.spatial[axis + 1 :]) for node in nodes]
        return tuple(names), tuple(marks), repr(others)

    def bound(self, node: Node, text: str) -> Bound:
        """What is to be said of a layer, and where it stands."""
        return Bound(node.name, node.spec, self.network.source.place(node.span.start).line, text)


def _require_fixed(network: Network, node: Node, shapes: tuple[Shape, ...]) -> None:
    """Raises UsageError where an op that sees everything gives other extents for a larger input, and states no rule."""
    if node.op.EXTENTS != "windows":
        return
    larger = (shape.replace(spatial=tuple(2 * extent for extent in shape.spatial)) for shape in shapes)
    try:
        fixed = node.op.output(*larger) == node.output
    except GeometryError:
        fixed = False
    if not fixed:
        raise UsageError(
            f"{network.source.name}: the op of `{node.spec}` ({node.name}) does not state how its extents depend "
            "on its input: the sizes cannot be solved; the op must state EXTENTS"
        )


def _placed(op: Op, shapes: tuple[Shape, ...]) -> bool:
    """Whether an op has parameters for every position by itself, so that there are more of them in a larger input."""
    if (op.window(*shapes).kind != "pointwise" and op.EXTENTS != "kept") or not shapes[0].rank:
        return False
    larger = tuple(shape.replace(spatial=tuple(2 * extent for extent in shape.spatial)) for shape in shapes)
    return op.parameters(*larger) != op.parameters(*shapes)


def _slides(op: Op, shapes: tuple[Shape, ...]) -> tuple[tuple[Slide, ...], bool]:
    """The windows of every axis, none where the op has none; and whether it sees the whole extents instead."""
    window = op.window(*shapes)
    if window.kind != "axes" or op.EXTENTS in ("cropped", "resized", "reduced"):
        return (), window.kind == "everything" and op.EXTENTS != "reduced"
    padding: Padding | None = getattr(op, "padding", None)
    rounding: str = getattr(op, "rounding", "floor")
    found = []
    for axis in window.axes:
        if padding is not None and padding.mode == "same" and not axis.transposed:
            found.append(Slide(axis.replace(before=0, after=0), rounding, padding))
        else:
            found.append(Slide(axis, rounding, None))
    return tuple(found), False

"""One axis of the input followed through a network: every extent of it at once, none of them tried.

The axis varies while the others stay. From the input to the outputs every extent is then a quasi-affine function of the
varying one (`quasi_affine`), and every layer adds a condition: windows fit (at least one output), `exact` divides,
crops find enough, the branches of a join agree. The extents where all of them hold are an intersection of residue
classes. Only where a gate broadcasts, because one of its branches happens to shrink to a single position, is the
function another one at single extents: those few are followed through the graph one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from math import floor, lcm, prod

from convsize.analyses.sizes.extents import (
    Condition,
    Line,
    at_least,
    common,
    equal,
    every,
    no_less,
    points,
    residues,
    size_set,
)
from convsize.analyses.sizes.plan import Plan, Slide
from convsize.errors import UsageError
from convsize.geometry import AxisReads, AxisWindow, Shape, output_extent, remainder
from convsize.graph.network import Node
from convsize.record import Record
from convsize.records import SizeSet
from convsize.words import plural

_LARGEST_WORK = 4_000_000
"""Residues, or layers at single extents, that are looked at: a hundred times what the largest known network needs."""


class _Volume(Record):
    """A volume whose depth and extents are functions of the varying extent."""

    depth: Line
    spatial: tuple[Line, ...]

    def elements(self) -> Line:
        """C·H·W: of all factors one at most varies."""
        factors = (self.depth, *self.spatial)
        moving = [line for line in factors if line.varies]
        fixed = prod(line.offsets[0] for line in factors if not line.varies)
        return moving[0].times(fixed) if moving else _constant(fixed)


def _constant(value: int) -> Line:
    return Line(1, 0, (value,))


class AxisWalk:
    """One varying axis followed through the network."""

    def __init__(self, plan: Plan, names: Sequence[str], axis: int) -> None:
        self.plan = plan
        self.network = plan.network
        self.names = names
        self.axis = axis
        self.tied: dict[Node, str] = {}
        self.coupling: dict[Node, str] = {}
        self.positions_left: dict[Node, Line] = {}
        self.needs_two: set[Node] = set()
        self.flat_depths = False
        self.start(Line(1, 1, (0,)))

    def start(self, line: Line) -> None:
        """Begins a walk from an input extent."""
        self.line = line
        self.constants: dict[int, Line] = {}
        self.slid: dict[tuple[Line, Slide, bool], Line] = {}
        self.scaled: dict[tuple[Line, Fraction, AxisReads | None], Line] = {}
        self.least: dict[Line, int] = {}
        self.joined: dict[tuple[Line, Line], Condition] = {}
        self.covered: dict[tuple[Line, Line], Condition] = {}
        self.conditions: list[Condition] = []
        self.losses: list[Condition] = []
        self.weights: dict[Line, int] = {}
        self.single: set[int] = set()
        self.work = 0

    def spend(self, work: int) -> None:
        """Raises UsageError where the whole is more work than any network is worth."""
        self.work += work
        if self.work > _LARGEST_WORK:
            raise UsageError(
                f"{self.network.source.name}: the sizes of this network fall into too many cases to solve: the "
                "product of its strides is large, and many layers follow"
            )

    def solve(self) -> None:
        """Fills in `valid`, `exact` and `checkpoint`."""
        self.walk()
        single = {n for n in self.single if n >= 1}
        whole = self.all()
        exact = every((whole, *self.losses))
        kept = every((whole, *(equal(line, value) for line, value in self.fixed())))
        also_exact, also_kept = set(), set()
        self.spend(len(single) * len(self.network.nodes))
        for n in sorted(single):
            self.start(_constant(n))
            self.walk()
            valid = self.all()
            if valid.is_empty:
                single.discard(n)
                continue
            if not every((valid, *self.losses)).is_empty:
                also_exact.add(n)
            if not every((valid, *(equal(line, value) for line, value in self.fixed()))).is_empty:
                also_kept.add(n)
        self.valid: SizeSet = size_set(whole, single)
        self.exact: SizeSet = size_set(exact, also_exact)
        self.checkpoint: SizeSet = size_set(kept, also_kept)

    def note(self) -> None:
        """Keeps for the plan what the walk found of layers."""
        plan = self.plan
        for found, kept in ((self.tied, plan.checkpoint), (self.coupling, plan.coupled)):
            for node, text in found.items():
                if node.index not in kept:
                    kept[node.index] = plan.bound(node, text)
        plan.flat_depths |= self.flat_depths

    def note_single_positions(self) -> None:
        """Where every axis of a layer may shrink to 1, but not all of them at once, the axes are tied together."""
        plan = self.plan
        for node, line in self.positions_left.items():
            one = points(equal(line, _constant(1)))
            if node in self.needs_two or any(self.valid.has(n) for n in one):
                plan.shrinking[node.index] = plan.shrinking.get(node.index, 0) + 1
                if plan.shrinking[node.index] == node.output.rank:
                    plan.coupled[node.index] = plan.bound(node, "needs more than one position")

    def all(self) -> Condition:
        """Where every condition of validity holds."""
        fits = (at_least(line, least) for line, least in self.least.items())
        return every(chain(fits, self.joined.values(), self.covered.values(), self.conditions))

    def fixed(self) -> Iterator[tuple[Line, Line]]:
        """The lengths that parameters have, with what they are at the declared size."""
        for line, elements in self.weights.items():
            yield line, self.constant(elements)

    def constant(self, value: int) -> Line:
        """A constant, one line for each value."""
        found = self.constants.get(value)
        if found is None:
            found = self.constants[value] = _constant(value)
        return found

    def shape(self, shape: Shape) -> _Volume:
        """A volume that does not follow the input."""
        return _Volume(self.constant(shape.channels), tuple(self.constant(extent) for extent in shape.spatial))

    def need(self, line: Line, least: int) -> None:
        """Demands that an extent is at least so large."""
        if least > self.least.get(line, 0):
            self.least[line] = least

    # ---- the walk ----------------------------------------------------------------------------------------------------

    def walk(self) -> None:
        """Follows every layer in topological order."""
        volumes: list[_Volume] = []
        moving = {self.network.inputs[name] for name in self.names}
        for node in self.network.nodes:
            if not node.inputs:
                volume = self.shape(node.output)
                if node.index in moving:
                    extents = list(volume.spatial)
                    extents[self.axis] = self.line
                    volume = volume.replace(spatial=tuple(extents))
            else:
                volume = self.layer(node, [volumes[index] for index in node.inputs], volumes)
            volumes.append(volume)

    def layer(self, node: Node, inputs: list[_Volume], volumes: list[_Volume]) -> _Volume:
        """What a layer makes of its input volumes, its conditions taken down."""
        slides = self.plan.slides[node.index]
        source = inputs[0]
        if source.spatial and (
            source.depth.varies or source.depth.offsets[0] != self.network.nodes[node.inputs[0]].output.channels
        ):
            self.deep(node, source)
        if slides:
            extents = tuple(
                self.slide(line, slide, at) for at, (line, slide) in enumerate(zip(source.spatial, slides, strict=True))
            )
            return _Volume(self.constant(node.output.channels), extents)
        rule = node.op.EXTENTS
        if rule == "swapped":
            at: int = node.op.axis  # type: ignore[attr-defined]
            self.flat_depths |= source.spatial[at].varies
            return _Volume(source.spatial[at], (*source.spatial[:at], source.depth, *source.spatial[at + 1 :]))
        if rule == "kept":
            self.dividing(node, source)
            return _Volume(self.constant(node.output.channels), source.spatial)
        if rule == "reduced" and node.output.rank:
            (shape,) = self.network.input_shapes(node)
            larger = node.op.output(shape.replace(spatial=tuple(2 * extent for extent in shape.spatial)))
            lines = zip(source.spatial, larger.spatial, strict=True)
            extents = tuple(self.constant(1) if extent == 1 else line for line, extent in lines)
            return _Volume(self.constant(node.output.channels), extents)
        if len(inputs) > 1:
            return self.join(node, inputs)
        if rule == "resized":
            return self.resized(node, source, volumes)
        if rule == "cropped" and node.like is not None:
            kept = volumes[node.like].spatial
            for one, two in zip(source.spatial, kept, strict=True):
                self.cover(one, two)
            return _Volume(source.depth, kept)
        if rule == "cropped":
            for line, extent in zip(source.spatial, node.output.spatial, strict=True):
                self.need(line, extent)
            return self.shape(node.output)
        if rule == "reshaped":
            elements = source.elements()
            if elements.varies:
                self.coupling[node] = f"takes {plural(node.output.elements, 'value')}, however they lie"
            self.conditions.append(equal(elements, self.constant(node.output.elements)))
            return self.shape(node.output)
        if rule == "flattened":
            return self.flat(source.elements())
        if node.index in self.plan.everything:
            if node.op.parameters(*self.network.input_shapes(node)):
                self.weigh(node, source.elements())  # a fully connected layer
            return self.shape(node.output)
        if node.op.STATISTICS == "map":
            self.positions(node, source)
        if source.depth.varies:
            self.transparent(node)
        if node.output == self.network.nodes[node.inputs[0]].output:
            if source.depth.varies and node.op.parameters(*self.network.input_shapes(node)):
                if source.spatial:
                    self.weigh_depth(node, source.depth)
                else:
                    self.weigh(node, source.depth)
            if node.index in self.plan.placed:
                self.weigh(node, source.elements(), "there is one of its weights for each of {} inputs")
            return source
        return _Volume(self.constant(node.output.channels), source.spatial)

    def deep(self, node: Node, source: _Volume) -> None:
        """A layer on a volume whose depth follows the input, since a swap made it of an axis.

        Raises UsageError where it is none whose demands on the depth are known: convolutions of all maps and fully
        connected layers, whose weights follow it, joins, swaps, and what leaves every volume as it is.
        """
        op = node.op
        if op.KIND == "convolution" and getattr(op, "groups", 1) == 1:
            self.weigh_depth(node, source.depth)
        elif not (
            op.EXTENTS in ("swapped", "flattened", "reshaped")
            or op.KIND == "dense"
            or len(node.inputs) > 1
            or (op.EXTENTS == "windows" and node.output == self.network.nodes[node.inputs[0]].output)
        ):
            raise UsageError(
                f"{self.network.source.name}: the depth of what enters `{node.spec}` ({node.name}) depends on the "
                "input size: the sizes cannot be solved; project it to a fixed depth first"
            )

    def dividing(self, node: Node, source: _Volume) -> None:
        """Extents that are multiples of an op's windows, and parameters for every window or position."""
        multiple = node.op.multiple
        if multiple > 1:
            for line in source.spatial:
                fine, _ = line.strided(multiple, lambda extent: extent // multiple)
                self.spend(2 * fine.period)
                self.need(line, multiple)
                self.conditions.append(residues([extent % multiple == 0 for extent in fine.offsets]))
        if node.index in self.plan.placed:
            self.weigh(node, source.elements(), "its weights depend on the positions of {} inputs")

    def resized(self, node: Node, source: _Volume, volumes: list[_Volume]) -> _Volume:
        """Stated extents, those of another value, or a scale of those that enter."""
        depth = self.constant(node.output.channels)
        if node.like is not None:
            return _Volume(depth, volumes[node.like].spatial)
        if not node.op.scale:
            return self.shape(node.output)
        pairs = zip(source.spatial, node.op.scale, strict=True)
        return _Volume(
            depth, tuple([self.scale(node, line, factor, axis) for axis, (line, factor) in enumerate(pairs)])
        )

    def scale(self, node: Node, line: Line, factor: Fraction, axis: int) -> Line:
        """⌊factor·extent⌋, and what is left behind: pixels that a further output would read."""
        windows = self.plan.reads[node.index]
        # With aligned corners the last pixel is always read: then the windows follow the extent, not the scale.
        reads = windows[axis] if windows and axis == self.axis else None
        if reads is not None and reads.period * factor.denominator != reads.shift * factor.numerator:
            reads = None
        key = (line, factor, reads)
        found = self.scaled.get(key)
        if found is not None:
            return found
        fine, out = line.scaled(factor)
        self.spend(2 * fine.period)
        self.need(out, 1)
        if reads is not None:
            far = 8 * factor.denominator  # from the border; what is left behind depends on the remainder alone
            lost = []
            for extent in fine.offsets:
                count = floor((extent + far) * factor)
                end = extent + far - 1
                lost.append(reads.of(count - 1)[1] < end and reads.of(count)[0] <= end)
            if any(lost):
                self.losses.append(residues([not each for each in lost]))
        self.scaled[key] = out
        return out

    def flat(self, depth: Line) -> _Volume:
        """A vector, whose length may follow the input."""
        self.flat_depths |= depth.varies
        return _Volume(depth, ())

    def weigh(
        self, node: Node, elements: Line, text: str = "its weights have one column for each of {} inputs"
    ) -> None:
        """Takes down that a layer's parameters are as long as what enters it."""
        source = self.network.nodes[node.inputs[0]].output
        if elements.varies:
            product = "·".join(map(str, source.dims))
            of = f"{product} = {source.elements}" if source.rank else product
            self.tied[node] = text.format(of)
        if elements.varies or elements.offsets[0] != source.elements:
            self.weights[elements] = source.elements

    def weigh_depth(self, node: Node, depth: Line) -> None:
        """Takes down that a layer's parameters follow the depth of what enters it, which a swap made of an axis."""
        maps = self.network.nodes[node.inputs[0]].output.channels
        self.tied[node] = f"its weights are for {plural(maps, 'map')}, which were positions"
        self.weights[depth] = maps

    def transparent(self, node: Node) -> None:
        """Raises UsageError where a layer over a vector of any length does more than pass every value on.

        One that takes a vector of one value and one of a large prime length, and leaves their lengths, has no demands.
        """
        for depth in (1, 1_000_003):
            try:
                passes = node.op.output(Shape(depth)) == Shape(depth)
            except Exception:  # whatever it demands of the length, it demands something
                passes = False
            if not passes:
                raise UsageError(
                    f"{self.network.source.name}: `{node.spec}` ({node.name}) works on a vector whose length "
                    "depends on the input size: the sizes cannot be solved; pool or project it to a fixed length first"
                )

    def positions(self, node: Node, source: _Volume) -> None:
        """Instance normalisation: a single position has no variance."""
        moving = [line for line in source.spatial if line.varies]
        fixed = prod(line.offsets[0] for line in source.spatial if not line.varies)
        if moving and len(source.spatial) > 1:
            self.positions_left[node] = moving[0]
        if fixed > 1 or not moving:
            if not moving and fixed < 2:
                self.conditions.append(residues([False]))
            return
        self.needs_two.add(node)
        self.need(moving[0], 2)

    # ---- windows -----------------------------------------------------------------------------------------------------

    def slide(self, line: Line, slide: Slide, axis: int) -> Line:
        """The extent after windows; fit, divisibility and what they leave behind are taken down once for each line."""
        # What the other axes leave behind as they stand is not this axis' doing.
        own = axis == self.axis
        key = (line, slide, own)
        found = self.slid.get(key)
        if found is not None:
            return found
        window = slide.window
        if window.fill in ("reflect", "circular") and max(window.before, window.after) > 0:
            self.need(line, max(window.before, window.after) + (window.fill == "reflect"))
        if window.transposed:
            self.spend(line.period)
            out = line.spread(window.stride, lambda extent: output_extent(extent, window))
        else:
            out = self.forward(line, slide, axis, own=own)
        self.need(out, 1)
        self.slid[key] = out
        return out

    def forward(self, line: Line, slide: Slide, axis: int, *, own: bool) -> Line:
        window, stride = slide.window, slide.window.stride

        def at(extent: int) -> AxisWindow:
            if slide.same is None:
                return window
            before, after = slide.same.resolve(window.kernel, stride, window.dilation, extent, axis)
            return window.replace(before=before, after=after)

        def count(extent: int) -> int:
            return output_extent(extent, at(extent), slide.rounding)  # type: ignore[arg-type]

        cropped = -min(window.before, 0) - min(window.after, 0)
        if stride == 1 and slide.same is None and window.before + window.after == window.reach - 1:
            self.need(line, cropped + 1)
            return line  # sharing it is what keeps deep networks cheap
        fine, out = line.strided(stride, count)
        self.spend(2 * fine.period)
        if cropped:
            self.need(line, cropped + 1)
        if slide.rounding == "exact" and stride > 1:
            self.conditions.append(residues([remainder(extent, at(extent)) == 0 for extent in fine.offsets]))
        if stride > 1 and own:
            left = [left_behind(extent, at(extent), n) for extent, n in zip(fine.offsets, out.offsets, strict=True)]
            if any(left):
                self.losses.append(residues([not pixels for pixels in left]))
        return out

    # ---- joins -------------------------------------------------------------------------------------------------------

    def agree(self, one: Line, two: Line) -> None:
        """Demands that two extents are equal."""
        if one is not two and (one, two) not in self.joined:
            self.spend(3 * lcm(one.period, two.period))
            self.joined[one, two] = equal(one, two)

    def cover(self, one: Line, two: Line) -> None:
        """Demands that an extent is no less than another."""
        if one is not two and (one, two) not in self.covered:
            self.spend(3 * lcm(one.period, two.period))
            self.covered[one, two] = no_less(one, two)

    def join(self, node: Node, inputs: list[_Volume]) -> _Volume:
        """A sum, a gate or a concatenation."""
        return self.concatenation(inputs) if node.op.KIND == "concatenation" else self.broadcasting(node, inputs)

    def concatenation(self, inputs: list[_Volume]) -> _Volume:
        first = inputs[0]
        depth = first.depth
        for other in inputs[1:]:
            for one, two in zip(first.spatial, other.spatial, strict=True):
                self.agree(one, two)
            self.spend(lcm(depth.period, other.depth.period))
            depth = depth.plus(other.depth)
        return first.replace(depth=depth)

    def broadcasting(self, node: Node, inputs: list[_Volume]) -> _Volume:
        """A sum or a gate."""
        product = inputs[0]
        for other in inputs[1:]:
            if not product.spatial or not other.spatial:
                larger = product if product.spatial else other
                depth = self.broadcast(product.depth, other.depth, node)
                if depth.varies and larger.spatial:
                    raise UsageError(
                        f"{self.network.source.name}: the depth of `{node.name}` depends on the input size: the sizes "
                        "cannot be solved; pool or project the branch to a fixed length first"
                    )
                product = _Volume(depth, larger.spatial)
            else:
                depth = self.broadcast(product.depth, other.depth, node)
                pairs = zip(product.spatial, other.spatial, strict=True)
                product = _Volume(depth, tuple(self.broadcast(one, two, None) for one, two in pairs))
        return product

    def vectors(self, node: Node, one: Line, two: Line) -> None:
        """Demands that two depths are equal; those of vectors may follow several axes at once."""
        self.agree(one, two)
        if one is two or not (one.varies or two.varies):
            return
        if any(bound != (0, None) for bound in self.joined[one, two].bounds):
            self.coupling[node] = "joins vectors whose lengths must agree"

    def broadcast(self, one: Line, two: Line, vectors: Node | None) -> Line:
        """The extent of a sum or a product: the two are equal, or one of them is 1."""
        if one is two or (not two.varies and two.offsets == (1,)):
            return one
        if not one.varies and one.offsets == (1,):
            return two
        if not one.varies and not two.varies:
            self.agree(one, two)
            return one
        if vectors is not None:
            self.vectors(vectors, one, two)
        else:
            self.agree(one, two)
        for line in common(one, two):
            # Where a branch happens to be 1, the product is as the other one, so nothing after it is as followed here.
            self.single.update(points(equal(line, self.constant(1))))
        return one


def left_behind(extent: int, window: AxisWindow, count: int) -> int:
    """The real pixels after the last of `count` windows that a further window would have read.

    Cropping is asked for and does not count, nor does the gap that a stride above the reach leaves between any two
    windows: of 1x1 filters with stride 2 nothing is left behind.
    """
    end = (count - 1) * window.stride + window.reach - window.before
    gap = max(window.stride - window.reach, 0)
    return max(extent + min(window.after, 0) - end - gap, 0)

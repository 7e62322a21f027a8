"""The tape: storages, tensors and autograd's nodes as PyTorch has them, with bytes in the place of values.

Nothing is computed. An operator allocates its results on the tape, autograd's node keeps what its backward needs, and
`backward` runs the nodes as PyTorch's engine does: the youngest first, gradients in its buffers shared, viewed and
accumulated in place where it would. So the bytes that live at any operator boundary are the bytes that PyTorch holds
there. What a kernel allocates and frees inside one operator is not seen.

Source: torch/csrc/autograd/engine.cpp, input_buffer.cpp, accumulate_grad.h and the formulas of derivatives.yaml,
PyTorch 2.13.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Literal, NamedTuple

Extents = tuple[int, ...]
Kind = Literal["parameters", "buffers", "gradients", "optimizer", "activations", "inputs", "other"]
Moment = Literal["forward", "loss", "backward", "optimizer"]


class Storage:
    """A block of memory, freed when nobody holds it any more."""

    __slots__ = ("holders", "kind", "layer", "size")

    def __init__(self, size: int, kind: Kind, layer: int) -> None:
        self.size = size
        self.kind: Kind = kind
        self.layer = layer
        self.holders = 0


class Value:
    """A tensor: a storage seen through a shape and strides. `holders` are who holds the tensor itself.

    node is the autograd node that made it, None where no gradient flows into it; is_view that it shows the storage of
    another tensor.
    """

    __slots__ = ("holders", "is_view", "itemsize", "node", "shape", "storage", "strides")

    def __init__(self, storage: Storage, shape: Extents, strides: Extents, itemsize: int) -> None:
        self.storage = storage
        self.shape = shape
        self.strides = strides
        self.itemsize = itemsize
        self.node: Node | Leaf | None = None
        self.holders = 1
        self.is_view = False

    @property
    def size(self) -> int:
        """The bytes of its values, which in a view are fewer than its storage's."""
        return prod(self.shape) * self.itemsize


class Leaf:
    """A parameter or a buffer with its gradient."""

    __slots__ = ("gradient", "layer", "name", "order", "trained", "value")

    def __init__(self, name: str, value: Value, layer: int, *, trained: bool) -> None:
        self.name = name
        self.value = value
        self.layer = layer
        self.trained = trained
        self.gradient: Value | None = None
        self.order = 0


Rule = Callable[["Tape", Value], Sequence["Value | None"]]
"""What a node does with the gradient of its output: the gradients of its inputs, each held once by the caller."""


class Node:
    """One of autograd's nodes: whom its gradients go to with the shape they must have, and what it keeps.

    `holders` are the tensor that it made and the nodes that send gradients to it.
    """

    __slots__ = ("edges", "holders", "kept", "layer", "order", "rule")

    def __init__(
        self,
        order: int,
        layer: int,
        edges: Sequence[tuple[Node | Leaf, Extents] | None],
        kept: Sequence[Storage],
        rule: Rule,
    ) -> None:
        self.order = order
        self.layer = layer
        self.edges = edges
        self.kept = kept
        self.rule = rule
        self.holders = 1


class Stretch(NamedTuple):
    """A stretch of the step in one layer: the most bytes that lived in it, and those that lived at its end."""

    moment: Moment
    layer: int
    highest: int
    end: int


class Tape:
    """What lives, and the most that ever lived.

    `stretches` are the step's layers in the order in which they ran. `layer` -1 stands for the loss and the optimizer.
    """

    def __init__(self) -> None:
        self.live = 0
        self.by_kind: dict[Kind, int] = dict.fromkeys(
            ("parameters", "buffers", "gradients", "optimizer", "activations", "inputs", "other"), 0
        )
        self.peak = 0
        self.peak_at: tuple[Moment, int] = ("forward", -1)
        self.peak_kinds: dict[Kind, int] = dict(self.by_kind)
        self.moment: Moment = "forward"
        self.layer = -1
        self.stretches: list[Stretch] = []
        self.recording = True
        self._highest = 0
        self._nodes = 0

    # ---- storages ----------------------------------------------------------------------------------------------------

    def allocate(self, size: int, kind: Kind = "activations") -> Storage:
        """A new storage that nobody holds yet."""
        storage = Storage(size, kind, self.layer)
        self.live += size
        self.by_kind[kind] += size
        if self.live > self._highest:
            self._highest = self.live
            if self.live > self.peak:
                self.peak = self.live
                self.peak_at = (self.moment, self.layer)
                self.peak_kinds = dict(self.by_kind)
        return storage

    def drop(self, storage: Storage) -> None:
        """One holder less; the last one frees it."""
        storage.holders -= 1
        if not storage.holders:
            self.live -= storage.size
            self.by_kind[storage.kind] -= storage.size

    def becomes(self, storage: Storage, kind: Kind) -> None:
        """The storage is something else from now on: a gradient that a parameter takes over."""
        self.by_kind[storage.kind] -= storage.size
        self.by_kind[kind] += storage.size
        storage.kind = kind

    def start(self) -> None:
        """Forgets the peak: what lives now is the first state of a step."""
        self.peak = self._highest = self.live
        self.peak_at = (self.moment, self.layer)
        self.peak_kinds = dict(self.by_kind)
        self.stretches.clear()

    def at(self, moment: Moment, layer: int) -> None:
        """From here on it is this layer's turn."""
        if (moment, layer) != (self.moment, self.layer):
            self.close()
            self.moment, self.layer = moment, layer

    def close(self) -> None:
        """Ends the stretch of the current layer."""
        self.stretches.append(Stretch(self.moment, self.layer, max(self._highest, self.live), self.live))
        self._highest = self.live

    # ---- tensors -----------------------------------------------------------------------------------------------------

    def empty(self, shape: Extents, strides: Extents | None, itemsize: int, kind: Kind = "activations") -> Value:
        """A new tensor, contiguous where no strides are given; the caller holds it."""
        storage = self.allocate(prod(shape) * itemsize, kind)
        storage.holders = 1
        return Value(storage, shape, row_major(shape) if strides is None else strides, itemsize)

    def like(self, value: Value) -> Value:
        """A new tensor as an element-by-element operator makes it: in the order of the given one's strides."""
        return self.empty(value.shape, dense_strides(value.shape, value.strides), value.itemsize)

    def number(self) -> Value:
        """A number that Python hands to an operator on tensors: a tensor of 8 bytes for as long as that runs."""
        return self.empty((), None, 8, "other")

    def view(self, value: Value, shape: Extents, strides: Extents) -> Value:
        """The same storage, seen otherwise."""
        value.storage.holders += 1
        view = Value(value.storage, shape, strides, value.itemsize)
        view.is_view = True
        return view

    def share(self, value: Value) -> Value:
        """The very same tensor, held once more."""
        value.holders += 1
        return value

    def release(self, value: Value) -> None:
        """One holder of the tensor less."""
        value.holders -= 1
        if not value.holders:
            self.drop(value.storage)
            if isinstance(value.node, Node):
                self._let_go(value.node)

    def _let_go(self, node: Node) -> None:
        """One holder of the node less; what only nodes without holders keep is freed with them."""
        waiting = [node]
        while waiting:
            each = waiting.pop()
            each.holders -= 1
            if not each.holders:
                for storage in each.kept:
                    self.drop(storage)
                each.kept = ()
                waiting += [edge[0] for edge in each.edges if edge is not None and isinstance(edge[0], Node)]

    # ---- autograd ----------------------------------------------------------------------------------------------------

    def needs(self, source: Value | Leaf) -> bool:
        """Whether a gradient flows into it."""
        return self.recording and (source.trained if isinstance(source, Leaf) else source.node is not None)

    def record(self, output: Value, sources: Sequence[Value | Leaf], kept: Sequence[Storage], rule: Rule) -> None:
        """Makes autograd's node of an operator, where any of its sources needs a gradient.

        `rule` gives one gradient for each source, None for those that need none.
        """
        edges: list[tuple[Node | Leaf, Extents] | None] = []
        for source in sources:
            if not self.needs(source):
                edges.append(None)
            elif isinstance(source, Leaf):
                edges.append((source, source.value.shape))
            else:
                assert source.node is not None
                edges.append((source.node, source.shape))
        if not any(edges):
            return
        self._nodes += 1
        for storage in kept:
            storage.holders += 1
        for edge in edges:
            if edge is not None and isinstance(edge[0], Node):
                edge[0].holders += 1
        output.node = Node(self._nodes, self.layer, edges, kept, rule)

    def backward(self, root: Value) -> None:
        """Runs the nodes behind `root` and leaves gradients at the parameters.

        Raises ValueError where nothing is trained.
        """
        if not isinstance(root.node, Node):
            raise ValueError("nothing is trained")
        first = root.node
        waiting = _dependencies(first)
        buffers: dict[int, Value] = {}
        # The caller of backward() holds the gradient of the loss to the end.
        seed = self.empty(root.shape, None, root.itemsize, "other")
        buffers[id(first)] = self.share(seed)
        ready: list[tuple[float, int, Node | Leaf]] = [(-first.order, 0, first)]
        pushed = 0
        while ready:
            _, _, node = heapq.heappop(ready)
            gradient = buffers.pop(id(node))
            if isinstance(node, Leaf):
                self.at("backward", node.layer)
                self._accumulate(node, gradient)
                continue
            self.at("backward", node.layer)
            outputs = list(node.rule(self, gradient))
            for place, (output, edge) in enumerate(zip(outputs, node.edges, strict=True)):
                if output is not None and edge is not None and output.shape != edge[1]:
                    outputs[place] = self.empty(edge[1], None, output.itemsize)
                    self.release(output)
            self.release(gradient)
            for storage in node.kept:
                self.drop(storage)
            node.kept = ()
            for output, edge in zip(outputs, node.edges, strict=True):
                if output is None or edge is None:
                    continue
                target = edge[0]
                before = buffers.get(id(target))
                buffers[id(target)] = output if before is None else self._sum(before, output)
                waiting[id(target)] -= 1
                if not waiting[id(target)]:
                    pushed += 1
                    order = float("-inf") if isinstance(target, Leaf) else -target.order
                    heapq.heappush(ready, (order, pushed, target))
        self.release(seed)

    def _sum(self, before: Value, more: Value) -> Value:
        """Two gradients of one tensor: in place where the engine alone holds the first.

        It never does of a view, which keeps the tensor that it shows alive.
        """
        if before.holders == 1 and before.storage.holders == 1 and not before.is_view:
            self.release(more)
            return before
        total = self.like(before)
        self.release(before)
        self.release(more)
        return total

    def _accumulate(self, leaf: Leaf, gradient: Value) -> None:
        """A parameter takes a gradient over as it is, unless it is shared or laid out otherwise: then it clones it."""
        if leaf.gradient is not None:
            self.release(gradient)
            return
        parameter = leaf.value
        same_layout = all(
            extent == 1 or ours == theirs
            for extent, ours, theirs in zip(parameter.shape, gradient.strides, parameter.strides, strict=True)
        )
        if gradient.holders > 1 or not same_layout:
            copy = self.empty(parameter.shape, parameter.strides, gradient.itemsize)
            self.release(gradient)
            gradient = copy
        self.becomes(gradient.storage, "gradients")
        leaf.gradient = gradient


def _dependencies(root: Node) -> dict[int, int]:
    """How many gradients every node behind the root waits for."""
    counts: dict[int, int] = {}
    seen = {id(root)}
    waiting = [root]
    while waiting:
        for edge in waiting.pop().edges:
            if edge is None:
                continue
            target = edge[0]
            counts[id(target)] = counts.get(id(target), 0) + 1
            if isinstance(target, Node) and id(target) not in seen:
                seen.add(id(target))
                waiting.append(target)
    return counts


def nodes_behind(root: Node) -> Iterator[Node]:
    """The nodes that a backward pass from `root` would run, each once."""
    seen = {id(root)}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        for edge in node.edges:
            if edge is not None and isinstance(edge[0], Node) and id(edge[0]) not in seen:
                seen.add(id(edge[0]))
                waiting.append(edge[0])


# ---- strides ---------------------------------------------------------------------------------------------------------


def row_major(shape: Extents) -> Extents:
    """The strides of a contiguous tensor."""
    strides = []
    step = 1
    for extent in reversed(shape):
        strides.append(step)
        step *= max(extent, 1)
    return tuple(reversed(strides))


def channels_last(shape: Extents) -> Extents:
    """The strides of a batch of volumes whose depth is the innermost axis."""
    batch, depth, *extents = shape
    inner = tuple(step * depth for step in row_major(tuple(extents)))
    return (depth * prod(extents), 1, *inner) if batch else ()


def is_contiguous(shape: Extents, strides: Extents) -> bool:
    """Whether the values lie in memory in order; an axis of one position may have any stride."""
    step = 1
    for extent, stride in zip(reversed(shape), reversed(strides), strict=True):
        if extent != 1:
            if stride != step:
                return False
            step *= extent
    return True


def is_channels_last(value: Value) -> bool:
    """Whether kernels take it as channels last: where it is not contiguous and its depth is innermost."""
    if len(value.shape) < 4 or is_contiguous(value.shape, value.strides):
        return False
    wanted = channels_last(value.shape)
    return all(e == 1 or s == w for e, s, w in zip(value.shape, value.strides, wanted, strict=True))


def is_dense(shape: Extents, strides: Extents) -> bool:
    """Whether the values fill their block of memory without gaps and overlaps."""
    step = 1
    for stride, extent in sorted((s, e) for s, e in zip(strides, shape, strict=True) if e != 1):
        if stride != step:
            return False
        step *= extent
    return True


def dense_strides(shape: Extents, strides: Extents) -> Extents:
    """The strides of an element-by-element result: the same order of axes, without gaps."""
    if is_dense(shape, strides):
        return strides
    order = sorted(range(len(shape)), key=lambda axis: (strides[axis], -axis))
    found = [0] * len(shape)
    step = 1
    for axis in order:
        found[axis] = step
        step *= shape[axis]
    return tuple(found)


def viewed(shape: Extents, strides: Extents, wanted: Extents) -> Extents | None:
    """The strides under which a tensor can be seen in another shape, or None where that takes a copy."""
    # As at::detail::computeStride: axes that lie in memory as one are split anew.
    found = [0] * len(wanted)
    place = len(wanted) - 1
    step = strides[-1] if strides else 1
    block = seen = 1
    for axis in range(len(shape) - 1, -1, -1):
        block *= shape[axis]
        if axis == 0 or (shape[axis - 1] != 1 and strides[axis - 1] != block * step):
            while place >= 0 and (seen < block or wanted[place] == 1):
                found[place] = seen * step
                seen *= wanted[place]
                place -= 1
            if seen != block:
                return None
            if axis > 0:
                step = strides[axis - 1]
                block = seen = 1
    return None if place != -1 else tuple(found)

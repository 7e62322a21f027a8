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
from contextlib import contextmanager
from math import prod
from typing import Literal, Protocol

from convsize.analyses.memory.strides import Extents, broadcast, elementwise, is_dense, preserved, row_major
from convsize.record import Record

Kind = Literal["parameters", "buffers", "gradients", "optimizer", "activations", "inputs", "other"]
Moment = Literal["forward", "loss", "recompute", "backward", "optimizer"]
Device = Literal["cpu", "cuda"]


class Storage:
    """A block of memory, freed when nobody holds it any more. `number` counts the blocks that were allocated before."""

    __slots__ = ("holders", "kind", "layer", "number", "size")

    def __init__(self, size: int, kind: Kind, layer: int, number: int) -> None:
        self.size = size
        self.kind: Kind = kind
        self.layer = layer
        self.number = number
        self.holders = 1


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


class Edge(Record):
    """Whom a gradient goes to, and the shape and the type that it must have there."""

    target: Node | Leaf
    shape: Extents
    itemsize: int


class Node:
    """One of autograd's nodes: whom its gradients go to, and what it keeps, or the block that makes that again.

    `holders` are the tensor that it made and the nodes that send gradients to it.
    """

    __slots__ = ("block", "edges", "holders", "kept", "layer", "order", "rule")

    def __init__(self, order: int, layer: int, edges: Sequence[Edge | None], rule: Rule) -> None:
        self.order = order
        self.layer = layer
        self.edges = edges
        self.rule = rule
        self.holders = 1
        self.kept: Sequence[Storage] = ()
        self.block: Recomputed | None = None


class Keeper(Protocol):
    """What takes over from the nodes of a block what they would keep."""

    def keep(self, tape: Tape, node: Node, output: Storage, kept: Sequence[Storage], /) -> None:
        """Takes what the node of an operator with this output would keep."""


class Recomputed(Keeper, Protocol):
    """A block of layers that is run again when one of its nodes needs what it would have kept."""

    def restore(self, tape: Tape, node: Node) -> None:
        """Gives a node what it needs."""

    def let_go(self, tape: Tape, node: Node) -> None:
        """A node has run, or never will."""

    @property
    def held(self) -> Sequence[Storage]:
        """What is kept to run the block again."""


class Stopped(Exception):  # noqa: N818 (a signal, as StopIteration is)
    """What runs again has made all that is needed of it."""


class Stretch(Record):
    """A stretch of the step in one layer: the most bytes that lived in it, and those that lived at its end."""

    moment: Moment
    layer: int
    highest: int
    end: int


class Tape:
    """What lives, and the most that ever lived.

    `stretches` are the step's layers in the order in which they ran. `layer` -1 stands for the loss and the optimizer.
    autocast: the type that autocast computes in, where it is on; casts: the copies of parameters that it holds, by
    parameter; recalled: the parameters whose copies were used again, since a block under a checkpoint began. half: the
    type of values of 2 bytes. block: the block that runs under a checkpoint. fatal: layers whose backward ends the
    process. allocated counts the storages; those with the numbers `unmade` take nothing, for the operator that would
    make them is not run to its end. `watch` is shown every storage that comes (True) or goes.
    """

    def __init__(self, device: Device = "cpu") -> None:
        self.device: Device = device
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
        self.autocast: str | None = None
        self.half = "bfloat16"
        self.casts: dict[int, Value] = {}
        self.recalled: set[int] = set()
        self.block: Keeper | None = None
        self.fatal: list[int] = []
        self.allocated = 0
        self.unmade = range(0)
        self.watch: Callable[[Storage, bool], None] | None = None
        self._within = False
        self._highest = 0
        self._nodes = 0

    # ---- storages ----------------------------------------------------------------------------------------------------

    def allocate(self, size: int, kind: Kind = "activations", *, inside: bool = False) -> Storage:
        """A new storage; the caller holds it.

        inside: within an operator that gives it back before it ends, which no peak counts.
        """
        if self.allocated in self.unmade:
            size = 0
        storage = Storage(size, kind, self.layer, self.allocated)
        self.allocated += 1
        if self.watch is not None:
            self.watch(storage, True)
        self.live += size
        self.by_kind[kind] += size
        if not inside and not self._within:
            self._see()
        return storage

    def _see(self) -> None:
        """Counts what lives now."""
        if self.live > self._highest:
            self._highest = self.live
            if self.live > self.peak:
                self.peak = self.live
                self.peak_at = (self.moment, self.layer)
                self.peak_kinds = dict(self.by_kind)

    @contextmanager
    def one_operator(self) -> Iterator[None]:
        """Several operators that PyTorch runs inside one: no peak counts what is gone when that has ended."""
        self._within = True
        try:
            yield
        finally:
            self._within = False
        self._see()

    def drop(self, storage: Storage) -> None:
        """One holder less; the last one frees it."""
        storage.holders -= 1
        if not storage.holders:
            self.free(storage)

    def free(self, storage: Storage) -> None:
        """The storage is there no more."""
        if self.watch is not None:
            self.watch(storage, False)
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
        return Value(storage, shape, row_major(shape) if strides is None else strides, itemsize)

    def like(self, *operands: Value, itemsize: int | None = None) -> Value:
        """A new tensor as an element-by-element operator makes it of these, of the type of the first one."""
        shape = broadcast(*(each.shape for each in operands))
        itemsize = itemsize or operands[0].itemsize
        known = [(each.shape, self._taken(each, itemsize)) for each in operands]
        return self.empty(shape, elementwise(shape, known), itemsize)

    def _taken(self, operand: Value, itemsize: int) -> Extents:
        """The strides of an operand in the type of the result: a processor makes a copy of one of another type."""
        if self.device == "cuda" or not operand.shape or operand.itemsize == itemsize:
            return operand.strides
        return preserved(operand.shape, operand.strides)

    def clone(self, value: Value, itemsize: int | None = None) -> Value:
        """A new tensor with the same values, perhaps in another type, that lies in memory as the given one does."""
        return self.empty(value.shape, preserved(value.shape, value.strides), itemsize or value.itemsize)

    def number(self) -> Value:
        """A number that Python hands to an operator on tensors: 8 bytes of the processor's while that runs."""
        return self.empty((), None, 8 if self.device == "cpu" else 0, "other")

    def view(self, value: Value, shape: Extents, strides: Extents) -> Value:
        """The same storage, seen otherwise."""
        assert value.storage.holders, "a view of what is freed"
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
                self._empty(each)
                if each.block is not None:
                    each.block.let_go(self, each)
                    each.block = None
                waiting += [edge.target for edge in each.edges if edge is not None and isinstance(edge.target, Node)]

    # ---- autograd ----------------------------------------------------------------------------------------------------

    def needs(self, source: Value | Leaf) -> bool:
        """Whether a gradient flows into it."""
        return self.recording and (source.trained if isinstance(source, Leaf) else source.node is not None)

    def record(self, output: Value, sources: Sequence[Value | Leaf], kept: Sequence[Storage], rule: Rule) -> None:
        """Makes autograd's node of an operator, where any of its sources needs a gradient.

        `rule` gives one gradient for each source, None for those that need none.
        """
        edges: list[Edge | None] = []
        for source in sources:
            if not self.needs(source):
                edges.append(None)
            elif isinstance(source, Leaf):
                edges.append(Edge(source, source.value.shape, source.value.itemsize))
            else:
                assert source.node is not None
                edges.append(Edge(source.node, source.shape, source.itemsize))
        if not any(edges):
            return
        self._nodes += 1
        for edge in edges:
            if edge is not None and isinstance(edge.target, Node):
                edge.target.holders += 1
        output.node = node = Node(self._nodes, self.layer, edges, rule)
        if self.block is None:
            self.keep(node, kept)
        else:
            self.block.keep(self, node, output.storage, kept)

    def keep(self, node: Node, kept: Sequence[Storage]) -> None:
        """The node holds storages until it has run."""
        for storage in kept:
            storage.holders += 1
        node.kept = (*node.kept, *kept)

    def backward(self, root: Value) -> None:
        """Runs the nodes that lead to `root`, and leaves gradients at the parameters.

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
            if node.block is not None:
                node.block.restore(self, node)
                self.at("backward", node.layer)
            outputs = list(node.rule(self, gradient))
            if node.block is not None:
                # What was made for this node alone goes with the end of its operator, what it kept itself later.
                self._empty(node)
            for place, (output, edge) in enumerate(zip(outputs, node.edges, strict=True)):
                if output is not None and edge is not None:
                    outputs[place] = self._fitting(output, edge)
            self.release(gradient)
            self._empty(node)
            if node.block is not None:
                node.block.let_go(self, node)
                node.block = None
            for output, edge in zip(outputs, node.edges, strict=True):
                if output is None or edge is None:
                    assert output is None, "a gradient that nobody needs"
                    continue
                target = edge.target
                before = buffers.get(id(target))
                buffers[id(target)] = output if before is None else self._sum(before, output)
                waiting[id(target)] -= 1
                if not waiting[id(target)]:
                    pushed += 1
                    order = float("-inf") if isinstance(target, Leaf) else -target.order
                    heapq.heappush(ready, (order, pushed, target))
        self.release(seed)

    def _empty(self, node: Node) -> None:
        """The node keeps nothing any more."""
        for storage in node.kept:
            self.drop(storage)
        node.kept = ()

    def _fitting(self, gradient: Value, edge: Edge) -> Value:
        """A gradient in the shape and then in the type of what it is the gradient of."""
        if gradient.shape != edge.shape:
            before, gradient = gradient, self.empty(edge.shape, None, gradient.itemsize)
            # The sum over axes that are left out is seen without them.
            gradient.is_view = 0 < len(edge.shape) < len(before.shape)
            self.release(before)
        if gradient.itemsize != edge.itemsize:
            before, gradient = gradient, self.clone(gradient, edge.itemsize)
            self.release(before)
        return gradient

    def _sum(self, before: Value, more: Value) -> Value:
        """Two gradients of one tensor: in place where the engine alone holds the first.

        It never does of a view, which keeps the tensor that it shows alive, or where values have gaps or overlap.
        """
        alone = before.holders == 1 and before.storage.holders == 1 and not before.is_view
        if alone and is_dense(before.shape, before.strides):
            self.release(more)
            return before
        total = self.like(before, more)
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
    """How many gradients every node that leads to the root waits for."""
    counts: dict[int, int] = {}
    seen = {id(root)}
    waiting = [root]
    while waiting:
        for edge in waiting.pop().edges:
            if edge is None:
                continue
            target = edge.target
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
            if edge is not None and isinstance(edge.target, Node) and id(edge.target) not in seen:
                seen.add(id(edge.target))
                waiting.append(edge.target)

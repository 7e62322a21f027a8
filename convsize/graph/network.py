"""The network: layers in topological order with their ops, volumes, names and places in the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from convsize.errors import Diagnostic, Source, Span
from convsize.geometry import Shape, Window
from convsize.language.tree import Check, File
from convsize.ops.base import Op, Parameter
from convsize.record import Record
from convsize.records import Iteration


class Node(Record):
    """One layer.

    index: its place in `Network.nodes`, always above those of its inputs.
    name: unique and hierarchical: conv1, bot3.conv2, aux1.fc1.
    spec: its shorthand with every number evaluated: C1D256.
    span: where it is said; `calls` the calls of the blocks around it, outermost first.
    blocks: the names of the block instances around it, outermost first: ("bot3",).
    iterations: the repeats around it, outermost first; `repeat_of`: the layer of the innermost repeat's first iteration
    that this one repeats, or None in a first iteration.
    shared: what its weights are called where it stands in a `shared` block: head.conv1 for all of head1.conv1,
    head2.conv1 …; first: the first of these layers, None for that one itself.
    like: the node whose extents it takes, as `up(@stem)` does: read for its shape alone, it is no input.
    """

    index: int
    name: str
    op: Op
    inputs: tuple[int, ...]
    output: Shape
    spec: str
    span: Span
    calls: tuple[Span, ...] = ()
    blocks: tuple[str, ...] = ()
    iterations: tuple[Iteration, ...] = ()
    repeat_of: int | None = None
    shared: str | None = None
    first: int | None = None
    like: int | None = None

    @property
    def reads(self) -> tuple[int, ...]:
        """What must be there when it runs: its inputs, and what it reads the shape of."""
        return self.inputs if self.like is None else (*self.inputs, self.like)

    @property
    def module(self) -> str:
        """What its weights are called: its own name, if it shares them with no other layer."""
        return self.name if self.shared is None else self.shared


class Expectation(Record):
    """A check of an `expect` line with the node whose ancestors it is about (None: the whole network)."""

    check: Check
    node: int | None


class Network:
    """A network that was parsed and sized: read-only, every pass returns new values.

    nodes holds inputs and layers in topological order; inputs, outputs and taps name indices into it. `outputs` has
    "main" first, then the heads. `diagnostics` are the warnings and failed inline assertions found while building.
    volumes are the places of inline volumes; those `left_out` were not held, since they are written for other inputs.
    called: what the spec calls a value that is one of several, by its node: p and q of `[a | b] as p, q`.
    """

    __slots__ = (
        "_windows",
        "called",
        "diagnostics",
        "expectations",
        "file",
        "held",
        "inputs",
        "name",
        "nodes",
        "outputs",
        "source",
        "taps",
        "volumes",
    )

    def __init__(
        self,
        *,
        name: str,
        file: File,
        nodes: tuple[Node, ...],
        inputs: Mapping[str, int],
        outputs: Mapping[str, int],
        taps: Mapping[str, int],
        expectations: tuple[Expectation, ...],
        diagnostics: tuple[Diagnostic, ...],
        volumes: tuple[Span, ...] = (),
        held: bool = True,
        called: Mapping[int, str] | None = None,
    ) -> None:
        self.name = name
        self.file = file
        self.source: Source = file.source
        self.nodes = nodes
        self.inputs = inputs
        self.outputs = outputs
        self.taps = taps
        self.expectations = expectations
        self.diagnostics = diagnostics
        self.volumes = volumes
        self.held = held
        self._windows: dict[int, Window] = {}
        self.called: Mapping[int, str] = called or {}

    @property
    def left_out(self) -> tuple[Span, ...]:
        """The inline volumes that were not held, since they are written for other inputs."""
        return () if self.held else self.volumes

    @property
    def layers(self) -> Iterator[Node]:
        """The nodes that are layers: all but the inputs."""
        return (node for node in self.nodes if node.inputs)

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        """The volumes that enter a layer."""
        return tuple(self.nodes[index].output for index in node.inputs)

    def window(self, node: Node) -> Window:
        """Which positions of its inputs one output of a layer sees: asked of its op once."""
        found = self._windows.get(node.index)
        if found is None:
            found = self._windows[node.index] = node.op.window(*self.input_shapes(node))
        return found

    def parameters(self, node: Node) -> tuple[Parameter, ...]:
        """The layer's parameters and buffers by name and shape."""
        return node.op.parameters(*self.input_shapes(node)) if node.inputs else ()

    def own_parameters(self, node: Node) -> tuple[Parameter, ...]:
        """The parameters and buffers that are this layer's and of none before it: of shared weights the first use."""
        return self.parameters(node) if node.first is None else ()

    def ancestors(self, index: int) -> frozenset[int]:
        """The indices of a node and of everything it is computed from."""
        found = {index}
        waiting = [index]
        while waiting:
            for source in self.nodes[waiting.pop()].inputs:
                if source not in found:
                    found.add(source)
                    waiting.append(source)
        return frozenset(found)

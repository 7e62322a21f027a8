"""The network in the making: layers are added and named here, and what is wrong is taken down."""

from __future__ import annotations

from collections.abc import Callable

from convsize.errors import Diagnostic, Label, Source, Span
from convsize.geometry import GeometryError, Shape
from convsize.graph.evaluate import BuildError
from convsize.graph.layer_names import numbered
from convsize.graph.network import Node
from convsize.graph.scope import Scope
from convsize.graph.tokens import LARGEST_DEPTH, LARGEST_EXTENT
from convsize.ops.base import Op
from convsize.record import Record
from convsize.records import Iteration

SHRUNK = "the extents changed"
"""How the way to a volume that became too small begins, at the end of a help line."""


class Sized(Record):
    """An op with what it produces, and its shorthand."""

    op: Op
    output: Shape
    spec: str


class Repeat(Record):
    """An unrolling repeat: where its first iteration began and ended among the nodes, and where this one began."""

    iteration: Iteration
    first_start: int
    first_end: int
    start: int


class Draft:
    """Nodes, inputs and diagnostics so far, and the repeats that are being unrolled.

    entering: the volume that enters a layer which cannot be, by the layer's place: the first of a repeat's iterations.
    sharing: the first layer with weights that several may use, by the weights' name.
    """

    __slots__ = ("_seen", "called", "diagnostics", "entering", "nodes", "repeats", "sharing", "source", "unmet")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.nodes: list[Node] = []
        self.diagnostics: list[Diagnostic] = []
        self.unmet: list[Diagnostic] = []  # stated volumes that do not hold: the network is there all the same
        self.repeats: list[Repeat] = []
        self.entering: dict[Span, Shape] = {}
        self.sharing: dict[str, int] = {}
        self.called: dict[int, str] = {}
        self._seen: set[tuple[str, Span]] = set()

    def sorted_diagnostics(self) -> tuple[Diagnostic, ...]:
        """The errors in the order of the file."""
        return tuple(sorted((*self.diagnostics, *self.unmet), key=lambda found: (found.span.start, found.code)))

    def report(self, error: BuildError, scope: Scope | None = None, labels: tuple[Label, ...] = ()) -> None:
        """Takes down an error once for each place; inside blocks the calls around it are pointed at as well."""
        if (error.code, error.span) in self._seen:
            return
        self._seen.add((error.code, error.span))
        calls = scope.calls if scope is not None else ()
        around = [Label(span, self._call_label()) for span in calls[-1:]]
        (self.unmet if error.code == "E407" else self.diagnostics).append(
            Diagnostic(
                error.code,
                "error",
                error.message,
                error.span,
                error.help,
                error.label,
                (*labels, *around),
                error.fixes,
            )
        )

    def _call_label(self) -> str:
        """What is to be seen at the call of a block in which something is wrong."""
        iterations = [repeat.iteration.index + 1 for repeat in self.repeats]
        if not iterations or iterations[-1] == 1:
            return "in this call"
        return f"in this call, iteration {iterations[-1]} of its repeat"

    def geometry(self, make: Callable[[], Op], span: Span, current: int) -> Op:
        """Runs an op's constructor, its geometry errors turned into errors at their place."""
        try:
            return make()
        except GeometryError as error:
            raise self._placed(error, span, current) from None

    def sized(self, op: Op, inputs: tuple[int, ...], span: Span, spec: str) -> Sized:
        """An op with its output volume."""
        try:
            output = op.output(*(self.nodes[index].output for index in inputs))
        except GeometryError as error:
            raise self._placed(error, span, inputs[0]) from None
        error_or_none = volume_error(output, span)
        if error_or_none is not None:
            raise error_or_none
        return Sized(op, output, spec)

    def _placed(self, error: GeometryError, span: Span, current: int) -> BuildError:
        """A geometry error at its place; where a volume became too small, with the layers that made it so."""
        shape = self.nodes[current].output
        self.entering.setdefault(span, shape)
        help_text = error.help
        if error.code in {"E202", "E208"}:
            history = self._shrinking(current)
            if history:
                help_text = f"{help_text}; {history}" if help_text else history
        return BuildError(error.code, error.message, span, help_text, label=f"the input here is {shape}")

    def _shrinking(self, current: int) -> str:
        """The layers that made the volume small: the last few of them."""
        steps: list[tuple[str, int]] = []
        index = current
        while self.nodes[index].inputs and len(steps) < 4:
            node = self.nodes[index]
            before = self.nodes[node.inputs[0]].output
            if before.spatial != node.output.spatial and before.spatial and node.output.spatial:
                extents = "x".join(map(str, node.output.spatial))
                steps.append((f"{extents} after `{node.spec}`", self.source.place(node.span.start).line))
            index = node.inputs[0]
        if not steps:
            return ""
        steps.reverse()
        (_, first), *rest = steps
        if all(line == first for _, line in rest):
            return f"{SHRUNK} on line {first}: {', '.join(step for step, _ in steps)}"
        return f"{SHRUNK} on the way: {', '.join(f'{step} on line {line}' for step, line in steps)}"

    def add(self, sized: Sized, inputs: tuple[int, ...], span: Span, scope: Scope, like: int | None = None) -> int:
        """Appends a layer and names it; `like` is what it takes its extents of.

        Raises BuildError E118 where it cannot use the weights that it shares.
        """
        index = len(self.nodes)
        name = numbered(sized.op.STEM, scope.counters, scope.taken)
        repeat_of = None
        iterations: tuple[Iteration, ...] = ()
        if self.repeats:
            iterations = tuple([repeat.iteration for repeat in self.repeats])
            for repeat in reversed(self.repeats):
                if repeat.iteration.index:
                    first = repeat.first_start + index - repeat.start
                    if first < repeat.first_end and type(self.nodes[first].op) is type(sized.op):
                        repeat_of = first
                    break
        shared = first_use = None
        if scope.shared is not None:
            shared = f"{scope.shared}{name}"
            first_use = self.sharing.setdefault(shared, index)
            if first_use == index:
                first_use = None
            else:
                self._same_module(self.nodes[first_use], sized, inputs, span)
        node = Node(
            index,
            f"{scope.prefix}{name}",
            sized.op,
            inputs,
            sized.output,
            sized.spec,
            span,
            scope.calls,
            scope.instances,
            iterations,
            repeat_of,
            shared,
            first_use,
            like,
        )
        self.nodes.append(node)
        return index

    def _same_module(self, first: Node, sized: Sized, inputs: tuple[int, ...], span: Span) -> None:
        """Raises BuildError E118 where a layer is not the one that its shared block had at its first use."""
        before = tuple([self.nodes[index].output for index in first.inputs])
        shapes = tuple([self.nodes[index].output for index in inputs])
        op = sized.op
        if op is first.op and shapes == before:
            return
        alike = type(op) is type(first.op) and op.torch(*shapes) == first.op.torch(*before)
        if alike and op.parameters(*shapes) == first.op.parameters(*before):
            return
        ours, theirs = (" and ".join(map(str, each)) for each in (shapes, before))
        raise BuildError(
            "E118",
            f"this layer of a `shared` block cannot be one and the same at {theirs} and at {ours}",
            span,
            "its weights or its padding follow from what enters it: let the same enter at every use, or write `def` "
            "for weights of each call's own",
        )


def volume_error(shape: Shape, span: Span) -> BuildError | None:
    """E111 or E103 where a volume is empty or beyond what a tensor may be."""
    if min(shape.dims) < 1:
        return BuildError("E111", f"the volume {shape} has no elements", span, "every number must be at least 1")
    if shape.channels > LARGEST_DEPTH or any(extent > LARGEST_EXTENT for extent in shape.spatial):
        limits = f"a depth of {LARGEST_DEPTH} and an extent of {LARGEST_EXTENT}"
        text = f"the volume {shape} is too large: the limits are {limits}"
        return BuildError("E103", text, span, "no network is that large")
    return None

"""Graphs of ONNX as call lists."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from convsize.errors import UsageError
from convsize.importing.aten.values import permuted
from convsize.importing.calls import BATCH, CallList
from convsize.importing.onnx.files import constant, initializers
from convsize.importing.onnx.fixed import Fixed, text
from convsize.importing.onnx.folding import FOLDED, folded
from convsize.importing.onnx.node import Holder, Node
from convsize.importing.onnx.ops.table import OPERATORS
from convsize.importing.onnx.ops.views import split, split_list
from convsize.importing.onnx.patterns import put_together
from convsize.importing.onnx.raw import Raw, raw_nodes
from convsize.importing.onnx.schema import attributes_checked, types_checked
from convsize.importing.writer import MOST_CALLS, CallError, Wire, Writer
from convsize.words import listed, plural

__all__ = ["Walk"]

_FLOAT = 1

_ELEMENTWISE = ("Add", "Sub", "Mul", "Div", "Cast", "Identity")


class Unread:
    """What follows from a node that cannot be read."""


class Walk:
    """Reads one graph."""

    def __init__(self, graph: Any, opset: int, source: str, folder: Path | None) -> None:
        self.graph = graph
        self.opset = opset
        self.source = source
        self.folder = folder
        self.writer = Writer(source)
        self.holder = Holder(self.writer)
        self.batch = 0
        self.values: dict[str, Wire | Fixed | Unread] = {}
        self.lists: dict[str, tuple[Wire, ...]] = {}
        """The parts of values that are split into a list of tensors."""
        self.orders: dict[str, tuple[Wire, tuple[int, ...]]] = {}
        """Values that are others with their axes in another order."""
        self.problems: Counter[str] = Counter()
        self.first: dict[str, str] = {}

    def written(self, shape: tuple[int, ...] | None) -> CallList:
        """The whole list. Raises UsageError that names every operator that cannot be read, and how often."""
        if len(self.graph.node) > MOST_CALLS:
            raise UsageError(f"`{self.source}` has more than {MOST_CALLS:,} nodes")
        for fixed in initializers(self.graph, self.folder, self.source):
            self.values[fixed.name] = fixed
        nodes = []
        raws = raw_nodes(self.graph)
        for raw in raws:
            try:
                attributes_checked(raw, self.opset)
            except CallError as problem:
                self._problem(raw, str(problem))
        if self.problems:
            raise self._refused()
        for raw in raws:
            if raw.kind == "Constant":
                self.values[raw.outputs[0]] = self._constant(raw)
            else:
                nodes.append(raw)
        outputs = [text(each.name) for each in self.graph.output]
        known = {name: each for name, each in self.values.items() if isinstance(each, Fixed)}
        nodes = put_together(nodes, known, set(outputs))
        self._inputs(nodes, shape)
        for raw in nodes:
            self._node(raw)
        if self.problems:
            raise self._refused()
        self._notes(nodes)
        return self.writer.written([("" if len(outputs) == 1 else name, self._output(name)) for name in outputs])

    def _inputs(self, nodes: list[Raw], shape: tuple[int, ...] | None) -> None:
        given = {text(each.name): each for each in self.graph.input if text(each.name) not in self.values}
        if not given:
            raise UsageError(f"`{self.source}` has no input")
        if shape is not None and len(given) > 1:
            raise UsageError(f"`{self.source}` has {plural(len(given), 'input')}, and one size is given")
        for name, each in given.items():
            kind = each.type.tensor_type
            if kind.elem_type != _FLOAT:
                raise UsageError(f"`{self.source}`: its input `{name[:60]}` is not of float32")
            dims = [int(dim.dim_value) if dim.HasField("dim_value") else 0 for dim in kind.shape.dim]
            if len(dims) < 2 or any(length < 0 for length in dims):
                raise UsageError(f"`{self.source}`: its input `{name[:60]}` is no batch of volumes: {dims}")
            self.batch = self.batch or dims[0]
            sizes = dims[1:]
            last = len(sizes) > 2 and self._depth_last(name, nodes, len(dims))
            if last:
                sizes = [sizes[-1], *sizes[:-1]]
            if shape is not None:
                if len(sizes) != len(shape) or any(a and a != b for a, b in zip(sizes, shape, strict=True)):
                    said = "x".join(str(n) if n else "?" for n in sizes)
                    raise UsageError(f"`{self.source}` takes an input of {said}, and another is given")
                sizes = list(shape)
            if not all(sizes):
                raise UsageError(f"`{self.source}` leaves sizes of its input open: give them by --input 3@224x224")
            try:
                wire = self.writer.input(name, (BATCH, *sizes))
                self.values[name] = self._ordered(wire, (0, *range(2, len(dims)), 1)) if last else wire
            except CallError as problem:
                raise UsageError(f"`{self.source}`: its input `{name[:60]}`: {problem}") from None
            if last:
                self.writer.notes.append("The file has the depth last in its input; here it stands first.")

    def _depth_last(self, name: str, nodes: list[Raw], rank: int) -> bool:
        """Whether an input is brought to PyTorch's order of axes, perhaps after arithmetic."""
        reached = {name}
        for node in nodes:
            if not reached & set(node.inputs):
                continue
            if node.kind == "Transpose" and "perm" in node.attributes:
                if list(node.attributes["perm"].ints) == [0, rank - 1, *range(1, rank - 1)]:
                    return True
            elif node.kind in _ELEMENTWISE:
                reached.update(node.outputs)
        return False

    def _constant(self, raw: Raw) -> Fixed:
        import numpy

        name = raw.outputs[0]
        for key, attribute in raw.attributes.items():
            if key == "value":
                return constant(attribute.t, self.folder, self.source, name)
            if key in ("value_float", "value_floats"):
                found = attribute.f if key == "value_float" else list(attribute.floats)
                return Fixed(name, numpy.array(found, dtype=numpy.float32))
            if key in ("value_int", "value_ints"):
                found = attribute.i if key == "value_int" else list(attribute.ints)
                return Fixed(name, numpy.array(found, dtype=numpy.int64))
        raise UsageError(f"`{self.source}`: the constant `{name[:60]}` cannot be read")

    def _node(self, raw: Raw) -> None:
        inputs: list[Wire | Fixed | None] = []
        unread = False
        for name in raw.inputs:
            found = self.values.get(name)
            if name and found is None:
                why = "which nothing before it makes: a circle, or a broken file"
                raise UsageError(f"`{self.source}`: {raw.kind[:60]} takes `{name[:60]}`, {why}")
            unread |= isinstance(found, Unread) and name not in self.lists
            inputs.append(found if isinstance(found, Wire | Fixed) else None)
        made: tuple[Wire | Fixed | Unread, ...] = tuple(Unread() for _ in raw.outputs)
        if not unread and raw.outputs:
            node = Node(raw.kind, raw.attributes, inputs, raw.outputs, self.holder, self.opset, self.batch)
            self.writer.scope = raw.scope
            try:
                made = self._made(raw, node)
            except CallError as problem:
                self._problem(raw, str(problem))
            self.writer.scope = ()
        for name, value in zip(raw.outputs, made, strict=False):
            if name in self.values:
                raise UsageError(f"`{self.source}`: two nodes make `{name[:60]}`")
            if name:
                self.values[name] = value

    def _made(self, raw: Raw, node: Node) -> tuple[Wire | Fixed | Unread, ...]:
        first = node.given(0)
        types_checked(node)
        if node.kind in FOLDED and all(isinstance(each, Fixed) or each is None for each in node.inputs):
            return (folded(node),)
        if node.kind == "CastLike" and isinstance(first, Fixed):  # like a value of the input: all of them are float32
            return (Fixed(node.outputs[0], first.array.astype("float32"), first.learned),)
        if node.kind in ("Shape", "Size") and isinstance(first, Wire):
            return (self._shape(node, first),)
        if node.kind == "Split":
            return split(node)
        if node.kind == "SplitToSequence":
            self.lists[node.outputs[0]] = split_list(node)
            return (Unread(),)
        if node.kind == "SequenceAt":
            return (self._at(raw, node),)
        if node.kind == "Transpose" and isinstance(first, Wire):
            order = node.ints("perm") or list(reversed(range(len(first.shape))))
            return (self._ordered(first, tuple(order)),)
        if node.kind == "torch.GroupNorm":
            return (_group_norm(node),)
        if node.kind not in OPERATORS:
            raise CallError("there is no call for it" if "::" not in node.kind else "an operator of another set")
        if node.kind == "Dropout":
            node.outputs = node.outputs[:1]
        return (OPERATORS[node.kind](node),)

    def _at(self, raw: Raw, node: Node) -> Wire:
        """A tensor of a list."""
        parts, index = self.lists.get(raw.inputs[0]), node.numbers(1)
        if parts is None or not index or not -len(parts) <= index[0] < len(parts):
            raise CallError("it takes a tensor that the list has not")
        return parts[int(index[0])]

    def _shape(self, node: Node, x: Wire) -> Fixed:
        import numpy

        if node.kind == "Size":
            raise CallError("it counts values of the input")
        start, end = node.whole("start", 0), node.whole("end", len(x.shape))
        return Fixed(node.outputs[0], numpy.array(x.shape[start:end], dtype=numpy.int64))

    def _ordered(self, x: Wire, order: tuple[int, ...]) -> Wire:
        """Axes in another order; two changes of order are one, and what comes back to itself is none."""
        if sorted(order) != list(range(len(x.shape))):
            raise CallError(f"{order} is no order of {plural(len(x.shape), 'axis')}")
        base, before = self.orders.get(x.name, (x, tuple(range(len(x.shape)))))
        whole = tuple(before[at] for at in order)
        if whole == tuple(range(len(whole))):
            return base
        made = permuted(self.writer, base, whole)
        self.orders[made.name] = (base, whole)
        return made

    def _output(self, name: str) -> Wire:
        found = self.values.get(name)
        if not isinstance(found, Wire):
            raise UsageError(f"`{self.source}`: its output `{name[:60]}` is not computed from its input")
        (declared,) = [each for each in self.graph.output if text(each.name) == name][:1]
        dims = [int(dim.dim_value) for dim in declared.type.tensor_type.shape.dim]
        if dims and (
            len(dims) != len(found.shape) or any(a and a != b for a, b in zip(dims[1:], found.shape[1:], strict=True))
        ):
            shown = "x".join(map(str, found.shape[1:]))
            raise UsageError(
                f"`{self.source}` says that its output `{name[:60]}` is of {dims[1:]}, and it is of {shown}"
            )
        base, order = self.orders.get(found.name, (found, ()))
        if len(order) > 2 and order == (0, *range(2, len(order)), 1):
            self.writer.notes.append(f"The file has the depth last in its output `{name[:60]}`; here it stands first.")
            return base
        return found

    def _problem(self, raw: Raw, problem: str) -> None:
        said = f"{raw.kind[:60]}: {problem}"
        self.problems[said] += 1
        self.first.setdefault(said, raw.name or (raw.outputs or [""])[0])

    def _refused(self) -> UsageError:
        lines = []
        for said, count in self.problems.most_common(20):
            first = f"`{self.first[said][:60]}`"
            lines.append(f"{said} ({first})" if count == 1 else f"{said} ({count} times, first {first})")
        if len(self.problems) > 20:
            lines.append(f"and {len(self.problems) - 20} more")
        total = plural(sum(self.problems.values()), "node")
        return UsageError("\n  ".join([f"`{self.source}` has {total} that cannot be read", *lines]))

    def _notes(self, nodes: list[Raw]) -> None:
        kinds = {each.kind for each in nodes}
        if "BatchNormalization" not in kinds and any(each.kind == "Conv" and len(each.inputs) > 2 for each in nodes):
            self.writer.notes.append(
                "The file has no batch norms. Where the network has some, they are folded into the convolutions: "
                "exported with training=PRESERVE, or by the newer exporter with optimize=False, they stay."
            )
        if copied := self.holder.copied:
            shown = listed([f"`{name}`" for name in copied], most=3)
            self.writer.notes.append(
                f"{shown} stand once in the file and are used again: every use has its own copy here."
            )


def _group_norm(node: Node) -> Wire:
    """A group norm that was put together."""
    x, groups = node.wire(), int((node.numbers(4) or [0, 0])[1])
    back = node.sizes([int(each) for each in node.numbers(3) or []], x)
    if back != x.shape or groups < 1 or x.shape[1] % groups:
        raise CallError("an instance norm of groups that are no equal parts of the depth")
    held = []
    for at in (1, 2):
        fixed = node.fixed(at, "weights")
        assert fixed is not None
        if fixed.array.size != x.shape[1] or fixed.shape[1 - len(x.shape)] != x.shape[1]:
            raise CallError("gains that are not one a map")
        held.append(node.holder.weight(Fixed(fixed.name, fixed.array.reshape(-1), fixed.learned)))
    given = {"input": x, "num_groups": groups, "weight": held[0], "bias": held[1], "eps": node.number("epsilon", 1e-5)}
    return node.writer.call("group_norm", x.shape, given)

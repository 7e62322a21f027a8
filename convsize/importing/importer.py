"""The import: from a call list to the text of a spec, checked against the list without PyTorch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from convsize.errors import ConvsizeError, SpecError
from convsize.graph.digest import digest
from convsize.importing.calls import CallList
from convsize.importing.folding.fold import folded
from convsize.importing.layers import Graph, Layer, Obstacle
from convsize.importing.lower import lower
from convsize.importing.static import Table, check, read
from convsize.importing.structure import Structure, structured
from convsize.importing.tidy import tidied
from convsize.importing.tokens import Defaults
from convsize.importing.write import defaults_of, in_order, write
from convsize.ops.catalogue import RESERVED, WORDS
from convsize.record import Record
from convsize.words import plural

__all__ = ["Imported", "RefusedError", "import_calls"]


_FUNCTIONS = ("min", "max", "round")

_LARGEST = float.fromhex("0x1.fffffep+127")
"""Of float32: a larger number is an infinity where the model runs."""


class RefusedError(ConvsizeError):
    """What a spec cannot say: everything that stands in the way."""

    def __init__(self, source: str, obstacles: tuple[Obstacle, ...]) -> None:
        self.source = source
        self.obstacles = obstacles
        count = plural(len(obstacles), "call")
        super().__init__(
            "\n".join([f"{source} has {count} that a spec cannot say", *(f"  {each}" for each in self.lines())])
        )

    def lines(self) -> list[str]:
        """The obstacles as lines, the most frequent first: how often, the op, where, and what it computes."""
        counted = Counter((each.op, each.meaning, each.kind) for each in self.obstacles)
        places: dict[tuple[str, str, str], str] = {}
        for each in self.obstacles:
            places.setdefault((each.op, each.meaning, each.kind), each.path)
        found = []
        for key, count in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])):
            op, meaning, kind = key
            where = f" in {kind}" if kind else ""
            first = f", {'first ' if count > 1 else ''}at {places[key]}" if places[key] else ""
            found.append(f"{count}x {op}{where}{first}: {meaning}")
        return found


class Imported(Record):
    """A spec and what it was made from.

    mapping: the spec's tensors by name, with the model's and the order of its axes. outputs: the model's labels, the
    trunk's first. unread: parameters of the model that its outputs do not need, with how many values each has.
    notes: in what the spec is not the model, although it computes the same in evaluation.
    """

    text: str
    mapping: Table
    outputs: tuple[str, ...]
    unread: tuple[tuple[str, int], ...]
    layers: int
    notes: tuple[str, ...] = ()


def import_calls(calls: CallList) -> Imported:
    """The spec of a call list. Raises RefusedError where it cannot be said, or where what was written does not hold."""
    graph = lower(calls)
    if graph.obstacles:
        raise RefusedError(calls.source, graph.obstacles)
    graph = tidied(graph)
    if strange := [each for layer in graph.layers for each in _strange(layer)]:
        raise RefusedError(calls.source, tuple(strange))
    if all(layer.kind == "input" for layer in graph.layers) or not graph.outputs:
        raise RefusedError(calls.source, (Obstacle("output", "it computes nothing that a spec could say", "", ""),))
    defaults = defaults_of(graph)
    structure = structured(graph, defaults)
    order = in_order(structure)
    text, mapping = _shortest(graph, structure, defaults, order, calls)
    used = {path for path, _ in mapping.values()}
    unread = tuple((each.path, each.size) for each in calls.parameters if each.path not in used)
    labels = tuple(label for label, _ in graph.outputs)
    layers = len(graph.layers) - len(structure.inputs)
    return Imported(text, mapping, labels, unread, layers, tuple(_of_training(calls)))


_DROPPED = {"feature_dropout": "whole maps", "alpha_dropout": "values to a negative number and scales the others"}
"""What kinds of dropout drop that `drop` writes: it drops single values, to 0."""


def _of_training(calls: CallList) -> Iterator[str]:
    """What training does otherwise in the model than in the spec."""
    for op, what in _DROPPED.items():
        if count := sum(call.op.rstrip("_") == op and bool(call.arguments.get("p", 0.5)) for call in calls.calls):
            yield f"In training the model drops {what} at {plural(count, 'place')}, and `drop` single values, to 0."


def _strange(layer: Layer) -> Iterator[Obstacle]:
    """The numbers of a layer that a spec cannot say: infinities, what is no number, and what float32 does not hold."""

    def each_of(value: Any) -> Iterator[float]:
        if isinstance(value, tuple):
            for each in value:
                yield from each_of(each)
        elif isinstance(value, float):
            yield value

    place = layer.scope[-1] if layer.scope else None
    for name, value in layer.numbers:
        if wrong := next((each for each in each_of(value) if not abs(each) <= _LARGEST), None):
            meaning = f"its {name} is {wrong}, and a spec has numbers that float32 holds"
            yield Obstacle(layer.kind, meaning, place.path if place else "", place.kind if place else "")


def _shortest(
    graph: Graph, structure: Structure, defaults: Defaults, order: list[int], calls: CallList
) -> tuple[str, Table]:
    """The folded text, which must say the very graph that the plain one says; the plain one where it does not."""
    plain = write(calls.source, graph, structure, defaults)
    found = _checked(plain, graph, order, calls)
    text = write(calls.source, graph, folded(structure, graph, frozenset({*WORDS, *RESERVED, *_FUNCTIONS})), defaults)
    try:
        table = _checked(text, graph, order, calls)
    except RefusedError:
        return plain, found
    return (text, table) if digest(read(text, "import")) == digest(read(plain, "import")) else (plain, found)


def _checked(text: str, graph: Graph, order: list[int], calls: CallList) -> Table:
    try:
        problems, mapping = check(read(text, "import"), graph, order, calls)
    except SpecError as error:
        problems = [each.message for each in error.diagnostics if each.severity == "error"]
        mapping = {}
    if problems:
        raise RefusedError(
            calls.source,
            tuple(Obstacle("spec", f"what was written does not hold: {each}", "", "") for each in problems[:5]),
        )
    return mapping

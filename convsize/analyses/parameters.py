"""Parameters: how many values each layer holds, by role, and the bytes they take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convsize.analyses.facts import Facts
from convsize.graph.network import Network
from convsize.ops.base import Parameter
from convsize.record import Record
from convsize.records import ParameterRow


class ParameterCount(Record):
    """The values that a layer holds. Weights and biases are trained, buffers are kept but not trained.

    `counters` are the buffers among them that count steps, as 8-byte integers whatever the dtype.
    """

    tensors: tuple[ParameterRow, ...]
    weights: int
    biases: int
    buffers: int
    counters: int

    @property
    def parameters(self) -> int:
        """Weights and biases: what is trained."""
        return self.weights + self.biases

    def buffer_bytes(self, itemsize: int) -> int:
        """The bytes of the buffers where a float takes `itemsize`."""
        return (self.buffers - self.counters) * itemsize + self.counters * 8


def count_parameters(facts: Sequence[Facts]) -> list[ParameterCount]:
    """The count of every node, by index: of what it computes with, be it its own or shared."""
    # Few different tuples of parameters stand for thousands of layers; Facts keeps them alive, so their ids are safe.
    known: dict[int, ParameterCount] = {}
    counts = []
    for fact in facts:
        count = known.get(id(fact.parameters))
        if count is None:
            count = known[id(fact.parameters)] = _count(fact.parameters)
        counts.append(count)
    return counts


_NONE = ParameterCount((), 0, 0, 0, 0)


def counted_once(
    network: Network, counts: Sequence[ParameterCount], members: Iterable[int] | None = None
) -> Sequence[ParameterCount]:
    """The counts with every set of weights at the first of its layers alone, of all nodes or of some."""
    nodes = network.nodes
    if not any(node.first is not None for node in nodes):
        return counts
    found = list(counts)
    seen: set[int] = set()
    for index in range(len(nodes)) if members is None else members:
        first = nodes[index].first
        holder = index if first is None else first
        if holder in seen:
            found[index] = _NONE
        seen.add(holder)
    return found


def _count(parameters: tuple[Parameter, ...]) -> ParameterCount:
    sums = {"weight": 0, "bias": 0, "buffer": 0}
    counters = 0
    rows = []
    for parameter in parameters:
        elements = parameter.elements
        sums[parameter.role] += elements
        if parameter.dtype == "int64":
            counters += elements
        rows.append(ParameterRow(parameter.name, parameter.shape, parameter.role, elements))
    return ParameterCount(tuple(rows), sums["weight"], sums["bias"], sums["buffer"], counters)

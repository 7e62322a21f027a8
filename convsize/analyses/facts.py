"""What every layer's op says of it, asked once for each distinct op and input volumes; the analyses only do sums."""

from __future__ import annotations

from convsize.geometry import Shape, Window
from convsize.graph.network import Network
from convsize.ops.base import Parameter, Work
from convsize.record import Record


class Facts(Record):
    """One node's facts. An input has no parameters and does no work."""

    inputs: tuple[Shape, ...]
    window: Window
    parameters: tuple[Parameter, ...]
    macs: int
    work: tuple[Work, ...]


def gather(network: Network) -> list[Facts]:
    """The facts of every node, by index. Repeated layers share the op that the builder made, and so their facts."""
    nodes = network.nodes
    known: dict[tuple[int, tuple[Shape, ...]], Facts] = {}
    facts = []
    for node in nodes:
        op = node.op
        shapes = tuple([nodes[index].output for index in node.inputs])
        key = (id(op), shapes)
        found = known.get(key)
        if found is None:
            found = known[key] = Facts(
                shapes,
                op.window(*shapes),
                op.parameters(*shapes),
                op.macs(shapes, node.output),
                op.work(shapes, node.output),
            )
        facts.append(found)
    return facts

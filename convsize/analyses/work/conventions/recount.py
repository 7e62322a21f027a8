"""A network counted as another tool counts it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from convsize.analyses.work.conventions.base import Convention, Counted, Met
from convsize.errors import UsageError
from convsize.geometry import Shape
from convsize.graph.network import Network, Node
from convsize.ops.base import TorchCall
from convsize.records import ConventionCount, ConventionRow
from convsize.words import did_you_mean, listed, nearest

_PLACES = {
    "torch": "flop_counter:TORCH",
    "torchvision": "flop_counter:TORCHVISION",
    "fvcore": "fvcore:CONVENTION",
    "ptflops": "ptflops:CONVENTION",
    "thop": "thop:CONVENTION",
    "torchinfo": "torchinfo:CONVENTION",
}

NAMES = tuple(_PLACES)
"""The tools whose way of counting is known."""


def convention(name: str) -> Convention:
    """How a tool counts. Raises UsageError where it is not known."""
    if name not in _PLACES:
        known = f"there are: {listed(NAMES)}"
        raise UsageError(f"how `{name}` counts is not known here; {did_you_mean(nearest(name, NAMES), known)}")
    module, _, attribute = _PLACES[name].partition(":")
    found: Convention = getattr(importlib.import_module(f"convsize.analyses.work.conventions.{module}"), attribute)
    return found


def recounted(network: Network, name: str) -> ConventionCount:
    """What a tool counts of a network, for one sample, and why that differs. Raises UsageError for an unknown tool."""
    tool = convention(name)
    rows: dict[tuple[str, str], list[int]] = {}
    unsure: set[tuple[str, str]] = set()
    layers: list[tuple[str, int | None]] = []
    for node in network.layers:
        ours = node.op.macs(network.input_shapes(node), node.output)
        counts = [tool.count(met) for met in _met(network, node, ours)]
        sure = [each.amount for each in counts if each.amount is not None]
        theirs = sum(sure) if len(sure) == len(counts) else None
        layers.append((node.name, theirs))
        key = node.op.NAME, _why(counts) if theirs != ours else ""
        row = rows.setdefault(key, [0, 0, 0])
        row[0] += 1
        row[1] += ours
        row[2] += theirs or 0
        if theirs is None:
            unsure.add(key)
    found = [
        ConventionRow(op, number, ours, None if (op, why) in unsure else theirs, why)
        for (op, why), (number, ours, theirs) in rows.items()
        if ours or theirs or why
    ]
    found.sort(key=lambda row: (-abs((row.theirs or 0) - row.ours), row.op))
    return ConventionCount(
        name=network.name,
        tool=tool.name,
        version=tool.version,
        unit=tool.unit,
        says=tool.says,
        source=tool.source,
        ours=sum(row.ours for row in found),
        theirs=sum(row.theirs or 0 for row in found),
        complete=not unsure,
        rows=tuple(found),
        layers=tuple(layers),
    )


def _why(counts: list[Counted]) -> str:
    return "; ".join(dict.fromkeys(each.why for each in counts if each.why))


def _met(network: Network, node: Node, macs: int) -> Iterator[Met]:
    """The calls that a layer makes, one after another; our multiply-adds are those of the call that has weights."""
    inputs = network.input_shapes(node)
    calls = node.op.torch(*inputs)
    parameters = network.parameters(node)
    weighted = max(range(len(calls)), key=lambda at: calls[at].target.startswith(("nn.Conv", "nn.Linear", "convsize.")))
    dims = inputs[0].dims
    for at, call in enumerate(calls):
        own = at == weighted
        if node.like is not None and call.target == "nn.Upsample":
            call = call.replace(target="F.interpolate")  # to extents that are known when it runs
        yield Met(call, inputs, dims, node.output, parameters if own else (), macs if own else 0)
        inputs = (_padded(call, inputs[0]),)
        shape = dict(call.kwargs).get("shape")
        dims = tuple(map(int, shape[1:])) if call.target == "torch.reshape" and isinstance(shape, tuple) else dims


def _padded(call: TorchCall, volume: Shape) -> Shape:
    """The volume after a call that pads; after another one, the volume before it serves."""
    amounts = dict(call.kwargs).get("pad")
    if call.target != "F.pad" or not isinstance(amounts, tuple):
        return volume
    pairs = [(int(amounts[at]), int(amounts[at + 1])) for at in range(0, len(amounts), 2)]  # the last axis first
    added = [0] * (volume.rank - len(pairs)) + [sum(pair) for pair in reversed(pairs)]
    return volume.replace(spatial=tuple(extent + more for extent, more in zip(volume.spatial, added, strict=False)))

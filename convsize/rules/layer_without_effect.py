"""W513: layers that change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from convsize.errors import Diagnostic
from convsize.graph.network import Network, Node
from convsize.rules.base import Context, Rule
from convsize.rules.places import Places, by_place, finding

_NONNEGATIVE = frozenset({"ReLU", "ReLU6", "sigmoid", "hard sigmoid", "softplus", "softmax", "Lp pooling"})
# What is not negative stays so through these, whatever their number of inputs.
_KEEPING = frozenset(
    {
        "max pooling",
        "average pooling",
        "global average pooling",
        "global max pooling",
        "sum pooling",
        "dropout",
        "stochastic depth",
        "flattening",
        "reshaping",
        "upsampling",
        "zero padding",
        "centre crop",
        "slice",
        "picked maps",
        "channel shuffle",
        "pixel shuffle",
        "widening",
        "concatenation",
        "sum",
        "gate",
    }
)
_NORMS = frozenset({"batch norm", "layer norm", "instance norm"})
# Doing these twice is doing them once; the rest of the table looks at the layer alone.
_IDEMPOTENT = {
    "ReLU6": ("ReLU6",),
    "flattening": ("flattening",),
    "global average pooling": ("global average pooling", "global max pooling"),
    "global max pooling": ("global average pooling", "global max pooling"),
}
_NEUTRAL: dict[str, tuple[Callable[[Any], bool], str]] = {
    "dropout": (lambda op: op.p == 0, "it drops nothing"),
    "stochastic depth": (lambda op: op.p == 0, "it drops nothing"),
    "upsampling": (lambda op: set(op.scale_factor) == {1}, "every extent stays as it is"),
    "constant factor": (lambda op: op.factor == 1, "times 1 is the same"),
    "zero padding": (lambda op: not any(map(any, op.pairs)), "it adds no zeros"),
    "channel shuffle": (lambda op: op.groups == 1, "one group leaves the maps in their order"),
    "pixel shuffle": (lambda op: op.upscale_factor == 1, "every extent stays as it is"),
}
_POOLS = frozenset({"max pooling", "average pooling", "sum pooling"})


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    places = Places(network)
    nonnegative = _nonnegative(network)
    idle: dict[int, tuple[str, str, bool]] = {}
    for node in network.layers:
        reason = _reason(network, node, nonnegative)
        if reason is not None:
            idle[node.index] = reason
    for found in by_place(network.nodes[index] for index in idle):
        if not places.whole(found):
            continue  # in another turn or call it does something
        node = found[0]
        message, help_text, safe = idle[node.index]
        yield finding("W513", node, message, help_text, fixes=places.removed(found, safe=safe))


def _nonnegative(network: Network) -> list[bool]:
    """For every node whether its values cannot be negative."""
    known: list[bool] = []
    for node in network.nodes:
        name = node.op.NAME
        known.append(
            name in _NONNEGATIVE or (name in _KEEPING and bool(node.inputs) and all(known[i] for i in node.inputs))
        )
    return known


def _reason(network: Network, node: Node, nonnegative: list[bool]) -> tuple[str, str, bool] | None:
    """The message, the help, and whether removing it keeps every parameter; None for a layer that does something."""
    name, op = node.op.NAME, node.op
    source = network.nodes[node.inputs[0]]
    token = network.source.slice(node.span)
    if name in _NORMS and name == source.op.NAME:
        return (
            f"this {name} normalises what the {name} before it has normalised already",
            "keep one of them",
            False,
        )
    if name == "ReLU" and nonnegative[source.index]:
        return (
            f"this ReLU changes nothing: what {source.name} gives is never negative",
            "remove it, or put the layer that is missing before it",
            True,
        )
    if source.op.NAME in _IDEMPOTENT.get(name, ()):
        return f"this {name} changes nothing after the {source.op.NAME} before it", "remove it", True
    neutral = _NEUTRAL.get(name)
    if neutral is not None and neutral[0](op):
        return f"`{token}` changes nothing: {neutral[1]}", "remove it", True
    if name in _POOLS and source.output == node.output:
        axes = op.window(source.output).axes
        if all(axis.reach == axis.stride == 1 for axis in axes):
            return (
                f"`{token}` changes nothing: a window of 1 at stride 1",
                "remove it, or give it a larger window",
                True,
            )
    if name in {"slice", "picked maps", "widening"} and _all_maps(node, source):
        return f"`{token}` changes nothing: it keeps all {source.output.channels} maps", "remove it", True
    return None


def _all_maps(node: Node, source: Node) -> bool:
    op: Any = node.op
    if node.output != source.output:
        return False
    return node.op.NAME != "picked maps" or op.indices == tuple(range(source.output.channels))


RULE = Rule(
    code="W513",
    name="layer-without-effect",
    summary="a layer after which nothing has changed",
    checks=(
        "A ReLU over values that are never negative (`R R`, `R M R`, `sigmoid R`), a normalisation right after the "
        "same one, a second global pooling or flattening, and layers whose numbers do nothing: `drop(0)`, `up(1)`, "
        "`times(1)`, `pad(0)`, `shuffle(1)`, `M1`, a slice of all maps. Pools and crops that do nothing only at this "
        "input size are left alone, and so are layers that do something in another call of their block."
    ),
    why=(
        "It is mostly a slip: a layer copied twice, a block that ends in the activation with which the next begins, a "
        "setting that was switched off. It costs time and memory in every step, and a second normalisation parameters."
    ),
    source="A common slip in hand-written networks; max(max(x, 0), 0) = max(x, 0).",
    example="input: 3@32x32\nC3D64 R M R C3D64 R FC10\n",
    better="input: 3@32x32\nC3D64 R M C3D64 R FC10\n",
    fix="Remove it, which is safe where it has no parameters, or write what was meant.",
    find=_find,
)

"""W513: layers that change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from convsize.errors import Diagnostic
from convsize.graph.network import Network, Node
from convsize.ops.base import Statistics
from convsize.rules.base import Context, Rule
from convsize.rules.places import Places, by_place, finding

_REPEATED: frozenset[Statistics] = frozenset({"batch", "map", "position"})
"""Of these norms a second one normalises what is normalised; groups may be others."""


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    places = Places(network)
    nonnegative = _nonnegative(network)
    idle: dict[int, tuple[str, str]] = {}
    for node in network.layers:
        reason = _reason(network, node, nonnegative)
        if reason is not None:
            idle[node.index] = reason
    for found in by_place(network.nodes[index] for index in idle):
        if not places.whole(found):
            continue  # in another iteration or call it does something
        node = found[0]
        message, help_text = idle[node.index]
        yield finding("W513", node, message, help_text, fixes=places.removed(found))


def _nonnegative(network: Network) -> list[bool]:
    """For every node whether its values cannot be negative."""
    known: list[bool] = []
    for node in network.nodes:
        known.append(node.op.is_non_negative([known[index] for index in node.inputs]))
    return known


def _reason(network: Network, node: Node, nonnegative: list[bool]) -> tuple[str, str] | None:
    """The message and the help; None for a layer that does something."""
    name, op = node.op.NAME, node.op
    source = network.nodes[node.inputs[0]]
    before = source.op
    token = network.source.slice(node.span)
    if op.STATISTICS in _REPEATED and op.STATISTICS == before.STATISTICS:
        return (
            f"this {name} normalises again after the {before.NAME} before it",
            "keep one of them",
        )
    if (0, inf) == op.CLAMPS and nonnegative[source.index]:
        return (
            f"this {name} changes nothing: the output of {source.name} is never negative",
            "remove it, or add the missing layer before it",
        )
    if (
        (op.CLAMPS is not None and op.CLAMPS == before.CLAMPS)
        or (op.EXTENTS == before.EXTENTS == "flattened")
        or (_pools_everything(network, node) and _pools_everything(network, source))
    ):
        return f"this {name} changes nothing after the {before.NAME} before it", "remove it"
    why = op.without_effect(*network.input_shapes(node))
    if why is not None:
        other = ", or give it a larger window" if op.KIND == "pool" else ""
        return f"`{token}` changes nothing: {why}", f"remove it{other}"
    return None


def _pools_everything(network: Network, node: Node) -> bool:
    return node.op.KIND == "pool" and network.window(node).kind == "everything"


RULE = Rule(
    code="W513",
    name="layer-without-effect",
    summary="a layer that changes nothing",
    checks=(
        "A ReLU over values that are never negative (`R R`, `R M R`, `sigmoid R`), a normalisation right "
        "after the same one, a second global pooling or flattening, and layers whose numbers have no effect: "
        "`drop(0)`, `up(1)`, `times(1)`, `pad(0)`, `shuffle(1)`, `M1`, a slice of all maps. Pools and crops "
        "without effect at this input size only are not reported, nor are layers that have an effect in "
        "another call of their block."
    ),
    why=(
        "It is usually a mistake: a layer copied twice, a block that ends with the activation that begins "
        "the next one, a setting that was switched off. It costs time and memory in every step; a second "
        "normalisation also adds parameters."
    ),
    source="A common slip in hand-written networks; max(max(x, 0), 0) = max(x, 0).",
    example="input: 3@32x32\nC3D64 R M R C3D64 R FC10\n",
    better="input: 3@32x32\nC3D64 R M C3D64 R FC10\n",
    fix="Remove it, or write the intended layer. The fix is unsafe: it removes a layer.",
    find=_find,
)

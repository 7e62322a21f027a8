"""W515: a softmax of probabilities."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.ops.base import Values
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, finding, origins
from convsize.words import plural

_SOFT: frozenset[Values] = frozenset({"distribution", "logarithms"})
_SQUASHED: frozenset[Values] = frozenset({"distribution", "logarithms", "shares"})
_PASSING: frozenset[Values] = frozenset({"moved", "averaged", "chosen"})


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    soft = [node for node in network.layers if node.op.VALUES in _SOFT]
    if not soft:
        return
    origin = origins(network, lambda node: node.op.VALUES in _PASSING)
    for found in by_place(soft):
        for node in found:
            source = network.nodes[origin[node.inputs[0]]]
            if source.op.VALUES in _SQUASHED:
                yield finding(
                    "W515",
                    node,
                    f"this {node.op.NAME} gets values that the {source.op.NAME} before it has already put between "
                    f"{'minus infinity and 0' if source.op.VALUES == 'logarithms' else '0 and 1'}: "
                    + (
                        "it only turns the logarithms back into probabilities"
                        if source.op.VALUES == "logarithms"
                        else f"with {plural(node.output.channels, 'class')} no probability can exceed "
                        f"{_most(node.output.channels):.2g}"
                    ),
                    f"keep one of the two; the softmax should read the layer before the {source.op.NAME}",
                )
                break


def _most(classes: int) -> float:
    """The largest probability that a softmax gives for values between 0 and 1: e/(e + n - 1)."""
    e = 2.718281828459045
    return e / (e + classes - 1)


RULE = Rule(
    code="W515",
    name="normalised-twice",
    summary="a softmax of values that are already probabilities",
    checks="A softmax or log-softmax over the result of a softmax, log-softmax, sigmoid or hard sigmoid.",
    why=(
        "A softmax of values between 0 and 1 is nearly uniform: with ten classes no probability exceeds e/(e "
        "+ 9) = 0.23. The gradients are small, and the network trains slowly without any error message. The "
        "same happens when a spec that ends in `S` is trained with a loss that applies its own softmax "
        "(W561)."
    ),
    source="The documentation of PyTorch's CrossEntropyLoss: the input is expected to be unnormalised logits.",
    example="input: 3@32x32\nC3D64 R FC10 sigmoid S\n",
    better="input: 3@32x32\nC3D64 R FC10 S\n",
    fix="Keep the last one.",
    find=_find,
)

"""W561: outputs that are probabilities."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.rules.base import Context, Rule
from convsize.rules.places import Places, by_place, finding


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    places = Places(network)
    ends = [network.nodes[index] for index in dict.fromkeys(network.outputs.values())]
    for found in by_place(node for node in ends if node.op.ends_in_logits):
        node = found[0]
        name = next(name for name, index in network.outputs.items() if index == node.index)
        yield finding(
            "W561",
            node,
            f"the output `{name}` ends in a {node.op.NAME}; a cross-entropy loss on logits, as PyTorch's, applies its "
            f"own",
            "train on what comes before it, and keep it for inference; or leave it out of the spec",
            style=True,
            fixes=places.removed(found),
        )


RULE = Rule(
    code="W561",
    name="softmax-at-end",
    summary="an output that ends in a softmax, where losses expect logits",
    checks="Outputs whose last layer is a softmax or log-softmax.",
    why=(
        "PyTorch's CrossEntropyLoss takes logits. A network that ends in a softmax and is trained with it has two, and "
        "learns slowly without an error (W515). Papers and lecture notes draw the softmax, and a spec may say what "
        "they say: style."
    ),
    source="The documentation of PyTorch's CrossEntropyLoss.",
    example="input: 3@32x32\nC3D64 R FC10 S\n",
    better="input: 3@32x32\nC3D64 R FC10\n",
    fix="Leave `S` out where the loss applies a softmax of its own.",
    find=_find,
    style=True,
)

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
            f"the output `{name}` ends in a {node.op.NAME}; a cross-entropy loss on logits, such as PyTorch's, "
            "applies its own",
            "train on its input and keep it for inference, or remove it from the spec",
            style=True,
            fixes=places.removed(found),
        )


RULE = Rule(
    code="W561",
    name="softmax-at-end",
    summary="an output that ends in a softmax, although losses expect logits",
    checks="Outputs whose last layer is a softmax or log-softmax.",
    why=(
        "PyTorch's CrossEntropyLoss takes logits. With a network that ends in a softmax it applies a second "
        "one, and training is slow without an error message (W515). Papers and lecture notes draw the "
        "softmax, and a spec may follow them: style."
    ),
    source="The documentation of PyTorch's CrossEntropyLoss.",
    example="input: 3@32x32\nC3D64 R FC10 S\n",
    better="input: 3@32x32\nC3D64 R FC10\n",
    fix="Remove `S` where the loss applies its own softmax.",
    find=_find,
    style=True,
)

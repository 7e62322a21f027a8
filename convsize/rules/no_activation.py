"""W556: linear layers with nothing in between."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, finding, origins


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    # What does multiply-adds is a layer with weights.
    weighted = {node.index for node in network.layers if context.rows[node.index].macs}
    origin = origins(network, lambda node: node.op.is_linear() and node.index not in weighted)
    sources = {index: network.nodes[origin[network.nodes[index].inputs[0]]] for index in sorted(weighted)}
    sources = {index: source for index, source in sources.items() if source.index in weighted}
    for found in by_place(network.nodes[index] for index in sources):
        node = found[0]
        source = sources[node.index]
        yield finding(
            "W556",
            node,
            f"there is no activation between {source.name} ({source.spec}) and {node.name} ({node.spec}): "
            "together they are one linear layer",
            f"add one between them: `{source.spec} R {node.spec}`",
            style=True,
        )


RULE = Rule(
    code="W556",
    name="no-activation",
    summary="no activation between two layers with weights",
    checks=(
        "Convolutions and fully connected layers whose input comes from another one through linear layers "
        "only: batch normalisation, average pooling, dropout, reshaping. Max pooling is not linear."
    ),
    why=(
        "Two linear layers in a row are one linear layer: the second adds parameters but no expressive "
        "power. Factorised filters and the projections of MobileNetV2, Xception and ConvNeXt leave the "
        "activation out on purpose: style."
    ),
    source="Varma & Das, ch. 12; the notation never implies an activation.",
    example="input: 3@32x32\nC3D64 C3D64 R FC10\n",
    better="input: 3@32x32\nC3D64 R C3D64 R FC10\n",
    fix="Write the activation: `R`, `gelu` or `silu`.",
    find=_find,
    style=True,
)

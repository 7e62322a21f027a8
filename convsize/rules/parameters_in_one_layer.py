"""W504: most parameters sit in one fully connected layer."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, finding
from convsize.words import percent, plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network, total = context.network, context.report.totals.parameters
    heavy = [
        node
        for node in network.layers
        if node.op.KIND == "dense"
        and network.input_shapes(node)[0].area > 1
        and 2 * context.rows[node.index].parameters > total
    ]
    for found in by_place(heavy):
        node = found[0]
        (source,) = network.input_shapes(node)
        row = context.rows[node.index]
        units = node.output.channels
        pooled = source.channels * units + row.biases
        yield finding(
            "W504",
            node,
            f"this layer has {row.parameters:,} of the {plural(total, 'parameter')} "
            f"({percent(row.parameters / total)}): "
            f"it reads all {plural(source.elements, 'value')} of {source}",
            f"average first: `GAP FC{units}` has {pooled:,}",
            style=True,
        )


RULE = Rule(
    code="W504",
    name="parameters-in-one-layer",
    summary="most parameters are in one fully connected layer on a feature map",
    checks="A fully connected layer over a map with positions that holds more than half of all parameters.",
    why=(
        "The first fully connected layer of VGG-16 has 102,760,448 of its 138 million weights. Averaging "
        "every map first loses little, leaves 512 inputs, works at any input size and overfits less. AlexNet "
        "and VGG are built without it, so this is style."
    ),
    source="G4: Varma & Das, ch. 12, and Aggarwal, ch. 8; Lin et al. 2014, network in network.",
    example="input: 3@16x16\n(C3D64 R)*2 M (C3D128 R)*2 M FC512 R FC10 S\n",
    better="input: 3@16x16\n(C3D64 R)*2 M (C3D128 R)*2 M GAP FC512 R FC10 S\n",
    fix="Put `GAP` before the layer; often the classifier alone, `GAP FC10`, is enough.",
    find=_find,
    style=True,
)

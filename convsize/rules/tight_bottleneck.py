"""W554: a volume that falls too fast."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.graph.network import Node
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, finding, last_weights, trunk_cuts
from convsize.words import plural

_STEEP = 8


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    steep: list[tuple[Node, Node]] = []
    before: Node | None = None
    last = last_weights(context)
    for node in trunk_cuts(network):
        # Flat, or as deep as the task has classes: a summary is meant to be small.
        if node.output.area == 1 or node.index >= last:
            break
        if before is not None and _ratio(before, node) > _STEEP:
            steep.append((node, before))
        before = node
    earlier = {node.index: source for node, source in steep}
    for found in by_place(node for node, _ in steep):
        node = max(found, key=lambda each: _ratio(earlier[each.index], each))
        source = earlier[node.index]
        yield finding(
            "W554",
            node,
            f"everything passes through {node.output} = {plural(node.output.elements, 'value')} here, "
            f"{_ratio(source, node):.3g} times fewer than the {source.output.elements:,} of {source.output} before it",
            f"fall by at most {_STEEP} at once: {_gentler(node, source)}",
            style=True,
        )


def _ratio(before: Node, node: Node) -> float:
    return before.output.elements / node.output.elements


def _gentler(node: Node, source: Node) -> str:
    if node.output.area < source.output.area:
        return "stride in two steps, or give the layer that strides more maps"
    return f"keep at least {plural(-(-source.output.channels // _STEEP), 'map')}"


RULE = Rule(
    code="W554",
    name="tight-bottleneck",
    summary="the volume H·W·C shrinks more than eightfold at a layer on every path",
    checks=(
        "Layers on every path from input to output, up to the last one with positions, that hold less than "
        "an eighth of the values of the one before. A layer that a shortcut or another branch bypasses is "
        "not a bottleneck."
    ),
    why=(
        "What does not fit through the narrowest volume is lost to all later layers. Volumes should shrink "
        "gradually from input to output, by two to four at a pool."
    ),
    source="G5: Kurmi, DSE316 ConvNet slides; Szegedy et al. 2016, principle 1.",
    example="input: 3@64x64\nC3D64 R C1D4 R C3D64 R FC10\n",
    better="input: 3@64x64\nC3D64 R C1D16 R C3D64 R FC10\n",
    fix="Keep more maps, pool in several steps, or add a shortcut around the narrow part.",
    find=_find,
    style=True,
)

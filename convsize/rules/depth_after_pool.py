"""W558: depth that does not double after a pool."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.rules.base import Context, Rule
from convsize.rules.places import axes_of, by_place, finding, last_weights, trunk_cuts
from convsize.words import plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    cuts = trunk_cuts(network)
    last = last_weights(context)
    reached: dict[int, int] = {}
    for at, node in enumerate(cuts):
        if node.op.KIND != "pool" or {axis.stride for axis in axes_of(network, node)} != {2}:
            continue
        depth = node.output.channels
        weighted = False
        for each in cuts[at + 1 :]:
            # The next stage, the way up again, or a layer as deep as the task has classes.
            if 2 * each.output.area <= node.output.area or each.output.area > node.output.area or each.index >= last:
                break
            depth = each.output.channels
            weighted = (
                weighted or each.output.channels != node.output.channels or bool(context.rows[each.index].weights)
            )
        if weighted and depth < 2 * node.output.channels:
            reached[node.index] = depth
    for found in by_place(network.nodes[index] for index in reached):
        node = found[0]
        (source,) = network.input_shapes(node)
        depth = reached[node.index]
        yield finding(
            "W558",
            node,
            f"after this pool the depth goes from {source.channels} to {depth}, so it does not double: the volume "
            f"falls from {source.elements:,} to {plural(depth * node.output.area, 'value')}",
            f"take {plural(2 * source.channels, 'map')} in the next stage",
            style=True,
        )


RULE = Rule(
    code="W558",
    name="depth-after-pool",
    summary="the depth does not double after a pool",
    checks=(
        "Pools at a stride of 2 on the trunk, and the depth at the end of the stage after them, before the "
        "next layer that halves the map."
    ),
    why=(
        "Doubling the depth as the map's sides halve keeps the work of a stage constant and halves the "
        "volume, instead of quartering it. VGG stops at 512 maps: style."
    ),
    source="G8: Aggarwal, ch. 8.",
    example="input: 3@32x32\nC3D64 R M C3D64 R M C3D64 R FC10\n",
    better="input: 3@32x32\nC3D64 R M C3D128 R M C3D256 R FC10\n",
    fix="Double the depth of the convolutions after the pool.",
    find=_find,
    style=True,
)

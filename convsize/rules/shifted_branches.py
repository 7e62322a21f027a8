"""W517: branches that look at different places."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from convsize.errors import Diagnostic
from convsize.graph.network import Node
from convsize.ops.shared.windows import axis_name
from convsize.records import ReceptiveField
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, finding


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    for found in by_place(node for node in network.layers if len(node.inputs) > 1 and _apart(context, node)):
        node = found[0]
        first, other, axis, shift = _apart(context, node)[0]
        units = shift / first[1].jump[axis]
        name = axis_name(node.output, axis)
        yield finding(
            "W517",
            node,
            f"the branches look at different places: along the {name} the field of {other[0]} lies "
            f"{_number(shift)} {'pixel' if abs(shift) == 1 else 'pixels'} {'behind' if shift > 0 else 'before'} "
            f"that of {first[0]}, and the maps are shifted by {_number(units)} of their "
            f"{node.output.spatial[axis]} positions",
            "pad, crop and stride all branches alike: odd filters with `phalf`, crops that take as much from both "
            "sides",
        )


def _apart(
    context: Context, node: Node
) -> list[tuple[tuple[str, ReceptiveField], tuple[str, ReceptiveField], int, Fraction]]:
    """Pairs of branches whose fields are a whole unit of the joined map apart.

    Half a unit is what even windows and TensorFlow's padding cost in Xception and ResNet-D, and nobody can help it.
    """
    row = context.rows[node.index]
    if row.receptive_field is None or row.receptive_field.aligned or not node.output.rank:
        return []
    fields = []
    for index in node.inputs:
        source = context.rows.get(index)
        if source is not None and source.receptive_field is not None and not source.receptive_field.whole:
            fields.append((source.name, source.receptive_field))
    found = []
    for other in fields[1:]:
        first = fields[0]
        for axis in range(min(len(first[1].centre), len(other[1].centre), node.output.rank)):
            shift = other[1].centre[axis] - first[1].centre[axis]
            if first[1].jump[axis] and abs(shift) >= first[1].jump[axis]:
                found.append((first, other, axis, shift))
    return found


def _number(value: Fraction) -> str:
    return f"{float(abs(value)):g}"


RULE = Rule(
    code="W517",
    name="shifted-branches",
    summary="branches of a join whose receptive fields lie a unit or more apart",
    checks=(
        "Sums, gates and concatenations whose branches have receptive fields with centres that differ by at least "
        "one position of the joined map. Half a position, which even windows and `psame` on even sizes cost, is "
        "passed over: Xception and ResNet-D have it."
    ),
    why=(
        "The sizes fit, and the maps lie over one another shifted: what one branch finds at a place, the other finds "
        "beside it. Padding on one side and a crop that takes more from one side do it, and no shape shows it."
    ),
    source="Araujo et al. 2019, computing receptive fields of convolutional neural networks.",
    example="input: 3@32x32\nC3D64 R (C3D64p0:2 + x) R FC10\n",
    better="input: 3@32x32\nC3D64 R (C3D64p1 + x) R FC10\n",
    fix="Use odd filters with half padding in all branches, crop evenly, or pad the same way in each.",
    find=_find,
)

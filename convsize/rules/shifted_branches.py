"""W517: branches that look at different places."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from convsize.errors import Diagnostic
from convsize.ops.shared.windows import axis_name
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, finding
from convsize.words import plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    rows = context.rows
    for found in by_place(node for node in network.layers if node.index in rows and rows[node.index].shifts):
        node = found[0]
        shift = rows[node.index].shifts[0]
        name = axis_name(node.output, shift.axis)
        yield finding(
            "W517",
            node,
            f"the branches look at different places: along the {name} the field of {shift.other} lies "
            f"{_number(shift.pixels)} {'pixel' if abs(shift.pixels) == 1 else 'pixels'} "
            f"{'after' if shift.pixels > 0 else 'before'} that of {shift.first}, and the maps are shifted by "
            f"{_number(shift.pixels / shift.jump)} of their {plural(node.output.spatial[shift.axis], 'position')}",
            "pad, crop and stride all branches alike: odd filters with `phalf`, crops that take as much from both "
            "sides",
        )


def _number(value: Fraction) -> str:
    return f"{float(abs(value)):g}"


RULE = Rule(
    code="W517",
    name="shifted-branches",
    summary="branches of a join whose receptive fields are shifted by a unit or more",
    checks=(
        "Sums, gates and concatenations whose branches have receptive fields with centres that differ by at least "
        "one position of the joined map, on average over its positions. Half a position is not reported: even "
        "windows and `psame` on even sizes cost it, as in Xception and ResNet-D. Neither is the shift by half "
        "padding of a strided filter with a later upsampling, as in U-Nets, pyramids and HRNet, nor, in one "
        "dimension, branches that end at the same place: they are causal, as in WaveNet."
    ),
    why=(
        "The shapes are equal, but the maps are shifted against each other: what one branch finds at a "
        "position, the other finds beside it. Padding on one side only and uneven crops cause this, and no "
        "shape shows it."
    ),
    source="Araujo et al. 2019, computing receptive fields of convolutional neural networks; van den Oord et al. 2016, "
    "WaveNet, for causal padding.",
    example="input: 3@32x32\nC3D64 R (C3D64p0:2 + x) R FC10\n",
    better="input: 3@32x32\nC3D64 R (C3D64p1 + x) R FC10\n",
    fix="Use odd filters with half padding in all branches, crop evenly, or pad the same way in each.",
    find=_find,
)

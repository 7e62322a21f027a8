"""W517: branches that look at different places."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.records import ReceptiveField
from convsize.rules.base import Context, Rule
from convsize.rules.places import by_place, finding


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    shifted = []
    for node in network.layers:
        row = context.rows[node.index]
        field = row.receptive_field
        if len(node.inputs) < 2 or field is None or field.aligned:
            continue
        sources = [context.rows.get(index) for index in node.inputs]
        if any(
            row is not None and row.receptive_field is not None and not row.receptive_field.aligned for row in sources
        ):
            continue  # told where it began
        shifted.append(node)
    for found in by_place(shifted):
        node = found[0]
        fields = []
        for index in node.inputs:
            source = context.rows.get(index)
            if source is not None and source.receptive_field is not None and not source.receptive_field.whole:
                fields.append((source.name, source.receptive_field))
        if len(fields) < 2:
            continue
        described = [
            f"{name} at {', '.join(f'{float(each):g}' for each in field.centre)}"
            + (f" every {', '.join(f'{float(each):g}' for each in field.jump)} pixels" if _jumps(fields) else "")
            for name, field in fields[:4]
        ]
        yield finding(
            "W517",
            node,
            f"the branches look at different places: the first unit has its centre {'; '.join(described)}",
            "give the branches the same padding on both sides: odd filters with `phalf`, and crops and strides that "
            "match",
        )


def _jumps(fields: list[tuple[str, ReceptiveField]]) -> bool:
    return len({field.jump for _, field in fields}) > 1


RULE = Rule(
    code="W517",
    name="shifted-branches",
    summary="branches of a join whose receptive fields have different centres",
    checks="Sums, gates and concatenations whose branches have receptive fields with different centres or steps.",
    why=(
        "The maps are laid over one another shifted against each other, by half a pixel or more: what one branch finds "
        "at a place the other finds beside it. Even filters, padding on one side and TensorFlow's `psame` on even "
        "sizes do it; Xception's shortcuts are so shifted."
    ),
    source="Araujo et al. 2019, computing receptive fields of convolutional neural networks.",
    example="input: 3@32x32\nC3D64 (C2D64p0:1 + x) R GAP FC10\n",
    better="input: 3@32x32\nC3D64 (C3D64 + x) R GAP FC10\n",
    fix="Use odd filters with half padding in all branches, or pad the same way in each.",
    find=_find,
)

"""What a drawing's colours mean."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.views.canvas.colours import FAMILIES
from convsize.views.drawing.parts import Heat, Part

HEAT_TITLES: dict[Heat, str] = {
    "parameters": "share of the parameters",
    "macs": "share of the multiply-adds",
    "memory": "share of the activation memory",
    "receptive_field": "share of the input seen",
}


def families(parts: Sequence[Part]) -> list[tuple[str, str]]:
    """The families that occur, as (family, title) in the order of the table, of those of one title the first."""
    there = {part.family for part in parts}
    found: dict[str, str] = {}
    for family, (title, _) in FAMILIES.items():
        if family in there and family not in ("input", "output") and title not in found.values():
            found[family] = title
    return list(found.items())

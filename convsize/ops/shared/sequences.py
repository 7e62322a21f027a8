"""What ops over sequences share."""

from __future__ import annotations

from convsize.geometry import GeometryError, Shape


def require_sequence(what: str, shape: Shape) -> None:
    """Raises GeometryError (E206) where a volume is no sequence: one axis of positions."""
    if shape.rank == 1:
        return
    if not shape.rank:
        hint = f"give the vector positions: `reshape({shape.channels},1)`"
    else:
        hint = f"make the positions a sequence before it: `reshape({shape.channels},{shape.area})`"
    raise GeometryError("E206", f"{what} needs a sequence, a volume of one axis, not {shape}", hint)

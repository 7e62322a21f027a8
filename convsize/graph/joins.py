"""Joins whose branches do not fit: what each branch gives, and how the shortcut of a residual block is mended."""

from __future__ import annotations

from convsize.errors import Fix, Label
from convsize.geometry import GeometryError, Shape
from convsize.graph.evaluate import BuildError
from convsize.language.tree import Group, Identity, Series


def join_error(error: GeometryError, group: Group, shapes: tuple[Shape, ...]) -> tuple[BuildError, tuple[Label, ...]]:
    """The error at the first branch, with labels at the others; a fix where one branch is the identity."""
    labels = [
        Label(branch.span, f"this branch gives {shape}") for branch, shape in zip(group.branches, shapes, strict=True)
    ]
    help_text = error.help
    fixes: tuple[Fix, ...] = ()
    projection = _projection(group, shapes)
    if projection is not None:
        branch, token = projection
        help_text = f"project the shortcut: replace `x` by `{token}`"
        fixes = (Fix(branch.span, token, safe=False),)
    found = BuildError(error.code, error.message, group.branches[0].span, help_text, label=labels[0].text, fixes=fixes)
    return found, tuple(labels[1:])


def _projection(group: Group, shapes: tuple[Shape, ...]) -> tuple[Series, str] | None:
    """The convolution that makes an identity branch fit its sum: 1x1, with the stride of the other branch."""
    if group.kind != "sum" or len(shapes) != 2:
        return None
    for own, other in ((0, 1), (1, 0)):
        branch = group.branches[own]
        lone = len(branch.items) == 1 and isinstance(branch.items[0].atom, Identity)
        mine, theirs = shapes[own], shapes[other]
        if not lone or mine.rank != theirs.rank or not mine.rank:
            continue
        strides = {-(-a // b) for a, b in zip(mine.spatial, theirs.spatial, strict=True)}
        if len(strides) != 1:
            return None
        stride = strides.pop()
        if any(-(-a // stride) != b for a, b in zip(mine.spatial, theirs.spatial, strict=True)):
            return None
        return branch, f"C1D{theirs.channels}" + (f"/{stride}" if stride > 1 else "")
    return None

"""Joins whose branches do not fit: what each branch gives, and what would make them fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from convsize.errors import Fix, Label, Source, Span
from convsize.geometry import GeometryError, Shape
from convsize.graph.evaluate import BuildError
from convsize.graph.network import Node
from convsize.language.formatter import dim_text, layer_text
from convsize.language.tree import Call, Group, Identity, Item, Layer, Num, Series, Tap
from convsize.record import Record


class _Way(Record):
    """One way to make the branches fit: what is written after or instead of what, and the help that says so."""

    edits: tuple[tuple[Span, str], ...]
    help: str


class _Path(Record):
    """How a branch came to its extents.

    reduction: the stride on every axis from the network's input, None where there is none to speak of: after global
    pooling, a fully connected layer, a reshape. upsampled: whether the branch itself upsamples.
    """

    reduction: tuple[Fraction, ...] | None
    upsampled: bool


def join_error(
    error: GeometryError, group: Group, nodes: Sequence[Node], inputs: tuple[int, ...], source: Source
) -> tuple[BuildError, tuple[Label, ...]]:
    """The error at the first branch, with labels at the others, and with the ways to mend it, the nearest first."""
    shapes = tuple(nodes[index].output for index in inputs)
    paths = tuple(_path(nodes, index, branch) for index, branch in zip(inputs, group.branches, strict=True))
    labels = [
        Label(branch.span, f"this branch gives {shape}") for branch, shape in zip(group.branches, shapes, strict=True)
    ]
    ways = list(_ways(error.code, group, shapes, paths, source))
    found = BuildError(
        error.code,
        error.message,
        group.branches[0].span,
        ways[0].help if ways else error.help,
        label=labels[0].text,
        fixes=tuple(_fix(way.edits, source) for way in ways),
    )
    return found, tuple(labels[1:])


def _fix(edits: tuple[tuple[Span, str], ...], source: Source) -> Fix:
    """Several edits as one: the text from the first to the last of them, rewritten."""
    whole = edits[0][0].to(edits[-1][0])
    parts, at = [], whole.start
    for span, text in edits:
        parts += [source.text[at : span.start], text]
        at = span.end
    return Fix(whole, "".join(parts), safe=False)


def _path(nodes: Sequence[Node], index: int, branch: Series) -> _Path:
    node, upsampled = nodes[index], False
    reduction = [Fraction(1)] * node.output.rank
    while node.inputs:
        sources = [nodes[each] for each in node.inputs]
        # After a join the way goes on in a branch that has the extents of all.
        before = next((each for each in sources if each.output.spatial == node.output.spatial), sources[0])
        window = node.op.window(*(each.output for each in sources))
        far = window.kind == "reads" or (window.kind == "everything" and node.op.EXTENTS != "kept")
        if before.output.rank != node.output.rank or far:
            return _Path(None, upsampled)
        inside = any(branch.span.start <= at.start and at.end <= branch.span.end for at in (node.span, *node.calls))
        for axis, each in enumerate(() if node.op.EXTENTS == "cropped" else window.axes):
            reduction[axis] *= Fraction(1, each.stride) if each.transposed else each.stride
            upsampled = upsampled or (inside and each.transposed and each.stride > 1)
        node = before
    return _Path(tuple(reduction), upsampled)


def _ways(
    code: str, group: Group, shapes: tuple[Shape, ...], paths: tuple[_Path, ...], source: Source
) -> Iterator[_Way]:
    ranks = {shape.rank for shape in shapes}
    if code == "E304":
        yield from _values(group, shapes, "the gate as many values as its input has maps")
    elif len(ranks) > 1 and 0 in ranks:
        if group.kind in _ADDING and len({shape.elements for shape in shapes}) > 1:
            yield from _values(group, shapes, "the flat branch as many values as the other has maps")
            return
        edits = [(_behind(branch), " flat") for branch, shape in zip(group.branches, shapes, strict=True) if shape.rank]
        yield _Way(tuple(edits), "flatten the volume: end its branch with `flat`")
    elif len(ranks) == 1 and 0 not in ranks:
        if group.kind in _ADDING and len({shape.area == 1 for shape in shapes}) == 2:
            yield from _values(group, shapes, "the branch of one position as many maps as the other has")
        spatial = code in ("E302", "E303")
        if spatial and _oversized(shapes, paths):
            yield from _upsampled(group, shapes, source)
        elif not (spatial and _close(shapes)) or _strided(shapes, paths):
            yield from _projections(group, shapes, source)
        elif group.kind not in _ADDING or len({shape.channels for shape in shapes}) == 1:
            yield from _crops(group, shapes, source)


def _behind(branch: Series) -> Span:
    return Span(branch.span.end, branch.span.end)


def _lone(branch: Series) -> Item | None:
    return branch.items[0] if len(branch.items) == 1 else None


def _ended(branch: Series, text: str, source: Source) -> str:
    """What to write so that a branch ends with something more: all of it, or where it is long its last item."""
    whole = source.slice(branch.span)
    if len(branch.items) == 1 and len(whole) <= _SHORT and "\n" not in whole:
        return f"write `{whole}{text}`"
    if len(whole) <= _SHORT and "\n" not in whole:
        return f"replace `{whole}` by `{whole}{text}`"
    last = source.slice(branch.items[-1].span)
    return (
        f"end it with `{last}{text}`" if len(last) <= _SHORT and "\n" not in last else f"end it with `{text.strip()}`"
    )


_SHORT = 32
"""Characters of a branch that a help line shows whole."""

_NAMES = ("small", "least", "inner")
"""What a branch can be called that has no name."""

_ADDING = ("sum", "difference")
"""Joins whose branches need the same depth and extents."""


def _close(shapes: tuple[Shape, ...]) -> bool:
    """Whether the extents differ by lost pixels rather than by a stride."""
    return all(2 * min(extents) > max(extents) for extents in zip(*(shape.spatial for shape in shapes), strict=True))


def _strided(shapes: tuple[Shape, ...], paths: tuple[_Path, ...]) -> bool:
    """Whether the extents differ as the strides of the branches do."""
    ways = [(path.reduction, shape.spatial) for path, shape in zip(paths, shapes, strict=True)]
    most, least = min(ways, key=lambda way: way[1])
    if most is None or len(set(ways)) < 2:
        return False
    return all(
        reduction is not None
        and all(
            stride == small / own and -(-extent // stride) == fewest
            for own, small, extent, fewest in zip(reduction, most, extents, least, strict=True)
            for stride in (-(-extent // fewest),)
        )
        for reduction, extents in ways
    )


def _oversized(shapes: tuple[Shape, ...], paths: tuple[_Path, ...]) -> bool:
    """Whether the larger of two branches upsamples too far: a stride after that would undo it."""
    large = max(zip(shapes, paths, strict=True), key=lambda each: each[0].area)
    return large[1].upsampled and not _close(shapes)


# ---- pixels: crop what is larger, pad what is smaller ----------------------------------------------------------------


def _crops(group: Group, shapes: tuple[Shape, ...], source: Source) -> Iterator[_Way]:
    least = tuple(min(extents) for extents in zip(*(shape.spatial for shape in shapes), strict=True))
    larger = [at for at, shape in enumerate(shapes) if shape.spatial != least]
    size = str(least[0]) if len(set(least)) == 1 else ",".join(map(str, least))
    crop = f"crop({size})"
    edits = tuple((_behind(group.branches[at]), f" {crop}") for at in larger)
    yield from _recrops(group, shapes)
    yield from _crops_to_tap(group, shapes, larger, source)
    if len(larger) == 1:
        yield _Way(edits, f"crop the larger branch: {_ended(group.branches[larger[0]], f' {crop}', source)}")
    else:
        yield _Way(edits, f"crop the larger branches: end them with `{crop}`")
    most = tuple(max(extents) for extents in zip(*(shape.spatial for shape in shapes), strict=True))
    edits = tuple(
        (_behind(branch), f" pad({','.join(f'{gap // 2},{gap - gap // 2}' for gap in gaps)})")
        for branch, shape in zip(group.branches, shapes, strict=True)
        for gaps in [[wide - own for wide, own in zip(most, shape.spatial, strict=True)]]
        if any(gaps)
    )
    yield _Way(edits, "pad the smaller branch")
    yield from _crops_by_name(group, shapes, larger, source)


def _recrops(group: Group, shapes: tuple[Shape, ...]) -> Iterator[_Way]:
    """Another number in a crop that the author wrote: that it stands there says which branch was to be cropped."""
    if len(shapes) != 2:
        return
    for at, branch in enumerate(group.branches):
        item = branch.items[-1]
        call = item.atom
        if not isinstance(call, Call) or call.name.name != "crop" or item.repeat is not None or not call.args:
            continue
        if not all(isinstance(arg.value, Num) and arg.name is None for arg in call.args):
            continue
        wanted = shapes[1 - at].spatial
        size = str(wanted[0]) if len(set(wanted)) == 1 else ",".join(map(str, wanted))
        yield _Way(((call.span, f"crop({size})"),), f"crop to the other branch: write `crop({size})`")


def _crops_to_tap(group: Group, shapes: tuple[Shape, ...], larger: list[int], source: Source) -> Iterator[_Way]:
    """A crop to the smaller branch where that is a named value: it fits inputs of any size and every call."""
    if len(shapes) == 2 and len(larger) == 1:
        item = _lone(group.branches[1 - larger[0]])
        if item is not None and isinstance(item.atom, Tap) and item.repeat is None:
            large, text = group.branches[larger[0]], f" crop(@{item.atom.name})"
            yield _Way(((_behind(large), text),), f"crop the larger branch: {_ended(large, text, source)}")


def _crops_by_name(group: Group, shapes: tuple[Shape, ...], larger: list[int], source: Source) -> Iterator[_Way]:
    """The same where the smaller branch has no name yet: it is given one, before the bracket where it comes later."""
    if len(shapes) != 2 or len(larger) != 1 or group.kind == "split":
        return
    large, small = group.branches[larger[0]], group.branches[1 - larger[0]]
    item = _lone(small)
    ends = [branch.items[-1].atom for branch in group.branches]
    if any(isinstance(end, Call) and end.name.name == "crop" for end in ends):
        return  # a number of its own is meant
    name = next((name for name in _NAMES if name not in source.text), None)
    if name is None or small.items[-1].names or (item is not None and isinstance(item.atom, Tap | Identity)):
        return
    crop = (_behind(large), f" crop(@{name})")
    start = Span(group.span.start, group.span.start)
    if not larger[0]:
        if not isinstance(large.items[0].atom, Tap):
            return  # it begins with the value that enters the bracket, which would be another one
        edits = ((start, f"{source.slice(small.span)} as {name} "), crop, (small.span, f"@{name}"))
    else:
        edits = ((start, ""), (_behind(small), f" as {name}"), crop)
    end = Span(group.span.end, group.span.end)
    written = _fix((*edits, (end, "")), source).replacement
    yield _Way(((group.span, written),), f"name the smaller branch and crop the other to it: write `{written}`")


# ---- strides and depths: project -------------------------------------------------------------------------------------


def _projections(group: Group, shapes: tuple[Shape, ...], source: Source) -> Iterator[_Way]:
    """1x1 convolutions with the stride and, in a sum, the depth that make every branch as the smallest one is."""
    goals = [min(shapes, key=lambda shape: shape.area)]
    if group.kind in _ADDING:
        # A projection to the greater depth loses nothing; where a stride takes pixels away, its branch decides. One
        # that is 1 in space is added everywhere.
        wide = [shape for shape in shapes if shape.area > 1] or shapes
        least = min(wide, key=lambda shape: shape.area)
        goals = [max((shape for shape in wide if shape.spatial == least.spatial), key=lambda shape: shape.channels)]
    goal = goals[0]
    edits: list[tuple[Span, str]] = []
    written: list[tuple[Span, str]] = []
    strides = set()
    model = next(branch for branch, shape in zip(group.branches, shapes, strict=True) if shape == goal)
    for branch, shape in zip(group.branches, shapes, strict=True):
        single = group.kind in _ADDING and shape.area == 1
        if shape == goal or (group.kind not in _ADDING and shape.spatial == goal.spatial):
            continue
        if (
            group.kind in _ADDING
            and shape.channels in (1, goal.channels)
            and shape.spatial in (goal.spatial, (1,) * shape.rank)
        ):
            continue
        ratios = {1} if single else {-(-own // least) for own, least in zip(shape.spatial, goal.spatial, strict=True)}
        stride = ratios.pop() if len(ratios) == 1 else 0
        fits = single or all(-(-a // stride) == b for a, b in zip(shape.spatial, goal.spatial, strict=True) if stride)
        if not stride or not fits:
            return
        if stride > _LARGEST_STRIDE:
            yield from _upsampled(group, shapes, source)
            return
        strides.add(stride)
        plain = (f"C1D{goal.channels}" if group.kind in _ADDING else "C1") + (f"/{stride}" if stride > 1 else "")
        item = _lone(branch)
        identity = item is not None and isinstance(item.atom, Identity)
        where, lead = (branch.span, "") if identity else (_behind(branch), " ")
        edits.append((where, lead + plain))
        written.append((where, lead + ((_general(model, stride) if group.kind in _ADDING else None) or plain)))
    why = f"only one branch has a stride of {max(strides)}; " if max(strides) > 1 else ""
    for each in [written, edits] if written != edits else [edits]:
        (span, text), many = each[0], len(each) > 1
        if many:
            said = "project the other branches: " + ", ".join(f"`{part.strip()}`" for _, part in each)
        elif span.start == span.end:
            branch = next(branch for branch in group.branches if branch.span.end == span.end)
            said = f"project the other branch: {_ended(branch, text, source)}"
        else:
            said = f"project the shortcut: replace `x` by `{text}`"
        yield _Way(tuple(each), why + said)


_LARGEST_STRIDE = 4
"""A projection that leaves one of more than 16 pixels is not what was meant."""


def _upsampled(group: Group, shapes: tuple[Shape, ...], source: Source) -> Iterator[_Way]:
    """Of two branches the one that is smaller by a whole factor, brought up to the other's extents and depth."""
    if len(shapes) != 2:
        return
    small, large = (0, 1) if shapes[0].area < shapes[1].area else (1, 0)
    pairs = list(zip(shapes[small].spatial, shapes[large].spatial, strict=True))
    factors = {large // small for small, large in pairs}
    if len(factors) > 1 or any(large % small for small, large in pairs):
        return
    deeper = group.kind in _ADDING and shapes[small].channels not in (1, shapes[large].channels)
    text = (f" C1D{shapes[large].channels}" if deeper else "") + f" up({factors.pop()})"
    branch = group.branches[small]
    said = f"bring the smaller branch up to the other: {_ended(branch, text, source)}"
    yield _Way(((_behind(branch), text),), said)


def _general(model: Series, stride: int) -> str | None:
    """The projection in the parameters of the block around it, as the other branch states its depth and stride.

    In a block a plain number would be right for one of its calls only.
    """
    layers = [item.atom for item in model.items if isinstance(item.atom, Layer)]
    deep = [layer.depth for layer in layers if layer.depth is not None]
    strided = [layer.stride for layer in layers if layer.stride is not None]
    moving = [dims for dims in strided if any(not isinstance(dim, Num) for dim in dims)]
    if not deep or len(moving) > 1 or (not moving and isinstance(deep[-1], Num)):
        return None
    tail = "/" + "x".join(map(dim_text, moving[0])) if moving else f"/{stride}" if stride > 1 else ""
    return f"C1D{dim_text(deep[-1])}{tail}"


# ---- branches of one position ----------------------------------------------------------------------------------------


def _values(group: Group, shapes: tuple[Shape, ...], what: str) -> Iterator[_Way]:
    """A gate or a flat branch of another depth: the units of its last layer with weights."""
    if len(shapes) != 2:
        return
    own, single = (0, 1) if shapes[0].area >= shapes[1].area else (1, 0)
    depth = Num(Fraction(shapes[own].channels), Span(0, 0))
    for item in reversed(group.branches[single].items):
        atom = item.atom
        if isinstance(atom, Layer) and atom.mnemonic in ("FC", "C"):
            token = atom.replace(size=(depth,)) if atom.mnemonic == "FC" else atom.replace(depth=depth)
            text = layer_text(token, dim_text)
            yield _Way(((atom.span, text),), f"give {what}: write `{text}`")
            return

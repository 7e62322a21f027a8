"""The smallest change of geometry that makes a spec valid: tokens with one number changed, tried in order of smallness.

What is smallest is what changes least of the network: first padding, then rounding, then stride, kernel, groups and
depth; a layer before the faulty one only where nothing at the layer itself will do. Every candidate is tried by
building the network again, for a number that mends one call of a block may spoil another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice
from math import gcd, isqrt

from convsize.errors import Diagnostic, Fix, Source, Span
from convsize.geometry import AxisWindow, Shape, remainder
from convsize.graph.build import Attempt
from convsize.graph.tokens import Defaults
from convsize.language.formatter import dim_text, layer_text
from convsize.language.parser import parse
from convsize.language.tree import Call, DefaultStmt, DefStmt, Dims, Expr, File, Group, Item, Layer, Num, Pads, Series
from convsize.record import Record
from convsize.rules.places import series_of

LARGEST_TRIAL = 60_000
"""Layers that are sized in all trials for one finding together, so that a large network gets fewer of them."""

MOST_TRIALS = 64

_NOWHERE = Span(0, 0)

Build = Callable[[File], Attempt]
"""Builds a file with the constants and inputs that the caller was given."""


class Repair(Record):
    """A change with what it does in words: "pad after the last pixel".

    settles: whether what the op says of its numbers is no way to go beside it.
    """

    fix: Fix
    how: str
    settles: bool = False


def edited(text: str, fixes: tuple[Fix, ...]) -> str:
    """The text with all fixes made, none of which overlap."""
    for fix in sorted(fixes, key=lambda each: each.span.values(), reverse=True):
        text = text[: fix.span.start] + fix.replacement + text[fix.span.end :]
    return text


def moved(offset: int, fixes: tuple[Fix, ...], *, end: bool = False) -> int:
    """Where a place of the text is when the fixes are made; inside a fix, its beginning or its end."""
    shift = 0
    for fix in sorted(fixes, key=lambda each: each.span.values()):
        if fix.span.end <= offset and not (fix.span.start == offset and not end):
            shift += len(fix.replacement) - (fix.span.end - fix.span.start)
        elif fix.span.start < offset:
            return fix.span.start + shift + (len(fix.replacement) if end else 0)
    return offset + shift


def repair(
    file: File,
    found: Diagnostic,
    before: Attempt,
    build: Build,
) -> Repair | None:
    """The smallest change that removes an error of the geometry and brings no other; None where none was found.

    before: what came of building the file as it is.
    """
    trials = min(MOST_TRIALS, max(LARGEST_TRIAL // max(before.layers, 1), 8))
    for each in islice(_candidates(file, found, before), trials):
        if works(file.source, found, each.fix, before, build):
            return each
    return None


def works(
    source: Source,
    found: Diagnostic,
    fix: Fix,
    before: Attempt,
    build: Build,
    *,
    everywhere: bool = True,
) -> bool:
    """Whether a change removes an error without bringing others: those behind it, which it hid, may come to light.

    In a block they may not: there they would be those of another call, for which the change is wrong.
    everywhere: whether it must leave the calls and iterations alone that are right without it.
    """
    file, wrong = parse(Source(edited(source.text, (fix,)), source.name))
    if any(each.severity == "error" for each in wrong):
        return False
    after = build(file)
    if everywhere and _changes_what_fits(before, after, found, fix):
        return False
    if after.network is not None:
        return True
    if len(after.diagnostics) > len(before.diagnostics):
        return False
    known = {(each.code, moved(each.span.start, (fix,))) for each in before.diagnostics}
    fresh = [each for each in after.diagnostics if (each.code, each.span.start) not in known]
    block = block_around(file, Span(fix.span.start, fix.span.start))
    if still_wrong(after.diagnostics, found, fix) or any(block and is_in(block, each.span) for each in fresh):
        return False
    return (len(after.diagnostics) < len(before.diagnostics) and not fresh) or after.layers > before.layers


def block_around(file: File, span: Span) -> DefStmt | None:
    """The block in which a place lies."""
    return next((stmt for stmt in file.statements if isinstance(stmt, DefStmt) and is_in(stmt, span)), None)


def is_in(block: DefStmt, span: Span) -> bool:
    """Whether a place lies in a block's body."""
    return block.body.span.start <= span.start and span.end <= block.body.span.end


def _changes_what_fits(before: Attempt, after: Attempt, found: Diagnostic, fix: Fix) -> bool:
    """Whether a change reaches a call or an iteration of its place that was right.

    It does by a token that does something else there, and by a layer added where the volume was right already.
    """
    if fix.span.start <= found.span.start and found.span.end <= fix.span.end and found.code.startswith("E2"):
        outputs = {node.name: node.output for node in after.nodes}
        return any(outputs.get(node.name) != node.output for node in before.nodes if node.span == found.span)
    if any(fix.span.start <= node.span.start and node.span.end <= fix.span.end for node in before.nodes):
        return False
    end = fix.span.start + len(fix.replacement)
    added = [node for node in after.nodes if fix.span.start <= node.span.start and node.span.end <= end]
    return any(node.output == after.nodes[node.inputs[0]].output and node.op.parameters(node.output) for node in added)


def still_wrong(after: Iterable[Diagnostic], found: Diagnostic, fix: Fix) -> bool:
    """Whether there is an error of volumes at the place of one that a fix was to remove, be it another one."""
    start, end = moved(found.span.start, (fix,)), moved(found.span.end, (fix,), end=True)
    return any(
        (each.code == found.code or each.code[:2] in ("E2", "E3")) and each.span.start <= end and start <= each.span.end
        for each in after
        if each.severity == "error"
    )


# ---- candidates ------------------------------------------------------------------------------------------------------


def _candidates(file: File, found: Diagnostic, before: Attempt) -> Iterator[Repair]:
    if found.code in ("E302", "E303"):
        yield from _unstrided(file, found.span)
        return
    place = _place(file, found.span)
    if place is None:
        return
    item, series = place
    at = series.items.index(item)
    entering = before.entering.get(found.span)
    if found.code == "E202":
        yield from _one_too_many(file, found, before, entering)
    if isinstance(item.atom, Layer):
        yield from _of_layer(item.atom, found.code, entering, _defaults(file))
    elif isinstance(item.atom, Call):
        yield from _of_word(item.atom, found.code, entering)
    if found.code in ("E204", "E212", "E305", "E211"):
        yield from _of_layer_before(series.items[:at], found, item)


def _place(file: File, span: Span) -> tuple[Item, Series] | None:
    for series in series_of(file):
        for item in series.items:
            if item.atom.span == span:
                return item, series
    return None


def _one_too_many(file: File, found: Diagnostic, before: Attempt, entering: Shape | None) -> Iterator[Repair]:
    """For a repeat that makes a volume too small for its next iteration: as many iterations as there are pixels for.

    A pool of a single pixel that stands alone is left out, since it has nothing to pool.
    """
    text, span = file.source.text, found.span
    calls = [label.span for label in found.labels if label.text.startswith("in this call")]
    alone = False
    for series in series_of(file):
        for item in series.items:
            atom = item.atom
            around = [each for each in (span, *calls) if atom.span.start <= each.start and each.end <= atom.span.end]
            if not around:
                continue
            inside = around[0] == span
            made = sum(node.span == span and (inside or node.calls[-1:] == (around[0],)) for node in before.nodes)
            if isinstance(item.repeat, Num) and item.index is None and 0 < made < item.repeat.value:
                written = text[atom.span.start : atom.span.end] + (f"*{made}" if made > 1 else "")
                what = "one iteration too many" if item.repeat.value == made + 1 else "too many iterations"
                yield Repair(Fix(atom.span.to(item.repeat.span), written, safe=False), what, settles=True)
            elif atom.span == span and isinstance(atom, Layer) and atom.mnemonic in ("M", "A") and item.repeat is None:
                alone = len(series.items) > 1 and not item.names
    if alone and entering is not None and entering.area == 1:
        lead = text[span.start - 1 : span.start] == " "
        yield Repair(Fix(Span(span.start - lead, span.end), "", safe=False), "one pool too many", settles=True)


def _unstrided(file: File, first: Span) -> Iterator[Repair]:
    """For branches of which one strides: its pools and filters at stride 1, padded to keep the size."""
    for series in series_of(file):
        for item in series.items:
            if not isinstance(item.atom, Group) or item.atom.branches[0].span != first:
                continue
            for inner in (inner for branch in item.atom.branches for inner in branch.items):
                layer = inner.atom
                if isinstance(layer, Layer) and layer.mnemonic in ("C", "DW", "M", "A"):
                    size = layer.size or _dims((2,) if layer.mnemonic in ("M", "A") else (3,))
                    if all(isinstance(dim, Num) and dim.value % 2 for dim in size):
                        pads = _pads(tuple((int(_plain(dim)) // 2,) * 2 for dim in size))
                        token = {"stride": _dims((1,)), "padding": pads}
                        yield _retoken(layer, "keep the extents, as the other branches do", **token)


def output_paddings(file: File, first: Span) -> Iterator[Repair]:
    """For branches that differ by the pixels a stride lost: transposed convolutions in them that give these back.

    A stride of s maps s extents to one; the output padding of the transposed convolution says which of them it was.
    """
    for series in series_of(file):
        for item in series.items:
            if not isinstance(item.atom, Group) or item.atom.branches[0].span != first:
                continue
            for inner in (inner for branch in item.atom.branches for inner in branch.items):
                layer = inner.atom
                if isinstance(layer, Layer) and layer.mnemonic == "T" and layer.stride is not None:
                    strides = [int(dim.value) for dim in layer.stride if isinstance(dim, Num)]
                    for extra in range(1, min(max(strides, default=1), 8)):
                        yield _retoken(layer, "pad the output", output_padding=_dims((extra,)))


def _plain(expr: Expr) -> Fraction:
    assert isinstance(expr, Num)
    return expr.value


def _defaults(file: File) -> Defaults:
    return Defaults(tuple(layer for stmt in file.statements if isinstance(stmt, DefaultStmt) for layer in stmt.layers))


def _num(value: int) -> Num:
    return Num(Fraction(value), _NOWHERE)


def _dims(values: tuple[int, ...]) -> Dims:
    return tuple(map(_num, values[:1] if len(set(values)) == 1 else values))


def _pads(pairs: tuple[tuple[int, int], ...]) -> Pads:
    pairs = pairs[:1] if len(set(pairs)) == 1 else pairs
    return Pads("explicit", tuple((_num(one), None if one == two else _num(two)) for one, two in pairs))


def _retoken(layer: Layer, how: str, **changes: object) -> Repair:
    changed = layer.replace(**changes)
    return Repair(Fix(layer.span, layer_text(changed, dim_text), safe=False), how)


class _Numbers(Record):
    """A layer's numbers, one for every axis; only where all of them are written as numbers."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    output_padding: tuple[int, ...]


def _numbers(merged: Layer, entering: Shape) -> _Numbers | None:
    rank = entering.rank
    pool = merged.mnemonic in ("M", "A")

    def plain(dims: Dims | None, default: tuple[int, ...]) -> tuple[int, ...] | None:
        if dims is None:
            return default
        values = tuple(int(dim.value) for dim in dims if isinstance(dim, Num) and dim.value.denominator == 1)
        if len(values) != len(dims) or len(values) not in (1, rank):
            return None
        return values * rank if len(values) == 1 else values

    kernel = plain(merged.size, ((2,) if pool else (3,)) * rank)
    if kernel is None or not rank:
        return None
    stride = plain(merged.stride, kernel if pool else (1,) * rank)
    dilation = plain(merged.dilation, (1,) * rank)
    extra = plain(merged.output_padding, (0,) * rank)
    if stride is None or dilation is None or extra is None or min(kernel + stride + dilation) < 1:
        return None
    pads = merged.padding
    pairs: tuple[tuple[int, int], ...]
    if pads is not None and pads.mode == "explicit":
        sides = []
        for one, two in pads.pairs:
            two = one if two is None else two
            if not isinstance(one, Num) or not isinstance(two, Num):
                return None
            sides.append((int(one.value), int(two.value)))
        pairs = tuple(sides * rank if len(sides) == 1 else sides)
        if len(pairs) != rank:
            return None
    elif (pads is None and merged.mnemonic in ("C", "DW")) or (pads is not None and pads.mode == "half"):
        pairs = tuple((d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for k, d in zip(kernel, dilation, strict=True))
    elif pads is None or pads.mode == "valid":
        pairs = ((0, 0),) * rank
    else:
        return None
    return _Numbers(kernel, stride, dilation, pairs, extra)


def _of_layer(layer: Layer, code: str, entering: Shape | None, defaults: Defaults) -> Iterator[Repair]:
    """Changes of the faulty layer's own token, the smallest first."""
    if code == "E206":
        yield from _of_wrong_numbers(layer)
        return
    if entering is None:
        return
    merged = defaults.apply(layer)
    if code in ("E204", "E212"):
        yield from _of_parts(layer, merged, entering)
        return
    # A stride by a block's parameter does not matter to how much a filter must be padded to be centred.
    numbers = _numbers(merged.replace(stride=None) if code == "E207" else merged, entering)
    if numbers is None:
        return
    if code == "E207":
        yield _retoken(layer, "pad to keep the extents at stride 1 (`p0` pads none)", padding=_pads(numbers.padding))
        yield _retoken(layer, "do not pad", padding=_pads(((0, 0),)))
    elif code in ("E208", "E203"):
        for less in range(1, max(map(max, numbers.padding)) + 1):
            pairs = tuple((max(one - less, 0), max(two - less, 0)) for one, two in numbers.padding)
            yield _retoken(layer, "pad less", padding=_pads(pairs))
    elif code == "E209":
        for extra in range(max(numbers.output_padding) - 1, -1, -1):
            smaller = tuple(min(each, extra) for each in numbers.output_padding)
            yield _retoken(layer, "pad the output less", output_padding=_dims(smaller) if extra else None)
    elif code == "E201":
        yield from _dividing(layer, numbers, entering)
    elif code == "E202":
        yield from _fitting(layer, numbers, entering)


def _dividing(layer: Layer, numbers: _Numbers, entering: Shape) -> Iterator[Repair]:
    """For `exact` with a remainder: padding behind, on both sides, rounding, stride, kernel."""
    behind = []
    for extent, kernel, stride, dilation, (one, two) in zip(entering.spatial, *numbers.values()[:4], strict=True):
        rest = remainder(extent, AxisWindow(kernel, stride, dilation, one, two))
        behind.append((one, two + (stride - rest if rest else 0)))
    yield _retoken(layer, "pad after the last pixel", padding=_pads(tuple(behind)))
    for less in range(1, max(map(max, numbers.padding), default=0) + 1):
        pairs = tuple((max(one - less, 0), max(two - less, 0)) for one, two in numbers.padding)
        yield _retoken(layer, "pad less", padding=_pads(pairs))
    yield _retoken(layer, "round up", rounding="ceil")
    yield _retoken(layer, "drop the pixels left over", rounding="floor")
    for step in (-1, 1, -2, 2):
        if min(numbers.stride) + step > 0:
            yield _retoken(layer, "change the stride", stride=_dims(tuple(each + step for each in numbers.stride)))
    for step in (-1, 1, -2, 2):
        if min(numbers.kernel) + step > 0:
            size = _dims(tuple(each + step for each in numbers.kernel))
            yield _retoken(layer, "change the kernel", size=size, padding=_pads(numbers.padding))


def _fitting(layer: Layer, numbers: _Numbers, entering: Shape) -> Iterator[Repair]:
    """For a filter larger than its input: padding as half the filter at most, then the largest kernel that fits."""
    pairs = []
    for extent, kernel, dilation, (one, two) in zip(
        entering.spatial, numbers.kernel, numbers.dilation, numbers.padding, strict=True
    ):
        short = max(dilation * (kernel - 1) + 1 - extent - one - two, 0)
        pairs.append((one + short // 2, two + short - short // 2))
        if max(pairs[-1]) > dilation * (kernel - 1) // 2 + 1:
            break  # the filter would see hardly anything but zeros
    else:
        yield _retoken(layer, "pad", padding=_pads(tuple(pairs)))
    fits = tuple(
        min(kernel, max((extent + one + two - 1) // dilation + 1, 1))
        for extent, kernel, dilation, (one, two) in zip(
            entering.spatial, numbers.kernel, numbers.dilation, numbers.padding, strict=True
        )
    )
    changes: dict[str, object] = {"size": _dims(fits)}
    if layer.mnemonic in ("M", "A") and layer.stride is None:
        changes["stride"] = _dims(fits)
    elif layer.padding is not None:
        changes["padding"] = layer.padding
    yield _retoken(layer, "take a smaller window", **changes)
    if max(numbers.dilation) > 1:
        yield _retoken(layer, "do not dilate", dilation=None)


def _of_wrong_numbers(layer: Layer) -> Iterator[Repair]:
    """Numbers for other axes than there are."""
    for name in ("size", "stride", "dilation", "output_padding"):
        dims = getattr(layer, name)
        if dims is not None and len(dims) > 1:
            one = {
                each: getattr(layer, each)[-1:]
                for each in ("size", "stride", "dilation", "output_padding")
                if getattr(layer, each) is not None
            }
            if layer.padding is not None:
                one["padding"] = layer.padding.replace(pairs=layer.padding.pairs[-1:])
            yield _retoken(layer, "write one number for every axis", **one)
            return
    if layer.padding is not None and len(layer.padding.pairs) > 1:
        pads = layer.padding.replace(pairs=layer.padding.pairs[-1:])
        yield _retoken(layer, "write one padding for every axis", padding=pads)


def _near(value: int, least: int = 1) -> Iterator[int]:
    """Numbers around one, the nearest first; below before above."""
    for step in range(1, max(value, 32) + 1):
        if value - step >= least:
            yield value - step
        yield value + step


def _divisors(number: int, near: int) -> list[int]:
    """The divisors of a number but the one that is given, the nearest to it first; below before above.

    A depth is below 2³¹, so that its divisors are found in 46,341 steps however far from them the given number is.
    """
    lower = [each for each in range(1, isqrt(number) + 1) if number % each == 0]
    found = {*lower, *(number // each for each in lower)} - {near}
    return sorted(found, key=lambda each: (abs(each - near), each))


def _of_parts(layer: Layer, merged: Layer, entering: Shape) -> Iterator[Repair]:
    """Groups that divide the depth, or a depth that the groups divide."""
    depth = entering.channels
    if layer.mnemonic == "GN":
        size = merged.size[0] if merged.size else None
        if isinstance(size, Num):
            for groups in _divisors(depth, int(size.value)):
                yield _retoken(layer, "take groups that divide", size=_dims((groups,)))
        return
    groups_written = merged.groups if isinstance(merged.groups, Num) else None
    out = merged.depth if isinstance(merged.depth, Num) else None
    groups = int(groups_written.value) if groups_written is not None else 1
    if layer.mnemonic == "DW":
        if layer.groups is not None:
            yield _retoken(layer, "leave the groups out", groups=None)
        if out is not None:
            for multiple in (-(-int(out.value) // depth) * depth, int(out.value) // depth * depth):
                if multiple:
                    yield _retoken(layer, "take a multiple of the depth", depth=_num(multiple))
        return
    if out is not None and depth % groups == 0:
        yield _retoken(layer, "take a depth that divides", depth=_num(-(-int(out.value) // groups) * groups))
    deep = int(out.value) if out is not None else depth
    for near in _divisors(gcd(depth, deep), groups):
        yield _retoken(layer, "take groups that divide", groups=_num(near))


def _of_word(call: Call, code: str, entering: Shape | None) -> Iterator[Repair]:
    """A word with other numbers: crops that fit, parts that divide, reshaping to as many values as there are."""
    args = call.args or ()
    numbers = [arg.value for arg in args]
    plain = [int(each.value) for each in numbers if isinstance(each, Num) and each.value.denominator == 1]
    if entering is None or len(plain) != len(args) or not plain or any(arg.name for arg in args):
        return

    def written(values: list[int], how: str) -> Repair:
        texts = [dim_text(_num(value)) for value in values]
        return Repair(Fix(call.span, f"{call.name.name}({','.join(texts)})", safe=False), how)

    name, depth = call.name.name, entering.channels
    if code == "E206" and len(plain) > 1:
        yield written(plain[:1], "write one number for every axis")
    elif code == "E210" and name == "crop":
        sizes = plain * entering.rank if len(plain) == 1 else plain
        fits = [min(size, extent) for size, extent in zip(sizes, entering.spatial, strict=False)]
        yield written(fits[:1] if len(set(fits)) == 1 else fits, "crop to the extents there are")
    elif code == "E204":
        for near in _divisors(depth, plain[0]):
            yield written([near, *plain[1:]], "take a number that divides")
    elif code == "E211" and name == "reshape":
        rest = 1
        for value in plain[1:]:
            rest *= value
        if rest > 0 and entering.elements % rest == 0:
            yield written([entering.elements // rest, *plain[1:]], "keep the number of values")


def _of_layer_before(items: tuple[Item, ...], found: Diagnostic, faulty: Item) -> Iterator[Repair]:
    """Another depth or number of units of the nearest layer with weights before it."""
    for item in reversed(items):
        layer = item.atom
        if not isinstance(layer, Layer):
            return
        if layer.mnemonic not in ("C", "DW", "T", "FC"):
            continue
        if layer.mnemonic == "FC":
            wanted = faulty.atom
            if isinstance(wanted, Call) and wanted.args and all(isinstance(arg.value, Num) for arg in wanted.args):
                product = 1
                for arg in wanted.args:
                    product *= int(_plain(arg.value))  # type: ignore[arg-type]
                yield _retoken(layer, "match the number of values", size=_dims((product,)))
        elif isinstance(layer.depth, Num):
            for depth in _near(int(layer.depth.value)):
                if depth > layer.depth.value or found.code == "E211":
                    yield _retoken(layer, "change the depth before it", depth=_num(depth))
        return

"""What could be changed where a spec is wrong, the smallest change first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from convsize.check.repairs.layers import divisors, of_layer
from convsize.check.repairs.tokens import Repair, as_dims, as_num, as_pads, retoken, value_of
from convsize.errors import Diagnostic, Fix, Span
from convsize.geometry import Shape
from convsize.graph.build import Attempt
from convsize.graph.tokens import Defaults
from convsize.language.formatter import dim_text
from convsize.language.tree import Call, DefaultStmt, DefStmt, File, Group, Item, Layer, Num, Series
from convsize.rules.places import series_of


def candidates(file: File, found: Diagnostic, before: Attempt) -> Iterator[Repair]:
    """The changes that may remove an error of the geometry."""
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
        yield from of_layer(item.atom, found.code, entering, _defaults(file))
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

    A pool of a single pixel that stands alone is left out, since it has nothing to pool; in a block, the call is.
    """
    text, span = file.source.text, found.span
    calls = [label.span for label in found.labels if label.text.startswith("in this call")]
    extra: tuple[Span, str] | None = None
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
            elif len(series.items) > 1 and not item.names and item.repeat is None:
                if atom.span == span and isinstance(atom, Layer) and atom.mnemonic in ("M", "A"):
                    extra = extra if calls else (span, "one pool too many")
                elif atom.span in calls and not _in_block(file, atom.span) and _is_pool(file, span):
                    extra = _calls_too_many(series, item, text)
    if extra is not None and entering is not None and entering.area == 1:
        place, what = extra
        lead = text[place.start - 1 : place.start] == " "
        yield Repair(Fix(Span(place.start - lead, place.end), "", safe=False), what, settles=True)


def _calls_too_many(series: Series, first: Item, text: str) -> tuple[Span, str]:
    """A call and those of the same that follow it, with what is wrong with them."""
    written = text[first.span.start : first.span.end]
    at = series.items.index(first)
    alike = list(takewhile(lambda item: text[item.span.start : item.span.end] == written, series.items[at:]))
    what = f"one `{written}` too many" if len(alike) == 1 else f"`{written}` {len(alike)} times too often"
    return first.span.to(alike[-1].span), what


def _in_block(file: File, span: Span) -> bool:
    return any(isinstance(stmt, DefStmt) and stmt.span.start <= span.start < stmt.span.end for stmt in file.statements)


def _is_pool(file: File, span: Span) -> bool:
    found = _place(file, span)
    return found is not None and isinstance(found[0].atom, Layer) and found[0].atom.mnemonic in ("M", "A")


def _unstrided(file: File, first: Span) -> Iterator[Repair]:
    """For branches of which one strides: its pools and filters at stride 1, padded to keep the size."""
    for series in series_of(file):
        for item in series.items:
            if not isinstance(item.atom, Group) or item.atom.branches[0].span != first:
                continue
            for inner in (inner for branch in item.atom.branches for inner in branch.items):
                layer = inner.atom
                if isinstance(layer, Layer) and layer.mnemonic in ("C", "DW", "M", "A"):
                    size = layer.size or as_dims((2,) if layer.mnemonic in ("M", "A") else (3,))
                    if all(isinstance(dim, Num) and dim.value % 2 for dim in size):
                        pads = as_pads(tuple((int(value_of(dim)) // 2,) * 2 for dim in size))
                        token = {"stride": as_dims((1,)), "padding": pads}
                        yield retoken(layer, "keep the extents, as the other branches do", **token)


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
                        yield retoken(layer, "pad the output", output_padding=as_dims((extra,)))


def _defaults(file: File) -> Defaults:
    return Defaults(tuple(layer for stmt in file.statements if isinstance(stmt, DefaultStmt) for layer in stmt.layers))


def _of_word(call: Call, code: str, entering: Shape | None) -> Iterator[Repair]:
    """A word with other numbers: crops that fit, parts that divide, reshaping to as many values as there are."""
    args = call.args or ()
    numbers = [arg.value for arg in args]
    plain = [int(each.value) for each in numbers if isinstance(each, Num) and each.value.denominator == 1]
    if entering is None or len(plain) != len(args) or not plain or any(arg.name for arg in args):
        return

    def written(values: list[int], how: str) -> Repair:
        texts = [dim_text(as_num(value)) for value in values]
        return Repair(Fix(call.span, f"{call.name.name}({','.join(texts)})", safe=False), how)

    name, depth = call.name.name, entering.channels
    if code == "E206" and len(plain) > 1:
        yield written(plain[:1], "write one number for every axis")
    elif code == "E210" and name == "crop":
        sizes = plain * entering.rank if len(plain) == 1 else plain
        fits = [min(size, extent) for size, extent in zip(sizes, entering.spatial, strict=False)]
        yield written(fits[:1] if len(set(fits)) == 1 else fits, "crop to the extents there are")
    elif code == "E204":
        for near in divisors(depth, plain[0]):
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
                    product *= int(value_of(arg.value))  # type: ignore[arg-type]
                yield retoken(layer, "match the number of values", size=as_dims((product,)))
        elif isinstance(layer.depth, Num):
            for depth in _near(int(layer.depth.value)):
                if depth > layer.depth.value or found.code == "E211":
                    yield retoken(layer, "change the depth before it", depth=as_num(depth))
        return


def _near(value: int, least: int = 1) -> Iterator[int]:
    """Numbers around one, the nearest first; below before above."""
    for step in range(1, max(value, 32) + 1):
        if value - step >= least:
            yield value - step
        yield value + step

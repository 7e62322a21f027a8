"""W501: a stride that drops real pixels."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from convsize.errors import Diagnostic, Span
from convsize.geometry import AxisWindow, dividing, output_extent, remainder
from convsize.graph.network import Network, Node
from convsize.language.tree import Num, Pads
from convsize.ops.shared.windows import axis_name
from convsize.records import Lost
from convsize.rules.base import Context, Rule
from convsize.rules.places import Places, axes_of, by_place, finding
from convsize.words import grid_word, plural


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    places = Places(network)
    losing = [node for node in network.layers if node.index in context.rows and _lost(context, node)]
    for found in by_place(losing):
        worst = max(found, key=lambda node: max(lost.pixels for lost in _lost(context, node)))
        losses = _lost(context, worst)
        source = network.input_shapes(worst)[0]
        noun = grid_word(source.rank)
        axes = axes_of(network, worst)
        lost = losses[0]
        window, extent = axes[lost.axis], source.spatial[lost.axis]
        same = [each for each in losses if source.spatial[each.axis] == extent and axes[each.axis] == window]
        names = " and of the ".join(axis_name(source, each.axis) for each in same)
        added = sum(_padded(network, worst, lost.axis))
        if window.reach >= window.stride:
            message = (
                f"this drops the last {'' if lost.pixels == 1 else f'{lost.pixels} '}of the "
                f"{plural(extent - added, noun)} of the {names}: "
                f"{_division(extent, window, added)} rounds down to {output_extent(extent, window)}"
            )
        else:
            message = (
                f"windows {window.kernel} wide at a stride of {window.stride} skip {plural(lost.pixels, noun)} "
                f"of the {extent - added} of the {names}"
            )
        token, how = _mended(context, places, found, worst, axes)
        sizes = dividing(extent, window).extents
        help_text = how
        if window.reach >= window.stride:
            help_text += f"{', or ' if how else ''}let {' or '.join(map(str, sizes))} {noun}s enter"
        yield finding("W501", worst, message, help_text, fixes=places.replaced(found, token))


def _lost(context: Context, node: Node) -> list[Lost]:
    """What a strided window of more than one pixel never reads."""
    row = context.rows[node.index]
    if not any(lost.pixels for lost in row.lost):
        return []
    axes = axes_of(context.network, node)
    if not axes:
        return []
    found = [
        lost.replace(pixels=lost.pixels - min(_padded(context.network, node, lost.axis)[1], lost.pixels))
        if lost.trailing
        else lost
        for lost in row.lost
        if lost.pixels and axes[lost.axis].kernel > 1 and axes[lost.axis].stride > 1 and not axes[lost.axis].transposed
    ]
    return [lost for lost in found if lost.pixels]


def _padded(network: Network, node: Node, axis: int) -> tuple[int, int]:
    """What a padding layer before this one has put before and after an axis' pixels: values that are no pixels."""
    axes = axes_of(network, network.nodes[node.inputs[0]])
    if not axes or axes[axis].transposed or not axes[axis].reach == axes[axis].stride == 1:
        return 0, 0
    return max(axes[axis].before, 0), max(axes[axis].after, 0)


def _division(extent: int, window: AxisWindow, padded_before: int) -> str:
    """The division of the notes; padded_before: what of the extent a padding layer has added."""
    zeros = window.before + window.after
    added = zeros + padded_before
    padded = f"{extent - padded_before} + {added}" if added else str(extent)
    value = Fraction(extent + zeros - window.reach, window.stride) + 1
    return f"({padded} - {window.reach})/{window.stride} + 1 = {float(value):.6g}"


def _mended(
    context: Context, places: Places, found: list[Node], worst: Node, axes: tuple[AxisWindow, ...]
) -> tuple[str | None, str]:
    """The token that reads the pixels, and the words for it: rounding up for a pool, padding after for a filter."""
    network = context.network
    source = network.input_shapes(worst)[0]
    if any(window.reach < window.stride for window in axes):
        strides = [str(min(window.stride, window.reach)) for window in axes]
        return None, f"stride by at most the window: `/{'x'.join(strides if len(set(strides)) > 1 else strides[:1])}`"
    if worst.op.KIND == "pool":
        token = places.retoken(found, rounding="ceil")
        more = [output_extent(each, axis, "ceil") for each, axis in zip(source.spatial, axes, strict=True)]
        kept = "x".join(map(str, more))
        return token, f"round up: `{token or 'ceil'}` gives {source.channels}@{kept}"
    pairs = []
    for extent, window in zip(source.spatial, axes, strict=True):
        rest = remainder(extent, window)
        pairs.append((window.before, window.after + (window.stride - rest if rest else 0)))
    pairs = pairs[:1] if len(set(pairs)) == 1 else pairs
    here = Span(0, 0)
    pads = Pads(
        "explicit",
        tuple(
            (Num(Fraction(before), here), None if before == after else Num(Fraction(after), here))
            for before, after in pairs
        ),
    )
    token = places.retoken(found, padding=pads)
    written = "x".join(str(before) if before == after else f"{before}:{after}" for before, after in pairs)
    return token, f"pad after the last {grid_word(source.rank)}: `{token or 'p' + written}`"


RULE = Rule(
    code="W501",
    name="dropped-pixels",
    summary="a stride drops real pixels after the last window, or skips some between windows",
    checks=(
        "Strided convolutions and pools whose windows do not reach the end of the input, so that none of them reads "
        "some real pixels (padding does not count, nor what a `pad` before them adds); and windows narrower than their "
        "stride. W555 covers 1x1 filters."
    ),
    why=(
        "(L - F + 2P)/S + 1 is rounded down silently, so the last rows and columns of every image are lost, "
        "and the maps are no longer centred on the image. Often the input has a different size than "
        "intended. The notes call such a network not valid."
    ),
    source="Varma & Das, ch. 12, and Aggarwal, ch. 8: the division must come out whole.",
    example="input: 3@13x13\nC3D64 R M FC10 S\n",
    better="input: 3@13x13\nC3D64 R Mceil FC10 S\n",
    fix=(
        "Round a pool up (`ceil`), pad a convolution after the last pixel (`p0:1`), or choose an input size "
        "that divides: `convsize sizes` lists them. Where the loss is intended, as in SqueezeNet's first "
        "layer, add `# convsize: ignore[W501]`."
    ),
    find=_find,
)

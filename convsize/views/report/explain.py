"""How every figure of a layer comes about: its formula with the numbers in it.

A formula is only given where its result is the figure: each is worked out here once more, and where the two differ
(a receptive field after a join, say) the text says in words what the figure is.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import prod

from convsize.geometry import AxisWindow, Window, output_extent
from convsize.records import ITEM_SIZES, LayerRow, ReceptiveField, Report
from convsize.views.text import numbers
from convsize.words import form, grid_word, listed, plural

_AXES = {1: ("length",), 2: ("height", "width"), 3: ("time", "height", "width")}


class Explainer:
    """Explains the layers of one network."""

    def __init__(self, report: Report, windows: Mapping[int, Window]) -> None:
        self.report = report
        self.windows = windows
        self.rows = {row.name: row for row in report.layers}
        self.images = {name: dims[1:] for name, dims in report.inputs}

    def output(self, row: LayerRow) -> str:
        """The volume: what of every axis the window leaves."""
        values = f"{_product(row.output)} {form(prod(row.output), 'value')}"
        window = self.windows.get(row.index)
        before = row.input_shapes[0][1:]
        lines = [f"{row.spec} makes {numbers.volume(row.output)} of {self.reads(row)}: {values}."]
        if window is not None and window.kind == "axes" and len(before) == len(row.output) - 1 == len(window.axes):
            names = _AXES.get(len(before), ("",) * len(before))
            said: dict[str, str] = {}
            for name, extent, axis, after in zip(names, before, window.axes, row.output[1:], strict=True):
                formula = _extent(extent, axis, after)
                if formula is not None:
                    said[formula] = f"{said[formula]} and {name}" if formula in said else name
            lines += [f"{name[:1].upper()}{name[1:]}: {formula}." for formula, name in said.items()]
        elif window is not None and window.kind == "reads":
            said = {}
            for name, extent, each, after in zip(_AXES[len(before)], before, window.reads, row.output[1:], strict=True):
                least, most = each.widths
                width = f"{least}" if least == most else f"{least} to {most}"
                text = f"{plural(extent, 'position')} to {after}, each of {width}"
                said[text] = f"{said[text]} and {name}" if text in said else name
            lines += [f"{name[:1].upper()}{name[1:]}: {text}." for text, name in said.items()]
        elif window is not None and window.kind == "everything":
            lines.append("Every unit reads all positions.")
        return " ".join(lines)

    def reads(self, row: LayerRow) -> str:
        """The volumes that enter."""
        return listed([numbers.volume(each) for each in row.input_shapes])

    def output_bytes(self, row: LayerRow) -> str:
        """The memory of the output."""
        report = self.report
        samples = f" × {plural(report.batch, 'sample')}" if report.batch > 1 else ""
        return (
            f"{_product(row.output)} {form(prod(row.output), 'value')}{samples} × "
            f"{plural(ITEM_SIZES[report.dtype], 'byte')} of "
            f"{report.dtype} = {plural(row.output_bytes, 'byte')}; "
            f"{self.part(row.output_bytes, report.totals.activation_bytes)} "
            "of all activations."
        )

    def parameters(self, row: LayerRow) -> str:
        """The sum of its tensors."""
        if not row.parameters:
            if row.shares is not None:
                return f"It shares the weights of {row.shares}, which are counted there."
            return "It has no parameters."
        terms = [f"{tensor.name} {_product(tensor.shape)}" for tensor in row.tensors if tensor.role != "buffer"]
        total = f" = {numbers.exact(row.parameters)}" if len(terms) > 1 else ""
        share = self.part(row.parameters, self.report.totals.parameters)
        return f"{' + '.join(terms)}{total}; {share} of all parameters."

    def tensors(self, row: LayerRow) -> int:
        """The weights that it multiplies by, its own or those that it shares; a gain of filters is no such weight."""
        holder = row if row.shares is None else self.rows[row.shares]
        return sum(each.elements for each in holder.tensors if each.name == "weight")

    def macs(self, row: LayerRow) -> str:
        """Every weight once at every position."""
        if not row.macs:
            return "It has no multiply-adds with weights."
        weights = self.tensors(row)
        after, before = prod(row.output[1:]), prod(row.input_shapes[0][1:])
        share = self.part(row.macs, self.report.totals.macs)
        for places, side in ((after, "its output"), (before, "its input")):
            if weights * places == row.macs:
                if places == 1:
                    return f"Each of its {plural(weights, 'weight')} once, one sample; {share} of all MACs."
                return (
                    f"{plural(weights, 'weight')} at each of {plural(places, 'position')} of {side}, one "
                    f"sample: {numbers.exact(weights)}·{numbers.exact(places)} = {numbers.exact(row.macs)}; "
                    f"{share} of all MACs."
                )
        if row.kind == "attention":
            return (
                "Each of its queries is multiplied by the keys that it reads, and their values by what comes out: "
                f"{numbers.exact(row.macs)} multiply-adds for one sample; {share} of all MACs."
            )
        return f"{numbers.exact(row.macs)} multiply-adds for one sample; {share} of all MACs."

    def flops(self, row: LayerRow) -> str:
        """Two for each multiply-add, and the rest by kind."""
        if not row.flops:
            return "It computes nothing: it only moves values or keeps them."
        terms = [f"2·{numbers.exact(row.macs)} MACs"] if row.macs else []
        terms += [f"{numbers.exact(flops)} {kind}" for kind, flops in row.work]
        total = f" = {numbers.exact(row.flops)}" if len(terms) > 1 or row.macs else ""
        return f"{' + '.join(terms)}{total} for one sample."

    def receptive_field(self, row: LayerRow) -> str:
        """What one unit sees, from what the units before it see."""
        field = row.receptive_field
        if field is None:
            return "It sees no input with positions."
        name = row.receptive_fields[0][0] if row.receptive_fields else "input"
        if field.whole:
            return (
                f"Every unit reads all positions of its input, which see {_extents(field.size)} of "
                f"`{name}`: {numbers.share(field.seen)}."
            )
        noun = grid_word(len(field.size))
        grown = self._grown(row, field)
        size = grown if grown is not None else _extents(field.size)
        if grown is None and len(row.inputs) > 1:
            size = f"{size}, the union of the branches' fields"
        return (
            f"{size}. Neighbouring units lie {numbers.sized(field.jump, noun)} apart; the first begins at {noun} "
            f"{numbers.places(field.start)}; the best-placed unit sees {numbers.share(field.seen)} of `{name}`."
        )

    def jump(self, row: LayerRow) -> str:
        """How far apart neighbouring units look."""
        field = row.receptive_field
        if field is None or field.whole or not field.jump:
            return "It has no positions."
        window = self.windows.get(row.index)
        before = self._before(row.inputs[0], len(field.size)) if len(row.inputs) == 1 else None
        if window is not None and window.kind == "axes" and before is not None:
            said: dict[str, None] = {}
            for jump, axis, after in zip(before[1], window.axes, field.jump, strict=True):
                if axis.transposed or jump * axis.stride != after:
                    break
                said[
                    f"{numbers.number(jump)}·{axis.stride} = {numbers.sized((after,), grid_word(len(field.size)))}"
                ] = None
            else:
                return f"The jump before it times its stride: {' by '.join(said)}."
        return f"Neighbouring units see places {numbers.sized(field.jump, grid_word(len(field.size)))} apart."

    def _grown(self, row: LayerRow, field: ReceptiveField) -> str | None:
        """The size before + (reach - 1)·jump of the layer before, where that is the size."""
        window = self.windows.get(row.index)
        if window is None or window.kind in ("everything", "reads") or len(row.inputs) != 1:
            return None
        before = self._before(row.inputs[0], len(field.size))
        if before is None:
            return None
        if window.kind == "pointwise":
            return f"{_extents(field.size)}, as before it" if before[0] == field.size else None
        said: dict[str, None] = {}
        for size, jump, axis, after in zip(*before, window.axes, field.size, strict=True):
            if axis.transposed or size + (axis.reach - 1) * jump != after:
                return None
            reach = f"({axis.reach} - 1)" if axis.dilation == 1 else f"{axis.dilation}·({axis.kernel} - 1)"
            said[f"{size} + {reach}·{numbers.number(jump)} = {plural(after, grid_word(len(field.size)))}"] = None
        return " by ".join(said)

    def _before(self, name: str, rank: int) -> tuple[tuple[int, ...], tuple[Fraction, ...]] | None:
        if name in self.images:
            return ((1,) * rank, (Fraction(1),) * rank) if len(self.images[name]) == rank else None
        field = self.rows[name].receptive_field
        if field is None or field.whole:
            return None
        return field.size, field.jump

    def part(self, value: int, total: int) -> str:
        """A share of the network."""
        return numbers.share(Fraction(value, total or 1))


def _product(dims: tuple[int, ...]) -> str:
    """3·3·64 = 576."""
    if len(dims) == 1:
        return numbers.exact(dims[0])
    return f"{'·'.join(map(str, dims))} = {numbers.exact(prod(dims))}"


def _extent(extent: int, axis: AxisWindow, after: int) -> str | None:
    """The formula of an output extent with its numbers; None where it gives another one."""
    reach = str(axis.kernel) if axis.dilation == 1 else f"({axis.dilation}·({axis.kernel} - 1) + 1)"
    if axis.transposed:
        if output_extent(extent, axis) != after:
            return None
        return f"({extent} - 1)·{axis.stride}{_signed(-axis.before)}{_signed(-axis.after)} + {reach} = {after}"
    inner = f"{extent}{_signed(axis.before)}{_signed(axis.after)} - {reach}"
    if output_extent(extent, axis) == after:
        return f"⌊({inner})/{axis.stride}⌋ + 1 = {after}"
    if output_extent(extent, axis, "ceil") == after:
        return f"⌈({inner})/{axis.stride}⌉ + 1 = {after}"
    return None


def _signed(value: int) -> str:
    return "" if not value else f" + {value}" if value > 0 else f" - {-value}"


def _extents(size: tuple[int, ...]) -> str:
    """An extent an axis with its word: 7 pixels an axis."""
    return f"{numbers.sized(size, grid_word(len(size)))}{' an axis' if len(size) > 1 else ''}"

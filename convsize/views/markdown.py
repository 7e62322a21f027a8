"""Markdown for notes, issues and pull requests: the folded table and the totals."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.records import Report
from convsize.views import numbers
from convsize.views.columns import BY_NAME, REPEATS, Column, ordered
from convsize.views.fold import fold, unfolded

_SHOWN = ("name", "spec", "output", "receptive_field", "parameters", "macs", "output_bytes")


def render(
    report: Report, *, columns: Sequence[Column] | None = None, expand: bool = False, sort: Column | None = None
) -> str:
    """A heading, the layers, the totals, the outputs and what stands out."""
    shown = tuple(BY_NAME[name] for name in _SHOWN) if columns is None else columns
    if sort is not None:
        lines = unfolded(ordered(report.layers, sort))
    else:
        lines = unfolded(report.layers) if expand else fold(report.layers)
    if any(one.times > 1 for one in lines):
        shown = (*shown[:1], REPEATS, *shown[1:])
    header = [column.header for column in shown]
    rule = [":--" if column.words else "--:" for column in shown]
    inputs = ", ".join(f"{name} {numbers.volume(dims)}" for name, dims in report.inputs)
    out = [f"## {_escaped(report.name)}", "", f"{inputs}; batch {report.batch}; {report.dtype}", ""]
    out += [_row(header), _row(rule)]
    for one in lines:
        out.append(_row([_code(column, column.text(one, in_full=column.name != "output_bytes")) for column in shown]))
    out += ["", *_totals(report)]
    if report.insights:
        out += ["", *(f"- {_escaped(insight.text)}" for insight in report.insights)]
    return "\n".join(out) + "\n"


def _totals(report: Report) -> list[str]:
    totals = report.totals
    field = totals.receptive_field
    rows = [
        ("parameters", numbers.exact(totals.parameters)),
        ("MACs", numbers.exact(totals.macs)),
        ("FLOPs", numbers.exact(totals.flops)),
        (f"activations, batch {report.batch}", numbers.size(totals.activation_bytes)),
        ("parameter bytes", numbers.size(totals.parameter_bytes)),
        ("weight layers", numbers.exact(totals.weight_layers)),
        ("receptive field", "–" if field is None else numbers.axes(field.size)),
    ]
    rows += [("output" if name == "main" else f"head {name}", numbers.volume(dims)) for name, dims in report.outputs]
    return [_row(("total", "")), _row((":--", "--:")), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_|<>[]" else char for char in text)


def _code(column: Column, text: str) -> str:
    """A spec goes between backticks, where only the bar must be escaped in a table."""
    return f"`{text}`" if column.name == "spec" else _escaped(text)

"""Markdown for notes, issues and pull requests: the folded table and the totals."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.records import Report
from convsize.views.analysis.columns import BY_NAME, REPEATS, Column, ordered
from convsize.views.text import numbers
from convsize.views.text.fold import fold, unfolded

_SHOWN = ("name", "spec", "output", "receptive_field", "parameters", "macs", "output_bytes")

_SIGNS = frozenset("\\`*_|<>[]&~$")
"""`&` begins an entity, and GitHub sets what stands between `$` as a formula."""


def render(
    report: Report, *, columns: Sequence[Column] | None = None, expand: bool = False, sort: Column | None = None
) -> str:
    """A heading, the layers, the totals, the outputs and what stands out."""
    out = [*heading(report), "", *layers(report, columns=columns, expand=expand, sort=sort), "", *totals(report)]
    if report.insights:
        out += ["", *insights(report)]
    return "\n".join(out) + "\n"


def heading(report: Report) -> list[str]:
    """The lines that say which network this is, and at which inputs."""
    inputs = ", ".join(f"{name} {numbers.volume(dims)}" for name, dims in report.inputs)
    return [f"## {escaped(report.name)}", "", f"{inputs}; batch {report.batch}; {report.dtype}"]


def layers(
    report: Report, *, columns: Sequence[Column] | None = None, expand: bool = False, sort: Column | None = None
) -> list[str]:
    """The lines of the table of layers."""
    shown = tuple(BY_NAME[name] for name in _SHOWN) if columns is None else columns
    if sort is not None:
        lines = unfolded(ordered(report.layers, sort))
    else:
        lines = unfolded(report.layers) if expand else fold(report.layers)
    if any(one.times > 1 for one in lines):
        shown = (*shown[:1], REPEATS, *shown[1:])
    header = [column.header for column in shown]
    rule = [":--" if column.words else "--:" for column in shown]
    out = [_row(header), _row(rule)]
    for one in lines:
        out.append(_row([_code(column, column.text(one, in_full=column.name != "output_bytes")) for column in shown]))
    return out


def insights(report: Report) -> list[str]:
    """The lines of the list of what stands out."""
    return [f"- {sentence(insight.text)}" for insight in report.insights]


def totals(report: Report) -> list[str]:
    """The lines of the table of totals and outputs."""
    sums = report.totals
    field = sums.receptive_field
    rows = [
        ("parameters", numbers.exact(sums.parameters)),
        (f"MACs, as {report.convention} counts" if report.convention else "MACs", numbers.exact(sums.macs)),
        *([] if report.convention else [("FLOPs", numbers.exact(sums.flops))]),
        (f"activations, batch {report.batch}", numbers.size(sums.activation_bytes)),
        ("parameter bytes", numbers.size(sums.parameter_bytes)),
        ("weight layers", numbers.exact(sums.weight_layers)),
        ("receptive field", "–" if field is None else numbers.axes(field.size)),
    ]
    rows += [("output" if name == "main" else f"head {name}", numbers.volume(dims)) for name, dims in report.outputs]
    return [_row(("total", "")), _row((":--", "--:")), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """A text within a line, shown as it is."""
    return "".join(f"\\{char}" if char in _SIGNS else char for char in " ".join(text.split()))


def sentence(text: str) -> str:
    """A sentence of convsize's own within a line, in which what stands between backticks is code.

    >>> sentence("write `C3_D8` instead of a_b")
    'write `C3_D8` instead of a\\\\_b'
    """
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0 or not all(parts[1::2]):
        return escaped(text)
    signs = _SIGNS - {"`"}
    return "`".join(
        part if at % 2 else "".join(f"\\{char}" if char in signs else char for char in part)
        for at, part in enumerate(parts)
    )


def _code(column: Column, text: str) -> str:
    """A spec goes between backticks, where only the bar must be escaped in a table."""
    if column.name != "spec":
        return escaped(text)
    inside = text.replace("|", "\\|")
    return f"`{inside}`"

"""A network as one HTML file that needs nothing else: no network, no other file, and to be read no script either.

What stands on a page is in its template, which escapes every text; the policy in the page's head allows the page's own
style and script by their hashes and nothing else, so that whatever stands in a spec can run nothing and ask for
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from math import prod
from typing import Any

from convsize.errors import Diagnostic, Source
from convsize.record import Record
from convsize.records import LayerRow, RulePage
from convsize.views.analysis.columns import SHARED, gives
from convsize.views.canvas import file
from convsize.views.canvas.colours import THEMES, light_and_dark
from convsize.views.drawing import dot
from convsize.views.drawing.parts import Part, weights
from convsize.views.report.charts import charts
from convsize.views.report.content import Figure, NetworkPage, drawn, figures, listing, spec_text, volumes
from convsize.views.report.explain import Explainer
from convsize.views.report.template import asset, rendered
from convsize.views.text import numbers
from convsize.views.text.fold import Line
from convsize.words import plural

INDEX = "index.html"
"""The page that compares all networks."""


class Column(Record):
    """A column of a table: its key in the JSON, its heading, and whether its cells are words."""

    key: str
    title: str
    words: bool = False


class Cell(Record):
    """A cell of a table.

    value: what it is sorted by; said: whether the text does not give the value itself. why: the number of the text that
    explains it.
    """

    text: str
    value: int | float | None = None
    said: bool = False
    why: int | None = None
    words: bool = False


class Texts:
    """Explanations, each once: the layers of a repeat have the same ones."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        """The number of a text."""
        return self._places.setdefault(text, len(self._places))

    @property
    def all(self) -> list[str]:
        """The texts by their numbers."""
        return list(self._places)


def render(page: NetworkPage, *, index: bool = False) -> str:
    """The page of one network; `index` says that it stands beside one that compares several.

    Raises UsageError where Graphviz is not installed.
    """
    report = page.report
    texts = Texts()
    lines = listing(report)
    diagram, nodes = _diagram(page, lines)
    count = len(page.findings.diagnostics)
    quiet = page.findings.suppressed
    known = figures(page)
    return document(
        "network.html",
        report.name,
        texts,
        nodes,
        index=INDEX if index else "",
        lead=f"{volumes(report.inputs)} → {volumes(report.outputs)} · batch {report.batch} · {report.dtype}",
        count=plural(count, "finding") if count else "no findings",
        graph=report.graph,
        figures=[
            {"name": each.name, "title": each.title, "text": each.text, "value": each.value}
            | {"why": texts.place(each.explanation)}
            for each in known
        ],
        diagram=diagram,
        findings=_findings(page),
        suppressed=plural(quiet, "finding") if quiet else "",
        insights=[insight.text for insight in report.insights],
        charts=charts(report),
        caption=_caption(page, lines),
        columns=[Column("name", "layer", True), *(Column(each.key, each.title, each.words) for each in _COLUMNS)],
        rows=_rows_of(page, lines, texts),
        totals=_totals(known, texts),
        spec=spec_text(report),
    )


def document(template: str, title: str, texts: Texts, nodes: dict[str, Any], **values: Any) -> str:
    """A whole page; nodes are what the shapes of its drawing are called, and their rows."""
    style, script = asset("report.css") + _picture_colours(), asset("report.js")
    return rendered(template, title=title, style=style, script=script, texts=texts.all, nodes=nodes, **values)


# ---- the diagram -----------------------------------------------------------------------------------------------------


def _diagram(page: NetworkPage, lines: Sequence[Line]) -> tuple[str, dict[str, Any]]:
    """The drawing, and for each of its shapes what it is called and its rows in the table; "" where it is too large."""
    report = page.report
    found = drawn(report)
    if found is None:
        return "", {}
    detail, parts = found
    svg = file.from_dot(dot.render(report, detail=detail), "svg").decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\s*|<title>.*?</title>\s*", "", svg, flags=re.DOTALL)
    title = f"{report.name} at the detail of {'blocks' if detail == 'block' else 'stages'}"
    svg = svg.replace('role="img"', f'role="group" aria-label="{escape(title)}"', 1)
    rows = {row.name: line.first.index for line in lines for row in line.rows}
    for line in lines:  # a repeat that is folded away is in the row of the one that is shown
        rows.setdefault(line.last.name, line.first.index)
    nodes = {part.key: {"label": _said(part), "rows": _rows(part, rows)} for part in parts}
    return svg, nodes


def _rows(part: Part, rows: dict[str, int]) -> list[int]:
    return list(dict.fromkeys(rows[row.name] for row in part.rows if row.name in rows))


def _said(part: Part) -> str:
    """What a shape is, for those who hear it."""
    if not part.counted:
        return f"{part.label}, {numbers.volume(part.after)}"
    held = f"{plural(part.parameters, 'parameter')}" if part.parameters else weights(part) or "0 parameters"
    costs = f"{held}, {numbers.exact(part.macs)} MACs"
    times = f" times {part.times}" if part.times > 1 else ""
    name = part.counted[0].name if part.kind == "layer" else part.note
    return f"{part.label}{times} ({name}): gives {numbers.volume(part.after)}; {costs}"


def _picture_colours() -> str:
    """The drawing and the charts are in light colours: what each of them is on a dark page."""
    light, dark = THEMES["light"], THEMES["dark"]
    rules = [
        f':is(.diagram,.chart) [{what}="{one}"]{{{what}:light-dark({one},{other})}}'
        for one, other in light_and_dark().items()
        for what in ("fill", "stroke")
    ]
    # Texts without a colour of their own are black in SVG; faint ones are too faint on a coloured shape (WCAG 1.4.3).
    ink = f"{{fill:light-dark({light.ink},{dark.ink})}}"
    return "\n".join([*rules, f".diagram :is(text:not([fill]),.node text){ink}"])


# ---- the table -------------------------------------------------------------------------------------------------------


class _LayerColumn(Record):
    """A column: its key in the JSON, its heading, the cell's text, and its value where the text cannot be sorted by."""

    key: str
    title: str
    text: Callable[[LayerRow], str]
    value: Callable[[LayerRow], Any] | None
    explain: Callable[[Explainer, LayerRow], str] | None
    cost: bool = False
    words: bool = False


def _seen(row: LayerRow) -> str:
    field = row.receptive_field
    return "–" if field is None else f"all {numbers.axes(field.size)}" if field.whole else numbers.axes(field.size)


def _seen_pixels(row: LayerRow) -> int:
    return 0 if row.receptive_field is None else prod(row.receptive_field.size)


def _jump(row: LayerRow) -> str:
    field = row.receptive_field
    return "–" if field is None or field.whole or not field.jump else numbers.axes(field.jump)


def _jump_pixels(row: LayerRow) -> float:
    field = row.receptive_field
    return 0 if field is None or field.whole or not field.jump else float(field.jump[0])


_COLUMNS = (
    _LayerColumn("spec", "spec", lambda row: row.spec, None, None, words=True),
    _LayerColumn("output", "output", gives, lambda row: row.output_elements, Explainer.output),
    _LayerColumn(
        "parameters",
        "parameters",
        lambda row: SHARED if row.shares else numbers.exact(row.parameters),
        lambda row: row.parameters,
        Explainer.parameters,
        cost=True,
    ),
    _LayerColumn("macs", "MACs", lambda row: numbers.exact(row.macs), lambda row: row.macs, Explainer.macs, cost=True),
    _LayerColumn(
        "flops", "FLOPs", lambda row: numbers.exact(row.flops), lambda row: row.flops, Explainer.flops, cost=True
    ),
    _LayerColumn(
        "output_bytes",
        "activations",
        lambda row: numbers.size(row.output_bytes),
        lambda row: row.output_bytes,
        Explainer.output_bytes,
        cost=True,
    ),
    _LayerColumn("receptive_field", "sees, px", _seen, _seen_pixels, Explainer.receptive_field),
    _LayerColumn("jump", "jump", _jump, _jump_pixels, Explainer.jump),
    _LayerColumn("op", "op", lambda row: row.op, None, None, words=True),
    _LayerColumn("inputs", "from", lambda row: " ".join(row.inputs), None, None, words=True),
)


def _caption(page: NetworkPage, lines: Sequence[Line]) -> str:
    report = page.report
    shown = plural(len(report.layers), "layer")
    note = (
        ""
        if len(lines) == len(report.layers)
        else ", folded: figures are for one iteration, ×n is the number of iterations"
    )
    if sum(line.times * len(line.rows) for line in lines) < len(report.layers):
        note += f"; the first {plural(len(lines), 'line')}, `convsize analyze` lists all"
    return f"{shown}{note}; activations for batch {report.batch} in {report.dtype}"


def _rows_of(page: NetworkPage, lines: Sequence[Line], texts: Texts) -> list[dict[str, Any]]:
    explainer = Explainer(page.report, page.windows)
    return [
        {
            "index": line.first.index,
            "name": f"{line.name} ×{line.times}" if line.times > 1 else line.name,
            "cells": [_cell(each, line, explainer, texts) for each in _COLUMNS],
        }
        for line in lines
    ]


def _cell(column: _LayerColumn, line: Line, explainer: Explainer, texts: Texts) -> Cell:
    value: int | float | None
    if line.summary is not None and column.key in ("spec", "op"):
        text, value = line.spec if column.key == "spec" else line.op, None
    elif line.summary is not None and column.cost:
        assert column.value is not None
        total = line.total(column.value)
        text, value = numbers.size(total) if column.key == "output_bytes" else numbers.exact(total), total
    else:
        row = line.first if column.cost or column.words else line.last
        text, value = column.text(row), None if column.value is None else column.value(row)
    why = None
    if column.explain is not None and line.summary is None:
        why = texts.place(column.explain(explainer, line.first if column.cost else line.last))
    return cell(text, value, why, words=column.words)


def cell(text: str, value: int | float | None, why: int | None = None, *, words: bool = False) -> Cell:
    """A cell that states its value where its text does not."""
    return Cell(text, value, value is not None and text.replace(",", "") != str(value), why, words)


_TOTALS = {
    "receptive_field": "receptive_field",
    "parameters": "parameters",
    "macs": "macs",
    "flops": "flops",
    "output_bytes": "activation_bytes",
}
"""The headline figure that stands under a column."""


def _totals(known: Sequence[Figure], texts: Texts) -> list[dict[str, Any] | None]:
    by_name = {figure.name: figure for figure in known}
    found: list[dict[str, Any] | None] = []
    for column in _COLUMNS:
        figure = by_name.get(_TOTALS.get(column.key, ""))
        if figure is None or figure.value is None:
            found.append(None)
            continue
        exact = column.key in ("parameters", "macs", "flops")
        text = numbers.exact(figure.value) if exact else figure.text.removesuffix(" px")
        why = texts.place(figure.explanation)
        found.append({"key": column.key, "value": figure.value, "text": text, "why": why})
    return found


# ---- findings --------------------------------------------------------------------------------------------------------


def _findings(page: NetworkPage) -> list[dict[str, Any]]:
    rules = {rule.code: rule for rule in page.rules}
    return [_finding(each, page.findings.source, rules.get(each.code)) for each in page.findings.diagnostics]


def _finding(found: Diagnostic, source: Source, rule: RulePage | None) -> dict[str, Any]:
    """A finding with its line, in which what it is about is marked."""
    place = source.place(found.span.start)
    line = source.line(place.line)
    start = place.column - 1
    end = min(len(line), start + max(found.span.end - found.span.start, 0))
    return {
        "severity": found.severity,
        "code": found.code,
        "message": found.message,
        "line": f"{place.line:>4}",
        "before": line[:start],
        "marked": line[start:end],
        "after": line[end:],
        "help": found.help,
        "fixes": [{"old": source.slice(fix.span), "new": fix.replacement, "safe": fix.safe} for fix in found.fixes],
        "rule": rule,
    }

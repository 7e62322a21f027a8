"""The page that compares the networks of a report, with a link to the page of each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from convsize.record import Record
from convsize.views.analysis import markdown
from convsize.views.report.charts import scatter
from convsize.views.report.content import Format, NetworkPage, figures, volumes
from convsize.views.report.html import chart_figure, document
from convsize.views.text import numbers


class _Column(Record):
    """A figure of every network: its key in the JSON, its heading, how it is written, and its value."""

    key: str
    title: str
    text: str
    value: int


def link(name: str, ending: str) -> str:
    """The address of a network's page from beside it, whatever the network is called."""
    return f"./{quote(name + ending, safe='')}"


def render_html(pages: Sequence[NetworkPage]) -> str:
    """The index in HTML."""
    heads = "".join(
        f'<th scope="col"{kind}><button type="button" disabled>{title}</button></th>'
        for title, kind in [
            ("network", ""),
            ("input", ""),
            *((each.title, ' class="n"') for each in _columns(pages[0])),
        ]
    )
    texts: dict[str, int] = {}
    rows = "".join(_row(page, number, texts) for number, page in enumerate(pages))
    chart = scatter([(page.report, link(page.report.name, ".html")) for page in pages])
    body = (
        "<h1>Networks</h1>"
        f'<p class="lead">{numbers.plural(len(pages), "network")}, each with a page of its own</p>'
        '<section aria-label="All networks">'
        '<p class="tools" hidden><label>search <input type="search" id="search" aria-describedby="shown"></label> '
        '<output id="shown"></output></p>'
        '<div class="wide"><table id="table"><caption>Figures are for one sample, activations for the whole batch'
        '<span class="help" hidden>. Headings sort; arrow keys go from cell to cell, and say how a figure '
        "comes about</span></caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></section>"
        f'<section aria-label="Chart">{chart_figure(chart)}</section>'
    )
    return document("Networks", "<b>convsize</b>", body, {"texts": list(texts), "nodes": {}})


def render_markdown(pages: Sequence[NetworkPage]) -> str:
    """The index in Markdown."""
    heads = ["network", "input", *(each.title for each in _columns(pages[0]))]
    rows = [f"| {' | '.join(heads)} |", f"| :-- | :-- |{' --: |' * (len(heads) - 2)}"]
    for page in pages:
        name = markdown.escaped(page.report.name)
        cells = [f"[{name}]({link(page.report.name, ending('markdown'))})", volumes(page.report.inputs)]
        rows.append(f"| {' | '.join([*cells, *(each.text for each in _columns(page))])} |")
    text = "\n".join(rows)
    about = f"{numbers.plural(len(pages), 'network')}; figures are for one sample, activations for the whole batch."
    return f"# Networks\n\n{about}\n\n{text}\n"


def ending(format_: Format) -> str:
    """What the pages' files end in."""
    return ".html" if format_ == "html" else ".md"


def _row(page: NetworkPage, number: int, texts: dict[str, int]) -> str:
    report = page.report
    known = {figure.name: figure.explanation for figure in figures(page)}
    cells = []
    for each in _columns(page):
        value = "" if each.text.replace(",", "") == str(each.value) else f" data-v={each.value}"
        text = known.get(each.key)
        why = "" if text is None else f" data-x={texts.setdefault(text, len(texts))}"
        cells.append(f"<td{value}{why}>{each.text}</td>")
    name = f'<a href="{escape(link(report.name, ".html"))}">{escape(report.name)}</a>'
    images = escape(volumes(report.inputs))
    return f'<tr id="row-{number}"><th scope="row">{name}</th><td class="w">{images}</td>{"".join(cells)}</tr>\n'


def _columns(page: NetworkPage) -> tuple[_Column, ...]:
    report = page.report
    totals = report.totals
    field = totals.receptive_field
    return (
        _Column("weight_layers", "weight layers", numbers.exact(totals.weight_layers), totals.weight_layers),
        _Column("layers", "layers", numbers.exact(totals.layers), totals.layers),
        _Column("parameters", "parameters", numbers.exact(totals.parameters), totals.parameters),
        _Column("macs", "MACs", numbers.exact(totals.macs), totals.macs),
        _Column("flops", "FLOPs", numbers.exact(totals.flops), totals.flops),
        _Column("activation_bytes", "activations", numbers.size(totals.activation_bytes), totals.activation_bytes),
        _Column("parameter_bytes", "weights", numbers.size(totals.parameter_bytes), totals.parameter_bytes),
        _Column(
            "receptive_field",
            "sees, px",
            "–" if field is None else numbers.axes(field.size),
            0 if field is None else max(field.size, default=0),
        ),
        _Column("findings", "findings", numbers.exact(len(page.findings.diagnostics)), len(page.findings.diagnostics)),
    )

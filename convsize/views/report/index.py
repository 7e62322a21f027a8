"""The page that compares the networks of a report, with a link to the page of each."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from convsize.record import Record
from convsize.views.analysis import markdown
from convsize.views.report.charts import scatter
from convsize.views.report.content import Format, NetworkPage, figures, volumes
from convsize.views.report.html import Cell, Column, Texts, cell, document
from convsize.views.text import numbers
from convsize.words import plural


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
    texts = Texts()
    rows = [
        {
            "name": page.report.name,
            "address": link(page.report.name, ".html"),
            "cells": [Cell(volumes(page.report.inputs), words=True), *_cells(page, texts)],
        }
        for page in pages
    ]
    heads = [Column("name", "network", True), Column("input", "input", True)]
    return document(
        "index.html",
        "Networks",
        texts,
        {},
        count=plural(len(pages), "network"),
        columns=[*heads, *(Column(each.key, each.title) for each in _columns(pages[0]))],
        rows=rows,
        chart=scatter([(page.report, link(page.report.name, ".html")) for page in pages]),
    )


def render_markdown(pages: Sequence[NetworkPage]) -> str:
    """The index in Markdown."""
    heads = ["network", "input", *(each.title for each in _columns(pages[0]))]
    rows = [f"| {' | '.join(heads)} |", f"| :-- | :-- |{' --: |' * (len(heads) - 2)}"]
    for page in pages:
        name = markdown.escaped(page.report.name)
        cells = [f"[{name}]({link(page.report.name, ending('markdown'))})", volumes(page.report.inputs)]
        rows.append(f"| {' | '.join([*cells, *(each.text for each in _columns(page))])} |")
    text = "\n".join(rows)
    about = f"{plural(len(pages), 'network')}; figures are for one sample, activations for the whole batch."
    return f"# Networks\n\n{about}\n\n{text}\n"


def ending(format_: Format) -> str:
    """What the pages' files end in."""
    return ".html" if format_ == "html" else ".md"


def _cells(page: NetworkPage, texts: Texts) -> list[Cell]:
    known = {figure.name: figure.explanation for figure in figures(page)}
    return [
        cell(each.text, each.value, texts.place(known[each.key]) if each.key in known else None)
        for each in _columns(page)
    ]


def _columns(page: NetworkPage) -> tuple[_Column, ...]:
    report = page.report
    totals = report.totals
    field = totals.receptive_field
    return (
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
        _Column("layers", "layers", numbers.exact(totals.layers), totals.layers),
        _Column("weight_layers", "weight layers", numbers.exact(totals.weight_layers), totals.weight_layers),
        _Column("findings", "findings", numbers.exact(len(page.findings.diagnostics)), len(page.findings.diagnostics)),
    )

"""Receipts for people, as JSON, and summed up as Markdown."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby

from convsize.records import Line, Receipt
from convsize.views.text.numbers import exact
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import listed, plural

_STYLES = {"exact": "green", "within": "green", "FAILS": "red", "not measured": "dim"}
_HEAD = ("quantity", "predicted", "measured", "difference", "verdict")


def render(receipt: Receipt, *, width: int = 80, paint: Paint = PLAIN) -> str:
    """A receipt as a table, one line a quantity, with what fails and what the figures are below it."""
    batches = listed([str(each) for each in receipt.batches])
    versions = ", ".join(f"{name} {version}" for name, version in receipt.versions)
    dtype = receipt.dtype if receipt.autocast is None else f"autocast {receipt.autocast}"
    how = f"{dtype}, {receipt.optimizer}, batch {batches}"
    title = f"{receipt.name} on {receipt.device}, {how} ({versions})"
    rows = [_cells(line) for line in receipt.lines]
    sizes = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(5)]
    lines = [paint(title, "bold"), "", _row(_HEAD, sizes, paint, "dim")]
    lines += [_row(cells, sizes, paint, _STYLES[line.verdict]) for cells, line in zip(rows, receipt.lines, strict=True)]
    lines.append("")
    for note, group in groupby(receipt.lines, lambda line: line.note):
        about = list(group)
        if note:
            names = "; ".join(line.quantity for line in about)
            lines += textwrap.wrap(f"{names}: {note}", max(width, 40), subsequent_indent="  ")
        lines += [paint(f"  {failure}", "red") for line in about for failure in line.failures]
    return "\n".join(lines) + "\n"


def _cells(line: Line) -> tuple[str, str, str, str, str]:
    figures = (_figure(line.predicted), _figure(line.measured), _figure(line.difference))
    return (line.quantity, *figures, f"within {line.tolerance:.1%}" if line.verdict == "within" else line.verdict)


def _figure(value: int | None) -> str:
    return "–" if value is None else exact(value)


def _row(cells: Sequence[str], sizes: Sequence[int], paint: Paint, style: str) -> str:
    name, *figures, verdict = cells
    numbers = "  ".join(f"{cell:>{size}}" for cell, size in zip(figures, sizes[1:4], strict=True))
    return f"{name:{sizes[0]}}  {numbers}  {paint(verdict, style)}"


def document(receipts: Sequence[Receipt], *, several: bool) -> str:
    """Receipts as JSON: an object, or where several were asked for an array."""
    data = [_data(receipt) for receipt in receipts]
    return json.dumps(data if several else data[0], indent=1, ensure_ascii=False) + "\n"


def _data(receipt: Receipt) -> dict[str, object]:
    return {
        **receipt.as_dict(),
        "versions": dict(receipt.versions),
        "holds": receipt.holds,
        "lines": [{**line.as_dict(), "difference": line.difference} for line in receipt.lines],
    }


def summary(receipts: Iterable[Receipt]) -> str:
    """The summary of all receipts as a Markdown table: what was exact in each network."""
    receipts = list(receipts)
    lines = [line for receipt in receipts for line in receipt.lines]
    tally = {verdict: sum(line.verdict == verdict for line in lines) for verdict in _STYLES}
    names = {verdict: verdict for verdict in _STYLES} | {"within": "within their tolerance"}
    counts = ", ".join(f"{count} {names[verdict]}" for verdict, count in tally.items() if count)
    parts = [
        f"{plural(len(receipts), 'network')}, {plural(len(lines), 'quantity')}: {counts}.{_worst(receipts)}",
        "",
        "| network | device | volumes | tensors | multiply-adds forward | backward | "
        "saved for backward, batches | exported source | peaks of the first and of later steps, of the allocator | "
        "receptive fields | verdict |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for receipt in receipts:
        by_name = {line.quantity: line for line in receipt.lines}
        saved = [line for name, line in by_name.items() if name.startswith("saved for backward")]
        batches = listed([str(each) for each in receipt.batches])
        cells = [
            receipt.name,
            receipt.device,
            _cell(by_name["output volumes"]),
            _cell(by_name["parameters and buffers"]),
            _cell(by_name["multiply-adds, forward"]),
            _cell(by_name["multiply-adds, backward"]),
            f"{batches}: {'; '.join(map(_cell, saved))}",
            _cell(by_name["exported source"]),
            "; ".join(_cell(line) for name, line in by_name.items() if "peak" in name),
            _cell(by_name["receptive fields"]),
            "holds" if receipt.holds else "**FAILS**",
        ]
        parts.append(f"| {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


def _worst(receipts: Iterable[Receipt]) -> str:
    """The figure that is furthest off, in the share of what was measured."""
    off = [
        (abs(line.difference) / line.measured, receipt.name, line.quantity)
        for receipt in receipts
        for line in receipt.lines
        if line.measured and line.difference
    ]
    if not off:
        return " Every figure agrees."
    share, name, quantity = max(off)
    return f" The worst error is {share:.2%}: {name}'s {quantity}."


def _cell(line: Line) -> str:
    if line.measured is None:
        return "not measured"
    figure = exact(line.measured)
    if line.verdict == "exact":
        return figure
    if line.verdict == "within" and line.difference is not None:
        return f"{figure} ({line.difference / line.measured:+.2%})"
    return f"**{line.verdict}** ({figure} for {_figure(line.predicted)})"

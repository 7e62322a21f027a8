"""Comma-separated values: one line a layer of every network, all figures in full."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from convsize.records import ReceptiveField, Report
from convsize.views.analysis.columns import COLUMNS, Column, ordered


def render(reports: Sequence[Report], *, columns: Sequence[Column] | None = None, sort: Column | None = None) -> str:
    """A header and one line a layer; the first column names the network."""
    shown = COLUMNS if columns is None else columns
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["network", *(column.name for column in shown)])
    for report in reports:
        layers = report.layers if sort is None else ordered(report.layers, sort)
        for layer in layers:
            writer.writerow([cell(report.name), *(_plain(column.name, column.value(layer)) for column in shown)])
    return out.getvalue()


def cell(text: str) -> str:
    """A name as a cell; one that spreadsheets would take for a formula begins with an apostrophe, as they show it."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _plain(name: str, value: Any) -> str:
    """A value that reads back: axes are joined by x, names by a blank, nothing is an empty cell."""
    if value is None:
        return ""
    if isinstance(value, ReceptiveField):
        value = value.size
    if isinstance(value, tuple):
        return (" " if name == "inputs" else "x").join(_plain(name, each) for each in value)
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else repr(float(value))
    return str(value)

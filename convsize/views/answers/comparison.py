"""Networks side by side: what each costs, how they differ, and where in their depth the costs sit.

This file holds the figures and writes them as a table, Markdown, CSV and JSON; pictures/comparison.py draws them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import log
from typing import Any

from convsize.record import Record
from convsize.records import LayerRow, Report
from convsize.views.analysis.csv import cell
from convsize.views.drawing.parts import family
from convsize.views.text import numbers
from convsize.views.text.layout import Cell, clip, full_width, left_out, line, widths, wrapped
from convsize.views.text.paint import PLAIN, Paint

SCHEMA = 1
PARTS = 5
"""How many parts of equal numbers of weight layers a network's depth is divided into."""

COSTS: tuple[tuple[str, str, Callable[[LayerRow], int]], ...] = (
    ("parameters", "parameters", lambda row: row.parameters),
    ("macs", "MACs", lambda row: row.macs),
    ("activation_bytes", "activations", lambda row: row.output_bytes),
)
"""What is compared: the name in the totals, the title, and a layer's part of it."""

_SHADES = "█▓▒░·"
_TITLES = {"weight layers": ("weight", "layers")}
"""Titles that stand in two lines, so that their columns are as narrow as their figures."""

_GIVES_WAY = ("RF", "weight layers", "activations to 1st", "MACs to 1st", "parameters to 1st")
_SMALLEST_PLOT, _LARGEST_PLOT = 40, 72
_PLOT_LINES, _MOST_LINES = 16, 28
_ASIDE = 3
"""Columns by which a network is moved at most where another one stands already."""


class Entry(Record):
    """One network: its name among the others, and its costs.

    pareto: no other one costs at most as much in parameters, MACs and activations, and less in one of them. by_depth:
    every cost over PARTS parts of its depth, from the input on.
    """

    name: str
    report: Report
    costs: tuple[int, ...]
    pareto: bool
    by_depth: tuple[tuple[int, ...], ...]


def compare(reports: Sequence[Report]) -> tuple[Entry, ...]:
    """The networks in their order; where names are equal the later ones are numbered."""
    costs = [tuple(getattr(report.totals, name) for name, _, _ in COSTS) for report in reports]
    seen: dict[str, int] = {}
    entries = []
    for report, own in zip(reports, costs, strict=True):
        seen[report.name] = seen.get(report.name, 0) + 1
        number = seen[report.name]
        entries.append(
            Entry(
                report.name if number == 1 else f"{report.name} ({number})",
                report,
                own,
                not any(_beats(other, own) for other in costs),
                _by_depth(report),
            )
        )
    return tuple(entries)


def _beats(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _by_depth(report: Report) -> tuple[tuple[int, ...], ...]:
    """The costs of the first fifth of the weight layers with what follows each of them, of the second, and so on."""
    weighty = [family(row) in ("convolution", "transposed", "dense") for row in report.layers]
    count = max(sum(weighty), 1)
    sums = [[0] * PARTS for _ in COSTS]
    passed = 0
    for row, weight in zip(report.layers, weighty, strict=True):
        passed += weight
        part = max(passed - 1, 0) * PARTS // count
        for at, (_, _, cost) in enumerate(COSTS):
            sums[at][part] += cost(row)
    return tuple(map(tuple, sums))


def ratio(value: int, first: int) -> str:
    """How a cost compares with the first network's: ×0.42, ×0.0033; – where that has none.

    A ratio is never rounded to nothing: below 0.01 it has two digits, and below a millionth it says so.
    """
    if first == 0:
        return "–"
    found = Fraction(value, first)
    if found >= 100:
        return f"×{round(found):,}"
    if found == 0 or found >= Fraction("0.00995"):
        return f"×{float(found):.2f}" if found else "×0"
    if found < Fraction(1, 10**6):
        return "<×0.000001"
    digits = 1 + next(place for place in range(2, 8) if found * 10**place >= Fraction("0.995"))
    return f"×{float(found):.{digits}f}"


def _field(report: Report) -> str:
    field = report.totals.receptive_field
    return "–" if field is None else numbers.axes(field.size)


def _written(at: int, value: int) -> str:
    return numbers.size(value) if COSTS[at][0] == "activation_bytes" else numbers.count(value)


# ---- for people ------------------------------------------------------------------------------------------------------


def render(entries: Sequence[Entry], *, width: int = 80, paint: Paint = PLAIN) -> str:
    """The table, MACs against parameters, and where in the depth the costs sit."""
    parts = [_table(entries, width, paint), _scatter(entries, width, paint), _bars(entries, width, paint)]
    return "\n".join(parts)


def _rows(entries: Sequence[Entry]) -> list[list[str]]:
    header = ["network"]
    for _, title, _ in COSTS:
        header += [title, f"{title} to 1st"]
    rows = [[*header, "weight layers", "RF"]]
    for entry in entries:
        row = [entry.name]
        for at, value in enumerate(entry.costs):
            row += [_written(at, value), ratio(value, entries[0].costs[at])]
        rows.append([*row, str(entry.report.totals.weight_layers), _field(entry.report)])
    return rows


def _table(entries: Sequence[Entry], width: int, paint: Paint) -> str:
    rows = _rows(entries)
    rows[0].insert(0, "")
    for at, row in enumerate(rows[1:]):
        row.insert(0, _key(at) + ("*" if entries[at].pareto else ""))
    kept = list(rows[0])
    dropped = []

    def shown() -> list[list[str]]:
        """The two lines of the heading, then the networks."""
        titles = [("", "to 1st") if title.endswith(" to 1st") else _TITLES.get(title, ("", title)) for title in kept]
        texts = [[text for title, text in zip(rows[0], row, strict=True) if title in kept] for row in rows[1:]]
        return [[first for first, _ in titles], [second for _, second in titles], *texts]

    for drop in _GIVES_WAY:
        if full_width(widths(shown())) <= width:
            break
        kept.remove(drop)
        dropped.append(drop)
    texts = shown()
    if not any(texts[0]):
        del texts[0]
    heading = len(texts) - len(entries)
    room = widths(texts)
    room[1] = max(room[1] - max(full_width(room) - width, 0), 8)
    left = [at < 2 for at in range(len(room))]
    out = []
    for at, row in enumerate(texts):
        row[1] = clip(row[1], room[1])
        style = "bold" if at < heading else None
        out.append(
            line([Cell(text, "bold" if index == 1 else style) for index, text in enumerate(row)], room, left, paint)
        )
        if at == heading - 1:
            out.append(paint("─" * min(full_width(room), width), "dim"))
    note = "*  no other network here is at most as large in parameters, MACs and activations and smaller in one"
    batches = {entry.report.batch for entry in entries}
    if batches != {1}:
        note += f"; activations for batch {', '.join(map(str, sorted(batches)))}"
    notes = wrapped(note, width, rest="   ")
    if dropped:
        notes += wrapped(left_out(dropped), width, rest="   ")
    return "\n".join([*out, *(paint(text, "dim") for text in notes)]) + "\n"


def _key(at: int) -> str:
    """What a network is called in the plot: a … z, then aa, ab …"""
    return ("" if at < 26 else _key(at // 26 - 1)) + chr(ord("a") + at % 26)


def log_place(value: int, values: Sequence[int]) -> float:
    """Where a value lies between the smallest and the largest on a logarithmic scale, 0 … 1."""
    low, high = log(max(min(values), 1)), log(max(*values, 1, 1))
    return 0.5 if high <= low else (log(max(value, 1)) - low) / (high - low)


def _scatter(entries: Sequence[Entry], width: int, paint: Paint) -> str:
    """MACs against parameters in letters; the more brackets around one, the more memory its activations take.

    Every network is in the row of its MACs, and near the column of its parameters; where there is no room left for it,
    a line below says with which one it stands.
    """
    columns = min(max(width - 12, _SMALLEST_PLOT), _LARGEST_PLOT)
    parameters, macs, memory = ([entry.costs[at] for entry in entries] for at in range(3))
    lines = min(max(_PLOT_LINES, len(entries) // 2), _MOST_LINES)
    cells = [[" "] * columns for _ in range(lines)]
    placed: dict[tuple[int, int], str] = {}
    together: dict[str, list[str]] = {}
    for at, entry in enumerate(entries):
        rings = min(int(log_place(entry.costs[2], memory) * 3), 2) if len(set(memory)) > 1 else 1
        text = "(" * rings + _key(at) + ")" * rings
        start = round(log_place(entry.costs[0], parameters) * (columns - len(text)))
        row = lines - 1 - round(log_place(entry.costs[1], macs) * (lines - 1))
        near = sorted(
            range(max(start - _ASIDE, 0), min(start + _ASIDE, columns - len(text)) + 1), key=lambda x: abs(x - start)
        )
        free = [x for x in near if all(each == " " for each in cells[row][max(x - 1, 0) : x + len(text) + 1])]
        if free:
            cells[row][free[0] : free[0] + len(text)] = text
            placed[row, free[0]] = _key(at)
        else:
            with_ = min((abs(x - start), key) for (other, x), key in placed.items() if other == row)[1]
            together.setdefault(with_, []).append(_key(at))
    out = [paint("MACs against parameters, both logarithmic; more brackets: more activation memory", "bold")]
    # Where all networks have the same, they stand in the middle, and so does its one number.
    ticks = {lines - 1 - round(log_place(value, macs) * (lines - 1)): value for value in (min(macs), max(macs))}
    for at, row_of_cells in enumerate(cells):
        tick = numbers.count(ticks[at]) if at in ticks else ""
        out.append(f"{tick:>9} │{''.join(row_of_cells)}".rstrip())
    low, high = numbers.count(min(parameters)), numbers.count(max(parameters))
    out.append(f"{'':>9} └{'─' * columns}")
    below = f"{low}{high:>{columns - len(low)}}" if low != high else f"{low:^{columns}}".rstrip()
    out.append(f"{'':>11}{below}")
    if together:
        said = "; ".join(f"{' '.join(keys)} at {key}" for key, keys in together.items())
        out += [paint(text, "dim") for text in wrapped(f"no room of their own: {said}", width, rest="  ")]
    return "\n".join(clip(text, width) if at == 0 else text for at, text in enumerate(out)) + "\n"


def _bars(entries: Sequence[Entry], width: int, paint: Paint) -> str:
    """For every network and cost a bar of its five fifths of depth."""
    name = min(max(len(entry.name) for entry in entries), max(width // 4, 8))
    room = max(min((width - name - 3 * 2) // 3, 30), 8)
    titles = "".join(f"  {title:<{room}}" for _, title, _ in COSTS)
    out = [
        paint(clip("distribution over depth", width), "bold"),
        f"{'':<{name}}{titles}".rstrip(),
    ]
    for entry in entries:
        bars = []
        for parts in entry.by_depth:
            total = sum(parts)
            # Cumulated, so that rounding never makes a bar longer or shorter.
            ends = [round(Fraction(sum(parts[: at + 1]), total or 1) * room) for at in range(PARTS)]
            bar = "".join(
                shade * (end - start) for shade, start, end in zip(_SHADES, [0, *ends[:-1]], ends, strict=True)
            )
            bars.append(f"{bar:<{room}}")
        out.append(f"{clip(entry.name, name):<{name}}  {'  '.join(bars)}".rstrip())
    legend = f"{_SHADES[0]} first fifth of the weight layers … {_SHADES[-1]} last"
    return "\n".join([*out, paint(clip(legend, width), "dim")]) + "\n"


# ---- for other programs ----------------------------------------------------------------------------------------------


def render_markdown(entries: Sequence[Entry]) -> str:
    """The table; a star marks what no other one beats."""
    header, *rows = _rows(entries)
    header = ["to 1st" if text.endswith(" to 1st") else text for text in header]
    out = [_bar_row(header), _bar_row([":--", *["--:"] * (len(header) - 1)])]
    for entry, row in zip(entries, rows, strict=True):
        name = "".join(f"\\{char}" if char in "\\`*_|<>[]&" else char for char in entry.name)
        out.append(_bar_row([f"{name} ★" if entry.pareto else name, *row[1:]]))
    out += ["", "★ no other network here is at most as large in parameters, MACs and activations and smaller in one."]
    return "\n".join(out) + "\n"


def _bar_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def render_csv(entries: Sequence[Entry]) -> str:
    """One line a network, all figures in full."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    objects = [_object(entry, entries[0]) for entry in entries]
    names = [name for name, _, _ in COSTS]
    depths = [f"{name}_{part}" for name in names for part in range(1, PARTS + 1)]
    plain = ["name", *names, "flops", "weight_layers", "receptive_field", "pareto"]
    writer.writerow([*plain, *(f"{name}_to_first" for name in names), *depths])
    for each in objects:
        each["pareto"] = str(each["pareto"]).lower()
        each["receptive_field"] = "x".join(map(str, each["receptive_field"] or ()))
        each["name"] = cell(each["name"])
        values = [each[name] for name in plain] + [each["to_first"][name] for name in names]
        values += [value for name in names for value in each["by_depth"][name]]
        writer.writerow(["" if value is None else value for value in values])
    return out.getvalue()


def render_json(entries: Sequence[Entry]) -> str:
    """An object with a list of networks; ratios to the first one as floats, null where that has none of a cost."""
    objects = [_object(entry, entries[0]) for entry in entries]
    return json.dumps({"schema": SCHEMA, "networks": objects}, indent=2, ensure_ascii=False) + "\n"


def _object(entry: Entry, first: Entry) -> dict[str, Any]:
    totals = entry.report.totals
    field = totals.receptive_field
    names = [name for name, _, _ in COSTS]
    return {
        "name": entry.name,
        "graph": entry.report.graph,
        "batch": entry.report.batch,
        "dtype": entry.report.dtype,
        **dict(zip(names, entry.costs, strict=True)),
        "flops": totals.flops,
        "weight_layers": totals.weight_layers,
        "receptive_field": None if field is None else list(field.size),
        "pareto": entry.pareto,
        "to_first": {
            name: value / base if base else None
            for name, value, base in zip(names, entry.costs, first.costs, strict=True)
        },
        "by_depth": dict(zip(names, map(list, entry.by_depth), strict=True)),
    }

"""The table for terminals: one line a layer, repeats folded, totals and what stands out below."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Sequence

from convsize.records import ReceptiveField, Report
from convsize.views.analysis.columns import BY_NAME, COLUMNS, REPEATS, Column, ordered, shares, step_counters
from convsize.views.text import numbers
from convsize.views.text.fold import Line, fold, unfolded
from convsize.views.text.layout import GAP, Cell, clip, full_width, left_out, line, widths, wrapped
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import grid_word, listed, plural

_ALWAYS = ("name", "spec", "output", "receptive_field", "parameters", "macs", "output_bytes")
_GIVES_WAY = ("output_bytes", "receptive_field", "macs", "parameters", "output")
"""What a terminal that is too narrow does without, in this order; what says the same in every line goes first."""

_WIDER = (
    "=receptive_field",
    "=parameters",
    "=macs",
    "macs share",
    "parameters share",
    "output_bytes share",
    "jump",
    "weights",
    "biases",
    "flops",
    "start",
    "=start",
    "inputs",
    "op",
    "=flops",
    "line",
)
"""What a wider terminal shows as well, as far as it fits, in this order.

`=` writes a count in full, and of a repeat what its first iteration sees as well as its last; a share is a bar.
"""

_BARS = ("macs", "parameters", "output_bytes")
"""The costs that have bars, in the order in which they get room."""

_BRACKETS = {"first": "┌", "middle": "│", "last": "└"}
NARROWEST = 32
_CUT_SHORT = ("name", "spec")
_SHORTEST = 12
"""Columns whose texts are cut before a column is left out, and the width they keep: names that end alike, more."""

_NARROWEST_NOTE = 24


def render(
    report: Report,
    *,
    width: int = 80,
    paint: Paint = PLAIN,
    columns: Sequence[Column] | None = None,
    expand: bool = False,
    sort: Column | None = None,
) -> str:
    """The whole answer for one network.

    Without `columns` it shows what fits into `width`; with them it may be wider. `expand` lists every iteration of a
    repeat, as `sort` does by its nature.
    """
    width = max(width, NARROWEST)
    if sort is not None:
        lines = unfolded(ordered(report.layers, sort))
    else:
        lines = unfolded(report.layers) if expand else fold(report.layers)
    parts = [
        *_heading(report, width, paint),
        "",
        *_table(report, lines, width, paint, columns),
        "",
        *_totals(report, width, paint),
    ]
    parts.extend(_insights(report, width, paint))
    return "\n".join(parts) + "\n"


def summary(reports: Sequence[Report], *, width: int = 80, paint: Paint = PLAIN) -> str:
    """One line a network, to compare them."""
    headers = ("network", "input", "weight layers", "parameters", "MACs", "FLOPs", "activations", "RF")
    rows: list[list[str]] = [list(headers)]
    for report in reports:
        totals = report.totals
        rows.append(
            [
                report.name,
                " ".join(numbers.volume(dims) for _, dims in report.inputs),
                str(totals.weight_layers),
                numbers.count(totals.parameters),
                numbers.count(totals.macs),
                numbers.count(totals.flops),
                numbers.size(totals.activation_bytes),
                _extent(totals.receptive_field),
            ]
        )
    dropped: list[str] = []
    for drop in ("weight layers", "RF", "input", "activations"):
        if full_width(widths(rows)) <= width:
            break
        dropped.append(drop)
        at = rows[0].index(drop)
        rows = [[*row[:at], *row[at + 1 :]] for row in rows]
    room = widths(rows)
    left = [header in {"network", "input"} for header in rows[0]]
    room[0] = max(room[0] - max(full_width(room) - width, 0), 8)
    out = [_header(rows[0], room, left, paint), paint("─" * full_width(room), "dim")]
    for row in rows[1:]:
        cells = [Cell(clip(row[0], room[0]), "bold"), *map(Cell, row[1:])]
        out.append(line(cells, room, left, paint))
    if dropped:
        out.extend(paint(text, "dim") for text in wrapped(left_out(dropped), width))
    return "\n".join(out) + "\n"


def _extent(field: ReceptiveField | None) -> str:
    return "–" if field is None else numbers.axes(field.size)


def _header(texts: Sequence[str], room: Sequence[int], left: Sequence[bool], paint: Paint) -> str:
    return line([Cell(text, "bold") for text in texts], room, left, paint)


def _heading(report: Report, width: int, paint: Paint) -> list[str]:
    facts = [f"{name} {numbers.volume(dims)}" for name, dims in report.inputs]
    facts += [f"batch {report.batch}", report.dtype]
    lines = wrapped(" · ".join(fact.replace(" ", "\0") for fact in [report.name, *facts]), width, rest="  ")
    texts = [text.replace("\0", " ") for text in lines]
    first = texts[0]
    if first.startswith(report.name):
        texts[0] = paint(report.name, "bold") + first[len(report.name) :]
    return texts


# ---- the layers ------------------------------------------------------------------------------------------------------


def _table(
    report: Report, lines: Sequence[Line], width: int, paint: Paint, columns: Sequence[Column] | None
) -> list[str]:
    plan = _Plan(report, lines)
    if columns is None:
        shown, in_full = plan.fitting(width)
    else:
        in_full = frozenset(one.name for one in columns)
        shown = plan.with_fitting_bars(plan.with_repeats(columns), in_full, width)
    titles = [column.title(in_full=column.name in in_full) for column in shown]
    room = [plan.room(column, in_full) for column in shown]
    for at in sorted(range(len(shown)), key=lambda at: -room[at]):
        over = full_width(room) - width
        if columns is None and over > 0 and shown[at].name in _CUT_SHORT:
            room[at] = max(room[at] - over, plan.shortest(shown[at], in_full))
    left = [column.words for column in shown]
    loud = _loudest(report, lines)
    out = [_header(titles, room, left, paint), paint("─" * full_width(room), "dim")]
    for one, *row in zip(lines, *(plan.texts(column, in_full) for column in shown), strict=True):
        cells = [
            Cell(plan.name(one, size) if column.name == "name" else clip(text, size), _style(column, text, one, loud))
            for column, text, size in zip(shown, row, room, strict=True)
        ]
        out.append(line(cells, room, left, paint))
    if plan.repeats:
        note = "×n: repeated n times; the figures are for one iteration"
        if any(column.name == "receptive_field" for column in shown):
            note += ", RF from the first to the last" if "receptive_field" in in_full else ", RF for the last"
        out.extend(paint(text, "dim") for text in wrapped(note, width))
    if any(column.name in plan.bars for column in shown):
        note = "bars: share of the whole network; a full bar is the share in the heading"
        out.extend(paint(text, "dim") for text in wrapped(note, width))
    return out


class _Plan:
    """Which columns a table has, and the texts in them."""

    def __init__(self, report: Report, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.bars: dict[str, Column] = {}
        for name, total in _wholes(report).items():
            largest = max((BY_NAME[name].of(one) for one in lines), default=0)
            if largest:
                column = shares(BY_NAME[name], total, largest)
                self.bars[column.name] = column
        self.brackets = max((len(one.bracket) for one in lines), default=0)
        self.repeats = any(one.times > 1 for one in lines)
        self.written: dict[tuple[str, bool], list[str]] = {}
        self.rooms: dict[tuple[str, bool], int] = {}
        self.tail: int | None = None

    def with_repeats(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The columns with that of the repeats after the name, where anything is folded."""
        if not self.repeats:
            return tuple(columns)
        at = next((at + 1 for at, column in enumerate(columns) if column.name == "name"), 0)
        return (*columns[:at], REPEATS, *columns[at:])

    def with_bars(self, columns: Sequence[Column], names: Container[str]) -> tuple[Column, ...]:
        """The columns, each with its bars after it where those are among the names."""
        found: list[Column] = []
        for column in columns:
            found.append(column)
            bars = self.bars.get(f"{column.name} share")
            if bars is not None and bars.name in names:
                found.append(bars)
        return tuple(found)

    def with_fitting_bars(self, columns: tuple[Column, ...], in_full: frozenset[str], width: int) -> tuple[Column, ...]:
        """The columns with as many bars as a width has room for."""
        names: set[str] = set()
        for name in _BARS:
            more = {*names, f"{name} share"}
            if full_width([self.room(column, in_full) for column in self.with_bars(columns, more)]) <= width:
                names = more
        return self.with_bars(columns, names)

    def texts(self, column: Column, in_full: frozenset[str]) -> list[str]:
        """The texts of a column, of every line."""
        full = column.name in in_full
        key = (column.name, full)
        if key not in self.written:
            if column.name == "name":
                self.written[key] = [self.name(one) for one in self.lines]
            else:
                self.written[key] = [column.text(one, in_full=full) for one in self.lines]
        return self.written[key]

    def name(self, one: Line, width: int | None = None) -> str:
        """The brackets of the folded iterations and the name, of which the end is what tells layers apart."""
        start = f"{''.join(_BRACKETS[mark] for mark in one.bracket):<{self.brackets}} " if self.brackets else ""
        return start + (one.name if width is None else clip(one.name, max(width - len(start), 1), keep_end=True))

    def room(self, column: Column, in_full: frozenset[str]) -> int:
        """The width of a column's widest text."""
        full = column.name in in_full
        key = (column.name, full)
        if key not in self.rooms:
            widest = max(map(len, self.texts(column, in_full)), default=0)
            self.rooms[key] = max(widest, len(column.title(in_full=full)))
        return self.rooms[key]

    def silent(self, column: Column) -> bool:
        """Whether a column says nothing: every line has the same in it."""
        texts = set(self.texts(column, frozenset()))
        return texts == {"–"} or (len(texts) == 1 and len(self.lines) > 1)

    def shortest(self, column: Column, in_full: frozenset[str]) -> int:
        """The width to which a column is cut at most: names stay as different as they are in full."""
        widest = self.room(column, in_full)
        if widest <= _SHORTEST or column.name != "name":
            return min(widest, _SHORTEST)
        if self.tail is None:
            names = {one.name for one in self.lines}
            start = self.brackets + 1 if self.brackets else 0
            self.tail = bisect_left(
                range(widest),
                len(names),
                lo=_SHORTEST,
                key=lambda width: len({clip(name, width - start, keep_end=True) for name in names}),
            )
        return self.tail

    def total(self, names: Container[str], in_full: frozenset[str]) -> int:
        """The width of a table of these columns."""
        return full_width([self.room(column, in_full) for column in self.columns(names)])

    def columns(self, names: Container[str]) -> tuple[Column, ...]:
        return self.with_bars(self.with_repeats([column for column in COLUMNS if column.name in names]), names)

    def fitting(self, width: int) -> tuple[tuple[Column, ...], frozenset[str]]:
        """The columns that fit into a width, and which of them are written in full."""
        names = set(_ALWAYS)
        in_full: frozenset[str] = frozenset()
        cut = [BY_NAME[name] for name in _CUT_SHORT]
        for name in sorted(_GIVES_WAY, key=lambda name: not self.silent(BY_NAME[name])):
            over = self.total(names, in_full) - width
            if over <= 0 or over <= sum(self.room(each, in_full) - self.shortest(each, in_full) for each in cut):
                break
            names.remove(name)
        free = width - self.total(names, in_full)
        for step in _WIDER if len(names) == len(_ALWAYS) else ():
            column = self.bars.get(step) or BY_NAME.get(step)
            if column is not None and len(GAP) + len(column.title(in_full=False)) > free:
                continue  # its texts need not be written to know that it does not fit
            if step in BY_NAME and self.silent(BY_NAME[step]):
                continue
            more = names if step[0] == "=" else names | {step}
            full = in_full | {step[1:]} if step[0] == "=" else in_full
            if full <= more and self.total(more, full) <= width:
                names, in_full = more, full
                free = width - self.total(names, in_full)
        return self.columns(names), in_full


def _wholes(report: Report) -> dict[str, int]:
    """What the whole network costs, by the column of the cost."""
    totals = report.totals
    return {"parameters": totals.parameters, "macs": totals.macs, "output_bytes": totals.activation_bytes}


def _loudest(report: Report, lines: Sequence[Line]) -> dict[str, int]:
    """For every cost that is worth a glance, the largest figure, if it is a tenth of the whole or more."""
    found = {}
    for name, total in _wholes(report).items():
        largest = max((BY_NAME[name].of(one) for one in lines), default=0)
        if largest and largest * 10 >= total:
            found[name] = largest
    return found


def _style(column: Column, text: str, one: Line, loud: dict[str, int]) -> str | None:
    if text == "–" or column is REPEATS:
        return "dim"
    if column.name == "spec":
        return "cyan"
    name = column.name.removesuffix(" share")
    if name in loud and column.of(one) == loud[name]:
        return "loud"
    return None if name == column.name else "blue"


# ---- below the layers ------------------------------------------------------------------------------------------------


def _totals(report: Report, width: int, paint: Paint) -> list[str]:
    totals = report.totals
    kinds = [plural(totals.weights, "weight"), plural(totals.biases, "bias")]
    if totals.buffers:
        counters = step_counters(report)
        kinds.append(f"{plural(totals.buffers, 'buffer value')} beside{f' ({counters})' if counters else ''}")
    if any(layer.shares for layer in report.layers):
        kinds.append("those of `shared` blocks once")
    rows = [
        ("parameters", numbers.exact(totals.parameters), ", ".join(kinds)),
        *_work(report),
        (
            "activations",
            numbers.size(totals.activation_bytes),
            f"every layer's output, {plural(totals.activation_elements, 'value')} for batch {report.batch}",
        ),
        ("parameter bytes", numbers.size(totals.parameter_bytes), f"weights and biases in {report.dtype}"),
        (
            "weight layers",
            numbers.exact(totals.weight_layers),
            f"on the longest path, of {plural(totals.layers, 'layer')}",
        ),
        ("receptive field", *_sees(report)),
    ]
    rows += [
        ("output" if name == "main" else f"head {name}", numbers.volume(dims), "") for name, dims in report.outputs
    ]
    label = max(len(row[0]) for row in rows)
    value = max(len(row[1]) for row in rows)
    out = []
    indent = " " * (label + len(GAP) + value + len(GAP))
    for name, figure, note in rows:
        start = f"{name:<{label}}{GAP}{figure:>{value}}"
        painted = f"{paint(name, 'dim')}{' ' * (label - len(name))}{GAP}{' ' * (value - len(figure))}"
        painted += paint(figure, "bold")
        notes = wrapped(note, width - len(indent)) if note and width - len(indent) >= _NARROWEST_NOTE else []
        if note and not notes:
            out.append(painted)
            out.extend(paint(text, "dim") for text in wrapped(note, width, "  ", "  "))
            continue
        assert len(start) <= len(indent)
        out.append(painted + (GAP + paint(notes[0], "dim") if notes else ""))
        out.extend(indent + paint(text, "dim") for text in notes[1:])
    return out


def _work(report: Report) -> list[tuple[str, str, str]]:
    """Multiply-adds and operations; of the way in which another tool counts, the one figure that it gives."""
    totals = report.totals
    macs = numbers.exact(totals.macs)
    if report.convention:
        return [("MACs", macs, f"as {report.convention} counts, one sample: `convsize explain macs` says why")]
    work = " + ".join(f"{numbers.count(flops)} {kind}" for kind, flops in totals.work if flops)
    return [
        ("MACs", macs, "multiply-adds of convolutions and matrix products, one sample"),
        ("FLOPs", numbers.exact(totals.flops), "2 per MAC" + (f" + {work}" if work else "")),
    ]


def _sees(report: Report) -> tuple[str, str]:
    field = report.totals.receptive_field
    if field is None:
        return "–", "no layer keeps a position"
    axes, noun = len(field.size), grid_word(len(field.size))
    images = {dims[1:] for _, dims in report.inputs if len(dims) - 1 == axes}
    of = numbers.sized(next(iter(images)), noun) if len(images) == 1 else f"the input's {noun}s"
    note = f"of {of}{' an axis' if axes > 1 else ''}, at the last layer that has a position"
    if field.whole:
        note += ": the whole input" if field.seen == 1 else ", of which every unit sees as much"
    elif field.jump:
        note += f"; jump {numbers.axes(field.jump)}, from {numbers.places(field.start)}"
    return numbers.axes(field.size), note


def _insights(report: Report, width: int, paint: Paint) -> list[str]:
    out: list[str] = []
    if report.insights:
        out += ["", paint("what stands out", "bold")]
        for insight in report.insights:
            out.extend(wrapped(insight.text, width, "• ", "  "))
    found = {
        severity: sum(each.severity == severity for each in report.diagnostics) for severity in ("error", "warning")
    }
    counts = [plural(number, severity) for severity, number in found.items() if number]
    if counts:
        out += ["", paint(listed(counts), "red" if found["error"] else "yellow")]
    return out

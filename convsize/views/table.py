"""The table for terminals: one line a layer, repeats folded, totals and what stands out below."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.records import ReceptiveField, Report
from convsize.views import numbers
from convsize.views.columns import BY_NAME, COLUMNS, Column, ordered
from convsize.views.fold import Line, fold, unfolded
from convsize.views.layout import GAP, Cell, clip, full_width, line, widths, wrapped
from convsize.views.paint import PLAIN, Paint

_ALWAYS = ("name", "spec", "output", "receptive_field", "parameters", "macs", "output_bytes")
_GIVES_WAY = ("output_bytes", "receptive_field", "macs", "parameters", "output")
"""What a terminal that is too narrow does without, in this order."""

_WIDER = ("=parameters", "=macs", "jump", "weights", "biases", "flops", "start", "inputs", "op", "=flops", "line")
"""What a wider terminal shows as well, as far as it fits, in this order; `=` writes a count in full."""

NARROWEST = 32
_SHORTEST_NAME = 12
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

    Without `columns` it shows what fits into `width`; with them it may be wider. `expand` lists every turn of a
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
    for drop in ("weight layers", "RF", "input", "activations"):
        if full_width(widths(rows)) <= width:
            break
        at = rows[0].index(drop)
        rows = [[*row[:at], *row[at + 1 :]] for row in rows]
    room = widths(rows)
    left = [header in {"network", "input"} for header in rows[0]]
    room[0] = max(room[0] - max(full_width(room) - width, 0), 8)
    out = [_header(rows[0], room, left, paint), paint("─" * full_width(room), "dim")]
    for row in rows[1:]:
        cells = [Cell(clip(row[0], room[0]), "bold"), *map(Cell, row[1:])]
        out.append(line(cells, room, left, paint))
    return "\n".join(out) + "\n"


def _extent(field: ReceptiveField | None) -> str:
    return "–" if field is None else numbers.axes(field.size)


def _header(texts: Sequence[str], room: Sequence[int], left: Sequence[bool], paint: Paint) -> str:
    return line([Cell(text, "bold") for text in texts], room, left, paint)


def _heading(report: Report, width: int, paint: Paint) -> list[str]:
    facts = [
        f"{name} {numbers.volume(dims)}" if name != "input" else f"input {numbers.volume(dims)}"
        for name, dims in report.inputs
    ]
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
    brackets = max((len(one.bracket) for one in lines), default=0)
    repeats = any(one.times > 1 for one in lines)
    plan = _Plan(lines, brackets, repeats)
    if columns is None:
        shown, in_full = plan.fitting(width)
    else:
        shown, in_full = tuple(columns), frozenset(one.name for one in columns)
    rows = [plan.header(shown), *(plan.row(one, shown, in_full) for one in lines)]
    room = widths(rows)
    names = [at for at, text in enumerate(rows[0]) if text in {"layer", "spec", "from"}]
    for at in sorted(names, key=lambda at: -room[at]):
        over = full_width(room) - width
        if columns is None and over > 0:
            room[at] = max(room[at] - over, min(room[at], _SHORTEST_NAME))
    left = plan.to_left(shown)
    loud = _loudest(report, lines)
    out = [_header(rows[0], room, left, paint), paint("─" * min(full_width(room), max(width, NARROWEST)), "dim")]
    for one, row in zip(lines, rows[1:], strict=True):
        cells = [
            Cell(clip(text, size, keep_end=header == "layer"), _style(header, text, one, loud))
            for text, size, header in zip(row, room, rows[0], strict=True)
        ]
        out.append(line(cells, room, left, paint))
    if repeats:
        note = "×n: so many turns alike; the figures are those of one turn"
        out.extend(paint(text, "dim") for text in wrapped(note, width))
    return out


class _Plan:
    """Which columns a table has, and the texts in them."""

    def __init__(self, lines: Sequence[Line], brackets: int, repeats: bool) -> None:
        self.lines = lines
        self.brackets = brackets
        self.repeats = repeats
        self.sizes: dict[tuple[str, bool], int] = {}

    def header(self, shown: Sequence[Column]) -> list[str]:
        texts = [column.header for column in shown]
        if self.repeats:
            texts.insert(self._after_name(shown), "")
        return texts

    def to_left(self, shown: Sequence[Column]) -> list[bool]:
        flags = [column.words for column in shown]
        if self.repeats:
            flags.insert(self._after_name(shown), True)
        return flags

    def row(self, one: Line, shown: Sequence[Column], in_full: frozenset[str]) -> list[str]:
        texts = [self.cell(one, column, column.name in in_full) for column in shown]
        if self.repeats:
            texts.insert(self._after_name(shown), f"×{one.times}" if one.times > 1 else "")
        return texts

    def cell(self, one: Line, column: Column, in_full: bool) -> str:
        text = column.text(one, in_full=in_full)
        if column.name != "name" or not self.brackets:
            return text
        signs = {"first": "┌", "middle": "│", "last": "└"}
        bracket = "".join(signs[mark] for mark in one.bracket)
        return f"{bracket:<{self.brackets}} {text}"

    def _after_name(self, shown: Sequence[Column]) -> int:
        return next((at + 1 for at, column in enumerate(shown) if column.name == "name"), 0)

    def room(self, column: Column, in_full: bool) -> int:
        """The width of a column's widest text."""
        key = (column.name, in_full)
        if key not in self.sizes:
            widest = max((len(self.cell(one, column, in_full)) for one in self.lines), default=0)
            self.sizes[key] = max(widest, len(column.header))
        return self.sizes[key]

    def total(self, shown: Sequence[Column], in_full: frozenset[str]) -> int:
        rooms = [self.room(column, column.name in in_full) for column in shown]
        if self.repeats:
            rooms.append(max(len(f"×{one.times}") for one in self.lines))
        return full_width(rooms)

    def fitting(self, width: int) -> tuple[tuple[Column, ...], frozenset[str]]:
        """The columns that fit into a width, and which of them are written in full."""
        names = list(_ALWAYS)
        for name in _GIVES_WAY:
            # Names and specs may be cut short before anything is left out.
            spare = sum(max(self.room(BY_NAME[one], False) - _SHORTEST_NAME, 0) for one in ("name", "spec"))
            if self.total([BY_NAME[one] for one in names], frozenset()) - spare <= width:
                break
            names.remove(name)
        chosen = set(names)
        in_full: frozenset[str] = frozenset()
        for step in _WIDER if len(names) == len(_ALWAYS) else ():
            more = chosen if step[0] == "=" else chosen | {step}
            full = in_full | {step[1:]} if step[0] == "=" else in_full
            if full <= more and self.total([one for one in COLUMNS if one.name in more], full) <= width:
                chosen, in_full = more, full
        return tuple(one for one in COLUMNS if one.name in chosen), in_full


def _loudest(report: Report, lines: Sequence[Line]) -> dict[str, int]:
    """For every cost that is worth a glance, the largest figure, if it is a tenth of the whole or more."""
    totals = {
        "parameters": report.totals.parameters,
        "macs": report.totals.macs,
        "output_bytes": report.totals.activation_bytes,
    }
    found = {}
    for name, total in totals.items():
        largest = max((BY_NAME[name].of(one) for one in lines), default=0)
        if largest and largest * 10 >= total:
            found[BY_NAME[name].header] = largest
    return found


def _style(header: str, text: str, one: Line, loud: dict[str, int]) -> str | None:
    if text == "–" or header == "":
        return "dim"
    if header == "spec":
        return "cyan"
    if header in loud:
        column = next(column for column in COLUMNS if column.header == header)
        return "loud" if column.of(one) == loud[header] else None
    return None


# ---- below the layers ------------------------------------------------------------------------------------------------


def _totals(report: Report, width: int, paint: Paint) -> list[str]:
    totals = report.totals
    work = " + ".join(f"{numbers.count(flops)} {kind}" for kind, flops in totals.work if flops)
    frozen = totals.parameters - totals.trainable
    kinds = [f"{numbers.exact(totals.weights)} weights", f"{numbers.exact(totals.biases)} biases"]
    if frozen:
        kinds.append(f"{numbers.exact(totals.trainable)} trainable")
    if totals.buffers:
        kinds.append(f"{numbers.exact(totals.buffers)} buffer values beside")
    rows = [
        ("parameters", numbers.exact(totals.parameters), ", ".join(kinds)),
        ("MACs", numbers.exact(totals.macs), "multiply-adds of convolutions and matrix products, one sample"),
        ("FLOPs", numbers.exact(totals.flops), "2 per MAC" + (f" + {work}" if work else "")),
        (
            "activations",
            numbers.size(totals.activation_bytes),
            f"every layer's output, {numbers.exact(totals.activation_elements)} values for batch {report.batch}",
        ),
        ("parameter bytes", numbers.size(totals.parameter_bytes), f"weights, biases and buffers in {report.dtype}"),
        ("weight layers", numbers.exact(totals.weight_layers), f"on the longest path, of {totals.layers:,} layers"),
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


def _sees(report: Report) -> tuple[str, str]:
    field = report.totals.receptive_field
    if field is None:
        return "–", "no layer keeps a position"
    of = numbers.axes(report.inputs[0][1][1:]) if len(report.inputs) == 1 and report.inputs[0][1][1:] else "the input"
    note = f"of {of} pixels an axis, at the last layer that has a position"
    if field.jump and not field.whole:
        note += f"; jump {numbers.axes(field.jump)}, from {numbers.axes(field.start)}"
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
    counts = [numbers.plural(number, severity) for severity, number in found.items() if number]
    if counts:
        out += ["", paint(" and ".join(counts), "red" if found["error"] else "yellow")]
    return out

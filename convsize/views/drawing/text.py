"""The folded graph as text: one line a part, and beside it the values that are still needed, as `git log --graph` has
the branches of a history.

```
resnet18 · input 3@224x224 · 11.69M parameters · 1.814G MACs

○        input                   3@224x224
●        C7D64/2 BN R M3/2p1     64@56x56    9,536  118.0M
■        bas ×2                  64@56x56   148.0K  462.4M
```

A value keeps its column until its last reader. `├─●` reads a value that others still need, `●─╯` takes the last one in;
`■─╮` gives two values, whose names stand after it. `●┄╯` reads a value for its shape alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from fractions import Fraction

from convsize.record import Record
from convsize.records import Report
from convsize.views.drawing.folded import draw
from convsize.views.drawing.legend import HEAT_TITLES
from convsize.views.drawing.parts import JOINS, SIGNS, Box, Detail, Drawing, Heat, Link, Part, heat_shares, weights
from convsize.views.text import numbers
from convsize.views.text.layout import Cell, bar, clip, full_width, line, widths, wrapped
from convsize.views.text.paint import PLAIN, Paint

_SIGNS = {**SIGNS, "concatenation": "◆", "input": "○", "output": "○"}
_BAR = 10
_GIVES_WAY = ("layer", "in", "MACs", "parameters")
_NARROWEST_LABEL = 16
_Value = tuple[str, str]
"""A part, and the layer in it whose value it is."""


class _Row(Record):
    gutter: str
    label: str
    style: str | None
    cells: dict[str, str]


def render(
    report: Report,
    *,
    detail: Detail = "block",
    heat: Heat | None = None,
    width: int = 80,
    paint: Paint = PLAIN,
) -> str:
    """The drawing in at most `width` columns, as far as its branches allow it."""
    drawing = draw(report, detail)
    shares = heat_shares(list(drawing.leaves()), heat) if heat else {}
    rows = list(_rows(drawing, shares))
    headers = ["layer", "in", "output", "parameters", "MACs"]
    if heat:
        headers.append(HEAT_TITLES[heat].removeprefix("share of the "))
        rows = [row.replace(cells=row.cells | {headers[-1]: row.cells.get("share", "")}) for row in rows]
    headers = [header for header in headers if any(row.cells.get(header) for row in rows)]
    gutter = max(len(row.gutter) for row in rows)
    gutter = min(gutter, max(width // 2, 8))
    label = max(len(row.label) for row in rows)

    def table() -> list[list[str]]:
        return [headers, *([row.cells.get(header, "") for header in headers] for row in rows)]

    for drop in _GIVES_WAY:
        if gutter + 2 + label + 2 + full_width(widths(table())) <= width:
            break
        if drop in headers:
            headers.remove(drop)
    room = widths(table())
    label = max(min(label, width - gutter - 4 - full_width(room)), _NARROWEST_LABEL)
    left = [header == "layer" for header in headers]
    facts = [f"{name} {numbers.volume(dims)}" for name, dims in report.inputs]
    facts += [
        f"{numbers.counted(report.totals.parameters, 'parameter')}",
        f"{numbers.count(report.totals.macs)} MACs",
    ]
    out = [clip(" · ".join([report.name, *facts]), width)]
    out[0] = out[0].replace(report.name, paint(report.name, "bold"), 1)
    blank = " " * (gutter + label + 4)
    out += ["", (blank + line([Cell(header, "bold") for header in headers], room, left, paint)).rstrip()]
    for row in rows:
        text = clip(row.label, label)
        painted = paint(text, row.style)
        start = f"{paint(clip(row.gutter, gutter).ljust(gutter), 'blue')}  {painted}{' ' * (label - len(text))}  "
        cells = [Cell(row.cells.get(header, ""), "dim" if header == "in" else None) for header in headers]
        out.append((start + line(cells, room, left, paint)).rstrip())
    if any(each.times > 1 for each in _everything(drawing.parts)):
        note = "×n: repeated n times; a block's figures are for all iterations, a layer's for one"
        out += ["", *(paint(text, "dim") for text in wrapped(note, width))]
    return "\n".join(out) + "\n"


def _everything(parts: Iterable[Part | Box]) -> Iterator[Part | Box]:
    for part in parts:
        yield part
        if isinstance(part, Box):
            yield from _everything(part.parts)


def _rows(drawing: Drawing, shares: dict[str, Fraction]) -> Iterator[_Row]:
    lanes = _Lanes(drawing)
    largest = max(shares.values(), default=Fraction(0))

    def walk(parts: Sequence[Part | Box], depth: int) -> Iterator[_Row]:
        indent = "  " * depth
        for part in parts:
            volume = "" if part.before is None else numbers.volume(part.before)
            cells = {"in": volume, "output": numbers.volume(part.after)}
            # Of a box, only what its layers do not say: what all iterations cost.
            if isinstance(part, Part) or part.times > 1:
                cells["parameters"] = weights(part).removesuffix(" params").removesuffix(" weights")
                cells["MACs"] = numbers.count(part.macs) if part.macs else ""
            times = f" ×{part.times}" if part.times > 1 else ""
            if isinstance(part, Box):
                yield _Row(lanes.between(), f"{indent}{part.label}{times}".replace("  ×", " ×"), "bold", cells)
                yield from walk(part.parts, depth + 1)
                continue
            if part.kind in ("input", "output"):
                cells["in"] = ""
            cells["layer"] = part.note
            if part.key in shares:
                share = shares[part.key]
                shown = bar(share, largest, _BAR).ljust(_BAR)
                cells["share"] = f"{shown} {numbers.share(share):>5}"
            join = part.family if part.family in JOINS else None
            label = f"{join or part.label}{times}"
            label += lanes.operands(part)
            if names := lanes.given(part):
                label += f" as {', '.join(names)}"
            plain = "cyan" if join is None and part.kind not in ("input", "output") else None
            style = "bold" if part.kind == "block" else plain
            yield _Row(lanes.of(part), f"{indent}{label}", style, cells)

    yield from walk(drawing.parts, 0)


class _Lanes:
    """The columns of the values that are still to be read, from line to line.

    A part whose values are several opens a column for each of them.
    """

    def __init__(self, drawing: Drawing) -> None:
        self.reads: dict[str, list[Link]] = {}
        self.gives: dict[str, dict[_Value, str]] = {}
        self.left: dict[_Value, int] = {}
        for link in drawing.links:
            value = link.source, link.value
            self.reads.setdefault(link.target, []).append(link)
            self.gives.setdefault(link.source, {})[value] = link.label
            self.left[value] = self.left.get(value, 0) + 1
        order = {row.name: row.index for row in drawing.rows}
        for source, given in self.gives.items():
            self.gives[source] = dict(sorted(given.items(), key=lambda item: order.get(item[0][1], -1)))
        self.lanes: list[_Value | None] = []

    def given(self, part: Part) -> list[str]:
        """What the values of a part are called, in the order of their columns, where they are several."""
        names = list(self.gives.get(part.key, {}).values())
        return names if len(names) > 1 else []

    def operands(self, part: Part) -> str:
        """What a part reads, by name, where the order matters and is not that of the drawing, or one is read twice."""
        links = [link for link in self.reads.get(part.key, []) if not link.like]
        twice = len({(link.source, link.value) for link in links}) < len(links)
        if not twice and not any(link.role for link in links):
            return ""
        names = [link.label or link.name for link in links]
        if len(set(names)) < len({link.value for link in links}):
            names = [link.value for link in links]
        last = [name.rpartition(".")[2] for name in names]
        if len(set(last)) == len(set(names)):
            names = last  # without the block, which the lines above name
        if part.family in SIGNS:
            return f" {f' {SIGNS[part.family]} '.join(names)}"
        return f" from {', '.join(names)}"

    def between(self) -> str:
        """A line without a part."""
        return " ".join("│" if lane else " " for lane in self.lanes).rstrip()

    def of(self, part: Part) -> str:
        """The line of a part; its first value takes over the first column that ends in it, or a new one."""
        links = self.reads.get(part.key, [])
        read: dict[int, bool] = {}
        for link in links:
            at = self.lanes.index((link.source, link.value))
            read[at] = read.get(at, False) or not link.like
            self.left[link.source, link.value] -= 1
        ending = [at for at in sorted(read) if not self.left[self.lanes[at]]]  # type: ignore[index]
        own = ending[0] if ending else self.free((min(read) + 1) if read else 0)
        values = list(self.gives.get(part.key, {}))
        opened: dict[int, _Value] = {}
        for value in values[1:]:
            opened[self.free(own + 1, {own, *opened})] = value
        low, high = min([own, *read, *opened]), max([own, *read, *opened])
        firm = [at for at in (*read, *opened) if read.get(at, True)]
        sign = _SIGNS.get(part.family, "■" if part.kind == "block" else "●")
        text = ""
        for at, lane in enumerate(self.lanes):
            across = "─" if any(each > at if at >= own else each <= at for each in firm) else "┄"
            if at == own:
                text += sign
            elif at in opened:
                text += "╮" if at == high else "┬"
            elif at in ending:
                text += "╯" if at == high else "╰" if at == low else "┴"
            elif at in read:
                text += "├" if at == low else "┤" if at == high else "┼"
            elif lane:
                text += "│"
            else:
                text += across if low < at < high else " "
            text += across if low <= at < high else " "
        for at in ending:
            self.lanes[at] = None
        self.lanes[own] = values[0] if values else None
        for at, value in opened.items():
            self.lanes[at] = value
        while self.lanes and self.lanes[-1] is None:
            self.lanes.pop()
        return text.rstrip()

    def free(self, start: int, taken: Collection[int] = ()) -> int:
        """The first column from there on that holds no value."""
        for at in range(start, len(self.lanes)):
            if self.lanes[at] is None and at not in taken:
                return at
        at = max(start, len(self.lanes))
        self.lanes += [None] * (at + 1 - len(self.lanes))
        return at

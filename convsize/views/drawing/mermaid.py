"""The graph of a network as Mermaid, which GitHub and GitLab draw where they find it in a Markdown file.

https://mermaid.js.org/syntax/flowchart.html. Labels are quoted and every sign with a meaning in them is written as an
entity; ids are made of layer numbers, never of names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from fractions import Fraction

from convsize.records import Report
from convsize.views.canvas.colours import THEMES, Colours, Theme
from convsize.views.drawing.folded import draw
from convsize.views.drawing.parts import SIGNS, Box, Detail, Heat, Part, heat_shares, weights
from convsize.views.text import numbers

_SHAPES = {
    **dict.fromkeys(SIGNS, ("((", "))")),
    "concatenation": ("[[", "]]"),
    "input": ("([", "])"),
    "output": ("([", "])"),
}
_ENTITIES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;"}


def render(
    report: Report,
    *,
    detail: Detail = "block",
    direction: str = "tb",
    heat: Heat | None = None,
    theme: Theme = "light",
) -> str:
    """A flowchart: a node a part, a subgraph a block, an edge a value that is read; skips are thick.

    What is read for its shape alone is dotted.
    """
    drawing = draw(report, detail)
    colours = THEMES[theme]
    parts = list(drawing.leaves())
    shares = heat_shares(parts, heat) if heat else {}
    totals = report.totals
    title = (
        f"{report.name}: {numbers.counted(totals.parameters, 'parameter')}, {numbers.count(totals.macs)} MACs, "
        f"activations {numbers.size(totals.activation_bytes)}"
    )
    out = ["---", f"title: {json.dumps(title, ensure_ascii=False)}", "---", f"flowchart {direction.upper()}"]
    out += _nodes(drawing.parts, shares, 1)
    for link in drawing.links:
        arrow = "-.->" if link.like else "==>" if link.skip else "-->"
        said = f'|"{_text(link.text)}"|' if link.text else ""
        out.append(f"  {_id(link.source)} {arrow}{said} {_id(link.target)}")
    out += _heat(parts, shares, heat, colours) if heat else _classes(parts, colours)
    return "\n".join(out) + "\n"


def _nodes(parts: Iterable[Part | Box], shares: dict[str, Fraction], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for part in parts:
        times = f" ×{part.times}" if part.times > 1 else ""
        if isinstance(part, Box):
            label = _text(f"{part.label}{times}".strip())
            yield f'{indent}subgraph {_id(part.key)} ["{label}"]'
            yield from _nodes(part.parts, shares, depth + 1)
            yield f"{indent}end"
            continue
        opening, closing = _SHAPES.get(part.family, ("[", "]"))
        yield f'{indent}{_id(part.key)}{opening}"{"<br/>".join(_lines(part, times, shares))}"{closing}'


def _lines(part: Part, times: str, shares: dict[str, Fraction]) -> Iterator[str]:
    volume = numbers.volume(part.after)
    if part.family in SIGNS:
        yield SIGNS[part.family]
        yield _text(volume)
        return
    yield f"<b>{_text('concat' if part.family == 'concatenation' else part.label)}{times}</b>"
    if part.kind == "block" and part.note:
        yield _text(part.note)
    yield _text(volume if part.before is None else f"{numbers.volume(part.before)} → {volume}")
    costs = []
    if held := weights(part):
        costs.append(held)
    if part.macs:
        costs.append(f"{numbers.count(part.macs)} MACs")
    if shares.get(part.key):
        costs.append(numbers.share(shares[part.key]))
    if costs:
        yield _text(" · ".join(costs))


def _classes(parts: Iterable[Part], colours: Colours) -> Iterator[str]:
    families = dict.fromkeys(part.family for part in parts)
    members = {family: [_id(part.key) for part in parts if part.family == family] for family in families}
    for family, names in members.items():
        fill, line = colours.fill(family), colours.line(family)
        yield f"  classDef {family} fill:{fill},stroke:{line},color:{colours.ink}"
        yield f"  class {','.join(names)} {family}"


def _heat(parts: Iterable[Part], shares: dict[str, Fraction], heat: Heat | None, colours: Colours) -> Iterator[str]:
    largest = Fraction(1) if heat == "receptive_field" else max(shares.values(), default=Fraction(1))
    for part in parts:
        fill = colours.heat(shares.get(part.key, Fraction(0)) / (largest or 1))
        yield f"  style {_id(part.key)} fill:{fill},stroke:{colours.line(part.family)},color:{colours.ink}"


def _id(key: str) -> str:
    return key.replace("-", "_")


def _text(text: str) -> str:
    return "".join(_ENTITIES.get(char, char) if char.isprintable() else "\ufffd" for char in text)

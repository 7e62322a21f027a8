"""A network as one HTML file that needs nothing else: no network, no other file, and to be read no script either.

Every text goes through `escape`; the policy in the page's head allows the page's own style and script by their hashes
and nothing else, so that whatever stands in a spec can run nothing and ask for nothing.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from html import escape
from math import prod
from typing import Any

from convsize.errors import Diagnostic, Source
from convsize.record import Record
from convsize.records import LayerRow, RulePage
from convsize.views.canvas import file
from convsize.views.canvas.colours import THEMES, light_and_dark
from convsize.views.drawing import dot
from convsize.views.drawing.parts import Part
from convsize.views.report.charts import Chart, charts
from convsize.views.report.content import Figure, NetworkPage, drawn, figures, listing, spec_text, volumes
from convsize.views.report.explain import Explainer
from convsize.views.text import numbers
from convsize.views.text.fold import Line

INDEX = "index.html"
"""The page that compares all networks."""


def render(page: NetworkPage, *, index: bool = False) -> str:
    """The page of one network; `index` says that it stands beside one that compares several.

    Raises UsageError where Graphviz is not installed.
    """
    report = page.report
    texts = _Texts()
    lines = listing(report)
    diagram, nodes = _diagram(page, lines)
    count = len(page.findings.diagnostics)
    sections = [
        _headline(page, texts),
        _section("diagram", "Diagram", diagram),
        _section("layers", "Layers", _table(page, lines, texts)),
        _section("charts", "Over depth", _charts(charts(report))),
        _section("findings", "Findings", _findings(page)),
        _section("insights", "What stands out", _list(insight.text for insight in report.insights)),
        _section("spec", "The spec", f'<pre tabindex="0" aria-label="The spec">{escape(spec_text(report))}</pre>'),
        _section("about", "What the figures mean", _ABOUT),
    ]
    about = f"{volumes(report.inputs)} → {volumes(report.outputs)} · batch {report.batch} · {report.dtype}"
    found = numbers.plural(count, "finding") if count else "no findings"
    head = (
        f"<h1>{escape(report.name)}</h1>"
        f'<p class="lead">{escape(about)} · <a href="#findings">{found}</a></p>'
        f'<p class="faint">structure {escape(report.graph)}</p>'
    )
    back = f'<a href="{INDEX}">all networks</a>' if index else ""
    links = (("diagram", "diagram"), ("layers", "layers"), ("charts", "charts"), ("findings", "findings"))
    data = {"texts": texts.all, "nodes": nodes}
    return document(report.name, f"{back}{''.join(_link(*each) for each in links)}", head + "".join(sections), data)


def document(title: str, links: str, body: str, data: dict[str, Any]) -> str:
    """A whole page around a body; links and body are HTML."""
    style, script = asset("report.css") + _picture_colours(), asset("report.js")
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="convsize">
<title>{escape(title)} – convsize</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">to the figures</a>
<nav aria-label="Page">{links}<button type="button" id="theme" aria-pressed="false" hidden>dark</button></nav>
<main id="main" tabindex="-1">
{body}
</main>
<div id="tip" role="tooltip" hidden></div>
<p id="said" class="unseen" role="status"></p>
<script type="application/json" id="data">{_json(data)}</script>
<script>{script}</script>
</body>
</html>
"""


def asset(name: str) -> str:
    """A file that the package ships for its pages."""
    from importlib.resources import files

    return files("convsize.views.report").joinpath("assets", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _json(data: dict[str, Any]) -> str:
    """JSON that can stand in a script element: `<` is the one character that could end it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _section(key: str, title: str, body: str) -> str:
    if not body:
        return ""
    return f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{title}</h2>{body}</section>\n'


def _link(key: str, title: str) -> str:
    return f'<a href="#{key}">{title}</a>'


def _list(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


class _Texts:
    """Explanations, each once: turns of a repeat have the same ones."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self.places.setdefault(text, len(self.places))

    @property
    def all(self) -> list[str]:
        return list(self.places)


# ---- the figures at the head -----------------------------------------------------------------------------------------


def _headline(page: NetworkPage, texts: _Texts) -> str:
    cards = "".join(
        f'<div class="card" tabindex="0" data-x="{texts.place(figure.explanation)}" data-name="{figure.name}"'
        f"{_value(figure.value)}><dt>{escape(figure.title)}</dt><dd>{escape(figure.text)}</dd></div>"
        for figure in figures(page)
    )
    items = "".join(f"<li><b>{escape(each.title)}</b> {escape(each.explanation)}</li>" for each in figures(page))
    return (
        f'<dl class="cards" aria-label="Headline figures">{cards}</dl>'
        f"<details><summary>How these come about</summary><ul>{items}</ul></details>\n"
    )


def _value(value: int | None) -> str:
    return "" if value is None else f' data-v="{value}"'


# ---- the diagram -----------------------------------------------------------------------------------------------------

_TOOLS = (
    '<div class="tools" role="toolbar" aria-label="Diagram" hidden>'
    '<button type="button" data-zoom="1.25">zoom in</button><button type="button" data-zoom="0.8">zoom out</button>'
    '<button type="button" data-zoom="width">fit width</button><button type="button" data-zoom="all">fit all</button>'
    '<span class="faint">drag or scroll to move, pinch or Ctrl+scroll to zoom; arrow keys go from shape to shape, '
    "Enter to the layer</span></div>"
)


def _diagram(page: NetworkPage, lines: Sequence[Line]) -> tuple[str, dict[str, Any]]:
    """The drawing, and for each of its shapes what it is called and its rows in the table."""
    report = page.report
    found = drawn(report)
    if found is None:
        return "<p>There are too many layers outside of blocks to draw. The table has them all.</p>", {}
    detail, parts = found
    svg = file.from_dot(dot.render(report, detail=detail), "svg").decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\s*|<title>.*?</title>\s*", "", svg, flags=re.DOTALL)
    title = f"{report.name} at the detail of {'blocks' if detail == 'block' else 'stages'}"
    svg = svg.replace('role="img"', f'role="group" aria-label="{escape(title)}"', 1)
    rows = {row.name: line.first.index for line in lines for row in line.rows}
    for line in lines:  # a turn that is folded away is in the row of the turn that is shown
        rows.setdefault(line.last.name, line.first.index)
    nodes = {part.key: {"label": _said(part), "rows": _rows(part, rows)} for part in parts}
    return f'{_TOOLS}<div class="diagram">{svg}</div>', nodes


def _rows(part: Part, rows: dict[str, int]) -> list[int]:
    return list(dict.fromkeys(rows[row.name] for row in part.rows if row.name in rows))


def _said(part: Part) -> str:
    """What a shape is, for those who hear it."""
    if not part.counted:
        return f"{part.label}, {numbers.volume(part.after)}"
    costs = f"{numbers.exact(part.parameters)} parameters, {numbers.exact(part.macs)} MACs"
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


class _Cell(Record):
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
    _Cell("spec", "spec", lambda row: row.spec, None, None, words=True),
    _Cell("op", "op", lambda row: row.op, None, None, words=True),
    _Cell("inputs", "from", lambda row: " ".join(row.inputs), None, None, words=True),
    _Cell(
        "output", "output", lambda row: numbers.volume(row.output), lambda row: row.output_elements, Explainer.output
    ),
    _Cell("receptive_field", "sees, px", _seen, _seen_pixels, Explainer.receptive_field),
    _Cell("jump", "jump", _jump, _jump_pixels, Explainer.jump),
    _Cell(
        "parameters",
        "parameters",
        lambda row: numbers.exact(row.parameters),
        lambda row: row.parameters,
        Explainer.parameters,
        cost=True,
    ),
    _Cell("macs", "MACs", lambda row: numbers.exact(row.macs), lambda row: row.macs, Explainer.macs, cost=True),
    _Cell("flops", "FLOPs", lambda row: numbers.exact(row.flops), lambda row: row.flops, Explainer.flops, cost=True),
    _Cell(
        "output_bytes",
        "activations",
        lambda row: numbers.size(row.output_bytes),
        lambda row: row.output_bytes,
        Explainer.output_bytes,
        cost=True,
    ),
)


def _table(page: NetworkPage, lines: Sequence[Line], texts: _Texts) -> str:
    report = page.report
    explainer = Explainer(report, page.windows)
    heads = "".join(_head(each.key, each.title, each.words) for each in _COLUMNS)
    rows = "".join(_row(line, explainer, texts) for line in lines)
    sums = {figure.name: figure for figure in figures(page)}
    foot = "".join(_sum(each.key, sums.get(_TOTALS.get(each.key, "")), texts) for each in _COLUMNS)
    shown = numbers.plural(len(report.layers), "layer")
    note = "" if len(lines) == len(report.layers) else ", folded: figures are those of one turn, ×n says how many"
    if sum(line.times * len(line.rows) for line in lines) < len(report.layers):
        note += f"; the first {numbers.plural(len(lines), 'line')}, of which `convsize analyze` lists all"
    caption = f"{shown}{note}; activations for batch {report.batch} in {report.dtype}"
    return (
        '<p class="tools" hidden><label>search <input type="search" id="search" placeholder="name, spec, op…" '
        'aria-describedby="shown"></label> <output id="shown"></output></p>'
        '<div class="wide"><table id="table"><caption>'
        f'{escape(caption)}<span class="help" hidden>. Headings sort; arrow keys go from cell to cell, and say how a '
        "figure comes about; Enter shows the layer in the diagram</span></caption>"
        f"<thead><tr>{_head('name', 'layer', True)}{heads}</tr></thead><tbody>{rows}</tbody>"
        f'<tfoot><tr><th scope="row">total</th>{foot}</tr></tfoot></table></div>'
    )


_TOTALS = {
    "receptive_field": "receptive_field",
    "parameters": "parameters",
    "macs": "macs",
    "flops": "flops",
    "output_bytes": "activation_bytes",
}
"""The headline figure that stands under a column."""


def _sum(key: str, figure: Figure | None, texts: _Texts) -> str:
    if figure is None or figure.value is None:
        return "<td></td>"
    exact = key in ("parameters", "macs", "flops")
    text = numbers.exact(figure.value) if exact else figure.text.removesuffix(" px")
    why = texts.place(figure.explanation)
    return f'<td data-c="{key}" data-v="{figure.value}" data-x="{why}" tabindex="0">{text}</td>'


def _head(key: str, title: str, words: bool) -> str:
    kind = "" if words else ' class="n"'
    return f'<th scope="col" data-c="{key}"{kind}><button type="button" disabled>{title}</button></th>'


def _row(line: Line, explainer: Explainer, texts: _Texts) -> str:
    first = line.first
    cells = []
    value: int | float | None
    for each in _COLUMNS:
        if line.summary is not None and each.key in ("spec", "op"):
            text, value = escape(line.spec if each.key == "spec" else line.op), None
        elif line.summary is not None and each.cost:
            assert each.value is not None
            total = line.total(each.value)
            text, value = numbers.size(total) if each.key == "output_bytes" else numbers.exact(total), total
        else:
            row = first if each.cost or each.words else line.last
            text, value = escape(each.text(row)), None if each.value is None else each.value(row)
        said = "" if value is None or text.replace(",", "") == str(value) else f" data-v={value}"
        why = ""
        if each.explain is not None and line.summary is None:
            why = f" data-x={texts.place(each.explain(explainer, first if each.cost else line.last))}"
        kind = " class=w" if each.words else " class=z" if value == 0 else ""
        cells.append(f"<td{kind}{said}{why}>{text}</td>")
    times = f" ×{line.times}" if line.times > 1 else ""
    return f'<tr id="row-{first.index}"><th scope="row">{escape(line.name)}{times}</th>{"".join(cells)}</tr>\n'


# ---- charts and findings ---------------------------------------------------------------------------------------------


def _charts(found: Sequence[Chart]) -> str:
    return "".join(chart_figure(chart) for chart in found)


def chart_figure(chart: Chart) -> str:
    """A chart under its heading, with the sentence that says what it shows."""
    return (
        f'<figure class="chart" id="chart-{chart.key}"><figcaption><h3>{escape(chart.title)}</h3>'
        f"<p>{escape(chart.summary)}</p></figcaption>{chart.svg}</figure>"
    )


def _findings(page: NetworkPage) -> str:
    found, source = page.findings.diagnostics, page.findings.source
    rules = {rule.code: rule for rule in page.rules}
    items = "".join(_finding(each, source, rules.get(each.code)) for each in found)
    quiet = page.findings.suppressed
    note = f"<p>{numbers.plural(quiet, 'finding')} kept quiet by comments in the spec.</p>" if quiet else ""
    if not items:
        return f"<p>Nothing is wrong, and the rules have no advice.</p>{note}"
    return f'<ul class="findings">{items}</ul>{note}'


def _finding(found: Diagnostic, source: Source, rule: RulePage | None) -> str:
    place = source.place(found.span.start)
    line = source.line(place.line)
    end = min(len(line), place.column - 1 + max(found.span.end - found.span.start, 0))
    start = place.column - 1
    excerpt = f"{escape(line[:start])}<mark>{escape(line[start:end])}</mark>{escape(line[end:])}"
    help_text = f"<p><b>Fix</b> {escape(found.help)}</p>" if found.help else ""
    fixes = "".join(
        f"<p><b>Replace</b> {_code(source.slice(fix.span))} by {_code(fix.replacement)}"
        f"{'' if fix.safe else ' (this changes figures)'}</p>"
        for fix in found.fixes
    )
    more = ""
    if rule is not None:
        more = (
            f"<details><summary>{escape(rule.name)}: {escape(rule.summary)}</summary>"
            f"<pre>{escape(rule.page)}</pre></details>"
        )
    return (
        f'<li class="{found.severity}"><h3>{found.severity} {escape(found.code)}: {escape(found.message)}</h3>'
        f"<pre>{place.line:>4} | {excerpt}</pre>{help_text}{fixes}{more}</li>"
    )


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>" if text else "<i>nothing</i>"


_ABOUT = """<dl class="about">
<dt>output</dt><dd>depth@height×width of one sample; a window leaves ⌊(L + P − reach)/S⌋ + 1 of an axis of L pixels,
with P pixels of padding on both sides together, reach d·(k − 1) + 1 of a kernel k with dilation d, and stride S</dd>
<dt>sees</dt><dd>the receptive field of one unit in pixels an axis, not clipped at the borders:
before + (reach − 1)·jump; “all” behind layers that read every position</dd>
<dt>jump</dt><dd>how many pixels of the input lie between neighbouring units: the product of the strides so far</dd>
<dt>parameters</dt><dd>weights and biases; weights that are used again count once</dd>
<dt>MACs</dt><dd>multiply-adds of convolutions and matrix products for one sample: every weight once a position</dd>
<dt>FLOPs</dt><dd>2 for a multiply-add, 1 for each other operation (bias, norm, activation, pooling, joins)</dd>
<dt>activations</dt><dd>bytes of the layer's output for the whole batch</dd>
</dl>"""

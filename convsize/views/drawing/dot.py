"""The graph of a network as Graphviz draws it: a description in the DOT language.

The text depends on the network and the options alone: no time, no path, no version stands in it, so that equal networks
give equal files. Labels are HTML-like with every text escaped; ids are made of layer numbers, never of names.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape
from typing import Literal

import graphviz  # type: ignore[import-untyped]

from convsize.records import Report
from convsize.views.canvas.colours import THEMES, Colours, Theme
from convsize.views.canvas.scene import text_width
from convsize.views.drawing.folded import draw
from convsize.views.drawing.legend import HEAT_TITLES, families
from convsize.views.drawing.parts import SIGNS, Box, Detail, Drawing, Heat, Link, Part, heat_shares, weights
from convsize.views.text import numbers

Direction = Literal["tb", "lr"]

_FONT = "Helvetica"
_TO, _BETWEEN = "->", ";"
"""Graphviz takes letters beyond ASCII for wider than they are, and sets a line that has some off its centre."""

_MANY_LINKS = 1000
_HURRIED = {"splines": "line", "nslimit": "0.1", "nslimit1": "0.1", "mclimit": "0.01"}
"""With straight lines and few rounds of improvement: 2,000 edges take 8 seconds instead of minutes."""


def render(
    report: Report,
    *,
    detail: Detail = "block",
    direction: Direction = "tb",
    heat: Heat | None = None,
    theme: Theme = "light",
) -> str:
    """The description in DOT: a node a part, a cluster a block, an edge a value that is read."""
    return _Dot(draw(report, detail), report, direction, heat, THEMES[theme]).source()


class _Dot:
    """Writes one drawing."""

    def __init__(
        self, drawing: Drawing, report: Report, direction: Direction, heat: Heat | None, colours: Colours
    ) -> None:
        self.drawing = drawing
        self.report = report
        self.upright = direction == "tb"
        self.heat = heat
        self.colours = colours
        self.shares = heat_shares(list(drawing.leaves()), heat) if heat else {}
        # What a unit sees is a share of a whole on its own; costs are compared with the largest one.
        self.trunk = _trunk(drawing)
        self.largest = Fraction(1) if heat == "receptive_field" else max(self.shares.values(), default=Fraction(1))

    def source(self) -> str:
        colours = self.colours
        graph = graphviz.Digraph(
            "network",
            graph_attr={
                "rankdir": "TB" if self.upright else "LR",
                "bgcolor": colours.paper,
                "fontname": _FONT,
                "fontsize": "10",
                "fontcolor": colours.ink,
                "label": self.title(),
                "labelloc": "t",
                "labeljust": "l",
                "nodesep": "0.18",
                "ranksep": "0.2",
                "pad": "0.15",
                "tooltip": " ",
                **(_HURRIED if len(self.drawing.links) > _MANY_LINKS else {}),
            },
            node_attr={
                "shape": "box",
                "style": "filled,rounded",
                "fontname": _FONT,
                "fontsize": "10",
                "fontcolor": colours.ink,
                "margin": "0.09,0.04",
                "height": "0.2",
                "width": "0.3",
                "penwidth": "1",
            },
            edge_attr={
                "color": colours.faint,
                "arrowsize": "0.55",
                "fontname": _FONT,
                "fontsize": "8",
                "fontcolor": colours.faint,
            },
        )
        self.add(graph, self.drawing.parts)
        for link in self.drawing.links:
            self.edge(graph, link)
        return str(graph.source)

    def add(self, graph: graphviz.Digraph, parts: Sequence[Part | Box]) -> None:
        for part in parts:
            if isinstance(part, Box):
                with graph.subgraph(name=f"cluster_{part.key}") as inner:
                    inner.attr(
                        id=part.key,
                        label=self.box_label(part),
                        labeljust="l",
                        style="rounded,filled",
                        color=self.colours.faint,
                        fillcolor=self.colours.panel,
                        penwidth="1.6" if part.times > 1 else "0.8",
                        margin="7",
                        # A head is entered from above, beside its trunk: its name stands where no edge comes in.
                        labelloc="b" if part.label.startswith("head ") else "t",
                        tooltip=_plain(part.label),
                    )
                    self.add(inner, part.parts)
            else:
                self.node(graph, part)

    def node(self, graph: graphviz.Digraph, part: Part) -> None:
        fill = self.colours.fill(part.family)
        if self.heat:
            fill = self.colours.heat(self.shares.get(part.key, Fraction(0)) / (self.largest or 1))
        more = {}
        if part.kind in ("input", "output"):
            more = {"penwidth": "1.6"}
        elif part.family in SIGNS:
            more = {"shape": "ellipse", "style": "filled", "margin": "0.02,0.01"}
        elif part.family == "concatenation":
            more = {"shape": "box", "style": "filled", "margin": "0.12,0.02", "penwidth": "1.6"}
        if part.times > 1:
            more |= {"peripheries": "2"}
        if part.key in self.trunk:
            more |= {"group": "trunk"}
        graph.node(
            part.key,
            self.label(part),
            id=part.key,
            fillcolor=fill,
            color=self.colours.line(part.family),
            tooltip=_plain(part.counted[0].name if part.counted else part.label),
            **{"class": part.family},
            **more,
        )

    def edge(self, graph: graphviz.Digraph, link: Link) -> None:
        more = {}
        if link.like:
            more = {"style": "dashed", "weight": "0"}
        elif link.skip:
            more = {"color": self.colours.skip, "penwidth": "1.4", "weight": "0"}
        elif self.trunk.get(link.target) == link.source:
            more = {"weight": "20"}
        if link.text:
            more["label"] = f"<{_text(f' {link.text} ')}>"
        graph.edge(link.source, link.target, **more)

    # ---- labels ----

    def label(self, part: Part) -> str:
        """What stands in a shape: two lines in a picture from the top down, more and shorter ones from the left."""
        volume = numbers.volume(part.after)
        share = self.share(part)
        if part.kind in ("input", "output"):
            return _html([f"{_bold(part.label)} {_text(volume)}"])
        if part.family in SIGNS:
            return _html([_bold(SIGNS[part.family]), self.small(volume)])
        if part.family == "concatenation":
            return _html([f"{_bold('concat')} {self.small(volume)}"])
        head = _bold(part.label)
        if part.times > 1:
            head += f" {_bold(f'×{part.times}')}"
        if part.before is not None:
            volume = f"{numbers.volume(part.before)} {_TO} {volume}"
        costs = [text for text in (self.cost(part), share) if text]
        if self.upright:
            second = _text(f"{_BETWEEN} ".join([volume, *costs]))
            if not part.note:
                return _html([head, second])
            return _html([f"{head}  {self.small(part.note)}", second])
        notes = _wrapped(part.note, 26) if part.kind == "block" else [part.note] if part.note else []
        return _html([head, *map(self.small, notes), _text(volume), *map(_text, costs)])

    def box_label(self, box: Box) -> str:
        """The name of a block, how often it stands there, the volumes in and out, and what all iterations cost.

        It fills the left half of the box alone, where edges come in from above: those end in its middle.
        """
        parts = [_bold(box.label)] if box.label else []
        if box.times > 1:
            parts.append(_bold(f"×{box.times}"))
        volumes = [numbers.volume(dims) for dims in (box.before, box.after) if dims is not None]
        facts = f" {_TO} ".join(volumes)
        more = ""
        if box.times > 1:
            more = f"all: {self.cost(box)}" if self.cost(box) else ""
            more += f"{_BETWEEN if more else ''} the first is drawn" if box.summed else ""
        lines = [" ".join([*parts, self.small(facts, self.colours.faint)])]
        if more:
            lines.append(self.small(more.strip(), self.colours.faint))
        if not self.upright:
            return _html(lines)
        head = " ".join([box.label, f"×{box.times}" if box.times > 1 else ""])
        wide = max(text_width(head, 10, bold=True) + text_width(facts, 8), text_width(more, 8)) + 8
        left = '<BR ALIGN="LEFT"/>'.join([*lines, ""])
        return (
            '<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>'
            f'<TD ALIGN="LEFT" BALIGN="LEFT">{left}</TD><TD WIDTH="{round(wide)}"></TD></TR></TABLE>>'
        )

    def cost(self, part: Part | Box) -> str:
        costs = []
        if held := weights(part):
            costs.append(held)
        if part.macs:
            costs.append(f"{numbers.count(part.macs)} MACs")
        return f"{_BETWEEN} ".join(costs)

    def share(self, part: Part) -> str:
        if not self.shares.get(part.key):
            return ""
        # The figures beside it are those of one iteration.
        in_all = " in all" if self.heat != "receptive_field" and len(part.rows) > len(part.counted) else ""
        return numbers.share(self.shares[part.key]) + in_all

    def small(self, text: str, colour: str | None = None) -> str:
        """Smaller, and within shapes in ink: on their tints a faint grey is hard to read."""
        return f'<FONT POINT-SIZE="8" COLOR="{colour or self.colours.ink}">{_text(text)}</FONT>'

    def title(self) -> str:
        """The network's name and totals, and below them what the colours mean."""
        totals = self.report.totals
        facts = " · ".join(
            [
                f"{numbers.counted(totals.parameters, 'parameter')}",
                f"{numbers.count(totals.macs)} MACs",
                f"activations {numbers.size(totals.activation_bytes)}",
            ]
        )
        if self.report.batch > 1:
            facts += f" for batch {self.report.batch}"
        head = f'<FONT POINT-SIZE="13">{_bold(self.drawing.name)}</FONT>  {_text(facts)}'
        cells = []
        if self.heat:
            cells.append(f"<TD>{_text(HEAT_TITLES[self.heat])}</TD>")
            for step in range(5):
                at = Fraction(step, 4)
                cells.append(
                    f'<TD BGCOLOR="{self.colours.heat(at)}" BORDER="1" WIDTH="26">'
                    f"{_text(numbers.share(at * self.largest))}</TD>"
                )
        else:
            for family, title in families(list(self.drawing.leaves())):
                cells.append(
                    f'<TD BGCOLOR="{self.colours.fill(family)}" BORDER="1" COLOR="{self.colours.line(family)}">'
                    f'<FONT POINT-SIZE="8">{_text(title)}</FONT></TD>'
                )
            if any(link.like for link in self.drawing.links):
                cells.append(
                    f'<TD><FONT POINT-SIZE="8" COLOR="{self.colours.faint}">{_text("- - shape only")}</FONT></TD>'
                )
            if any(link.skip for link in self.drawing.links):
                cells.append(f'<TD><FONT POINT-SIZE="8" COLOR="{self.colours.skip}">{_text("→ skip")}</FONT></TD>')
        legend = (
            '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="2">' + f"<TR>{''.join(cells)}</TR></TABLE>"
        )
        rows = [head, legend] if len(cells) > 1 else [head]
        lines = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
        return f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">{lines}</TABLE>>'


def _trunk(drawing: Drawing) -> dict[str, str]:
    """The shapes from the input to the trunk's end that stand below each other, each with the one before it.

    Of what a shape reads, the last in order is the trunk: what goes around others is a skip. Shapes in boxes are placed
    by their box.
    """
    order = {part.key: at for at, part in enumerate(drawing.leaves())}
    outside = {part.key for part in drawing.parts if isinstance(part, Part)}
    before: dict[str, str] = {}
    for link in drawing.links:
        if link.like:
            continue
        if link.target not in before or order[link.source] > order[before[link.target]]:
            before[link.target] = link.source
    found = {}
    at = next((part.key for part in drawing.leaves() if part.kind == "output" and part.label == "output"), None)
    seen = set()
    while at is not None and at not in seen:
        seen.add(at)
        if at in outside:
            found[at] = before.get(at, "")
        at = before.get(at)
    return found


def _text(text: str) -> str:
    """A text between tags; control characters, which XML cannot hold, become the replacement character.

    A backslash is doubled, for Graphviz puts a node's name in the place of \\N even between tags.
    """
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return escape(shown, quote=True).replace("\\", "\\\\")


def _plain(text: str) -> str:
    """A text that is no label: nothing in it is markup."""
    plain: str = graphviz.escape("".join(char if char.isprintable() else "\ufffd" for char in text))
    return plain  # of a type by which the graphviz package knows that <b> is no markup


def _bold(text: str) -> str:
    return f"<B>{_text(text)}</B>"


def _html(lines: Sequence[str]) -> str:
    return f"<{'<BR/>'.join(lines)}>"


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines

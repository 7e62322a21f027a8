"""Shapes on a page, and their two ways out: SVG, and a Graphviz background for PNG.

A scene is what a figure needs and no more: polygons, lines, texts. Its PNG is drawn by the Graphviz that draws the
graphs (`_background` takes the xdot language, https://graphviz.org/docs/outputs/canon/#xdot): it carries its fonts with
it, where rasterisers of SVG want fonts of the system, and nothing more need be installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from convsize.record import Record
from convsize.views.canvas.colours import Colours
from convsize.views.canvas.file import Suffix, from_svg, png_from_xdot, stamp

Point = tuple[float, float]
_FONT = "Helvetica, Arial, sans-serif"


class Polygon(Record):
    """A closed shape; without a fill it is an outline.

    title: what it is, for those who point at it. target: on a page, the id or the address that it leads to.
    """

    points: tuple[Point, ...]
    fill: str | None
    line: str | None
    width: float = 1
    dashed: bool = False
    title: str = ""
    target: str | None = None


class Line(Record):
    """A line through points, with a head at its end if it is an arrow."""

    points: tuple[Point, ...]
    colour: str
    width: float = 1
    dashed: bool = False
    arrow: bool = False


class Dot(Record):
    """A circle, with a title and a target as those of a polygon."""

    centre: Point
    radius: float
    fill: str | None
    line: str | None
    title: str = ""
    target: str | None = None


class Text(Record):
    """A line of text; `at` is the left end, the middle or the right end of its baseline."""

    at: Point
    text: str
    size: float
    colour: str
    anchor: str = "middle"
    bold: bool = False


class Image(Record):
    """A raster image as a data URI, in a rectangle; only SVG and PDF hold it."""

    at: Point
    width: float
    height: float
    uri: str


Shape = Polygon | Line | Dot | Text | Image


class Scene(Record):
    """A page with shapes on it, in pixels, y downwards; later ones lie over earlier ones."""

    name: str
    width: float
    height: float
    colours: Colours
    shapes: tuple[Shape, ...]

    def svg(self) -> str:
        """As SVG, with every text escaped."""
        size = f'width="{_n(self.width)}" height="{_n(self.height)}" viewBox="0 0 {_n(self.width)} {_n(self.height)}"'
        out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} font-family="{_FONT}">',
            f"<title>{_text(self.name)}</title>",
            f'<rect width="100%" height="100%" fill="{self.colours.paper}"/>',
            *map(_svg, self.shapes),
            "</svg>",
        ]
        return "\n".join(out) + "\n"

    def inline(self) -> str:
        """As an SVG element of a page: as wide as the page lets it be, on the page's own background.

        Shapes with a target are points that a script may find: they are images that have their titles as names.
        """
        look = f'viewBox="0 0 {_n(self.width)} {_n(self.height)}" font-family="{_FONT}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {look} role="group" aria-label="{_text(self.name)}">'
            f"{''.join(map(_svg, self.shapes))}</svg>"
        )

    def file(self, suffix: Suffix) -> bytes:
        """As SVG, PNG or PDF, with a stamp that tells whether it is stale."""
        svg = self.svg()
        if suffix == "png":
            return png_from_xdot(self.xdot(), stamp(svg))
        return from_svg(svg, suffix, stamp(svg))

    def xdot(self) -> str:
        """As the background of a graph that has two invisible nodes in its corners."""
        ops = " ".join(op for shape in self.shapes for op in _xdot(shape, self.height))
        attributes = 'style=invis, shape=point, width=0, height=0, label=""'
        background = ops.replace("\\", "\\\\").replace('"', '\\"')
        return (
            f'digraph {{ graph [bgcolor="{self.colours.paper}", pad=0, splines=false, _background="{background}"];\n'
            f'a [{attributes}, pos="0,0"]; b [{attributes}, pos="{_n(self.width)},{_n(self.height)}"]; }}\n'
        )


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is in Helvetica: half of its size a sign, wide signs more, narrow ones less."""
    units = sum(0.28 if char in "iljtf.,:|'! ()[]/" else 0.84 if char in "MWmw@%→" else 0.58 for char in text)
    return units * size * (1.06 if bold else 1)


def _text(text: str) -> str:
    return escape("".join(char if char.isprintable() else "\ufffd" for char in text), quote=True)


def _n(value: float) -> str:
    """A length in hundredths: floats in their last digits are no part of a picture."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _head(points: Sequence[Point], size: float = 6) -> tuple[Point, ...]:
    """The triangle at the end of a line."""
    (x0, y0), (x1, y1) = points[-2:]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1
    dx, dy = (x1 - x0) / length * size, (y1 - y0) / length * size
    return ((x1, y1), (x1 - dx - dy * 0.4, y1 - dy + dx * 0.4), (x1 - dx + dy * 0.4, y1 - dy - dx * 0.4))


def _svg(shape: Shape) -> str:
    if isinstance(shape, Text):
        weight = ' font-weight="bold"' if shape.bold else ""
        x, y = shape.at
        return (
            f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(shape.size)}" fill="{shape.colour}" '
            f'text-anchor="{shape.anchor}"{weight}>{_text(shape.text)}</text>'
        )
    if isinstance(shape, Image):
        x, y = shape.at
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(shape.width)}" height="{_n(shape.height)}"'
        return f'<image {place} preserveAspectRatio="xMidYMid slice" href="{_text(shape.uri)}"/>'
    title = point = ""
    if isinstance(shape, (Polygon, Dot)):
        title = f"<title>{_text(shape.title)}</title>" if shape.title else ""
        if shape.target is not None:
            point = f' class="point" data-to="{_text(shape.target)}" role="img"'
    if isinstance(shape, Dot):
        x, y = shape.centre
        place = f'cx="{_n(x)}" cy="{_n(y)}" r="{_n(shape.radius)}"'
        return f'<circle {place} fill="{shape.fill or "none"}" stroke="{shape.line or "none"}"{point}>{title}</circle>'
    dash = ' stroke-dasharray="4 3"' if shape.dashed else ""
    if isinstance(shape, Polygon):
        return (
            f'<polygon points="{_points(shape.points)}" fill="{shape.fill or "none"}" stroke="{shape.line or "none"}" '
            f'stroke-width="{_n(shape.width)}" stroke-linejoin="round"{dash}{point}>{title}</polygon>'
        )
    line = (
        f'<polyline points="{_points(shape.points)}" fill="none" stroke="{shape.colour}" '
        f'stroke-width="{_n(shape.width)}" stroke-linejoin="round"{dash}/>'
    )
    if shape.arrow:
        line += f'<polygon points="{_points(_head(shape.points))}" fill="{shape.colour}"/>'
    return line


def _xdot(shape: Shape, height: float) -> list[str]:
    """The operations of a shape; xdot has y upwards."""

    def colour(letter: str, value: str) -> str:
        return f"{letter} {len(value)} -{value}"

    def points(letter: str, values: Sequence[Point]) -> str:
        return f"{letter} {len(values)} " + " ".join(f"{_n(x)} {_n(height - y)}" for x, y in values)

    def style(width: float, dashed: bool) -> list[str]:
        text = f"setlinewidth({_n(width)})"
        dash = "dashed" if dashed else "solid"
        return [f"S {len(text)} -{text}", f"S {len(dash)} -{dash}"]

    if isinstance(shape, Text):
        font = "Helvetica-Bold" if shape.bold else "Helvetica"
        text = "".join(char if char.isprintable() else "\ufffd" for char in shape.text)
        align = {"start": -1, "middle": 0, "end": 1}[shape.anchor]
        x, y = shape.at
        width = text_width(text, shape.size, bold=shape.bold)
        return [
            colour("c", shape.colour),
            f"F {_n(shape.size)} {len(font)} -{font}",
            f"T {_n(x)} {_n(height - y)} {align} {_n(width)} {len(text.encode())} -{text}",
        ]
    if isinstance(shape, Image):
        return []
    if isinstance(shape, Dot):
        x, y = shape.centre
        place = f"{_n(x)} {_n(height - y)} {_n(shape.radius)} {_n(shape.radius)}"
        filled = [colour("C", shape.fill), colour("c", shape.fill), f"E {place}"] if shape.fill else []
        return [*filled, *([*style(1, False), colour("c", shape.line), f"e {place}"] if shape.line else [])]
    if isinstance(shape, Polygon):
        found = style(shape.width, shape.dashed)
        if shape.fill:
            found += [colour("c", shape.fill), colour("C", shape.fill), points("P", shape.points)]
        if shape.line:
            found += [colour("c", shape.line), points("p", shape.points)]
        return found
    found = [*style(shape.width, shape.dashed), colour("c", shape.colour), points("L", shape.points)]
    if shape.arrow:
        found += [colour("C", shape.colour), points("P", _head(shape.points))]
    return found

"""A picture of a network as a file: what it is drawn from, and its bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from convsize.record import Record
from convsize.records import Report
from convsize.views.canvas.file import Suffix
from convsize.views.drawing.parts import Detail, Heat

Style = Literal["graph", "volumes"]
Theme = Literal["light", "dark"]


class Picture(Record):
    """A picture that can be drawn: the text that it is drawn from, and the call that draws it."""

    description: str
    draw: Callable[[], bytes]


def picture(
    report: Report,
    suffix: Suffix,
    *,
    style: Style = "graph",
    detail: Detail = "block",
    direction: Literal["tb", "lr"] = "tb",
    heat: Heat | None = None,
    theme: Theme = "light",
    scale: Literal["log", "linear"] = "log",
) -> Picture:
    """A picture in the format of a file's ending. Nothing is drawn yet."""
    if style == "volumes":
        from convsize.views.drawing import volumes

        scene = volumes.scene(report, heat=heat, theme=theme, scale=scale)
        return Picture(scene.svg(), lambda: scene.file(suffix))
    if suffix == "mmd":
        from convsize.views.drawing import mermaid

        description = mermaid.render(report, detail=detail, direction=direction, heat=heat, theme=theme)
        return Picture(description, description.encode)
    from convsize.views.canvas import file
    from convsize.views.drawing import dot

    description = dot.render(report, detail=detail, direction=direction, heat=heat, theme=theme)
    return Picture(description, lambda: file.from_dot(description, suffix))

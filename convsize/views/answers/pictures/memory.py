"""The course of a training step as a picture: what lives in every layer of forward and backward, by kind."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.records import TrainingMoment, TrainingPeak
from convsize.views.canvas.colours import Theme
from convsize.views.canvas.scene import Scene
from convsize.views.plot.plot import Axis, Curve, Mark, Panel, Plot
from convsize.views.plot.plot import scene as page
from convsize.views.text import numbers


def scene(title: str, subtitle: str, peak: TrainingPeak, *, theme: Theme = "light") -> Scene:
    """The most bytes that live while each layer runs, and those that live when it has run, with the peak marked."""
    timeline = peak.timeline
    xs = [float(at) for at in range(len(timeline) + 1)]
    highest = [float(each.highest) for each in timeline]
    curves = (
        Curve("most in the layer", xs, highest, "step", [0.0] * len(timeline)),
        Curve("after it", xs, [float(each.end) for each in timeline], "step", hue=1),
    )
    top = max(range(len(timeline)), key=lambda at: timeline[at].highest)
    marks = (
        *_beginnings(timeline),
        Mark(top + 0.5, f"{numbers.size(peak.bytes)}: {_where(timeline[top])}", highest[top]),
    )
    ticks = tuple((at + 0.5, each.layer) for at, each in enumerate(timeline) if each.layer is not None)
    plot = Plot(
        title,
        Axis("layers in execution order", ticks=ticks),
        (Panel(Axis("bytes", "bytes"), curves, marks=marks, height=280),),
        subtitle,
    )
    return page(plot, theme=theme)


def _where(moment: TrainingMoment) -> str:
    return moment.moment if moment.layer is None else f"{moment.moment} of {moment.layer}"


def _beginnings(timeline: Sequence[TrainingMoment]) -> tuple[Mark, ...]:
    """Where backward and the optimizer begin."""
    first: dict[str, int] = {}
    for at, each in enumerate(timeline):
        first.setdefault(each.moment, at)
    return tuple(Mark(float(first[moment]), moment) for moment in ("backward", "optimizer") if moment in first)

"""A sweep over batch sizes as a picture: throughput and memory, with the knee marked."""

from __future__ import annotations

from convsize.records.time import Sweep
from convsize.views.answers.time import number, setting_text
from convsize.views.canvas.colours import Theme
from convsize.views.canvas.scene import Scene
from convsize.views.plot.plot import Axis, Curve, Mark, Panel, Plot
from convsize.views.plot.plot import scene as page


def scene(found: Sweep, *, theme: Theme = "light") -> Scene:
    """Two panels over the batch size."""
    points = found.points
    knee = next(point for point in points if point.batch == found.knee)
    rates = Curve("samples a second", [p.batch for p in points], [p.throughput for p in points])
    marks = (Mark(knee.batch, f"knee: {number(knee.throughput)} samples/s at batch {knee.batch}", knee.throughput),)
    panels = [Panel(Axis("samples a second", "count"), (rates,), marks=marks, height=200)]
    known = [(point.batch, point.memory) for point in points if point.memory is not None]
    if known:
        memory = Curve("memory", [batch for batch, _ in known], [float(size) for _, size in known])
        panels.append(Panel(Axis("memory", "bytes", "log2"), (memory,), height=140))
    subtitle = setting_text(found.setting).partition(" · ")[2]
    plot = Plot(f"{found.name} on {found.device}", Axis("batch", scale="log2"), tuple(panels), subtitle)
    return page(plot, theme=theme)

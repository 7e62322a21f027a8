"""The roofline plot: what every layer reached, over the operations that it has for each byte."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from convsize.records import LayerRow, Profile
from convsize.views.answers.profile import Row, rows, setting_text
from convsize.views.canvas.colours import Theme
from convsize.views.canvas.scene import Scene
from convsize.views.plot.plot import Axis, Curve, Panel, Plot, Spot, Spots
from convsize.views.plot.plot import scene as page
from convsize.views.text import numbers

_NAMED = 8
"""Layers that are named in the picture: those that take longest."""


def scene(found: Profile, layers: Sequence[LayerRow], *, theme: Theme = "light") -> Scene:
    """Layers as dots whose area is their share of the time, below the roof of the device where one is known."""
    listed = [each for each in rows(found, layers) if each.flops and each.bytes and each.seconds]
    listed.sort(key=lambda each: -each.seconds)
    total = sum(each.seconds for each in listed) or 1.0
    spots = tuple(_spot(each, total, named=at < _NAMED) for at, each in enumerate(listed))
    curves: tuple[Curve, ...] = ()
    if found.roof is not None:
        peak, bandwidth = found.roof.peak, found.roof.bandwidth
        ridge = peak / bandwidth
        ends = [ridge, *(each.flops / each.bytes for each in listed)]
        xs = [min(ends) / 2, ridge, max(ends) * 2]
        curves = (Curve(f"roof of {found.roof.title}", xs, [min(peak, x * bandwidth) for x in xs]),)
    plot = Plot(
        f"{found.name}: roofline",
        Axis("FLOP for each byte moved", scale="log"),
        (Panel(Axis("FLOP/s", "count", "log"), curves, spots=(Spots("layers", spots, hue=1),), height=360),),
        setting_text(found),
    )
    return page(plot, theme=theme)


def _spot(row: Row, total: float, *, named: bool) -> Spot:
    share = row.seconds / total
    times = f" ×{row.times}" if row.times > 1 else ""
    title = f"{row.name}{times}: {numbers.duration(row.seconds)}, {numbers.share(share)} of all layers"
    return Spot(row.flops / row.bytes, row.flops / row.seconds, row.name if named else "", title, 2 + 14 * sqrt(share))

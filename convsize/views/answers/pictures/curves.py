"""The curves of a training run as a picture: losses, scores and the learning rate over steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convsize.views.canvas.colours import Theme
from convsize.views.canvas.scene import Scene
from convsize.views.plot.plot import Axis, Curve, Mark, Panel, Plot
from convsize.views.plot.plot import scene as page

_SEEN = 200
"""Losses that a curve can show next to each other."""

_FEW = 20
"""Points of a curve that are shown as dots besides."""


def scene(title: str, subtitle: str, metrics: Sequence[Mapping[str, Any]], *, theme: Theme = "light") -> Scene:
    """The picture of a run's metrics, the lines of its metrics.jsonl."""
    steps = [each for each in metrics if each["kind"] == "steps"]
    epochs = [each for each in metrics if each["kind"] == "epoch"]
    losses = (
        *_training_loss(steps),
        Curve(
            "test loss",
            [each["step"] for each in epochs],
            [each["test_loss"] for each in epochs],
            dashed=len(epochs) > 1,
            dots=len(epochs) <= _FEW,
            hue=1,
        ),
    )
    rate = Curve("learning rate", [each["step"] for each in steps], [each["lr"] for each in steps])
    plot = Plot(
        title,
        Axis("step", "count"),
        (
            Panel(Axis("loss", scale="log"), losses, height=170),
            *_scores(epochs),
            Panel(Axis("learning rate"), (rate,), height=70),
        ),
        subtitle,
    )
    return page(plot, theme=theme)


def _training_loss(steps: Sequence[Mapping[str, Any]]) -> tuple[Curve, ...]:
    """The loss of every step, or where there are too many to be seen their means with the least and the most."""
    if len(steps) <= _SEEN:
        places, losses = [each["step"] for each in steps], [each["loss"] for each in steps]
        return (Curve("training loss", places, losses, dots=len(steps) <= _FEW, hue=0),)
    size = -(-len(steps) // _SEEN)
    groups = [steps[at : at + size] for at in range(0, len(steps), size)]
    spans = [[each["loss"] for each in group] for group in groups]
    xs = [group[len(group) // 2]["step"] for group in groups]
    spread = Curve(
        "least to most", xs, [max(each) for each in spans], low=[min(each) for each in spans], edge=False, hue=0
    )
    return (spread, Curve(f"training loss, mean of {size}", xs, [sum(each) / len(each) for each in spans], hue=0))


def _scores(epochs: Sequence[Mapping[str, Any]]) -> tuple[Panel, ...]:
    """Accuracies in one panel, with the best one marked, and errors in another."""
    found = []
    for key, name in (("top1", "test accuracy"), ("error", "mean absolute error")):
        curves = []
        best: tuple[float, float] | None = None
        for at, each in enumerate(epochs[0]["scores"] if epochs else ()):
            if each[key] is None:
                continue
            ys = [epoch["scores"][at][key] for epoch in epochs]
            places = [epoch["step"] for epoch in epochs]
            curves.append(Curve(each["name"], places, ys, dots=len(epochs) <= _FEW, hue=at))
            highest = max(range(len(ys)), key=lambda place: ys[place])
            best = best or (epochs[highest]["step"], ys[highest])
        if curves:
            share = key == "top1"
            marks = (Mark(best[0], f"{best[1]:.2%}", best[1]),) if best is not None and share else ()
            axis = Axis(name, "share" if share else "number", zero=not share)
            found.append(Panel(axis, tuple(curves), marks=marks, height=120))
    return tuple(found)

"""The curves of a training run as a picture: losses, scores and the learning rate over steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convsize.views.drawing_colours import Theme
from convsize.views.drawing_scene import Scene
from convsize.views.plot import Axis, Curve, Mark, Panel, Plot
from convsize.views.plot import scene as page


def scene(title: str, subtitle: str, metrics: Sequence[Mapping[str, Any]], *, theme: Theme = "light") -> Scene:
    """The picture of a run's metrics, the lines of its metrics.jsonl."""
    steps = [each for each in metrics if each["kind"] == "steps"]
    epochs = [each for each in metrics if each["kind"] == "epoch"]
    losses = (
        Curve("training loss", [each["step"] for each in steps], [each["loss"] for each in steps]),
        Curve(
            "test loss",
            [each["step"] for each in epochs],
            [each["test_loss"] for each in epochs],
            dashed=len(epochs) > 1,
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
            curves.append(Curve(each["name"], [epoch["step"] for epoch in epochs], ys, hue=at))
            highest = max(range(len(ys)), key=lambda place: ys[place])
            best = best or (epochs[highest]["step"], ys[highest])
        if curves:
            share = key == "top1"
            marks = (Mark(best[0], f"{best[1] * 100:.2f}%", best[1]),) if best is not None and share else ()
            axis = Axis(name, "share" if share else "number", zero=not share)
            found.append(Panel(axis, tuple(curves), marks=marks, height=120))
    return tuple(found)

"""`convsize time`: what a forward pass or a training step takes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from convsize.batches import samples
from convsize.cli.options import (
    ASSUMED_DEVICE,
    Autocast,
    Expressions,
    Format,
    Inputs,
    Lets,
    Specs,
    TrainingBatch,
    Type,
    assumed,
)

if TYPE_CHECKING:
    from convsize.records.time import Sweep


def command(
    specs: Specs = None,
    expression: Expressions = None,
    input_: Inputs = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE", help="A name from `convsize devices`, or a device file.", show_default=ASSUMED_DEVICE
        ),
    ] = None,
    batch: TrainingBatch = None,
    train: Annotated[bool, typer.Option("--train", help="Predict a training step instead of a forward pass.")] = False,
    dtype: Type = "float32",
    autocast: Autocast = None,
    optimizer: Annotated[str, typer.Option(metavar="NAME", help="sgd, momentum, adam or adamw.")] = "momentum",
    sweep: Annotated[
        str, typer.Option(metavar="batch=A..B", help="Show throughput and memory for batch sizes doubling from A to B.")
    ] = "",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Draw the sweep: .svg, .png or .pdf.")
    ] = None,
    let: Lets = None,
    format_: Format = "table",
) -> int:
    """Predict how long a forward pass or a training step takes.

    For a device measured by `convsize calibrate` the prediction rests on measured layers. A data sheet states peaks
    only: the share of them that is reached is assumed, and the answer says so.

    \b
    Examples:
      convsize time specs/resnet50.spec --device h200 --batch 64 --train
      convsize time specs/resnet50.spec --device cpu --batch 8
      convsize time specs/vgg_d.spec --sweep batch=1..512 -o sweep.svg
    """
    from convsize import devices
    from convsize.analyses.time.prediction import predict_time, sweep_times
    from convsize.cli import terminal
    from convsize.cli.queue import Turns
    from convsize.errors import UsageError
    from convsize.records.time import TimeSetting
    from convsize.views.answers import time as view

    if output is not None and not sweep:
        raise UsageError("-o draws a sweep: add --sweep batch=1..512")
    batches = _batches(sweep) if sweep else ()
    machine = devices.load(device or ASSUMED_DEVICE)
    setting = TimeSetting(samples(batch, training=train), dtype, train, optimizer, autocast)
    turns = Turns(specs, expression, let, input_)
    if output is not None and turns.several:
        raise UsageError("one sweep is drawn at a time: name only one spec")
    width, paint = terminal.width(sys.stdout), terminal.paint(sys.stdout)
    texts = []
    objects = []
    for name, where in turns.asked:
        with turns.turn(name):
            network = turns.network(name, where)
            if sweep:
                swept = sweep_times(network, machine, setting, batches)
                texts.append(view.render_sweep(swept, width=width, paint=paint))
                objects.append(view.sweep_object(swept))
                if output is not None:
                    _draw(output, swept)
            else:
                found = predict_time(network, machine, setting)
                texts.append(view.render(found, network.analyze().layers, width=width, paint=paint))
                objects.append(view.time_object(found))
    if format_ == "json" and objects:
        terminal.write(view.document(objects, several=turns.several))
    elif texts:
        terminal.write("\n\n".join(texts))
        if device is None:
            terminal.write(assumed(width))
    return turns.code


def _batches(text: str) -> tuple[int, ...]:
    """`batch=1..512` as powers of two between its ends. Raises UsageError where it is not so."""
    from convsize.errors import UsageError

    name, _, span = text.partition("=")
    low, dots, high = span.partition("..")
    whole = all(part.isascii() and part.isdigit() and len(part) <= 10 for part in (low, high))
    if name == "batch" and dots and whole and 0 < int(high) < int(low):
        raise UsageError(f"a sweep goes from the smaller batch to the larger: write batch={high}..{low}")
    if name != "batch" or not dots or not whole or not 0 < int(low) <= int(high):
        raise UsageError(f"--sweep takes batch=A..B, such as batch=1..512, not `{text}`")
    found = []
    size = int(low)
    while size < int(high):
        found.append(size)
        size *= 2
    return (*found, int(high))


def _draw(output: str, swept: Sweep) -> None:
    from convsize import files
    from convsize.views.answers.pictures.sweep import scene
    from convsize.views.canvas.file import picture_suffix

    files.write(output, scene(swept).file(picture_suffix(output, "a sweep")))

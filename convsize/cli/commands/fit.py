"""`convsize fit`: the largest batch or input that can be trained within a budget of memory."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from convsize.batches import LARGEST_BATCH, samples
from convsize.cli.options import (
    ASSUMED_DEVICE,
    Accumulated,
    Autocast,
    Checkpoints,
    Expressions,
    Format,
    Frozen,
    Inputs,
    Lets,
    Memory,
    Optimizer,
    Reserve,
    Specs,
    TrainingType,
    assumed,
    whole,
)


def command(
    specs: Specs = None,
    memory: Memory = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="cpu, cuda, or a name from `convsize devices`, such as h200.",
            show_default=f"{ASSUMED_DEVICE}; cpu with --memory",
        ),
    ] = None,
    largest: Annotated[
        Literal["batch", "input"], typer.Option(help="What to maximize; an input grows along all axes.")
    ] = "batch",
    reserve: Reserve = None,
    batch: Annotated[
        int | None, whole("Samples per batch for --largest input", 1, LARGEST_BATCH, show_default="32")
    ] = None,
    expression: Expressions = None,
    input_: Inputs = None,
    optimizer: Optimizer = "momentum",
    dtype: TrainingType = "float32",
    autocast: Autocast = None,
    checkpoint: Checkpoints = None,
    freeze: Frozen = None,
    accumulate: Accumulated = 1,
    let: Lets = None,
    format_: Format = "table",
) -> int:
    """Find the largest batch or input that fits in memory.

    The memory of a training step is the one that `convsize memory` predicts: on a CPU the tensors at operator
    boundaries, on a GPU what PyTorch's allocator reserves for them. On a GPU --reserve keeps memory free for what is
    not predicted. The exit code is 1 if nothing fits.

    \b
    Examples:
      convsize fit specs/resnet50.spec --memory 16GiB
      convsize fit specs/resnet50.spec --device h200 --autocast bfloat16
      convsize fit specs/unet.spec --memory 8GiB --largest input --batch 2
      convsize fit specs/vgg_d.spec --memory 8GiB --freeze 'conv*'
    """
    from convsize import devices
    from convsize.analyses.memory.device import capacity
    from convsize.analyses.memory.fit import largest_batch, largest_input
    from convsize.cli import terminal
    from convsize.cli.queue import Turns
    from convsize.cli.units import size
    from convsize.errors import UsageError
    from convsize.records import BatchFit, InputFit, TrainingSetting
    from convsize.views.answers import fit as view

    named = device or (ASSUMED_DEVICE if memory is None else "cpu")
    kind, known = devices.kind_of(named)
    given = size(memory, "--memory") if memory else None
    kept = None if reserve is None else size(reserve, "--reserve")
    room = capacity(kind, known, given, kept)
    if kept is not None and room is None:
        raise UsageError("--reserve needs a memory to fit into: add --device h200 or --memory 16GiB")
    if room is None:
        raise UsageError(f"the memory of `{named}` is unknown: add it, such as --memory 16GiB")
    if batch is not None and largest == "batch":
        raise UsageError("--batch is for --largest input: add that, or leave --batch out")
    setting = TrainingSetting(
        batch=samples(batch, training=True),
        optimizer=optimizer,
        dtype=dtype,
        frozen=tuple(freeze or ()),
        accumulate=accumulate,
        device=kind,
        autocast=autocast,
        checkpoint=tuple(checkpoint or ()),
    )
    turns = Turns(specs, expression, let, input_)
    found: list[BatchFit | InputFit] = []
    for name, where in turns.asked:
        with turns.turn(name):
            network = turns.network(name, where)
            fit: BatchFit | InputFit
            if largest == "batch":
                fit = largest_batch(network, setting, room, known)
            else:
                fit = largest_input(network, setting, room, known, turns.lets)
            if fit.fits is None:
                turns.failed()
            found.append(fit)
            if format_ == "table":
                text = view.render(fit, setting, width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout))
                terminal.write(text if len(found) == 1 else f"\n\n{text}")
    if format_ == "table" and found and device is None and memory is None:
        terminal.write(assumed(terminal.width(sys.stdout)))
    if format_ == "json" and found:
        terminal.write(view.render_json(found, setting, several=turns.several))
    return turns.code

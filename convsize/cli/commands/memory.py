"""`convsize memory`: what training a network holds in memory."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from convsize.batches import samples
from convsize.cli.options import (
    Accumulated,
    Autocast,
    Checkpoints,
    Expressions,
    Format,
    Frozen,
    InPlace,
    Inputs,
    Lets,
    Losses,
    Memory,
    Optimizer,
    Reserve,
    Specs,
    TrainingBatch,
    TrainingType,
)


def command(
    specs: Specs = None,
    expression: Expressions = None,
    input_: Inputs = None,
    batch: TrainingBatch = None,
    optimizer: Optimizer = "momentum",
    device: Annotated[
        str, typer.Option(metavar="NAME", help="cpu, cuda, or a name from `convsize devices`, such as h200.")
    ] = "cpu",
    memory: Memory = None,
    reserve: Reserve = None,
    dtype: TrainingType = "float32",
    autocast: Autocast = None,
    loss: Losses = None,
    checkpoint: Checkpoints = None,
    freeze: Frozen = None,
    accumulate: Accumulated = 1,
    in_place: InPlace = True,
    inference: Annotated[
        bool, typer.Option("--inference", help="Predict a forward pass without gradients instead of a training step.")
    ] = False,
    what_if: Annotated[
        bool, typer.Option("--what-if", help="Also show the peak with other optimizers, types and checkpoints.")
    ] = False,
    timeline: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Draw memory over the step: .svg, .png or .pdf.", show_default=False),
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if the step does not fit.")] = False,
    let: Lets = None,
    format_: Format = "table",
) -> int:
    """Predict the memory of training or inference, to the byte.

    Shows whether a step fits, its peak and the layer where it is reached, the tensors alive there, what autograd
    saves for the backward pass, and the memory over the step. Figures are those of PyTorch at operator boundaries, in
    training mode. A softmax at the end is left out, and activations work in place where possible. On a GPU the
    additional memory is listed line by line, with its source.

    \b
    Examples:
      convsize memory specs/resnet50.spec --batch 64 --optimizer adamw
      convsize memory specs/resnet50.spec --autocast bf16 --checkpoint 'bot*'
      convsize memory specs/vgg_d.spec --freeze 'conv*' --what-if --memory 16GiB
      convsize memory specs/localisation.spec --loss box=smooth-l1
      convsize memory specs/unet.spec --batch 1 --inference --format json
      convsize memory specs/unet.spec --timeline unet.svg
    """
    from convsize import devices
    from convsize.analyses.memory.device import capacity
    from convsize.analyses.memory.peak import training_memory, what_if_choices
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.cli.queue import Turns
    from convsize.cli.units import size
    from convsize.errors import UsageError
    from convsize.records import TrainingSetting
    from convsize.views.answers import memory as view

    kind, known = devices.kind_of(device)
    setting = TrainingSetting(
        batch=samples(batch, training=not inference),
        optimizer=optimizer,
        dtype=dtype,
        frozen=tuple(freeze or ()),
        accumulate=accumulate,
        device=kind,
        autocast=autocast,
        losses=named.losses(loss or ()),
        in_place=in_place,
        checkpoint=tuple(checkpoint or ()),
        inference=inference,
    )
    given = size(memory, "--memory") if memory else None
    kept = None if reserve is None else size(reserve, "--reserve")
    room = capacity(kind, known, given, kept)
    if kept is not None and room is None:
        raise UsageError("--reserve needs a memory to fit into: add --device h200 or --memory 16GiB")
    if exit_code and room is None:
        raise UsageError("--exit-code needs a memory to fit into: add --device h200 or --memory 16GiB")
    if inference and what_if:
        raise UsageError("--what-if compares ways of training: leave --inference out")
    turns = Turns(specs, expression, let, input_)
    if timeline is not None and turns.several:
        raise UsageError("--timeline draws one step: name only one spec")
    suffix = None
    if timeline is not None:
        from convsize.views.canvas.file import picture_suffix

        suffix = picture_suffix(timeline, "the course of a step")
    found = []
    for name, where in turns.asked:
        with turns.turn(name):
            network = turns.network(name, where)
            needed = training_memory(network, setting, known)
            choices = what_if_choices(network, setting, known) if what_if else ()
            found.append((needed, choices))
            if exit_code and room is not None and needed.reserved > room.available:
                turns.failed()
            if timeline is not None and suffix is not None:
                from convsize import files
                from convsize.views.answers.pictures.memory import scene

                title = f"{needed.name}: {view.title(setting)}"
                files.write(timeline, scene(title, view.setting_text(setting), needed.peak).file(suffix))
            if format_ == "table":
                text = view.render(
                    needed, choices, room, width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout)
                )
                terminal.write(text if len(found) == 1 else f"\n\n{text}")
    if format_ == "json" and found:
        terminal.write(view.render_json(found, room, several=turns.several))
    return turns.code

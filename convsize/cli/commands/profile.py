"""`convsize profile`: what every layer takes where it runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convsize.batches import samples
from convsize.cli.options import (
    Against,
    Expressions,
    Format,
    Inputs,
    Lets,
    Optimizer,
    Specs,
    TrainingBatch,
    TrainingType,
    whole,
)

if TYPE_CHECKING:
    from convsize.records import Profile
    from convsize.runtime.child.apart import Note


def command(
    specs: Specs = None,
    expression: Expressions = None,
    input_: Inputs = None,
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="Device to run on.")] = "cpu",
    batch: TrainingBatch = None,
    dtype: TrainingType = "float32",
    train: Annotated[
        bool, typer.Option("--train/--infer", help="Profile a training step, or a forward pass in eval mode.")
    ] = True,
    optimizer: Optimizer = "momentum",
    repeats: Annotated[int, whole("Steps to measure", 3, 10_000)] = 10,
    threads: Annotated[
        int | None,
        whole("CPU threads", 1, 1024, show_default="PyTorch's choice"),
    ] = None,
    against: Against = None,
    expand: Annotated[bool, typer.Option("--expand", help="Show every layer instead of folding repeats.")] = False,
    trace: Annotated[
        str | None, typer.Option(metavar="FILE", help="Also write a Chrome trace of one step (JSON).")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Also draw a roofline plot: .svg, .png or .pdf."),
    ] = None,
    let: Lets = None,
    format_: Format = "table",
) -> int:
    """Measure every layer's time and memory in PyTorch.

    Shows medians over several steps after a warm-up, with FLOP/s and bytes per second, the share of a device's
    roofline, the bytes saved for the backward pass, and the slowest operators or kernels. Needs the extra `torch`.

    \b
    Examples:
      convsize profile specs/resnet18.spec
      convsize profile specs/vgg_d.spec --infer --batch 1 --threads 1
      convsize profile specs/resnet50.spec --against h200 -o roofline.svg
    """
    from convsize import api, devices, files
    from convsize.analyses.memory.step import require_known
    from convsize.cli import terminal
    from convsize.cli.progress import Progress
    from convsize.cli.queue import Turns
    from convsize.errors import UsageError
    from convsize.records import TrainingSetting
    from convsize.runtime.child.apart import Apart
    from convsize.views.answers import profile as view

    turns = Turns(specs, expression, let, input_)
    if turns.several:
        raise UsageError("one network is profiled at a time: name one file, or use -e")
    suffix = None
    if output is not None:
        from convsize.views.canvas.file import picture_suffix

        suffix = picture_suffix(output, "a plot")
    batch = samples(batch, training=train)
    setting = TrainingSetting(batch, optimizer, dtype, device=device, inference=not train)
    require_known(setting)
    machine = devices.of_machine(device) if against is None else against
    roof = None if machine is None else devices.load(machine)
    api.require_torch()
    for name, where in turns.asked:
        with turns.turn(name):
            network = turns.read(name, where)
            report = network.analyze(batch=batch, dtype=dtype)
            turns.say(report)

            def measured(network: api.Network) -> tuple[Profile, bytes | None]:
                from convsize.runtime.profile.profile import WARM_UP, profile

                with Progress(2 * (WARM_UP + repeats), sys.stderr) as progress:
                    return profile(
                        network,
                        setting,
                        repeats=repeats,
                        threads=threads,
                        against=roof,
                        trace=trace is not None,
                        told=progress.step,
                    )

            def again(network: api.Network, note: Note) -> None:
                from convsize.runtime.child.blame import training_steps

                training_steps(network, setting, note)

            advice = "`convsize time` predicts what cannot be measured"
            found, document = Apart(measured, advice, again)(network)
            if trace is not None and document is not None:
                files.write(trace, document)
            if output is not None and suffix is not None:
                from convsize.views.answers.pictures.roofline import scene

                files.write(output, scene(found, report.layers).file(suffix))
            if format_ == "json":
                terminal.write(view.render_json(found))
            else:
                width, paint = terminal.width(sys.stdout), terminal.paint(sys.stdout)
                terminal.write(view.render(found, report.layers, folded=not expand, width=width, paint=paint))
    return turns.code

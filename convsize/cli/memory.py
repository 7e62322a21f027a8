"""`convsize memory`: what training a network holds in memory."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from convsize.cli.options import Accumulated, Expressions, Frozen, Inputs, Lets, Optimizer, Specs, TrainingType
from convsize.errors import ExitCode


def command(
    specs: Specs = None,
    expression: Expressions = None,
    input_: Inputs = None,
    batch: Annotated[int, typer.Option(help="Samples in a batch.")] = 32,
    optimizer: Optimizer = "momentum",
    dtype: TrainingType = "float32",
    freeze: Frozen = None,
    accumulate: Accumulated = 1,
    what_if: Annotated[bool, typer.Option("--what-if", help="The peak under other optimizers and types, too.")] = False,
    let: Lets = None,
    format_: Annotated[
        Literal["table", "json"], typer.Option("--format", "-f", help="How to write the answer.")
    ] = "table",
) -> int:
    """Says what training holds in memory, byte by byte, without PyTorch.

    The peak of a step with its layer and moment, what lives there, what autograd saves for backward, and the course of
    the step. The figures are those of PyTorch on a CPU at operator boundaries, in training mode with cross entropy; a
    softmax at the end is left out, activations work in place where they can.

    \b
    Examples:
      convsize memory specs/resnet50.spec --batch 64 --optimizer adamw
      convsize memory specs/vgg_d.spec --freeze 'conv*' --what-if
      convsize memory specs/unet.spec --batch 1 --format json
    """
    from convsize import api
    from convsize.analyses.training_memory import training_memory, what_if_choices
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.errors import SpecError, UsageError
    from convsize.records import TrainingSetting
    from convsize.views import memory as view

    setting = TrainingSetting(batch, optimizer, dtype, tuple(freeze or ()), accumulate)
    shapes = named.inputs(input_ or ())
    numbers = named.lets(let or ())
    asked = list(named.sources(specs or (), expression or ()))
    found = []
    code = ExitCode.OK
    for name, where in asked:
        try:
            network = api.from_source(named.read(where), name=name, lets=numbers, inputs=shapes)
            terminal.report_diagnostics(network.diagnostics, network.source)
            if any(each.severity == "error" for each in network.diagnostics):
                code = max(code, ExitCode.FINDINGS)
                continue
            memory = training_memory(network, setting)
            choices = what_if_choices(network, setting) if what_if else ()
        except SpecError as error:
            terminal.report_diagnostics(error.diagnostics, error.source)
            code = max(code, ExitCode.FINDINGS)
            continue
        except UsageError as error:
            if len(asked) == 1:
                raise
            terminal.complain(str(error))
            code = max(code, ExitCode.USAGE)
            continue
        found.append((memory, choices))
        if format_ == "table":
            text = view.render(memory, choices, width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout))
            terminal.write(text if len(found) == 1 else f"\n\n{text}")
    if format_ == "json" and found:
        terminal.write(view.render_json(found, several=len(asked) > 1))
    return code

"""`convsize fit`: the largest batch that can be trained within a budget of memory."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from convsize.cli.options import Accumulated, Expressions, Frozen, Inputs, Lets, Optimizer, Specs, TrainingType
from convsize.errors import ExitCode

_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def command(
    specs: Specs = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="The budget, such as 16GiB, 80GB or 512MiB.", show_default=False)
    ] = "",
    expression: Expressions = None,
    input_: Inputs = None,
    optimizer: Optimizer = "momentum",
    dtype: TrainingType = "float32",
    freeze: Frozen = None,
    accumulate: Accumulated = 1,
    let: Lets = None,
    format_: Annotated[
        Literal["table", "json"], typer.Option("--format", "-f", help="How to write the answer.")
    ] = "table",
) -> int:
    """Says the largest batch that can be trained within a budget of memory, and what limits it.

    The budget is compared with the peak of a training step as `convsize memory` gives it: what PyTorch holds on a CPU
    at operator boundaries. Kernels, allocators and a GPU's own context take more. Ends with 1 where no batch fits.

    \b
    Examples:
      convsize fit specs/resnet50.spec --memory 16GiB
      convsize fit specs/vgg_d.spec --memory 8GiB --optimizer adamw --freeze 'conv*'
    """
    from convsize import api
    from convsize.analyses.training_fit import largest_batch
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.errors import SpecError, UsageError
    from convsize.records import TrainingSetting
    from convsize.views import memory as view

    budget = _bytes(memory)
    setting = TrainingSetting(1, optimizer, dtype, tuple(freeze or ()), accumulate)
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
            fit = largest_batch(network, setting, budget)
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
        if not fit.batch:
            code = max(code, ExitCode.FINDINGS)
        found.append(fit)
        if format_ == "table":
            text = view.render_fit(fit, setting, width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout))
            terminal.write(text if len(found) == 1 else f"\n\n{text}")
    if format_ == "json" and found:
        terminal.write(view.render_fit_json(found, several=len(asked) > 1))
    return code


def _bytes(text: str) -> int:
    """`16GiB` as bytes. Raises UsageError where it is not so."""
    from convsize.errors import UsageError

    number = text.rstrip("KMGTiB")
    unit = text[len(number) :]
    digits = number.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15 and unit in {"", *_UNITS}):
        raise UsageError(f"--memory takes a size such as 16GiB, 80GB or 512MiB, not `{text}`")
    from fractions import Fraction

    return int(Fraction(number) * _UNITS.get(unit, 1))

"""`convsize fit`: the largest batch that can be trained within a budget of memory."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from convsize.errors import ExitCode

_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def command(
    specs: Annotated[
        list[str] | None, typer.Argument(metavar="[SPEC]...", help="Spec files; - reads standard input.")
    ] = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="The budget, such as 16GiB, 80GB or 512MiB.", show_default=False)
    ] = "",
    expression: Annotated[
        list[str] | None, typer.Option("--expression", "-e", metavar="TEXT", help="A spec on the command line.")
    ] = None,
    input_: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="[NAME=]SHAPE",
            help="The input's volume, such as 3@32x32: instead of the one in the file, or where there is none.",
        ),
    ] = None,
    optimizer: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="sgd, momentum, adam or adamw; sgd-l2, momentum-l2 or adam-l2 with weight decay."
        ),
    ] = "momentum",
    dtype: Annotated[
        str, typer.Option(metavar="TYPE", help="float32, float64 or bfloat16, for the whole network.")
    ] = "float32",
    freeze: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYERS", help="Layers that are not trained, such as conv1 or 'down*'; may be repeated."),
    ] = None,
    accumulate: Annotated[int, typer.Option(help="Batches whose gradients are summed before a step.")] = 1,
    let: Annotated[
        list[str] | None, typer.Option(metavar="NAME=NUMBER", help="A number instead of the one a `let` line gives.")
    ] = None,
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

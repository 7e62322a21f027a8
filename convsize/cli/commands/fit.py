"""`convsize fit`: the largest batch or input that can be trained within a budget of memory."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from convsize.cli.options import (
    Accumulated,
    Autocast,
    Checkpoints,
    Expressions,
    Format,
    Frozen,
    Inputs,
    Lets,
    Optimizer,
    Specs,
    TrainingType,
)

_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def command(
    specs: Specs = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="The budget, such as 16GiB, 80GB or 512MiB.", show_default=False)
    ] = "",
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="One of `convsize devices`, such as h200: its memory is the budget; or cpu or cuda."
        ),
    ] = None,
    largest: Annotated[
        Literal["batch", "input"], typer.Option(help="What to look for; an input grows along all axes.")
    ] = "batch",
    batch: Annotated[int | None, typer.Option(help="Samples in a batch, for the largest input (default: 1).")] = None,
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

    The budget is compared with what training takes as `convsize memory` gives it: on a CPU the tensors at operator
    boundaries, on a GPU what its allocator reserves for them, and what else is known. Ends with 1 where nothing fits.

    \b
    Examples:
      convsize fit specs/resnet50.spec --memory 16GiB
      convsize fit specs/resnet50.spec --device h200 --autocast bfloat16
      convsize fit specs/unet.spec --memory 8GiB --largest input --batch 2
      convsize fit specs/vgg_d.spec --memory 8GiB --optimizer adamw --freeze 'conv*'
    """
    from convsize.analyses.memory.fit import largest_batch, largest_input
    from convsize.cli import terminal
    from convsize.cli.device_option import device_of
    from convsize.cli.queue import Turns
    from convsize.errors import UsageError
    from convsize.records import BatchFit, InputFit, TrainingSetting
    from convsize.views.answers import fit as view

    kind, known = device_of(device or "cpu")
    if memory:
        budget = _bytes(memory)
    elif device is None:
        raise UsageError("give a budget: --memory 16GiB, or a device of `convsize devices`: --device h200")
    elif known is None or known.memory is None:
        raise UsageError(f"the memory of `{device}` is not known: give it by --memory, such as 16GiB")
    else:
        budget = known.memory
    if batch is not None and largest == "batch":
        raise UsageError("--batch is for the largest input: add --largest input, or leave it out")
    setting = TrainingSetting(
        batch=1 if batch is None else batch,
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
                fit = largest_batch(network, setting, budget, known)
            else:
                fit = largest_input(network, setting, budget, known, turns.lets)
            if fit.fits is None:
                turns.failed()
            found.append(fit)
            if format_ == "table":
                title = None if known is None else known.title
                paint = terminal.paint(sys.stdout)
                text = view.render(fit, setting, device=title, width=terminal.width(sys.stdout), paint=paint)
                terminal.write(text if len(found) == 1 else f"\n\n{text}")
    if format_ == "json" and found:
        terminal.write(view.render_json(found, setting, several=turns.several))
    return turns.code


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

"""Options that several commands take, so that they are called and explained alike everywhere."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from convsize.batches import LARGEST_BATCH, TRAINING_BATCH
from convsize.cli.units import dtype
from convsize.errors import UsageError


def whole(text: str, least: int, most: int | None = None, **options: Any) -> Any:
    """An option that takes a whole number; its help and its error say from where to where.

    text: its help, without the limits. options are those of typer.Option; names: its names where it has a short one.
    """
    limits = f"at least {least:,}" if most is None else f"{least:,} to {most:,}"

    def checked(param: typer.CallbackParam, value: int | None) -> int | None:
        if value is not None and (value < least or (most is not None and value > most)):
            raise UsageError(f"{param.opts[0]} takes a whole number, {limits}, not {value:,}")
        return value

    end = min(at for at, char in enumerate(f"{text}:") if char in ":;")
    return typer.Option(
        *options.pop("names", ()),
        metavar="N",
        help=f"{text[:end]}, {limits}{text[end:]}.",
        callback=checked,
        **options,
    )


def number(text: str) -> Any:
    """An option that takes any number; what it may be is checked where it is used."""
    return typer.Option(metavar="NUMBER", help=text)


Batch = Annotated[int, whole("Samples per batch", 1, LARGEST_BATCH)]
"""What is asked of one sample unless more are named."""

TrainingBatch = Annotated[
    int | None,
    whole("Samples per batch", 1, LARGEST_BATCH, show_default=f"{TRAINING_BATCH} for a training step, else 1"),
]
"""What may be asked of a training step, which has more samples than a forward pass."""


ASSUMED_DEVICE = "h100"
"""What a prediction is about where no device and no memory is named; the answer says so."""


def assumed(width: int) -> str:
    """The line below an answer for a device that was not named."""
    from convsize.views.text.layout import wrapped

    text = f"No --device was named: {ASSUMED_DEVICE} is assumed. `convsize devices` lists what there is."
    return "\n" + "\n".join(wrapped(text, width)) + "\n"


Specs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SPEC]...", help="Spec files, or models to import such as timm:convnext_tiny; - reads standard input."
    ),
]

Expressions = Annotated[
    list[str] | None, typer.Option("--expression", "-e", metavar="TEXT", help="Spec given on the command line.")
]

Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="[NAME=]SHAPE",
        help="Set the input shape, such as 3@32x32.",
    ),
]

Format = Annotated[Literal["table", "json"], typer.Option("--format", "-f", help="Output format.")]

Lets = Annotated[
    list[str] | None,
    typer.Option("--let", metavar="NAME=NUMBER", help="Override a number that a `let` line defines."),
]

Optimizer = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="sgd, momentum, nesterov, adam or adamw; with weight decay: sgd-l2 and so on (not adamw)."
    ),
]

Type = Annotated[str, typer.Option(metavar="TYPE", help="float64, float32, float16 or bfloat16.", callback=dtype)]

TrainingType = Annotated[
    str,
    typer.Option(
        metavar="TYPE", help="Type of the whole network: float64, float32, float16 or bfloat16.", callback=dtype
    ),
]

Frozen = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LAYERS",
        help="Layers to freeze: conv1, 'down*', or @features for all layers up to that value; repeatable.",
    ),
]

Accumulated = Annotated[int, whole("Batches accumulated per step", 1)]

Autocast = Annotated[
    str | None,
    typer.Option(
        metavar="TYPE",
        help="Run under torch.autocast with bfloat16 or float16; weights stay float32.",
        callback=dtype,
    ),
]

Against = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        help="Device to compare with, such as h200, or a device file.",
        show_default="this machine, if calibrated",
    ),
]

Memory = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="Memory to fit into, such as 16GiB or 80GB; replaces the device's."),
]

Reserve = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Memory kept free for what is not predicted, such as the CUDA context.",
        show_default="up to 1GiB on a GPU, 0 on a CPU",
    ),
]

Losses = Annotated[
    list[str] | None,
    typer.Option(
        "--loss",
        metavar="[OUTPUT=]LOSS",
        help="cross-entropy, mse or smooth-l1, for all outputs or one (box=smooth-l1); repeatable.",
        show_default="cross-entropy",
    ),
]

Checkpoints = Annotated[
    list[str] | None,
    typer.Option(
        "--checkpoint",
        metavar="BLOCKS",
        help="Blocks to checkpoint, such as 'bot*': recomputed in the backward pass instead of saved; repeatable.",
    ),
]

InPlace = Annotated[
    bool,
    typer.Option("--in-place/--no-in-place", help="Let activations overwrite their input where that saves memory."),
]

"""Options that several commands take, so that they are called and explained alike everywhere."""

from typing import Annotated, Literal

import typer

from convsize.cli.units import dtype

Specs = Annotated[list[str] | None, typer.Argument(metavar="[SPEC]...", help="Spec files; - reads standard input.")]

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

Accumulated = Annotated[int, typer.Option(help="Batches accumulated per step.")]

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

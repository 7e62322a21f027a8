"""Options that several commands take, so that they are called and explained alike everywhere."""

from typing import Annotated, Literal

import typer

from convsize.cli.units import dtype

Specs = Annotated[list[str] | None, typer.Argument(metavar="[SPEC]...", help="Spec files; - reads standard input.")]

Expressions = Annotated[
    list[str] | None, typer.Option("--expression", "-e", metavar="TEXT", help="A spec on the command line.")
]

Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="[NAME=]SHAPE",
        help="The input's volume, such as 3@32x32: instead of the one in the file, or where there is none.",
    ),
]

Format = Annotated[Literal["table", "json"], typer.Option("--format", "-f", help="How to write the answer.")]

Lets = Annotated[
    list[str] | None,
    typer.Option("--let", metavar="NAME=NUMBER", help="A number instead of the one a `let` line gives."),
]

Optimizer = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="sgd, momentum, adam or adamw; sgd-l2, momentum-l2 or adam-l2 with weight decay."
    ),
]

Type = Annotated[str, typer.Option(metavar="TYPE", help="float64, float32, float16 or bfloat16.", callback=dtype)]

TrainingType = Annotated[
    str,
    typer.Option(metavar="TYPE", help="float32, float64, bfloat16 or float16, for the whole network.", callback=dtype),
]

Frozen = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LAYERS",
        help="Layers that are not trained: conv1, 'down*', or @features for all up to that value; may be repeated.",
    ),
]

Accumulated = Annotated[int, typer.Option(help="Batches whose gradients are summed before a step.")]

Autocast = Annotated[
    str | None,
    typer.Option(
        metavar="TYPE",
        help="Compute in bfloat16 or float16 where torch.autocast does; weights are float32.",
        callback=dtype,
    ),
]

Against = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        help="The device, h200 or a device file, whose figures are held against what is measured (default: this "
        "machine's, where it was calibrated).",
    ),
]

Memory = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="The memory to fit into, such as 16GiB or 80GB, instead of the device's."),
]

Reserve = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Memory to keep free for what is not predicted, such as CUDA's context.",
        show_default="up to 1GiB on a GPU, 0 on a CPU",
    ),
]

Losses = Annotated[
    list[str] | None,
    typer.Option(
        "--loss",
        metavar="[OUTPUT=]LOSS",
        help="cross-entropy, mse or smooth-l1, for all outputs or for one: box=smooth-l1; may be repeated.",
        show_default="cross-entropy",
    ),
]

Checkpoints = Annotated[
    list[str] | None,
    typer.Option(
        "--checkpoint",
        metavar="BLOCKS",
        help="Blocks, such as 'bot*', that are run again in the backward pass instead of being kept; may be repeated.",
    ),
]

InPlace = Annotated[
    bool, typer.Option("--in-place/--no-in-place", help="Activations overwrite their input where that saves memory.")
]

"""`convsize verify`: what is predicted of a network, and what PyTorch then does."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convsize.batches import LARGEST_BATCH
from convsize.cli.options import (
    Against,
    Autocast,
    Expressions,
    Format,
    Inputs,
    Lets,
    Optimizer,
    Specs,
    TrainingType,
    whole,
)

if TYPE_CHECKING:
    from convsize.errors import Source
    from convsize.records import Receipt
    from convsize.runtime.child.apart import Note

    _Asked = tuple[str, Source]


def command(
    specs: Specs = None,
    expression: Expressions = None,
    device: Annotated[
        Literal["cpu", "cuda", "meta"],
        typer.Option(help="Device to measure on; meta works out shapes and calls without computing."),
    ] = "cpu",
    batch: Annotated[int | None, whole("Samples per batch", 1, LARGEST_BATCH, show_default="both 1 and 3")] = None,
    dtype: TrainingType = "float32",
    autocast: Autocast = None,
    optimizer: Optimizer = "momentum",
    against: Against = None,
    format_: Format = "table",
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Also write every receipt as NAME.json into this folder."
        ),
    ] = None,
    input_: Inputs = None,
    let: Lets = None,
) -> int:
    """Compare every prediction with PyTorch and print a receipt.

    Compares every layer's output volume, every parameter and buffer by name and shape, multiply-adds forward and
    backward, the bytes that autograd saves for the backward pass, the peak of a training step, the exported source,
    and receptive fields by gradients at the input. If this machine is calibrated, times are compared as well. The exit
    code is 1 if a prediction fails and 4 if PyTorch ends the process that measures. Needs the extra `torch`.

    \b
    Examples:
      convsize verify specs/lenet5.spec
      convsize verify specs/*.spec --device meta
      convsize verify specs/resnet18.spec --batch 8 --format json > resnet18.json
      convsize verify specs/*.spec --device cuda --batch 8 -o receipts
    """
    from convsize import api, devices, files
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.cli.progress import Progress
    from convsize.cli.queue import Turns
    from convsize.records import TrainingSetting
    from convsize.runtime.child.apart import Apart
    from convsize.views.answers import receipt as view

    api.require_torch()
    if output is not None:
        files.make_folder(output)
    machine = devices.of_machine(device) if against is None else against
    receipts: list[Receipt] = []
    turns = Turns(specs, expression, let, input_)

    def network_of(asked: _Asked) -> api.Network:
        return api.from_source(asked[1], name=asked[0], lets=turns.lets, inputs=turns.inputs)

    def measured(asked: _Asked) -> Receipt:
        return network_of(asked).verify(
            device=device,
            batches=(1, 3) if batch is None else (batch,),
            dtype=dtype,
            optimizer=optimizer,
            autocast=autocast,
            against=machine,
            apart=False,
        )

    def again(asked: _Asked, note: Note) -> None:
        from convsize.runtime.child.blame import training_steps

        training_steps(network_of(asked), TrainingSetting(batch or 3, dtype=dtype, autocast=autocast), note)

    advice = "--device meta compares shapes, parameters and calls without computing"
    measure = Apart(measured, advice, None if device == "meta" else again)
    with Progress(len(turns.asked), sys.stderr, patience=0) as progress:  # importing PyTorch alone takes a second
        turns.before = progress.make_room
        for done, (name, where) in enumerate(turns.asked):
            if done:
                progress.step()
            with turns.turn(name):
                source = named.read(where)
                turns.say(turns.read(name, source).analyze())
                receipt = measure((name, source))
                if not receipt.holds:
                    turns.failed()
                receipts.append(receipt)
                if output is not None:
                    path = os.path.join(output, f"{receipt.name}.json")  # noqa: PTH118 (pathlib costs a start)
                    files.write(path, view.document([receipt], several=False).encode("utf-8", "replace"))
                if format_ == "table":
                    text = view.render(receipt, width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout))
                    progress.make_room()
                    terminal.write(text if len(receipts) == 1 else f"\n{text}")
    if format_ == "json" and receipts:
        terminal.write(view.document(receipts, several=turns.several))
    return turns.code

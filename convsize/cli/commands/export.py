"""`convsize export`: a network as a PyTorch file, as an ONNX model, or as the calls that make it."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from convsize.cli.options import Inputs, Lets
from convsize.errors import ExitCode


def command(
    spec: Annotated[str | None, typer.Argument(metavar="[SPEC]", help="Spec file; - reads standard input.")] = None,
    expression: Annotated[
        str | None, typer.Option("--expression", "-e", metavar="TEXT", help="Spec given on the command line.")
    ] = None,
    to: Annotated[
        Literal["torch", "onnx", "json"] | None,
        typer.Option(
            help="Python source, an ONNX model, or the PyTorch calls as JSON.",
            show_default="as FILE ends: .onnx, .json, else torch",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to this file.", show_default="standard output"),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Weights of the ONNX model (safetensors).", show_default="freshly initialized"
        ),
    ] = None,
    logits: Annotated[
        bool, typer.Option("--logits", help="Omit a softmax that ends an output; training losses take logits.")
    ] = False,
    input_: Inputs = None,
    let: Lets = None,
) -> int:
    """Write a network as PyTorch source, ONNX or JSON.

    The Python file depends on PyTorch alone. Parameters have the names that `analyze` shows, so state_dicts can be
    exchanged. The ONNX model has the same names, a dynamic batch size and the weights of --init; it needs the extra
    `onnx`.

    \b
    Examples:
      convsize export specs/resnet50.spec -o resnet50.py
      convsize export specs/vgg_d.spec --logits -o vgg.py
      convsize export specs/lenet5.spec --init lenet5.safetensors -o lenet5.onnx
      convsize export -e 'CRCRP FC10' --input 3@32x32 --to json
    """
    from convsize import api, files
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.errors import UsageError
    from convsize.lowering.plan import lower

    if spec is not None and expression is not None:
        raise UsageError("one spec makes one file: name a file or use -e, not both")
    asked = named.sources([] if spec is None else [spec], [] if expression is None else [expression])
    if to is None:
        ends = (output or "").lower()
        to = "onnx" if ends.endswith(".onnx") else "json" if ends.endswith(".json") else "torch"
    if init is not None and to != "onnx":
        raise UsageError(f"--init is for --to onnx: --to {to} writes no weights")
    (name, where), *_ = asked
    network = api.from_source(
        named.read(where), name=name, lets=named.lets(let or ()), inputs=named.inputs(input_ or ())
    )
    report = [each for each in network.diagnostics if each.severity == "error"]
    if report:
        terminal.report_diagnostics(report, network.source)
        return ExitCode.FINDINGS
    plan = lower(network, logits=logits)
    if to == "onnx":
        if output is None and sys.stdout.isatty():
            raise UsageError("an ONNX model is binary: name a file with -o, or pipe the output")
        api.require_torch()
        from pathlib import Path

        from convsize.runtime.onnx import onnx_bytes

        model = onnx_bytes(plan, weights=None if init is None else Path(init))
        if output is None:
            sys.stdout.buffer.write(model)
        else:
            files.write(output, model)
        return ExitCode.OK
    if to == "torch":
        from convsize.lowering.source.file import write

        text = write(plan)
    else:
        from convsize.lowering.document import document

        text = document(plan)
    if output is None:
        terminal.write(text)
        return ExitCode.OK
    files.write(output, text.encode())
    return ExitCode.OK

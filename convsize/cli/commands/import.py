"""`convsize import`: an existing model as a spec, proved equal."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import Annotated

import typer

from convsize.cli.options import Inputs
from convsize.errors import ExitCode


def command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="torchvision:NAME, timm:NAME, package.module:factory(arguments), file.py:Class(arguments), or a file: "
            ".onnx, .keras, Keras's .json or .h5, or pasted text as .txt, .py or -.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the spec to this file.", show_default="standard output"
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Weights of the model (safetensors); written beside the spec under the spec's names.",
            show_default="none",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the network.", show_default="the model's")
    ] = None,
    input_: Inputs = None,
) -> int:
    """Write the spec of an existing model and prove it equal.

    The model is built without its weights and captured for one size of input: the one that it was published for, or
    --input. What a module of yours does while it is built is run. Every layer's volume and every parameter is compared;
    then model and spec are run beside each other in float64 with the same random weights. Only what came out equal is
    written. Where a spec cannot say what the model computes, every obstacle is named and the exit code is 1. Needs the
    extra `torch`, and the library that the model is from.

    A file is read as data, and nothing of it is run: the calls that it was read as run beside the spec, where PyTorch
    is there. ONNX files need the package onnx.

    \b
    Examples:
      convsize import torchvision:resnet50
      convsize import timm:convnext_tiny -o convnext_tiny.spec
      convsize import timm:resnet50 --weights model.safetensors -o resnet50.spec
      convsize import my_package.models:net(width=64) --input 3@32x32
      convsize import model.onnx -o model.spec
      echo "nn.Sequential(nn.Conv2d(3, 8, 3))" | convsize import - -i 3@32x32
    """
    from convsize import files, sources
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.errors import UsageError
    from convsize.importing.fronts import is_file

    given = named.inputs(input_ or ())
    if weights is not None and output is None:
        raise UsageError("--weights writes a file beside the spec: name the spec's with -o")
    target = f"{(output or '').removesuffix('.spec')}.safetensors"
    if weights is not None and os.path.abspath(weights) == os.path.abspath(target):  # noqa: PTH100 (pathlib costs a start)
        raise UsageError(f"--weights would overwrite `{weights}`: call the spec otherwise")
    if sources.is_source(source):
        found = sources.import_source(source, given, name, weights=weights, target=target)
    elif is_file(source) and weights is None:
        found = sources.import_file(source, given, name)
    elif is_file(source):
        raise UsageError("--weights is for models of PyTorch by name")
    else:
        raise UsageError(f"`{source}` names no model: {sources.FORMS}")
    if output is None:
        terminal.write(found.text)
    else:
        files.write(output, found.text.encode())
    for line in found.receipt():
        for part in textwrap.wrap(line, terminal.width(sys.stderr), subsequent_indent="  "):
            sys.stderr.write(f"{part}\n")
    return ExitCode.OK

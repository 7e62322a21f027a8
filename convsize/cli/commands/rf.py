"""`convsize rf`: the receptive field of a layer, drawn on the input."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from convsize.cli.options import Lets
from convsize.errors import ExitCode

LARGEST_IMAGE = 8 * 2**20
"""Bytes. The image stands in the picture as it is, and nobody wants to look at a larger file."""

_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def command(
    spec: Annotated[str | None, typer.Argument(metavar="SPEC", help="Spec file; - reads standard input.")] = None,
    layer: Annotated[
        str | None,
        typer.Argument(
            metavar="[LAYER]", help="Layer name, as `analyze` lists it.", show_default="the last layer with positions"
        ),
    ] = None,
    expression: Annotated[
        str | None, typer.Option("--expression", "-e", metavar="TEXT", help="Spec given on the command line.")
    ] = None,
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="[NAME=]SHAPE", help="Set the input shape, such as 3@32x32."),
    ] = None,
    let: Lets = None,
    on: Annotated[
        str | None,
        typer.Option(metavar="INPUT", help="Input on which it is shown.", show_default="the first that the layer sees"),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Draw a picture: .svg, .png or .pdf.")
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(metavar="PHOTO", help="PNG or JPEG to draw on, cropped to the input's shape; SVG only."),
    ] = None,
    theme: Annotated[
        Literal["light", "dark"] | None, typer.Option(help="Background of the picture.", show_default="light")
    ] = None,
) -> int:
    """Show which part of the input each layer sees.

    Without -o this is a table: the extent of the receptive field (RF), the jump between neighbouring units, the start
    of the first unit's field, and how many of its pixels lie outside the input.

    \b
    Examples:
      convsize rf specs/vgg_d.spec
      convsize rf specs/resnet50.spec down3.relu1 -o rf.svg
      convsize rf specs/googlenet.spec inc3.cat1 --image photo.jpg -o rf.svg
      convsize rf -e 'CRCRP' --input 3@32x32
    """
    from convsize import api, files
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.errors import UsageError
    from convsize.views.drawing import receptive_field as view

    if spec is not None and expression is not None:
        if layer is not None:
            raise UsageError("one picture shows one network: name a file or use -e, not both")
        spec, layer = None, spec  # with -e the only argument is the layer
    if output is None and (image is not None or theme is not None):
        raise UsageError("--image and --theme are for pictures: name a file with -o rf.svg")
    suffix = None
    if output is not None:
        from convsize.views.canvas.file import picture_suffix

        suffix = picture_suffix(output, "a receptive field")
        if image is not None and suffix != "svg":
            raise UsageError("--image needs an SVG: use -o rf.svg")
    photo = None if image is None else data_uri(image)
    shapes = named.inputs(input_ or ())
    numbers = named.lets(let or ())
    ((name, where),) = named.sources([spec] if spec else [], [expression] if expression else [])
    report = api.from_source(named.read(where), name=name, lets=numbers, inputs=shapes).analyze()
    terminal.report_diagnostics(report.diagnostics, report.source)
    wrong = any(found.severity == "error" for found in report.diagnostics)
    way = view.way(report, layer, on)
    if output is None or suffix is None:
        text = view.render(report, way, width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout))
        terminal.write(text)
    else:
        files.write(output, view.scene(report, way, image=photo, theme=theme or "light").file(suffix))
    return ExitCode.FINDINGS if wrong else ExitCode.OK


def data_uri(path: str) -> str:
    """An image file as a data URI. Raises UsageError where there is none, or where it is no PNG or JPEG."""
    import base64

    from convsize import files
    from convsize.errors import UsageError

    data = files.read(path, LARGEST_IMAGE + 1)
    if data is None:
        raise UsageError(f"there is no file `{path}`")
    if len(data) > LARGEST_IMAGE:
        raise UsageError(f"`{path}` is larger than {LARGEST_IMAGE:,} bytes: scale it down")
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            return f"data:{kind};base64,{base64.b64encode(data).decode()}"
    raise UsageError(f"`{path}` is neither a PNG nor a JPEG file")

"""`convsize draw`: a picture of a network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convsize.cli.options import Lets
from convsize.errors import ExitCode

if TYPE_CHECKING:
    pass


def command(
    spec: Annotated[str | None, typer.Argument(metavar="[SPEC]", help="Spec file; - reads standard input.")] = None,
    expression: Annotated[
        str | None, typer.Option("--expression", "-e", metavar="TEXT", help="Spec given on the command line.")
    ] = None,
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="[NAME=]SHAPE", help="Set the input shape, such as 3@32x32."),
    ] = None,
    let: Lets = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a file: .svg, .png, .pdf, .dot or .mmd (Mermaid)."),
    ] = None,
    style: Annotated[
        Literal["graph", "volumes"],
        typer.Option(help="graph: layers and blocks; volumes: boxes in perspective, as in papers."),
    ] = "graph",
    detail: Annotated[
        Literal["network", "block", "layer"] | None,
        typer.Option(help="One shape per stage of equal resolution, per block, or per layer.", show_default="block"),
    ] = None,
    direction: Annotated[
        Literal["tb", "lr"] | None,
        typer.Option(help="Top to bottom (tb) or left to right (lr).", show_default="tb"),
    ] = None,
    heat: Annotated[
        Literal["parameters", "macs", "memory", "receptive_field"] | None,
        typer.Option(help="Colour by share of this cost instead of by kind of layer."),
    ] = None,
    theme: Annotated[
        Literal["light", "dark"] | None, typer.Option(help="Background of the picture.", show_default="light")
    ] = None,
    scale: Annotated[
        Literal["log", "linear"] | None,
        typer.Option(help="Scale of the box sides in --style volumes.", show_default="log"),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Draw nothing; exit with 1 if the file is out of date."),
    ] = False,
) -> int:
    """Draw a network as text, SVG, PNG, PDF, DOT or Mermaid.

    Repeats are folded: ×3 stands for three equal iterations. The same network gives the same file, byte for byte.

    \b
    Examples:
      convsize draw specs/resnet152.spec
      convsize draw specs/googlenet.spec -o googlenet.svg
      convsize draw specs/unet.spec -o unet.png --detail layer --heat memory
      convsize draw specs/lenet5.spec -o lenet5.svg --style volumes
      convsize draw specs/resnet50.spec -o resnet50.svg --check
    """
    from convsize import api, files
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.errors import UsageError

    if spec is not None and expression is not None:
        raise UsageError("one picture shows one network: name a file or use -e, not both")
    if check and output is None:
        raise UsageError("--check needs -o FILE, the picture to check")
    suffix = None
    if output is not None:
        from convsize.views.canvas.file import suffix_of

        suffix = suffix_of(output)
    given = {
        "--detail": detail is not None,
        "--direction": direction is not None,
        "--theme": theme is not None,
        "--scale": scale is not None,
    }
    _refuse_mixed(style, suffix, given)
    detail, direction, theme, scale = detail or "block", direction or "tb", theme or "light", scale or "log"
    shapes = named.inputs(input_ or ())
    numbers = named.lets(let or ())
    ((name, where),) = named.sources([spec] if spec else [], [expression] if expression else [])
    network = api.from_source(named.read(where), name=name, lets=numbers, inputs=shapes)
    report = network.analyze()
    terminal.report_diagnostics(terminal.advised(report, network.file, numbers, shapes), report.source)
    wrong = any(found.severity == "error" for found in report.diagnostics)
    code = ExitCode.FINDINGS if wrong else ExitCode.OK

    if output is None or suffix is None:
        from convsize.views.drawing import text

        shown = text.render(
            report, detail=detail, heat=heat, width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout)
        )
        terminal.write(shown)
        return code

    from convsize.views.drawing.picture import picture

    drawn = picture(
        report, suffix, style=style, detail=detail, direction=direction, heat=heat, theme=theme, scale=scale
    )
    if check:
        return max(code, checked(output, drawn.description))
    files.write(output, drawn.draw())
    return code


def checked(path: str, description: str) -> ExitCode:
    """Whether a picture was drawn from this description; says so if not."""
    from convsize import files
    from convsize.cli import terminal
    from convsize.views.canvas.file import shows

    data = files.read(path)
    if data is not None and shows(data, description):
        return ExitCode.OK
    said = "is not there" if data is None else "does not show this network, or was drawn with other options"
    terminal.complain(f"`{path}` {said}: draw it again without --check")
    return ExitCode.FINDINGS


def _refuse_mixed(style: str, suffix: str | None, given: dict[str, bool]) -> None:
    """Raises UsageError for an option that the picture has no use for, which must not look as if it had."""
    from convsize.errors import UsageError

    if style == "volumes":
        if suffix in (None, "dot", "mmd"):
            raise UsageError("--style volumes needs a file: add -o with a .svg, .png or .pdf name")
        useless = ["--detail", "--direction"]
        reason = "--style volumes always shows every volume, from left to right"
    elif suffix is None:
        useless = ["--direction", "--theme", "--scale"]
        reason = "it applies to pictures only: add -o FILE"
    else:
        useless, reason = ["--scale"], "it applies to --style volumes only"
    for option in useless:
        if given[option]:
            raise UsageError(f"{option}: {reason}")

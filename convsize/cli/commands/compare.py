"""`convsize compare`: networks side by side."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from convsize.cli.options import Expressions, Lets, Type


def command(
    specs: Annotated[
        list[str] | None, typer.Argument(metavar="SPEC SPEC...", help="Spec files; - reads standard input.")
    ] = None,
    expression: Expressions = None,
    input_: Annotated[
        list[str] | None,
        typer.Option(
            "--input", "-i", metavar="[NAME=]SHAPE", help="The input's volume for all of them, such as 3@32x32."
        ),
    ] = None,
    batch: Annotated[int, typer.Option(help="Samples in a batch; activations are for all of them.")] = 1,
    dtype: Type = "float32",
    let: Lets = None,
    format_: Annotated[
        Literal["table", "markdown", "csv", "json"], typer.Option("--format", "-f", help="How to write the answer.")
    ] = "table",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="A picture as well: costs.svg, .png or .pdf.")
    ] = None,
    theme: Annotated[
        Literal["light", "dark"] | None, typer.Option(help="The picture's background, light by default.")
    ] = None,
) -> int:
    """Compare the costs of several networks, as table or chart.

    The figures of each stand beside their ratio to those of the first one. A star marks the networks that no other
    one beats: none costs at most as much in all three, and less in one. Below stand MACs against parameters, and in
    which fifth of its depth a network spends what.

    \b
    Examples:
      convsize compare specs/resnet50.spec specs/resnext50_32x4d.spec specs/se_resnet50.spec
      convsize compare specs/*.spec -o costs.svg
      convsize compare specs/vgg_?.spec --format markdown
    """
    from convsize.cli import terminal
    from convsize.cli.queue import Turns
    from convsize.errors import UsageError
    from convsize.views.answers import comparison

    if theme is not None and output is None:
        raise UsageError("--theme is for a picture: name its file by -o costs.svg")
    suffix = None
    if output is not None:
        from convsize.views.canvas.file import picture_suffix

        suffix = picture_suffix(output, "a comparison")
    turns = Turns(specs, expression, let, input_)
    if not turns.several:
        raise UsageError("a comparison needs two networks or more; `analyze` shows a single one")
    reports = []
    for name, where in turns.asked:
        with turns.turn(name):
            report = turns.read(name, where).analyze(batch=batch, dtype=dtype)
            terminal.report_diagnostics(report.diagnostics, report.source)
            if any(found.severity == "error" for found in report.diagnostics):
                turns.failed()
            reports.append(report)
    if not reports:
        return turns.code
    entries = comparison.compare(reports)
    if output is not None and suffix is not None:
        from convsize.cli import files
        from convsize.views.answers.pictures.comparison import scene

        files.write(output, scene(entries, theme=theme or "light").file(suffix))
    if format_ == "json":
        terminal.write(comparison.render_json(entries))
    elif format_ == "csv":
        terminal.write(comparison.render_csv(entries))
    elif format_ == "markdown":
        terminal.write(comparison.render_markdown(entries))
    else:
        width, paint = terminal.width(sys.stdout), terminal.paint(sys.stdout)
        terminal.write(comparison.render(entries, width=width, paint=paint))
    return turns.code

"""`convsize compare`: networks side by side."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from convsize.cli.options import Batch, Expressions, Lets, Type


def command(
    specs: Annotated[
        list[str] | None, typer.Argument(metavar="SPEC SPEC...", help="Spec files; - reads standard input.")
    ] = None,
    expression: Expressions = None,
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="[NAME=]SHAPE", help="Set the input shape of all networks."),
    ] = None,
    batch: Batch = 1,
    dtype: Type = "float32",
    let: Lets = None,
    format_: Annotated[
        Literal["table", "markdown", "csv", "json"], typer.Option("--format", "-f", help="Output format.")
    ] = "table",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Also draw a chart: .svg, .png or .pdf.")
    ] = None,
    theme: Annotated[
        Literal["light", "dark"] | None, typer.Option(help="Background of the chart.", show_default="light")
    ] = None,
) -> int:
    """Compare the costs of several networks, as a table or chart.

    Every figure is shown with its ratio to the first network's. A star marks a network that no other beats: none
    costs less in one of the three costs and no more in the others. A plot of MACs against parameters and the share
    of the costs in every fifth of a network's depth follow.

    \b
    Examples:
      convsize compare specs/resnet50.spec specs/resnext50_32x4d.spec
      convsize compare specs/*.spec -o costs.svg
      convsize compare specs/vgg_?.spec --format markdown
    """
    from convsize.cli import terminal
    from convsize.cli.queue import Turns
    from convsize.errors import UsageError
    from convsize.views.answers import comparison

    if theme is not None and output is None:
        raise UsageError("--theme is for pictures: name a file with -o costs.svg")
    suffix = None
    if output is not None:
        from convsize.views.canvas.file import picture_suffix

        suffix = picture_suffix(output, "a comparison")
    turns = Turns(specs, expression, let, input_)
    if not turns.several:
        raise UsageError("`compare` needs at least two networks; `analyze` shows a single one")
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
        from convsize import files
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

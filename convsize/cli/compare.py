"""`convsize compare`: networks side by side."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from convsize.cli.options import Expressions, Lets
from convsize.errors import ExitCode


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
    dtype: Annotated[str, typer.Option(metavar="TYPE", help="float64, float32, float16 or bfloat16.")] = "float32",
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
    """Compares what networks cost: parameters, multiply-adds and activation memory.

    The figures of each stand beside their ratio to those of the first one. A star marks the networks that no other
    one beats: none costs at most as much in all three, and less in one. Below stand MACs against parameters, and in
    which fifth of its depth a network spends what.

    \b
    Examples:
      convsize compare specs/resnet50.spec specs/resnext50_32x4d.spec specs/se_resnet50.spec
      convsize compare specs/*.spec -o costs.svg
      convsize compare specs/vgg_?.spec --format markdown
    """
    from convsize import api
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.errors import SpecError, UsageError
    from convsize.views import comparison

    if theme is not None and output is None:
        raise UsageError("--theme is for a picture: name its file by -o costs.svg")
    suffix = None
    if output is not None:
        from convsize.views.drawing_file import suffix_of

        suffix = suffix_of(output)
        if suffix in ("dot", "mmd"):
            raise UsageError(f"a comparison is no graph: write `{output}` as .svg, .png or .pdf")
    shapes = named.inputs(input_ or ())
    numbers = named.lets(let or ())
    asked = list(named.sources(specs or (), expression or ()))
    if len(asked) < 2:
        raise UsageError("a comparison needs two networks or more; `analyze` shows a single one")
    reports = []
    code = ExitCode.OK
    for name, where in asked:
        try:
            network = api.from_source(named.read(where), name=name, lets=numbers, inputs=shapes)
        except SpecError as error:
            terminal.report_diagnostics(error.diagnostics, error.source)
            code = max(code, ExitCode.FINDINGS)
            continue
        except UsageError as error:
            terminal.complain(f"{name}: {error}")
            code = max(code, ExitCode.USAGE)
            continue
        report = network.analyze(batch=batch, dtype=dtype)
        terminal.report_diagnostics(report.diagnostics, report.source)
        if any(found.severity == "error" for found in report.diagnostics):
            code = max(code, ExitCode.FINDINGS)
        reports.append(report)
    if not reports:
        return code
    entries = comparison.compare(reports)
    if output is not None and suffix is not None:
        from convsize.cli import files
        from convsize.views.comparison_picture import scene

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
    return code

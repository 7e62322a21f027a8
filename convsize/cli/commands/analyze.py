"""`convsize analyze`: what every layer produces, sees and costs."""

import sys
from typing import Annotated, Literal

import typer

from convsize.cli.options import Batch, Expressions, Inputs, Lets, Specs, Type


def command(
    specs: Specs = None,
    expression: Expressions = None,
    input_: Inputs = None,
    batch: Batch = 1,
    dtype: Type = "float32",
    let: Lets = None,
    convention: Annotated[
        str | None,
        typer.Option(metavar="TOOL", help="Count MACs as torch, torchvision, fvcore, ptflops, thop or torchinfo does."),
    ] = None,
    format_: Annotated[
        Literal["table", "json", "csv", "markdown"], typer.Option("--format", "-f", help="Output format.")
    ] = "table",
    columns: Annotated[
        str | None, typer.Option(metavar="NAME,…", help="Columns to show, such as name,output,macs.")
    ] = None,
    expand: Annotated[bool, typer.Option("--expand", help="Show every layer instead of folding repeats.")] = False,
    sort: Annotated[str | None, typer.Option(metavar="COLUMN", help="Sort by this column, largest cost first.")] = None,
) -> int:
    """Size every layer: volume, receptive field, parameters, MACs.

    \b
    Examples:
      convsize analyze specs/vgg_d.spec
      convsize analyze specs/resnet*.spec --batch 32 --dtype float16
      convsize analyze -e 'CRCRP FC10 S' --input 3@32x32
      convsize analyze specs/resnet50.spec --input 3@384x384 --sort macs
      convsize analyze specs/vgg_d.spec --format json > vgg_d.json

    \b
    Columns: name op spec line inputs output receptive_field jump start seen
      parameters weights biases buffers macs flops output_elements
      output_bytes parameter_bytes
    """
    from convsize.cli import terminal
    from convsize.cli.queue import Turns
    from convsize.errors import UsageError

    if format_ == "json" and (columns or sort or expand):
        raise UsageError(
            "JSON always holds every layer and every figure: --columns, --sort and --expand are for tables"
        )
    if format_ == "csv" and expand:
        raise UsageError("CSV always holds every layer: --expand is for tables")
    shown = None
    order = None
    if columns is not None or sort is not None:
        from convsize.views.analysis.columns import chosen, column

        shown = None if columns is None else chosen(columns)
        order = None if sort is None else column(sort)
    turns = Turns(specs, expression, let, input_)
    reports = []
    for name, where in turns.asked:
        with turns.turn(name):
            network = turns.read(name, where)
            report = network.analyze(batch=batch, dtype=dtype, with_digest=format_ == "json", convention=convention)
            terminal.report_diagnostics(terminal.advised(report, network.file, turns.lets, turns.inputs), report.source)
            if any(found.severity == "error" for found in report.diagnostics):
                turns.failed()
            reports.append(report)
            if format_ == "table":
                from convsize.views.analysis import table

                text = table.render(
                    report,
                    width=terminal.width(sys.stdout),
                    paint=terminal.paint(sys.stdout),
                    columns=shown,
                    expand=expand,
                    sort=order,
                )
                terminal.write(text if len(reports) == 1 else f"\n\n{text}")
            elif format_ == "markdown":
                from convsize.views.analysis import markdown

                text = markdown.render(report, columns=shown, expand=expand, sort=order)
                terminal.write(text if len(reports) == 1 else f"\n{text}")

    if format_ == "table" and len(reports) > 1:
        from convsize.views.analysis import table

        text = table.summary(reports, width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout))
        terminal.write(f"\n\n{text}")
    elif format_ == "json" and reports:
        from convsize.views.analysis import json

        terminal.write(json.render(reports, several=turns.several))
    elif format_ == "csv" and reports:
        from convsize.views.analysis import csv

        terminal.write(csv.render(reports, columns=shown, sort=order))
    return turns.code

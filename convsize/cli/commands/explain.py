"""`convsize explain`: why another tool gives another figure."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convsize.cli.options import Expressions, Inputs, Lets, Specs

if TYPE_CHECKING:
    from convsize.records import ConventionCount


def command(
    figure: Annotated[Literal["macs"], typer.Argument(metavar="FIGURE", help="Figure to explain: macs.")],  # noqa: ARG001
    specs: Specs = None,
    expression: Expressions = None,
    input_: Inputs = None,
    let: Lets = None,
    tool: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="TOOL",
            help="torch, torchvision, fvcore, ptflops, thop or torchinfo.",
            show_default="all of them, in short",
        ),
    ] = None,
    format_: Annotated[Literal["table", "json"], typer.Option("--format", "-f", help="Output format.")] = "table",
) -> int:
    """Say what other tools count as multiply-adds, and why it differs.

    Tools that count FLOPs or MACs of PyTorch models agree on convolutions, and on little else. With --as, each kind of
    layer is listed with both figures and the reason where they differ.

    \b
    Examples:
      convsize explain macs specs/resnet50.spec
      convsize explain macs specs/resnet50.spec --as thop
      convsize explain macs -e 'CRCRP FC10' --input 3@32x32 --as torchinfo
    """
    from convsize.analyses.work.conventions import recount
    from convsize.cli import terminal
    from convsize.cli.queue import Turns
    from convsize.views.answers import convention as view

    names = recount.NAMES if tool is None else (recount.convention(tool).name,)
    turns = Turns(specs, expression, let, input_)
    counts: list[ConventionCount] = []
    width, paint = terminal.width(sys.stdout), terminal.paint(sys.stdout)
    for name, where in turns.asked:
        with turns.turn(name):
            network = turns.network(name, where)
            found = [network.explain(each) for each in names]
            if format_ == "table":
                if counts:
                    terminal.write("\n")
                if tool is None:
                    terminal.write(view.summary(found, width=width, paint=paint))
                else:
                    terminal.write(view.render(found[0], width=width, paint=paint))
            counts += found
    if format_ == "json" and counts:
        terminal.write(view.as_json(counts))
    return turns.code

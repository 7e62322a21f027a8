"""`convsize export`: a network as a PyTorch file, or as the calls that make it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from convsize.cli.options import Lets
from convsize.errors import ExitCode


def command(
    spec: Annotated[str | None, typer.Argument(metavar="[SPEC]", help="A spec file; - reads standard input.")] = None,
    expression: Annotated[
        str | None, typer.Option("--expression", "-e", metavar="TEXT", help="A spec on the command line.")
    ] = None,
    to: Annotated[
        Literal["torch", "json"], typer.Option(help="A Python file, or the calls of PyTorch in order as JSON.")
    ] = "torch",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it, instead of to the screen.")
    ] = None,
    logits: Annotated[
        bool, typer.Option("--logits", help="Leave out the softmax that ends an output, as losses in training want it.")
    ] = False,
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="[NAME=]SHAPE", help="The input's volume instead of the file's."),
    ] = None,
    let: Lets = None,
) -> int:
    """Writes a network as the PyTorch file that a person would have written.

    It needs PyTorch and nothing else. Its parameters are called as `analyze` calls them, so that state_dicts load
    into it and out of it.

    \b
    Examples:
      convsize export specs/resnet50.spec -o resnet50.py
      convsize export specs/vgg_d.spec --logits -o vgg.py
      convsize export -e 'CRCRP FC10' --input 3@32x32 --to json
    """
    from convsize import api
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.errors import UsageError
    from convsize.lowering.plan import lower

    if spec is not None and expression is not None:
        raise UsageError("one spec makes one file: give a file or -e, not both")
    asked = named.sources([] if spec is None else [spec], [] if expression is None else [expression])
    (name, where), *_ = asked
    network = api.from_source(
        named.read(where), name=name, lets=named.lets(let or ()), inputs=named.inputs(input_ or ())
    )
    report = [each for each in network.diagnostics if each.severity == "error"]
    if report:
        terminal.report_diagnostics(report, network.source)
        return ExitCode.FINDINGS
    plan = lower(network, logits=logits)
    if to == "torch":
        from convsize.lowering.source import write

        text = write(plan)
    else:
        from convsize.lowering.document import document

        text = document(plan)
    if output is None:
        terminal.write(text)
        return ExitCode.OK
    try:
        with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123 (a path may be /dev/stdout)
            file.write(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"`{output}` cannot be written: {reason}") from None
    return ExitCode.OK

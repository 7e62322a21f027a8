"""`convsize sizes`: which input sizes a network takes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

import typer

from convsize.cli.options import Expressions, Format, Inputs, Lets, Specs

if TYPE_CHECKING:
    from convsize.errors import Diagnostic, Source
    from convsize.geometry import Shape
    from convsize.language.tree import File
    from convsize.records import SizeAnswer


def command(
    specs: Specs = None,
    expression: Expressions = None,
    input_: Inputs = None,
    exact: Annotated[bool, typer.Option("--exact", help="Show only sizes at which no pixel is dropped.")] = False,
    min_: Annotated[
        bool,
        typer.Option("--min", help="Print only the smallest input; with --exact, the smallest exact one."),
    ] = False,
    near: Annotated[
        str | None,
        typer.Option(metavar="[INPUT=]SIZE", help="Find the sizes nearest to this one, such as 300 or 300x400."),
    ] = None,
    why: Annotated[
        str | None,
        typer.Option(metavar="[INPUT=]SIZE", help="Explain why this size fails, or which layers drop pixels."),
    ] = None,
    main_: Annotated[bool, typer.Option("--main", help="Ignore the heads.")] = False,
    let: Lets = None,
    format_: Format = "table",
) -> int:
    """Find the input sizes at which a network is valid.

    Also shows at which of them no pixel is lost, and at which an existing checkpoint still loads.

    \b
    valid       every layer has an output, and the branches of joins agree
    exact       no window leaves real pixels (not padding) behind
    checkpoint  all parameters keep their shapes

    One axis varies at a time, the others stay as declared; inputs of one shape vary together.
    With several inputs, --near left=300 asks for that one, --near 300 for all.
    32·k, from 64 means 64, 96, 128 …; 29…32 + 32·k means 29 to 32, 61 to 64 …

    \b
    Examples:
      convsize sizes specs/unet.spec
      convsize sizes specs/alexnet.spec --near 300 --exact
      convsize sizes specs/unet.spec --why 300
      convsize sizes specs/inception_v3.spec --main --min
    """
    from convsize.analyses.sizes import input_sizes as analysis
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.cli.queue import Turns
    from convsize.records import SizesReport
    from convsize.views.answers import sizes as view

    wished = _wish(near, "--near")
    asked_why = _wish(why, "--why")
    turns = Turns(specs, expression, let, input_)
    reports = []
    for name, where in turns.asked:
        with turns.turn(name):
            file, declared = _read(named.read(where), turns.inputs, turns.lets, name=name, main=main_)
            network = analysis.structure(file, turns.lets, name=name)
            sizes = analysis.input_sizes(network, turns.lets)
            nearest = analysis.near(sizes, *wished) if wished else ()
            answers = [asked_why] if asked_why else []
            if wished and any(not one.axis.valid.has(one.wished) for one in nearest) and wished not in answers:
                answers.append(wished)
            why_not = tuple(_answer(file, turns.lets, analysis.wished_inputs(sizes, *each)) for each in answers)
            if declared:
                turns.failed()
            report = SizesReport(sizes, declared, nearest, why_not)
            reports.append(report)
            if format_ == "json":
                continue
            if min_:
                terminal.write(view.least(report, exact=exact))
                continue
            text = view.render(report, exact=exact, width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout))
            terminal.write(text if len(reports) == 1 else f"\n\n{text}")
    if format_ == "json" and reports:
        terminal.write(view.render_json(reports, several=turns.several))
    return turns.code


def _answer(file: File, lets: Mapping[str, Fraction], inputs: Mapping[str, Shape]) -> SizeAnswer:
    """What becomes of a network at a size, with what would mend it there."""
    from convsize.analyses.sizes.input_sizes import at
    from convsize.check.advice import advised

    answer = at(file, lets, inputs)
    if answer.diagnostics:
        answer = answer.replace(diagnostics=advised(file, lets, inputs, stated=False))
    return answer


def _read(
    source: Source, shapes: Mapping[str, Shape], lets: Mapping[str, Fraction], *, name: str, main: bool
) -> tuple[File, tuple[Diagnostic, ...]]:
    """The tree of a spec, with the inputs that were asked for, and what is wrong with it at its declared size.

    Raises SpecError where more is wrong than its size.
    """
    from convsize import api
    from convsize.analyses.sizes.input_sizes import trunk
    from convsize.errors import SpecError
    from convsize.language.parser import parse
    from convsize.language.tree import InputStmt

    try:
        network = api.from_source(source, name=name, lets=lets, inputs=shapes)
        file = network.file
        found = tuple(each for each in network.analyze().diagnostics if each.severity == "error")
    except SpecError as error:
        if any(each.code[:2] in ("E0", "E1") for each in error.diagnostics):
            raise
        file, _ = parse(error.source)
        found = error.diagnostics
    if shapes:
        # Inline volumes and expectations were written for the declared inputs, not for these.
        found = tuple(each for each in found if not each.code.startswith("E4"))
        statements = []
        for stmt in file.statements:
            if isinstance(stmt, InputStmt):
                shape = shapes.get(stmt.name.name if stmt.name is not None else "input")
                if shape is not None:
                    volume = stmt.volume.replace(channels=shape.channels, extents=shape.spatial)
                    stmt = stmt.replace(volume=volume)
            statements.append(stmt)
        file = file.replace(statements=tuple(statements))
    return (trunk(file), ()) if main else (file, found)


def _wish(text: str | None, option: str) -> tuple[tuple[int, ...], str | None] | None:
    """`300`, `300x400` or `left=300`, with the input's name; None where the option is not given.

    Raises UsageError where it is not so.
    """
    from convsize.errors import UsageError

    if text is None:
        return None
    name, equals, extents = (each.strip() for each in text.rpartition("="))
    parts = extents.split("x")
    if not all(part.isascii() and part.isdigit() and len(part) <= 7 and int(part) for part in parts):
        raise UsageError(f"{option} takes an extent, such as 300, or one for every axis, such as 300x400, not `{text}`")
    return tuple(map(int, parts)), name if equals else None

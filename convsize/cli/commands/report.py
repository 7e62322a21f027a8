"""`convsize report`: a page for every network, and one that compares them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convsize.cli.options import Batch, Expressions, Lets, Type
from convsize.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction

    from convsize.check.config import Config
    from convsize.errors import Source
    from convsize.geometry import Shape
    from convsize.views.report.content import Format, NetworkPage


def command(
    specs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SPEC]...", help="Spec files or folders to search; - reads standard input."),
    ] = None,
    expression: Expressions = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the pages; created if missing.")
    ] = "reports",
    format_: Annotated[
        Literal["html", "markdown"],
        typer.Option("--format", "-f", help="html for a browser, markdown for a repository."),
    ] = "html",
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="[NAME=]SHAPE", help="Set the input shape, such as 3@32x32."),
    ] = None,
    batch: Batch = 1,
    dtype: Type = "float32",
    let: Lets = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; list pages that are out of date and exit with 1.")
    ] = False,
) -> int:
    """Write an HTML or Markdown page for every network.

    An HTML page is one file that works offline. It has the figures with their explanations, the diagram, a table to
    sort and search, charts over depth, and the findings with their fixes.

    \b
    Examples:
      convsize report specs -o reports
      convsize report specs/resnet50.spec -o pages --batch 32
      convsize report specs -o reports --format markdown
      convsize report specs -o reports --format markdown --check
    """
    from convsize import files
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.cli.progress import Progress
    from convsize.errors import SpecError, UsageError

    asked = _asked(specs or (), expression or ())
    shapes, numbers = named.inputs(input_ or ()), named.lets(let or ())
    code = ExitCode.OK
    pages: list[NetworkPage] = []
    with Progress(2 * len(asked), sys.stderr) as progress:
        for name, where, config in asked:
            try:
                page = read(name, where, config, shapes, numbers, batch=batch, dtype=dtype)
            except SpecError as error:
                progress.make_room()
                terminal.report_diagnostics(error.diagnostics, error.source)
                code = max(code, ExitCode.FINDINGS)
            except UsageError as error:
                if len(asked) == 1:
                    raise
                terminal.complain(str(error))
                code = ExitCode.USAGE
            else:
                pages.append(page)
                if any(found.severity == "error" for found in page.findings.diagnostics):
                    code = max(code, ExitCode.FINDINGS)
            progress.step()
        if not pages:
            if not asked:
                from convsize.language.files import SUFFIX

                raise UsageError(f"no spec to report on in {' '.join(specs or ())}: no *{SUFFIX} file")
            return code
        stale = 0
        if not check:
            files.make_folder(output)
        for path, render in written(pages, format_, several=len(asked) > 1):
            full = f"{output.rstrip('/') or '/'}/{path}"
            data = render().encode("utf-8", "replace")
            if not check:
                files.write(full, data)
            elif files.read(full) != data:
                stale += 1
                progress.make_room()
                terminal.complain(f"{full} is not up to date")
            progress.step()
    if stale:
        return ExitCode.FINDINGS
    if not check:
        terminal.write(f"{len(pages)} {'page' if len(pages) == 1 else 'pages'} in {output}\n", sys.stderr)
    return code


def read(
    name: str,
    where: Source | str,
    config: Config,
    inputs: Mapping[str, Shape],
    lets: Mapping[str, Fraction],
    *,
    batch: int = 1,
    dtype: str = "float32",
) -> NetworkPage:
    """What the page of a network is written from.

    Raises SpecError where the spec is wrong, UsageError where the call is.
    """
    from convsize import api
    from convsize.analyses.facts import gather
    from convsize.check import check
    from convsize.cli import specs as named
    from convsize.views.report.content import NetworkPage

    source = named.read(where)
    network = api.from_source(source, name=name, lets=lets, inputs=inputs)
    report = network.analyze(batch=batch, dtype=dtype)
    findings = check.check_source(report.source, config, lets=lets, inputs=inputs)
    rules = check.pages({found.code for found in findings.diagnostics})
    windows = {index: fact.window for index, fact in enumerate(gather(network))}
    return NetworkPage(report, findings, rules, windows)


def written(pages: Sequence[NetworkPage], format_: Format, *, several: bool) -> list[tuple[str, Callable[[], str]]]:
    """The files of a report, each with what writes it. Raises UsageError where two would have the same name."""
    from functools import partial

    from convsize.errors import UsageError
    from convsize.views.report import index

    if format_ == "html":
        from convsize.views.report import html

        view, title, of_all = html.render, html.INDEX, index.render_html
    else:
        from convsize.views.report import markdown

        view, title, of_all = markdown.render, markdown.INDEX, index.render_markdown
    found: list[tuple[str, Callable[[], str]]] = [(title, partial(of_all, pages))] if several else []
    # Some file systems do not tell Net.html from net.html.
    taken = {title.casefold(): "the index"} if several else {}
    for page in pages:
        path = f"{page.report.name}{index.ending(format_)}"
        if path.casefold() in taken:
            raise UsageError(
                f"the pages of {page.report.source.name} and of {taken[path.casefold()]} would be the same file, "
                f"{path}: rename a spec, or use different folders"
            )
        taken[path.casefold()] = page.report.source.name
        found.append((path, partial(view, page, index=several)))
    return found


def _asked(paths: Sequence[str], expressions: Sequence[str]) -> list[tuple[str, Source | str, Config]]:
    """The networks by name, each with its text or file and the configuration that its findings are under."""
    from pathlib import Path

    from convsize.check import discover
    from convsize.cli import specs as named

    configurations = discover.Configurations()
    found = discover.discover(paths, configurations)
    configs = {each.name: each.config for each in found}
    here = configurations.of(Path.cwd())
    if paths and not found and not expressions:
        return []
    return [
        (name, where, configs[where] if isinstance(where, str) else here)
        for name, where in named.sources([each.name for each in found], expressions)
    ]

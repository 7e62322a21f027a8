"""`convsize fmt`: the canonical form of specs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from convsize.errors import ExitCode

if TYPE_CHECKING:
    from convsize.language.tree import File


def command(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Spec files or folders to search; - formats standard input."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="List files not in canonical form; write nothing.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change; write nothing.")] = False,
) -> int:
    """Format specs in their canonical form.

    The network and the comments stay the same. Files are changed in place. With --check or --diff nothing is
    written, and the exit code is 1 if a file would change. Files with syntax errors are left as they are.

    \b
    Examples:
      convsize fmt specs
      convsize fmt --check specs
      echo 'C3D64->RELU' | convsize fmt -
    """
    from convsize.check.discover import Configurations, discover
    from convsize.cli import rewrite, terminal
    from convsize.cli import specs as named
    from convsize.errors import SpecError, UsageError

    if not paths:
        raise UsageError("no spec: name files or folders, or `-` for standard input")
    changed: list[str] = []
    unread: list[str] = []
    found = discover(paths, Configurations(), told=unread.append)
    for each in unread:
        terminal.complain(each)
    code = ExitCode.USAGE if unread else ExitCode.OK
    for path in (each.name for each in found):
        try:
            source = named.read(path)
            text = canonical(source.text, source.name)
        except SpecError as error:
            terminal.report_diagnostics(error.diagnostics, error.source)
            code = max(code, ExitCode.FINDINGS)
            continue
        except UsageError as error:
            terminal.complain(str(error))
            code = max(code, ExitCode.USAGE)
            continue
        if text != source.text:
            changed.append(source.name)
            if diff:
                rewrite.show_difference(source.text, text, source.name, "canonical")
            elif not check and path != "-":
                try:
                    rewrite.replace(path, text)
                except UsageError as error:
                    terminal.complain(str(error))
                    code = max(code, ExitCode.USAGE)
                    changed.pop()
        if path == "-" and not check and not diff:
            terminal.write(text)
    if (check or diff) and changed:
        code = max(code, ExitCode.FINDINGS)
    if check and not diff:
        terminal.write("".join(f"{name}\n" for name in changed))
    if paths != ["-"]:
        terminal.write(_outcome(len(found), len(changed), dry=check or diff), sys.stderr)
    return code


def canonical(text: str, name: str) -> str:
    """A spec's canonical form with the text's own line breaks.

    Raises SpecError where the text does not read, AssertionError where the form would say another network: that would
    be a bug, and a file is better left alone than spoilt.
    """
    from convsize.errors import Source, SpecError
    from convsize.language.formatter import format_file
    from convsize.language.parser import parse

    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    file, found = parse(Source(text.replace("\r\n", "\n"), name))
    if any(each.severity == "error" for each in found):
        raise SpecError(file.source, found)
    formatted = format_file(file)
    again, found = parse(Source(formatted, name))
    if any(each.severity == "error" for each in found) or format_file(again) != formatted or not _same(file, again):
        raise AssertionError(f"the canonical form of {name} would be a different network; nothing was written")
    return formatted.replace("\n", newline)


def _same(before: File, after: File) -> bool:
    """Whether two trees build the same network, or fail alike."""
    from convsize.errors import SpecError
    from convsize.graph.build import build
    from convsize.graph.digest import digest

    outcomes: list[object] = []
    for file in (before, after):
        try:
            network = build(file)
            expected = [
                (each.check.metric.name, each.check.comparison, each.check.value.text, each.node)
                for each in network.expectations
            ]
            outcomes.append((digest(network), network.inputs, network.outputs, network.taps, expected))
        except SpecError as error:
            # Not by code: of `*N` and `*{N}`, which mean the same, an unknown N is told in words of its own.
            outcomes.append(len(error.diagnostics))
    return outcomes[0] == outcomes[1]


def _outcome(seen: int, changed: int, *, dry: bool) -> str:
    """One sentence on what was done."""
    from convsize.words import plural

    verb = "would be rewritten" if dry else "rewritten"
    rest = seen - changed
    return f"{plural(changed, 'file')} {verb}, {plural(rest, 'file')} unchanged\n"

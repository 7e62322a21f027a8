"""`convsize diff`: what changed between two networks, or between two versions of one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convsize.cli.options import Batch, Type
from convsize.errors import ExitCode

if TYPE_CHECKING:
    from convsize.errors import Source


def command(
    before: Annotated[str, typer.Argument(metavar="A", help="Spec file; the only one with --against.")],
    after: Annotated[
        str | None, typer.Argument(metavar="[B]", help="The spec file to compare with A; - reads standard input.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="REV", help="Compare A with its version at a git revision, such as HEAD, main or v1.2."),
    ] = None,
    batch: Batch = 1,
    dtype: Type = "float32",
    let: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="Override a number that a `let` line defines, in both."),
    ] = None,
    format_: Annotated[
        Literal["table", "json", "markdown"], typer.Option("--format", "-f", help="Output format.")
    ] = "table",
    expand: Annotated[bool, typer.Option("--expand", help="Show every layer and key; fold nothing.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if the digests differ.")] = False,
) -> int:
    """Compare two networks, or a network with an older revision.

    Shows what changed in every layer and in the totals, and whether a checkpoint of the first network still loads into
    the second. Layers are matched by type and position, not by name.

    \b
    Examples:
      convsize diff specs/resnet18.spec specs/resnet34.spec
      convsize diff net.spec --against HEAD~1 --format markdown
      convsize diff net.spec --against main --exit-code
    """
    from convsize import api
    from convsize.analyses.diff.difference import difference
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.errors import UsageError
    from convsize.views.answers import difference as view

    numbers = named.lets(let or ())
    if (after is None) == (against is None):
        raise UsageError(
            "name two specs, or one with --against REV" if after is None else "--against takes only one spec"
        )
    paths = [before] if after is None else [before, after]
    asked = list(named.sources(paths, ()))
    sources = []
    if against is not None:
        name, _ = asked[0]
        sources.append((f"{name}@{against}", at_revision(before, against)))
    sources += [(name, named.read(where)) for name, where in asked]
    old, new = (api.from_source(source, name=name, lets=numbers) for name, source in sources)
    found = difference(old, new, *(network.analyze(batch=batch, dtype=dtype) for network in (old, new)))
    if format_ == "json":
        terminal.write(view.render_json(found))
    elif format_ == "markdown":
        terminal.write(view.render_markdown(found, expand=expand))
    else:
        text = view.render(found, expand=expand, width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout))
        terminal.write(text)
    return ExitCode.FINDINGS if exit_code and not found.same else ExitCode.OK


def at_revision(path: str, revision: str) -> Source:
    """A spec file as it was at a git revision.

    Raises UsageError where there is no git, no repository, no such revision, or no such file in it.
    """
    import os
    import subprocess

    from convsize.errors import UsageError
    from convsize.language import files

    if path == "-":
        raise UsageError("--against needs a file: standard input has no history")
    # What begins with a dash git would read as an option; a colon would name another file.
    if not revision or revision.startswith("-") or any(char in ":\0\n" for char in revision):
        raise UsageError(f"`{revision}` is not a git revision")
    if "\0" in path:
        raise UsageError("a path cannot contain a zero byte")
    folder, name = os.path.split(path)
    # The plain blob: `git show` would run the conversions that a repository's attributes ask for.
    call = ["git", "cat-file", "blob", f"{revision}:./{name}"]
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        process = subprocess.Popen(
            call,
            cwd=folder or ".",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError:
        if folder and not os.path.isdir(folder):  # noqa: PTH112 (a folder that is not there looks like a missing git)
            raise UsageError(f"there is no folder `{folder}`") from None
        raise UsageError("--against needs git, which was not found") from None
    except OSError as error:
        raise UsageError(f"git cannot be run: {error.strerror or error}") from None
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        data = process.stdout.read(files.LARGEST_SPEC + 1)
        if len(data) > files.LARGEST_SPEC:
            process.kill()
        said = process.stderr.read().decode("utf-8", "replace").strip()
    if process.returncode and len(data) <= files.LARGEST_SPEC:
        reason = said.splitlines()[0].removeprefix("fatal: ") if said else f"git ended with {process.returncode}"
        raise UsageError(f"`{path}` cannot be read at the revision `{revision}`: {reason}")
    return files.decode(data, f"{path}@{revision}")

"""`convsize check`: the findings in specs, and the exit code that a build goes by."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, TextIO, TypeVar

import typer

from convsize.cli.options import Lets, whole
from convsize.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from convsize.check.config import Config
    from convsize.check.discover import Found
    from convsize.check.fix import Mended
    from convsize.errors import Source
    from convsize.geometry import Shape
    from convsize.records import CheckReport, FileFindings, RulePage

Result = TypeVar("Result")

PARALLEL_FROM = 100
"""Files. A network takes 10 ms and a pool of processes 60 to start: with fewer nobody would see the difference."""


def command(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="Spec files or folders to search; - reads standard input.",
            show_default="the working folder",
        ),
    ] = None,
    format_: Annotated[
        Literal["full", "concise", "json", "github", "gitlab", "sarif", "junit"],
        typer.Option("--format", "-f", help="Output format."),
    ] = "full",
    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE,…", help="Run only these rules, or prefixes such as W5; errors are always reported."
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="CODE,…", help="Skip these rules, or prefixes such as W5.")
    ] = None,
    style: Annotated[
        bool, typer.Option("--style", help="Also run the style rules, which well-known networks break.")
    ] = False,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Count the findings by rule instead of listing them.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Apply the safe fixes in place: they do not change the network.")
    ] = False,
    unsafe_fixes: Annotated[
        bool,
        typer.Option(
            "--unsafe-fixes",
            help="Apply these and also fixes that change sizes or figures; implies --fix. Review the result.",
        ),
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what fixes would change; write nothing.")] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 even if there are findings.")] = False,
    let: Lets = None,
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="[NAME=]SHAPE", help="Set the input shape, such as 3@32x32."),
    ] = None,
    config: Annotated[
        str | None, typer.Option(metavar="FILE", help="Configuration file to read.", show_default="the nearest one")
    ] = None,
    isolated: Annotated[bool, typer.Option("--isolated", help="Ignore all configuration files.")] = False,
    force_exclude: Annotated[
        bool, typer.Option("--force-exclude", help="Apply `exclude` also to paths named here.")
    ] = False,
    stdin_filename: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of standard input in findings.")
    ] = None,
    jobs: Annotated[
        int | None,
        whole("Parallel processes", 1, names=("--jobs", "-j"), show_default="one, or all cores for many files"),
    ] = None,
) -> int:
    """Check specs for errors, broken expectations and budgets.

    Findings go to standard output, everything else to standard error. The exit code is 0 if nothing is found, 1 if
    something is, 2 for a wrong call or configuration, and 3 if convsize itself fails on a file.

    \b
    Examples:
      convsize check specs
      convsize check specs --style --statistics
      convsize check --select W5 --ignore W505 net.spec
      convsize check --format github
      git show HEAD:net.spec | convsize check - --stdin-filename net.spec
      convsize check --unsafe-fixes --diff net.spec

    Every fix is checked again and kept only if it removes the finding. Comments and layout are kept. Fixed standard
    input is written to standard output, and the remaining findings to standard error.

    \b
    Settings are read from convsize.toml, or [tool.convsize] in pyproject.toml:
      select, ignore, style, per-file-ignores, exclude, budgets
    The comment `# convsize: ignore[W501]` in a spec suppresses a finding.
    """
    from convsize.check import check
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.records import CheckReport
    from convsize.version import __version__

    fix = fix or unsafe_fixes or diff
    if statistics and format_ not in ("full", "concise", "json"):
        from convsize.errors import UsageError

        raise UsageError(f"--statistics does not work with --format {format_}; json always includes the counts")
    wanted = None if select is None else _codes(select)
    unwanted = _codes(ignore or ())
    check.select(wanted or (), "--select")
    check.select(unwanted, "--ignore", ignore=True)
    unread: list[str] = []
    files = _files(paths or ["."], config, isolated, force_exclude, stdin_filename, unread.append)
    for text in unread:
        terminal.complain(text)
    piped = fix and any(each.name == "-" for each in files)
    if (diff or piped) and format_ not in ("full", "concise"):
        from convsize.errors import UsageError

        what = "a difference" if diff else "the text of standard input"
        raise UsageError(f"standard output can hold {what} or the format {format_}, not both")
    changed: dict[Config, Config] = {}
    for each in files:
        if each.config not in changed:
            check.validate(each.config)
            changed[each.config] = each.config.overridden(wanted, unwanted, style)
    work = [each.replace(config=changed[each.config]) for each in files]
    numbers, shapes = named.lets(let or ()), named.inputs(input_ or ())
    mended: tuple[Mended, ...] = ()
    if fix:
        mend = partial(_mend, unsafe=unsafe_fixes, lets=numbers, inputs=shapes, stdin_filename=stdin_filename)
        mended = tuple(_each(work, mend, jobs))
        _write(work, mended, diff=diff)
        results = tuple(each.explained for each in mended)
    else:
        each_file = partial(_check, lets=numbers, inputs=shapes, stdin_filename=stdin_filename)
        results = tuple(_each(work, each_file, jobs))
    if not diff:
        report = CheckReport(results, _pages(results, format_, statistics), __version__)
        _show(report, format_, statistics, sys.stderr if piped else sys.stdout)
    if fix:
        terminal.write(_outcome(mended, diff=diff, unsafe=unsafe_fixes), sys.stderr)
    failed = False
    for file in results:
        if file.failure is not None:
            failed = True
            terminal.complain(f"convsize failed on {file.source.name}: {file.failure}")
    if failed:
        text = "This is a bug in convsize, not in your spec. CONVSIZE_DEBUG=1 shows where it happened.\n"
        terminal.write(text, sys.stderr)
        return ExitCode.INTERNAL
    left = any(file.diagnostics for file in results) or (diff and any(each.changed for each in mended))
    if unread:
        return ExitCode.USAGE
    return ExitCode.FINDINGS if left and not exit_zero else ExitCode.OK


def _pages(results: Sequence[FileFindings], format_: str, statistics: bool) -> tuple[RulePage, ...]:
    """The rules that a format speaks of, and no others: a page is a file to import."""
    from convsize.check import check

    if format_ == "sarif":
        return check.pages()
    if format_ in ("json", "github") or statistics:
        return check.pages({found.code for file in results for found in file.diagnostics})
    return ()


def _codes(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(code for text in texts for code in text.replace(",", " ").split())


def _files(
    paths: Sequence[str],
    config: str | None,
    isolated: bool,
    force_exclude: bool,
    stdin_filename: str | None,
    told: Callable[[str], None],
) -> list[Found]:
    """What is to be checked; a note where that is nothing. `told` hears of folders that cannot be read."""
    from pathlib import Path

    from convsize.check import discover
    from convsize.check.config import Config, load
    from convsize.cli import terminal
    from convsize.errors import UsageError
    from convsize.language.files import SUFFIX

    if config is not None and isolated:
        raise UsageError("--config and --isolated exclude each other: leave one out")
    if stdin_filename is not None and "-" not in paths:
        raise UsageError("--stdin-filename names standard input, which only `-` reads")
    given = Config() if isolated else load(Path(config)) if config is not None else None
    configurations = discover.Configurations(given)
    found = discover.discover(paths, configurations, force_exclude=force_exclude, told=told)
    if stdin_filename is not None:
        under = configurations.of(Path(stdin_filename).absolute().parent)
        found = [each.replace(config=under) if each.name == "-" else each for each in found]
    if not found:
        where = " ".join("the working folder" if path == "." else path for path in paths)
        text = f"note: nothing to check in {where}: no *{SUFFIX} file, or all are excluded\n"
        terminal.write(text, sys.stderr)
    return found


def _each(work: Sequence[Found], run: Callable[[Found], Result], jobs: int | None) -> Iterator[Result]:
    """What `run` says of every file, in the order of the files."""
    import os

    from convsize.cli.progress import Progress

    if jobs is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        jobs = cores if len(work) >= PARALLEL_FROM else 1
    if any(each.name == "-" for each in work):
        jobs = 1  # another process has another standard input
    with Progress(len(work), sys.stderr) as progress:
        if min(jobs, len(work)) > 1:
            from concurrent.futures import ProcessPoolExecutor

            with ProcessPoolExecutor(min(jobs, len(work))) as pool:
                for result in pool.map(run, work, chunksize=16):
                    progress.step()
                    yield result
        else:
            for each in work:
                yield run(each)
                progress.step()


def _check(
    each: Found, *, lets: Mapping[str, Fraction], inputs: Mapping[str, Shape], stdin_filename: str | None
) -> FileFindings:
    from convsize.check import check

    if each.name != "-":
        return check.check_file(each.name, each.config, lets=lets, inputs=inputs)
    name = stdin_filename or "<stdin>"
    return check.check_file(name, each.config, lets=lets, inputs=inputs, read=_standard_input)


def _mend(
    each: Found,
    *,
    unsafe: bool,
    lets: Mapping[str, Fraction],
    inputs: Mapping[str, Shape],
    stdin_filename: str | None,
) -> Mended:
    from convsize.check import fix

    if each.name != "-":
        return fix.mend_file(each.name, each.config, unsafe=unsafe, lets=lets, inputs=inputs)
    name = stdin_filename or "<stdin>"
    return fix.mend_file(name, each.config, unsafe=unsafe, lets=lets, inputs=inputs, read=_standard_input)


def _write(work: Sequence[Found], mended: Sequence[Mended], *, diff: bool) -> None:
    """Writes the files that fixes changed, and standard input's text whether it changed or not."""
    from convsize.cli import rewrite, terminal

    for each, result in zip(work, mended, strict=True):
        text = result.findings.source.text
        if diff:
            if result.changed:
                rewrite.show_difference(result.before.text, text, result.before.name, "fixed")
        elif each.name == "-":
            terminal.write(text)
        elif result.changed:
            rewrite.replace(each.name, text)


def _outcome(mended: Sequence[Mended], *, diff: bool, unsafe: bool) -> str:
    """A line for every fix that was written, and one sentence on what was fixed, and what could be."""
    from convsize.check.fix import Made
    from convsize.words import plural

    def line(name: str, made: Made) -> str:
        old, new = (" ".join(text.split()) for text in (made.old, made.new))
        what = f"replaced `{old}` by `{new}`" if old and new else f"added `{new}`" if new else f"removed `{old}`"
        return f"{name}:{made.place.line}:{made.place.column}: {made.code} {what}\n"

    lines = [line(each.before.name, made) for each in mended for made in each.made] if not diff else []
    fixed = sum(each.fixed for each in mended)
    more = sum(each.more for each in mended)
    verb = "would be" if diff else "was" if fixed == 1 else "were"
    text = f"{plural(fixed, 'finding')} {verb} fixed" if fixed else "nothing to fix"
    if fixed:
        text += f" in {plural(sum(each.changed for each in mended), 'file')}"
    if more and not unsafe:
        text += f"; --unsafe-fixes would fix {more}{' more' if fixed else ''}"
    return f"{''.join(lines)}{text}\n"


def _standard_input(name: str) -> Source:
    from convsize.language import files

    return files.decode(sys.stdin.buffer.read(files.LARGEST_SPEC + 1), name)


def _show(report: CheckReport, format_: str, statistics: bool, stream: TextIO) -> None:
    from importlib import import_module

    from convsize.cli import terminal

    if statistics and format_ != "json":
        from convsize.views.findings import summary

        terminal.write(summary.statistics(report, paint=terminal.paint(stream)), stream)
        return
    view = import_module(f"convsize.views.findings.{format_}")
    if format_ == "full":
        text = view.render(report, width=terminal.reading_width(stream), paint=terminal.paint(stream))
        terminal.write(text, stream)
        return
    if format_ == "concise":
        terminal.write(view.render(report, paint=terminal.paint(stream)), stream)
        return
    # These are files for other programs, whose encoding no locale may change.
    sys.stdout.flush()
    sys.stdout.buffer.write(view.render(report).encode("utf-8", "replace"))

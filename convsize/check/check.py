"""The check as a library: a spec's text in, its findings out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from convsize.check import suppressions
from convsize.check.config import Config, shown
from convsize.check.patterns import Patterns, relative
from convsize.errors import Diagnostic, Severity, Source, Span, SpecError, UsageError, stem_of
from convsize.geometry import Shape
from convsize.graph.build import build, unknown_names
from convsize.graph.network import Expectation, Network
from convsize.language import files
from convsize.language.parser import parse
from convsize.language.tree import Check, ExpectStmt, File, InputStmt
from convsize.records import FileFindings, RulePage
from convsize.rules import registry
from convsize.rules.base import Context, Rule
from convsize.words import did_you_mean

DEFAULTS = Config()


def check_source(
    source: Source,
    config: Config = DEFAULTS,
    *,
    lets: Mapping[str, Fraction] | None = None,
    inputs: Mapping[str, Shape] | None = None,
    advise: bool = True,
) -> FileFindings:
    """What is to be said of a spec: its errors or, where it has none, what the rules advise.

    Errors are always reported. Everything else can be left out by the configuration and by comments in the spec.

    lets overrides constants of the file, inputs the volumes of its inputs. advise: whether to look for what would mend
    errors of the geometry, which takes many times as long as finding them.

    Raises UsageError for a code, a budget, a let or an input that does not exist.
    """
    chosen = _chosen(config, source.name)
    file, found = parse(source)
    diagnostics = [*found]
    ruled = False
    if not _broken(diagnostics):
        try:
            network = build(file, lets, name=stem_of(source.name), inputs=inputs)
        except SpecError as error:
            if advise:
                from convsize.check.advice import advised

                diagnostics += advised(file, lets, inputs)
            else:
                diagnostics += error.diagnostics
        else:
            diagnostics += _findings(network, config, chosen)
            if advise and any(each.code in ("E401", "E403", "E407") for each in diagnostics):
                from convsize.check.advice import doubted

                diagnostics = [*doubted(file, tuple(diagnostics), lets, inputs)]
            ruled = True
    else:
        diagnostics += _names_beside(source, file, found)
    said, wrong = suppressions.read(source, file.comments, registry.codes())
    stay, used = suppressions.apply(source, diagnostics, said)
    suppressed = len(diagnostics) - len(stay)
    stay += wrong
    if ruled:
        stay += suppressions.unused(source, (each for each in said if each not in used and each.code in chosen))
    kept = [each for each in stay if each.severity == "error" or each.code in chosen]
    kept.sort(key=lambda each: (each.span.start, each.code, each.span.end))
    return FileFindings(source, tuple(kept), suppressed)


def check_file(
    name: str,
    config: Config = DEFAULTS,
    *,
    lets: Mapping[str, Fraction] | None = None,
    inputs: Mapping[str, Shape] | None = None,
    read: Callable[[str], Source] = files.read,
) -> FileFindings:
    """`check_source` for one file of many, of which nothing may keep the others from being checked.

    A file that cannot be read or is no text is a finding (E019). Where the tool itself breaks, the result says so in
    `failure`: that is no finding, and no spec is to blame.

    Raises UsageError as `check_source` does.
    """
    source = Source("", name)
    try:
        try:
            source = read(name)
        except SpecError as error:
            return FileFindings(error.source, error.diagnostics)
        except UsageError as error:
            found = Diagnostic("E019", "error", str(error), Span(0, 0), "make it readable, or exclude it")
            return FileFindings(source, (found,))
        return check_source(source, config, lets=lets, inputs=inputs)
    except UsageError:
        raise
    except Exception as error:
        return FileFindings(source, failure=failure_text(error))


def select(selectors: Iterable[str], where: str, *, style: bool = False, ignore: bool = False) -> frozenset[str]:
    """The codes that selectors mean: a code as it is, or the beginning of several ("W5").

    A beginning means rules of style only where `style` is set; a full code always means its rule.

    Raises UsageError, naming `where` they stand, for one that means nothing, and where errors are to be ignored.
    """
    codes: set[str] = set()
    known = registry.codes()
    for selector in dict.fromkeys(selectors):
        if selector in known:
            meant = {selector}
        else:
            meant = {code for code in known if selector and code.startswith(selector)}
            if not meant:
                guess = suppressions.nearest_code(selector, known)
                hint = did_you_mean(guess, "`convsize rules` lists them all")
                raise UsageError(f"{where}: there is no rule `{selector}`; {hint}")
            meant = {code for code in meant if style or ignore or not registry.is_style(code)}
        if ignore and any(code.startswith("E") for code in meant):
            raise UsageError(
                f"{where}: `{selector}` is about errors, and errors are always reported: a spec with an error is not "
                "a network"
            )
        codes |= meant
    return frozenset(codes)


def validate(config: Config) -> None:
    """Raises UsageError where a configuration names rules or budgets that do not exist."""
    chosen_codes(config)
    _per_file(config)
    _budgets(config)


def pages(codes: Iterable[str] | None = None) -> tuple[RulePage, ...]:
    """Rules as the formats describe them; all there are where no codes are given."""
    known = registry.codes()
    return tuple(_page(registry.rule(code)) for code in (known if codes is None else sorted(codes)) if code in known)


# ---- one network -----------------------------------------------------------------------------------------------------


def _findings(network: Network, config: Config, chosen: frozenset[str]) -> list[Diagnostic]:
    """What the builder, the expectations, the budgets and the chosen rules find in a network without errors."""
    from convsize.analyses.report import analyze

    report = analyze(network, with_digest=False)
    found = list(report.diagnostics)
    found += _over_budget(network, config)
    context = Context(network, report, {row.index: row for row in report.layers})
    # A rule is a file to import: those of errors hold their pages only.
    for rule in registry.rules(code for code in registry.codes() if code in chosen and code.startswith("W")):
        if rule.find is not None:
            found += rule.find(context)
    return found


def _names_beside(source: Source, file: File, found: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """The unknown names of a file that does not parse; those after an error of their line may follow from it.

    A stray character that can only be taken away, such as a semicolon, has no such consequences.
    """
    first: dict[int, int] = {}
    for each in found:
        if each.code == "E001" and each.fixes:
            continue
        line = source.place(each.span.start).line
        first[line] = min(first.get(line, each.span.start), each.span.start)
    for each in unknown_names(file):
        start = each.span.start
        if start < first.get(source.place(start).line, len(source.text)):
            yield each


def _broken(diagnostics: Sequence[Diagnostic]) -> bool:
    return any(each.severity == "error" for each in diagnostics)


# ---- budgets ---------------------------------------------------------------------------------------------------------


_TRIAL = "input: 3@8x8\nC3D4 R\n"
"""Has something of everything that can be expected, so that it shows whether a budget makes sense at all."""


@lru_cache(maxsize=64)
def _budgets(config: Config) -> tuple[Check, ...]:
    """The checks that a configuration's budgets say. Raises UsageError for one that is none."""
    checks: list[Check] = []
    for text in config.budgets:
        file, found = parse(Source(f"expect: {text}", _where(config, "budgets")))
        said = [check for each in file.statements if isinstance(each, ExpectStmt) for check in each.checks]
        wrong = found[0] if found else None
        if wrong is None and len(said) == len(file.statements) == 1:
            trial = build(parse(Source(_TRIAL))[0])
            wrong = next((each for each in _failures(trial, tuple(said)) if each.code not in HELD), None)
        elif wrong is None:
            raise UsageError(f"{_where(config, 'budgets')}: `{text}` must be one check, such as `parameters<=60M`")
        if wrong is not None:
            hint = f"; {wrong.help}" if wrong.help else ""
            raise UsageError(f"{_where(config, 'budgets')}: `{text}` is not a budget: {wrong.message}{hint}")
        checks += said
    return tuple(checks)


HELD = ("E401", "E402", "E403", "E404")
"""What says that a check was made and does not hold; everything else says that it makes no sense."""


EQUALITIES = ("E401", "E403", "E404")
"""Where a spec states them of itself, the help is to state what it has: no help for what a project states of all."""


def _over_budget(network: Network, config: Config) -> Iterator[Diagnostic]:
    """The budgets that a network breaks, at its first input; one on what it does not have is none of its business."""
    checks = _budgets(config)
    if not checks:
        return
    inputs = [each for each in network.file.statements if isinstance(each, InputStmt)]
    where = inputs[0].span if inputs else Span(0, 0)
    for found in _failures(network, checks):
        if found.code in HELD:
            yield Diagnostic(
                found.code,
                "error",
                f"{found.message} (a budget of the project)",
                where,
                "it holds for every spec that these settings reach" if found.code in EQUALITIES else found.help,
                f"`budgets` in {_file(config)}",
            )


def _failures(network: Network, checks: tuple[Check, ...]) -> tuple[Diagnostic, ...]:
    """What a network fails if these are its expectations."""
    from convsize.analyses.depth import weight_depths
    from convsize.analyses.expectations.figures import failures
    from convsize.analyses.facts import gather
    from convsize.analyses.parameters import count_parameters
    from convsize.analyses.receptive_field.network import receptive_fields
    from convsize.analyses.work.layers import layer_work

    asked = Network(
        name=network.name,
        file=network.file,
        nodes=network.nodes,
        inputs=network.inputs,
        outputs=network.outputs,
        taps=network.taps,
        expectations=tuple(Expectation(check, None) for check in checks),
        diagnostics=(),
    )
    facts = gather(asked)
    return failures(
        asked,
        facts,
        count_parameters(facts),
        layer_work(facts),
        weight_depths(asked, facts),
        receptive_fields(asked, facts),
    )


# ---- which rules -----------------------------------------------------------------------------------------------------


def _chosen(config: Config, name: str) -> frozenset[str]:
    """The codes that a configuration lets through for a file."""
    chosen = chosen_codes(config)
    ignores = _per_file(config)
    path = relative(name, config.folder) if ignores else None
    if path is not None:
        for patterns, codes in ignores:
            if patterns.named(path):
                chosen -= codes
    return chosen


@lru_cache(maxsize=64)
def chosen_codes(config: Config) -> frozenset[str]:
    """The codes that a configuration lets through. Raises UsageError where it names one that does not exist."""
    if config.select is None:
        chosen = frozenset(code for code in registry.codes() if config.style or not registry.is_style(code))
    else:
        chosen = select(config.select, _where(config, "select"), style=config.style)
        chosen |= {code for code in registry.codes() if code.startswith("E")}
    return chosen - select(config.ignore, _where(config, "ignore"), ignore=True)


@lru_cache(maxsize=64)
def _per_file(config: Config) -> tuple[tuple[Patterns, frozenset[str]], ...]:
    return tuple(
        (Patterns((pattern,)), select(codes, _where(config, f'per-file-ignores."{pattern}"'), ignore=True))
        for pattern, codes in config.per_file_ignores
    )


def _where(config: Config, key: str) -> str:
    return f"{_file(config)}: `{key}`" if config.file is not None else f"`{key}`"


def _file(config: Config) -> str:
    return shown(config.file) if config.file is not None else "the configuration"


def _page(rule: Rule) -> RulePage:
    level: Severity = "error" if rule.code.startswith("E") else "advice" if rule.style else "warning"
    parts = [rule.checks, rule.why, f"Fix: {rule.fix}", f"Source: {rule.source}", f"Example:\n\n{rule.example}"]
    if rule.better:
        parts.append(f"Better:\n\n{rule.better}")
    return RulePage(rule.code, rule.name, level, rule.summary, "\n\n".join(part.strip() for part in parts))


def failure_text(error: Exception) -> str:
    """The error with the innermost place in the tool, in one line; CONVSIZE_DEBUG=1 shows the whole way there."""
    import traceback

    if os.environ.get("CONVSIZE_DEBUG") == "1":
        traceback.print_exc()
    where = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{f': {text}' if text else ''} ({Path(where.filename).name}:{where.lineno})"

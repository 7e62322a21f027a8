"""Makes fixes and checks what came of them: a fix stays only where the spec is better for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from convsize.check import check
from convsize.check.config import Config
from convsize.check.repairs.trial import edited, moved, still_wrong
from convsize.errors import Diagnostic, Fix, Place, Source, UsageError
from convsize.geometry import Shape
from convsize.graph.build import attempt
from convsize.language import files
from convsize.language.parser import parse
from convsize.record import Record
from convsize.records import FileFindings

MOST_CHECKS = 400
"""For one file in one run: a spec that needs more is not mended one finding at a time."""


LONGEST_CHAIN = 8
"""Fixes in a row of which only the last leaves fewer findings."""


class Made(Record):
    """A fix that was made: for which finding, where, and what is written instead of what."""

    code: str
    place: Place
    old: str
    new: str


class Mended(Record):
    """A file after its fixes.

    before: the text as it was; findings: what is left, with the text as it is now. made: the fixes, each of which
    removed a finding, with their places in the text that they were made in; more: how many more the unsafe fixes would.
    refused: whether the fixes of what is left were tried and undone.
    """

    before: Source
    findings: FileFindings
    made: tuple[Made, ...]
    more: int
    refused: bool = False

    @property
    def explained(self) -> FileFindings:
        """What is left, with the reason at each fix that was not applied."""
        if not self.refused:
            return self.findings
        found = tuple(_refused(each) if each.fixes else each for each in self.findings.diagnostics)
        return self.findings.replace(diagnostics=found)

    @property
    def fixed(self) -> int:
        """How many findings fixes removed."""
        return len(self.made)

    @property
    def changed(self) -> bool:
        """Whether any fix stayed."""
        return self.before.text != self.findings.source.text


def mend_file(
    name: str,
    config: Config,
    *,
    unsafe: bool,
    lets: Mapping[str, Fraction] | None = None,
    inputs: Mapping[str, Shape] | None = None,
    read: Callable[[str], Source] = files.read,
) -> Mended:
    """`checking.check_file`, and fixes for what it finds; nothing is written.

    Raises UsageError as `check_source` does.
    """
    found = check.check_file(name, config, lets=lets, inputs=inputs, read=read)
    if found.failure is not None or not any(each.fixes for each in found.diagnostics):
        return Mended(found.source, found, (), 0)
    try:
        return mend(found, config, unsafe=unsafe, lets=lets, inputs=inputs)
    except UsageError:
        raise
    except Exception as error:
        return Mended(found.source, found.replace(failure=check.failure_text(error)), (), 0)


def mend(
    found: FileFindings,
    config: Config,
    *,
    unsafe: bool,
    lets: Mapping[str, Fraction] | None = None,
    inputs: Mapping[str, Shape] | None = None,
) -> Mended:
    """The text of findings with their fixes made, as far as each makes the spec better and none makes it worse.

    A fix that only brings to light what an error hid may bring several errors; where these cannot be mended in turn, so
    that there are more errors than at first, it is undone. Mending what comes out of this changes nothing.

    Raises UsageError as `check_source` does.
    """
    engine = _Engine(config, lets or {}, inputs or {})
    state, made = engine.run(found, unsafe=unsafe)
    more = 0
    if not unsafe and any(not fix.safe for each in state.diagnostics for fix in each.fixes):
        more = len(engine.run(state, unsafe=True)[1])
    return Mended(found.source, state, tuple(made), more, refused=unsafe and engine.checks < MOST_CHECKS)


class _Engine:
    def __init__(self, config: Config, lets: Mapping[str, Fraction], inputs: Mapping[str, Shape]) -> None:
        self.config = config
        self.lets = lets
        self.inputs = inputs

    def run(self, state: FileFindings, *, unsafe: bool) -> tuple[FileFindings, list[Made]]:
        """Fixes until nothing changes any more."""
        self.checks = 0
        total: list[Made] = []
        while self.checks < MOST_CHECKS:
            after, made = self.passes(state, unsafe=unsafe)
            if after.source.text == state.source.text:
                break
            state, total = after, total + made
        return state, total

    def passes(self, start: FileFindings, *, unsafe: bool) -> tuple[FileFindings, list[Made]]:
        """Fixes from the first finding to the last, again and again; ends at the last state that is not worse."""
        state, made = self.at_once(start)
        best, best_made = state, made
        position = 0
        mended = False
        while self.checks < MOST_CHECKS:
            step = self.one(state, position, unsafe=unsafe)
            if step is not None:
                state, more, position = step
                made = made + more
                mended = True
                if _errors(state) <= _errors(start):
                    best, best_made = state, made
            elif mended:
                position, mended = 0, False
            else:
                break
        return best, best_made

    def at_once(self, state: FileFindings) -> tuple[FileFindings, list[Made]]:
        """The preferred safe fixes of all findings together, where they do exactly what they should.

        Those that change sizes are made one at a time: what one of them mends, the next need not change.
        """
        chosen: list[Fix] = []
        made: list[Made] = []
        end = 0
        for found in state.diagnostics:
            fix = next(_allowed(found, unsafe=False), None)
            if fix is not None and fix.span.start >= end and (not chosen or fix.span.start > chosen[-1].span.start):
                chosen.append(fix)
                made.append(_made(state, found, fix))
                end = fix.span.end
        if len(chosen) < 2:
            return state, []
        after = self.check(state.source, tuple(chosen))
        mended = len(state.diagnostics) - len(chosen) == len(after.diagnostics)
        if not mended or _stage(after) < _stage(state) or _fresh(state, after, tuple(chosen)):
            return state, []
        return self.advised(after), made

    def one(self, state: FileFindings, position: int, *, unsafe: bool) -> tuple[FileFindings, list[Made], int] | None:
        """The first fix at or after a place that makes the spec better, and where to go on."""
        for found in state.diagnostics:
            if found.span.start < position:
                continue
            for fix in _allowed(found, unsafe=unsafe):
                if self.checks >= MOST_CHECKS:
                    return None
                after = self.check(state.source, (fix,))
                if self.better(state, after, found, fix):
                    return self.advised(after), [_made(state, found, fix)], moved(found.span.start, (fix,))
                chain = self.chain(state, after, found, fix, unsafe=unsafe)
                if chain is not None:
                    return (*chain, moved(found.span.start, (fix,)))
        return None

    def chain(
        self, before: FileFindings, after: FileFindings, found: Diagnostic, fix: Fix, *, unsafe: bool
    ) -> tuple[FileFindings, list[Made]] | None:
        """Fixes of one kind in a row, each of which hands what it mends on to a layer after it, until none is left.

        A pool that rounds up gives a pixel more to the next one, which may lose it.
        """
        made = [_made(before, found, fix)]
        while _stage(after) == 2 and len(after.diagnostics) == len(before.diagnostics) and len(made) <= LONGEST_CHAIN:
            place = moved(found.span.start, (fix,))
            behind = [each for each in after.diagnostics if each.code == found.code and each.span.start > place]
            if any(each.code == found.code and each.span.start == place for each in after.diagnostics) or not behind:
                return None
            found, state = behind[0], after
            following = next(_allowed(found, unsafe=unsafe), None)
            if following is None or self.checks >= MOST_CHECKS:
                return None
            fix = following
            after = self.check(state.source, (fix,))
            made.append(_made(state, found, fix))
            if self.better(before, after, found, fix):
                return self.advised(after), made
        return None

    def check(self, source: Source, fixes: tuple[Fix, ...]) -> FileFindings:
        """What is found when fixes are made; what would mend that is looked for only if they stay."""
        self.checks += 1
        changed = Source(edited(source.text, fixes), source.name)
        return check.check_source(changed, self.config, lets=self.lets, inputs=self.inputs, advise=False)

    def advised(self, found: FileFindings) -> FileFindings:
        """The findings with fixes for all that can be mended."""
        if not _errors(found):
            return found
        return check.check_source(found.source, self.config, lets=self.lets, inputs=self.inputs)

    def better(self, before: FileFindings, after: FileFindings, target: Diagnostic, fix: Fix) -> bool:
        """Whether a fix did what it should: every step takes a spec further, so that there is an end to them."""
        stage, reached = _stage(before), _stage(after)
        if reached != stage:
            return reached > stage
        if stage == 1 and still_wrong(after.diagnostics, target, fix):
            return False
        errors, left = _errors(before), _errors(after)
        fresh = _fresh(before, after, (fix,))
        if target.severity != "error":
            return left <= errors and not fresh and len(after.diagnostics) < len(before.diagnostics)
        if left < errors and not fresh:
            return True
        # After an error nothing is known: what shows up there was wrong all the time.
        return left <= errors and stage == 1 and self.layers(after.source) > self.layers(before.source)

    def layers(self, source: Source) -> int:
        """How far the network can be built."""
        return attempt(parse(source)[0], self.lets, inputs=self.inputs).layers


def _allowed(found: Diagnostic, *, unsafe: bool) -> Iterator[Fix]:
    return (fix for fix in found.fixes if fix.safe or unsafe)


def _made(state: FileFindings, found: Diagnostic, fix: Fix) -> Made:
    source = state.source
    return Made(found.code, source.place(fix.span.start), source.slice(fix.span), fix.replacement)


def _refused(found: Diagnostic) -> Diagnostic:
    """A finding whose fixes were tried and undone, with the reason."""
    reason = "not applied: it would only bring other findings"
    return found.replace(help=f"{found.help}; {reason}" if found.help else reason)


def _errors(findings: FileFindings) -> int:
    return sum(found.severity == "error" for found in findings.diagnostics)


def _stage(findings: FileFindings) -> int:
    """How far a spec comes: 0 it does not parse, 1 it does not build, 2 there is a network."""
    codes = [found.code for found in findings.diagnostics if found.severity == "error"]
    if any(code.startswith("E0") for code in codes):
        return 0
    return 1 if any(code[:2] in ("E1", "E2", "E3") for code in codes) else 2


def _fresh(before: FileFindings, after: FileFindings, fixes: tuple[Fix, ...]) -> bool:
    """Whether there are errors that were not there before, by code and place."""
    known = Counter((found.code, moved(found.span.start, fixes)) for found in before.diagnostics)
    there = Counter((found.code, found.span.start) for found in after.diagnostics if found.severity == "error")
    return bool(there - known)

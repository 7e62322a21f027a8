"""Comments that keep findings quiet: `# convsize: ignore[W501]` at the end of a line, `# convsize: ignore-file[W505]`.

Only advice can be kept quiet. A spec with an error has no network that anything else could be checked on, and a check
that is told to pass over errors would say that a broken network is well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from convsize.errors import Diagnostic, Fix, Source, Span
from convsize.language.tree import Comment
from convsize.record import Record
from convsize.words import did_you_mean, nearest

_DIRECTIVE = re.compile(r"#\s*convsize:\s*")
_FORM = re.compile(r"(ignore(?:-file)?)\[([^\]\n]*)\]")


class Suppression(Record):
    """One code in a comment.

    span: where the code stands; comment: the whole comment. line: the line it is about, None for the file.
    others: whether the comment names further codes.
    """

    code: str
    span: Span
    comment: Span
    line: int | None
    others: bool


def read(
    source: Source, comments: Iterable[Comment], known: Collection[str]
) -> tuple[tuple[Suppression, ...], tuple[Diagnostic, ...]]:
    """The suppressions that comments say, and W598 for what looks like one and suppresses nothing."""
    found: list[Suppression] = []
    wrong: list[Diagnostic] = []
    for comment in comments:
        text = source.slice(comment.span)
        directive = _DIRECTIVE.search(text)
        if directive is None:
            continue
        base = comment.span.start
        form = _FORM.match(text, directive.end())
        if form is None:
            wrong.append(_malformed(text, directive.end(), base))
            continue
        whole_file = form[1] == "ignore-file"
        if whole_file and not comment.alone:
            span = Span(base + form.start(1), base + form.end(1))
            wrong.append(
                _wrong(
                    "`ignore-file` applies to the whole file but follows the text of a line",
                    span,
                    "put it on its own line, or write `ignore` for this line",
                )
            )
            continue
        line = None if whole_file else source.place(base).line
        codes = list(_words(form[2], base + form.start(2)))
        if not codes:
            wrong.append(
                _wrong(
                    f"`{form[0]}` names no code",
                    Span(base + form.start(), base + form.end()),
                    "name the codes, as in `ignore[W501, W505]`: suppressing everything is not possible",
                )
            )
        for code, span in codes:
            problem = _problem(code, span, known)
            if problem is not None:
                wrong.append(problem)
            else:
                found.append(Suppression(code, span, comment.span, line, len(codes) > 1))
    return tuple(found), tuple(wrong)


def apply(
    source: Source, diagnostics: Iterable[Diagnostic], suppressions: tuple[Suppression, ...]
) -> tuple[list[Diagnostic], frozenset[Suppression]]:
    """The findings that stay, and the suppressions that kept one quiet.

    A suppression on a line is about findings that start or end on it, so that one on a statement of several lines may
    stand after the first or the last.
    """
    if not suppressions:
        return list(diagnostics), frozenset()
    stay: list[Diagnostic] = []
    used: set[Suppression] = set()
    for found in diagnostics:
        lines = {source.place(found.span.start).line, source.place(max(found.span.end - 1, found.span.start)).line}
        meant = [each for each in suppressions if each.code == found.code and (each.line is None or each.line in lines)]
        if meant and found.severity != "error":
            used.update(meant)
        else:
            stay.append(found)
    return stay, frozenset(used)


def unused(source: Source, suppressions: Iterable[Suppression]) -> Iterator[Diagnostic]:
    """W599 for suppressions that kept nothing quiet."""
    for each in suppressions:
        where = "this file" if each.line is None else "this line"
        yield Diagnostic(
            "W599",
            "warning",
            f"nothing in {where} breaks {each.code}, so this suppresses nothing",
            each.span,
            "remove the code" if each.others else "remove the comment",
            fixes=(_removal(source, each),),
        )


def _malformed(text: str, at: int, base: int) -> Diagnostic:
    word = re.compile(r"[\w-]*").match(text, at)
    name = word[0] if word else ""
    span = Span(base + at, base + max(at + len(name), at))
    form = "`# convsize: ignore[W501]`, or `# convsize: ignore-file[W501]` on a line of its own"
    if name in ("ignore", "ignore-file"):
        return _wrong(f"`{name}` has no codes in square brackets, and suppresses nothing", span, f"write {form}")
    guess = nearest(name, ("ignore", "ignore-file")) if name else None
    fixes = (Fix(span, guess, True),) if guess else ()
    help_text = did_you_mean(guess, f"write {form}")
    what = f"`{name}` is not a directive of convsize" if name else "this comment has no directive for convsize"
    return _wrong(what, span, help_text, fixes)


def _problem(code: str, span: Span, known: Collection[str]) -> Diagnostic | None:
    if code in known and not code.startswith("E") and code not in ("W598", "W599"):
        return None
    if code in ("W598", "W599"):
        return _wrong(
            f"{code} checks suppressions and cannot be suppressed itself",
            span,
            "fix the suppression it reports, or add the code to `ignore` in the configuration",
        )
    if code in known:
        return _wrong(
            f"{code} is an error, and errors cannot be suppressed: a spec with an error cannot be checked further",
            span,
            "fix the error, and remove the code here",
        )
    guess = nearest_code(code, [each for each in known if each.startswith("W")])
    fixes = (Fix(span, guess, True),) if guess and guess == _tidied(code) else ()
    return _wrong(
        f"there is no rule {code}",
        span,
        f"{did_you_mean(guess)} `convsize rules` lists them all".lstrip(),
        fixes,
    )


def nearest_code(code: str, known: Collection[str]) -> str | None:
    """The code that a mistyped one most likely means: `w501` and `W5O1` mean W501."""
    return _tidied(code) if _tidied(code) in known else nearest(_tidied(code), known)


def _tidied(code: str) -> str:
    return code[:1].upper() + code[1:].upper().replace("O", "0")


def _wrong(message: str, span: Span, help_text: str, fixes: tuple[Fix, ...] = ()) -> Diagnostic:
    return Diagnostic("W598", "warning", message, span, help_text, fixes=fixes)


def _words(text: str, base: int) -> Iterator[tuple[str, Span]]:
    for word in re.finditer(r"[^\s,]+", text):
        yield word[0], Span(base + word.start(), base + word.end())


def _removal(source: Source, each: Suppression) -> Fix:
    """Takes away the code, or the whole comment with the space before it where it is the only code."""
    text = source.text
    start, end = each.span.start, each.span.end
    if each.others:
        # "W501, W505": with the comma after it, or after the last code with the one before.
        while text[end] in ", \t":
            end += 1
        if text[end] == "]":
            end = each.span.end
            while text[start - 1] in ", \t":
                start -= 1
        return Fix(Span(start, end), "", True)
    comment = source.slice(each.comment)
    directive = _DIRECTIVE.search(comment)
    start = each.comment.start + (directive.start() if directive else 0)
    while start and text[start - 1] in " \t":
        start -= 1
    end = each.comment.end
    if start == 0 or text[start - 1] == "\n":
        end = min(end + 1, len(text))
    return Fix(Span(start, end), "", True)

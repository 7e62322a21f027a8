"""The pieces that statements share: a name, a colon, and E017 where one of them is missing."""

from __future__ import annotations

from typing import NoReturn

from convsize.errors import Span
from convsize.language.scanner import KEYWORDS, LOWER, UPPER, Scanner, Skip
from convsize.language.tree import Ident


def malformed(scanner: Scanner, message: str, help_text: str, span: Span | None = None) -> NoReturn:
    """E017, at the cursor unless told otherwise."""
    if span is None:
        span = scanner.here()
    scanner.report("E017", message, span, help_text)
    raise Skip


def read_colon(scanner: Scanner, word: str, example: str, start: int) -> None:
    """Step over the colon of the statement whose word begins at `start`, or report E017 and raise Skip."""
    if scanner.skip() != ":":
        malformed(scanner, f"this `{word}` has no colon", f"write it as in `{example}`", Span(start, start + len(word)))
    scanner.pos += 1


def read_name(scanner: Scanner, word: str, example: str, *, capital: bool = False) -> Ident:
    """A name that a statement binds or mentions, with E017 where there is none."""
    char = scanner.skip()
    if char in UPPER and not capital:
        written = scanner.word_at(scanner.pos)
        malformed(
            scanner,
            f"`{written}` begins with a capital letter, which belongs to layers",
            f"write `{written[0].lower()}{written[1:]}`",
        )
    if char not in LOWER and not (capital and char in UPPER):
        malformed(scanner, f"a name is missing in this `{word}`", f"write it as in `{example}`")
    written = scanner.word_at(scanner.pos)
    if written in KEYWORDS:
        malformed(scanner, f"`{written}` is a word of the language and cannot be a name", "choose another name")
    return scanner.ident()

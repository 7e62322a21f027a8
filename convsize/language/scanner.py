"""The cursor that the parser moves over a spec's text, and the ways to report and to recover from an error.

What a character means depends on where it stands (`C` is a layer in a series and a name inside braces), so there is no
list of tokens: the parser asks for what it can use next. Layers in particular are read character by character, because
half the worth of the language lies in errors that are decided inside a token.
"""

from __future__ import annotations

from fractions import Fraction

from convsize.errors import Diagnostic, Fix, Label, Span
from convsize.language.tree import Comment, Ident, Num
from convsize.words import plural

DIGITS = frozenset("0123456789")
UPPER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
# What a WORD can start with.
LOWER = frozenset("abcdefghijklmnopqrstuvwxyz_")
IDENTIFIER = DIGITS | UPPER | LOWER

KEYWORDS = frozenset(("input", "default", "let", "def", "shared", "head", "expect", "split", "as"))
STATEMENTS = frozenset(("input", "default", "let", "def", "shared", "head", "expect"))

MAX_FILE = 1 << 20
MAX_NESTING = 64  # brackets within brackets: every level costs the parser and the builder some stack
MAX_EXPRESSION = 100  # operators, brackets and calls in one expression, for the same reason
MAX_DIGITS = 18  # below 2^63, and no network needs as many
MAX_ERRORS = 50

_CLOSERS = {"(": ")", "[": "]", "{": "}"}


class Skip(Exception):  # noqa: N818 (control flow, never seen outside)
    """What is being read is beyond repair and reported; the reader goes on after it."""


class Stop(Exception):  # noqa: N818 (control flow, never seen outside)
    """The file is beyond repair and reported."""


def clean(text: str) -> tuple[str, tuple[Comment, ...]]:
    """The text with everything blanked that separates nothing, offsets kept, and the comments.

    Comments, tabs, carriage returns before a line break and a byte order mark become spaces; so does every line break
    that an indented line follows. The line breaks that are left end statements, except inside brackets.
    """
    lines = text.split("\n")
    comments: list[Comment] = []
    kept: list[str] = []
    start = 0
    ending = -1  # the last line that holds something: an indented line continues it
    for number, line in enumerate(lines):
        length = len(line)
        if "#" in line:
            at = line.index("#")
            note = line[at:].rstrip()
            comments.append(Comment(note, Span(start + at, start + at + len(note)), not line[:at].strip(" \t\r\ufeff")))
            line = line[:at].ljust(length)
        if "\t" in line:
            line = line.replace("\t", " ")
        if line.endswith("\r"):
            line = line[:-1] + " "
        if number == 0 and line.startswith("\ufeff"):
            line = " " + line[1:]
        if line and not line.isspace():
            if line[0] == " " and ending >= 0:
                # Only the last of the breaks between the two lines would end the statement; blank them all.
                for between in range(ending, number):
                    kept[between] = kept[between][:-1] + " "
            ending = number
        kept.append(line + "\n")
        start += length + 1
    return "".join(kept), tuple(comments)


def defined_names(text: str) -> frozenset[str]:
    """The names that a cleaned text gives to blocks and values; blocks hold before they are read, too."""
    names = set()
    before = ""
    for word in text.split():
        if before in ("def", "shared", "as"):
            end = 0
            while end < len(word) and word[end] in IDENTIFIER:
                end += 1
            names.add(word[:end])
        before = word
    return frozenset(names)


class Scanner:
    """A position in a cleaned text, the brackets open there, and what was found wrong so far.

    text ends with a line break that is not the spec's own, so that text[pos] exists wherever the cursor stands; end is
    the offset of it. A trial only asks whether a text can be read: it stops at the first error.
    """

    __slots__ = ("closed", "diagnostics", "end", "numbers", "opens", "pos", "text", "trial", "weight")

    def __init__(self, text: str, pos: int = 0, *, trial: bool = False) -> None:
        self.text = text
        self.end = len(text) - 1
        self.pos = pos
        self.opens: list[tuple[str, int]] = []
        self.closed: dict[int, int] | None = None
        self.weight = 0
        self.trial = trial
        self.numbers: dict[str, Fraction] = {}
        self.diagnostics: list[Diagnostic] = []

    # ---- moving -----------------------------------------------------------------------------------------------------

    def skip(self) -> str:
        """Go to the next character that is not blank, and return it: a line break where the statement ends."""
        text, pos = self.text, self.pos
        if self.opens:
            end = self.end
            while text[pos] == " " or (text[pos] == "\n" and pos < end):
                pos += 1
        else:
            while text[pos] == " ":
                pos += 1
        self.pos = pos
        return text[pos]

    def run(self, pos: int) -> int:
        """Where the letters, digits and underscores that begin at `pos` end."""
        text = self.text
        while text[pos] in IDENTIFIER:
            pos += 1
        return pos

    def here(self) -> Span:
        """The word or character at the cursor; at the end of a line, the last character before it."""
        pos = self.pos
        if self.text[pos] != "\n":
            return Span(pos, pos + len(self.word_at(pos) or "?"))
        while pos > 0 and self.text[pos - 1] in " \n":
            pos -= 1
        return Span(max(pos - 1, 0), pos)

    def word_at(self, pos: int) -> str:
        """The letters, digits and underscores that begin at `pos`."""
        return self.text[pos : self.run(pos)]

    def ident(self) -> Ident:
        """The name the cursor stands on."""
        start = self.pos
        self.pos = self.run(start)
        return Ident(self.text[start : self.pos], Span(start, self.pos))

    def integer(self) -> Num:
        """The digits the cursor stands on."""
        text, start = self.text, self.pos
        pos = start + 1
        while text[pos] in DIGITS:
            pos += 1
        self.pos = pos
        digits = text[start:pos]
        value = self.numbers.get(digits)
        if value is None:
            value = self.numbers[digits] = self._value(digits, Span(start, pos))
        return Num(value, Span(start, pos))

    def _value(self, digits: str, span: Span) -> Fraction:
        if len(digits) > MAX_DIGITS:
            self.too_long(span)
            return Fraction(1)
        return Fraction(int(digits))

    def too_long(self, span: Span) -> None:
        """E103: converting thousands of digits takes quadratic time, and nothing is that large."""
        shown = self.text[span.start : span.start + 8]
        self.report(
            "E103",
            f"the number `{shown}…` has {plural(span.end - span.start, 'digit')}",
            span,
            f"no size of a network needs more than {MAX_DIGITS}",
        )

    # ---- brackets ---------------------------------------------------------------------------------------------------

    def open(self) -> int:
        """Step over the opening bracket the cursor stands on; its offset."""
        at = self.pos
        if len(self.opens) >= MAX_NESTING:
            self.report(
                "E018",
                f"brackets are nested more than {MAX_NESTING} deep here",
                Span(at, at + 1),
                "give the inner part a name with `def`",
            )
            raise Stop
        self.opens.append((self.text[at], at))
        self.pos = at + 1
        return at

    def close(self) -> bool:
        """Step over the closing bracket of the innermost open one, or report E011; whether it was there."""
        opener, at = self.opens[-1]
        closer = _CLOSERS[opener]
        self.skip()
        pos = self.pos
        found = self.text[pos]
        if found == closer:
            self.opens.pop()
            self.pos = pos + 1
            return True
        start = Span(at, at + 1)
        if found in ")]}":
            self.opens.pop()
            # Where an outer bracket waits for this closer, the inner one was forgotten: leave it to the outer.
            forgotten = any(_CLOSERS[outer] == found for outer, _ in self.opens)
            self.report(
                "E011",
                f"`{opener}` is closed by `{found}`",
                Span(pos, pos + 1),
                f"put `{closer}` before it" if forgotten else f"write `{closer}`",
                label=f"`{closer}` is missing" if forgotten else f"this should be `{closer}`",
                labels=(Label(start, f"`{opener}` is opened here"),),
                fixes=(Fix(Span(pos, pos + (not forgotten)), closer, False),),
            )
            if not forgotten:
                self.pos = pos + 1
            return False
        if pos < self.end and found != "\n" and self.behind_brackets(at) > at:
            word = self.word_at(pos) or found
            self.report(
                "E016",
                f"`{word}` follows a value inside `{opener}{closer}` without an operator",
                Span(pos, pos + len(word)),
                f"write an operator or a comma before it, or `{closer}`",
                labels=(Label(start, f"`{opener}` is opened here"),),
            )
            self.pos = self.behind_brackets(at)  # the rest of what is inside would only be misread as layers
            self.opens.pop()
            return False
        where = "the spec ends" if pos >= self.end else "it must be closed before this"
        self.report(
            "E011",
            f"`{opener}` is never closed",
            start,
            f"put `{closer}` after the last item that belongs to it",
            label="opened here",
            labels=(Label(Span(pos, min(pos + 1, self.end)), where),) if pos < self.end else (),
        )
        self.opens.pop()
        return False

    # ---- errors -----------------------------------------------------------------------------------------------------

    def report(
        self,
        code: str,
        message: str,
        span: Span,
        help: str,  # noqa: A002 (the catalogue's word)
        *,
        label: str = "",
        labels: tuple[Label, ...] = (),
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        """Note an error. Raises Stop in a trial, and when there are so many that the text is no spec."""
        self.diagnostics.append(Diagnostic(code, "error", message, span, help, label, labels, fixes))
        if self.trial:
            raise Stop
        if len(self.diagnostics) == MAX_ERRORS:
            self.diagnostics.append(
                Diagnostic(
                    "E018",
                    "error",
                    f"{MAX_ERRORS} errors were found; the rest of the file was not read",
                    span,
                    "fix these first and try again",
                )
            )
            raise Stop

    def recover(self, start: int, depth: int) -> None:
        """After Skip: leave the brackets opened since there were `depth`, and go on after the item begun at `start`."""
        text = self.text
        if len(self.opens) > depth:
            closed = self.behind_brackets(self.opens[depth][1])
            self.pos = max(self.pos, closed)
            del self.opens[depth:]
        pos = max(self.pos, start + 1)
        while text[pos] not in " \n()[]|+*":
            pos = max(self.behind_brackets(pos), pos + 1) if text[pos] == "{" else pos + 1
        self.pos = min(pos, self.end)

    def behind_brackets(self, at: int) -> int:
        """After the bracket that closes the one at `at`, or `at` where its line ends before.

        All brackets are paired when the first is asked for, so that a text full of them is read in linear time.
        """
        if self.closed is None:
            self.closed, opens = {}, []
            for pos in range(self.end):
                char = self.text[pos]
                if char in "([{":
                    opens.append(pos)
                elif char in ")]}" and opens:
                    self.closed[opens.pop()] = pos + 1
                elif char == "\n":
                    opens.clear()
        return self.closed.get(at, at)

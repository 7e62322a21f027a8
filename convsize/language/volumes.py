"""Reading a volume: `3@224x224`."""

from __future__ import annotations

from typing import NoReturn

from convsize.errors import Fix, Span
from convsize.language.scanner import DIGITS, LOWER, Scanner, Skip
from convsize.language.tree import Volume
from convsize.words import plural


def read_volume(scanner: Scanner) -> Volume | None:
    """The volume at the cursor, which stands on a digit; None where only a number stands there.

    Raises Skip with E012 for a volume that is written in another way.
    """
    text = scanner.text
    start = scanner.pos
    pos = start
    while text[pos] in DIGITS:
        pos += 1
    if text[pos] == "x" and text[pos + 1] in DIGITS:
        _foreign_volume(scanner, start)
    if text[pos] != "@":
        return None
    channels = scanner.integer()
    extents: list[int] = []
    while text[scanner.pos] == ("x" if extents else "@") and text[scanner.pos + 1] in DIGITS:
        scanner.pos += 1
        extents.append(scanner.integer().value.numerator)
    span = Span(start, scanner.pos)
    if not extents:
        what = "`{n}`" if text[scanner.pos + 1] == "{" else "a digit"
        scanner.report(
            "E012",
            "a volume needs its extents after the `@`",
            Span(start, scanner.pos + 1),
            "write them in plain numbers, as in `3@224x224`, not " + what
            if what != "a digit"
            else "write them in plain numbers, as in `3@224x224`",
        )
        scanner.pos += 1
        raise Skip
    if len(extents) > 3:
        scanner.report(
            "E012",
            f"this volume has {plural(len(extents), 'extent')} after the `@`",
            span,
            "a volume has one (1-D), two (2-D) or three (3-D)",
        )
        raise Skip
    if text[scanner.pos] in LOWER:
        glued = scanner.word_at(scanner.pos)
        scanner.pos += len(glued)
        scanner.report(
            "E012",
            f"`{glued}` is glued to the volume `{text[start : span.end]}`",
            Span(span.end, scanner.pos),
            "put a space between them",
            fixes=(Fix(Span(span.end, span.end), " ", False),),
        )
        raise Skip
    return Volume(channels.value.numerator, tuple(extents), span)


def _foreign_volume(scanner: Scanner, start: int) -> NoReturn:
    """E012 for `3x224x224` and `224x224x3`."""
    text = scanner.text
    end = start
    while text[end] in DIGITS or (text[end] == "x" and text[end + 1] in DIGITS):
        end += 1
    numbers = text[start:end].split("x")
    if len(numbers) == 3 and len(numbers[2]) < min(len(numbers[0]), len(numbers[1])):
        numbers = [numbers[2], *numbers[:2]]
    better = f"{numbers[0]}@{'x'.join(numbers[1:])}"
    hint = f"write the depth first, then `@`: `{better}`"
    fixes: tuple[Fix, ...] = (Fix(Span(start, end), better, False),)
    if len(numbers) == 2:
        hint = f"write the depth first, then `@`, as in `3@{'x'.join(numbers)}`"
        fixes = ()
    scanner.pos = end
    scanner.report(
        "E012", f"`{text[start:end]}` does not say which number is the depth", Span(start, end), hint, fixes=fixes
    )
    raise Skip

"""Words that messages are made of: counts with their noun, lists, shares, and what a mistyped name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

COUNTS = ((10**15, "P"), (10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K"))
"""Units of counts, the largest first; K is 1000."""

BYTES = ((2**50, "PiB"), (2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
"""Binary units of bytes, the largest first."""


def plural(count: int, noun: str) -> str:
    """A count with its noun: all messages write it with this.

    >>> plural(1, "layer"), plural(1792, "parameter"), plural(2, "axis")
    ('1 layer', '1,792 parameters', '2 axes')
    """
    return f"{count:,} {form(count, noun)}"


def form(count: int, noun: str) -> str:
    """A noun as it stands after a count.

    >>> form(1, "branch"), form(3, "branch"), form(0, "quantity"), form(2, "bias")
    ('branch', 'branches', 'quantities', 'biases')
    """
    if count == 1:
        return noun
    if noun.endswith("axis"):
        return f"{noun[:-2]}es"
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def are(count: int) -> str:
    """The verb after a count: 1 is, 2 are."""
    return "is" if count == 1 else "are"


def listed(words: Sequence[str], last: str = "and", most: int | None = None) -> str:
    """Words as a sentence lists them; of many, the first `most` and how many more there are (never one alone).

    >>> listed(["a"]), listed(["a", "b", "c"], "or"), listed(["a", "b", "c", "d"], most=2)
    ('a', 'a, b or c', 'a, b and 2 more')
    """
    if most is not None and len(words) > most + 1:
        return f"{', '.join(words[:most])} and {len(words) - most:,} more"
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def grid_word(axes: int) -> str:
    """What one place of an input or a map is called, by the number of its axes: a pixel is of an image.

    >>> [grid_word(axes) for axes in (0, 1, 2, 3)]
    ['value', 'position', 'pixel', 'voxel']
    """
    return ("value", "position", "pixel", "voxel")[axes] if axes < 4 else "position"


def numbered(noun: str, numbers: Sequence[int], most: int | None = None) -> str:
    """What numbers are of.

    >>> numbered("line", [3]), numbered("line", [3, 5])
    ('line 3', 'lines 3 and 5')
    """
    return f"{form(len(numbers), noun)} {listed([str(each) for each in numbers], most=most)}"


def percent(share: float) -> str:
    """A share of 1 as people say it: never 100 % or 0 % where it is not.

    >>> percent(0.71), percent(0.004), percent(0.9999)
    ('71 %', '0.4 %', 'over 99 %')
    """
    if 0.995 <= share < 1:
        return "over 99 %"
    if 0 < share < 0.0005:
        return "under 0.1 %"
    return f"{100 * share:.1f} %" if 0 < share < 0.0095 else f"{round(100 * share)} %"


def four_digits(value: Fraction) -> str:
    """A number from 1 to 9999 in four significant digits; from 1000 on in whole ones."""
    for digits, limit in ((3, 10), (2, 100), (1, 1000)):
        text = f"{float(value):.{digits}f}"
        if float(text) < limit:
            return text
    return f"{round(value)}"


def size(value: int) -> str:
    """Bytes in four digits with a binary unit, KiB = 2¹⁰: 12.25 MiB."""
    from fractions import Fraction

    for index, (unit_size, unit) in enumerate(BYTES):
        if value >= unit_size:
            text = four_digits(Fraction(value, unit_size))
            if text == "1024" and index:  # one byte less than a MiB is 1.000 MiB, not 1024 KiB
                return f"1.000 {BYTES[index - 1][1]}"
            return f"{text} {unit}"
    return f"{value} B"


def did_you_mean(guess: str | None, otherwise: str = "") -> str:
    """The question after a mistyped name; what else there is to say where nothing is like it.

    >>> did_you_mean("tanh"), did_you_mean(None, "`convsize ops` lists them")
    ('did you mean `tanh`?', '`convsize ops` lists them')
    """
    return f"did you mean `{guess}`?" if guess else otherwise


def or_rather(guess: str | None, otherwise: str = "") -> str:
    """The same as the end of a sentence that names the mistyped name.

    >>> or_rather("mse"), or_rather(None, "there are: mse, smooth-l1"), or_rather(None)
    (': did you mean `mse`?', '; there are: mse, smooth-l1', '')
    """
    if guess:
        return f": {did_you_mean(guess)}"
    return f"; {otherwise}" if otherwise else ""


def nearest(name: str, known: Iterable[str], most: int = 256) -> str | None:
    """The known name that a mistyped one was meant to be, or None where none is.

    Names that differ in case and separators alone are the same. Else a name is meant where a slip of the keys makes the
    one of the other: a letter left out, put in, taken for another, or two that changed places. Up to seven letters one
    slip is allowed, then two; up to four letters another letter makes another word (`v100` is no `a100`), so that only
    a letter inside may be missing or too many, or two change places. Digits are never slips; a plural is one of any
    length.

    Only the first `most` of the known names are looked at, so that a file of many mistakes among many names is read in
    a time that grows with its length; and a name of over 64 letters is like no other.

    >>> nearest("tahn", ["tanh", "elu"]), nearest("sigmod", ["sigmoid"]), nearest("max", ["softmax", "mish"])
    ('tanh', 'sigmoid', None)
    """
    wanted = _plain(name)
    best: tuple[int, int, int] | None = None
    found = None
    for place, word in enumerate(islice(known, most)):
        plain = _plain(word)
        slips = 0 if plain == wanted else _slips(wanted, plain)
        if slips is not None:
            rank = (slips, int(plain[:1] != wanted[:1]), place)
            if best is None or rank < best:
                best, found = rank, word
    return found


def meant(name: str, names: Sequence[str]) -> str:
    """The layer that a mistyped name means or, where only its number is another, those that there are of its kind.

    >>> meant("cnov1", ["conv1", "relu1"]), meant("conv9", ["conv1", "relu1", "conv2"])
    ('did you mean `conv1`?', 'there are conv1, conv2')
    """
    near = nearest(name, names)
    if near:
        return did_you_mean(near)
    stem = name.rstrip("0123456789")
    alike = [each for each in names if each.rstrip("0123456789") == stem]
    alike = alike if len(alike) > 1 else list(names)
    shown = ", ".join(alike[:5])
    return f"there are {shown}{' and more' if len(alike) > 5 else ''}"


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _slips(left: str, right: str) -> int | None:
    """How many slips of the keys part two different names; None where they are too many for their length."""
    length = max(len(left), len(right))
    allowed = 1 if length <= _ONE_SLIP else 2
    if min(len(left), len(right)) < 2 or length > _LONGEST or abs(len(left) - len(right)) > allowed:
        return None
    if [char for char in left if char.isdigit()] != [char for char in right if char.isdigit()]:
        return None
    if left + "s" == right or right + "s" == left:
        return 1
    if length <= _SHORT:
        longer, shorter = (left, right) if len(left) > len(right) else (right, left)
        inside = any(longer[:at] + longer[at + 1 :] == shorter for at in range(1, length - 1))
        return 1 if inside or (sorted(left) == sorted(right) and left[0] == right[0]) else None
    before: list[int] = []
    row = list(range(len(right) + 1))
    for at, char in enumerate(left):
        above, row = row, [at + 1]
        for to, other in enumerate(right):
            cost = min(above[to] + (char != other), above[to + 1] + 1, row[to] + 1)
            if at and to and char == right[to - 1] and left[at - 1] == other:
                cost = min(cost, before[to - 1] + 1)
            row.append(cost)
        before = above
    return row[-1] if row[-1] <= allowed else None


_SHORT, _ONE_SLIP, _LONGEST = 4, 7, 64
"""The longest names of which no letter may be another one, and those of which one may."""

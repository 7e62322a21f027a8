"""Reading a word's arguments, and the checks that several ops share."""

from __future__ import annotations

from fractions import Fraction
from math import gcd

from convsize.geometry import Extents, GeometryError, Shape
from convsize.ops.base import Argument
from convsize.words import plural


def whole(value: Argument) -> int:
    """An argument that PARAMS declares as a whole number."""
    if not isinstance(value, int):
        raise TypeError(f"not a whole number: {value!r}")
    return value


def wholes(value: Argument) -> tuple[int, ...]:
    """A variadic argument; nothing where none was given."""
    if value is None:
        return ()
    if not isinstance(value, tuple):
        raise TypeError(f"not a list of whole numbers: {value!r}")
    return tuple(map(whole, value))


def number(value: Argument) -> Fraction:
    """An argument that PARAMS declares as any number."""
    if not isinstance(value, (int, Fraction)):
        raise TypeError(f"not a number: {value!r}")
    return Fraction(value)


def numbers(value: Argument) -> tuple[Fraction, ...]:
    """A variadic argument of any numbers."""
    if not isinstance(value, tuple):
        raise TypeError(f"not a list of numbers: {value!r}")
    return tuple(map(number, value))


def torch_number(value: Fraction) -> int | float:
    """A number as PyTorch is given it: whole where it is."""
    return value.numerator if value.denominator == 1 else float(value)


def require_one_a_map(word: str, count: int, source: Shape) -> None:
    """Raises GeometryError (E111) where there is neither one number for all maps nor one for each."""
    if count not in (1, source.channels):
        raise GeometryError(
            "E111",
            f"`{word}` has {plural(count, 'number')} for {plural(source.channels, 'map')}: there must be one for all "
            "or one per "
            "map",
            f"write `{word}(k)`, or {plural(source.channels, 'number')}",
        )


def share(name: str, value: Argument) -> Fraction:
    """A number from 0 to 1. Raises GeometryError (E111)."""
    given = number(value)
    if not 0 <= given <= 1:
        raise GeometryError("E111", f"`{name}` must be from 0 to 1, not {float(given):g}", f"write `{name}=0.5`")
    return given


def above_zero(name: str, value: Argument) -> Fraction:
    """A number above 0. Raises GeometryError (E111)."""
    given = number(value)
    if given <= 0:
        raise GeometryError("E111", f"`{name}` must be above 0, not {float(given):g}", f"write `{name}=0.00001`")
    return given


def extents_of_tap(tap: Shape, source: Shape) -> Extents:
    """The extents that a tap's volume gives a layer. Raises GeometryError (E206) where it has other axes."""
    if tap.rank != source.rank:
        raise GeometryError(
            "E206",
            f"the tap {tap} and the input {source} have different numbers of axes",
            "name a tap with as many axes as the input has",
        )
    return tap.spatial


def require_positive(what: str, value: int, fix: str = "write 1 or more") -> None:
    """Raises GeometryError (E111) where a number that must be at least 1 is not."""
    if value < 1:
        raise GeometryError("E111", f"{what} must be at least 1, not {value}", fix)


def require_parts(code: str, what: str, parts: int, depth: int) -> None:
    """Raises GeometryError where the depth does not fall into equal parts."""
    require_positive(f"the number of {what}", parts)
    if depth % parts:
        raise GeometryError(
            code,
            f"{parts} {what} do not divide the depth {depth}: {depth}/{parts} leaves {depth % parts}",
            f"take {gcd(parts, depth)}, or a depth of {depth - depth % parts + parts}",
        )


def require_groups(groups: int, depth_in: int, depth_out: int) -> None:
    """Raises GeometryError E111 (a number below 1), E204 (groups that do not divide both depths of a convolution)."""
    require_positive("the number of groups", groups)
    require_positive("the depth", depth_out)
    for what, depth in (("input", depth_in), ("output", depth_out)):
        if depth % groups:
            raise GeometryError(
                "E204",
                f"{plural(groups, 'group')} do not divide the {what}'s depth {depth}: {depth}/{groups} leaves "
                f"{depth % groups}",
                f"take `g{gcd(depth_in, depth_out, groups)}`, or a depth of {depth - depth % groups + groups}",
            )

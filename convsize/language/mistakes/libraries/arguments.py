"""The arguments of a call, and what they must be for a spec to say the same."""

from __future__ import annotations

from fractions import Fraction


class Unread(Exception):  # noqa: N818 (control flow, never seen outside)
    """The call says something that a spec cannot; the argument says what."""


MISSING = object()


class Given:
    """The arguments of a call: each entry takes those that it knows, and what is left is not understood.

    keras: whether the name's spelling or its arguments are those of Keras; explicit: whether the spec has a `default`,
    so that what a token leaves out may mean something else.
    """

    def __init__(self, positional: list[object], named: dict[str, object], *, keras: bool | None, explicit: bool):
        self.positional = positional
        self.named = named
        self.taken: set[int] = set()
        self.keras = keras
        self.explicit = explicit

    def take(self, *names: str, at: int | None = None, default: object = MISSING) -> object:
        """An argument by one of its names or by its place."""
        found = [name for name in names if name in self.named]
        placed = at is not None and at < len(self.positional)
        if len(found) + placed > 1:
            raise Unread(f"`{found[0]}` is given twice")
        if found:
            return self.named.pop(found[0])
        if placed:
            assert at is not None
            self.taken.add(at)
            return self.positional[at]
        if default is MISSING:
            raise Unread(f"`{names[0]}` is missing")
        return default

    def skip(self, *names: str) -> None:
        """Arguments that change nothing which a spec states."""
        for name in names:
            self.named.pop(name, None)

    def done(self) -> None:
        """Raises where an argument is left."""
        self.skip("name", "dtype", "device", "inplace", "trainable", "input_shape", "kernel_initializer")
        left = [f"`{name}=`" for name in self.named]
        left += [f"`{self.positional[at]}`" for at in range(len(self.positional)) if at not in self.taken]
        if left:
            raise Unread(f"a spec has no counterpart of {left[0]}")


def whole(value: object, least: int = 1) -> int:
    """A whole number."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    raise Unread(f"`{value}` is not a whole number of at least {least}")


def extents(value: object, least: int = 1) -> tuple[int, ...]:
    """One number, or one for every axis; one where all are alike."""
    values = value if isinstance(value, tuple | list) else (value,)
    numbers = tuple(whole(each, least) for each in values)
    if not 1 <= len(numbers) <= 3:
        raise Unread(f"`{value}` has no number for every axis")
    return numbers[:1] if len(set(numbers)) == 1 else numbers


def dims(values: tuple[int, ...]) -> str:
    """Extents as a token has them: 3, or 3x5."""
    return "x".join(map(str, values))


def decimal(value: object) -> str:
    """A number as a spec writes it: 1e-05 as 0.00001."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**9:
        raise Unread(f"`{value}` is not a number that a spec allows")
    exact = Fraction(repr(value))
    if exact.denominator == 1:
        return str(exact.numerator)
    return f"{value:.18f}".rstrip("0") if Fraction(f"{value:.18f}") == exact else repr(value)


def signed(value: object) -> str:
    """A number of either sign."""
    if isinstance(value, int | float) and value < 0:
        return f"-{decimal(-value)}"
    return decimal(value)


def flag(value: object) -> bool:
    """True or False."""
    if isinstance(value, bool):
        return value
    raise Unread(f"`{value}` is neither True nor False")

"""Expressions to exact numbers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from convsize.errors import ConvsizeError, Fix, Span
from convsize.language.tree import Arg, Binary, Expr, Function, Name, Neg, Num, Tap

LARGEST_NUMBER = 10**18
_LARGEST_EXPONENT = 60
"""2 to a higher power is beyond the largest number, and so is the numerator or denominator of every other base."""

FUNCTIONS = {"min": 2, "max": 2, "round": 2}
"""The arithmetic functions with the fewest arguments each one takes."""

Lookup = Callable[[str, Span], Fraction]


class BuildError(ConvsizeError):
    """A diagnostic in the making: raised where something is found, caught where its place in the network is known."""

    def __init__(
        self,
        code: str,
        message: str,
        span: Span,
        help: str | None = None,  # noqa: A002 (the catalogue's word)
        *,
        label: str = "",
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span
        self.help = help
        self.label = label
        self.fixes = fixes


class Unknown(Exception):  # noqa: N818 (no error: the error was reported where the value was lost)
    """A value that follows from an earlier error; whatever needs it is left alone silently."""


def number_text(value: Fraction) -> str:
    """A number as a spec writes it: `3`, `0.25`, and `1/3` where no decimals say it."""
    if value.denominator == 1:
        return str(value.numerator)
    as_float = float(value)
    text = f"{as_float:.12g}"
    return text if Fraction(text) == value and "e" not in text else f"{value.numerator}/{value.denominator}"


def evaluate(expr: Expr, lookup: Lookup) -> Fraction:
    """The exact value of an expression; `lookup` gives the names' values.

    Raises BuildError E103 (too large), E105 (arguments), E107 (division by zero), and what `lookup` raises.
    """
    if type(expr) is Num:
        return expr.value
    if type(expr) is Name:
        return lookup(expr.name, expr.span)
    if type(expr) is Neg:
        return -evaluate(expr.operand, lookup)
    value = _function(expr, lookup) if type(expr) is Function else _binary(expr, lookup)  # type: ignore[arg-type]
    if abs(value.numerator) > LARGEST_NUMBER or value.denominator > LARGEST_NUMBER:
        raise BuildError("E103", "this number is beyond 10^18", expr.span, "no size of a network needs it")
    return value


def _binary(expr: Binary, lookup: Lookup) -> Fraction:
    left = evaluate(expr.left, lookup)
    right = evaluate(expr.right, lookup)
    if expr.op == "+":
        return left + right
    if expr.op == "-":
        return left - right
    if expr.op == "*":
        return left * right
    if expr.op == "**":
        return _power(left, right, expr)
    if right == 0:
        raise BuildError("E107", "this divides by zero", expr.span, f"{number_text(left)}{expr.op}0 has no value")
    if expr.op == "/":
        return left / right
    floor = Fraction(left // right)
    return floor if expr.op == "//" else left - floor * right


def _power(base: Fraction, exponent: Fraction, expr: Binary) -> Fraction:
    shown = f"{number_text(base)}**{number_text(exponent)}"
    if exponent.denominator != 1:
        raise BuildError("E107", f"an exponent must be a whole number: {shown}", expr.right.span, "write a whole one")
    if base == 0 and exponent < 0:
        raise BuildError("E107", "this divides by zero", expr.span, f"{shown} has no value")
    if abs(base) in (0, 1):
        return base if exponent % 2 else base * base if exponent else Fraction(1)
    if abs(exponent) > _LARGEST_EXPONENT:
        raise BuildError("E103", "this number is beyond 10^18", expr.span, "no size of a network needs it")
    return Fraction(base**exponent.numerator)


def _function(expr: Function, lookup: Lookup) -> Fraction:
    name = expr.name.name
    if name not in FUNCTIONS:
        known = ", ".join(FUNCTIONS)
        raise BuildError("E106", f"`{name}` is not an arithmetic function", expr.name.span, f"there are {known}")
    values = [evaluate(argument_expr(arg), lookup) for arg in expr.args]
    if len(values) < FUNCTIONS[name] or (name == "round" and len(values) != 2):
        raise BuildError("E105", f"`{name}` takes two numbers", expr.span, f"`{name}(a, b)`")
    if name == "min":
        return min(values)
    if name == "max":
        return max(values)
    return round_to_multiple(values[0], values[1], expr.span)


def argument_expr(arg: Arg) -> Expr:
    """The expression of a plain argument. Raises BuildError E105 where it is a tap or named."""
    if arg.name is not None or isinstance(arg.value, Tap):
        raise BuildError("E105", "a number is needed here", arg.span, "write an expression")
    return arg.value


def round_to_multiple(value: Fraction, multiple: Fraction, span: Span) -> Fraction:
    """The nearest multiple, at least one, raised by one where it falls under 0.9·value (MobileNet's rounding)."""
    if multiple <= 0:
        raise BuildError("E107", "this rounds to a multiple of nothing", span, "the second argument must be positive")
    rounded = max(multiple, (value + multiple / 2) // multiple * multiple)
    return rounded + multiple if rounded < Fraction(9, 10) * value else rounded


def whole(expr: Expr, lookup: Lookup, text: Callable[[Expr], str]) -> int:
    """The value of an expression that must be whole.

    Raises BuildError E107 with the division that leaves a remainder.
    """
    value = evaluate(expr, lookup)
    if value.denominator != 1:
        written = text(expr)
        steps = [written]
        if type(expr) is Binary and expr.op == "/":
            left, right = evaluate(expr.left, lookup), evaluate(expr.right, lookup)
            steps.append(f"{number_text(left)}/{number_text(right)}")
        decimal = number_text(value)
        steps.append(decimal if "/" not in decimal else f"{float(value):.4g}")
        shown = " = ".join(dict.fromkeys(steps))
        raise BuildError(
            "E107", f"this must be a whole number: {shown}", expr.span, f"`{written}` must divide, or write `//`"
        )
    return value.numerator

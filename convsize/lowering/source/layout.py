"""Python expressions laid out in lines of 88 characters, broken where `ruff format` breaks them."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 88
_INDENT = 4


class Bracket:
    """Something in brackets after a text: a call, a list, a tuple.

    Too wide for its line, its parts go on a line of their own; too wide for that, on a line each.
    """

    __slots__ = ("close", "open", "parts", "single_comma")

    def __init__(self, open_: str, parts: Sequence[Expr], close: str, *, single_comma: bool = False) -> None:
        self.open = open_
        self.parts = parts
        self.close = close
        self.single_comma = single_comma


class Named:
    """An expression after a name: `key=expression`."""

    __slots__ = ("expression", "name")

    def __init__(self, name: str, expression: Expr) -> None:
        self.name = name
        self.expression = expression


Expr = str | Bracket | Named


def items(arguments: Sequence[tuple[str, Expr]]) -> list[Expr]:
    """Arguments with what stands before each: "" or "key="."""
    return [Named(name, value) if name else value for name, value in arguments]


def call(function: str, arguments: Sequence[tuple[str, Expr]]) -> Bracket:
    """A call."""
    return Bracket(f"{function}(", items(arguments), ")")


def flat(expression: Expr) -> str:
    """An expression in one line."""
    if isinstance(expression, str):
        return expression
    if isinstance(expression, Named):
        return expression.name + flat(expression.expression)
    inner = ", ".join(map(flat, expression.parts))
    comma = "," if expression.single_comma and len(expression.parts) == 1 else ""
    return f"{expression.open}{inner}{comma}{expression.close}"


def statement(indent: int, before: str, expression: Expr, after: str = "") -> list[str]:
    """The lines of `before expression after`."""
    if isinstance(expression, Named):
        return statement(indent, before + expression.name, expression.expression, after)
    one = f"{' ' * indent}{before}{flat(expression)}{after}"
    if len(one) <= WIDTH or isinstance(expression, str) or not expression.parts:
        return [one]
    inner = " " * (indent + _INDENT) + ", ".join(map(flat, expression.parts))
    lines = [f"{' ' * indent}{before}{expression.open}"]
    if len(inner) <= WIDTH and not (expression.single_comma and len(expression.parts) == 1):
        lines.append(inner)
    else:
        for part in expression.parts:
            lines += statement(indent + _INDENT, "", part, ",")
    return [*lines, f"{' ' * indent}{expression.close}{after}"]

"""Literals: the value of an expression that nothing has to be run for, and where one is none."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["LiteralError", "bounded", "dotted", "value_of"]

LARGEST = 10**18
"""Numbers stay below this: what is larger is no size of a network."""

MOST_VALUES = 10_000
"""Values of one list, with those of the lists in it."""

_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


class LiteralError(Exception):
    """A line whose value is known only when it is run, or which cannot be read at all."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


def dotted(node: ast.expr) -> str:
    """A name with its dots, `torch.nn.Conv2d`; "" where the expression is none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""


def bounded(line: int, value: Any) -> Any:
    """The value, where it holds no more values than any model needs: lists that double fill the memory otherwise."""
    open_, count = [value], 0
    while open_:
        each = open_.pop()
        inner = list(each) if isinstance(each, list | tuple) else list(each.values()) if isinstance(each, dict) else []
        count += len(inner)
        if count > MOST_VALUES:
            raise LiteralError(line, f"a list of more than {MOST_VALUES:,} values cannot be read")
        open_ += inner
    return value


def value_of(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The number, text, tuple, list or dictionary that an expression stands for.

    Arithmetic on numbers is worked out, and names stand for what `names` has. Raises LiteralError elsewhere.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str | None):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.Tuple | ast.List):
        found = [value_of(each, names) for each in node.elts]
        return found if isinstance(node, ast.List) else tuple(found)
    if isinstance(node, ast.Dict) and all(node.keys):
        keys = [value_of(each, names) for each in node.keys if each is not None]
        if all(isinstance(each, str | int) for each in keys):
            return dict(zip(keys, (value_of(each, names) for each in node.values), strict=True))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = _number(node.operand, names)
        return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        return _worked_out(node, _number(node.left, names), _number(node.right, names))
    raise LiteralError(node.lineno, f"`{_short(node)}` is no literal, and nothing is run")


def _number(node: ast.expr, names: Mapping[str, Any]) -> int | float:
    found = value_of(node, names)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise LiteralError(node.lineno, f"`{_short(node)}` is no number")
    return found


def _worked_out(node: ast.BinOp, left: float, right: float) -> int | float:
    if isinstance(node.op, ast.Pow) and (abs(right) > 64 or abs(left) > 10**6):
        raise LiteralError(node.lineno, f"`{_short(node)}` is too large")
    try:
        found = _OPERATIONS[type(node.op)](left, right)
    except (ArithmeticError, ValueError):
        raise LiteralError(node.lineno, f"`{_short(node)}` has no value") from None
    if isinstance(found, complex) or abs(found) > LARGEST:
        raise LiteralError(node.lineno, f"`{_short(node)}` is too large")
    return found  # type: ignore[no-any-return]


def _short(node: ast.expr) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."

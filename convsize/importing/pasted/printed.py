"""Prints: what `print(model)` shows of modules, as a tree."""

from __future__ import annotations

import ast
import re
from typing import Any

from convsize.importing.pasted.literals import LiteralError, value_of
from convsize.importing.pasted.modules import Module

__all__ = ["looks_printed", "read_print"]

_CHILD = re.compile(r"^\s*\((?P<name>[\w.-]+)\): (?P<rest>.*)$")
_OPEN = re.compile(r"^(?P<kind>[A-Za-z_][\w.]*)\($")
_WHOLE = re.compile(r"^(?:(?P<count>\d+) x )?(?P<call>[A-Za-z_][\w.]*\(.*\))$")

_DEEPEST = 100

_BARE = {"same", "valid", "reflect", "replicate", "circular", "zeros"}
"""Words that PyTorch prints without quotation marks."""


def looks_printed(text: str) -> bool:
    """Whether a text is what `print` shows of a module with children: `Sequential(`, then `(0): Conv2d(…)`."""
    return any(_CHILD.match(line) for line in text.splitlines())


def read_print(text: str) -> Module:
    """The module that a print shows. Raises LiteralError where a line is none of a print."""
    root = Module("", 1, children=[], printed=True)
    open_ = [root]
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare:
            continue
        if bare == ")":
            if len(open_) == 1:
                raise LiteralError(number, "this bracket closes nothing")
            open_.pop()
            continue
        found = _CHILD.match(line)
        name, rest = (found["name"], found["rest"].strip()) if found else ("", bare)
        if not found and len(open_) > 1:
            raise LiteralError(number, f"`{bare[:60]}` is no line of a print: `(0): Conv2d(3, 64, …)`")
        module = _module(number, rest)
        home = open_[-1].children
        assert home is not None
        if any(name == other for other, _ in home):
            raise LiteralError(number, f"`({name})` is there twice" if name else "a print shows one model, not several")
        home.append((name, module))
        if module.children is not None:
            open_.append(module)
            if len(open_) > _DEEPEST:
                raise LiteralError(number, f"modules stand in one another more than {_DEEPEST} deep")
    if len(open_) > 1:
        raise LiteralError(open_[-1].line, f"`{open_[-1].kind}(` is never closed")
    children = root.children or []
    return children[0][1] if len(children) == 1 and not children[0][0] else root


def _module(line: int, text: str) -> Module:
    if opened := _OPEN.match(text):
        return Module(opened["kind"], line, children=[], printed=True)
    whole = _WHOLE.match(text)
    if not whole:
        raise LiteralError(line, f"`{text[:60]}` is no module as PyTorch prints them")
    if whole["count"]:
        raise LiteralError(line, f"`{text[:60]}` stands in a list: a print does not say how its modules are called")
    try:
        call = ast.parse(whole["call"], mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise LiteralError(line, f"`{text[:60]}` is no module as PyTorch prints them") from None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name | ast.Attribute):
        raise LiteralError(line, f"`{text[:60]}` is no module as PyTorch prints them")
    words: dict[str, Any] = {word: word for word in _BARE} | {"inf": float("inf")}
    try:
        positional = tuple(value_of(each, words) for each in call.args)
        keywords = {each.arg: value_of(each.value, words) for each in call.keywords if each.arg}
    except LiteralError as problem:
        raise LiteralError(line, problem.problem) from None
    return Module(ast.unparse(call.func), line, positional, keywords, printed=True)

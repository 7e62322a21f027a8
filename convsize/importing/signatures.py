"""Signatures: a call's arguments by name, with the defaults of what it calls."""

from __future__ import annotations

import ast
from functools import cache
from typing import Any

from convsize.importing.writer import CallError
from convsize.words import nearest, or_rather, plural

__all__ = ["bound"]


def bound(signature: str, positional: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name. `signature` is written as in Python: `size, stride=None, bias=True`.

    Raises CallError where one is missing, given twice, or not known.
    """
    names, by_name, defaults = _parsed(signature)
    if len(positional) > len(names):
        raise CallError(f"it takes {plural(len(names), 'argument')}, and is given {len(positional)}")
    found = dict(zip(names, positional, strict=False))
    for name, value in keywords.items():
        if name not in names and name not in by_name:
            raise CallError(f"it has no argument `{name}`{or_rather(nearest(name, names + by_name))}")
        if name in found:
            raise CallError(f"its argument `{name}` is given twice")
        found[name] = value
    for name in names + by_name:
        if name not in found:
            if name not in defaults:
                raise CallError(f"its argument `{name}` is missing")
            found[name] = defaults[name]
    return found


@cache
def _parsed(signature: str) -> tuple[list[str], list[str], dict[str, Any]]:
    """The arguments, those that are given by name alone, and the defaults."""
    formal = ast.parse(f"lambda {signature}: 0", mode="eval").body
    assert isinstance(formal, ast.Lambda)
    names = [each.arg for each in formal.args.args]
    by_name = [each.arg for each in formal.args.kwonlyargs]
    values = [ast.literal_eval(each) for each in formal.args.defaults]
    more = [ast.literal_eval(each) for each in formal.args.kw_defaults if each is not None]
    defaults = [*zip(names[len(names) - len(values) :], values, strict=True), *zip(by_name, more, strict=True)]
    return names, by_name, dict(defaults)

"""Pasted text, of whatever form, as a call list."""

from __future__ import annotations

import ast

from convsize.errors import UsageError
from convsize.importing.calls import CallList
from convsize.importing.keras.graph import called_in_order
from convsize.importing.pasted.chain import chained, refused
from convsize.importing.pasted.code import modules_of
from convsize.importing.pasted.keras_code import looks_like_keras, model_of_code
from convsize.importing.pasted.literals import LiteralError
from convsize.importing.pasted.printed import looks_printed, read_print

__all__ = ["LARGEST_TEXT", "read_text"]

LARGEST_TEXT = 2**20
"""Bytes of a text."""


def read_text(text: str, source: str, shape: tuple[int, ...] | None = None) -> CallList:
    """The calls of code or of a print, for an input of this depth and these extents. Nothing is run.

    Raises UsageError where the text is no model, or needs to be run; the lines are named.

    >>> calls = read_text("nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU())", "-", (3, 32, 32))
    >>> [(call.op, call.results[0].shape) for call in calls.calls]
    [('conv2d', (2, 64, 32, 32)), ('relu', (2, 64, 32, 32))]
    """
    if len(text) > LARGEST_TEXT:
        raise UsageError(f"`{source}` is longer than a model's text may be: {LARGEST_TEXT:,} characters")
    try:
        printed = looks_printed(text)
        tree = None if printed else _tree(text, source)
        if tree is not None and looks_like_keras(tree):
            return called_in_order(source, model_of_code(tree), shape)[0]
        model = read_print(text) if tree is None else modules_of(tree)
    except LiteralError as problem:
        raise refused(source, [(problem.line, problem.problem)]) from None
    except RecursionError:
        raise UsageError(f"`{source}` is nested too deeply") from None
    if shape is None:
        raise UsageError(f"`{source}` does not say the size of its input: give it by --input 3@224x224")
    return chained(source, model, shape)


def _tree(text: str, source: str) -> ast.Module:
    """The syntax tree; lines that are all indented alike are code, too."""
    import textwrap

    try:
        return ast.parse(textwrap.dedent(text))
    except SyntaxError as error:
        raise refused(source, [(error.lineno or 1, f"this is no Python: {error.msg}")]) from None
    except (ValueError, MemoryError) as error:
        raise UsageError(f"`{source}` is no Python: {error}") from None

"""The project's parser and an independent grammar for Lark accept the same files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from lark import Lark, Token
from lark.exceptions import LarkError

HERE = Path(__file__).parent


class JoinLines:
    """Drops newlines inside brackets and before an indented line, which continues the line before it."""

    always_accept = ("_NL",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        depth = 0
        for token in stream:
            if token.type == "_NL":
                last = token.rpartition("\n")[2]
                if depth or (last and not last.lstrip(" \t")):
                    continue
            elif token.type in ("LPAR", "LSQB", "CALL"):
                depth += 1
            elif token.type in ("RPAR", "RSQB"):
                depth = max(depth - 1, 0)
            yield token


_GRAMMAR = Lark(
    (HERE / "witness.lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer="contextual",
    postlex=JoinLines(),
    start=["file", "expr"],
    # Lark looks for terminals that collide with the help of a further package.
    strict=find_spec("interegular") is not None,
)
_BRACES = re.compile(r"\{([^{}]*)\}")
_HEAD = re.compile(r"D|/|p|d|g|a|b|z|floor|ceil|exact")
_DIMS = r"(?:\d+|\{\})(?:[x:](?:\d+|\{\}))*"
_SUFFIX = re.compile(rf"(D|/|p(?:same|valid|half|full)?|d|g|a|b|z)(?:{_DIMS})?|(floor|ceil|exact)")
_SIZE = re.compile(rf"(?:[A-Z]+)(?:{_DIMS})?")


def witness(text: str) -> bool:
    """Whether the witness accepts a text as a spec."""
    try:
        tree = _GRAMMAR.parse(text, start="file")
        for token in tree.scan_values(lambda value: isinstance(value, Token)):
            for inner in _BRACES.findall(token):
                _GRAMMAR.parse(inner, start="expr")
            if token.type == "LAYER" and _repeats_a_suffix(token):
                return False
    except LarkError:
        return False
    return True


def _repeats_a_suffix(layer: str) -> bool:
    bare = _BRACES.sub("{}", layer)
    size = _SIZE.match(bare)
    assert size is not None
    heads = [found[1][0] if found[1] else "rounding" for found in _SUFFIX.finditer(bare, size.end())]
    return len(set(heads)) < len(heads)

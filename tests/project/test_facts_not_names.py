"""Nothing outside convsize/ops knows an op by the text of its name: what it asks is a fact that the op states.

So a new op is one file, a line in the catalogue, and a case in the contract tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from convsize.ops import catalogue
from convsize.ops.base import Kind

PACKAGE = Path(__file__).resolve().parents[2] / "convsize"
FILES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in {"ops", "language", "importing"}
    and path.relative_to(PACKAGE).parts[:2] != ("runtime", "importing")
]
"""The language has words of its own for what its tokens are, and cannot see the ops. What is imported has the names of
calls in PyTorch, Keras and ONNX."""

NAMES = {op.NAME for op in catalogue.all_ops()} - set(get_args(Kind))
OPEN = {"base", "catalogue", "examples", "shared"}
"""What others may import of convsize.ops."""

ALLOWED = {
    ("lowering/source/classes.py", "affine"),  # an argument of PyTorch's norms
    ("runtime/timing/grid.py", "affine"),  # specs that are timed
    ("runtime/timing/grid.py", "sigmoid"),
    ("runtime/timing/grid.py", "softplus"),
    ("runtime/timing/grid.py", "tanh"),
    ("views/canvas/colours.py", "dropout"),  # titles of a legend
    ("views/canvas/colours.py", "fully connected"),
    ("views/canvas/colours.py", "transposed convolution"),
}
"""Texts that are no op's name, though there is an op of that name."""


ASKING = {"get", "pop", "setdefault", "startswith", "endswith"}


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for each in node.elts:
            yield from _texts(each)


def _compared(tree: ast.AST) -> Iterator[str]:
    """Every text that something is compared with, or that stands in a collection or is the key of a table."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for each in (node.left, *node.comparators):
                yield from _texts(each)
        elif isinstance(node, ast.Dict):
            for key in node.keys:
                yield from () if key is None else _texts(key)
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            yield from _texts(node)
        elif isinstance(node, ast.Subscript):
            yield from _texts(node.slice)
        elif isinstance(node, ast.MatchValue):
            yield from _texts(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKING:
            for each in node.args:
                yield from _texts(each)


def _named(node: ast.AST) -> bool:
    """Whether this is an op's name."""
    return isinstance(node, ast.Attribute) and node.attr == "NAME"


def _rowed(node: ast.AST) -> bool:
    """Whether this is `op` of a row of a report, which is the op's name; an op itself is asked as well."""
    return isinstance(node, ast.Attribute) and node.attr == "op"


def _asks_a_name(tree: ast.AST) -> Iterator[int]:
    """Lines that decide something by an op's name."""
    for node in ast.walk(tree):
        asked: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            member = isinstance(node.ops[0], ast.In | ast.NotIn)
            texts = any(True for side in sides for _ in _texts(side))
            asked = [side for side in sides if _named(side) or (_rowed(side) and (member or texts))]
        elif isinstance(node, ast.Subscript):
            asked = [node.slice]
        elif isinstance(node, ast.Match):
            asked = [node.subject]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in {"startswith", "endswith", "removesuffix", "removeprefix", "split"}:
                asked = [node.func.value]
            elif node.func.attr in {"get", "pop"}:
                asked = list(node.args)
        if any(_named(each) or _rowed(each) for each in asked):
            yield node.lineno


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "convsize.ops":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("convsize.ops."):
            yield node.module.split(".")[2]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[2] for alias in node.names if alias.name.startswith("convsize.ops."))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_asks_for_facts(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    place = path.relative_to(PACKAGE).as_posix()
    assert set(_imported(tree)) <= OPEN, "ops are asked, not imported"
    if place != "graph/evaluate.py":  # there `op` is an operator of an expression
        assert [place, *_asks_a_name(tree)] == [place], "an op's name is for people to read"
    known = {text for text in _compared(tree) if text in NAMES}
    assert {text for text in known if (place, text) not in ALLOWED} == set()


def test_what_is_allowed_is_there() -> None:
    for place, text in ALLOWED:
        assert text in set(_compared(ast.parse((PACKAGE / place).read_text(encoding="utf-8")))), (place, text)


@pytest.mark.parametrize(
    "code",
    [
        "node.op.NAME == 'x'",
        "node.op.NAME in _POOLS",
        "'pooling' in row.op",
        "row.op in _FAMILIES",
        "_FAMILIES[row.op]",
        "_FAMILIES.get(row.op)",
        "row.op.endswith('norm')",
        "row.op == 'x'",
    ],
)
def test_a_name_that_is_asked_is_found(code: str) -> None:
    assert list(_asks_a_name(ast.parse(code))) == [1]

"""The package runs on every Python that pyproject.toml names: public means only, and nothing that one of them lacks.

Those are 3.11, 3.12 and 3.13, and the tests ran on each; what 3.14 took away or changed is looked for in the text.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "convsize"
FILES = sorted(PACKAGE.rglob("*.py"))

RUNS_WHAT_IT_WROTE = {"runtime/verify/source.py"}
"""It holds the file that `export` writes against the network, and must run it for that."""

NO_OTHER_ADDRESS = {
    "torch._subclasses.fake_tensor.FakeTensor",
    "torch._subclasses.fake_tensor.FakeTensorMode",
    "torch.utils._python_dispatch.TorchDispatchMode",
    "torch.utils._pytree",
}
"""Documented by PyTorch, which has it nowhere else; torch is pinned, and no Python moves it."""

GONE = {
    # 3.12
    "asynchat", "asyncore", "distutils", "imp", "smtpd",
    # 3.13
    "aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis", "nntplib",
    "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib",
}  # fmt: skip
"""Modules of the standard library that were removed."""

GONE_NAMES = {
    "ast": {"Num", "Str", "Bytes", "NameConstant", "Ellipsis"},
    "pkgutil": {"find_loader", "get_loader"},
    "importlib.abc": {"ResourceReader", "Traversable", "TraversableResources"},
    "locale": {"resetlocale"},
    "unittest": {"makeSuite", "findTestCases"},
    "asyncio": {"get_child_watcher", "set_child_watcher"},
}
"""What 3.13 and 3.14 removed of modules that stay."""


def wrong(text: str) -> list[str]:
    """What a file does that is private, or gone, or other in 3.14."""
    tree = ast.parse(text)
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            private = any(part.startswith("_") and part != "__future__" for part in parts)
            if private and parts[0] != "convsize" and name not in NO_OTHER_ADDRESS:
                found.append(f"imports the private {name}")
            if parts[0] in GONE or parts[-1] in GONE_NAMES.get(".".join(parts[:-1]), ()):
                found.append(f"imports {name}, which is gone")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
            found.append(f"calls {node.func.id}")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in GONE_NAMES.get(node.value.id, ()):
                found.append(f"uses {node.value.id}.{node.attr}, which is gone")
            if node.value.id in ("collections", "typing", "sys", "ast", "inspect") and node.attr.startswith("_"):
                found.append(f"uses the private {node.value.id}.{node.attr}")
        # 3.14 works annotations out when they are asked for: a class's body and its metaclass do not find them.
        if (isinstance(node, ast.Attribute) and node.attr == "__annotations__") or (
            isinstance(node, ast.Constant) and node.value == "__annotations__"
        ):
            found.append("reads __annotations__; inspect.get_annotations is for that")
        # 3.14 warns of what leaves a `finally` and swallows the exception.
        if isinstance(node, ast.Try) and any(
            isinstance(each, ast.Return) for part in node.finalbody for each in ast.walk(part)
        ):
            found.append("returns in a finally")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_means_that_every_python_has(path):
    found = wrong(path.read_text(encoding="utf-8"))
    if str(path.relative_to(PACKAGE)) in RUNS_WHAT_IT_WROTE:
        assert found == ["calls exec"]
    else:
        assert found == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from collections import _tuplegetter", "imports the private collections._tuplegetter"),
        ("import msgspec._core", "imports the private msgspec._core"),
        ("from torch._C import x", "imports the private torch._C.x"),
        ("eval('1')", "calls eval"),
        ("def f():\n    exec(x)", "calls exec"),
        ("import distutils.core", "imports distutils.core, which is gone"),
        ("from ast import Num", "imports ast.Num, which is gone"),
        ("ast.Str", "uses ast.Str, which is gone"),
        ("sys._getframe()", "uses the private sys._getframe"),
        ("body['__annotations__']", "reads __annotations__; inspect.get_annotations is for that"),
        ("cls.__annotations__", "reads __annotations__; inspect.get_annotations is for that"),
        ("def f():\n    try:\n        pass\n    finally:\n        return 1", "returns in a finally"),
    ],
)
def test_each_kind_is_noticed(text, said):
    assert wrong(text) == [said]
    assert wrong("from __future__ import annotations\nfrom convsize.check import _x\nmodule.eval()") == []


@pytest.mark.parametrize("path", sorted((PACKAGE / "ops").rglob("*.py")), ids=lambda path: path.stem)
def test_annotations_of_ops_are_strings(path):
    """So they are on every Python; an op's fields are told from its ClassVars by their text."""
    text = path.read_text(encoding="utf-8")
    assert "from __future__ import annotations" in text or "class " not in text


def test_the_lowest_python_is_that_of_every_tool():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lowest = project["project"]["requires-python"].removeprefix(">=")
    named = [each.rpartition(" ")[2] for each in project["project"]["classifiers"] if "Python :: 3." in each]
    assert named[0] == lowest == project["tool"]["mypy"]["python_version"]
    assert project["tool"]["ruff"]["target-version"] == f"py{lowest.replace('.', '')}"
    assert [int(each.partition(".")[2]) for each in named] == list(range(11, 11 + len(named)))

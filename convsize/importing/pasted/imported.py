"""Imports of pasted code: the whole name that a short one stands for, and calls that change nothing of a model."""

from __future__ import annotations

import ast
from collections.abc import Container, Mapping
from typing import TypeGuard

from convsize.importing.pasted.literals import dotted

__all__ = ["Imported", "harmless"]


class Imported:
    """The names that imports bring. usual: what short names stand for where no line imports them.

    home: the library that a name without dots is of where nothing says otherwise.

    >>> names = Imported("torch.nn", {"nn": "torch.nn"})
    >>> names.add(ast.parse("from torch.nn import Sigmoid as ReLU").body[0])
    >>> names.whole("ReLU"), names.whole("nn.Conv2d"), names.whole("GELU"), names.whole("my.GELU")
    ('torch.nn.Sigmoid', 'torch.nn.Conv2d', 'torch.nn.GELU', 'my.GELU')
    """

    def __init__(self, home: str, usual: Mapping[str, str]) -> None:
        self.home = home
        self.names = dict(usual)
        self.all_of = ""
        """Another library of which everything is imported: names without dots may be its own."""

    def add(self, node: ast.stmt) -> None:
        """The names of an import; other statements bring none."""
        if isinstance(node, ast.Import):
            for each in node.names:
                first = each.name.partition(".")[0]
                self.names[each.asname or first] = each.name if each.asname else first
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            for each in node.names:
                if each.name != "*":
                    self.names[each.asname or each.name] = f"{source}.{each.name}"
                elif not source.startswith(self.home.partition(".")[0]):
                    self.all_of = source

    def whole(self, name: str) -> str:
        """The name from its library on."""
        first, dot, rest = name.partition(".")
        if first in self.names:
            return f"{self.names[first]}{dot}{rest}"
        return name if dot else f"{self.all_of or self.home}.{name}"


_METHODS = ("eval", "train", "cuda", "cpu", "to")

_ASKED = ("parameters", "named_parameters", "numel", "size", "dim", "sum", "len", "str", "format", "list", "type")
"""Calls that ask a model for something, as they stand within a print."""

_MADE = ("randn", "rand", "zeros", "ones", "device", "is_available")


def harmless(node: ast.expr, modules: Container[str] = ()) -> TypeGuard[ast.Call]:
    """Whether a call changes nothing of what a model computes: it shows it, or moves it to a device.

    `modules`: names of modules, which may be called within a print.
    """
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
        return not node.keywords and all(_device(each, node.func.attr) for each in node.args)
    if dotted(node.func).rpartition(".")[2] not in ("print", "summary"):
        return False
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call) and each is not node]
    within = [each.func.attr if isinstance(each.func, ast.Attribute) else dotted(each.func) for each in calls]
    asked = (*_ASKED, *_MADE, "eval", "cpu")
    return all(name in asked or dotted(each.func) in modules for name, each in zip(within, calls, strict=True))


def _device(node: ast.expr, method: str) -> bool:
    """Whether an argument is a device, or the True or False of `train`."""
    if isinstance(node, ast.Constant):
        if method == "to":
            return isinstance(node.value, str) and node.value.partition(":")[0] in ("cpu", "cuda", "mps", "xpu")
        return (method == "train" and isinstance(node.value, bool)) or (
            method == "cuda" and isinstance(node.value, int)
        )
    name = dotted(node.func if isinstance(node, ast.Call) else node)
    return method in ("to", "cuda") and "device" in name.rpartition(".")[2].lower()

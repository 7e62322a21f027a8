"""Code of torch.nn: `nn.Sequential(…)` and lines of `nn.Conv2d(…)`, read from the syntax tree and never run."""

from __future__ import annotations

import ast
from typing import Any

from convsize.importing.pasted.literals import LiteralError, dotted, value_of
from convsize.importing.pasted.modules import Module

__all__ = ["CONTAINERS", "modules_of"]

CONTAINERS = ("Sequential",)

_SHOWN = ("print", "eval", "train", "summary", "cuda", "cpu", "to")
"""Calls that change nothing of what a model computes."""


def modules_of(tree: ast.Module) -> Module:
    """The model of a file's statements: the one module that no other holds, or all such as a chain in their order.

    Raises LiteralError where a statement would have to be run.
    """
    reader = _Reader()
    for statement in tree.body:
        reader.statement(statement)
    return reader.model()


class _Reader:
    """Follows statements: names stand for numbers, modules and lists of modules."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.found: list[tuple[str, Module]] = []
        """Modules in the order of their lines, under the names that they are given."""
        self.held: set[int] = set()
        """Modules that stand in others or in lists."""

    def statement(self, node: ast.stmt) -> None:
        """One line."""
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
            return
        if isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                return
            if isinstance(node.value, ast.Call) and dotted(node.value.func).rpartition(".")[2] in _SHOWN:
                return
            self._bare(node.value)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            name = dotted(targets[0])
            if len(targets) != 1 or not name:
                raise LiteralError(
                    node.lineno, f"`{ast.unparse(targets[0])[:60]}` takes several values: give each a line"
                )
            self._assign(name, self.value(node.value))
        else:
            word = {"ClassDef": "a class", "FunctionDef": "a function", "For": "a loop", "If": "an if"}
            kind = word.get(type(node).__name__, f"`{ast.unparse(node).splitlines()[0][:60]}`")
            raise LiteralError(node.lineno, f"{kind} would have to be run: import it as file.py:Class(arguments)")

    def model(self) -> Module:
        """What all statements give."""
        free = [(name, each) for name, each in self.found if id(each) not in self.held]
        if not free:
            raise LiteralError(1, "there is no module of torch.nn")
        if len(free) == 1 and free[0][1].children is not None:
            return free[0][1]
        return Module("", free[0][1].line, children=[(name or str(at), each) for at, (name, each) in enumerate(free)])

    def _bare(self, node: ast.expr) -> None:
        for each in node.elts if isinstance(node, ast.Tuple | ast.List) else [node]:
            value = self.value(each)
            if not isinstance(value, Module):
                raise LiteralError(node.lineno, f"`{ast.unparse(each)[:60]}` is no module")
            if not any(each is value for _, each in self.found):
                self.found.append(("", value))

    def _assign(self, name: str, value: Any) -> None:
        if name in self.names and isinstance(self.names[name], Module):
            # A module under a name that is given again is out of reach, unless another holds it.
            self.found = [(other, each) for other, each in self.found if each is not self.names[name]]
        self.names[name] = value
        if isinstance(value, Module) and not any(each is value for _, each in self.found):
            self.found.append((name.removeprefix("self."), value))

    def value(self, node: ast.expr) -> Any:
        """A module, a list of modules, or a literal."""
        if isinstance(node, ast.Call):
            return self._module(node)
        if isinstance(node, ast.Name | ast.Attribute) and dotted(node) in self.names:
            return self.names[dotted(node)]
        if isinstance(node, ast.List | ast.Tuple) and any(
            isinstance(each, ast.Call | ast.Starred) for each in node.elts
        ):
            return self._several(node.elts)
        return self._literal(node)

    def _literal(self, node: ast.expr) -> Any:
        return value_of(node, {name: each for name, each in self.names.items() if not isinstance(each, Module)})

    def _several(self, nodes: list[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for each in nodes:
            if isinstance(each, ast.Starred):
                value = self.value(each.value)
                if not isinstance(value, list | tuple):
                    raise LiteralError(each.lineno, f"`{ast.unparse(each)[:60]}` is no list of modules")
                found.extend(value)
            else:
                found.append(self.value(each))
        self._hold(found)
        return found

    def _hold(self, modules: list[Any]) -> None:
        self.held.update(id(each) for each in modules if isinstance(each, Module))

    def _module(self, node: ast.Call) -> Module:
        kind = dotted(node.func)
        if not kind:
            raise LiteralError(node.lineno, f"`{ast.unparse(node.func)[:60]}` is no class of torch.nn")
        if kind.rpartition(".")[2] in CONTAINERS:
            return Module(kind, node.lineno, children=self._children(node))
        if any(each.arg is None for each in node.keywords) or any(isinstance(each, ast.Starred) for each in node.args):
            raise LiteralError(node.lineno, f"`{ast.unparse(node)[:60]}` spreads arguments, which have to be run")
        positional = tuple(self._literal(each) for each in node.args)
        keywords = {each.arg: self._literal(each.value) for each in node.keywords if each.arg}
        return Module(kind, node.lineno, positional, keywords)

    def _children(self, node: ast.Call) -> list[tuple[str, Module]]:
        if node.keywords:
            raise LiteralError(node.lineno, "Sequential takes no arguments by name")
        pairs: list[tuple[Any, Any]]
        first = node.args[0] if len(node.args) == 1 else None
        if isinstance(first, ast.Call) and dotted(first.func).rpartition(".")[2] == "OrderedDict":
            pairs = self._named(first)
        else:
            pairs = [(str(at), each) for at, each in enumerate(self._several(node.args))]
        for _, each in pairs:
            if not isinstance(each, Module):
                raise LiteralError(node.lineno, f"Sequential is given {each!r}, which is no module")
        self._hold([each for _, each in pairs])
        names = [name for name, _ in pairs]
        if any(not isinstance(name, str) or not name or "." in name for name in names) or len(set(names)) < len(names):
            raise LiteralError(node.lineno, "the names of modules are texts without dots, each once")
        return pairs

    def _named(self, node: ast.Call) -> list[tuple[Any, Any]]:
        """The pairs of OrderedDict([("conv", nn.Conv2d(…)), …]), OrderedDict({…}) or OrderedDict(conv=…)."""
        given = node.args[0] if node.args else None
        if given is None:
            return [(each.arg, self.value(each.value)) for each in node.keywords]
        if isinstance(given, ast.Dict) and all(given.keys):
            keys = [value_of(each, {}) for each in given.keys if each is not None]
            return list(zip(keys, map(self.value, given.values), strict=True))
        if isinstance(given, ast.List | ast.Tuple):
            pairs = [each.elts for each in given.elts if isinstance(each, ast.Tuple | ast.List) and len(each.elts) == 2]
            if len(pairs) == len(given.elts):
                return [(value_of(name, {}), self.value(each)) for name, each in pairs]
        raise LiteralError(node.lineno, f"`{ast.unparse(node)[:60]}` is no list of names and modules")

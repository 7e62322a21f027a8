"""Code of torch.nn: `nn.Sequential(…)` and lines of `nn.Conv2d(…)`, read from the syntax tree and never run."""

from __future__ import annotations

import ast
from collections import Counter
from typing import Any

from convsize.importing.pasted.imported import Imported, harmless
from convsize.importing.pasted.literals import MOST_VALUES, LiteralError, bounded, dotted, value_of
from convsize.importing.pasted.modules import Module

__all__ = ["CONTAINERS", "modules_of"]

CONTAINERS = ("Sequential",)

_USUAL = {"nn": "torch.nn", "torch": "torch", "OrderedDict": "collections.OrderedDict", "print": "print"}
"""What names stand for that code often leaves unexplained."""


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
        self.modules: dict[str, Module] = {}
        self.named: Counter[int] = Counter()
        """How many names a module has."""
        self.kept: list[Module] = []
        """Every module that had a name: no other takes its identity."""
        self.literals: dict[str, Any] = {}
        """Numbers, texts and lists, by their names."""
        self.found: dict[int, tuple[str, Module]] = {}
        """Modules in the order of their lines, under the names that they are given."""
        self.held: set[int] = set()
        """Modules that stand in others or in lists."""
        self.imported = Imported("torch.nn", _USUAL)

    def statement(self, node: ast.stmt) -> None:
        """One line."""
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
            self.imported.add(node)
            return
        if isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                return
            if harmless(node.value, self.modules) and dotted(node.value.func):
                return
            self._bare(node.value)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            name = dotted(targets[0])
            if len(targets) != 1 or isinstance(targets[0], ast.Tuple | ast.List):
                raise LiteralError(
                    node.lineno, f"`{ast.unparse(targets[0])[:60]}` takes several values: give each a line"
                )
            if not name:
                raise LiteralError(node.lineno, f"`{_line(node)}` changes what is there, and would have to be run")
            self._assign(name, self.value(node.value), node)
        else:
            word = {"ClassDef": "a class", "FunctionDef": "a function", "For": "a loop", "If": "an if"}
            kind = word.get(type(node).__name__, f"`{_line(node)}`")
            raise LiteralError(node.lineno, f"{kind} would have to be run: import it as file.py:Class(arguments)")

    def model(self) -> Module:
        """What all statements give."""
        free = [(name, each) for at, (name, each) in self.found.items() if at not in self.held]
        if not free:
            raise LiteralError(1, "there is no module of torch.nn")
        if len(free) == 1 and free[0][1].children is not None:
            return free[0][1]
        return Module("", free[0][1].line, children=[(name or str(at), each) for at, (name, each) in enumerate(free)])

    def _bare(self, node: ast.expr) -> None:
        for each in node.elts if isinstance(node, ast.Tuple | ast.List) else [node]:
            if isinstance(each, ast.Call) and self._owner(dotted(each.func)) is not None:
                raise LiteralError(node.lineno, f"`{_line(each)}` may change a module, and would have to be run")
            value = self.value(each)
            if not isinstance(value, Module):
                raise LiteralError(node.lineno, f"`{_line(each)}` is no module")
            self.found.setdefault(id(value), ("", value))

    def _assign(self, name: str, value: Any, node: ast.stmt) -> None:
        first, _, rest = name.partition(".")
        if first in self.imported.names:
            raise LiteralError(node.lineno, f"`{first}` is the name of a library: give `{_line(node)}` another")
        if rest and (first != "self" or "." in rest):
            self._child(name, value, node)
            return
        before = self.modules.pop(name, None)
        self.literals.pop(name, None)
        if before is not None:
            self.named[id(before)] -= 1
            if not self.named[id(before)] and before is not value:
                # A module under a name that is given again is out of reach, unless another holds it.
                self.found.pop(id(before), None)
        if isinstance(value, Module):
            self.modules[name] = value
            self.named[id(value)] += 1
            self.kept.append(value)
            self.found.setdefault(id(value), (name.removeprefix("self."), value))
        else:
            self.literals[name] = value

    def _child(self, name: str, value: Any, node: ast.stmt) -> None:
        """A module set into a Sequential: it takes the place of the one that has its name, or comes last."""
        path, _, last = name.rpartition(".")
        owner = self._at(path)
        if owner is None:
            raise LiteralError(node.lineno, f"`{_line(node)}`: what `{path[:60]}` is cannot be read")
        if owner.children is None or not isinstance(value, Module):
            why = f"sets an attribute of {owner.kind or 'a module'}, and what it changes is not known"
            raise LiteralError(node.lineno, f"`{_line(node)}` {why}: say it as an argument of the module")
        self._hold([value])
        places = [at for at, (other, _) in enumerate(owner.children) if other == last]
        if places:
            owner.children[places[0]] = (last, value)
        elif len(owner.children) < MOST_VALUES:
            owner.children.append((last, value))
        else:
            raise LiteralError(node.lineno, f"more than {MOST_VALUES:,} modules in one cannot be read")

    def _at(self, name: str) -> Module | None:
        """The module that a name with dots stands for, a child of a child where it is one."""
        if name in self.modules:
            return self.modules[name]
        path, _, last = name.rpartition(".")
        owner = self._at(path) if path else None
        return None if owner is None else dict(owner.children or ()).get(last)

    def _owner(self, name: str) -> Module | None:
        """The module whose method a name is."""
        return self._at(name.rpartition(".")[0]) or self._at(name)

    def value(self, node: ast.expr) -> Any:
        """A module, a list of modules, or a literal."""
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and harmless(node):  # net.to("cuda")
                return self.value(node.func.value)
            return self._module(node)
        if isinstance(node, ast.Name | ast.Attribute):
            name = dotted(node)
            module = self._at(name)
            if module is not None or name in self.literals:
                return module or self.literals[name]
        if isinstance(node, ast.List | ast.Tuple) and any(
            isinstance(each, ast.Call | ast.Starred) or self._at(dotted(each)) for each in node.elts
        ):
            return self._several(node.elts)
        return self._literal(node)

    def _literal(self, node: ast.expr) -> Any:
        return bounded(node.lineno, value_of(node, self.literals))

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
            if len(found) > MOST_VALUES:
                raise LiteralError(each.lineno, f"a list of more than {MOST_VALUES:,} values cannot be read")
        self._hold(found)
        return found

    def _hold(self, modules: list[Any]) -> None:
        self.held.update(id(each) for each in modules if isinstance(each, Module))

    def _module(self, node: ast.Call) -> Module:
        kind = self._kind(node.func)
        if kind in CONTAINERS:
            return Module(kind, node.lineno, children=self._children(node))
        if kind.rpartition(".")[2] in CONTAINERS:
            raise LiteralError(node.lineno, f"what `{kind[:60]}` computes is not known, and it is none of torch.nn")
        if any(each.arg is None for each in node.keywords) or any(isinstance(each, ast.Starred) for each in node.args):
            raise LiteralError(node.lineno, f"`{ast.unparse(node)[:60]}` spreads arguments, which have to be run")
        positional = tuple(self._literal(each) for each in node.args)
        keywords = {each.arg: self._literal(each.value) for each in node.keywords if each.arg}
        return Module(kind, node.lineno, positional, keywords)

    def _kind(self, node: ast.expr) -> str:
        """The name of a class: what torch.nn has under it, and with its dots where it is of another library."""
        name = dotted(node)
        first = name.partition(".")[0]
        if not name or first in self.modules or first in self.literals or first == "self":
            raise LiteralError(node.lineno, f"`{_line(node)}` is no class of torch.nn")
        whole = self.imported.whole(name)
        path, _, last = whole.rpartition(".")
        own = path == "torch.nn" or (path.startswith("torch.nn.modules.") and path.count(".") == 3)
        return last if own else whole

    def _children(self, node: ast.Call) -> list[tuple[str, Module]]:
        if node.keywords:
            raise LiteralError(node.lineno, "Sequential takes no arguments by name")
        pairs: list[tuple[Any, Any]]
        first = node.args[0] if len(node.args) == 1 else None
        if isinstance(first, ast.Call) and self._kind(first.func) == "collections.OrderedDict":
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


def _line(node: ast.AST) -> str:
    """The beginning of what a node says."""
    return (ast.unparse(node).splitlines() or [""])[0][:60]

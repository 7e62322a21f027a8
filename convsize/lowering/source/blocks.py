"""The blocks of a plan: their instances as a tree, and what those that are wired alike have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator

from convsize.lowering.plan import Plan, Step
from convsize.lowering.source.layout import Expr
from convsize.ops.base import TorchValue
from convsize.record import Record


class Group:
    """An instance of a block (or the whole network): its layers and inner instances in order.

    inputs: values from outside in the order of their first use; outputs: values that are used outside.
    """

    __slots__ = ("arguments", "children", "inputs", "name", "outputs", "reads", "template")

    def __init__(self, name: str) -> None:
        self.name = name
        self.children: list[tuple[str, Step | Group, int]] = []
        self.inputs: tuple[int, ...] = ()
        self.outputs: tuple[int, ...] = ()
        self.template: Template
        self.arguments: dict[str, TorchValue] = {}

    def steps(self) -> Iterator[tuple[Step, int]]:
        """All layers in it with the values they make."""
        for _, child, value in self.children:
            if isinstance(child, Group):
                yield from child.steps()
            else:
                yield child, value


class Function(Record):
    """A call in the forward pass.

    target: PyTorch's function, or a method: "[:]", "chunk", "unflatten", "flatten", "reshape". arguments: by name.
    """

    target: str
    arguments: tuple[tuple[str, Expr], ...]


class Line(Record):
    """What a template's forward pass does once: the child, the local values it reads, and those it makes."""

    name: str
    child: Step | Group
    reads: tuple[int, ...]
    makes: tuple[int, ...]


class Template:
    """What equally wired instances of a block have in common: one class.

    parameters: the arguments of the class, with the value of each in every instance; written: how the arguments of
    modules and inner blocks are written; functions: the calls of the forward pass, by layer and place; attributes: by
    layer what such a call reads of the module; splits: see `functions.split_at`.
    """

    __slots__ = (
        "attributes",
        "base",
        "class_name",
        "functions",
        "groups",
        "inputs",
        "lines",
        "outputs",
        "parameters",
        "splits",
        "written",
    )

    def __init__(self, base: str, inputs: int, lines: tuple[Line, ...], outputs: tuple[int, ...]) -> None:
        self.base = base
        self.inputs = inputs
        self.lines = lines
        self.outputs = outputs
        self.groups: list[Group] = []
        self.class_name = ""
        self.parameters: dict[str, list[TorchValue]] = {}
        self.written: dict[tuple[object, ...], Expr] = {}
        self.functions: dict[tuple[str, int], Function] = {}
        self.attributes: dict[str, dict[str, Expr]] = {}
        self.splits: dict[int, tuple[int, ...]] = {}


def grouped(plan: Plan) -> Group:
    """The whole network as a tree of the blocks that its layers' names tell of."""
    root = Group("")
    open_groups = [root]
    for value, step in enumerate(plan.steps, start=len(plan.inputs)):
        *path, name = step.name.split(".")
        depth = 0
        while depth < len(path) and depth + 1 < len(open_groups) and open_groups[depth + 1].name == path[depth]:
            depth += 1
        del open_groups[depth + 1 :]
        for part in path[depth:]:
            inner = Group(part)
            open_groups[-1].children.append((part, inner, -1))
            open_groups.append(inner)
        open_groups[-1].children.append((name, step, value))
    readers: dict[int, set[int]] = {}
    for value, step in enumerate(plan.steps, start=len(plan.inputs)):
        for index in step.inputs:
            readers.setdefault(index, set()).add(value)
    for _, index in plan.outputs:
        readers.setdefault(index, set()).add(-1)
    _bound(root, readers)
    root.inputs = tuple(range(len(plan.inputs)))
    root.outputs = tuple(index for _, index in plan.outputs)
    return root


def _bound(group: Group, readers: dict[int, set[int]]) -> None:
    """Sets the inputs and outputs of a group and of all in it."""
    steps = list(group.steps())
    own = {value for _, value in steps}
    group.inputs = tuple(dict.fromkeys(index for step, _ in steps for index in step.inputs if index not in own))
    group.outputs = tuple(value for _, value in steps if readers.get(value, set()) - own)
    for _, child, _ in group.children:
        if isinstance(child, Group):
            _bound(child, readers)


def templates_of(root: Group) -> list[Template]:
    """The templates of all groups, inner ones before those they stand in."""
    found: dict[tuple[object, ...], Template] = {}

    def visit(group: Group) -> None:
        for _, child, _ in group.children:
            if isinstance(child, Group):
                visit(child)
        local = {value: at for at, value in enumerate(group.inputs)}
        lines = []
        signature: list[object] = []
        for name, child, value in group.children:
            inputs = child.inputs
            reads = tuple(local[index] for index in inputs)
            makes = child.outputs if isinstance(child, Group) else (value,)
            for each in makes:
                local[each] = len(local)
            lines.append(Line(name, child, reads, tuple(local[each] for each in makes)))
            kind = child.template if isinstance(child, Group) else _shape_of(child)
            signature.append((name, kind, reads, len(makes)))
        outputs = tuple(local[value] for value in group.outputs)
        base = re.sub(r"_?\d+$", "", group.name) or "network"
        key = (base, not group.name, len(group.inputs), tuple(signature), outputs)
        if key not in found:
            found[key] = Template(base, len(group.inputs), tuple(lines), outputs)
        group.template = found[key]
        group.template.groups.append(group)

    visit(root)
    return list(found.values())


def _shape_of(step: Step) -> object:
    """What two layers of one template must have in common: the calls and the names of their arguments."""
    return tuple((call.target, tuple(key for key, _ in call.kwargs)) for call in step.calls)

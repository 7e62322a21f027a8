"""The blocks of a plan: their instances as a tree, and what those that are wired alike have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from convsize.lowering.plan import Plan, Step
from convsize.lowering.source.layout import Expr
from convsize.ops.base import TorchValue
from convsize.record import Record


class Group:
    """An instance of a block (or the whole network): its layers and inner instances in order.

    inputs: values from outside in the order of their first use; outputs: values that are used outside. operands: what
    the group is called with, its inputs under their names outside. shared: the name of its module where it is one use
    of a `shared` block; sets: the names of the shared modules that it calls, besides itself.
    """

    __slots__ = ("arguments", "children", "inputs", "name", "operands", "outputs", "sets", "shared", "template")

    def __init__(self, name: str) -> None:
        self.name = name
        self.shared = ""
        self.sets: tuple[str, ...] = ()
        self.operands: tuple[int, ...] = ()
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
    """What a template's forward pass does once: the child, the local values it reads, and those it makes.

    sets: the shared modules that an inner block needs, by their places among the template's own; the first of them is
    the block itself where that is shared.
    """

    name: str
    child: Step | Group
    reads: tuple[int, ...]
    makes: tuple[int, ...]
    sets: tuple[int, ...] = ()


class Template:
    """What equally wired instances of a block have in common: one class.

    parameters: the arguments of the class, with the value of each in every instance; written: how the arguments of
    modules and inner blocks are written; functions: the calls of the forward pass, by layer and place; attributes: by
    layer what such a call reads of the module; splits: see `functions.split_at`; sets: what the shared modules are
    called that it is given in its forward pass.
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
        "sets",
        "splits",
        "written",
    )

    def __init__(
        self, base: str, inputs: int, lines: tuple[Line, ...], outputs: tuple[int, ...], sets: tuple[str, ...]
    ) -> None:
        self.sets = sets
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


def grouped(plan: Plan) -> tuple[Group, dict[int, int]]:
    """The whole network as a tree of the blocks that its layers' names tell of, and what stands for values in it.

    Within a use of a shared block its inputs are numbered anew, beyond the plan's values: two that are one value at
    this use may be two at another.
    """
    root = Group("")
    open_groups = [root]
    for value, step in enumerate(plan.steps, start=len(plan.inputs)):
        *path, name = step.name.split(".")
        at = len(path) - step.module.count(".") if step.module != step.name else -1
        depth = 0
        while depth < len(path) and depth + 1 < len(open_groups) and open_groups[depth + 1].name == path[depth]:
            depth += 1
        del open_groups[depth + 1 :]
        for part in path[depth:]:
            inner = Group(part)
            open_groups[-1].children.append((part, inner, -1))
            open_groups.append(inner)
        if at >= 0:
            open_groups[at + 1].shared = step.module.partition(".")[0]
        open_groups[-1].children.append((name, step, value))
    readers: dict[int, set[int]] = {}
    for value, step in enumerate(plan.steps, start=len(plan.inputs)):
        for index in step.inputs:
            readers.setdefault(index, set()).add(value)
    for _, index in plan.outputs:
        readers.setdefault(index, set()).add(-1)
    uses = uses_of(root)
    formal = formal_inputs(uses, len(plan.inputs) + len(plan.steps))
    _bound(root, readers, formal)
    for groups in uses:
        alike_outputs(groups)
    root.inputs = root.operands = tuple(range(len(plan.inputs)))
    root.outputs = tuple(index for _, index in plan.outputs)
    return root, formal


def _bound(group: Group, readers: dict[int, set[int]], formal: dict[int, int]) -> None:
    """Sets the inputs, the outputs and the shared modules of a group and of all in it."""
    own = {value for _, value in group.steps()}
    read: dict[int, None] = {}
    sets: dict[str, None] = {}
    for _, child, _ in group.children:
        if isinstance(child, Group):
            _bound(child, readers, formal)
            read |= dict.fromkeys(child.operands)
            sets |= dict.fromkeys((child.shared, *child.sets) if child.shared else child.sets)
        else:
            read |= dict.fromkeys(child.inputs)
    group.inputs = tuple(index for index in read if index not in own)
    group.operands = tuple(formal.get(index, index) for index in group.inputs) if group.shared else group.inputs
    group.outputs = tuple(value for _, value in group.steps() if readers.get(value, set()) - own)
    group.sets = tuple(sets)


def uses_of(root: Group) -> list[list[Group]]:
    """The uses of every shared block, those of outer blocks before those that they have in them."""
    found: dict[str, list[Group]] = {}
    depths: dict[str, int] = {}

    def visit(group: Group, depth: int) -> None:
        if group.shared:
            found.setdefault(group.shared, []).append(group)
            depths[group.shared] = max(depth, depths.get(group.shared, 0))
            depth += 1
        for _, child, _ in group.children:
            if isinstance(child, Group):
                visit(child, depth)

    visit(root, 0)
    return [found[name] for name in sorted(found, key=depths.__getitem__)]


def shared_in(group: Group) -> list[Group]:
    """The first use of every shared block in a group, and the group itself where it is one, in order."""
    found = {group.shared: group} if group.shared else {}
    for _, child, _ in group.children:
        for each in shared_in(child) if isinstance(child, Group) else ():
            found.setdefault(each.shared, each)
    return list(found.values())


def formal_inputs(uses: Sequence[Sequence[Group]], free: int) -> dict[int, int]:
    """Gives the inputs of shared blocks numbers of their own, from `free` on: what each stands for outside."""
    formal: dict[int, int] = {}
    for groups in uses:
        own = [{value for _, value in group.steps()} for group in groups]
        slots = [[index for step, _ in group.steps() for index in step.inputs] for group in groups]
        rows = list(zip(*slots, strict=True))
        known: dict[tuple[int, ...], int] = {}
        for row in rows:
            if row[0] not in own[0]:
                known.setdefault(row, len(known))
        for k, group in enumerate(groups):
            numbers = iter([row[k] if row[0] in own[0] else free + k * len(known) + known[row] for row in rows])
            _renumber(group, numbers)
            formal |= {free + k * len(known) + at: row[k] for row, at in known.items()}
        free += len(groups) * len(known)
    return formal


def _renumber(group: Group, numbers: Iterator[int]) -> None:
    for at, (name, child, value) in enumerate(group.children):
        if isinstance(child, Group):
            _renumber(child, numbers)
        else:
            group.children[at] = (name, child.replace(inputs=tuple(next(numbers) for _ in child.inputs)), value)


def alike_outputs(groups: Sequence[Group]) -> None:
    """Lets all uses of a block give what any of them is asked for, and so all that is in them."""
    values = [[value for _, value in group.steps()] for group in groups]
    wanted = {own.index(value) for group, own in zip(groups, values, strict=True) for value in group.outputs}
    for group, own in zip(groups, values, strict=True):
        group.outputs = tuple(own[place] for place in sorted(wanted))
    for children in zip(*(group.children for group in groups), strict=True):
        inner = [child for _, child, _ in children if isinstance(child, Group)]
        if inner:
            alike_outputs(inner)


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
            inputs = child.operands if isinstance(child, Group) else child.inputs
            reads = tuple(local[index] for index in inputs)
            makes = child.outputs if isinstance(child, Group) else (value,)
            for each in makes:
                local[each] = len(local)
            needed: tuple[int, ...] = ()
            if isinstance(child, Group):
                names = (child.shared, *child.sets) if child.shared else child.sets
                needed = tuple(group.sets.index(each) for each in names)
            lines.append(Line(name, child, reads, tuple(local[each] for each in makes), needed))
            kind = child.template if isinstance(child, Group) else _shape_of(child)
            called = isinstance(child, Group) and child.shared != ""
            signature.append(("" if called else name, called, kind, reads, len(makes), needed))
        outputs = tuple(local[value] for value in group.outputs)
        base = re.sub(r"_?\d+$|_+$", "", group.shared or group.name) or "network"
        key = (base, not group.name, len(group.inputs), tuple(signature), outputs)
        if key not in found:
            found[key] = Template(base, len(group.inputs), tuple(lines), outputs, group.sets)
        group.template = found[key]
        group.template.groups.append(group)

    visit(root)
    return list(found.values())


def _shape_of(step: Step) -> object:
    """What two layers of one template must have in common: the calls and the names of their arguments."""
    return tuple((call.target, tuple(key for key, _ in call.kwargs)) for call in step.calls)

"""The source: a plan as the PyTorch file that a person would have written.

Blocks become classes: instances of a block that are wired alike share one, and what differs between them becomes an
argument. A class whose layers form a chain is an nn.Sequential, any other has a forward pass of its own. Runs of equal
blocks become loops. The names of the parameters are those of the module (`bot3.conv2.weight`), so one's state_dict
loads into the other.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import pairwise

from convsize.lowering.layout import Bracket, Expr, call, flat, items, statement
from convsize.lowering.plan import Init, Plan, Step
from convsize.ops.base import TorchCall, TorchValue
from convsize.record import Record

_FOLD_FROM = 3
"""Equal blocks in a row from which a loop reads better than lines."""

_COLLAPSING = {"kernel_size", "stride", "padding", "dilation", "output_padding"}
"""Arguments of PyTorch's layers that take one number for every axis."""

_CONV: dict[str, TorchValue] = {
    "stride": 1,
    "padding": 0,
    "output_padding": 0,
    "dilation": 1,
    "groups": 1,
    "bias": True,
}
_POOL: dict[str, TorchValue] = {"padding": 0, "dilation": 1, "ceil_mode": False, "count_include_pad": True}
_BATCH_NORM: dict[str, TorchValue] = {"eps": 1e-05, "momentum": 0.1, "affine": True}
_POOLS = {f"nn.{name}{rank}d" for name in ("MaxPool", "AvgPool", "LPPool") for rank in (1, 2, 3)}
DEFAULTS: dict[str, dict[str, TorchValue]] = {
    **{f"nn.{name}{rank}d": _CONV for name in ("Conv", "ConvTranspose") for rank in (1, 2, 3)},
    **dict.fromkeys(_POOLS, _POOL),
    **{f"nn.BatchNorm{rank}d": _BATCH_NORM for rank in (1, 2, 3)},
    **{f"nn.InstanceNorm{rank}d": {"eps": 1e-05, "momentum": 0.1, "affine": False} for rank in (1, 2, 3)},
    "nn.GroupNorm": {"eps": 1e-05, "affine": True},
    "nn.LayerNorm": {"eps": 1e-05, "elementwise_affine": True},
    "convsize.LayerNorm": {"eps": 1e-05, "elementwise_affine": True},
    "nn.Linear": {"bias": True},
    "nn.LocalResponseNorm": {"alpha": 0.0001, "beta": 0.75, "k": 1.0},
    "nn.Upsample": {"mode": "nearest"},
}
"""What PyTorch assumes where an argument is left out; a pool's stride besides is its kernel."""

_POSITIONAL = {
    "in_channels",
    "out_channels",
    "in_features",
    "out_features",
    "num_features",
    "num_groups",
    "num_channels",
    "num_embeddings",
    "embedding_dim",
    "normalized_shape",
    "num_parameters",
    "output_size",
    "p",
    "shape",
    "size",
}
"""Arguments that are written without their names where nothing that has one stands before them."""

_WITH_DEFAULT = {"stride": 1, "dilation": 1, "groups": 1}
"""Arguments of blocks that may be left out."""


# ---- the blocks ------------------------------------------------------------------------------------------------------


class _Group:
    """An instance of a block (or the whole network): its layers and inner instances in order.

    inputs: values from outside in the order of their first use; outputs: values that are used outside.
    """

    __slots__ = ("arguments", "children", "inputs", "name", "outputs", "reads", "template")

    def __init__(self, name: str) -> None:
        self.name = name
        self.children: list[tuple[str, Step | _Group, int]] = []
        self.inputs: tuple[int, ...] = ()
        self.outputs: tuple[int, ...] = ()
        self.template: _Template
        self.arguments: dict[str, TorchValue] = {}

    def steps(self) -> Iterator[tuple[Step, int]]:
        """All layers in it with the values they make."""
        for _, child, value in self.children:
            if isinstance(child, _Group):
                yield from child.steps()
            else:
                yield child, value


class _Line(Record):
    """What a template's forward pass does once: the child, the local values it reads, and those it makes."""

    name: str
    child: Step | _Group
    reads: tuple[int, ...]
    makes: tuple[int, ...]


class _Template:
    """What equally wired instances of a block have in common: one class."""

    __slots__ = ("base", "class_name", "groups", "inputs", "lines", "outputs", "parameters", "written")

    def __init__(self, base: str, inputs: int, lines: tuple[_Line, ...], outputs: tuple[int, ...]) -> None:
        self.base = base
        self.inputs = inputs
        self.lines = lines
        self.outputs = outputs
        self.groups: list[_Group] = []
        self.class_name = ""
        self.parameters: dict[str, list[TorchValue]] = {}
        self.written: dict[tuple[object, ...], Expr] = {}


def _grouped(plan: Plan) -> _Group:
    root = _Group("")
    open_groups = [root]
    for value, step in enumerate(plan.steps, start=len(plan.inputs)):
        *path, name = step.name.split(".")
        depth = 0
        while depth < len(path) and depth + 1 < len(open_groups) and open_groups[depth + 1].name == path[depth]:
            depth += 1
        del open_groups[depth + 1 :]
        for part in path[depth:]:
            inner = _Group(part)
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


def _bound(group: _Group, readers: dict[int, set[int]]) -> None:
    """Sets the inputs and outputs of a group and of all in it."""
    steps = list(group.steps())
    own = {value for _, value in steps}
    group.inputs = tuple(dict.fromkeys(index for step, _ in steps for index in step.inputs if index not in own))
    group.outputs = tuple(value for _, value in steps if readers.get(value, set()) - own)
    for _, child, _ in group.children:
        if isinstance(child, _Group):
            _bound(child, readers)


def _templates(root: _Group) -> list[_Template]:
    """The templates of all groups, inner ones before those they stand in."""
    found: dict[tuple[object, ...], _Template] = {}

    def visit(group: _Group) -> None:
        for _, child, _ in group.children:
            if isinstance(child, _Group):
                visit(child)
        local = {value: at for at, value in enumerate(group.inputs)}
        lines = []
        signature: list[object] = []
        for name, child, value in group.children:
            inputs = child.inputs
            reads = tuple(local[index] for index in inputs)
            makes = child.outputs if isinstance(child, _Group) else (value,)
            for each in makes:
                local[each] = len(local)
            lines.append(_Line(name, child, reads, tuple(local[each] for each in makes)))
            kind = child.template if isinstance(child, _Group) else _shape_of(child)
            signature.append((name, kind, reads, len(makes)))
        outputs = tuple(local[value] for value in group.outputs)
        base = re.sub(r"_?\d+$", "", group.name) or "network"
        key = (base, not group.name, len(group.inputs), tuple(signature), outputs)
        if key not in found:
            found[key] = _Template(base, len(group.inputs), tuple(lines), outputs)
        group.template = found[key]
        group.template.groups.append(group)

    visit(root)
    return list(found.values())


def _shape_of(step: Step) -> object:
    """What two layers of one template must have in common: the calls and the names of their arguments."""
    return tuple((call.target, tuple(key for key, _ in call.kwargs)) for call in step.calls)


# ---- arguments -------------------------------------------------------------------------------------------------------


class _Arguments:
    """Finds for every number of a template's layers how to write it: itself, an argument, a multiple of one."""

    def __init__(self, template: _Template) -> None:
        self.template = template
        self.taken = {"self", "i", "nn", "torch"}

    def express(self, values: Sequence[TorchValue], key: str, owner: str) -> Expr:
        """An expression that has the value `values[k]` in the k-th instance."""
        if all(_same(value, values[0]) for value in values):
            return _literal(values[0])
        rows = [value for value in values if isinstance(value, tuple)]
        if len(rows) == len(values) and len({len(row) for row in rows}) == 1:
            parts = [self.express(column, key, owner) for column in zip(*rows, strict=True)]
            return Bracket("(", parts, ")", single_comma=True)
        for name, known in self.template.parameters.items():
            if all(map(_same, values, known)):
                return name
        for name, known in self.template.parameters.items():
            factor = _factor(values, known)
            if factor is not None:
                return f"{factor} * {name}"
            factor = _factor(known, values)
            if factor is not None:
                return f"{name} // {factor}"
        name = {"num_features": "in_channels", "num_channels": "in_channels", "shape": "channels"}.get(key, key)
        if name in self.taken:
            name = f"{owner}_{name}"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        self.template.parameters[name] = list(values)
        return name


def _same(one: TorchValue, other: TorchValue) -> bool:
    return type(one) is type(other) and one == other


def _factor(values: Sequence[TorchValue], known: Sequence[TorchValue]) -> int | None:
    """The k ≥ 2 where values = k·known in every instance."""
    found = set()
    for value, base in zip(values, known, strict=True):
        if type(value) is not int or type(base) is not int or base <= 0 or value % base:
            return None
        found.add(value // base)
    factor = found.pop()
    return factor if not found and factor >= 2 else None


def _literal(value: TorchValue) -> Expr:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return Bracket("(", [_literal(each) for each in value], ")", single_comma=True)
    if isinstance(value, float) and value in (math.inf, -math.inf):
        return f'float("{value}")'
    return repr(value)


def _plain(call_: TorchCall) -> tuple[tuple[str, TorchValue], ...]:
    """The arguments of a call with (3, 3) as 3 where PyTorch takes that."""
    if not call_.target.startswith("nn."):
        return call_.kwargs
    return tuple(
        (key, value[0]) if key in _COLLAPSING and isinstance(value, tuple) and len(set(value)) == 1 else (key, value)
        for key, value in call_.kwargs
    )


def _fill(template: _Template) -> None:
    """Writes every argument of every layer and block of a template, and gives its instances their arguments."""
    arguments = _Arguments(template)
    for at, line in enumerate(template.lines):
        twins = [group.children[at][1] for group in template.groups]
        if isinstance(line.child, _Group):
            inner = [twin for twin in twins if isinstance(twin, _Group)]
            for name in line.child.template.parameters:
                values = [twin.arguments[name] for twin in inner]
                template.written[line.name, name] = arguments.express(values, name, line.name)
        else:
            for place, call_ in enumerate(line.child.calls):
                plain = [dict(_plain(twin.calls[place])) for twin in twins if isinstance(twin, Step)]
                for key, _ in call_.kwargs:
                    values = [each[key] for each in plain]
                    template.written[line.name, place, key] = arguments.express(values, key, line.name)
    for k, group in enumerate(template.groups):
        group.arguments = {name: values[k] for name, values in template.parameters.items()}


def _ordered(template: _Template) -> list[tuple[str, TorchValue | None]]:
    """The arguments of a class, those with a default last, each with its default."""
    defaults = {
        name: _WITH_DEFAULT[name]
        for name, values in template.parameters.items()
        if name in _WITH_DEFAULT and any(_same(value, _WITH_DEFAULT[name]) for value in values)
    }
    return [*((name, None) for name in template.parameters if name not in defaults), *defaults.items()]


def _type_of(values: Sequence[TorchValue]) -> str:
    names = {"tuple[int, ...]" if isinstance(value, tuple) else type(value).__name__ for value in values}
    return " | ".join(sorted(names))


# ---- classes ---------------------------------------------------------------------------------------------------------


def _class_names(templates: list[_Template], root: _Template, root_name: str, helpers: set[str]) -> None:
    taken = {"F", *helpers, root_name}
    root.class_name = root_name
    for template in templates:
        if template is root:
            continue
        name = "".join(part[:1].upper() + part[1:] for part in template.base.split("_")) or "Block"
        if len(name) < 3 or name in taken:
            name += "Block"
        number = 2
        plain = name
        while name in taken:
            name = f"{plain}{number}"
            number += 1
        taken.add(name)
        template.class_name = name


def _layer(template: _Template, line: _Line, step: Step) -> Expr:
    """The construction of a layer."""
    place = len(step.before)
    target = step.call.target
    defaults = DEFAULTS.get(target, {})
    written = {key: template.written[line.name, place, key] for key, _ in step.call.kwargs}
    arguments: list[tuple[str, Expr]] = []
    bare = True
    for key, expression in written.items():
        if key in defaults and flat(expression) == flat(_literal(defaults[key])):
            continue
        if key == "stride" and target in _POOLS and flat(expression) == flat(written["kernel_size"]):
            continue
        bare = bare and key in _POSITIONAL
        arguments.append(("" if bare else f"{key}=", expression))
    return call(target.removeprefix("convsize."), arguments)


def _block(template: _Template, line: _Line, group: _Group, constants: dict[str, Expr] | None = None) -> Expr:
    """The construction of an inner block; `constants` are other expressions for its arguments."""
    inner = group.template
    arguments: list[tuple[str, Expr]] = []
    named = False
    for name, default in _ordered(inner):
        expression = (constants or {}).get(name) or template.written[line.name, name]
        if default is not None and flat(expression) == flat(_literal(default)):
            named = True
            continue
        named = named or default is not None
        arguments.append((f"{name}=" if named else "", expression))
    return call(inner.class_name, arguments)


def _is_module(step: Step) -> bool:
    return step.call.target.startswith(("nn.", "convsize."))


def _is_chain(template: _Template) -> bool:
    """Whether every layer reads just the one before it, so that nn.Sequential says it all."""
    before = 0
    for line in template.lines:
        if line.reads != (before,) or len(line.makes) != 1:
            return False
        if isinstance(line.child, Step) and not (
            _is_module(line.child)
            and all(each.target == "nn.Flatten" for each in line.child.before)
            and not line.child.after
        ):
            return False
        (before,) = line.makes
    return template.inputs == 1 and template.outputs == (before,)


class _Fold(Record):
    """A run of lines first … last - 1 whose blocks base{number} … are built by one loop, from these arguments."""

    first: int
    last: int
    base: str
    number: int
    arguments: dict[str, Expr]


def _folds(template: _Template) -> dict[int, _Fold]:
    """The runs of blocks that a loop builds and runs, by their first lines.

    All are of one class, numbered on, each reads just the one before, and their arguments grow evenly, if at all.
    """
    uses: dict[int, int] = {}
    for line in template.lines:
        for index in line.reads:
            uses[index] = uses.get(index, 0) + 1
    for index in template.outputs:
        uses[index] = uses.get(index, 0) + 1
    found = {}
    at = 0
    lines = template.lines
    while at < len(lines):
        end = at + 1
        while end < len(lines) and _continues(lines[end - 1], lines[end], uses):
            end += 1
        while end - at >= _FOLD_FROM:
            arguments = _evenly(template, lines[at:end])
            if arguments is not None:
                base, number = _numbered(lines[at].name)
                found[at] = _Fold(at, end, base, number, arguments)
                break
            end -= 1
        at = max(end, at + 1)
    return found


def _numbered(name: str) -> tuple[str, int]:
    base = re.sub(r"\d+$", "", name)
    return base, int(name[len(base) :] or 0)


def _continues(one: _Line, other: _Line, uses: dict[int, int]) -> bool:
    if not (isinstance(one.child, _Group) and isinstance(other.child, _Group)):
        return False
    base, number = _numbered(one.name)
    return (
        one.child.template is other.child.template
        and other.name == f"{base}{number + 1}"
        and len(one.makes) == len(other.makes) == len(one.reads) == 1
        and other.reads == one.makes
        and uses[one.makes[0]] == 1
    )


def _evenly(template: _Template, lines: Sequence[_Line]) -> dict[str, Expr] | None:
    """The arguments of the run's blocks as expressions in i, the blocks' number; None where there are none."""
    found: dict[str, Expr] = {}
    (first, *_) = lines
    assert isinstance(first.child, _Group)
    _, number = _numbered(first.name)
    for name in first.child.template.parameters:
        written = [flat(template.written[line.name, name]) for line in lines]
        if len(set(written)) == 1:
            found[name] = template.written[first.name, name]
            continue
        if not all(re.fullmatch(r"\d+", text) for text in written):
            return None
        values = [int(text) for text in written]
        step = values[1] - values[0]
        if step <= 0 or any(after - before != step for before, after in pairwise(values)):
            return None
        start = values[0] - step * number
        term = "i" if step == 1 else f"{step} * i"
        found[name] = f"{start} + {term}" if start > 0 else f"{term} - {-start}" if start else term
    return found


def _class(template: _Template, plan: Plan, is_root: bool) -> list[str]:
    """The lines of a class."""
    chain = _is_chain(template) and not (is_root and len(plan.inputs) > 1)
    folds = _folds(template)
    base = "nn.Sequential" if chain else "nn.Module"
    lines = [f"class {template.class_name}({base}):", *_docstring(template, plan, is_root)]
    parameters: list[tuple[str, Expr]] = [("", "self")]
    for name, default in _ordered(template):
        annotated = f"{name}: {_type_of(template.parameters[name])}"
        parameters.append(("", annotated if default is None else f"{annotated} = {default!r}"))
    lines += statement(4, "def __init__", Bracket("(", items(parameters), ")"), " -> None:")
    lines.append("        super().__init__()")
    at = 0
    while at < len(template.lines):
        line = template.lines[at]
        if at in folds:
            lines += _building_loop(template, folds[at])
            at = folds[at].last
            continue
        if isinstance(line.child, _Group):
            lines += statement(8, f"self.{line.name} = ", _block(template, line, line.child))
        elif _is_module(line.child):
            if chain and line.child.before:
                lines.append(f"        self.{_flatten_name(template)} = nn.Flatten()")
            lines += statement(8, f"self.{line.name} = ", _layer(template, line, line.child))
        if isinstance(line.child, Step):
            for attribute, expression in _attributes(template, line, line.child):
                lines += statement(8, f"self.{attribute} = ", expression)
        at += 1
    if is_root:
        lines += _initialising(plan)
    if not chain:
        lines += ["", *_forward(template, plan, is_root, folds)]
    return lines


def _flatten_name(template: _Template) -> str:
    return "flatten" if all(line.name != "flatten" for line in template.lines) else "flatten_"


def _building_loop(template: _Template, fold: _Fold) -> list[str]:
    line = template.lines[fold.first]
    assert isinstance(line.child, _Group)
    block = _block(template, line, line.child, fold.arguments)
    built = call("self.add_module", [("", f'f"{fold.base}{{i}}"'), ("", block)])
    return [f"        {_loop(fold)}", *statement(12, "", built)]


def _loop(fold: _Fold) -> str:
    return f"for i in range({fold.number}, {fold.number + fold.last - fold.first}):"


def _docstring(template: _Template, plan: Plan, is_root: bool) -> list[str]:
    if is_root:
        outputs = ", ".join(name for name, _ in plan.outputs)
        if len(plan.outputs) > 1:
            return [f'    """The network. It returns a dict: {outputs}."""', ""]
        return ['    """The network."""', ""]
    count = len(template.groups)
    used = {1: "once", 2: "twice"}.get(count, f"{count} times")
    return [f'    """The block `{template.base}`, used {used}."""', ""]


def _attributes(template: _Template, line: _Line, step: Step) -> Iterator[tuple[str, Expr]]:
    """Numbers that a function in the forward pass takes and that differ between the instances of a block."""
    for place, each in enumerate(step.calls):
        if _in_init(step, place):
            continue
        for key, _ in each.kwargs:
            expression = template.written[line.name, place, key]
            if _varies(template, expression):
                yield f"{line.name}_{key}", expression


def _in_init(step: Step, place: int) -> bool:
    return place == len(step.before) and _is_module(step)


def _varies(template: _Template, expression: Expr) -> bool:
    words = set(re.findall(r"[A-Za-z_]\w*", flat(expression)))
    return bool(words & template.parameters.keys())


# ---- forward passes --------------------------------------------------------------------------------------------------


def _forward(template: _Template, plan: Plan, is_root: bool, folds: dict[int, _Fold]) -> list[str]:
    if is_root and len(plan.inputs) > 1:
        names = [f"{each.name}_" if each.name in _SHADOWING else each.name for each in plan.inputs]
    elif template.inputs == 1:
        names = ["x"]
    else:
        names = ["x", *(f"x{at}" for at in range(2, template.inputs + 1))]
    several = len(template.outputs) != 1
    result = ("dict[str, Tensor]" if is_root else "tuple[Tensor, ...]") if several else "Tensor"
    signature = Bracket("(", ["self", *(f"{name}: Tensor" for name in names)], ")")
    lines = statement(4, "def forward", signature, f" -> {result}:")
    variables = dict(enumerate(names))
    last: dict[int, int] = {}
    for at, line in enumerate(template.lines):
        for index in line.reads:
            last[index] = at
    for index in template.outputs:
        last[index] = len(template.lines)
    at = 0
    while at < len(template.lines):
        line = template.lines[at]
        end = folds[at].last if at in folds else at + 1
        read = [variables[index] for index in line.reads]
        free = {variables.pop(index) for index in set(line.reads) if last[index] < end}
        made = template.lines[end - 1].makes
        made_names = ""
        for index in made:
            # The chain goes on in the variable that it came in by.
            own = "x" if "x" in free else next((name for name in read if name in free), None)
            if own is None:
                own = "x" if "x" not in variables.values() else line.name
                while own in variables.values() or own in _SHADOWING:
                    own += "_"
            free.discard(own)
            if index in last:
                variables[index] = own
            else:
                own = "_"
            made_names = own if index == made[0] else f"{made_names}, {own}"
        if at in folds:
            lines += [f"        {_loop(folds[at])}"]
            if made_names != read[0]:
                lines.insert(len(lines) - 1, f"        {made_names} = {read[0]}")
            lines.append(f'            {made_names} = getattr(self, f"{folds[at].base}{{i}}")({made_names})')
        else:
            value = _value(template, line, read)
            if end == len(template.lines) and made == template.outputs and not (is_root and several) and made:
                return [*lines, *statement(8, "return ", value)]
            target = f"{made_names} = " if made and made_names != "_" else ""
            lines += statement(8, target, value)
        at = end
    returned = [variables[index] for index in template.outputs]
    if not several:
        return [*lines, f"        return {returned[0]}"]
    if is_root:
        pairs = [f'"{name}": {variable}' for (name, _), variable in zip(plan.outputs, returned, strict=True)]
        return [*lines, *statement(8, "return ", Bracket("{", list(pairs), "}"))]
    return [*lines, f"        return {', '.join(returned) or '()'}"]


_SHADOWING = {"self", "torch", "nn", "i", "x"}
"""Names that mean something in every forward pass."""


def _value(template: _Template, line: _Line, read: list[str]) -> Expr:
    """The expression that runs a layer or a block."""
    operands: list[Expr] = list(read)
    if isinstance(line.child, _Group):
        return call(f"self.{line.name}", [("", each) for each in operands])
    step = line.child
    for place, each in enumerate(step.calls):
        if _in_init(step, place):
            operands = [call(f"self.{line.name}", [("", operand) for operand in operands])]
            continue
        arguments: list[tuple[str, Expr]] = []
        for key, _ in each.kwargs:
            expression = template.written[line.name, place, key]
            if _varies(template, expression):
                expression = f"self.{line.name}_{key}"
            arguments.append((f"{key}=", expression))
        operands = [_function(each.target, operands, arguments)]
    return operands[0]


def _function(target: str, operands: list[Expr], arguments: list[tuple[str, Expr]]) -> Expr:
    texts = [flat(operand) for operand in operands]
    if target == "nn.Flatten":
        return call("torch.flatten", [("", operands[0]), ("", "1")])
    if target == "torch.cat":
        return call(target, [("", Bracket("[", operands, "]")), *arguments])
    if target == "torch.add":
        return " + ".join(texts)
    if target == "torch.mul":
        return " * ".join([*texts, *(flat(value) for _, value in arguments)])
    if target in ("F.pad", "torch.reshape"):
        first, *others = arguments
        return call(target, [("", operands[0]), ("", first[1]), *others])
    return call(target, [("", operands[0]), *arguments])


# ---- initialisation --------------------------------------------------------------------------------------------------


def _initialising(plan: Plan) -> list[str]:
    """The loop that gives the weights their first values: the commonest way for all but those named."""
    ways: dict[tuple[Init, bool], list[Step]] = {}
    for step in plan.steps:
        if step.init is not None:
            transposed = step.init.scheme == "he" and "Transpose" in step.call.target
            ways.setdefault((step.init, transposed), []).append(step)
    if not ways:
        return []
    common = max(ways, key=lambda way: len(ways[way]))
    kinds = sorted({step.call.target for steps in ways.values() for step in steps})
    lines = (
        ["        for name, layer in self.named_modules():"]
        if len(ways) > 1
        else ["        for layer in self.modules():"]
    )
    wanted: Expr = Bracket("(", list(kinds), ")") if len(kinds) > 1 else kinds[0]
    test = Bracket("(", ["layer", wanted], ")")
    lines += statement(12, "if isinstance", test, ":")
    word = "if"
    for way, steps in ways.items():
        if way == common:
            continue
        others = (step.name for other, rest in ways.items() if other != way for step in rest)
        ends = {name[at:] for name in others for at in range(len(name))}
        lines += _named_test(word, [step.name for step in steps], ends)
        lines += _starting(way, 20)
        word = "elif"
    if len(ways) > 1:
        lines.append("                else:")
        lines += _starting(common, 20)
    else:
        lines += _starting(common, 16)
    if any(name.name == "bias" for steps in ways.values() for step in steps for name in step.parameters):
        lines += ["                if layer.bias is not None:", "                    nn.init.zeros_(layer.bias)"]
    return lines


def _starting(way: tuple[Init, bool], indent: int) -> list[str]:
    init, transposed = way
    arguments: list[tuple[str, Expr]] = [("", "layer.weight")]
    if init.scheme == "glorot":
        return statement(indent, "", call("nn.init.xavier_normal_", arguments))
    if init.slope:
        arguments.append(("a=", repr(init.slope)))
    if transposed:
        arguments.append(("mode=", '"fan_out"'))
    return statement(indent, "", call("nn.init.kaiming_normal_", arguments))


def _named_test(word: str, names: list[str], ends: set[str]) -> list[str]:
    """`if` for the names, by their endings where these tell them from the others, all of whose `ends` are given."""
    endings: dict[str, None] = {}
    for name in names:
        parts = name.split(".")
        texts = (".".join(parts[-length:]) for length in range(1, len(parts) + 1))
        ending = next((text for text in texts if text not in ends), None)
        if ending is None:
            return statement(16, f"{word} name in ", Bracket("{", [f'"{name}"' for name in names], "}"), ":")
        endings[ending] = None
    quoted: list[Expr] = [f'"{ending}"' for ending in endings]
    test = quoted[0] if len(quoted) == 1 else Bracket("(", quoted, ")")
    return statement(16, f"{word} name", call(".endswith", [("", test)]), ":")


# ---- the file --------------------------------------------------------------------------------------------------------


def write(plan: Plan) -> str:
    """The text of a Python file with the network as a class; it needs PyTorch and nothing else."""
    root = _grouped(plan)
    templates = _templates(root)
    helpers = sorted({each.target.removeprefix("convsize.") for step in plan.steps for each in step.calls
                      if each.target.startswith("convsize.")})  # fmt: skip
    words = re.findall(r"[A-Za-z0-9]+", plan.name)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    if not name or name[0].isdigit() or name in {"F", "Tensor", *helpers}:
        name = f"Network{name}"
    _class_names(templates, root.template, name, set(helpers))
    for template in templates:
        _fill(template)
    body: list[str] = []
    for helper in _helpers(helpers):
        body += ["", "", *helper]
    for template in templates:
        body += ["", "", *_class(template, plan, template is root.template)]
    text = "\n".join(body)
    imports = ["from functools import reduce\n"] if "reduce(" in text else []
    imports.append("import torch") if "torch." in text else None
    if "F." in text:
        imports.append("import torch.nn.functional as F")
    imports.append("from torch import Tensor, nn" if "Tensor" in text else "from torch import nn")
    return "\n".join([*_table(plan, root), "", *imports, *body]) + "\n"


def _helpers(names: Sequence[str]) -> Iterator[list[str]]:
    """The text of the classes that PyTorch has not, as the module itself uses them."""
    if not names:
        return
    text = files("convsize.runtime").joinpath("calls.py").read_text(encoding="utf-8")
    classes = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    for name in names:
        found = ast.get_source_segment(text, classes[name])
        assert found is not None
        yield found.splitlines()


def _table(plan: Plan, root: _Group) -> list[str]:
    """The file's docstring: what comes in, every layer and block of the trunk, and what they cost."""
    rows = [("layer", "spec", "output", "parameters")]
    total = 0
    before: tuple[str, str, int] | None = None
    run = 1
    for line_name, child, _ in root.children:
        steps = [step for step, _ in child.steps()] if isinstance(child, _Group) else [child]
        count = sum(each.elements for step in steps for each in step.parameters if each.role != "buffer")
        total += count
        spec = child.template.class_name if isinstance(child, _Group) else child.spec
        output = _volume(steps[-1].output)
        if isinstance(child, _Group) and before == (spec, output, count):
            run += 1
            first = rows[-1][0].partition(" … ")[0]
            rows[-1] = (f"{first} … {line_name}", spec, output, f"{run} x {count:,}" if count else "")
            continue
        before, run = (spec, output, count), 1
        rows.append((line_name, spec, output, f"{count:,}" if count else ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    name = re.sub(r"[^A-Za-z0-9_.+ -]", "_", plan.name)
    inputs = ", ".join(f"{each.name} {_volume(each.dims)}" for each in plan.inputs)
    lines = [f'"""{name}: {total:,} parameters.', "", f"Input: {inputs}.", ""]
    for one, two, three, four in rows:
        line = f"{one:{widths[0]}}  {two:{widths[1]}}  {three:{widths[2]}}  {four:>{widths[3]}}"
        lines.append(f"    {line}".rstrip())
    return [*lines, '"""']


def _volume(dims: tuple[int, ...]) -> str:
    depth, *extents = dims
    return f"{depth}@{'x'.join(map(str, extents))}" if extents else str(depth)

"""The numbers in a block's layers: written out, an argument of the block, or a multiple of one."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from convsize.lowering.plan import Step
from convsize.lowering.source.blocks import Group, Template
from convsize.lowering.source.functions import function, split_at
from convsize.lowering.source.layout import Bracket, Expr, flat
from convsize.ops.base import TorchCall, TorchValue

_COLLAPSING = {"kernel_size", "stride", "padding", "dilation", "output_padding"}
"""Arguments of PyTorch's layers that take one number for every axis."""

_OF_OURS = dict.fromkeys(("convsize.StdConv", "convsize.Blur"), _COLLAPSING - {"kernel_size"})
"""The same of our own layers; these tell by their kernel how many axes there are."""

_WITH_DEFAULT = {"stride": 1, "dilation": 1, "groups": 1}
"""Arguments of blocks that may be left out."""


class _Arguments:
    """Finds for every number of a template's layers how to write it: itself, an argument, a multiple of one."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.taken = {"self", "i", "nn", "torch"}

    def express(self, values: Sequence[TorchValue], key: str, owner: str) -> Expr:
        """An expression that has the value `values[k]` in the k-th instance."""
        if all(same_value(value, values[0]) for value in values):
            return literal(values[0])
        rows = [value for value in values if isinstance(value, tuple)]
        if len(rows) == len(values) and len({len(row) for row in rows}) == 1:
            parts = [self.express(column, key, owner) for column in zip(*rows, strict=True)]
            return Bracket("(", parts, ")", single_comma=True)
        for name, known in self.template.parameters.items():
            if all(map(same_value, values, known)):
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


def same_value(one: TorchValue, other: TorchValue) -> bool:
    """Whether both are the same, 1 and 1.0 and True being three."""
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


def literal(value: TorchValue) -> Expr:
    """A value as Python writes it."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return Bracket("(", [literal(each) for each in value], ")", single_comma=True)
    if isinstance(value, float) and value in (math.inf, -math.inf):
        return f'float("{value}")'
    return repr(value)


def _plain(call_: TorchCall) -> tuple[tuple[str, TorchValue], ...]:
    """The arguments of a call with (3, 3) as 3 where PyTorch takes that."""
    collapsing = _COLLAPSING if call_.target.startswith("nn.") else _OF_OURS.get(call_.target, set())
    return tuple(
        (key, value[0]) if key in collapsing and isinstance(value, tuple) and len(set(value)) == 1 else (key, value)
        for key, value in call_.kwargs
    )


def fill(template: Template, volumes: Sequence[tuple[int, ...]]) -> None:
    """Writes every argument of every layer and block of a template, and gives its instances their arguments.

    volumes: the depth and extents of every value of the plan.
    """
    arguments = _Arguments(template)
    names = {line.name for line in template.lines} | _ATTRIBUTES
    for at, line in enumerate(template.lines):
        twins = [group.children[at][1] for group in template.groups]
        if isinstance(line.child, Group):
            if line.child.shared:
                continue  # it is made once, outside
            inner = [twin for twin in twins if isinstance(twin, Group)]
            for name in line.child.template.parameters:
                values = [twin.arguments[name] for twin in inner]
                template.written[line.name, name] = arguments.express(values, name, line.name)
            continue
        steps = [twin for twin in twins if isinstance(twin, Step)]
        for place, call_ in enumerate(line.child.calls):
            if in_init(line.child, place):
                plain = [dict(_plain(twin.calls[place])) for twin in steps]
                for key, _ in call_.kwargs:
                    values = [each[key] for each in plain]
                    template.written[line.name, place, key] = arguments.express(values, key, line.name)
            else:
                read = _Attributes(arguments, line.name, names).express
                template.functions[line.name, place] = function(steps, place, volumes, read)
    template.splits = split_at(template, volumes)
    for k, group in enumerate(template.groups):
        group.arguments = {name: values[k] for name, values in template.parameters.items()}


_ATTRIBUTES = {"flatten", "flatten_"}
"""Attributes of modules that are neither layers nor numbers."""


class _Attributes:
    """Keeps what a layer's function needs of the block's arguments as attributes of the module, no two alike."""

    def __init__(self, arguments: _Arguments, line: str, names: set[str]) -> None:
        self.arguments = arguments
        self.line = line
        self.names = names

    def express(self, values: Sequence[TorchValue], key: str) -> Expr:
        """A literal, or the attribute that has the value `values[k]` in the k-th instance."""
        found = self.arguments.express(values, key, self.line)
        if not varies(self.arguments.template, found):
            return found
        known = self.arguments.template.attributes.setdefault(self.line, {})
        for name, expression in known.items():
            if flat(expression) == flat(found):
                return f"self.{name}"
        name = f"{self.line}_{key}"
        while name in self.names:
            name += "_"
        self.names.add(name)
        known[name] = found
        return f"self.{name}"


def is_module(step: Step) -> bool:
    """Whether a layer is a module of PyTorch or one of ours, and not a function."""
    return step.call.target.startswith(("nn.", "convsize."))


def in_init(step: Step, place: int) -> bool:
    """Whether a layer's call at this place is that of its module."""
    return place == len(step.before) and is_module(step)


def varies(template: Template, expression: Expr) -> bool:
    """Whether an expression names an argument of the block."""
    words = set(re.findall(r"[A-Za-z_]\w*", flat(expression)))
    return bool(words & template.parameters.keys())


def ordered(template: Template) -> list[tuple[str, TorchValue | None]]:
    """The arguments of a class, those with a default last, each with its default."""
    defaults = {
        name: _WITH_DEFAULT[name]
        for name, values in template.parameters.items()
        if name in _WITH_DEFAULT and any(same_value(value, _WITH_DEFAULT[name]) for value in values)
    }
    return [*((name, None) for name in template.parameters if name not in defaults), *defaults.items()]


def type_of(values: Sequence[TorchValue]) -> str:
    """The annotation of an argument that has these values."""
    names = {"tuple[int, ...]" if isinstance(value, tuple) else type(value).__name__ for value in values}
    return " | ".join(sorted(names))

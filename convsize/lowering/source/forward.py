"""Forward passes of blocks that are no chain."""

from __future__ import annotations

import builtins
import keyword
import re

from convsize.lowering.plan import Plan, Step
from convsize.lowering.source.blocks import Group, Line, Template
from convsize.lowering.source.layout import Bracket, Expr, call, flat, statement
from convsize.lowering.source.loops import Fold, loop


def forward_lines(template: Template, plan: Plan, is_root: bool, folds: dict[int, Fold]) -> list[str]:
    """The forward pass of a template, in as few variables as it takes."""
    if is_root and len(plan.inputs) > 1:
        names = _arguments([each.name for each in plan.inputs])
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
            lines += [f"        {loop(folds[at])}"]
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


def _arguments(inputs: list[str]) -> list[str]:
    """What the forward pass calls the network's inputs: their own names wherever Python lets them be arguments."""
    taken = {*inputs, *_SHADOWING}
    found = []
    for name in inputs:
        if name in _SHADOWING:
            while name in taken:
                name += "_"
            taken.add(name)
        found.append(name)
    return found


_SHADOWING = frozenset({"self", "torch", "nn", "reduce", "i", "x", "_", *keyword.kwlist, *dir(builtins)})
"""Names that mean something in every forward pass."""


def _value(template: Template, line: Line, read: list[str]) -> Expr:
    """The expression that runs a layer or a block."""
    operands: list[Expr] = list(read)
    if isinstance(line.child, Group):
        return call(f"self.{line.name}", [("", each) for each in operands])
    step = line.child
    for place, each in enumerate(step.calls):
        if in_init(step, place):
            operands = [call(f"self.{line.name}", [("", operand) for operand in operands])]
            continue
        arguments: list[tuple[str, Expr]] = []
        for key, _ in each.kwargs:
            expression = template.written[line.name, place, key]
            if varies(template, expression):
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

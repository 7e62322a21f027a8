"""Forward passes of blocks that are no chain."""

from __future__ import annotations

import builtins
import keyword

from convsize.lowering.plan import Plan
from convsize.lowering.source.arguments import in_init
from convsize.lowering.source.blocks import Group, Line, Template
from convsize.lowering.source.functions import expression
from convsize.lowering.source.layout import Bracket, Expr, call, statement
from convsize.lowering.source.loops import Fold, loop


def forward_lines(template: Template, plan: Plan, is_root: bool, folds: dict[int, Fold]) -> list[str]:
    """The forward pass of a template, in as few variables as it takes."""
    if is_root and len(plan.inputs) > 1:
        names = _arguments([each.name for each in plan.inputs])
    elif template.inputs == 1:
        names = ["x"]
    else:
        names = ["x", *(f"x{at}" for at in range(2, template.inputs + 1))]
    sets = _sets(template, names, is_root)
    several = len(template.outputs) != 1
    result = ("dict[str, Tensor]" if is_root else "tuple[Tensor, ...]") if several else "Tensor"
    signature = Bracket(
        "(",
        ["self", *(f"{name}: Tensor" for name in names), *(f"{name}: nn.Module" for name in sets if not is_root)],
        ")",
    )
    lines = statement(4, "def forward", signature, f" -> {result}:")
    variables = dict(enumerate(names))
    later = {at: first for first, parts in template.splits.items() for at in parts}
    last: dict[int, int] = {}
    for at, line in enumerate(template.lines):
        for index in line.reads:
            last[index] = max(last.get(index, 0), later.get(at, at))
    for index in template.outputs:
        last[index] = len(template.lines)
    at = 0
    while at < len(template.lines):
        if later.get(at, at) < at:
            at += 1  # made with the first part
            continue
        line = template.lines[at]
        end = folds[at].last if at in folds else at + 1
        read = [variables[index] for index in line.reads]
        free = {variables.pop(index) for index in set(line.reads) if last[index] < end}
        parts = [template.lines[part] for part in template.splits.get(at, ())]
        made = tuple(index for part in parts for index in part.makes) or template.lines[end - 1].makes
        made_names = ""
        for place, index in enumerate(made):
            # The chain goes on in the variable that it came in by.
            own = "x" if "x" in free else next((name for name in read if name in free), None)
            if own is None:
                own = "x" if "x" not in variables.values() else (parts[place] if parts else line).name
                while own in variables.values() or own in _SHADOWING or own in sets:
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
        elif parts:
            lines.append(f"        {made_names} = {read[0]}.chunk({len(parts)}, dim=1)")
        else:
            value = _value(template, line, read, sets)
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


def _sets(template: Template, names: list[str], is_root: bool) -> list[str]:
    """What the shared modules are called in the forward pass: the network's own, and arguments of its blocks."""
    if is_root:
        return [f"self.{name}" for name in template.sets]
    found: list[str] = []
    for name in template.sets:
        while name in _SHADOWING or name in names or name in found:
            name += "_"
        found.append(name)
    return found


def _value(template: Template, line: Line, read: list[str], sets: list[str]) -> Expr:
    """The expression that runs a layer or a block."""
    operands: list[Expr] = list(read)
    if isinstance(line.child, Group):
        module, *given = (
            [sets[place] for place in line.sets]
            if line.child.shared
            else (f"self.{line.name}", *(sets[place] for place in line.sets))
        )
        return call(module, [("", each) for each in (*operands, *given)])
    step = line.child
    for place in range(len(step.calls)):
        if in_init(step, place):
            operands = [call(f"self.{line.name}", [("", operand) for operand in operands])]
        else:
            operands = [expression(template.functions[line.name, place], operands)]
    return operands[0]

"""The source: a plan as the PyTorch file that a person would have written.

Blocks become classes: instances of a block that are wired alike share one, and what differs between them becomes an
argument. A class whose layers form a chain is an nn.Sequential, any other has a forward pass of its own. Runs of equal
blocks become loops. The names of the parameters are those of the module (`bot3.conv2.weight`), so one's state_dict
loads into the other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files

from convsize.lowering.plan import Plan
from convsize.lowering.source.arguments import fill
from convsize.lowering.source.blocks import Group, grouped, templates_of
from convsize.lowering.source.classes import PYTHONS, class_lines, name_classes
from convsize.lowering.source.functions import volumes_of
from convsize.words import plural


def write(plan: Plan) -> str:
    """The text of a Python file with the network as a class; it needs PyTorch and nothing else."""
    root, formal = grouped(plan)
    templates = templates_of(root)
    helpers = sorted({each.target.removeprefix("convsize.") for step in plan.steps for each in step.calls
                      if each.target.startswith("convsize.")})  # fmt: skip
    words = re.findall(r"[A-Za-z0-9]+", plan.name)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    if not name or name[0].isdigit() or name in {*PYTHONS, *helpers}:
        name = f"Network{name}"
    name_classes(templates, root.template, name, set(helpers))
    volumes = volumes_of(plan, formal)
    for template in templates:
        fill(template, volumes)
    body: list[str] = []
    for helper in _helpers(helpers):
        body += ["", "", *helper]
    for template in templates:
        body += ["", "", *class_lines(template, plan, template is root.template)]
    text = "\n".join(body)
    imports = ["from functools import reduce\n"] if "reduce(" in text else []
    imports += ["from math import comb\n"] if "comb(" in text else []
    imports.append("import torch") if "torch." in text else None
    if "F." in text:
        imports.append("import torch.nn.functional as F")
    imports.append("from torch import Tensor, nn" if "Tensor" in text else "from torch import nn")
    return "\n".join([*_table(plan, root), "", *imports, *body]) + "\n"


def _helpers(names: Sequence[str]) -> Iterator[list[str]]:
    """The text of the classes that PyTorch has not, as the module itself uses them."""
    if not names:
        return
    text = files("convsize.runtime").joinpath("layers.py").read_text(encoding="utf-8")
    classes = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    for name in names:
        found = ast.get_source_segment(text, classes[name])
        assert found is not None
        yield found.splitlines()


def _table(plan: Plan, root: Group) -> list[str]:
    """The file's docstring: what comes in, every layer and block of the trunk, and what they cost."""
    rows = [("layer", "spec", "output", "parameters")]
    total = 0
    before: tuple[str, str, int] | None = None
    run = 1
    for line_name, child, _ in root.children:
        steps = [step for step, _ in child.steps()] if isinstance(child, Group) else [child]
        sizes = [(step.again, each.elements) for step in steps for each in step.parameters if each.role != "buffer"]
        count = sum(size for again, size in sizes if not again)
        total += count
        spec = child.template.class_name if isinstance(child, Group) else child.spec
        output = _volume(steps[-1].output)
        if isinstance(child, Group) and before == (spec, output, count):
            run += 1
            first = rows[-1][0].partition(" … ")[0]
            rows[-1] = (f"{first} … {line_name}", spec, output, f"{run} x {count:,}" if count else "")
            continue
        before, run = (spec, output, count), 1
        rows.append((line_name, spec, output, f"{count:,}" if count else "shared" if sizes else ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    name = re.sub(r"[^A-Za-z0-9_.+ -]", "_", plan.name)
    inputs = ", ".join(f"{each.name} {_volume(each.dims)}" for each in plan.inputs)
    lines = [f'"""{name}: {plural(total, "parameter")}.', "", f"Input: {inputs}.", ""]
    for one, two, three, four in rows:
        line = f"{one:{widths[0]}}  {two:{widths[1]}}  {three:{widths[2]}}  {four:>{widths[3]}}"
        lines.append(f"    {line}".rstrip())
    return [*lines, '"""']


def _volume(dims: tuple[int, ...]) -> str:
    depth, *extents = dims
    return f"{depth}@{'x'.join(map(str, extents))}" if extents else str(depth)

"""The classes of blocks: what they are called, and how they are built."""

from __future__ import annotations

from convsize.lowering.plan import Plan, Step
from convsize.lowering.source.arguments import is_module, literal, ordered, type_of
from convsize.lowering.source.blocks import Group, Line, Template, shared_in
from convsize.lowering.source.forward import forward_lines
from convsize.lowering.source.layout import Bracket, Expr, call, flat, items, statement
from convsize.lowering.source.loops import Fold, folds_of, loop
from convsize.lowering.source.start import initialising
from convsize.ops.base import TorchValue

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
    "nn.RMSNorm": {"eps": None, "elementwise_affine": True},
    "convsize.RMSNorm": {"eps": None, "elementwise_affine": True},
    "nn.Linear": {"bias": True},
    "convsize.StdConv": {
        "stride": 1,
        "padding": 0,
        "dilation": 1,
        "groups": 1,
        "bias": True,
        "gain": False,
        "eps": 1e-06,
    },
    "convsize.Blur": {"stride": 1, "padding": 0},
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
    "heads",
    "p",
    "shape",
    "size",
}
"""Arguments that are written without their names where nothing that has one stands before them."""


PYTHONS = frozenset({"F", "Tensor", "None", "True", "False"})
"""Names that mean something in every file, so that no class can be called so."""


def name_classes(templates: list[Template], root: Template, root_name: str, helpers: set[str]) -> None:
    """Gives every template the name of its class: its block's, in camel case, and no name twice."""
    taken = {*PYTHONS, *helpers, root_name}
    root.class_name = root_name
    for template in templates:
        if template is root:
            continue
        name = "".join(part[:1].upper() + part[1:] for part in template.base.split("_")) or "Block"
        if name[0].isdigit():
            name = f"Block{name}"
        if len(name) < 3 or name in taken:
            name += "Block"
        number = 2
        plain = name
        while name in taken:
            name = f"{plain}{number}"
            number += 1
        taken.add(name)
        template.class_name = name


def _layer(template: Template, line: Line, step: Step) -> Expr:
    """The construction of a layer."""
    place = len(step.before)
    target = step.call.target
    defaults = DEFAULTS.get(target, {})
    written = {key: template.written[line.name, place, key] for key, _ in step.call.kwargs}
    arguments: list[tuple[str, Expr]] = []
    bare = True
    for key, expression in written.items():
        if key in defaults and flat(expression) == flat(literal(defaults[key])):
            continue
        if key == "stride" and target in _POOLS and flat(expression) == flat(written["kernel_size"]):
            continue
        bare = bare and key in _POSITIONAL
        arguments.append(("" if bare else f"{key}=", expression))
    return call(target.removeprefix("convsize."), arguments)


def _block(template: Template, line: Line, group: Group, constants: dict[str, Expr] | None = None) -> Expr:
    """The construction of an inner block; `constants` are other expressions for its arguments."""
    inner = group.template
    arguments: list[tuple[str, Expr]] = []
    named = False
    for name, default in ordered(inner):
        expression = (constants or {}).get(name) or template.written[line.name, name]
        if default is not None and flat(expression) == flat(literal(default)):
            named = True
            continue
        named = named or default is not None
        arguments.append((f"{name}=" if named else "", expression))
    return call(inner.class_name, arguments)


def _is_chain(template: Template) -> bool:
    """Whether every layer reads just the one before it, so that nn.Sequential says it all."""
    before = 0
    for line in template.lines:
        if line.reads != (before,) or len(line.makes) != 1 or line.sets:
            return False
        if isinstance(line.child, Step) and not (
            is_module(line.child)
            and all(each.target == "nn.Flatten" for each in line.child.before)
            and not line.child.after
        ):
            return False
        (before,) = line.makes
    return template.inputs == 1 and template.outputs == (before,)


def class_lines(template: Template, plan: Plan, is_root: bool) -> list[str]:
    """The lines of a class."""
    after: list[Group] = []
    chain = _is_chain(template) and not (is_root and len(plan.inputs) > 1)
    folds = folds_of(template)
    base = "nn.Sequential" if chain else "nn.Module"
    lines = [f"class {template.class_name}({base}):", *_docstring(template, plan, is_root)]
    parameters: list[tuple[str, Expr]] = [("", "self")]
    for name, default in ordered(template):
        annotated = f"{name}: {type_of(template.parameters[name])}"
        parameters.append(("", annotated if default is None else f"{annotated} = {default!r}"))
    lines += statement(4, "def __init__", Bracket("(", items(parameters), ")"), " -> None:")
    lines.append("        super().__init__()")
    at = 0
    homes = {name: at for at, name in enumerate(dict.fromkeys(step.module.partition(".")[0] for step in plan.steps))}
    made: dict[str, None] = {}
    while at < len(template.lines):
        line = template.lines[at]
        if is_root and isinstance(line.child, Group):
            # Modules are made in the order of their first layers, which those of shared blocks may be inside others.
            waiting = [each for each in shared_in(line.child) if each.shared not in made]
            waiting.sort(key=lambda each: homes[each.shared])
            made |= {each.shared: None for each in waiting}
            after = [each for each in waiting if line.name in homes and homes[each.shared] > homes[line.name]]
            for each in waiting:
                if each not in after:
                    lines += _shared(template, line, each)
        if at in folds:
            lines += _building_loop(template, folds[at])
            at = folds[at].last
            continue
        if isinstance(line.child, Group):
            if not line.child.shared:
                lines += statement(8, f"self.{line.name} = ", _block(template, line, line.child))
            for each in after if is_root else ():
                lines += _shared(template, line, each)
        elif is_module(line.child):
            if chain and line.child.before:
                lines.append(f"        self.{_flatten_name(template)} = nn.Flatten()")
            lines += statement(8, f"self.{line.name} = ", _layer(template, line, line.child))
        if isinstance(line.child, Step):
            for attribute, expression in template.attributes.get(line.name, {}).items():
                lines += statement(8, f"self.{attribute} = ", expression)
        at += 1
    if is_root:
        lines += initialising(plan)
    if not chain:
        lines += ["", *forward_lines(template, plan, is_root, folds)]
    return lines


def _shared(template: Template, line: Line, group: Group) -> list[str]:
    """The construction of the module of a shared block, by its first use."""
    constants = {name: literal(value) for name, value in group.arguments.items()}
    return statement(8, f"self.{group.shared} = ", _block(template, line, group, constants))


def _flatten_name(template: Template) -> str:
    return "flatten" if all(line.name != "flatten" for line in template.lines) else "flatten_"


def _building_loop(template: Template, fold: Fold) -> list[str]:
    line = template.lines[fold.first]
    assert isinstance(line.child, Group)
    block = _block(template, line, line.child, fold.arguments)
    built = call("self.add_module", [("", f'f"{fold.base}{{i}}"'), ("", block)])
    return [f"        {loop(fold)}", *statement(12, "", built)]


def _docstring(template: Template, plan: Plan, is_root: bool) -> list[str]:
    if is_root:
        outputs = ", ".join(name for name, _ in plan.outputs)
        if len(plan.outputs) > 1:
            return [f'    """The network. It returns a dict: {outputs}."""', ""]
        return ['    """The network."""', ""]
    count = len(template.groups)
    used = {1: "once", 2: "twice"}.get(count, f"{count} times")
    if count > 1 and template.groups[0].shared and len({group.shared for group in template.groups}) == 1:
        used += " with one set of weights"
    return [f'    """The block `{template.base}`, used {used}."""', ""]

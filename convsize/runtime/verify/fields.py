"""Receipts: receptive fields against the support of real gradients."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import torch
from torch import nn

from convsize.analyses.report import analyze
from convsize.graph.network import Network, Node
from convsize.lowering.plan import Plan, Step, lower
from convsize.ops.base import TorchCall, TorchValue
from convsize.records import LayerRow, Line
from convsize.records.receipt import Verdict
from convsize.runtime.module import build_module
from convsize.words import plural

FIELD_BUDGET = 2 * 10**9
"""Multiply-adds of one sample up to which layers are looked at for their receptive fields: some seconds of one core."""

FIELD_SAMPLES = 6
"""Layers whose receptive field is measured, evenly spread over those that have one."""


def fields(network: Network, device: str) -> Line:
    """What a sample of layers sees of every input, on the processor."""
    quantity = "receptive fields"
    report = analyze(network, batch=1, dtype="float32")
    rows = _with_fields(network, report.layers)
    if device != "cpu":
        return Line(quantity, "layers", None, None, "not measured", "gradients need values: measured on the CPU")
    if any(node.op.STATISTICS in {"map", "group", "map squares"} for node in network.layers):
        return Line(
            quantity,
            "layers",
            None,
            None,
            "not measured",
            "group, instance and filter response norms mix all positions through their statistics",
        )
    plan = lower(network)
    if any(each.tokens for each in plan.inputs):
        return Line(quantity, "layers", None, None, "not measured", "tokens have no gradient")
    spent = 0
    reached = set()
    for row in report.layers:
        spent += row.macs
        if spent > FIELD_BUDGET:
            break
        reached.add(row.name)
    near = [row for row in rows if row.name in reached]
    if not near:
        why = "even the first layers cost too much" if rows else "no layer has one on a grid of whole pixels"
        return Line(quantity, "layers", None, None, "not measured", why)
    count = min(FIELD_SAMPLES, len(near))
    sampled = [near[(at + 1) * len(near) // count - 1] for at in range(count)]
    failures = []
    supports = _supports(network, plan, [row.name for row in sampled])
    for row, (unit, found) in zip(sampled, supports, strict=True):
        for name, support in found.items():
            stated = _stated(network, row, name, unit)
            if not _agrees(stated, support, network.nodes[network.inputs[name]].output.spatial):
                failures.append(
                    f"{row.name} in {name}: predicted {_ranges(stated)}, gradients reach {_ranges(support)}"
                )
    whole = f"{count} of {plural(len(rows), 'layer')}"
    if len(near) < len(rows):
        whole += f", from the first {len(near)} as the others cost more than {FIELD_BUDGET / 1e9:g}G multiply-adds"
    note = f"support of a unit's gradient, {whole}; with max pools averaging, for a maximum has one gradient"
    verdict: Verdict = "FAILS" if failures else "exact"
    return Line(
        quantity, "layers", count, count - len({f.partition(" ")[0] for f in failures}), verdict, note, tuple(failures)
    )


def _agrees(
    stated: tuple[tuple[int, int], ...], support: tuple[tuple[int, int], ...], extents: tuple[int, ...]
) -> bool:
    """Whether a gradient reaches just what is stated: nothing, of a unit that lies wholly in padding.

    Where that ends at the border it may reach less: a layer in between had padding where the input has pixels.
    """
    if any(first > last for first, last in stated):
        return not support
    if len(support) != len(stated):
        return False
    for (first, last), (low, high), extent in zip(stated, support, extents, strict=True):
        if low < first or (low > first and first > 0) or high > last or (high < last and last < extent - 1):
            return False
    return True


def _ranges(axes: tuple[tuple[int, int], ...]) -> str:
    return " x ".join(f"{first}..{last}" for first, last in axes) or "nothing"


def _with_fields(network: Network, rows: tuple[LayerRow, ...]) -> list[LayerRow]:
    """The layers whose units have a field of their own, which a middle unit must see from end to end.

    Left aside are those that see everything, also through a gate or a global response norm (whose factors the analysis
    does not count as seen), those after upsampling, where neighbours see unequally much, those after a join of
    branches that do not lie on top of each other, whose fields are hulls, those after what is the same whatever it
    sees, and those that see beyond a border where padding repeats pixels.
    """
    unlike = [False] * len(network.nodes)
    repeating = [False] * len(network.nodes)
    found = []
    for row in rows:
        fields = [field for _, field in row.receptive_fields]
        node = network.nodes[row.index]
        window = network.window(node)
        upsampling = bool(window.reads) or any(axis.transposed for axis in window.axes)
        repeating[row.index] = any(repeating[index] for index in node.inputs) or any(
            axis.fill != "zeros" for axis in window.axes
        )
        before = any(unlike[index] for index in node.inputs)
        constant = _is_constant(network, node)
        # A branch that is 1 along an axis, where the others are not, is read from the whole of it.
        spread = any(
            old == 1 < new
            for shape in network.input_shapes(node)
            if shape.rank == node.output.rank and len(node.inputs) > 1
            for old, new in zip(shape.spatial, node.output.spatial, strict=True)
        )
        mixed = node.op.STATISTICS == "maps"
        unlike[row.index] = before or upsampling or constant or spread or mixed or any(field.whole for field in fields)
        if (
            fields
            and not unlike[row.index]
            and not (repeating[row.index] and _reaches_over(network, row))
            and all(
                field.aligned
                and all(jump.denominator == 1 and jump >= 1 for jump in field.jump)
                and all(start.denominator == 1 for start in field.start)
                for field in fields
            )
        ):
            found.append(row)
    return found


def _reaches_over(network: Network, row: LayerRow) -> bool:
    """Whether the middle unit's field goes beyond the border, where padding that is no zeros repeats pixels."""
    unit = [extent // 2 for extent in network.nodes[row.index].output.spatial]
    for name, field in row.receptive_fields:
        extents = network.nodes[network.inputs[name]].output.spatial
        for extent, size, jump, start, at in zip(extents, field.size, field.jump, field.start, unit, strict=True):
            if start + jump * at < 0 or start + jump * at + size > extent:
                return True
    return False


def _is_constant(network: Network, node: Node) -> bool:
    """Whether a layer gives the same whatever it sees: a factor of 0, a softmax or a layer norm over one map."""
    shapes = network.input_shapes(node)
    depth: object = shapes[0].channels
    for call in node.op.torch(*shapes):
        if call.target == "torch.reshape":
            shape = dict(call.kwargs)["shape"]
            assert isinstance(shape, tuple)
            depth = shape[1]
        elif call.target in {"torch.mul", "convsize.Times"}:
            factors = [
                number for _, value in call.kwargs for number in (value if isinstance(value, tuple) else (value,))
            ]
            return not any(factors)
        elif call.kernel in {"nn.Softmax", "nn.LogSoftmax", "convsize.LayerNorm"}:
            return depth == 1
    return False


def _stated(network: Network, row: LayerRow, name: str, unit: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """First and last pixel of every axis that a unit sees of an input, clipped to it."""
    field = dict(row.receptive_fields)[name]
    extents = network.nodes[network.inputs[name]].output.spatial
    axes = []
    for extent, size, jump, start, at in zip(extents, field.size, field.jump, field.start, unit, strict=True):
        first = int(start + jump * at)
        axes.append((max(first, 0), min(first + size, extent) - 1))
    return tuple(axes)


def _supports(
    network: Network, plan: Plan, names: list[str]
) -> Iterator[tuple[tuple[int, ...], dict[str, tuple[tuple[int, int], ...]]]]:
    """For layers in order the unit looked at, and the bounds of its gradient in every input that it sees."""
    last = next(at for at, step in enumerate(plan.steps) if step.name == names[-1])
    averaging = plan.replace(
        steps=tuple(_averaged(network, step).replace(dead=()) for step in plan.steps[: last + 1]),
        outputs=tuple((step.name, at + len(plan.inputs)) for at, step in enumerate(plan.steps) if step.name in names),
    )
    module = build_module(averaging, dtype=torch.float64).eval().requires_grad_(False)
    for parameter in module.parameters():
        # Positive, so that no rectifier is shut and nothing cancels; weights are about 1 in sum and gains below it, so
        # that nothing overflows and nothing that saturates does (ReLU6, sigmoid).
        if parameter.dim() > 1:
            fan = prod(parameter.shape[1:])
            parameter.uniform_(0.5 / fan, 1.5 / fan)
        else:
            parameter.uniform_(0.3, 0.7)
    for name, parameter in module.named_parameters():
        if name.endswith(".bias"):
            parameter.zero_()
    for layer in module.modules():
        if isinstance(layer, nn.LayerNorm) and layer.elementwise_affine:
            layer.bias.fill_(2.0)  # what it gives is as often below 0 as above
    inputs = [(torch.rand(1, *each.dims, dtype=torch.float64) + 0.5).requires_grad_() for each in plan.inputs]
    outputs = module(*inputs)
    values = list(outputs.values()) if isinstance(outputs, dict) else [outputs]
    for value in values:
        unit = tuple(extent // 2 for extent in value.shape[2:])
        channels = value[(0, slice(None), *unit)]
        # Weighted by depth, for what sums to a constant over the depth (softmax) has no gradient otherwise.
        weights = torch.linspace(0.5, 1.5, len(channels), dtype=torch.float64)
        gradients = torch.autograd.grad((channels * weights).sum(), inputs, retain_graph=True, allow_unused=True)
        found = {}
        for each, gradient in zip(plan.inputs, gradients, strict=True):
            if gradient is not None:
                places = gradient[0].abs().amax(0).nonzero()
                bounds = zip(places.amin(0).tolist(), places.amax(0).tolist(), strict=True) if len(places) else ()
                found[each.name] = tuple(bounds)
        yield unit, found


_SEEN_ALIKE = {
    "torch.amax": TorchCall("torch.mean"),
    "torch.amin": TorchCall("torch.mean"),
    "torch.sub": TorchCall("torch.add"),
    "convsize.Difference": TorchCall("convsize.Sum"),
    "convsize.ThresholdedLinear": TorchCall("convsize.Bias"),
    "nn.Hardtanh": TorchCall("torch.mul", (("other", 1),)),
    "torch.clamp": TorchCall("torch.mul", (("other", 1),)),
}
"""Calls that see the same values without choosing among them, cutting them off, or making them negative."""


def _seen_alike(call: TorchCall) -> TorchCall:
    other = _SEEN_ALIKE.get(call.target)
    if other is not None:
        return other.replace(kwargs=other.kwargs or call.kwargs)
    if call.target in ("torch.add", "convsize.Plus"):
        return call.replace(kwargs=tuple((key, _positive(value)) for key, value in call.kwargs))
    return call


def _positive(value: TorchValue) -> TorchValue:
    if isinstance(value, tuple):
        return tuple(map(abs, value))
    return abs(value) if isinstance(value, int | float) else value


def _averaged(network: Network, step: Step) -> Step:
    """The step with an average over the same window where it takes a maximum, or a norm, which may be no number."""
    step = step.replace(
        before=tuple(map(_seen_alike, step.before)),
        call=_seen_alike(step.call),
        after=tuple(map(_seen_alike, step.after)),
    )
    if "LPPool" in step.call.target:
        kept = tuple((key, value) for key, value in step.call.kwargs if key != "norm_type")
        return step.replace(call=TorchCall(step.call.target.replace("LPPool", "AvgPool"), kept))
    if "MaxPool" not in step.call.target:
        return step.replace(in_place=False, call=_not_in_place(step.call))
    if "Adaptive" in step.call.target:
        return step.replace(call=step.call.replace(target=step.call.target.replace("Max", "Avg")))
    arguments = dict(step.call.kwargs)
    kernel, stride, padding, dilation = (arguments[key] for key in ("kernel_size", "stride", "padding", "dilation"))
    assert isinstance(kernel, tuple)
    assert isinstance(stride, tuple)
    assert isinstance(padding, tuple)
    assert isinstance(dilation, tuple)
    node = network.nodes[step.source]
    source = network.nodes[node.inputs[0]].output.spatial
    zeros = dict(step.before[0].kwargs)["pad"] if step.before else (0,) * 2 * len(kernel)
    assert isinstance(zeros, tuple)
    pads = [(zeros[2 * at], zeros[2 * at + 1]) for at in reversed(range(len(kernel)))]
    overhang = []
    for at, (before, after) in enumerate(pads):
        reach = dilation[at] * (kernel[at] - 1) + 1
        needed = (node.output.spatial[at] - 1) * stride[at] + reach
        overhang.append(max(needed - source[at] - before - after - 2 * padding[at], 0))
    call = TorchCall(
        "convsize.AveragePool",
        (
            ("kernel_size", kernel),
            ("stride", stride),
            ("padding", tuple(zeros for each in reversed(padding) for zeros in (each, each))),
            ("overhang", tuple(overhang)),
            ("dilation", dilation),
            ("count_include_pad", True),
        ),
    )
    before_calls = tuple(
        each.replace(kwargs=tuple((key, value) for key, value in each.kwargs if key != "value")) for each in step.before
    )
    return step.replace(before=before_calls, call=call)


def _not_in_place(call: TorchCall) -> TorchCall:
    return call.replace(kwargs=tuple((key, value) for key, value in call.kwargs if key != "inplace"))

"""Receipts: what the analyses predict of a network, and what PyTorch then does."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from math import prod
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from convsize.analyses.report import analyze
from convsize.analyses.saved_tensors import saved_for_backward
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.lowering.plan import Plan, Step, lower
from convsize.lowering.source import write
from convsize.ops.base import TorchCall
from convsize.ops.group_norm import GroupNorm
from convsize.ops.instance_norm import InstanceNorm
from convsize.records import ITEM_SIZES, LayerRow, Line, Receipt
from convsize.runtime.module import NetworkModule, build_module

FIELD_BUDGET = 2 * 10**9
"""Multiply-adds of one sample up to which layers are looked at for their receptive fields: some seconds of one core."""

FIELD_SAMPLES = 6
"""Layers whose receptive field is measured, evenly spread over those that have one."""

_TOKENS = 50
"""Tokens are drawn below this, or below the vocabulary where it is smaller."""


def verify(
    network: Network,
    *,
    device: Literal["cpu", "cuda", "meta"] = "cpu",
    batches: tuple[int, ...] = (1, 3),
    dtype: str = "float32",
) -> Receipt:
    """Builds the module of a network and holds every prediction against it.

    On "meta" PyTorch works out shapes and calls without values: what needs numbers is not measured there.

    Raises UsageError where the device is not there, or has not the memory.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("PyTorch sees no CUDA device here: leave --device out for the processor")
    plan = lower(network)
    if device == "cpu":
        _require_memory(network, batches, ITEM_SIZES[dtype])
    kind: torch.dtype = getattr(torch, dtype)
    try:
        lines = tuple(_lines(network, plan, device, batches, kind, ITEM_SIZES[dtype]))
    except RuntimeError as error:
        # The processor's allocator raises no class of its own.
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise UsageError(_too_large(network, batches, ITEM_SIZES[dtype], f"{device} ran out of memory")) from None
    report = analyze(network, batch=1, dtype="float32")
    return Receipt(
        name=network.name,
        spec=network.source.name,
        graph=report.graph,
        device=f"cuda ({torch.cuda.get_device_name()})" if device == "cuda" else device,
        dtype=dtype,
        batches=batches,
        versions=(("torch", torch.__version__), ("python", platform.python_version())),
        lines=lines,
    )


def _lines(
    network: Network, plan: Plan, device: str, batches: tuple[int, ...], dtype: torch.dtype, itemsize: int
) -> Iterator[Line]:
    batch = batches[-1]
    with torch.random.fork_rng(devices=["cuda"] if device == "cuda" else []):
        torch.manual_seed(0)
        module = build_module(plan, device, dtype).eval()
        inputs = _inputs(plan, batch, device, dtype)
        yield _volumes(network, module, inputs, batch)
        yield _tensors(network, module)
        yield from _work(network, module, inputs, batch)
        yield _source(plan, module, inputs, device, dtype)
        del module, inputs
        for each in batches:
            yield _saved(network, each, device, dtype, itemsize)
        yield _fields(network, device)


def _inputs(plan: Plan, batch: int, device: str, dtype: torch.dtype) -> list[Tensor]:
    vocabulary = [
        value
        for step in plan.steps
        for key, value in step.call.kwargs
        if key == "num_embeddings" and isinstance(value, int)
    ]
    limit = min([_TOKENS, *vocabulary])
    return [
        torch.randint(0, limit, (batch, *each.dims), device=device)
        if each.tokens
        else torch.rand(batch, *each.dims, device=device, dtype=dtype)
        for each in plan.inputs
    ]


# ---- memory ----------------------------------------------------------------------------------------------------------


def _needed(network: Network, batches: tuple[int, ...], itemsize: int) -> int:
    """Bytes that measuring takes at least: two modules' weights and gradients, what is kept, a layer's output."""
    weights = sum(each.elements for node in network.layers for each in network.parameters(node))
    kept = sum(map(sum, saved_for_backward(network, max(batches), itemsize)))
    largest = max((node.output.elements for node in network.layers), default=0)
    return (4 * weights + largest * max(batches)) * itemsize + kept


def _require_memory(network: Network, batches: tuple[int, ...], itemsize: int) -> None:
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return
    if _needed(network, batches, itemsize) > free:
        raise UsageError(_too_large(network, batches, itemsize, f"{free / 2**30:.1f} GiB are free"))


def _too_large(network: Network, batches: tuple[int, ...], itemsize: int, why: str) -> str:
    needed = _needed(network, batches, itemsize) / 2**30
    return (
        f"{network.name}: measuring at batch {max(batches)} takes {needed:.1f} GiB or more, and {why}: "
        "ask for a smaller --batch, or for shapes and calls alone by --device meta"
    )


# ---- volumes, parameters, work ---------------------------------------------------------------------------------------


def _volumes(network: Network, module: NetworkModule, inputs: list[Tensor], batch: int) -> Line:
    seen: dict[str, tuple[int, ...]] = {}
    with torch.no_grad():
        module.run(tuple(inputs), see=lambda name, value: seen.__setitem__(name, tuple(value.shape)))
    expected = {node.name: (batch, *node.output.dims) for node in network.layers}
    return _agreement("output volumes", "volumes", expected, seen, f"every layer's, batch {batch}")


def _tensors(network: Network, module: nn.Module) -> Line:
    expected = {
        f"{node.name}.{each.name}": (each.role != "buffer", each.shape)
        for node in network.layers
        for each in network.parameters(node)
    }
    trained = {name for name, _ in module.named_parameters()}
    found = {name: (name in trained, tuple(value.shape)) for name, value in module.state_dict().items()}
    return _agreement("parameters and buffers", "tensors", expected, found, "by name, shape and whether they train")


def _agreement(
    quantity: str,
    unit: Literal["volumes", "tensors"],
    expected: Mapping[str, object],
    found: Mapping[str, object],
    note: str,
) -> Line:
    failures = [
        f"{name}: predicted {expected.get(name, 'none')}, measured {found.get(name, 'none')}"
        for name in dict.fromkeys([*expected, *found])
        if expected.get(name) != found.get(name)
    ]
    agreeing = sum(found.get(name) == value for name, value in expected.items())
    verdict: Literal["exact", "FAILS"] = "FAILS" if failures else "exact"
    return Line(quantity, unit, len(expected), agreeing, verdict, note, tuple(failures))


def _exact(quantity: str, unit: Literal["macs", "flops", "bytes"], predicted: int, measured: int, note: str) -> Line:
    return Line(quantity, unit, predicted, measured, "exact" if predicted == measured else "FAILS", note)


class _Work(NamedTuple):
    """Multiply-adds of a batch: forward, backward as they are, and as PyTorch's counter has them."""

    forward: int
    counted_forward: int
    backward: int
    counted_backward: int
    grouped: bool


def _predicted_work(network: Network, batch: int) -> _Work:
    """Backward takes as much again for the weights' gradients, and again for the input's where it needs one.

    The counter of torch 2.13 multiplies the weights' gradient of a grouped convolution by its groups, which a grouped
    convolution has not to pay. It counts the sums of average pools that PyTorch's layers cannot do as convolutions.
    """
    useful: set[int] = set()
    for end in network.outputs.values():
        useful |= network.ancestors(end)
    flows = [False] * len(network.nodes)
    forward = extra_forward = backward = counted = 0
    grouped = False
    for node in network.layers:
        shapes = network.input_shapes(node)
        macs = batch * node.op.macs(shapes, node.output)
        trains = any(each.role != "buffer" for each in network.parameters(node))
        needs = any(flows[index] for index in node.inputs)
        flows[node.index] = needs or trains
        forward += macs
        ones = 0
        groups = 1
        for call in node.op.torch(*shapes):
            arguments = dict(call.kwargs)
            if call.target == "convsize.AveragePool":
                kernel = arguments["kernel_size"]
                assert isinstance(kernel, tuple)
                ones = prod(node.output.spatial) * prod(kernel)
            given = arguments.get("groups", 1)
            groups = given if isinstance(given, int) and call.target.startswith("nn.Conv") else groups
        sums = batch * node.output.channels * ones
        extra_forward += sums + ones
        if node.index in useful:
            backward += macs * (trains + needs)
            counted += macs * (trains * groups + needs) + sums * needs
            grouped = grouped or (groups > 1 and macs > 0)
    return _Work(forward, forward + extra_forward, backward, counted, grouped)


def _work(network: Network, module: nn.Module, inputs: list[Tensor], batch: int) -> Iterator[Line]:
    predicted = _predicted_work(network, batch)
    with FlopCounterMode(display=False) as counter:
        outputs = module(*inputs)
    measured = counter.get_total_flops()
    note = f"FlopCounterMode/2, batch {batch}"
    if predicted.counted_forward != predicted.forward:
        ones = predicted.counted_forward - predicted.forward
        note += f"; less the {ones:,} by which average pools sum"
        measured -= 2 * ones
    yield _exact("multiply-adds, forward", "macs", predicted.forward, measured // 2, note)
    ends = list(outputs.values()) if isinstance(outputs, dict) else [outputs]
    ends = [end for end in ends if end.requires_grad]
    if not ends:
        yield Line("multiply-adds, backward", "macs", predicted.backward, None, "not measured", "nothing trains")
        return
    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward([end.sum() for end in ends])
    module.zero_grad()
    measured = counter.get_total_flops() // 2
    if measured == predicted.counted_backward != predicted.backward:
        why = []
        if predicted.grouped:
            why.append("counts the weights' gradient of grouped convolutions once a group, a bug of it")
        if predicted.counted_forward != predicted.forward:
            why.append("takes average pools for convolutions")
        note = f"FlopCounterMode/2, batch {batch}, which {' and '.join(why)}: the true figure is {predicted.backward:,}"
        yield _exact("multiply-adds, backward", "macs", predicted.counted_backward, measured, note)
        return
    note = f"FlopCounterMode/2, batch {batch}; as much again as forward for weights, and for inputs that need it"
    yield _exact("multiply-adds, backward", "macs", predicted.backward, measured, note)


# ---- the exported file -----------------------------------------------------------------------------------------------


def _source(plan: Plan, module: nn.Module, inputs: list[Tensor], device: str, dtype: torch.dtype) -> Line:
    namespace: dict[str, object] = {"__name__": "exported"}
    # The text is convsize's own: of the spec it holds names, which are identifiers, and numbers.
    exec(compile(write(plan), "<exported>", "exec"), namespace)
    classes = [each for each in namespace.values() if isinstance(each, type) and each.__module__ == "exported"]
    with torch.device(device):
        exported: nn.Module = classes[-1]().to(dtype).eval()
    exported.load_state_dict(module.state_dict())
    with torch.no_grad():
        ours, theirs = module(*inputs), exported(*inputs)
    one, other = (each if isinstance(each, dict) else {"main": each} for each in (ours, theirs))
    if device == "meta":
        failures = [name for name in one if name not in other or one[name].shape != other[name].shape]
        note = "the file's state_dict and the volumes of its outputs are the module's; meta has no values"
    else:
        failures = [name for name in one if name not in other or not torch.equal(one[name], other[name])]
        note = "the file's state_dict and the values of its outputs are the module's"
    verdict: Literal["exact", "FAILS"] = "FAILS" if failures else "exact"
    return Line("exported source", "outputs", len(one), len(one) - len(failures), verdict, note, tuple(failures))


# ---- saved for backward ----------------------------------------------------------------------------------------------


def _saved(network: Network, batch: int, device: str, dtype: torch.dtype, itemsize: int) -> Line:
    quantity = f"saved for backward, batch {batch}"
    if device == "cuda":
        # cuDNN's batch norm reserves space of its own, which nothing here predicts yet.
        return Line(quantity, "bytes", None, None, "not measured", "predicted for the processor's kernels only")
    predicted = sum(map(sum, saved_for_backward(network, batch, itemsize)))
    plan = lower(network, logits=True)
    module = build_module(plan, device, dtype).train()
    inputs = _inputs(plan, batch, device, dtype)
    tensors = (*module.parameters(), *module.buffers(), *inputs)
    known = {tensor.untyped_storage()._cdata for tensor in tensors}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            kept[storage._cdata] = storage
        return tensor

    try:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            outputs = module(*inputs)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        why = "PyTorch trains no batch norm on a single value a map"
        return Line(quantity, "bytes", predicted, None, "not measured", why)
    measured = sum(storage.nbytes() for storage in kept.values())
    del outputs
    note = "saved_tensors_hooks, by storage; training"
    return _exact(quantity, "bytes", predicted, measured, f"{note}, up to the logits" if plan.logits else note)


# ---- receptive fields ------------------------------------------------------------------------------------------------


def _fields(network: Network, device: str) -> Line:
    quantity = "receptive fields"
    report = analyze(network, batch=1, dtype="float32")
    rows = _with_fields(network, report.layers)
    if device != "cpu":
        return Line(quantity, "layers", None, None, "not measured", "gradients need values: measured on the processor")
    if any(isinstance(node.op, GroupNorm | InstanceNorm) for node in network.layers):
        return Line(
            quantity,
            "layers",
            None,
            None,
            "not measured",
            "group and instance norms mix all positions by their statistics",
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
        why = "the first layers already cost too much" if rows else "no layer has one on a grid of whole pixels"
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
    whole = f"{count} of {len(rows)} layers"
    if len(near) < len(rows):
        whole += f", from the first {len(near)} as the others cost more than {FIELD_BUDGET / 1e9:g}G multiply-adds"
    note = f"support of a unit's gradient, {whole}; with max pools averaging, for a maximum has one gradient"
    verdict: Literal["exact", "FAILS"] = "FAILS" if failures else "exact"
    return Line(
        quantity, "layers", count, count - len({f.partition(" ")[0] for f in failures}), verdict, note, tuple(failures)
    )


def _agrees(
    stated: tuple[tuple[int, int], ...], support: tuple[tuple[int, int], ...], extents: tuple[int, ...]
) -> bool:
    """Whether a gradient reaches just what is stated.

    Where that ends at the border it may reach less: a layer in between had padding where the input has pixels.
    """
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

    Left aside are those that see everything, also through a gate (whose factors the analysis does not count as seen),
    those behind upsampling, where neighbours see unequally much, and those behind a join of branches that do not lie
    on top of each other, whose fields are hulls.
    """
    unlike = [False] * len(network.nodes)
    found = []
    for row in rows:
        fields = [field for _, field in row.receptive_fields]
        node = network.nodes[row.index]
        upsampling = any(axis.transposed for axis in node.op.window(*network.input_shapes(node)).axes)
        before = any(unlike[index] for index in node.inputs)
        unlike[row.index] = before or upsampling or any(field.whole for field in fields)
        if (
            fields
            and not unlike[row.index]
            and all(
                field.aligned
                and all(jump.denominator == 1 and jump >= 1 for jump in field.jump)
                and all(start.denominator == 1 for start in field.start)
                for field in fields
            )
        ):
            found.append(row)
    return found


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
    averaging = plan._replace(
        steps=tuple(_averaged(network, step)._replace(dead=()) for step in plan.steps[: last + 1]),
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


def _averaged(network: Network, step: Step) -> Step:
    """The step with an average over the same window where it takes a maximum."""
    if "MaxPool" not in step.call.target:
        return step._replace(in_place=False, call=_not_in_place(step.call))
    if "Adaptive" in step.call.target:
        return step._replace(call=step.call._replace(target=step.call.target.replace("Max", "Avg")))
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
        each._replace(kwargs=tuple((key, value) for key, value in each.kwargs if key != "value"))
        for each in step.before
    )
    return step._replace(before=before_calls, call=call)


def _not_in_place(call: TorchCall) -> TorchCall:
    return call._replace(kwargs=tuple((key, value) for key, value in call.kwargs if key != "inplace"))

"""What PyTorch holds in a training step: by hooks on the graph, and on a CPU by the profiler's trace of allocations."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from typing import Any
from weakref import WeakSet

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from convsize.analyses.memory.loss import losses_of
from convsize.analyses.selection.frozen import frozen_layers
from convsize.analyses.selection.logits import trailing_softmax
from convsize.graph.network import Network
from convsize.lowering.plan import lower
from convsize.record import Record
from convsize.records import TrainingSetting
from convsize.records.losses import LOSSES
from convsize.records.optimizers import OPTIMIZERS
from convsize.runtime.module import NetworkModule, build_module
from convsize.runtime.threads import computing_threads


def optimizer_of(name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """An optimizer by the name that a setting has for it, with what PyTorch takes where nothing else is said."""
    found = OPTIMIZERS[name]
    made: torch.optim.Optimizer = getattr(torch.optim, found.kind)(list(parameters), lr=1e-6, **found.arguments)
    return made


class Batch(Record):
    """A module with a batch of inputs and, in training, the losses and the targets of its outputs."""

    module: NetworkModule
    inputs: list[Tensor]
    losses: list[Callable[[Tensor, Tensor], Tensor]]
    targets: list[Tensor]
    autocast: AbstractContextManager[object]


class StepPeaks(Record):
    """The most bytes that lived in a step: at operator boundaries, and with what kernels hold for a moment."""

    boundaries: int
    raw: int


def batch_for(network: Network, setting: TrainingSetting, device: str | None = None) -> Batch:
    """The network as a setting has it: in training without a softmax at its end."""
    device = device or setting.device
    dtype = getattr(torch, setting.dtype)
    samples = setting.batch
    plan = lower(network, logits=not setting.inference, in_place=setting.in_place, checkpoint=tuple(setting.checkpoint))
    # Made in their type: fake tensors cannot be turned into another one.
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        module = build_module(plan, device).train(not setting.inference)
    finally:
        torch.set_default_dtype(usual)
    left_out = frozenset[int]() if setting.inference else trailing_softmax(network)
    module.freeze(network.nodes[index].name for index in frozen_layers(network, setting.frozen) - left_out)
    inputs = [
        torch.zeros((samples, *each.dims), dtype=torch.int64, device=device)
        if each.tokens
        else torch.rand((samples, *each.dims), dtype=dtype, device=device)
        for each in plan.inputs
    ]
    context: AbstractContextManager[object] = nullcontext()
    if setting.autocast is not None:
        context = torch.autocast(device, dtype=getattr(torch, setting.autocast))
    if setting.inference:
        return Batch(module, inputs, [], [], context)
    volumes = [each.dims for each in plan.inputs] + [each.output for each in plan.steps]
    losses = {name: LOSSES[loss] for name, loss in losses_of(network, setting.losses).items()}
    targets = [
        torch.zeros((samples, *volumes[value][1:]), dtype=torch.int64, device=device)
        if losses[name].labels
        else torch.rand((samples, *volumes[value]), dtype=dtype, device=device)
        for name, value in plan.outputs
    ]
    return Batch(module, inputs, [getattr(F, losses[name].function) for name, _ in plan.outputs], targets, context)


def loss_of(batch: Batch, see: Callable[[str, Tensor], None] | None = None) -> tuple[object, Tensor]:
    """The outputs, which the caller of a training step holds, and the sum of their losses.

    `see` is shown every layer's output by name.
    """
    with batch.autocast:
        outputs = batch.module.run(tuple(batch.inputs), see=see)
        each = list(outputs.values()) if isinstance(outputs, dict) else [outputs]
        losses = [loss(o, t) for loss, o, t in zip(batch.losses, each, batch.targets, strict=True)]
        return outputs, reduce(torch.add, losses)


class _Kept:
    """A tensor that a node of the graph keeps, gone with the node."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor.detach()


def saved_by_torch(batch: Batch) -> int:
    """The bytes of the storages that the graph holds after forward and loss, those that exist anyway left out."""
    kept: WeakSet[_Kept] = WeakSet()

    def pack(tensor: Tensor) -> _Kept:
        found = _Kept(tensor)
        kept.add(found)
        return found

    # With more threads other kernels may run, which lay their results out otherwise.
    with computing_threads(1), torch.autograd.graph.saved_tensors_hooks(pack, lambda found: found.tensor):
        held = loss_of(batch)
    known = [*batch.module.state_dict(keep_vars=True).values(), *batch.inputs, *batch.targets]
    anyway = {tensor.untyped_storage()._cdata for tensor in known}
    # Nodes that no loss waits for are gone: they lead to outputs that nothing reads, or to a checkpoint of nothing.
    storages = {storage._cdata: storage.nbytes() for each in kept for storage in [each.tensor.untyped_storage()]}
    del held
    return sum(size for place, size in storages.items() if place not in anyway)


def step(batch: Batch, update: torch.optim.Optimizer, turns: int = 1) -> None:
    """A training step, which sums the gradients of `turns` batches."""
    update.zero_grad(set_to_none=True)
    for turn in range(turns):
        outputs, loss = loss_of(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        if turn < turns - 1:
            del outputs, loss
    update.step()


def peaks_by_torch(batch: Batch, name: str, turns: int = 1) -> list[StepPeaks]:
    """The peaks of the first training step and of a later one, on a CPU."""
    update = optimizer_of(name, batch.module.parameters())
    return [peak_of(batch, update, lambda: step(batch, update, turns)) for _ in range(2)]


def peak_of(batch: Batch, update: torch.optim.Optimizer | None, work: Callable[[], object]) -> StepPeaks:
    """The peak of any work on a batch, on a CPU; update: the optimizer whose state lives with it."""
    # PyTorch's profiler says on standard error when it starts and stops, below the sixth level.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    before = held(batch, update)
    # With more threads kernels have more buffers.
    tracing = profile(activities=[ProfilerActivity.CPU], profile_memory=True, record_shapes=False)
    with computing_threads(1), tracing as trace:
        work()
    profiler = trace.profiler
    assert profiler is not None
    assert profiler.kineto_results is not None
    allocations = _allocations(profiler.kineto_results.experimental_event_tree())
    return StepPeaks(before + _highest(_lasting(allocations)), before + _highest(each.size for each in allocations))


def held(batch: Batch, update: torch.optim.Optimizer | None) -> int:
    """The bytes that live between two steps: the model, its gradients and optimizer state, inputs and targets."""
    tensors = [*batch.module.state_dict(keep_vars=True).values(), *batch.inputs, *batch.targets]
    tensors += [parameter.grad for parameter in batch.module.parameters() if parameter.grad is not None]
    states = update.state.values() if update is not None else ()
    tensors += [value for state in states for value in state.values() if isinstance(value, Tensor)]
    storages = {tensor.untyped_storage()._cdata: tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


CASTING = frozenset(
    f"aten::{name}"
    for name in (
        *("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "linear", "prelu"),
        *("max_pool3d", "avg_pool3d", "adaptive_avg_pool3d", "adaptive_max_pool3d", "cross_entropy_loss"),
        *("mse_loss", "smooth_l1_loss", "cat", "scaled_dot_product_attention", "matmul"),
    )
)
"""What autocast casts the operands of; the casts are operators of their own that run as a part of these."""


class _Allocation(Record):
    """A block taken (size above 0) or given back, and the outermost operator that it happened in."""

    time: int
    block: int
    size: int
    operator: int | None


def _allocations(events: Sequence[Any]) -> list[_Allocation]:
    found: list[_Allocation] = []

    def walk(event: Any, operator: int | None) -> None:
        if event.tag.name == "Allocation":
            fields = event.extra_fields
            found.append(_Allocation(event.start_time_ns, fields.ptr, fields.alloc_size, operator))
        elif event.name.startswith("aten::") and (operator is None or _is_cast(event, operator)):
            operator = event.id
        for child in event.children:
            walk(child, operator)

    for event in events:
        walk(event, None)
    return sorted(found, key=lambda each: each.time)


def _is_cast(event: Any, operator: int) -> bool:
    """Whether autocast casts an operand of the outermost operator: an operator of its own, though within that one."""
    return event.name == "aten::to" and event.parent.id == operator and event.parent.name in CASTING


def _lasting(allocations: Sequence[_Allocation]) -> Iterator[int]:
    """The sizes without blocks that one operator takes and gives back."""
    taken: dict[int, int] = {}
    momentary: set[int] = set()
    for place, each in enumerate(allocations):
        if each.size > 0:
            taken[each.block] = place
        else:
            start = taken.pop(each.block, None)
            if start is not None and each.operator is not None and allocations[start].operator == each.operator:
                momentary |= {start, place}
    return (each.size for place, each in enumerate(allocations) if place not in momentary)


def _highest(sizes: Iterable[int]) -> int:
    live = highest = 0
    for size in sizes:
        live += size
        highest = max(highest, live)
    return highest

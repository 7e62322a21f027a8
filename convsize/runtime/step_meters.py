"""What PyTorch holds in a training step: by hooks on the graph, and on a CPU by the profiler's trace of allocations."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.profiler import ProfilerActivity, profile

from convsize.graph.network import Network
from convsize.lowering.plan import lower
from convsize.runtime.module import build_module

OPTIMIZERS: dict[str, Callable[[list[nn.Parameter]], torch.optim.Optimizer]] = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=1e-6),
    "sgd-l2": lambda parameters: torch.optim.SGD(parameters, lr=1e-6, weight_decay=1e-4),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=1e-6, momentum=0.9),
    "momentum-l2": lambda parameters: torch.optim.SGD(parameters, lr=1e-6, momentum=0.9, weight_decay=1e-4),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=1e-6),
    "adam-l2": lambda parameters: torch.optim.Adam(parameters, lr=1e-6, weight_decay=1e-4),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=1e-6),
}
"""Those of analyses.training_optimizer, as PyTorch makes them where nothing else is said."""


class Batch(NamedTuple):
    """A module with a batch of inputs and targets for it."""

    module: nn.Module
    inputs: list[Tensor]
    targets: list[Tensor]


class StepPeaks(NamedTuple):
    """The most bytes that lived in a step: at operator boundaries, and with what kernels hold for a moment."""

    boundaries: int
    raw: int


def batch_of(network: Network, samples: int, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Batch:
    """The network as it is trained: without a softmax at its end, a class for every position as the target."""
    plan = lower(network, logits=True)
    # Made in their type: fake tensors cannot be turned into another one.
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        module = build_module(plan, device).train()
    finally:
        torch.set_default_dtype(usual)
    inputs = [
        torch.zeros((samples, *each.dims), dtype=torch.int64, device=device)
        if each.tokens
        else torch.rand((samples, *each.dims), dtype=dtype, device=device)
        for each in plan.inputs
    ]
    volumes = [each.dims for each in plan.inputs] + [each.output for each in plan.steps]
    targets = [
        torch.zeros((samples, *volumes[value][1:]), dtype=torch.int64, device=device) for _, value in plan.outputs
    ]
    return Batch(module, inputs, targets)


def loss_of(batch: Batch) -> tuple[object, Tensor]:
    """The outputs, which the caller of a training step holds, and the sum of their cross entropies."""
    outputs = batch.module(*batch.inputs)
    each = list(outputs.values()) if isinstance(outputs, dict) else [outputs]
    return outputs, reduce(torch.add, [cross_entropy(o, t) for o, t in zip(each, batch.targets, strict=True)])


def saved_by_torch(batch: Batch) -> int:
    """The bytes of the storages that the graph holds after forward and loss, those that exist anyway left out."""
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        held = loss_of(batch)
    known = [*batch.module.state_dict(keep_vars=True).values(), *batch.inputs, *batch.targets]
    anyway = {tensor.untyped_storage()._cdata for tensor in known}
    del held
    return sum(storage.nbytes() for place, storage in kept.items() if place not in anyway)


def step(batch: Batch, update: torch.optim.Optimizer, turns: int = 1) -> None:
    """A training step, which sums the gradients of `turns` batches."""
    update.zero_grad(set_to_none=True)
    for turn in range(turns):
        outputs, loss = loss_of(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        if turn < turns - 1:
            del outputs, loss
    update.step()


def peaks_by_torch(batch: Batch, optimizer: str, turns: int = 1) -> list[StepPeaks]:
    """The peaks of the first training step and of a later one, on a CPU."""
    # PyTorch's profiler says on standard error when it starts and stops, below the sixth level.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    update = OPTIMIZERS[optimizer](list(batch.module.parameters()))
    found = []
    for _ in range(2):
        before = held(batch, update)
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True, record_shapes=False) as trace:
            step(batch, update, turns)
        profiler = trace.profiler
        assert profiler is not None
        assert profiler.kineto_results is not None
        allocations = _allocations(profiler.kineto_results.experimental_event_tree())
        found.append(
            StepPeaks(before + _highest(_lasting(allocations)), before + _highest(each.size for each in allocations))
        )
    return found


def held(batch: Batch, update: torch.optim.Optimizer) -> int:
    """The bytes that live between two steps: the model, its gradients and optimizer state, inputs and targets."""
    tensors = [*batch.module.state_dict(keep_vars=True).values(), *batch.inputs, *batch.targets]
    tensors += [parameter.grad for parameter in batch.module.parameters() if parameter.grad is not None]
    tensors += [value for state in update.state.values() for value in state.values() if isinstance(value, Tensor)]
    storages = {tensor.untyped_storage()._cdata: tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


class _Allocation(NamedTuple):
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
        elif operator is None and event.name.startswith("aten::"):
            operator = event.id
        for child in event.children:
            walk(child, operator)

    for event in events:
        walk(event, None)
    return sorted(found, key=lambda each: each.time)


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

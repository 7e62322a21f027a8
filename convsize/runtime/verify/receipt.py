"""Receipts: what the analyses predict of a network, and what PyTorch then does."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from convsize.analyses.memory.kernel_choice import require_kernels
from convsize.analyses.memory.step import smallest_batch
from convsize.analyses.report import analyze
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.lowering.plan import Plan, lower
from convsize.records import ITEM_SIZES, Line, Receipt, TrainingSetting
from convsize.records.device import Device
from convsize.runtime.meters.free_memory import free_bytes, out_of_memory
from convsize.runtime.module import build_module
from convsize.runtime.verify.cuda import peaks_on_cuda, saved_on_cuda
from convsize.runtime.verify.fields import fields
from convsize.runtime.verify.memory import fatal, saved, step_peaks
from convsize.runtime.verify.source import source
from convsize.runtime.verify.time import times
from convsize.runtime.verify.volumes import tensors, volumes
from convsize.runtime.verify.work import work
from convsize.words import size

_TOKENS = 50
"""Tokens are drawn below this, or below the vocabulary where it is smaller."""


def verify(
    network: Network,
    *,
    device: Literal["cpu", "cuda", "meta"] = "cpu",
    batches: tuple[int, ...] = (1, 3),
    dtype: str = "float32",
    optimizer: str = "momentum",
    autocast: str | None = None,
    against: Device | None = None,
) -> Receipt:
    """Builds the module of a network and holds every prediction against it.

    What training saves and its peaks are measured under autocast where a type is given. On "meta" PyTorch works out
    shapes and calls without values: what needs numbers is not measured there. Times are measured where `against` is a
    device whose figures predict them.

    Raises UsageError where the device is not there, where PyTorch computes no such batch or has no kernel for a layer
    in this type, or where the memory to compute one is not there.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("PyTorch finds no CUDA device: leave --device out to use the CPU")
    if device == "meta" and autocast is not None:
        raise UsageError("PyTorch has no autocast on meta: leave --autocast out, or use --device cpu")
    if device == "cpu":
        require_kernels(network, dtype)
    if batches[-1] < (smallest := smallest_batch(network, inference=True)):
        raise UsageError(
            f"{network.name}: PyTorch computes no group norm on a single value per map: use a --batch of {smallest}"
        )
    plan = lower(network)
    setting = TrainingSetting(
        max(batches), optimizer, dtype, device="cuda" if device == "cuda" else "cpu", autocast=autocast
    )
    needed = _needed(network, setting)
    if device != "meta" and needed > (free := free_bytes(device)):
        raise UsageError(_too_large(network, setting, needed, f"{size(free)} are free"))
    try:
        lines = tuple(_lines(network, plan, device, batches, setting, against))
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise UsageError(_too_large(network, setting, needed, f"{device} ran out of memory")) from None
    report = analyze(network, batch=1, dtype="float32")
    return Receipt(
        name=network.name,
        spec=network.source.name,
        graph=report.graph,
        device=f"cuda ({torch.cuda.get_device_name()})" if device == "cuda" else device,
        dtype=dtype,
        optimizer=optimizer,
        batches=batches,
        versions=(("torch", torch.__version__), ("python", platform.python_version())),
        lines=lines,
        autocast=autocast,
    )


def _lines(
    network: Network,
    plan: Plan,
    device: str,
    batches: tuple[int, ...],
    setting: TrainingSetting,
    against: Device | None,
) -> Iterator[Line]:
    batch = batches[-1]
    dtype: torch.dtype = getattr(torch, setting.dtype)
    with torch.random.fork_rng(devices=["cuda"] if device == "cuda" else []):
        torch.manual_seed(0)
        module = build_module(plan, device, dtype).eval()
        inputs = _inputs(plan, batch, device, dtype)
        yield volumes(network, module, inputs, batch)
        yield tensors(network, module)
        ended = fatal(network, setting.replace(batch=batch)) if device == "cpu" else ""
        yield from work(network, module, inputs, batch, ended)
        yield source(plan, module, inputs, device, dtype)
        del module, inputs
        for each in batches:
            one = setting.replace(batch=each)
            yield saved_on_cuda(network, one) if device == "cuda" else saved(network, one, device)
        one = setting.replace(batch=batch)
        yield from peaks_on_cuda(network, one) if device == "cuda" else step_peaks(network, one, device)
        yield fields(network, device)
        if against is not None:
            yield from times(network, one, device, against)


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


def _needed(network: Network, setting: TrainingSetting) -> int:
    """Bytes that computing a batch takes at least: two modules' weights with gradients, and the largest output twice.

    What training takes is predicted line by line.
    """
    itemsize = ITEM_SIZES[setting.dtype]
    weights = sum(each.elements for node in network.layers for each in network.own_parameters(node))
    largest = max((node.output.elements for node in network.layers), default=0)
    return (4 * weights + 2 * largest * setting.batch) * itemsize


def _too_large(network: Network, setting: TrainingSetting, needed: int, why: str) -> str:
    return (
        f"{network.name}: computing a batch of {setting.batch} takes {size(needed)} or more, and {why}: use a "
        "smaller --batch, or use --device meta for shapes and calls only"
    )

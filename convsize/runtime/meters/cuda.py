"""What the allocator of a GPU says of training steps, and what cuDNN reserves in batch norms."""

from __future__ import annotations

import gc
from collections.abc import Callable

import torch
from torch import nn

from convsize.analyses.selection.logits import trailing_softmax
from convsize.graph.network import Network
from convsize.record import Record
from convsize.records import TrainingSetting
from convsize.runtime.calls import build
from convsize.runtime.meters.step import Batch, optimizer_of, step


class AllocatorPeaks(Record):
    """Bytes at their peak in a step: asked for, handed out (rounded up), and taken from the device."""

    requested: int
    allocated: int
    reserved: int


def allocator_peaks(make: Callable[[], Batch], optimizer: str) -> list[AllocatorPeaks]:
    """The peaks of the first training step and of a later one on a GPU, above what lived before `make` was called."""
    gc.collect()
    torch._C._cuda_clearCublasWorkspaces()
    torch.cuda.empty_cache()
    before = _statistics("current")
    batch = make()
    update = optimizer_of(optimizer, batch.module.parameters())
    found = []
    for _ in range(2):
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        step(batch, update)
        torch.cuda.synchronize()
        risen = zip(_statistics("peak").values(), before.values(), strict=True)
        found.append(AllocatorPeaks(*(now - then for now, then in risen)))
    return found


def _statistics(which: str) -> AllocatorPeaks:
    known = torch.cuda.memory_stats()
    return AllocatorPeaks(
        known[f"requested_bytes.all.{which}"],
        known[f"allocated_bytes.all.{which}"],
        known[f"reserved_bytes.all.{which}"],
    )


def reserved_by_norms(network: Network, setting: TrainingSetting, device: str = "cuda") -> int:
    """The bytes that cuDNN keeps for itself from the forward to the backward pass of all batch and instance norms."""
    dtype = getattr(torch, setting.autocast or setting.dtype)
    total = 0
    for node in network.layers:
        if node.index in trailing_softmax(network):
            continue
        shapes = network.input_shapes(node)
        layer = build(node.op.torch(*shapes))
        if not isinstance(layer, nn.modules.batchnorm._NormBase):
            continue
        batch, depth, *extents = (setting.batch, *shapes[0].dims)
        if isinstance(layer, nn.modules.instancenorm._InstanceNorm):
            # All samples' maps in one.
            batch, depth = 1, batch * depth
        total += _reserve((batch, depth, *extents), layer, dtype, device)
    return total


def _reserve(shape: tuple[int, ...], norm: nn.modules.batchnorm._NormBase, dtype: torch.dtype, device: str) -> int:
    source = torch.empty(shape, dtype=dtype, device=device)
    values = torch.ones(shape[1], dtype=torch.float32 if dtype.itemsize == 2 else dtype, device=device)
    gain = values if norm.affine else None
    backend = torch._C._select_batch_norm_backend(source, gain, gain, values, values, True, norm.eps)
    if backend != torch._C._BatchNormBackend.Cudnn:  # type: ignore[attr-defined]
        return 0
    found: int = torch._C._get_cudnn_batch_norm_reserve_space_size(source, True)  # type: ignore[attr-defined]
    return found

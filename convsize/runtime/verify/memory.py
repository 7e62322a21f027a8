"""Receipts: what autograd saves for backward, and the peaks of a training step on a CPU."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from convsize.analyses.memory.cpu_kernels import allocator_peak
from convsize.analyses.memory.peak import fatal_layers, saved_bytes, training_memory
from convsize.analyses.memory.step import smallest_batch
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.records import Line, TrainingSetting
from convsize.runtime.meters.free_memory import free_bytes, out_of_memory
from convsize.runtime.meters.step import batch_for, peaks_by_torch, saved_by_torch
from convsize.runtime.verify.lines import exact, within
from convsize.runtime.verify.work import NO_FUSED, fuses
from convsize.words import listed, size

ALLOCATOR_TOLERANCE = 0.015
"""The share by which what kernels hold for a moment may be off."""

SCRATCH = 128 * 2**10
"""Bytes by which it may be off at least: kernels have small buffers of their own, which tiny networks would notice."""


def saved(network: Network, setting: TrainingSetting, device: str) -> Line:
    """The bytes of the graph after forward and loss, at the setting's batch, on "cpu" or "meta"."""
    quantity = f"saved for backward, batch {setting.batch}"
    why = unsaved(network, setting)
    if why:
        return Line(quantity, "bytes", None, None, "not measured", why)
    predicted = saved_bytes(network, setting)
    if device == "meta" and fuses(network):
        return Line(quantity, "bytes", predicted, None, "not measured", NO_FUSED)
    try:
        measured = saved_by_torch(batch_for(network, setting, device))
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        return Line(quantity, "bytes", predicted, None, "not measured", "out of memory")
    return exact(quantity, "bytes", predicted, measured, "saved_tensors_hooks, by storage; training, with the loss")


def step_peaks(network: Network, setting: TrainingSetting, device: str) -> Iterator[Line]:
    """The peaks of the first step and of a later one, and what the allocator saw, at the setting's batch."""
    names = [
        f"{which}, batch {setting.batch}" for which in ("first step's peak", "later steps' peak", "allocator peak")
    ]
    why = untrainable(network, setting)
    if why:
        yield from (Line(name, "bytes", None, None, "not measured", why) for name in names)
        return
    memory = training_memory(network, setting)
    highest = allocator_peak(network, memory)
    predicted = [memory.first.bytes, memory.steady.bytes, highest]
    if device != "cpu":
        why = "allocations need values: traced on the CPU"
    elif memory.peak.bytes > (free := free_bytes()):
        why = f"out of memory: {size(free)} are free"
    else:
        try:
            peaks = peaks_by_torch(batch_for(network, setting), setting.optimizer)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            why = "out of memory"
    if why:
        yield from (
            Line(name, "bytes", figure, None, "not measured", why)
            for name, figure in zip(names, predicted, strict=True)
        )
        return
    note = "the profiler's trace of allocations, at operator boundaries"
    yield exact(names[0], "bytes", memory.first.bytes, peaks[0].boundaries, note)
    yield exact(names[1], "bytes", memory.steady.bytes, peaks[1].boundaries, note)
    capability = torch.backends.cpu.get_cpu_capability()
    if highest is None:
        why = (
            "temporary buffers of kernels are known in float32 only, and not those of attention or of standardised "
            "weights"
        )
        yield Line(names[2], "bytes", None, None, "not measured", why)
    elif capability != "AVX2":
        why = f"temporary buffers of kernels are known with AVX2, but these kernels run with {capability}"
        yield Line(names[2], "bytes", None, None, "not measured", why)
    else:
        note = (
            f"the same trace with temporary buffers of kernels; to {ALLOCATOR_TOLERANCE:.1%}, or the "
            f"{SCRATCH / 2**10:.0f} KiB of their scratch"
        )
        measured = max(peak.raw for peak in peaks)
        yield within(names[2], "bytes", highest, measured, ALLOCATOR_TOLERANCE, note, least=SCRATCH)


def untrainable(network: Network, setting: TrainingSetting) -> str:
    """Why no training step can be made, or nothing."""
    return unsaved(network, setting) or fatal(network, setting)


def fatal(network: Network, setting: TrainingSetting) -> str:
    """Why PyTorch would not survive a backward pass, or nothing."""
    try:
        layers = fatal_layers(network, setting)
    except UsageError:
        return ""
    return f"PyTorch ends the process in the backward pass of {listed(layers)}" if layers else ""


def unsaved(network: Network, setting: TrainingSetting) -> str:
    """Why nothing is saved for a backward pass, or nothing."""
    if setting.batch < smallest_batch(network, setting.frozen):
        return "PyTorch does not train a norm on a single value per map"
    if not any(each.role != "buffer" for node in network.layers for each in network.parameters(node)):
        return "nothing trains"
    try:
        saved_bytes(network, setting)
    except UsageError as error:
        return str(error)
    return ""

"""Receipts: what autograd saves for backward, and the allocator's peaks of a training step, on a GPU."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from convsize.analyses.memory.device import CUBLAS_WORKSPACE
from convsize.analyses.memory.peak import saved_bytes, training_memory
from convsize.analyses.memory.workspaces import convolution_calls, cublas_count, workspace_bytes
from convsize.graph.network import Network
from convsize.records import Line, TrainingSetting
from convsize.runtime.meters.cuda import allocator_peaks, reserved_by_norms
from convsize.runtime.meters.free_memory import out_of_memory
from convsize.runtime.meters.step import batch_for, saved_by_torch
from convsize.runtime.meters.workspaces import measure_cublas, measure_workspaces
from convsize.runtime.verify.lines import exact, within
from convsize.runtime.verify.memory import untrainable

UNCALIBRATED = 0.10
"""The share by which a peak may be off where workspaces of cuDNN are left out."""

CALIBRATED = 0.03
"""The share by which it may be off with the workspaces that each convolution takes when it is measured alone."""

ALLOCATED, RESERVED = 0.05, 0.15
"""The same for what the allocator hands out and for what it takes from the device: rules that no GPU has confirmed."""

HOPPER_CUBLAS = 32 * 2**20
"""Bytes of a workspace of cuBLAS on GPUs of compute capability 9, as PyTorch asks for them."""


def saved_on_cuda(network: Network, setting: TrainingSetting) -> Line:
    """The bytes of the graph after forward and loss, at the setting's batch."""
    quantity = f"saved for backward, batch {setting.batch}"
    why = untrainable(network, setting)
    if why:
        return Line(quantity, "bytes", None, None, "not measured", why)
    reserve = reserved_by_norms(network, setting)
    predicted = saved_bytes(network, setting) + reserve
    try:
        measured = saved_by_torch(batch_for(network, setting))
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        return Line(quantity, "bytes", predicted, None, "not measured", "out of memory")
    note = "saved_tensors_hooks, by storage; training, with the loss"
    if reserve:
        note += f"; {reserve:,} of them are what cuDNN says that it reserves in norms"
    return exact(quantity, "bytes", predicted, measured, note)


def peaks_on_cuda(network: Network, setting: TrainingSetting) -> Iterator[Line]:
    """What the allocator is asked for, hands out and reserves in training steps at the setting's batch."""
    kinds = (
        "first step's requested peak",
        "later steps' requested peak",
        "the same, workspaces measured",
        "max_memory_allocated",
        "max_memory_reserved",
    )
    names = [f"{kind}, batch {setting.batch}" for kind in kinds]
    why = untrainable(network, setting)
    if why:
        yield from (Line(name, "bytes", None, None, "not measured", why) for name in names)
        return
    memory = training_memory(network, setting)
    usual = HOPPER_CUBLAS if torch.cuda.get_device_capability()[0] == 9 else CUBLAS_WORKSPACE
    count = cublas_count(network, inference=False)
    norms = reserved_by_norms(network, setting)
    first_step, later_steps = (peak.bytes + norms + count * usual for peak in (memory.first, memory.steady))
    try:
        first, later = allocator_peaks(lambda: batch_for(network, setting), setting.optimizer)
        calls = convolution_calls(network, setting.batch).values()
        workspaces = measure_workspaces(calls, setting.autocast or setting.dtype)
        cublas = measure_cublas()
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        figures = (first_step, later_steps, None, None, None)
        yield from (
            Line(name, "bytes", figure, None, "not measured", "out of memory")
            for name, figure in zip(names, figures, strict=True)
        )
        return
    space = workspace_bytes(network, setting, memory.steady, workspaces)
    assert space is not None
    whole = memory.steady.bytes + norms + count * cublas + space
    shares = {each.name: each.bytes or 0 for each in memory.device}
    note = "requested_bytes.all.peak; tensors and cuBLAS, without workspaces of cuDNN"
    yield within(names[0], "bytes", first_step, first.requested, UNCALIBRATED, note)
    yield within(names[1], "bytes", later_steps, later.requested, UNCALIBRATED, note)
    note = "requested_bytes.all.peak of later steps; with the workspace that each convolution takes alone"
    yield within(names[2], "bytes", whole, later.requested, CALIBRATED, note)
    allocated = whole + shares["rounding"]
    note = "in later steps; as requested, and how the allocator rounds blocks up by its rules"
    yield within(names[3], "bytes", allocated, later.allocated, ALLOCATED, note)
    note = "in later steps; as allocated, and what its segments hold besides by its rules"
    yield within(names[4], "bytes", allocated + shares["segments"], later.reserved, RESERVED, note)

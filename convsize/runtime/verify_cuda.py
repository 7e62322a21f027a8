"""Receipts: what autograd saves for backward, and the allocator's peaks of a training step, on a GPU."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from convsize.analyses.training_memory import saved_bytes, training_memory
from convsize.analyses.workspaces import convolution_calls, cublas_bytes, requested_peak
from convsize.graph.network import Network
from convsize.records import Line, TrainingSetting
from convsize.runtime.cuda_meters import allocator_peaks, reserved_by_norms
from convsize.runtime.free_memory import out_of_memory
from convsize.runtime.step_meters import batch_for, saved_by_torch
from convsize.runtime.verify_lines import exact, within
from convsize.runtime.verify_memory import untrainable
from convsize.runtime.workspaces import measure_cublas, measure_workspaces

UNCALIBRATED = 0.10
"""The share by which a peak may be off where workspaces of cuDNN are left out."""

CALIBRATED = 0.03
"""The share by which it may be off with the workspaces that each convolution takes when it is measured alone."""

ALLOCATED = 0.05
"""The same for what the allocator hands out: blocks are rounded up, and parts of large ones are left over."""

HOPPER_CUBLAS, CUBLAS = 32 * 2**20, 8_519_680
"""Bytes of a workspace of cuBLAS on GPUs of compute capability 9, and elsewhere: as PyTorch asks for them."""


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
    usual = HOPPER_CUBLAS if torch.cuda.get_device_capability()[0] == 9 else CUBLAS
    norms = reserved_by_norms(network, setting)
    products = cublas_bytes(network, usual)
    predicted = [memory.first.bytes + norms + products, memory.steady.bytes + norms + products]
    try:
        first, later = allocator_peaks(lambda: batch_for(network, setting), setting.optimizer)
        calls = convolution_calls(network, setting.batch).values()
        workspaces = measure_workspaces(calls, setting.autocast or setting.dtype)
        whole = requested_peak(network, memory, workspaces, measure_cublas()) + norms
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        figures = (*predicted, None, None, None)
        yield from (
            Line(name, "bytes", figure, None, "not measured", "out of memory")
            for name, figure in zip(names, figures, strict=True)
        )
        return
    note = "requested_bytes.all.peak; tensors and cuBLAS, without workspaces of cuDNN"
    yield within(names[0], "bytes", predicted[0], first.requested, UNCALIBRATED, note)
    yield within(names[1], "bytes", predicted[1], later.requested, UNCALIBRATED, note)
    note = "requested_bytes.all.peak of later steps; with the workspace that each convolution takes alone"
    yield within(names[2], "bytes", whole, later.requested, CALIBRATED, note)
    note = "in later steps; the requested peak, of which the allocator rounds every block up"
    yield within(names[3], "bytes", whole, later.allocated, ALLOCATED, note)
    note = "in later steps; not predicted, for it depends on what was allocated before"
    yield Line(names[4], "bytes", None, later.reserved, "not measured", note)

"""What a GPU holds beyond the tensors of a step, by rounding, segments, workspaces and context, and how it is known."""

from __future__ import annotations

from typing import Literal

from convsize.analyses.memory.cuda_allocator import CachingAllocator
from convsize.analyses.memory.workspaces import cublas_count, workspace_bytes
from convsize.graph.network import Network
from convsize.records import Capacity, DeviceShare, TrainingPeak, TrainingSetting
from convsize.records.device import Device
from convsize.words import plural

CUBLAS_WORKSPACE = 8_519_680
"""Bytes of a workspace of cuBLAS, but on Hopper."""

CONTEXT, WORKSPACES = 2**29, 2**29
"""Bytes that are kept free for CUDA's context, and for workspaces of cuDNN, where a device file does not know them.

A context takes 0.3 to 0.6 GiB on the GPUs of the bundled data sheets; cuDNN's workspaces range from nothing to several
hundred MiB, by the algorithm that it chooses when it runs.
"""


def unpredicted(kind: Literal["cpu", "cuda"], device: Device | None) -> int:
    """Bytes to keep free on a device of that kind, "cpu" or "cuda", for what is not predicted of it."""
    if kind != "cuda":
        return 0
    context = CONTEXT if device is None or device.context is None else 0
    return context + (WORKSPACES if device is None or device.workspaces is None else 0)


def capacity(
    kind: Literal["cpu", "cuda"], device: Device | None, memory: int | None = None, reserve: int | None = None
) -> Capacity | None:
    """The memory that a network is to fit into, in bytes: `memory`, or the device's; None where neither is known.

    Of it stays free the reserve or, where none is given, what a GPU holds that is not predicted.
    """
    there = memory if memory is not None else None if device is None else device.memory
    if there is None:
        return None
    kept = unpredicted(kind, device) if reserve is None else reserve
    return Capacity(there, kept, device.title if device is not None and memory is None else None)


def device_shares(
    network: Network, setting: TrainingSetting, allocator: CachingAllocator, peak: TrainingPeak, device: Device | None
) -> tuple[DeviceShare, ...]:
    """What a GPU holds beyond the tensors of a step with that peak, which `allocator` has watched.

    device: what is known of the GPU, None where it is any.
    """
    targets = {call.target for node in network.layers for call in node.op.torch(*network.input_shapes(node))}
    products = cublas_count(network, inference=setting.inference)
    one = CUBLAS_WORKSPACE
    if device is not None and device.cublas_workspace is not None:
        one = device.cublas_workspace
    calibrated = device is not None and device.calibrated
    shares = [
        DeviceShare("rounding", allocator.most_allocated - peak.bytes, "assumed", "blocks of 512 bytes"),
        DeviceShare("segments", allocator.most_reserved - allocator.most_allocated, "assumed", "held by the allocator"),
        DeviceShare(
            "cublas workspaces",
            products * one,
            "calibrated" if calibrated else "assumed",
            f"{products} of {plural(one, 'byte')}",
        ),
    ]
    if any(target.startswith("nn.Conv") for target in targets):
        measured = None
        if device is not None and device.workspaces is not None:
            measured = workspace_bytes(network, setting, peak, dict(device.workspaces))
        if measured is None:
            shares.append(DeviceShare("cudnn workspaces", None, "not included", "cuDNN chooses them when it runs"))
        else:
            note = "at the peak, of convolutions measured one by one"
            shares.append(DeviceShare("cudnn workspaces", measured, "calibrated", note))
    if any(target.startswith("nn.BatchNorm") for target in targets) and not setting.inference:
        shares.append(DeviceShare("cudnn batch norm reserve", None, "not included", "cuDNN alone knows it"))
    context = None if device is None else device.context
    note = "the driver's and the modules', seen by nvidia-smi"
    shares.append(DeviceShare("context", context, "not included" if context is None else "calibrated", note))
    return tuple(shares)

"""Workspaces: what cuDNN takes for a moment in every convolution, by calls that can be measured one by one.

The space is that of the plan which cuDNN chooses, so nothing but a measurement on the device tells it: here stand the
calls to measure, and what a step of training takes with the answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.ops.base import TorchCall
from convsize.records import TrainingMemory, TrainingPeak

Direction = Literal["forward", "backward"]


class ConvolutionCall(NamedTuple):
    """A convolution as it is called: its arguments, the shape that enters it, and whether that needs a gradient."""

    call: TorchCall
    shape: tuple[int, ...]
    needs: bool

    def key(self, dtype: str, direction: Direction) -> str:
        """What tells it apart: `nn.Conv2d(in_channels=3, …) of 8x3x224x224, float32, forward`."""
        arguments = ", ".join(f"{name}={value}" for name, value in self.call.kwargs)
        shape = "x".join(map(str, self.shape))
        which = "backward" if direction == "backward" and self.needs else "backward of the weight"
        return f"{self.call.target}({arguments}) of {shape}, {dtype}, {which if direction == 'backward' else direction}"


def convolution_calls(network: Network, batch: int) -> dict[str, ConvolutionCall]:
    """Every convolution of a network by the name of its layer."""
    flows = [False] * len(network.nodes)
    found = {}
    for node in network.layers:
        needs = any(flows[index] for index in node.inputs)
        flows[node.index] = needs or any(each.role != "buffer" for each in network.parameters(node))
        shapes = network.input_shapes(node)
        dims = list(shapes[0].dims)
        for call in node.op.torch(*shapes):
            if call.target == "F.pad":
                amounts = dict(call.kwargs)["pad"]
                assert isinstance(amounts, tuple)
                for axis in range(len(amounts) // 2):
                    dims[-1 - axis] += amounts[2 * axis] + amounts[2 * axis + 1]
            elif call.target.startswith("nn.Conv"):
                found[node.name] = ConvolutionCall(call, (batch, *dims), needs)
                break
    return found


def requested_peak(network: Network, memory: TrainingMemory, workspaces: Mapping[str, int], cublas: int) -> int:
    """The most bytes that a later step of training asks a GPU's allocator for, with workspaces of cuDNN by key.

    cublas: bytes of one workspace of cuBLAS. The forward and the backward pass have one each, which stay.

    Raises UsageError where a convolution has not been measured.
    """
    calls = convolution_calls(network, memory.setting.batch)
    dtype = memory.setting.autocast or memory.setting.dtype
    return cublas_bytes(network, cublas) + _highest(memory.steady, calls, workspaces, dtype)


def cublas_bytes(network: Network, cublas: int) -> int:
    """The workspaces of cuBLAS in a step: one forward and one backward where there is a matrix product."""
    products = any(
        call.target == "nn.Linear" for node in network.layers for call in node.op.torch(*network.input_shapes(node))
    )
    return 2 * cublas if products else 0


def _highest(
    peak: TrainingPeak, calls: Mapping[str, ConvolutionCall], workspaces: Mapping[str, int], dtype: str
) -> int:
    highest = peak.bytes
    for each in peak.timeline:
        call = calls.get(each.layer or "")
        if call is not None:
            key = call.key(dtype, "forward" if each.moment == "forward" else "backward")
            if key not in workspaces:
                raise UsageError(f"the workspace of {each.layer} has not been measured: {key}")
            highest = max(highest, each.highest + workspaces[key])
    return highest

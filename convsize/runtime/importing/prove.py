"""The proof: a model and the spec that was written for it, run beside each other in float64."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree
from torch.utils.flop_counter import FlopCounterMode

from convsize.graph.network import Network
from convsize.importing.calls import BATCH
from convsize.importing.static import Table
from convsize.lowering.plan import lower
from convsize.record import Record
from convsize.runtime.module import build_module

__all__ = ["Proof", "prove", "shake"]

TOLERANCE = 1e-12
"""Of the largest value of an output. Both sides compute in float64, in which rounding is 1e-16."""


class Proof(Record):
    """What running showed at one size of the input.

    difference: the largest between an output of the model and of the spec, as a share of the largest value; it is NaN
    where there are no values to compare. macs: multiply-adds of a sample that PyTorch counts of the model. problem: why
    the model does not run at this size, or shows nothing; spec: why the spec does not run; "" where each does. counts:
    whether the two agree only for as many samples as were captured, so that the model reads how many there are.
    """

    inputs: tuple[tuple[int, ...], ...]
    difference: float
    macs: int = 0
    problem: str = ""
    spec: str = ""
    counts: bool = False

    @property
    def holds(self) -> bool:
        """Whether both gave the same."""
        return not self.problem and not self.spec and self.difference <= TOLERANCE


def shake(module: nn.Module, seed: int = 0) -> None:
    """Gives a module other weights and statistics, all of them, in float64: random ones under which every layer counts.

    Weights keep the size of values about as it is, gains are near 1, and variances are; nothing is 0, as many a
    branch's last gain is in the beginning, so that a layer that is missing shows.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(shape: Iterable[int], low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(tuple(shape), generator=generator, dtype=torch.float64)

    made: dict[int, nn.Parameter] = {}
    for each in module.modules():
        for name, parameter in each._parameters.items():
            if parameter is None or not parameter.dtype.is_floating_point:
                continue
            if id(parameter) not in made:
                shape = tuple(parameter.shape)
                if len(shape) > 1 and max(shape) < math.prod(shape):
                    fan = math.prod(shape[1:])
                    value = torch.randn(shape, generator=generator, dtype=torch.float64) * math.sqrt(1.5 / fan)
                elif "bias" in name or "beta" in name:
                    value = torch.randn(shape, generator=generator, dtype=torch.float64) * 0.1
                else:
                    value = uniform(shape, 0.8, 1.2)
                made[id(parameter)] = nn.Parameter(value, requires_grad=False)
            each._parameters[name] = made[id(parameter)]
        for name, buffer in each._buffers.items():
            if buffer is None or not buffer.dtype.is_floating_point:
                continue
            if name == "running_mean":
                each._buffers[name] = torch.randn(tuple(buffer.shape), generator=generator, dtype=torch.float64) * 0.1
            elif name == "running_var":
                each._buffers[name] = uniform(buffer.shape, 0.7, 1.3)
            else:
                each._buffers[name] = buffer.double()


def prove(module: nn.Module, network: Network, mapping: Table, samples: int = BATCH, seed: int = 0) -> Proof:
    """Runs a module whose weights are shaken, and the network with the same weights, on a random input."""
    shapes = tuple(network.nodes[at].output.dims for at in network.inputs.values())
    generator = torch.Generator().manual_seed(seed)
    given = tuple(torch.randn(samples, *shape, generator=generator, dtype=torch.float64) for shape in shapes)
    with torch.no_grad(), _silent():
        counter = FlopCounterMode(display=False)
        try:
            with counter:
                theirs = [each for each in pytree.tree_leaves(module(*given)) if isinstance(each, torch.Tensor)]
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            return Proof(shapes, math.nan, problem=f"{type(error).__name__}: {lines[0]}")
        macs = counter.get_total_flops() // 2 // samples
        if any(not each.isfinite().all() for each in theirs):
            return Proof(shapes, math.nan, macs, problem="an output is not finite: there is nothing to compare")
        if any(not each.any() for each in theirs):
            return Proof(shapes, math.nan, macs, problem="an output is 0 everywhere: there is nothing to compare")
        ours = run(network, mapping, module, given)
        return Proof(shapes, max(_difference(*pair) for pair in zip(theirs, ours, strict=True)), macs)


def run(
    network: Network,
    mapping: Table,
    module: nn.Module,
    given: tuple[torch.Tensor, ...],
) -> list[torch.Tensor]:
    """The outputs of a network that has the weights of a module."""
    held: dict[str, Any] = dict(module.state_dict(keep_vars=True))
    held |= dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    ready = build_module(lower(network), dtype=torch.float64).eval()
    own = ready.state_dict()
    for name, (path, order) in mapping.items():
        value = held[path].detach()
        value = value.permute(order) if order else value
        own[name].copy_(value.reshape(own[name].shape))
    found = ready(*given)
    return [found[name] for name in network.outputs] if isinstance(found, dict) else [found]


def _difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest difference of two tensors as a share of the largest value; NaN where they are no numbers."""
    if one.shape[:1] != other.shape[:1] or one.numel() != other.numel():
        return math.nan
    largest = float(one.abs().max())
    if not 0 < largest < math.inf:
        return math.nan
    return float((one.reshape(-1) - other.reshape(-1)).abs().max()) / largest


@contextlib.contextmanager
def _silent() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

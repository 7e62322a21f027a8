"""PyTorch calls as plain data to modules that run, and the modules that PyTorch has not.

The classes up to AveragePool are also written into exported files, where lines have 88 characters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch import Tensor, nn

from convsize.ops.base import TorchCall


class LayerNorm(nn.LayerNorm):
    """Layer normalisation over dimension 1, the depth, at every position."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Embedding(nn.Embedding):
    """Tokens 1@L to vectors d@L."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.squeeze(1).long()).movedim(-1, 1)


class Scale(nn.Module):
    """A learned factor that broadcasts over its input."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class Affine(nn.Module):
    """A learned gain and a learned bias that broadcast over their input."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias


class DropPath(nn.Module):
    """Stochastic depth: a sample's whole branch is dropped with probability p."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = x.new_empty((x.shape[0], *(1,) * (x.dim() - 1))).bernoulli_(1 - self.p)
        return x * (kept / (1 - self.p) if self.p < 1 else kept)


class Pick(nn.Module):
    """The maps of the given numbers, in their order."""

    def __init__(self, indices: tuple[int, ...]) -> None:
        super().__init__()
        self.indices = indices

    def forward(self, x: Tensor) -> Tensor:
        return x[:, torch.tensor(self.indices, device=x.device)]


class Gate(nn.Module):
    """A product whose flat operands get an axis of 1 for every axis of the others."""

    def forward(self, *operands: Tensor) -> Tensor:
        rank = max(operand.dim() for operand in operands)
        axes = [(1,) * (rank - operand.dim()) for operand in operands]
        pairs = zip(operands, axes, strict=True)
        return reduce(torch.mul, [x.reshape(*x.shape, *ones) for x, ones in pairs])


class AveragePool(nn.Module):
    """Average pooling that is dilated, or whose uneven padding does not count.

    `padding` is in F.pad's order; `overhang` is what rounding up adds behind each
    axis, which never counts.
    """

    def __init__(
        self,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        overhang: tuple[int, ...],
        dilation: tuple[int, ...],
        count_include_pad: bool,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.overhang = tuple(end for extra in reversed(overhang) for end in (0, extra))
        self.dilation = dilation
        self.count_include_pad = count_include_pad
        self._slide = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(kernel_size)]

    def forward(self, x: Tensor) -> Tensor:
        maps = x.reshape(-1, 1, *x.shape[2:])
        ones = x.new_ones((1, 1, *self.kernel_size))
        counted = torch.ones_like(maps[:1])
        counted = F.pad(counted, self.padding, value=float(self.count_include_pad))
        counted = F.pad(counted, self.overhang)
        both = [a + b for a, b in zip(self.padding, self.overhang, strict=True)]
        padded = F.pad(maps, both) if any(both) else maps
        sums = self._slide(padded, ones, None, self.stride, 0, self.dilation)
        counts = self._slide(counted, ones, None, self.stride, 0, self.dilation)
        return (sums / counts).reshape(*x.shape[:2], *sums.shape[2:])


_MODULES: dict[str, type[nn.Module]] = {
    "convsize.LayerNorm": LayerNorm,
    "convsize.Embedding": Embedding,
    "convsize.Scale": Scale,
    "convsize.Affine": Affine,
    "convsize.DropPath": DropPath,
    "convsize.Pick": Pick,
    "convsize.Gate": Gate,
    "convsize.AveragePool": AveragePool,
}


class Function(nn.Module):
    """A function of PyTorch with fixed arguments.

    `cat` takes its operands as a list; `add` and `mul` take two, and fold more of them from left to right.
    """

    def __init__(self, target: str, kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.target = target
        self.kwargs = kwargs
        module, name = target.split(".")
        self._function: Callable[..., Tensor] = getattr(F if module == "F" else torch, name)

    def forward(self, *operands: Tensor) -> Tensor:
        if self.target == "torch.cat":
            return self._function(operands, **self.kwargs)
        if len(operands) > 1:
            return reduce(self._function, operands)
        return self._function(operands[0], **self.kwargs)

    def extra_repr(self) -> str:
        return ", ".join([self.target, *(f"{name}={value}" for name, value in self.kwargs.items())])


class Pipeline(nn.Module):
    """Several calls one after another, under one name.

    At most one of them has parameters, and those are the pipeline's own: `state_dict` says "weight", not "1.weight",
    whether or not the padding needed a call of its own. So the steps are no submodules and share their dictionaries.
    """

    def __init__(self, steps: list[nn.Module]) -> None:
        super().__init__()
        self.steps = tuple(steps)
        for step in steps:
            if step._parameters or step._buffers:
                self._parameters = step._parameters
                self._buffers = step._buffers
                self._non_persistent_buffers_set = step._non_persistent_buffers_set

    def forward(self, *operands: Tensor) -> Tensor:
        value: Tensor = self.steps[0](*operands)
        for step in self.steps[1:]:
            value = step(value)
        return value

    def train(self, mode: bool = True) -> Pipeline:
        for step in self.steps:
            step.train(mode)
        return super().train(mode)

    def extra_repr(self) -> str:
        return "\n".join(str(step) for step in self.steps)


def build_call(call: TorchCall) -> nn.Module:
    """The module of a single call."""
    kwargs: dict[str, Any] = dict(call.kwargs)
    if call.target in _MODULES:
        return _MODULES[call.target](**kwargs)
    module, name = call.target.split(".")
    if module == "nn":
        return cast(nn.Module, getattr(nn, name)(**kwargs))
    return Function(call.target, kwargs)


def build(calls: tuple[TorchCall, ...]) -> nn.Module:
    """The module of an op's calls, whose `state_dict` has the names of the op's parameters.

    No calls (an input) make an identity.
    """
    modules = [build_call(call) for call in calls]
    if not modules:
        return nn.Identity()
    return modules[0] if len(modules) == 1 else Pipeline(modules)

"""PyTorch calls as plain data to modules that run."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch import Tensor, nn

from convsize.errors import UsageError
from convsize.ops.base import TorchCall
from convsize.runtime import layers

_PLACES = {"nn": nn, "F": F, "torch": torch, "torch.linalg": torch.linalg, "convsize": layers}


class Function(nn.Module):
    """A function of PyTorch with fixed arguments.

    `cat` takes its operands as a list; `add`, `sub`, `mul` and `div` take two, and fold more of them from left to
    right; `interpolate` makes its first as large as its second.
    """

    def __init__(self, target: str, kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.target = target
        self.kwargs = kwargs
        module, _, name = target.rpartition(".")
        self._function: Callable[..., Tensor] = getattr(_PLACES[module], name)

    def forward(self, *operands: Tensor) -> Tensor:
        if self.target == "torch.cat":
            return self._function(operands, **self.kwargs)
        if self.target == "F.interpolate" and len(operands) > 1:
            return self._function(operands[0], size=operands[1].shape[2:], **self.kwargs)
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
    """The module of a single call. Raises UsageError where PyTorch has no such thing."""
    kwargs: dict[str, Any] = dict(call.kwargs)
    module, _, name = call.target.rpartition(".")
    place = _PLACES.get(module)
    if not hasattr(place, name):
        raise UsageError(f"PyTorch has no `{call.target}`: a call is `nn.…`, `F.…` or `torch.…`")
    if module in ("nn", "convsize"):
        return cast(nn.Module, getattr(place, name)(**kwargs))
    return Function(call.target, kwargs)


def build(calls: tuple[TorchCall, ...]) -> nn.Module:
    """The module of an op's calls, whose `state_dict` has the names of the op's parameters.

    No calls (an input) make an identity.
    """
    modules = [build_call(call) for call in calls]
    if not modules:
        return nn.Identity()
    return modules[0] if len(modules) == 1 else Pipeline(modules)

"""Replay: a call list as a module that makes the calls, for models that are in files and not in PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from convsize.errors import UsageError
from convsize.importing.calls import CallList, Ref
from convsize.importing.static import Table, read
from convsize.runtime.importing.prove import Proof, prove, shake

__all__ = ["Replay", "replayed"]


class Replay(nn.Module):
    """Makes the calls of a list, with weights of its own under the paths of the list.

    Raises UsageError where PyTorch has no such call.
    """

    def __init__(self, calls: CallList) -> None:
        super().__init__()
        self.calls = calls
        generator = torch.Generator().manual_seed(1)
        variances = {
            argument.ref
            for call in calls.calls
            for argument in [call.arguments.get("running_var")]
            if isinstance(argument, Ref)
        }
        for tensor in calls.tensors:
            # The paths have dots, which register_parameter does not take; state_dict gives them as they are.
            if tensor.kind == "param":
                self._parameters[tensor.path] = nn.Parameter(torch.zeros(tensor.shape), requires_grad=False)
            elif tensor.kind == "buffer":
                value = torch.rand(tensor.shape, generator=generator)
                self._buffers[tensor.path] = 0.7 + 0.6 * value if tensor.name in variances else value - 0.5

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The outputs in their order."""
        known: dict[str, Any] = dict(zip((each.name for each in self.calls.inputs), given, strict=True))
        dtype = given[0].dtype
        for tensor in self.calls.tensors:
            if tensor.kind == "param":
                known[tensor.name] = self._parameters[tensor.path]
            elif tensor.kind == "buffer":
                known[tensor.name] = self._buffers[tensor.path]
            elif tensor.kind == "const":
                if tensor.data is None:
                    raise UsageError(f"`{self.calls.source}`: the values of a fixed tensor are not known")
                known[tensor.name] = torch.tensor(tensor.numbers, dtype=dtype).reshape(tensor.shape)
        for call in self.calls.calls:
            found = _called(call.op, {name: _value(each, known) for name, each in call.arguments.items()})
            results = list(found) if isinstance(found, tuple | list) else [found]
            known.update((result.name, value) for result, value in zip(call.results, results, strict=True))
        return tuple(known[output.name] for output in self.calls.outputs)


def replayed(calls: CallList, text: str, mapping: Table) -> tuple[Proof, ...]:
    """Runs the calls of a list beside the spec that was written for it, with the same random weights."""
    module = Replay(calls).eval()
    shake(module)
    return (prove(module, read(text, "spec"), mapping),)


def _value(argument: Any, known: dict[str, Any]) -> Any:
    if isinstance(argument, Ref):
        return known[argument.ref]
    if isinstance(argument, tuple):
        return [_value(each, known) for each in argument]
    return float(argument) if argument in ("inf", "-inf") else argument


def _called(op: str, arguments: dict[str, Any]) -> Any:
    """Calls the overload that has arguments of these names and needs no others."""
    packet = getattr(torch.ops.aten, op, None)
    if packet is None:
        raise UsageError(f"PyTorch has no call `{op}`")
    problem: Exception | None = None
    for name in packet.overloads():
        overload = getattr(packet, name)
        formal = {each.name: each for each in overload._schema.arguments}
        given = dict(arguments)
        if op in ("batch_norm", "instance_norm"):
            given.setdefault("cudnn_enabled", False)
        if name.endswith("out") or not set(given) <= set(formal):
            continue
        if any(each not in given and not formal[each].has_default_value() for each in formal):
            continue
        try:
            return overload(**given)
        except (RuntimeError, TypeError) as error:
            problem = error
    raise UsageError(f"PyTorch has no call `{op}` with {', '.join(arguments)}: {problem}")

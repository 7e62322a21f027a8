"""Runs a call list with PyTorch's own ATen: what the fronts write is what PyTorch takes, with its shapes."""

from typing import Any

import torch

from convsize.importing.calls import BATCH, CallList, Ref


def run(calls: CallList, values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The outputs by label. Every result is checked against the shape that the list states.

    values: inputs by name, parameters and buffers by path.
    """
    known: dict[str, Any] = {}
    for tensor in calls.tensors:
        if tensor.kind == "const" or (tensor.data is not None and tensor.path not in values):
            kind = getattr(torch, tensor.dtype)
            known[tensor.name] = torch.tensor(tensor.numbers, dtype=kind).reshape(tensor.shape)
        else:
            known[tensor.name] = values[tensor.name if tensor.kind == "input" else tensor.path]
            assert tuple(known[tensor.name].shape) == tensor.shape, tensor.path
    for call in calls.calls:
        arguments = {name: _value(each, known) for name, each in call.arguments.items()}
        found = _called(call.op, arguments)
        results = list(found) if isinstance(found, tuple | list) else [found]
        for result, tensor in zip(call.results, results, strict=True):
            assert tuple(tensor.shape) == result.shape, (call.op, tensor.shape, result.shape)
            known[result.name] = tensor
    return {output.label: known[output.name] for output in calls.outputs}


def random_values(calls: CallList, seed: int = 0) -> dict[str, torch.Tensor]:
    """Inputs and weights by name and path; variances are positive."""
    torch.manual_seed(seed)
    found = {}
    for tensor in calls.tensors:
        if tensor.kind == "const":
            continue
        value = torch.randn(tensor.shape)
        positive = tensor.path.endswith(("var", "variance"))
        found[tensor.name if tensor.kind == "input" else tensor.path] = value.abs() + 0.5 if positive else value
    return found


def inputs_of(shape: tuple[int, ...]) -> torch.Tensor:
    """A batch of random inputs."""
    return torch.randn(BATCH, *shape, generator=torch.Generator().manual_seed(1))


def _value(argument: Any, known: dict[str, Any]) -> Any:
    if isinstance(argument, Ref):
        return known[argument.ref]
    if isinstance(argument, tuple):
        return [_value(each, known) for each in argument]
    return float(argument) if argument in ("inf", "-inf") else argument


def _called(op: str, arguments: dict[str, Any]) -> Any:
    """The overload whose arguments have these names; what is left out must have a default."""
    packet = getattr(torch.ops.aten, op)
    problems = []
    for name in packet.overloads():
        overload = getattr(packet, name)
        formal = {each.name: each for each in overload._schema.arguments}
        given = dict(arguments)
        if op == "batch_norm":
            given.setdefault("cudnn_enabled", False)
        if op == "instance_norm":
            given.setdefault("cudnn_enabled", False)
        if name.endswith("out") or not set(given) <= set(formal):
            continue
        if any(each.name not in given and not each.has_default_value() for each in formal.values()):
            continue
        try:
            return overload(**given)
        except (RuntimeError, TypeError) as problem:
            problems.append(str(problem))
    raise AssertionError(f"no overload of {op} takes {sorted(arguments)}: {problems}")

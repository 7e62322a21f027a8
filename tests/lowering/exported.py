"""Exported source as a module, and what networks are fed with."""

from __future__ import annotations

import torch
from torch import nn

from convsize.lowering.plan import Plan


def module_of(text: str) -> nn.Module:
    """The network class of an exported file, the last one in it, built."""
    namespace: dict = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), namespace)
    classes = [each for each in namespace.values() if isinstance(each, type) and each.__module__ == "exported"]
    return classes[-1]()


def fed(plan: Plan, batch: int = 2, device: str = "cpu") -> list[torch.Tensor]:
    """Random inputs."""
    return [
        torch.randint(0, 50, (batch, *each.dims), device=device)
        if each.tokens
        else torch.rand(batch, *each.dims, device=device)
        for each in plan.inputs
    ]


def answers(module: nn.Module, inputs: list[torch.Tensor]) -> dict[str, torch.Tensor]:
    """The outputs by name; dropout draws the same numbers every time."""
    torch.manual_seed(7)
    with torch.no_grad():
        found = module(*inputs)
    return found if isinstance(found, dict) else {"main": found}

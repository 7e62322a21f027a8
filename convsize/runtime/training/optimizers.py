"""Optimizers by name, and the learning rate of every step."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from convsize.errors import UsageError
from convsize.records import RunSettings
from convsize.records.optimizers import OPTIMIZERS


def optimizer(module: nn.Module, settings: RunSettings) -> torch.optim.Optimizer:
    """The optimizer of everything that trains in a module.

    Where not all decays, parameters of one axis (norms' gains, biases, slopes) form a group without weight decay.

    Raises UsageError where nothing trains.
    """
    trained = [(name, value) for name, value in module.named_parameters() if value.requires_grad]
    if not trained:
        raise UsageError("no parameter is trained: every layer is frozen, or the network has no parameters")
    groups = [{"params": [value for _, value in trained]}]
    if not settings.decay_all and settings.weight_decay:
        heavy = [value for _, value in trained if value.dim() > 1]
        light = [value for _, value in trained if value.dim() < 2]
        groups = [{"params": heavy}, {"params": light, "weight_decay": 0.0}]  # type: ignore[dict-item]
        groups = [group for group in groups if group["params"]]
    kind = OPTIMIZERS[settings.optimizer]
    arguments = {**kind.arguments, "weight_decay": settings.weight_decay}
    if "momentum" in arguments:
        arguments["momentum"] = settings.momentum
    made: torch.optim.Optimizer = getattr(torch.optim, kind.kind)(groups, lr=settings.lr, **arguments)
    return made


def learning_rate(settings: RunSettings, step: int, epoch_steps: int) -> float:
    """The learning rate of a step (from 0).

    It rises linearly through the warm-up, in which it is never 0, and follows its schedule from there: "constant"; a
    half "cosine" down to 0 after the last step (Loshchilov & Hutter 2017, without restarts); or "step", times lr_gamma
    after every lr_step epochs, counted from the start.
    """
    warmup = round(settings.warmup * epoch_steps)
    if step < warmup:
        return settings.lr * (step + 1) / (warmup + 1)
    if settings.schedule == "cosine":
        whole = settings.epochs * epoch_steps
        return settings.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (whole - warmup)))
    if settings.schedule == "step":
        return float(settings.lr * settings.lr_gamma ** (step // (settings.lr_step * epoch_steps)))
    return settings.lr


def state_tensors(
    optimizer: torch.optim.Optimizer, names: dict[Tensor, str]
) -> tuple[dict[str, Tensor], dict[str, object]]:
    """An optimizer's state by parameter and name: the tensors, and the plain numbers."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, object] = {}
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            place = f"{names[parameter]}/{key}"
            if isinstance(value, Tensor):
                tensors[place] = value
            elif value is not None:
                numbers[place] = value
    return tensors, numbers


def load_state(
    optimizer: torch.optim.Optimizer, names: dict[Tensor, str], tensors: dict[str, Tensor], numbers: dict[str, object]
) -> None:
    """Puts a state back. Moments get the memory format of their parameter, as the optimizer makes them."""
    by_name = {name: parameter for parameter, name in names.items()}
    for place, value in [*tensors.items(), *numbers.items()]:
        name, _, key = place.rpartition("/")
        parameter = by_name[name]
        if isinstance(value, Tensor) and value.shape == parameter.shape and key != "step":
            value = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
        optimizer.state[parameter][key] = value

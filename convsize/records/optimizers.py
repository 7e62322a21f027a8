"""Optimizers: what each is in PyTorch, what it holds, and what its step reads and writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from convsize.record import Record

OptimizerName = Literal["sgd", "momentum", "nesterov", "adam", "adamw"]
"""What a training run is asked for; its weight decay is a setting of its own."""


class Optimizer(Record):
    """An optimizer by its facts.

    kind: the class in torch.optim; arguments: what it is made with, besides the learning rate. moments: tensors of
    state as large as the parameter; counts: whether there is a 4-byte step count for each. decays: whether weight
    decay is added to a copy of the gradient (decoupled decay needs none). looks_ahead: whether momentum is, as
    Nesterov has it. moved: the tensors of a parameter's size that a step reads and writes; None: not measured.
    """

    kind: str
    moments: int
    arguments: Mapping[str, float | bool] = {}
    counts: bool = False
    decays: bool = False
    looks_ahead: bool = False
    moved: int | None = None


_PLAIN: dict[str, Optimizer] = {
    "sgd": Optimizer("SGD", 0, moved=2),
    "momentum": Optimizer("SGD", 1, {"momentum": 0.9}, moved=4),
    "nesterov": Optimizer("SGD", 1, {"momentum": 0.9, "nesterov": True}, looks_ahead=True),
    "adam": Optimizer("Adam", 2, counts=True, moved=7),
    "adamw": Optimizer("AdamW", 2, counts=True, moved=7),
}

OPTIMIZERS: dict[str, Optimizer] = {
    **_PLAIN,
    **{
        f"{name}-l2": plain.replace(arguments={**plain.arguments, "weight_decay": 1e-4}, decays=True, moved=None)
        for name, plain in _PLAIN.items()
        if plain.kind != "AdamW"
    },
}
"""By the name that a setting has for it; with weight decay that is added to the gradient, `-l2`."""


def with_decay(name: str) -> str:
    """The name of an optimizer with weight decay.

    >>> with_decay("adam"), with_decay("adamw")
    ('adam-l2', 'adamw')
    """
    return f"{name}-l2" if f"{name}-l2" in OPTIMIZERS else name

"""Losses: what each is in PyTorch, and whether it compares an output with classes or with values."""

from __future__ import annotations

from convsize.record import Record


class Loss(Record):
    """A loss by its facts: its function in torch.nn.functional, and whether its targets are labels of classes."""

    function: str
    labels: bool = False


LOSSES: dict[str, Loss] = {
    "cross-entropy": Loss("cross_entropy", labels=True),
    "mse": Loss("mse_loss"),
    "smooth-l1": Loss("smooth_l1_loss"),
}
"""By the name that a setting has for it; the usual one first."""

"""Dividing samples into those to train on and those to test with."""

from __future__ import annotations

import torch
from torch import Tensor

_SEED = 0
"""Not the run's seed: runs with other seeds, and weights that go from one run to another, must not meet test images."""


def stratified(labels: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """The places to train on and those to test with, each in order: of every class `share`, at least one.

    The same labels are always divided in the same way.
    """
    random = torch.Generator().manual_seed(_SEED)
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(int(labels.max()) + 1):
        places = (labels == label).nonzero()[:, 0]
        count = max(1, round(share * len(places)))
        chosen[places[torch.randperm(len(places), generator=random)[:count]]] = True
    return (~chosen).nonzero()[:, 0], chosen.nonzero()[:, 0]

"""How much memory training took, beside what is predicted."""

from __future__ import annotations

import os
import sys

import torch

from convsize.analyses.memory.peak import require_survivors, training_memory
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.records import RunSettings, TrainingSetting
from convsize.records.optimizers import OPTIMIZERS, with_decay
from convsize.runtime.training.objective import Head


def predicted(network: Network, settings: RunSettings, heads: tuple[Head, ...]) -> tuple[int | None, str]:
    """The peak of a training step in bytes; where that is not known None and the reason.

    Raises UsageError where PyTorch would end the process in the backward pass.
    """
    name = settings.optimizer
    if "momentum" in OPTIMIZERS[name].arguments and not settings.momentum:
        name = "sgd"
    if settings.weight_decay:
        name = with_decay(name)
    setting = TrainingSetting(
        batch=settings.batch,
        optimizer=name,
        frozen=settings.frozen,
        accumulate=settings.accumulate,
        device="cuda" if settings.device == "cuda" else "cpu",
        autocast=settings.autocast or None,
        losses=tuple((head.name, head.loss) for head in heads),
        checkpoint=settings.checkpoint,
    )
    if len(heads) < len(network.outputs):
        return None, "an output is left untrained"
    try:
        peak = training_memory(network, setting).peak.bytes
    except UsageError as error:
        return None, str(error)
    require_survivors(network, setting)
    return peak, ""


class Meter:
    """What this process took for training since the meter was made: the most so far."""

    def __init__(self, device: str) -> None:
        self._cuda = device == "cuda"
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()
        self._before = _resident()

    def peak(self) -> int | None:
        """Bytes that the allocator gave out on CUDA; on a CPU by how much the process grew. None where unknown."""
        if self._cuda:
            return torch.cuda.max_memory_allocated()
        if self._before is None:
            return None
        import resource  # Windows has none, and no /proc either

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return max(most - self._before, 0)


def _resident() -> int | None:
    """The process's resident bytes now, where the system says so."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 (no file of a user's)
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None

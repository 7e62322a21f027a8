"""The processes that train together: one, or those that torchrun started."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from convsize.errors import UsageError

_PATIENCE = timedelta(minutes=30)
"""Longer than the first process may take to test, or to write a checkpoint, while the others wait."""


class Processes:
    """The place of a process among those that train together, and what they tell each other.

    What they tell each other is small and on the processor, whatever the device they compute on.
    """

    def __init__(self, rank: int = 0, count: int = 1, local: int = 0) -> None:
        self.rank = rank
        self.count = count
        self.local = local

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def sums(self, values: Sequence[float]) -> list[float]:
        """The sums over all processes, in double precision."""
        if self.count == 1:
            return list(values)
        summed = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(summed)
        found: list[float] = summed.tolist()
        return found

    def largest(self, value: int) -> int:
        """The largest of all processes' numbers."""
        if self.count == 1:
            return value
        most = torch.tensor(value)
        dist.all_reduce(most, op=dist.ReduceOp.MAX)
        return int(most)

    def same(self, text: str) -> str:
        """The first process's text, in every one."""
        if self.count == 1:
            return text
        told: list[str] = [text]
        dist.broadcast_object_list(told, device=torch.device("cpu"))
        return told[0]

    def gathered(self, value: Tensor) -> list[Tensor]:
        """Every process's tensor; all have the same shape."""
        if self.count == 1:
            return [value]
        found = [torch.empty_like(value) for _ in range(self.count)]
        dist.all_gather(found, value)
        return found


@contextmanager
def processes(device: str) -> Iterator[Processes]:
    """The processes of this run, which are let go at the end.

    torchrun says in the environment how many there are; gloo connects them on the processor, nccl on GPUs.

    Raises UsageError where they cannot be connected, or where there are fewer GPUs than processes.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if device == "cuda":
        if local >= torch.cuda.device_count():
            raise UsageError(
                f"process {local} of this machine has no GPU: there are {torch.cuda.device_count()}; start one "
                "process per GPU with torchrun --nproc-per-node"
            )
        torch.cuda.set_device(local)
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if device == "cuda" else "gloo", timeout=_PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"the processes cannot be connected: {error}") from None
    try:
        yield Processes(dist.get_rank(), count, local)
    finally:
        dist.destroy_process_group()

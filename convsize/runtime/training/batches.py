"""Batches: which samples a step sees, in every process, and a loader that resumes at any of them."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import torch
from torch.utils.data import DataLoader, Sampler

from convsize.runtime.data.samples import Batch, Samples


class Batches(Sampler[list[int]]):
    """The samples of an epoch in an order that follows from seed and epoch, dealt out in batches.

    A step is `accumulate` batches in each of `processes`; what it sees together is one stretch of the order, so that N
    processes with batch b see what one process sees with batch N·b. What is left at the end fills no step and is left
    out; the next epoch, in another order, leaves out other samples.
    """

    def __init__(self, samples: int, batch: int, accumulate: int, seed: int, rank: int, processes: int) -> None:
        self.samples = samples
        self.batch = batch
        self.accumulate = accumulate
        self.seed = seed
        self.rank = rank
        self.processes = processes
        self.steps = samples // (batch * accumulate * processes)
        self.epoch = 0
        self.step = 0

    @property
    def left_out(self) -> int:
        """Samples that an epoch does not see."""
        return self.samples - self.steps * self.batch * self.accumulate * self.processes

    def start(self, epoch: int, step: int) -> None:
        """The next iteration is of this epoch (from 0), from this step of it on."""
        self.epoch = epoch
        self.step = step

    def __len__(self) -> int:
        return (self.steps - self.step) * self.accumulate

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.randperm(self.samples, generator=generator(self.seed, "order", self.epoch))
        for turn in range(self.step * self.accumulate, self.steps * self.accumulate):
            start = (turn * self.processes + self.rank) * self.batch
            yield order[start : start + self.batch].tolist()


class InOrder(Sampler[list[int]]):
    """All samples, batch by batch in turn to every process; the last batch may be smaller."""

    def __init__(self, samples: int, batch: int, rank: int, processes: int) -> None:
        self.starts = range(rank * batch, samples, batch * processes)
        self.samples = samples
        self.batch = batch

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[list[int]]:
        for start in self.starts:
            yield list(range(start, min(start + self.batch, self.samples)))


def generator(seed: int, *what: object) -> torch.Generator:
    """Random numbers of their own for a purpose, whatever else draws any."""
    text = "/".join(map(str, (seed, *what)))
    return torch.Generator().manual_seed(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1)


def loader(samples: Samples, batches: Sampler[list[int]], workers: int, pinned: bool) -> DataLoader[Any]:
    """A loader of whole batches. It draws no number from PyTorch's global generator, which dropout needs for itself."""
    return DataLoader(
        samples,
        batch_sampler=batches,
        collate_fn=_whole,  # type: ignore[arg-type]  # a batch is whole already
        num_workers=workers,
        pin_memory=pinned,
        generator=generator(0, "workers"),
    )


def _whole(batch: Batch) -> Batch:
    """A batch that needs no collating."""
    return batch

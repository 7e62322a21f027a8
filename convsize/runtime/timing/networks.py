"""Timing whole networks: what predictions of time are held against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from convsize.graph.network import Network
from convsize.records import TrainingSetting
from convsize.records.time import TimeSetting
from convsize.runtime.layouts import channels_last, to_channels_last
from convsize.runtime.meters.step import batch_for, optimizer_of, step
from convsize.runtime.threads import computing_threads
from convsize.runtime.timing.clock import Clock, Timing, keep_freed_memory


def time_whole(
    network: Network,
    setting: TimeSetting,
    clock: Clock,
    device: str = "cpu",
    *,
    least: int = 3,
    in_channels_last: bool = False,
) -> Timing:
    """The seconds of a forward pass in evaluation mode, or of a training step, on "cpu" or "cuda".

    least: runs that count, however long they take; more do within a second and a half.
    """
    batch = batch_for(
        network,
        TrainingSetting(
            setting.batch,
            setting.optimizer,
            setting.dtype,
            device="cuda" if device == "cuda" else "cpu",
            inference=not setting.training,
        ),
    )
    if in_channels_last:
        to_channels_last(batch.module)
        batch = batch.replace(inputs=[channels_last(each) for each in batch.inputs])
    update = optimizer_of(setting.optimizer, batch.module.parameters()) if setting.training else None

    def work() -> None:
        if update is not None:
            step(batch, update)
            return
        with torch.no_grad():
            batch.module(*batch.inputs)

    return clock.repeated(work, budget=1.5, warm_up=2, least=least, most=20)


@contextmanager
def as_calibrated(device: str, threads: int | None) -> Iterator[Clock]:
    """The clock and the circumstances in which a device's figures are measured, and its times have to be.

    threads: of the processor, None for PyTorch's own number; they are as before afterwards. With one thread it is
    processor time that counts. Freed memory is kept by the allocator, from here on.
    """
    keep_freed_memory()
    with computing_threads(threads) as computing:
        yield Clock(device, "processor" if computing == 1 else "wall")

"""Timing: warm-up, repeats within a budget of time, medians and minima with their spread, on CPU and CUDA."""

from __future__ import annotations

import ctypes
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Literal

import torch

from convsize.record import Record

ClockName = Literal["wall", "processor"]


class Timing(Record):
    """What repeats of one piece of work took, in seconds.

    spread: half the distance between the quartiles, as a share of the median: the noise.
    """

    median: float
    minimum: float
    spread: float
    repeats: int


class Clock:
    """A clock for work on a device.

    "wall" is time as it passes. "processor" is the time that this process computed, on all its threads together: with
    one thread it is what the wall clock would show on an idle machine, and other processes disturb it less. On CUDA
    the device's own events are read, whatever `kind` says.
    """

    def __init__(self, device: str = "cpu", kind: ClockName = "wall") -> None:
        self.cuda = torch.device(device).type == "cuda"
        self.kind = kind
        self._now = time.process_time if kind == "processor" else time.perf_counter

    def once(self, work: Callable[[], object]) -> float:
        """The seconds of one run; on CUDA from the first kernel's start to the last one's end."""
        if not self.cuda:
            start = self._now()
            work()
            return self._now() - start
        start_event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        end_event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        start_event.record()
        work()
        end_event.record()
        end_event.synchronize()
        return float(start_event.elapsed_time(end_event)) / 1000

    def repeated(
        self,
        work: Callable[[], object],
        *,
        budget: float = 0.5,
        warm_up: int = 2,
        least: int = 3,
        most: int = 1000,
        before: Callable[[], object] | None = None,
    ) -> Timing:
        """Runs `work` until `budget` seconds of wall time have passed; `before` runs before each, untimed.

        At least `least` and at most `most` runs count; `warm_up` runs before them do not. Work that takes longer than
        the whole budget counts from its first run on.
        """
        began = time.perf_counter()
        taken: list[float] = []
        for run in range(warm_up + most):
            if before is not None:
                before()
            seconds = self.once(work)
            passed = time.perf_counter() - began
            if run >= warm_up or passed > budget:
                taken.append(seconds)
            if len(taken) >= least and passed > budget:
                break
        return summed_up(taken)


def keep_freed_memory() -> bool:
    """Asks glibc's allocator not to give freed memory back to the system; whether it is glibc and does so.

    Mapping it anew for every tensor takes as long as many a layer, and not the same time twice.
    """
    try:
        library = ctypes.CDLL(None)
        # M_MMAP_MAX 0 and M_TRIM_THRESHOLD at its largest: malloc.h of glibc.
        return bool(library.mallopt(-4, 0)) and bool(library.mallopt(-1, 2**31 - 1))
    except (OSError, AttributeError, TypeError):
        return False


def summed_up(seconds: Sequence[float]) -> Timing:
    """Median, minimum and spread of repeats, of which there is at least one."""
    median = statistics.median(seconds)
    spread = 0.0
    if len(seconds) > 1 and median:
        quarter, _, three_quarters = statistics.quantiles(seconds, n=4, method="inclusive")
        spread = (three_quarters - quarter) / 2 / median
    return Timing(median, min(seconds), spread, len(seconds))

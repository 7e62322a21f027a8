"""The operators and kernels of one step, by PyTorch's profiler, and its trace."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, record_function
from torch.profiler import profile as torch_profile

from convsize.records import Kernel
from convsize.runtime.profile.steps import Steps

_TOP = 10


def kernels(steps: Steps, *, trace: bool) -> tuple[tuple[Kernel, ...], bytes | None]:
    """What took longest in one step, and the step as a Chrome trace where that is asked for.

    In the trace every layer's forward pass is a span of its name.
    """
    # PyTorch's profiler says on standard error when it starts and stops, below the sixth level.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    cuda = steps.setting.device == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    spans = _Spans(steps.names)
    with torch_profile(activities=activities) as found:
        spans.begin()
        steps.step(spans.see)
        if cuda:
            torch.cuda.synchronize()
    events: list[Any] = [
        each
        for each in found.key_averages()
        if each.key not in spans.titles and not each.key.startswith("Optimizer.")  # spans, no operators
    ]
    if cuda:
        events = [each for each in events if each.device_type.name != "CPU"]
    own = [
        Kernel(each.key, each.count, (each.self_device_time_total if cuda else each.self_cpu_time_total) / 1e6)
        for each in events
    ]
    own.sort(key=lambda each: -each.seconds)
    document = None
    if trace:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.json"
            found.export_chrome_trace(str(path))
            document = path.read_bytes()
    return tuple(each for each in own[:_TOP] if each.seconds), document


class _Spans:
    """A span for every layer, from the end of the one before to its own."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._waiting = list(names)
        self.titles = frozenset(self._waiting)
        self._open: Any = None

    def begin(self) -> None:
        """The next layer begins."""
        self._open = record_function(self._waiting.pop(0))
        self._open.__enter__()

    def see(self, _: str, __: Tensor) -> None:
        """A layer has ended; what comes after the last one has no span of its own."""
        self._open.__exit__(None, None, None)
        if self._waiting:
            self.begin()

"""Calibration: what this machine takes for layers of every class, as a device file."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from math import log2
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch import Tensor

from convsize.analyses.time_pieces import Piece, pieces, table_name
from convsize.analyses.time_prediction import OPTIMIZERS
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.records import ITEM_SIZES
from convsize.records.device import ClassTable, Device, DeviceSource, Sample
from convsize.runtime.clock import Clock, keep_freed_memory
from convsize.runtime.layer_timing import median_of, time_pieces

_SIDE = 1024
"""Rows and columns of the matrix product that stands for the peak."""

_STREAM = 2**26
"""Elements of the copy that stands for the bandwidth: more than any cache holds."""


_TOGETHER = 16
"""Layers that take turns: so few that small ones stay in a cache, as they do in the small networks that have them."""


class Plan(NamedTuple):
    """What to measure.

    grid: small networks of one layer or two, of which each layer is a sample of its class, with their batch; shapes:
    networks whose every layer is timed on its own account, with the batches. threads: of the processor, None for
    PyTorch's own number.
    """

    device: str
    dtype: str
    grid: tuple[tuple[Network, int], ...]
    shapes: tuple[tuple[Network, tuple[int, ...]], ...] = ()
    rounds: int = 4
    threads: int | None = None


def calibrate(plan: Plan, told: Callable[[str], None]) -> Device:
    """Measures this machine; `told` hears what is measured next.

    Raises UsageError where there is no such device.
    """
    if plan.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("PyTorch sees no CUDA device here: --device cpu measures the processor")
    if plan.threads is not None:
        torch.set_num_threads(plan.threads)
    keep_freed_memory()
    clock = Clock(plan.device, "processor" if torch.get_num_threads() == 1 else "wall")
    dtype: torch.dtype = getattr(torch, plan.dtype)
    told("peaks")
    peak, bandwidth, overhead = _peaks(clock, plan.device, dtype)
    told("layers of every class")
    known = {piece.key: piece for piece in _grid(plan)}
    times = time_pieces(known.values(), dtype, clock, device=plan.device, rounds=plan.rounds, together=_TOGETHER)
    samples: dict[str, list[Sample]] = {}
    for key, piece in known.items():
        sample = Sample((float(piece.flops), float(piece.bytes), *piece.features), median_of(times[key]))
        samples.setdefault(table_name(piece.family, piece.direction, plan.dtype), []).append(sample)
    told("losses and optimizers")
    for name, sample in _outside(clock, plan.device, dtype, plan.dtype):
        samples.setdefault(name, []).append(sample)
    shapes: dict[str, float] = {}
    for at, (network, batches) in enumerate(plan.shapes):
        told(f"layers of {network.name} ({at + 1} of {len(plan.shapes)})")
        wanted = [
            piece
            for batch in batches
            for training in (False, True)
            for piece in pieces(network, batch, plan.dtype, training=training)
            if piece.key not in shapes
        ]
        found = time_pieces(wanted, dtype, clock, device=plan.device, rounds=plan.rounds)
        shapes |= {key: median_of(each) for key, each in found.items()}
    spreads = [(max(each) - min(each)) / (2 * median_of(each)) for each in times.values() if median_of(each)]
    return Device(
        name=plan.device,
        title=_title(plan.device),
        kind="cuda" if plan.device == "cuda" else "cpu",
        source=DeviceSource(
            "calibrated",
            "convsize calibrate",
            date.today().isoformat(),
            ("Freed memory was kept by the allocator; where it is given back, steps take longer.",),
            (("torch", torch.__version__), ("python", platform.python_version())),
        ),
        memory=_memory(plan.device),
        bandwidth=bandwidth,
        peaks=((plan.dtype, peak),),
        overhead=overhead,
        threads=torch.get_num_threads() if plan.device == "cpu" else None,
        noise=statistics.median(spreads) if spreads else None,
        classes=tuple(ClassTable(name, tuple(found)) for name, found in samples.items()),
        shapes=tuple(shapes.items()),
    )


def _grid(plan: Plan) -> Iterator[Piece]:
    for network, batch in plan.grid:
        for training in (False, True):
            yield from pieces(network, batch, plan.dtype, training=training)


def _peaks(clock: Clock, device: str, dtype: torch.dtype) -> tuple[float, float, float]:
    """FLOP/s of a matrix product, bytes a second of a large copy, and the seconds of an operator on one number."""
    left, right = (torch.randn(_SIDE, _SIDE, device=device, dtype=dtype) for _ in range(2))
    product = clock.repeated(lambda: left @ right, budget=2.0).minimum
    source = torch.ones(_STREAM, device=device, dtype=dtype)
    target = torch.empty_like(source)
    copied = clock.repeated(lambda: target.copy_(source), budget=2.0).minimum
    one = torch.ones(1, device=device, dtype=dtype)

    def many() -> None:
        for _ in range(100):
            torch.relu(one)

    small = clock.repeated(many, budget=1.0).minimum / 100
    return 2 * _SIDE**3 / product, 2 * _STREAM * dtype.itemsize / copied, small


def _outside(clock: Clock, device: str, dtype: torch.dtype, name: str) -> Iterator[tuple[str, Sample]]:
    """Cross entropy, forward and backward, and the steps of optimizers, over sizes."""
    itemsize = ITEM_SIZES[name]
    for batch, classes in ((1, 10), (4, 100), (16, 100), (16, 1000), (64, 1000), (128, 1000)):
        logits = torch.randn(batch, classes, device=device, dtype=dtype, requires_grad=True)
        labels = torch.zeros(batch, dtype=torch.int64, device=device)

        def loss(logits: Tensor = logits, labels: Tensor = labels) -> None:
            F.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]

        elements = batch * classes
        seconds = clock.repeated(loss, budget=0.2).median
        features = (8.0 * elements, 6.0 * elements * itemsize, log2(elements))
        yield table_name("cross entropy", "forward", name), Sample(features, seconds)
    for optimizer, touched in OPTIMIZERS.items():
        for power in range(4, 25, 2):
            elements = 2**power
            count = max(min(2**22 // elements, 50), 2)
            parameters = [torch.zeros(elements, device=device, dtype=dtype, requires_grad=True) for _ in range(count)]
            for each in parameters:
                each.grad = torch.ones_like(each)
            step = _optimizer(optimizer, parameters).step
            step()
            seconds = clock.repeated(step, budget=0.2).median / count
            size = float(touched * elements)
            features = (size, size * itemsize, float(power))
            yield table_name(f"step of {optimizer}", "forward", name), Sample(features, seconds)


def _optimizer(name: str, parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
    if name == "adam":
        return torch.optim.Adam(parameters, lr=1e-6)
    if name == "adamw":
        return torch.optim.AdamW(parameters, lr=1e-6)
    return torch.optim.SGD(parameters, lr=1e-6, momentum=0.9 if name == "momentum" else 0.0)


def _title(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 (no file of a user's)
            name = next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    threads = torch.get_num_threads()
    return f"{name}, {threads} thread{'s' if threads > 1 else ''}"


def _memory(device: str) -> int | None:
    if device == "cuda":
        return int(torch.cuda.get_device_properties(0).total_memory)
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None

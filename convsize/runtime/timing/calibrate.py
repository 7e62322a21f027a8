"""Calibration: what this machine takes for layers of every class, as a device file."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from math import log2

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch import Tensor, nn

from convsize.analyses.memory.step import smallest_batch
from convsize.analyses.memory.workspaces import convolution_calls
from convsize.analyses.time.prediction import MOVED, predict_time
from convsize.analyses.time.units import Piece, pieces, table_name
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.record import Record
from convsize.records import ITEM_SIZES
from convsize.records.device import Accuracy, ClassTable, Device, DeviceSource, Sample
from convsize.records.time import TimeSetting
from convsize.runtime.meters.step import optimizer_of
from convsize.runtime.meters.workspaces import measure_cublas, measure_workspaces
from convsize.runtime.timing.clock import Clock, summed_up
from convsize.runtime.timing.layers import time_layers, time_pieces
from convsize.runtime.timing.networks import as_calibrated, time_whole
from convsize.words import plural

_SIDE = 1024
"""Rows and columns of the matrix product that stands for the peak."""

_STREAM = 2**26
"""Elements of the copy that stands for the bandwidth: more than any cache holds."""


_TOGETHER = 16
"""Layers that take turns: so few that small ones stay in a cache, as they do in the small networks that have them."""


class Plan(Record):
    """What to measure.

    grid: small networks of one layer or two, of which each layer is a sample of its class, with their batch; wholes:
    networks with a batch whose times tell how accurate predictions from the samples are; shapes: networks whose every
    layer is timed on its own account, with the batches. sweeps: how often the samples of all classes are gone through.
    threads: of the processor, None for PyTorch's own number. channels_last: maps lie with the depth innermost.
    """

    device: str
    dtypes: tuple[str, ...]
    grid: tuple[tuple[Network, int], ...]
    wholes: tuple[tuple[Network, int], ...] = ()
    shapes: tuple[tuple[Network, tuple[int, ...]], ...] = ()
    sweeps: int = 3
    threads: int | None = None
    channels_last: bool = False


def calibrate(plan: Plan, told: Callable[[str], None]) -> Device:
    """Measures this machine; `told` hears what is measured next.

    Raises UsageError where there is no such device.
    """
    if plan.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("PyTorch finds no CUDA device: --device cpu measures the CPU")
    with as_calibrated(plan.device, plan.threads) as clock:
        device = _by_class(plan, clock, told)
        errors: dict[tuple[str, bool], list[float]] = {}
        for network, batch in plan.wholes:
            told(f"{network.name}, whole")
            for setting in _settings(plan, network, batch):
                errors.setdefault(("class", setting.training), []).append(_error(network, device, setting, clock))
        for at, (network, batches) in enumerate(plan.shapes):
            told(f"layers of {network.name} ({at + 1} of {len(plan.shapes)})")
            for setting in (each for batch in batches for each in _settings(plan, network, batch)):
                found = dict(device.shapes) | time_layers(
                    network, setting, clock, plan.device, in_channels_last=plan.channels_last
                )
                device = device.replace(shapes=tuple(found.items()))
                errors.setdefault(("per-shape", setting.training), []).append(_error(network, device, setting, clock))
        if plan.device == "cuda":
            device = _with_memory(device, plan)
    return device.replace(accuracy=tuple(_accuracy(*which, each) for which, each in errors.items()))


def _by_class(plan: Plan, clock: Clock, told: Callable[[str], None]) -> Device:
    """The device with peaks and the layers of every class."""
    told("peaks")
    peaks = [peak for dtype in plan.dtypes for peak in _peaks(clock, plan.device, getattr(torch, dtype))]
    bandwidth, overhead = _limits(clock, plan.device)
    samples: dict[str, list[Sample]] = {}
    spreads: list[float] = []
    for dtype in plan.dtypes:
        told(f"layers of every class in {dtype}")
        known = {piece.key: piece for piece in _grid(plan, dtype)}
        times = time_pieces(
            known.values(),
            getattr(torch, dtype),
            clock,
            device=plan.device,
            rounds=2,
            sweeps=plan.sweeps,
            together=_TOGETHER,
            in_channels_last=plan.channels_last,
        )
        for key, piece in known.items():
            timing = summed_up(times[key])
            sample = Sample((float(piece.flops), float(piece.bytes), *piece.features), timing.median)
            samples.setdefault(table_name(piece.family, piece.direction, dtype), []).append(sample)
            spreads.append(timing.spread)
        told(f"losses and optimizers in {dtype}")
        for name, sample in _outside(clock, plan.device, dtype):
            samples.setdefault(name, []).append(sample)
    return Device(
        name=plan.device,
        title=_title(plan.device) + (", channels_last" if plan.channels_last else ""),
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
        peaks=tuple(peaks),
        overhead=overhead,
        threads=torch.get_num_threads() if plan.device == "cpu" else None,
        noise=statistics.median(spreads) if spreads else None,
        classes=tuple(ClassTable(name, tuple(found)) for name, found in samples.items()),
        channels_last=plan.channels_last,
    )


def _settings(plan: Plan, network: Network, batch: int) -> Iterator[TimeSetting]:
    """A forward pass in every type, and a training step where the network can be trained at this batch."""
    for dtype in plan.dtypes:
        yield TimeSetting(batch, dtype)
        if batch >= smallest_batch(network):
            yield TimeSetting(batch, dtype, training=True)


def _error(network: Network, device: Device, setting: TimeSetting, clock: Clock) -> float:
    """How far a prediction is off, as a share of what is measured now."""
    measured = time_whole(network, setting, clock, device.kind, in_channels_last=device.channels_last).median
    return abs(predict_time(network, device, setting).seconds / measured - 1)


def _accuracy(mode: str, training: bool, errors: Sequence[float]) -> Accuracy:
    what = "training" if training else "inference"
    return Accuracy(mode, what, statistics.mean(errors), statistics.median(errors), max(errors), len(errors))


def _with_memory(device: Device, plan: Plan) -> Device:
    """The device with what a GPU takes besides tensors: workspaces of cuBLAS and cuDNN, and the context.

    Whatever another process holds on the GPU counts as the context: nothing else should run.
    """
    calls = [
        call
        for network, batches in plan.shapes
        for batch in batches
        for call in convolution_calls(network, batch).values()
    ]
    workspaces: dict[str, int] = {}
    for dtype in plan.dtypes:
        workspaces |= measure_workspaces(calls, dtype)
    free, total = torch.cuda.mem_get_info()
    return device.replace(
        cublas_workspace=measure_cublas(),
        context=total - free - torch.cuda.memory_reserved(),
        workspaces=tuple(workspaces.items()) or None,
    )


def _grid(plan: Plan, dtype: str) -> Iterator[Piece]:
    for network, batch in plan.grid:
        for training in (False, True):
            yield from pieces(network, batch, dtype, training=training)


def _peaks(clock: Clock, device: str, dtype: torch.dtype) -> list[tuple[str, float]]:
    """FLOP/s of a matrix product, by the name of the type, and where there is one of TF32."""
    left, right = (torch.randn(_SIDE, _SIDE, device=device, dtype=dtype) for _ in range(2))

    def product() -> float:
        return 2 * _SIDE**3 / clock.repeated(lambda: left @ right, budget=2.0).minimum

    peaks = [(str(dtype).removeprefix("torch."), product())]
    if clock.cuda and dtype == torch.float32:
        usual = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = True
        peaks.append(("tf32", product()))
        torch.backends.cuda.matmul.allow_tf32 = usual
    return peaks


def _limits(clock: Clock, device: str) -> tuple[float, float]:
    """Bytes a second of a large copy, and the seconds of an operator on one number."""
    source = torch.ones(_STREAM, device=device)
    target = torch.empty_like(source)
    copied = clock.repeated(lambda: target.copy_(source), budget=2.0).minimum
    one = torch.ones(1, device=device)

    def many() -> None:
        for _ in range(100):
            torch.relu(one)

    return 2 * _STREAM * source.itemsize / copied, clock.repeated(many, budget=1.0).minimum / 100


def _outside(clock: Clock, device: str, name: str) -> Iterator[tuple[str, Sample]]:
    """Cross entropy, forward and backward, and the steps of optimizers, over sizes."""
    itemsize = ITEM_SIZES[name]
    dtype: torch.dtype = getattr(torch, name)
    for batch, classes in ((1, 10), (4, 100), (16, 100), (16, 1000), (64, 1000), (128, 1000)):
        logits = torch.randn(batch, classes, device=device, dtype=dtype, requires_grad=True)
        labels = torch.zeros(batch, dtype=torch.int64, device=device)

        def loss(logits: Tensor = logits, labels: Tensor = labels) -> None:
            F.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]

        elements = batch * classes
        seconds = clock.repeated(loss, budget=0.2).median
        features = (8.0 * elements, 6.0 * elements * itemsize, log2(elements))
        yield table_name("cross entropy", "forward", name), Sample(features, seconds)
    for optimizer, touched in MOVED.items():
        for power in range(4, 25, 2):
            elements = 2**power
            count = max(min(2**22 // elements, 50), 2)
            parameters = [nn.Parameter(torch.zeros(elements, device=device, dtype=dtype)) for _ in range(count)]
            for each in parameters:
                each.grad = torch.ones_like(each)
            step = optimizer_of(optimizer, parameters).step
            step()
            seconds = clock.repeated(step, budget=0.2).median / count
            size = float(touched * elements)
            features = (size, size * itemsize, float(power))
            yield table_name(f"step of {optimizer}", "forward", name), Sample(features, seconds)


def _title(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 (no file of a user's)
            name = next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {plural(torch.get_num_threads(), 'thread')}"


def _memory(device: str) -> int | None:
    if device == "cuda":
        return int(torch.cuda.get_device_properties(0).total_memory)
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None

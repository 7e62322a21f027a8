"""Devices: what is known of a machine that networks run on, from a datasheet or measured on it."""

from __future__ import annotations

from typing import Literal

from convsize.record import Record


class DeviceSource(Record):
    """Where a device's figures come from.

    "datasheet": `title` names the publication, with its publisher, and `date` its year. "calibrated": `title` says what
    measured, `date` when, `versions` names and versions of what took part. notes: what a reader of the figures must
    know, each a sentence.
    """

    kind: Literal["datasheet", "calibrated"]
    title: str
    date: str
    notes: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()


class Sample(Record):
    """A layer that was timed: the features of its class that throughput depends on, and the seconds it took."""

    features: tuple[float, ...]
    seconds: float


class ClassTable(Record):
    """What was measured of one class of work, as `convolution 1x1, forward, float32`."""

    name: str
    samples: tuple[Sample, ...]


class Accuracy(Record):
    """How far predictions from this device's figures were off, where they were compared with whole networks.

    mode: "class" or "per-shape"; what: "inference" or "training"; mean, median, worst: shares (0.1 is 10 %) of the
    measured times, over `cells` pairs of a network and a batch.
    """

    mode: str
    what: str
    mean: float
    median: float
    worst: float
    cells: int


class Device(Record):
    """A machine that networks run on.

    name: as specs and options say it, `h200`; title: its maker's name for it. memory: the bytes that PyTorch can use
    (`total_memory` of a CUDA device, less than is printed on it), None where the maker of the whole machine decides.
    bandwidth: of memory, bytes a second. peaks: dense FLOP/s by type of numbers; "tf32" is what PyTorch computes
    float32 convolutions in, where a GPU has it. overhead: seconds that every operator takes however small it is. tdp:
    watts. cublas_workspace: bytes of one, CUDA only. context: bytes that a CUDA context takes, and workspaces: bytes of
    cuDNN by signature of the call; both None where they were not measured.

    efficiency: the shares of peak and of bandwidth that are assumed where nothing was measured, None where it
    was. threads: how many computed while it was measured. noise: the spread of the measurements, a share of the median.
    classes: what was measured of every class of work. shapes: seconds of layers that were timed alone, by key.
    accuracy: what comparing predictions with whole networks gave. channels_last: whether maps lay with the depth
    innermost while it was measured.
    """

    name: str
    title: str
    kind: Literal["cpu", "cuda"]
    source: DeviceSource
    memory: int | None
    bandwidth: float
    peaks: tuple[tuple[str, float], ...]
    overhead: float
    tdp: float | None = None
    cublas_workspace: int | None = None
    context: int | None = None
    workspaces: tuple[tuple[str, int], ...] | None = None
    efficiency: tuple[float, float] | None = None
    threads: int | None = None
    noise: float | None = None
    classes: tuple[ClassTable, ...] = ()
    shapes: tuple[tuple[str, float], ...] = ()
    accuracy: tuple[Accuracy, ...] = ()
    channels_last: bool = False

    @property
    def calibrated(self) -> bool:
        """Whether its figures were measured on it."""
        return self.source.kind == "calibrated"

"""What a network took where it ran."""

from __future__ import annotations

from typing import Literal

from convsize.record import Record


class Measured(Record):
    """Repeated measurements, in seconds: their median and their quartiles, between which half of them lie."""

    median: float
    low: float = 0.0
    high: float = 0.0

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles as a share of the median: the noise."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0


class LayerProfile(Record):
    """One layer, for the whole batch.

    forward, backward: seconds; backward is None in inference, and 0 s where nothing is computed. flops: floating point
    operations of both passes, of which backward has as many as forward for the weights, if any, and as many where a
    gradient goes on to the input; bytes: inputs, outputs and parameters, each once for as many times, which is what is
    moved at least. least: the seconds that both take at least by the roofline of a device, None without one. held:
    bytes, in training those that autograd saves for backward, in inference those of the output.
    """

    name: str
    forward: Measured
    backward: Measured | None
    flops: int
    bytes: int
    least: float | None
    held: int

    @property
    def seconds(self) -> float:
        """Both passes."""
        return self.forward.median + (self.backward.median if self.backward else 0.0)


class Kernel(Record):
    """An operator of the processor or a kernel of the GPU in one step: its own seconds without what it calls."""

    name: str
    calls: int
    seconds: float


class Roof(Record):
    """The device that layers are held against: FLOP/s in the type of numbers, bytes a second, and where both are from.

    kind: what it is, which may be another than what the network ran on. convolution_peak: the FLOP/s of convolutions,
    which a GPU may compute in TF32 where all is float32.
    """

    name: str
    title: str
    kind: Literal["cpu", "cuda"]
    calibrated: bool
    peak: float
    convolution_peak: float
    bandwidth: float


class Profile(Record):
    """What a forward pass, or a training step, of a network took.

    optimizer: None in inference. outside: seconds of what belongs to no layer, by name. step: the same pass or step
    without any instruments; instrumented: with them. kernels: those that took longest, from one more step. peak: bytes,
    the peak that is predicted. predicted: the seconds of the whole where this machine was calibrated, else None.
    """

    name: str
    device: str
    dtype: str
    batch: int
    optimizer: str | None
    threads: int
    repeats: int
    versions: tuple[tuple[str, str], ...]
    layers: tuple[LayerProfile, ...]
    outside: tuple[tuple[str, Measured], ...]
    step: Measured
    instrumented: Measured
    kernels: tuple[Kernel, ...]
    roof: Roof | None
    peak: int
    predicted: float | None

    @property
    def training(self) -> bool:
        """Whether it is a training step."""
        return self.optimizer is not None

    @property
    def attributed(self) -> float:
        """The sum of all layers and of what is outside of them, in seconds."""
        return sum(each.seconds for each in self.layers) + sum(each.median for _, each in self.outside)

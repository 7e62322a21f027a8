"""What a forward pass or a training step takes."""

from __future__ import annotations

from typing import Literal

from convsize.record import Record
from convsize.records.device import Accuracy


class TimeSetting(Record):
    """What the time depends on besides network and device.

    training: a step with backward pass and optimizer; else a forward pass in evaluation mode that keeps nothing.
    autocast: the type that torch.autocast computes in, of a network in float32.
    """

    batch: int = 1
    dtype: str = "float32"
    training: bool = False
    optimizer: str = "momentum"
    autocast: str | None = None


class LayerTime(Record):
    """One layer, in seconds of the whole batch.

    backward is 0 in inference. flops: 2 for every multiply-add, forward and backward, with other work; bytes: what must
    be read and written at least. bound: what the time is mostly made of. basis: "measured" where this very layer was
    timed alone, "calibrated" where layers like it were, "assumed" where shares of the device's peaks are taken for
    granted.
    """

    name: str
    forward: float
    backward: float
    flops: int
    bytes: int
    bound: Literal["compute", "bandwidth", "overhead"]
    basis: Literal["measured", "calibrated", "assumed"]

    @property
    def seconds(self) -> float:
        """Both passes."""
        return self.forward + self.backward


class TimePrediction(Record):
    """A forward pass or a training step on a device.

    outside: what belongs to no layer (the loss, sums of gradients where a value is read twice, the optimizer), by name.
    energy: joules if the device took all the power it may for all that time, None where its power is not known.
    accuracy: how far predictions from this device's figures were off, where they were compared. assumed: the shares of
    the device's peak and of its bandwidth that are taken to be reached, and the seconds that an operator takes at
    least; None where they were measured. between: the seconds at all of the peaks with half that overhead, and at half
    of the shares with twice that. tf32: FLOP/s of the convolutions where PyTorch computes them in another type than the
    setting's, None where it does not.
    """

    name: str
    device: str
    title: str
    calibrated: bool
    setting: TimeSetting
    layers: tuple[LayerTime, ...]
    outside: tuple[tuple[str, float], ...]
    energy: float | None
    accuracy: Accuracy | None
    assumed: tuple[float, float, float] | None = None
    between: tuple[float, float] | None = None
    tf32: float | None = None

    @property
    def seconds(self) -> float:
        """The whole pass or step."""
        return sum(layer.seconds for layer in self.layers) + sum(seconds for _, seconds in self.outside)

    @property
    def throughput(self) -> float:
        """Samples a second."""
        return self.setting.batch / self.seconds


class SweepPoint(Record):
    """A batch size with its time in seconds, samples a second, and the peak of tensors in bytes.

    between: the range of the time where shares of the peaks are assumed. memory: None where none is predicted.
    """

    batch: int
    seconds: float
    between: tuple[float, float] | None
    throughput: float
    memory: int | None


class Sweep(Record):
    """Time and memory over batch sizes.

    knee: the smallest batch from which on a larger one brings no more than a tenth of the highest throughput.
    largest: the prediction for the largest batch, which says what all of them stand on.
    """

    name: str
    device: str
    setting: TimeSetting
    points: tuple[SweepPoint, ...]
    knee: int
    largest: TimePrediction

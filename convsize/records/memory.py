"""What training holds."""

from __future__ import annotations

from typing import Literal

from convsize.errors import Source
from convsize.record import Record


class TrainingSetting(Record):
    """How a network is trained: what its memory depends on besides the network.

    batch: samples of a step. optimizer: a name of records.optimizers. dtype: that of the whole network. frozen:
    patterns of layers that are not trained, `conv1` or `stage?.*`, or `@tap` for all up to a value. accumulate: the
    batches whose gradients are summed before the optimizer's step. device: whose kernels and optimizers run. autocast:
    the type that torch.autocast computes in where it does, "bfloat16" or "float16", while the network itself is
    float32; None: no autocast. losses: the loss of every output, "cross-entropy", "mse" or "smooth-l1", by its name, ""
    standing for those that are not named; cross entropy where nothing is said. in_place: whether activations overwrite
    their input where that saves memory. checkpoint: patterns of blocks, `bot*`, that are run again in the backward pass
    instead of being kept. inference: no training at all but a forward pass in evaluation mode that keeps nothing for
    backward.
    """

    batch: int = 1
    optimizer: str = "momentum"
    dtype: str = "float32"
    frozen: tuple[str, ...] = ()
    accumulate: int = 1
    device: Literal["cpu", "cuda"] = "cpu"
    autocast: str | None = None
    losses: tuple[tuple[str, str], ...] = ()
    in_place: bool = True
    checkpoint: tuple[str, ...] = ()
    inference: bool = False


class TrainingMoment(Record):
    """A stretch of a step in one layer (None: the loss or the optimizer), in bytes: the most that lived in it, and what
    lived at its end.
    """

    moment: str
    layer: str | None
    highest: int
    end: int


class TrainingPeak(Record):
    """The most bytes that live at any operator boundary of a step, where that is, and what they are.

    parts: parameters, buffers, gradients, optimizer, activations, inputs, other at that moment. "activations" are all
    tensors of the forward and the backward pass, with the gradients of activations and what the optimizer needs for a
    moment; "other" is the loss, the gradient that backward starts from, and numbers handed to operators.
    """

    bytes: int
    moment: str
    layer: str | None
    parts: tuple[tuple[str, int], ...]
    timeline: tuple[TrainingMoment, ...]


class DeviceShare(Record):
    """What a GPU holds beyond the tensors of a step, in bytes (None: not known, and left out).

    basis: "assumed" by rules that were not compared with a GPU, "calibrated" on this one, or "not included".
    """

    name: str
    bytes: int | None
    basis: Literal["assumed", "calibrated", "not included"]
    note: str


class Capacity(Record):
    """The memory that something is to fit into, in bytes.

    memory: of the device, or a budget. reserve: what stays free of it for what is not predicted, such as CUDA's context
    and workspaces. device: the name of the device, None for a budget.
    """

    memory: int
    reserve: int = 0
    device: str | None = None

    @property
    def available(self) -> int:
        """What tensors may take."""
        return max(self.memory - self.reserve, 0)


class TrainingMemory(Record):
    """What training holds, in bytes of the whole batch.

    saved: what autograd's graph holds after the forward pass and the loss, besides parameters, buffers, inputs and
    targets; saved_by_layer: the same by the layer that made it. optimizer_state is that from the second step on.
    first, steady: the peaks of the first step, in which the state appears, and of every later one. device: what a GPU
    holds on top of the larger one.
    """

    name: str
    source: Source
    setting: TrainingSetting
    parameters: int
    buffers: int
    gradients: int
    optimizer_state: int
    inputs: int
    saved: int
    saved_by_layer: tuple[tuple[str, int], ...]
    first: TrainingPeak
    steady: TrainingPeak
    device: tuple[DeviceShare, ...] = ()

    @property
    def reserved(self) -> int:
        """The peak with all that is known to come on top of it on the device."""
        return self.peak.bytes + sum(each.bytes or 0 for each in self.device)

    @property
    def forward(self) -> TrainingMoment:
        """The stretch of a later step's forward pass, the loss included, in which most lives."""
        passed = [each for each in self.steady.timeline if each.moment in ("forward", "loss")]
        return max(passed, key=lambda each: each.highest)

    @property
    def peak(self) -> TrainingPeak:
        """The larger of the two peaks: what must fit."""
        return max(self.first, self.steady, key=lambda each: each.bytes)


class TrainingChoice(Record):
    """The peak of training under another optimizer, precision ("autocast" or a type), with or without checkpoints.

    bytes: the peak of the tensors; reserved: with all that is known to come on top of it on the device.
    """

    optimizer: str
    dtype: str
    checkpoint: tuple[str, ...]
    bytes: int
    reserved: int


class InputFit(Record):
    """The largest input whose training stays within a capacity at the batch of the setting.

    inputs: the volume of every input by name, none where not even the smallest one fits; fits: its memory, None there.
    beyond_inputs, beyond: the next larger input, which does not fit; none where the network accepts no larger one.
    """

    name: str
    capacity: Capacity
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    fits: TrainingMemory | None
    beyond_inputs: tuple[tuple[str, tuple[int, ...]], ...]
    beyond: TrainingMemory | None


class BatchFit(Record):
    """The largest batch whose training stays within a capacity.

    batch: 0 where not even the smallest one fits; smallest: the smallest batch that PyTorch trains. fits: its memory,
    None where batch is 0; beyond: that of the next larger batch, which does not fit, None where the largest batch
    that is counted fits.
    """

    name: str
    capacity: Capacity
    smallest: int
    batch: int
    fits: TrainingMemory | None
    beyond: TrainingMemory | None

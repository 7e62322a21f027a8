"""What a data set is to a training loop: two parts that are read batch by batch."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor
from torch.utils.data import Dataset

from convsize.lowering.plan import PlanInput
from convsize.record import Record

Batch = tuple[tuple[Tensor, ...], dict[str, Tensor]]
"""The inputs in the network's order, each (N, C, H, W), and the targets by the output's name.

A target is (N, …) int64, the class at every position of the output, or float32 of the output's own volume where the
output is regressed.
"""


class Samples(Dataset[Batch]):
    """A part of a data set. Reading is by batches: PyTorch's loaders call `__getitems__` with a sampler's batch.

    A loader needs a `collate_fn` that returns what it is given, for a batch is whole already.
    """

    @abstractmethod
    def __len__(self) -> int:
        """The number of samples."""

    @abstractmethod
    def __getitems__(self, indices: list[int]) -> Batch:
        """The samples of these places, in this order."""

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch is read: augmentation is another one in every epoch."""


class Data(Record):
    """A data set as a network is trained on it.

    classes: the names of the classes in the order of their numbers; none where nothing is classified. said: what was
    done to the data to fit the network, sentences for the user. from_files: whether every sample is a file that is
    read when it is asked for, so that processes that read ahead are worth their start.
    """

    name: str
    train: Samples
    test: Samples
    classes: tuple[str, ...]
    said: tuple[str, ...]
    from_files: bool = False

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch of training begins, counted from 0.

        What is read depends on the seed, the epoch and the sample alone: a run that is resumed reads the same.
        """
        self.train.set_epoch(epoch)


class Task(Record):
    """What a network wants to be trained on.

    outputs: the volume (C, H, W) of every output by name. regressed: the outputs that are trained on numbers instead of
    classes.
    """

    network: str
    inputs: tuple[PlanInput, ...]
    outputs: dict[str, tuple[int, ...]]
    regressed: frozenset[str]


def volume(dims: tuple[int, ...]) -> str:
    """A volume as specs write it: 3@32x32."""
    return f"{dims[0]}@{'x'.join(map(str, dims[1:]))}" if dims[1:] else str(dims[0])

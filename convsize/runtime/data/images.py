"""Sets of images: fitted to the network's input, normalised, and read batch by batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from convsize.errors import UsageError
from convsize.record import Record
from convsize.runtime.data.augmentation import Augmentation
from convsize.runtime.data.pixels import Pixels
from convsize.runtime.data.preparation import Preparation
from convsize.runtime.data.samples import Batch, Data, Samples, Task, volume
from convsize.runtime.data.targets import Targets, image_targets
from convsize.words import listed, plural

_MEASURED = 2048
"""Images that mean and deviation are taken from at most where every one is a file to be read."""

_READY_BYTES = 2**28
"""Images are kept as the network takes them up to here: MNIST's 60,000 at 32x32 just are."""


class Part(Record):
    """The images of the training set or of the test set.

    labels: (N,) int64, the class of every image; 0 where there are no classes. numbers: what regressed outputs are
    trained on, (N, k) float32 by the output's name.
    """

    pixels: Pixels
    labels: Tensor
    numbers: Mapping[str, Tensor] = {}


class ImageSet(Record):
    """A data set as it was read, before anything is fitted to a network.

    white: the number that stands for white. mirrored: whether mirroring keeps an image's class. sizes: what sizes the
    images have in their files, if it is not that of their pixels here. said: what reading them had to say.
    """

    name: str
    train: Part
    test: Part
    classes: tuple[str, ...]
    white: int = 255
    mirrored: bool = False
    sizes: str = ""
    said: tuple[str, ...] = ()
    from_files: bool = False


class _Images(Samples):
    """The images of a part, prepared: once where there is room, else batch by batch."""

    def __init__(
        self, part: Part, targets: Targets, preparation: Preparation, augmentation: Augmentation | None, *, keep: bool
    ) -> None:
        self._pixels = part.pixels
        self._targets = targets
        self._prepare = preparation
        self._augment = augmentation
        # Shared, so that processes that were started before learn of a new epoch, too.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]
        self._ready: Tensor | None = None
        if keep and augmentation is None and len(self) * preparation.bytes <= _READY_BYTES:
            self._ready = torch.empty(len(self), *preparation.dims)
            for places in torch.split(torch.arange(len(self)), 1024):
                self._ready[places] = self._read(places)

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitems__(self, indices: list[int]) -> Batch:
        places = torch.tensor(indices)
        images = self._read(places) if self._ready is None else self._ready[places]
        return (images,), self._targets.of(places, images, self._prepare)

    def set_epoch(self, epoch: int) -> None:
        self._epoch.fill_(epoch)

    def _read(self, places: Tensor) -> Tensor:
        pixels = self._pixels.read(places)
        if self._augment is not None:
            pixels = self._augment(pixels, places, int(self._epoch))
        return self._prepare(pixels)


def image_input(task: Task, name: str) -> tuple[int, int, int]:
    """The volume (C, H, W) of the one input of a network that images are shown to.

    Raises UsageError where the network takes something else than one image.
    """
    if len(task.inputs) == 1 and not task.inputs[0].tokens:
        dims = task.inputs[0].dims
        if len(dims) == 3 and dims[0] in (1, 3):
            return (dims[0], dims[1], dims[2])
    taken = ", ".join(f"{volume(each.dims)}{' of tokens' if each.tokens else ''}" for each in task.inputs)
    raise UsageError(
        f"{name} has images of 1 or 3 maps, {task.network} takes {taken}: --data fake has samples for any network"
    )


def image_data(images: ImageSet, task: Task, *, seed: int, augment: bool) -> Data:
    """A set of images as the batches that a network is trained on.

    Raises UsageError where the images or their classes do not fit it.
    """
    dims = image_input(task, images.name)
    classes = images.classes
    native = images.train.pixels.volume
    targets = [
        image_targets(task, images.name, classes, part.labels, part.numbers, dims)
        for part in (images.train, images.test)
    ]
    if augment and images.train.numbers:
        named = listed([f"`{name}`" for name in images.train.numbers])
        raise UsageError(f"--augment moves images, but the targets of {named} would not move with them: leave it out")
    most = _MEASURED if images.from_files else None
    preparation = Preparation.fitted(images.train.pixels, native, dims, images.white, most)
    augmentation = Augmentation(seed, images.mirrored) if augment else None
    keep = not images.from_files
    train = _Images(images.train, targets[0], preparation, augmentation, keep=keep)
    test = _Images(images.test, targets[1], preparation, None, keep=keep)
    of_classes = f" of {plural(len(classes), 'class')}" if classes else ""
    said = [
        f"{images.name}: {plural(len(train), 'image')}{of_classes} for training and {len(test):,} for the test, "
        f"{images.sizes or volume(native)}",
        *images.said,
        *preparation.said(),
    ]
    if augmentation is not None:
        said.append(augmentation.said(*native[1:]))
    spare = [f"`{name}`" for name, out in task.outputs.items() if name not in task.regressed and out[0] > len(classes)]
    if spare:
        said.append(f"{listed(spare)} can distinguish more classes than these {len(classes)}")
    return Data(images.name, train, test, classes, tuple(said), images.from_files)

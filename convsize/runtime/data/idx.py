"""MNIST and what is made like it: images and labels in IDX files, as they are published, packed by gzip or not."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convsize.errors import UsageError
from convsize.runtime.data.files import is_there, require_directory
from convsize.runtime.data.images import ImageSet, Part
from convsize.runtime.data.pixels import MemoryPixels
from convsize.words import plural

_LARGEST = 2**30
"""Bytes of a file's values: MNIST has 47 million. A header must not fill the memory."""

_DENSEST = 1032
"""Bytes that a byte of gzip stands for at most."""

_CLOTHES = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def read_mnist(place: str) -> ImageSet:
    """`mnist:DIR` (LeCun, Cortes & Burges). Raises UsageError where a file is missing or is not what it should be."""
    return _read("mnist", place, tuple(map(str, range(10))), mirrored=False)


def read_fashion_mnist(place: str) -> ImageSet:
    """`fashion-mnist:DIR` (Xiao, Rasul & Vollgraf 2017), in MNIST's format. Raises UsageError as `read_mnist`."""
    return _read("fashion-mnist", place, _CLOTHES, mirrored=True)


def _read(name: str, place: str, classes: tuple[str, ...], *, mirrored: bool) -> ImageSet:
    directory = require_directory(name, place)
    parts = []
    for stem in ("train", "t10k"):
        images = _found(directory / f"{stem}-images-idx3-ubyte")
        numbers = _found(directory / f"{stem}-labels-idx1-ubyte")
        pixels, labels = read_idx(images, 3), read_idx(numbers, 1)
        if len(pixels) != len(labels):
            raise UsageError(
                f"`{images}` has {plural(len(pixels), 'image')} and `{numbers}` {plural(len(labels), 'label')}: they "
                "belong to "
                "different data sets"
            )
        if int(labels.max()) >= len(classes):
            raise UsageError(f"`{numbers}` has the label {int(labels.max())}; the classes of {name} are 0 to 9")
        parts.append(Part(MemoryPixels(pixels[:, None]), labels.long()))
    train, test = parts
    if train.pixels.volume != test.pixels.volume:
        raise UsageError(f"the images of `{directory}` for training and for the test have different sizes")
    return ImageSet(name, train, test, classes, mirrored=mirrored)


def _found(path: Path) -> Path:
    """The file or the one that gzip made of it."""
    packed = path.with_name(f"{path.name}.gz")
    for each in (path, packed):
        if is_there(each):
            return each
    raise UsageError(
        f"there is neither `{path}` nor `{packed.name}` beside it: MNIST's four files must keep their names"
    )


def read_idx(path: Path, rank: int) -> Tensor:
    """The values of an IDX file of bytes with `rank` axes, uint8.

    Raises UsageError where the file is something else, is cut short, or goes on.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(4 * (rank + 1))
            if len(head) < 4 * (rank + 1) or head[:4] != bytes((0, 0, 8, rank)):
                raise UsageError(
                    f"`{path}` is not an IDX file of bytes with {rank} ax{'i' if rank == 1 else 'e'}s: it begins with "
                    f"{head[:4].hex(' ') or 'nothing'} instead of {bytes((0, 0, 8, rank)).hex(' ')}"
                )
            shape = tuple(int.from_bytes(head[at : at + 4]) for at in range(4, len(head), 4))
            size = math.prod(shape)
            if not 0 < size <= _LARGEST:
                raise UsageError(f"`{path}` claims {'x'.join(map(str, shape))} values, so it is not an MNIST file")
            if size > _DENSEST * path.stat().st_size:
                raise UsageError(
                    f"`{path}` says that it has {'x'.join(map(str, shape))} values, which do not go into its "
                    f"{plural(path.stat().st_size, 'byte')}: download it again"
                )
            values = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"`{path}` cannot be read: {reason}; download it again") from None
    if len(values) != size:
        told = f"ends after {len(values):,} of" if len(values) < size else "goes on after"
        raise UsageError(f"`{path}` {told} {plural(size, 'value')}: download it again")
    return torch.from_numpy(np.frombuffer(bytearray(values), dtype=np.uint8).reshape(shape))

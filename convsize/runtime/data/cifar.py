"""CIFAR-10 in the format for C programs: the one of its three that is plain data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from convsize.errors import UsageError
from convsize.runtime.data.files import is_there, require_directory
from convsize.runtime.data.images import ImageSet, Part
from convsize.runtime.data.pixels import MemoryPixels
from convsize.words import plural

_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_RECORD = 1 + 3 * 32 * 32
_LARGEST = 10**5 * _RECORD
_TRAINING = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
_ARCHIVE = "cifar-10-binary.tar.gz"


def read_cifar10(place: str) -> ImageSet:
    """`cifar10:DIR` (Krizhevsky 2009): data_batch_1.bin to data_batch_5.bin and test_batch.bin, as they are unpacked.

    Raises UsageError where a file is missing or is not what it should be.
    """
    directory = require_directory("cifar10", place)
    unpacked = directory / "cifar-10-batches-bin"
    if unpacked.is_dir():
        directory = unpacked
    missing = [name for name in (*_TRAINING, "test_batch.bin") if not is_there(directory / name)]
    if missing:
        raise UsageError(f"`{directory}` has no {', '.join(missing)}: {_advice(directory)}")
    train, test = (_read([directory / name for name in names]) for names in (_TRAINING, ("test_batch.bin",)))
    return ImageSet("cifar10", train, test, _CLASSES, mirrored=True)


def _advice(directory: Path) -> str:
    for python in (directory, directory / "cifar-10-batches-py"):
        if (python / "data_batch_1").exists():
            return (
                f"`{python}` holds the Python version: pickles, which can run code and are never loaded. Get the "
                f"binary version, {_ARCHIVE}, and unpack it there"
            )
    if (directory / _ARCHIVE).exists():
        return f"unpack {_ARCHIVE} there"
    return f"unpack the binary version, {_ARCHIVE}, there"


def _read(paths: list[Path]) -> Part:
    """The images of some files: a byte for the label, then 32x32 bytes of red, of green and of blue."""
    parts = []
    for path in paths:
        try:
            size = path.stat().st_size
            data = path.read_bytes() if size <= _LARGEST else b""
        except OSError as error:
            raise UsageError(f"`{path}` cannot be read: {error.strerror}") from None
        if size > _LARGEST:
            raise UsageError(
                f"`{path}` has {plural(size, 'byte')}; a file of CIFAR-10 has 30,730,000: get {_ARCHIVE} again"
            )
        if not data or size % _RECORD:
            raise UsageError(
                f"`{path}` has {plural(size, 'byte')}, which is not a multiple of the image size {_RECORD:,}: get "
                f"{_ARCHIVE} "
                "again"
            )
        parts.append(np.frombuffer(data, dtype=np.uint8).reshape(-1, _RECORD))
        if (highest := int(parts[-1][:, 0].max())) >= len(_CLASSES):
            raise UsageError(f"`{path}` has the label {highest}; the classes of CIFAR-10 are 0 to 9")
    records = torch.from_numpy(np.concatenate(parts))
    return Part(MemoryPixels(records[:, 1:].reshape(-1, 3, 32, 32)), records[:, 0].long())

"""Small data sets in their published formats, written for the tests."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from PIL import Image


def idx(values: np.ndarray) -> bytes:
    """An IDX file of bytes."""
    return b"".join([bytes((0, 0, 8, values.ndim)), *(extent.to_bytes(4) for extent in values.shape), values.tobytes()])


def write_mnist(directory: Path, training: int = 20, test: int = 10, size: int = 28, packed: bool = True) -> Path:
    """A set in MNIST's format: image i shows i in every pixel and is of class i mod 10."""
    directory.mkdir(exist_ok=True)
    for stem, count in (("train", training), ("t10k", test)):
        numbers = np.arange(count, dtype=np.uint8)
        images = np.broadcast_to(numbers[:, None, None], (count, size, size))
        for kind, values in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", numbers % 10)):
            data = idx(np.ascontiguousarray(values))
            path = directory / f"{stem}-{kind}{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(data) if packed else data)
    return directory


def write_cifar10(directory: Path, each: int = 4) -> Path:
    """CIFAR-10's files: image i of a file is of class i and has i, 100 + i and 200 + i for red, green and blue."""
    directory.mkdir(exist_ok=True)
    numbers = np.arange(each, dtype=np.uint8)
    planes = numbers[:, None, None] + np.array([0, 100, 200], dtype=np.uint8)[:, None]
    records = np.concatenate([numbers[:, None], np.broadcast_to(planes, (each, 3, 1024)).reshape(each, -1)], axis=1)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (directory / f"{name}.bin").write_bytes(records.tobytes())
    return directory


def write_image(path: Path, colour: int | tuple[int, int, int], size: tuple[int, int] = (32, 32)) -> Path:
    """An image of one colour, of this width and height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(colour, int) else "RGB", size, colour).save(path)
    return path


def write_folder(directory: Path, classes: str = "ab", each: int = 5) -> Path:
    """A folder of a few images for every class: image i of class a has the grey i, of class b 50 + i, and so on."""
    for number, name in enumerate(classes):
        for image in range(each):
            write_image(directory / name / f"{image}.png", 50 * number + image)
    return directory

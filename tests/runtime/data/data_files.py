"""Small data sets in their published formats, written for the tests."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np


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

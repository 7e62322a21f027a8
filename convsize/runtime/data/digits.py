"""The handwritten digits that come with scikit-learn."""

from __future__ import annotations

import torch

from convsize.errors import UsageError
from convsize.runtime.data.images import ImageSet, Part
from convsize.runtime.data.pixels import MemoryPixels
from convsize.runtime.data.split import stratified

_TEST_SHARE = 0.2


def read_digits() -> ImageSet:
    """1,797 digits of 8x8 pixels in 17 greys (Alpaydin & Kaynak 1998), a fifth of every class for the test.

    Raises UsageError where scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits  # type: ignore[import-untyped]
    except ImportError:
        raise UsageError(
            "--data digits comes with scikit-learn, which is not installed: pip install 'convsize[train]'"
        ) from None
    found = load_digits()
    pixels = torch.from_numpy(found.images).to(torch.uint8)[:, None]
    labels = torch.from_numpy(found.target).long()
    training, test = stratified(labels, _TEST_SHARE)
    return ImageSet(
        name="digits",
        train=Part(MemoryPixels(pixels[training]), labels[training]),
        test=Part(MemoryPixels(pixels[test]), labels[test]),
        classes=tuple(map(str, range(10))),
        white=16,
    )

"""Augmentation: images shifted and mirrored, as the seed, the epoch and the image's number say."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

_STEP = np.uint64(0x9E3779B97F4A7C15)


def draws(seed: int, epoch: int, places: Tensor, count: int) -> Tensor:
    """Numbers from 0 to 2^31 - 1, (count, N) int64, that look random and depend on the arguments alone.

    A generator that is drawn from would depend on the order of reading, which processes that read ahead and runs that
    are resumed do not keep. The mixing is that of SplitMix64 (Steele, Lea & Flood 2014).
    """
    state = np.array([seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)
    for number in (
        np.array([epoch], dtype=np.uint64),
        places.numpy().astype(np.uint64),
        np.arange(count, dtype=np.uint64)[:, None],
    ):
        state = _mixed(state + (number + np.uint64(1)) * _STEP)
    return torch.from_numpy((state >> np.uint64(33)).astype(np.int64))


def _mixed(x: np.ndarray[tuple[int, ...], np.dtype[np.uint64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Augmentation(NamedTuple):
    """Shifts images by up to an eighth of their height and width, black coming in, and mirrors every second one.

    mirrored: whether a mirrored image is one of its class, too: a shoe is, a 3 is not.
    """

    seed: int
    mirrored: bool

    def __call__(self, pixels: Tensor, places: Tensor, epoch: int) -> Tensor:
        """The images (N, C, H, W) of these places, as this epoch sees them."""
        height, width = pixels.shape[2:]
        down, right, mirror = draws(self.seed, epoch, places, 3)
        rows = _line(height, down)
        columns = _line(width, right)
        if self.mirrored:
            columns = torch.where((mirror % 2 == 0)[:, None], columns, columns.flip(1))
        batch = torch.arange(len(pixels))[:, None, None]
        seen = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
        rows, columns = rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]
        # Indexing puts the maps last: (N, H, W, C).
        return (pixels[batch, :, rows, columns] * seen[..., None]).permute(0, 3, 1, 2)

    def said(self, height: int, width: int) -> str:
        """What is done to the images, for the user."""
        reach = max(_reach(height), _reach(width))
        mirrored = " and mirrored at random" if self.mirrored else ""
        return f"augmented: shifted by up to {reach} pixel{'s' * (reach > 1)}{mirrored}"


def _reach(extent: int) -> int:
    return max(1, extent // 8)


def _line(extent: int, drawn: Tensor) -> Tensor:
    """The rows (or columns) that are read, (N, extent): some of them outside of the image."""
    reach = _reach(extent)
    return torch.arange(extent) + (drawn % (2 * reach + 1) - reach)[:, None]

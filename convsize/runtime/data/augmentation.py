"""Augmentation: images shifted and mirrored, as the seed, the epoch and the image's number say."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from convsize.record import Record
from convsize.words import plural

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


class Augmentation(Record):
    """Shifts images by up to an eighth of their height and width, black coming in, and mirrors every second one.

    mirrored: whether a mirrored image is one of its class, too: a shoe is, a 3 is not.
    """

    seed: int
    mirrored: bool

    def __call__(self, pixels: Tensor, places: Tensor, epoch: int) -> Tensor:
        """The images (N, C, H, W) of these places, as this epoch sees them."""
        height, width = pixels.shape[2:]
        down, right = _reach(height), _reach(width)
        drawn = draws(self.seed, epoch, places, 3)
        tops, lefts = (drawn[0] % (2 * down + 1)).tolist(), (drawn[1] % (2 * right + 1)).tolist()
        mirrors = (drawn[2] % 2 == 0).tolist() if self.mirrored else [False] * len(pixels)
        wide = np.zeros((*pixels.shape[:2], height + 2 * down, width + 2 * right), dtype=np.uint8)
        wide[:, :, down : down + height, right : right + width] = pixels.numpy()
        moved = np.empty(tuple(pixels.shape), dtype=np.uint8)
        # Slices, image by image: ten times faster than one gather of all pixels.
        for at, (top, left, mirror) in enumerate(zip(tops, lefts, mirrors, strict=True)):
            window = wide[at, :, top : top + height, left : left + width]
            moved[at] = window[..., ::-1] if mirror else window
        return torch.from_numpy(moved)

    def said(self, height: int, width: int) -> str:
        """What is done to the images, for the user."""
        reach = max(_reach(height), _reach(width))
        mirrored = " and mirrored at random" if self.mirrored else ""
        return f"augmented: shifted by up to {plural(reach, 'pixel')}{mirrored}"


def _reach(extent: int) -> int:
    return max(1, extent // 8)

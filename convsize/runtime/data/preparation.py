"""From an image's pixels to a network's input: its size, its maps, its range."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch import Tensor

from convsize.record import Record
from convsize.runtime.data.pixels import Pixels
from convsize.words import plural

_LUMA = (0.299, 0.587, 0.114)
"""What red, green and blue add to brightness: ITU-R BT.601."""

_MOST_PADDING = 1.25


class Preparation(Record):
    """What is done to every image, (N, C, H, W) uint8 in and float32 out.

    native, dims: its volume before and after. white: the number that stands for white. mean, deviation: those of the
    training images with black as 0 and white as 1, for every map of the smaller of the two depths. measured: how many
    images they are taken from, of how many.
    """

    native: tuple[int, int, int]
    dims: tuple[int, int, int]
    white: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    measured: tuple[int, int]

    @classmethod
    def fitted(
        cls,
        training: Pixels,
        native: tuple[int, int, int],
        dims: tuple[int, int, int],
        white: int,
        most: int | None = None,
    ) -> Preparation:
        """The preparation that makes images of one volume those of another, with the statistics of the training set.

        `most` of the training images are read at most, evenly spread.
        """
        count = len(training)
        measured = count if most is None else min(most, count)
        depth = min(native[0], dims[0])
        counts = torch.zeros(depth, 256, dtype=torch.int64)
        for places in torch.split(torch.arange(measured) * count // measured, 1024):
            pixels = _fewer_maps(training.read(places), depth)
            counts += torch.stack([torch.bincount(pixels[:, each].flatten(), minlength=256) for each in range(depth)])
        levels = torch.arange(256, dtype=torch.float64) / white
        share = counts / counts.sum(1, keepdim=True)
        mean = (share * levels).sum(1)
        deviation = (share * (levels - mean[:, None]) ** 2).sum(1).sqrt()
        # Images of one colour have no deviation: they stay as they are.
        deviation[deviation == 0] = 1
        return cls(native, dims, white, tuple(mean.tolist()), tuple(deviation.tolist()), (measured, count))

    @property
    def bytes(self) -> int:
        """Bytes of a prepared image."""
        return 4 * math.prod(self.dims)

    def __call__(self, pixels: Tensor) -> Tensor:
        images = _fitted(_fewer_maps(pixels, self.dims[0]).float(), self.dims[1:])
        mean, deviation = self._statistics()
        images = images.sub_(mean * self.white).div_(deviation * self.white)
        return images.expand(-1, self.dims[0], -1, -1).contiguous()

    def undone(self, images: Tensor) -> Tensor:
        """Prepared images with black as 0 and white as 1."""
        mean, deviation = self._statistics()
        return images * deviation + mean

    def _statistics(self) -> tuple[Tensor, Tensor]:
        return torch.tensor(self.mean)[:, None, None], torch.tensor(self.deviation)[:, None, None]

    def said(self) -> list[str]:
        """What is done, for the user."""
        lines = []
        height, width = self.native[1:]
        extents = f"from {height}x{width} to {self.dims[1]}x{self.dims[2]}"
        if self.native[1:] != self.dims[1:]:
            if _pads(self.native[1:], self.dims[1:]):
                lines.append(f"padded with black {extents}")
            else:
                cut = height * self.dims[2] != width * self.dims[1]
                lines.append(f"resized {extents}{', cropped to fit' if cut else ''}")
        if self.native[0] < self.dims[0]:
            lines.append(f"grey images repeated in {plural(self.dims[0], 'map')}")
        elif self.native[0] > self.dims[0]:
            lines.append("colours turned to grey")
        measured, count = self.measured
        source = "the training images'" if measured == count else f"{measured:,} training images'"
        mean, deviation = (", ".join(f"{each:.4f}" for each in values) for values in (self.mean, self.deviation))
        lines.append(f"normalised by {source} mean {mean} and standard deviation {deviation} (white is 1)")
        return lines


def _fewer_maps(pixels: Tensor, depth: int) -> Tensor:
    """Colours as greys where a single map is asked for."""
    if pixels.shape[1] <= depth:
        return pixels
    red, green, blue = (share * each for share, each in zip(_LUMA, pixels.unbind(1), strict=True))
    return (red + green + blue).round().to(torch.uint8)[:, None]


def _pads(native: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether images are so little smaller that a black border is better than blurring them."""
    return all(old <= new <= _MOST_PADDING * old for old, new in zip(native, wanted, strict=True))


def _fitted(images: Tensor, wanted: tuple[int, ...]) -> Tensor:
    """Images of the wanted height and width: padded, or resized to cover them with cropped to fit."""
    native = tuple(images.shape[2:])
    if native == wanted:
        return images
    if _pads(native, wanted):
        (top, bottom), (left, right) = (
            ((new - old) // 2, new - old - (new - old) // 2) for old, new in zip(native, wanted, strict=True)
        )
        return F.pad(images, (left, right, top, bottom))
    scale = max(new / old for old, new in zip(native, wanted, strict=True))
    covering = tuple(max(new, round(old * scale)) for old, new in zip(native, wanted, strict=True))
    images = F.interpolate(images, covering, mode="bilinear", antialias=True)
    top, left = ((have - new) // 2 for have, new in zip(covering, wanted, strict=True))
    return images[:, :, top : top + wanted[0], left : left + wanted[1]].contiguous()

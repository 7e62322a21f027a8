"""Images that are files, decoded by Pillow to the network's volume."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from convsize.errors import UsageError
from convsize.record import Record
from convsize.runtime.data.pixels import MemoryPixels, Pixels
from convsize.words import listed, plural

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""Files of other names are no images."""

MEMORY_BYTES = 2**28
"""Sets are decoded once and kept up to here; larger ones are decoded anew whenever they are asked for."""

_LOOKED_AT = 20_000
"""Files of a larger set that are looked at beforehand at most; an unreadable one among the others ends the run."""

_NAMED = 5

_ORIENTATION = 0x0112
"""EXIF's number for how an image is turned."""

_OF_16_BITS = frozenset({"PNG", "PPM"})
"""Formats of whole numbers up to 16 bits, which Pillow may hold in 32."""

_Found = TypeVar("_Found")
_Volume = tuple[int, int, int]
_Decoded = tuple[np.ndarray[Any, np.dtype[np.uint8]], tuple[int, int]]


class UnreadableImageError(UsageError):
    """An image that cannot be decoded.

    A loader that reads in other processes raises it anew with their traceback before the message.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message.rpartition("UnreadableImageError: ")[2].rstrip())


class Extents(Record):
    """The sizes that images have before they are fitted: the smallest and the largest height and width."""

    least: tuple[int, int]
    most: tuple[int, int]

    def __str__(self) -> str:
        return " to ".join(f"{height}x{width}" for height, width in dict.fromkeys((self.least, self.most)))


class ImageFiles(Pixels):
    """Images in files, each of them scaled to cover the volume (C, H, W), with cropped to fit."""

    def __init__(self, paths: Sequence[Path], volume: _Volume) -> None:
        self._paths = paths
        self.volume = volume

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, places: Tensor) -> Tensor:
        images = np.empty((len(places), *self.volume), dtype=np.uint8)
        for at, place in enumerate(places.tolist()):
            path = self._paths[place]
            try:
                with _only_errors():
                    images[at], _ = _decoded(path, self.volume)
            except Exception as error:
                raise UnreadableImageError(f"`{path}` cannot be read: {_reason(error)}; remove or replace it") from None
        return torch.from_numpy(images)


def open_images(
    parts: Sequence[Sequence[Path]], volume: _Volume, smallest: tuple[int, int] | None, network: str
) -> tuple[list[Pixels], Extents]:
    """The images of some parts, in memory where there is room for all, and the sizes they have.

    smallest: the smallest height and width that the network takes.

    Raises UsageError where Pillow is not installed, or some images are unreadable or smaller than that.
    """
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        raise UsageError(
            "folders of images are read by Pillow, which is not installed: pip install 'convsize[train]'"
        ) from None
    paths = [path for part in parts for path in part]
    depth, height, width = volume
    if len(paths) * depth * height * width <= MEMORY_BYTES:
        decoded = _each(partial(_decoded, volume=volume), paths)
        extents = _extents([size for _, size in decoded], paths, smallest, network)
        images = iter(decoded)
        return [
            MemoryPixels(torch.from_numpy(np.stack([pixels for _, (pixels, _) in zip(part, images, strict=False)])))
            for part in parts
        ], extents
    count = min(len(paths), _LOOKED_AT)
    some = [paths[at * len(paths) // count] for at in range(count)]
    extents = _extents(_each(_size, some), some, smallest, network)
    return [ImageFiles(part, volume) for part in parts], extents


def _each(look: Callable[[Path], _Found], paths: Sequence[Path]) -> list[_Found]:
    """What is seen of every file, in order. Raises UsageError that names those that cannot be read."""

    def guarded(path: Path) -> _Found | UnreadableImageError:
        try:
            return look(path)
        except Exception as error:  # Pillow's decoders raise whatever a broken file leads them to
            return UnreadableImageError(f"`{path}` ({_reason(error)})")

    with _only_errors(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        seen = list(pool.map(guarded, paths))
    failed = sorted(str(each) for each in seen if isinstance(each, UnreadableImageError))
    if failed:
        raise UnreadableImageError(
            f"{len(failed):,} of {plural(len(paths), 'image')} cannot be read: {listed(failed, most=_NAMED)}; "
            f"remove or replace {'it' if len(failed) == 1 else 'them'}"
        )
    return [each for each in seen if not isinstance(each, UnreadableImageError)]


def _extents(
    sizes: Sequence[tuple[int, int]], paths: Sequence[Path], smallest: tuple[int, int] | None, network: str
) -> Extents:
    """The range of some images' heights and widths. Raises UsageError where the network cannot take some of them."""
    least, most = (tuple(end(axis) for axis in zip(*sizes, strict=True)) for end in (min, max))
    if smallest is not None and (least[0] < smallest[0] or least[1] < smallest[1]):
        small = [
            f"`{path}` ({height}x{width})"
            for path, (height, width) in zip(paths, sizes, strict=True)
            if height < smallest[0] or width < smallest[1]
        ]
        raise UsageError(
            f"{len(small):,} of {plural(len(sizes), 'image')} are smaller than {smallest[0]}x{smallest[1]}, the "
            "smallest "
            f"input that {network} accepts: {listed(small, most=_NAMED)}; remove them, or enlarge them first"
        )
    return Extents((least[0], least[1]), (most[0], most[1]))


def _decoded(path: Path, volume: _Volume) -> _Decoded:
    """The image of this volume (C, H, W), with the height and width that it had."""
    from PIL import Image, ImageOps

    depth, height, width = volume
    mode = "L" if depth == 1 else "RGB"
    with Image.open(path) as image:
        size = _upright_size(image)
        # Photographs are many times larger than what is asked for: JPEG can leave the detail undecoded.
        image.draft(mode, (width, height) if size == (image.height, image.width) else (height, width))
        whole = image.mode.startswith("I;16") or (image.mode == "I" and image.format in _OF_16_BITS)
        if image.mode[0] in "IF" and not whole:
            raise ValueError("its numbers of 32 bits do not say what is white: save it with 8 or 16")
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):
            # 16 bits: converting would leave everything above 255 white.
            upright = Image.fromarray((np.asarray(upright) >> 8).clip(0, 255).astype(np.uint8))
        fitted = ImageOps.fit(upright.convert(mode), (width, height), Image.Resampling.BILINEAR)
    return np.asarray(fitted).reshape(height, width, depth).transpose(2, 0, 1), size


def _size(path: Path) -> tuple[int, int]:
    """An image's height and width, which stand at its beginning."""
    from PIL import Image

    with Image.open(path) as image:
        return _upright_size(image)


def _upright_size(image: Any) -> tuple[int, int]:
    """An image's height and width as it is to be seen: EXIF may turn it by a quarter."""
    turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    return (image.width, image.height) if turned else (image.height, image.width)


@contextmanager
def _only_errors() -> Iterator[None]:
    """Pillow's warnings of damaged metadata are left out; that of an image too large to be decoded is an error."""
    from PIL.Image import DecompressionBombWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", DecompressionBombWarning)
        yield


def _reason(error: Exception) -> str:
    if type(error).__name__ == "UnidentifiedImageError":
        return "no image"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__

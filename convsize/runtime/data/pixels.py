"""Images as whole numbers, wherever they lie."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor


class Pixels(ABC):
    """Images of one volume (C, H, W), as whole numbers from 0."""

    volume: tuple[int, int, int]

    @abstractmethod
    def __len__(self) -> int:
        """The number of images."""

    @abstractmethod
    def read(self, places: Tensor) -> Tensor:
        """The images of these places, (N, C, H, W) uint8."""


class MemoryPixels(Pixels):
    """Images that lie in memory, (N, C, H, W) uint8."""

    def __init__(self, values: Tensor) -> None:
        self._values = values
        _, channels, height, width = values.shape
        self.volume = (channels, height, width)

    def __len__(self) -> int:
        return len(self._values)

    def read(self, places: Tensor) -> Tensor:
        return self._values[places]

"""Values of Keras: tensors whose maps stand last, and the same with the depth first, as PyTorch has them."""

from __future__ import annotations

from convsize.importing.aten.values import flattened, permuted, viewed
from convsize.importing.writer import Wire, Writer

__all__ = ["Value"]


class Value:
    """One tensor, in the order of Keras's axes or with its last axis after the batch; whichever is asked for is made.

    >>> writer = Writer("a.keras")
    >>> value = Value(writer, volume=writer.input("x", (2, 3, 8, 9)))
    >>> value.shape, value.keras.shape, value.volume.shape
    ((2, 8, 9, 3), (2, 8, 9, 3), (2, 3, 8, 9))
    """

    __slots__ = ("_keras", "_volume", "loose", "sizes", "writer")

    def __init__(
        self,
        writer: Writer,
        keras: Wire | None = None,
        volume: Wire | None = None,
        loose: Wire | None = None,
        sizes: tuple[int, ...] = (),
    ) -> None:
        self.writer = writer
        self._keras = keras
        self._volume = volume
        self.loose = loose
        """A flattened volume of `sizes`, depth first, in PyTorch's order: Keras's has the maps last."""
        self.sizes = sizes

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape as Keras has it, with the batch."""
        if self.loose is not None:
            return self.loose.shape
        if self._keras is not None:
            return self._keras.shape
        assert self._volume is not None
        batch, depth, *extents = self._volume.shape
        return (batch, *extents, depth)

    @property
    def keras(self) -> Wire:
        """The tensor with its axes as Keras has them."""
        if self._keras is None and self.loose is not None:
            whole = viewed(self.writer, self.loose, (self.loose.shape[0], *self.sizes))
            last = len(whole.shape)
            self._keras = flattened(self.writer, permuted(self.writer, whole, (0, *range(2, last), 1)))
        if self._keras is None:
            assert self._volume is not None
            last = len(self._volume.shape)
            self._keras = permuted(self.writer, self._volume, (0, *range(2, last), 1))
        return self._keras

    @property
    def volume(self) -> Wire:
        """The tensor with its last axis after the batch."""
        if self._volume is None:
            x = self.keras
            last = len(x.shape) - 1
            self._volume = permuted(self.writer, x, (0, last, *range(1, last)))
        return self._volume

    @property
    def stands_first(self) -> bool:
        """Whether it is there with the depth first without a further call."""
        return self._volume is not None

    def first(self, data_format: str) -> Wire:
        """The tensor with its depth first, for a layer whose maps stand there or last."""
        return self.keras if data_format == "channels_first" else self.volume

    def made(self, wire: Wire, data_format: str = "channels_last") -> Value:
        """What a call gives that has its depth first."""
        return Value(self.writer, keras=wire) if data_format == "channels_first" else Value(self.writer, volume=wire)

    def alike(self, wire: Wire) -> Value:
        """What a call gives that has the axes of `plain`."""
        if self.loose is not None:
            return Value(self.writer, loose=wire, sizes=self.sizes)
        return Value(self.writer, volume=wire) if self.stands_first else Value(self.writer, keras=wire)

    @property
    def plain(self) -> Wire:
        """The tensor in either order, for calls to which it is all one."""
        if self.loose is not None:
            return self.loose
        return self.volume if self.stands_first else self.keras

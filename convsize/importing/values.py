"""Values: what the names of a call list stand for while it is read."""

from __future__ import annotations

from convsize.importing.axes import Axes
from convsize.record import Record

__all__ = ["Added", "Constant", "Meaning", "Scores", "Spoilt", "Standard", "Unknown", "Value", "Weight"]


class Value(Record):
    """A view of a layer's volume.

    rolled: by how much the positions of each axis are rolled, () for not at all. alias: whether it surely is the same
    memory as the volume, so that what changes the one in place changes the other. copy: the number of the copy that it
    is, 0 for the volume itself.
    """

    layer: int
    axes: Axes
    rolled: tuple[int, ...] = ()
    alias: bool = True
    copy: int = 0


class Weight(Record):
    """A view of a parameter: its factors are those of its own axes, from 0. times: what it is multiplied by."""

    path: str
    shape: tuple[int, ...]
    axes: Axes
    times: float = 1.0


class Standard(Record):
    """A convolution's weight of which every filter is brought to mean 0 and variance 1, times a gain."""

    path: str
    shape: tuple[int, ...]
    eps: float
    gain: str = ""
    times: float = 1.0


class Constant(Record):
    """A tensor of fixed values; data is None where they are not known."""

    shape: tuple[int, ...]
    data: tuple[float, ...] | None = None


class Scores(Record):
    """Products of queries and keys, times a scale. table: of learned numbers for offsets that are added, "" for none.

    masked: whether fixed numbers are added besides, soft: whether their softmax has been taken.
    """

    query: Value
    key: Value
    scale: float
    table: str = ""
    masked: bool = False
    soft: bool = False


class Added(Record):
    """Learned numbers for offsets, read from a table by a fixed index."""

    path: str
    shape: tuple[int, ...]
    masked: bool = False


class Unknown(Record):
    """What follows from a call that a spec cannot say."""


class Spoilt(Record):
    """What was changed in place by another name, which a graph cannot follow."""


Meaning = Value | Weight | Standard | Constant | Scores | Added | Unknown | Spoilt

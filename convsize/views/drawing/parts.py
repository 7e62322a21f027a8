"""What a picture of a network consists of: layers, boxes around them, and what reads what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Literal

from convsize.record import Record
from convsize.records import LayerRow
from convsize.views.text import numbers

Detail = Literal["network", "block", "layer"]
Heat = Literal["parameters", "macs", "memory", "receptive_field"]
Dims = tuple[int, ...]

_FAMILIES = {
    "depthwise": "convolution",
    "lookup": "dense",
    "scale": "norm",
}
"""Kinds of layers that are drawn as another one."""
SIGNS = {"sum": "+", "difference": "-", "gate": "×", "quotient": "÷"}
"""What joins that compute are drawn as."""
JOINS = (*SIGNS, "concatenation")
_FIGURES: dict[str, Callable[[LayerRow], int]] = {
    "parameters": lambda row: row.parameters,
    "macs": lambda row: row.macs,
    "memory": lambda row: row.output_bytes,
}


class Part(Record):
    """One shape of a picture.

    key: unique in the picture, and the id that formats give it. label: the shorthand, or the block's name; note: the
    layer's name, or what a block consists of. before: the volume that enters a block, where it is one. times: how many
    iterations of a repeat it stands for, which are alike or, if `summed`, differ. iteration: the layers of the first of
    them; counted: of all of them, whose figures it shows; rows: besides, those of the iterations of a folded box around
    it.
    """

    key: str
    kind: Literal["input", "layer", "block", "output"]
    family: str
    label: str
    note: str
    before: Dims | None
    after: Dims
    rows: tuple[LayerRow, ...] = ()
    counted: tuple[LayerRow, ...] = ()
    iteration: tuple[LayerRow, ...] = ()
    times: int = 1
    summed: bool = False

    @property
    def parameters(self) -> int:
        """Of the layers it counts."""
        return sum(row.parameters for row in self.counted)

    @property
    def macs(self) -> int:
        """Of the layers it counts."""
        return sum(row.macs for row in self.counted)


class Box(Record):
    """A block, or a repeat, with the parts in it; where it is folded, those of its first iteration.

    summed: its iterations differ in size, so that only the shape of the first is that of the others.
    """

    key: str
    label: str
    before: Dims | None
    after: Dims
    parts: tuple[Part | Box, ...]
    counted: tuple[LayerRow, ...]
    times: int = 1
    summed: bool = False

    @property
    def parameters(self) -> int:
        """Of the layers it counts."""
        return sum(row.parameters for row in self.counted)

    @property
    def macs(self) -> int:
        """Of the layers it counts."""
        return sum(row.macs for row in self.counted)


class Link(Record):
    """That one part reads a value of another: a link for every value, and for every operand of a join.

    value: the layer whose value it is; of iterations that are folded, the one that is drawn for it. name: what the
    value is called in a text, `two1.q`; label: the same within its part, where the part gives several values, or not
    the last one. role: what it is to the target, where its place among what the target reads matters: minuend, keys,
    2nd. volume: what is read, where that is not the volume the source shows. skip: the value goes around other parts:
    one before the target reads it as well, and the target reads one after the source as well. like: it is read for
    its shape alone.
    """

    source: str
    target: str
    value: str
    name: str
    volume: Dims | None = None
    label: str = ""
    role: str = ""
    skip: bool = False
    like: bool = False

    @property
    def text(self) -> str:
        """What stands beside the link; empty where nothing need be said."""
        volume = numbers.volume(self.volume) if self.volume else ""
        return ", ".join(filter(None, (self.label, self.role, volume)))


class Drawing(Record):
    """A network as pictures show it."""

    name: str
    detail: Detail
    parts: tuple[Part | Box, ...]
    links: tuple[Link, ...]
    rows: tuple[LayerRow, ...]

    def leaves(self) -> Iterator[Part]:
        """Every part, in the order of the spec, boxes opened."""
        yield from leaves(self.parts)


def leaves(parts: Iterable[Part | Box]) -> Iterator[Part]:
    """Every part in these, boxes opened."""
    for each in parts:
        if isinstance(each, Box):
            yield from leaves(each.parts)
        else:
            yield each


def weights(part: Part | Box) -> str:
    """The parameters of a shape: how many, that they are those of another one (a `shared` block's), or nothing."""
    if part.parameters:
        return numbers.counted(part.parameters, "param")
    return "shared weights" if any(row.shares for row in part.counted) else ""


def family(row: LayerRow) -> str:
    """What a layer is drawn as."""
    return _FAMILIES.get(row.kind, row.kind)


def heat_shares(parts: Sequence[Part], heat: Heat) -> dict[str, Fraction]:
    """For every part its share of the network's parameters, MACs or activation memory, or the share of the input that
    the best placed unit of it sees.
    """
    real = [part for part in parts if part.rows]
    if heat == "receptive_field":
        fields = ((part.key, part.rows[-1].receptive_field) for part in real)
        return {key: field.seen for key, field in fields if field is not None}
    figure = _FIGURES[heat]
    total = sum(figure(row) for part in real for row in part.rows)
    return {part.key: Fraction(sum(map(figure, part.rows)), total or 1) for part in real}

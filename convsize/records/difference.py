"""What changed between two networks."""

from __future__ import annotations

from typing import Literal

from convsize.record import Record
from convsize.records.analysis import LayerRow, Report


class LayerChange(Record):
    """A layer of one network, of the other, or of both where it is another one there.

    kind: "changed" has other numbers; "rewired" the same ones, but reads other layers; "resized" only another volume or
    other weights, because of a layer before it; "renamed" only another name.
    """

    kind: Literal["added", "removed", "changed", "rewired", "resized", "renamed"]
    before: LayerRow | None
    after: LayerRow | None


class FigureChange(Record):
    """A total before and after: one number, or one for every axis; None where there is none."""

    name: str
    unit: Literal["count", "bytes", "pixels"]
    before: tuple[int, ...] | None
    after: tuple[int, ...] | None


class KeyChange(Record):
    """A key of a checkpoint with its shape before and after; None where it is not there."""

    key: str
    before: tuple[int, ...] | None
    after: tuple[int, ...] | None


class CheckpointFit(Record):
    """Whether a checkpoint of the first network loads into the second, as a strict load decides.

    missing: keys that only the second has; unexpected: that only the first has; mismatched: of another shape.
    matching: how many agree.
    """

    missing: tuple[KeyChange, ...]
    unexpected: tuple[KeyChange, ...]
    mismatched: tuple[KeyChange, ...]
    matching: int

    @property
    def loads(self) -> bool:
        """Whether nothing is in the way."""
        return not (self.missing or self.unexpected or self.mismatched)


class Difference(Record):
    """What changed from one network to another; `same` says that their structures are the same, by their digests.

    outputs: the volumes of the trunk's end and of the heads before and after, None where a head is not there.
    """

    before: Report
    after: Report
    same: bool
    figures: tuple[FigureChange, ...]
    inputs: tuple[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None], ...]
    outputs: tuple[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None], ...]
    layers: tuple[LayerChange, ...]
    checkpoint: CheckpointFit

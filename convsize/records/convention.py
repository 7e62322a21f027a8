"""What another tool counts of a network."""

from __future__ import annotations

from convsize.record import Record


class ConventionRow(Record):
    """Layers of one kind that a tool counts in one way.

    op: what the layers are. ours, theirs: their figures, for one sample; None where it depends on the model's code.
    why: the reason where they differ, "" elsewhere.
    """

    op: str
    layers: int
    ours: int
    theirs: int | None
    why: str


class ConventionCount(Record):
    """What a tool counts of a network, beside our multiply-adds.

    name: the network. tool, version: whose way of counting it is. unit: what the tool calls the figure. says: its way
    of counting in a sentence. theirs: the figure of all layers that are sure; complete says whether these are all.
    layers: the figure of every layer by name, None where it is not sure.
    """

    name: str
    tool: str
    version: str
    unit: str
    says: str
    source: str
    ours: int
    theirs: int
    complete: bool
    rows: tuple[ConventionRow, ...]
    layers: tuple[tuple[str, int | None], ...]

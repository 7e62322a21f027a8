"""What a run is to do; PyTorch is not needed to say it."""

from __future__ import annotations

from pathlib import Path

from convsize.graph.network import Network
from convsize.graph.new_head import NewHead
from convsize.record import Record
from convsize.records import RunSettings


class Job(Record):
    """A run to do.

    spec: the text that the folder keeps. save_every: steps between checkpoints besides those at the end of epochs, 0
    for none. log_every: steps between figures. workers: processes that read ahead, None for what the data asks for.
    """

    network: Network
    settings: RunSettings
    folder: Path
    spec: str
    graph: str
    resume: bool = False
    save_every: int = 0
    log_every: int = 50
    workers: int | None = None
    new_head: NewHead | None = None

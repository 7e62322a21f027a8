"""What is measured of a network in a process of its own, which all calls of this process have together."""

from __future__ import annotations

import sys
from typing import Any

from convsize.graph.network import Network
from convsize.record import Record
from convsize.records import TrainingSetting
from convsize.runtime.child.apart import Apart, Note


class _Asked(Record):
    """A method of the network, and its settings; threads: so many compute here."""

    network: Network
    method: str
    settings: dict[str, Any]
    step: TrainingSetting
    threads: int | None


_measuring: Apart[_Asked, Any] | None = None


def measured_apart(network: Network, method: str, settings: dict[str, Any], step: TrainingSetting) -> Any:
    """What a method of the network answers there; `step` is what it does again where PyTorch ends the process."""
    global _measuring
    if _measuring is None:
        advice = 'verify(device="meta") compares without computing, time(…) predicts what cannot be measured'
        _measuring = Apart(_measured, advice, _again, fresh=True)
    torch = sys.modules.get("torch")
    threads = None if torch is None else torch.get_num_threads()
    return _measuring(_Asked(network, method, settings, step, threads))


def _measured(asked: _Asked) -> Any:
    from convsize.runtime.threads import computing_threads

    with computing_threads(asked.threads):
        return getattr(asked.network, asked.method)(**asked.settings, apart=False)


def _again(asked: _Asked, note: Note) -> None:
    from convsize.runtime.child.blame import training_steps

    training_steps(asked.network, asked.step, note)

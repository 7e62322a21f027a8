"""Being told to stop: a signal ends a run after its step, so that it can be saved; a second one ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether a signal came, by its name."""

    def __init__(self) -> None:
        self.signal = ""


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """Notes the first signal; the next one does what it always did. Only the main thread can hear signals."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {each: signal.getsignal(each) for each in _SIGNALS}

    def note(number: int, _: FrameType | None) -> None:
        stop.signal = signal.Signals(number).name
        for each in _SIGNALS:
            signal.signal(each, before[each])

    for each in _SIGNALS:
        signal.signal(each, note)
    try:
        yield stop
    finally:
        for each in _SIGNALS:
            signal.signal(each, before[each])

"""Work counted in lines that run: the same on every machine, and a search without end fails instead of hanging."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import convsize

PACKAGE = str(Path(convsize.__file__).parent)


class TooMuchWork(BaseException):
    """More lines ran than were allowed. Nothing on the way may catch it."""


def lines_run(run: Callable[[], object], most: int) -> int:
    """How many lines of convsize run; TooMuchWork where they are more than `most`."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal count
        if event == "call" and not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        count += 1
        if count > most:
            raise TooMuchWork(f"more than {most:,} lines, last in {frame.f_code.co_name} of {frame.f_code.co_filename}")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count

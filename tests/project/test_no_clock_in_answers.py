"""Answers never depend on the clock: whoever asks the time is a measurement or a progress display."""

from pathlib import Path

import pytest
from test_floors import PACKAGE, imports, modules

CLOCKS = {"time", "datetime", "timeit", "sched", "signal"}
MAY_ASK = {"runtime", "cli/progress.py"}
"""Measuring and training, and the bar that appears once a run has become a long one."""


def asks(path: Path) -> set[str]:
    """The clocks that a file imports."""
    return {name for name, _ in imports(path) if name.split(".")[0] in CLOCKS}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_that_answers_asks_the_time(path: Path) -> None:
    inside = path.relative_to(PACKAGE).as_posix()
    if not any(inside == room or inside.startswith(f"{room}/") for room in MAY_ASK):
        assert not asks(path), f"{path} asks the time: count work instead, so that a busy machine answers alike"


def test_the_clocks_are_found(tmp_path: Path) -> None:
    for line in ("import time", "from time import monotonic", "from datetime import date", "import time as t"):
        path = tmp_path / "file.py"
        path.write_text(line)
        assert asks(path), line

"""The line on how far a long run is."""

import io
import time

import pytest

from convsize.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_long_run_shows_a_bar_and_takes_it_away(clock: list[float]) -> None:
    stream = Terminal()
    with Progress(4, stream, patience=1.0) as progress:
        for _ in range(4):
            clock[0] += 0.6
            progress.step()
    assert stream.getvalue() == (
        "\r\x1b[Kchecked 2 of 4 files [############............]"
        "\r\x1b[Kchecked 3 of 4 files [##################......]"
        "\r\x1b[K"
    )


def test_a_short_run_shows_nothing(clock: list[float]) -> None:
    stream = Terminal()
    with Progress(2, stream, patience=1.0) as progress:
        progress.step()
        progress.step()
    assert stream.getvalue() == ""


def test_a_pipe_shows_nothing(clock: list[float]) -> None:
    stream = io.StringIO()
    with Progress(3, stream, patience=1.0) as progress:
        for _ in range(3):
            clock[0] += 60
            progress.step()
    assert stream.getvalue() == ""

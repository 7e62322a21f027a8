"""The bar that says how far a long run is."""

import io
import sys
import time

import pytest

from convsize.cli.live import Display
from convsize.cli.progress import Progress
from convsize.records import RunStart

START = RunStart("net", "runs/1", "cpu", 1, 10, 10, 8, 2, 2, 2, 0, 0, None, "why", ())
"""Two epochs of two steps."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setenv("TERM", "xterm")
    return now


def run(stream: io.StringIO, clock: list[float], total: int, seconds: float) -> str:
    with Progress(total, stream, patience=1.0) as progress:
        for _ in range(total):
            clock[0] += seconds
            progress.step()
    return stream.getvalue()


def test_a_long_run_shows_a_bar_and_takes_it_away(clock: list[float]) -> None:
    shown = run(Terminal(), clock, 4, 0.6)
    assert "50%" in shown or "75%" in shown or "100%" in shown
    assert shown.endswith("\x1b[2K")  # the line is cleared


def test_a_short_run_shows_nothing(clock: list[float]) -> None:
    assert run(Terminal(), clock, 2, 0.1) == ""


def test_one_long_thing_shows_a_bar_from_the_start(clock: list[float]) -> None:
    stream = Terminal()
    with Progress(1, stream, patience=0):
        assert "━" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")


def test_a_training_run_has_its_figures_beside_the_same_bar(clock: list[float], monkeypatch) -> None:
    out, stream = io.StringIO(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", stream)
    with Display(silent=False) as display:
        display.start("heading", START)
        assert "0%" in stream.getvalue()
        display.step("loss [0.5]", 2)
        display.line("epoch 1")
    shown = stream.getvalue()
    assert "50%" in shown
    assert "loss [0.5]" in shown
    assert "epoch" not in shown
    assert shown.endswith("\x1b[2K")
    assert out.getvalue() == "heading\n\nepoch 1\n"


def test_a_training_run_in_a_pipe_has_its_figures_as_lines(monkeypatch) -> None:
    out, stream = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", stream)
    with Display(silent=False) as display:
        display.start("heading", START)
        display.step("loss 0.5", 2)
        display.warn("odd")
    assert out.getvalue() == "heading\n\nloss 0.5\n"
    assert stream.getvalue() == "warning: odd\n"


def test_a_pipe_shows_nothing(clock: list[float]) -> None:
    assert run(io.StringIO(), clock, 3, 5.0) == ""


def test_a_bar_makes_room_for_what_is_written_and_comes_back(clock: list[float], monkeypatch) -> None:
    out, stream = io.StringIO(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    with Progress(4, stream) as progress:
        for _ in range(2):
            clock[0] += 1.5
            progress.step()
            before = stream.getvalue()
            assert "%" in before
            print("kept apart")  # the bar's stream gets none of it
            progress.make_room()
            assert stream.getvalue().endswith("\x1b[2K")
            stream.truncate(0)
    assert out.getvalue() == "kept apart\nkept apart\n"

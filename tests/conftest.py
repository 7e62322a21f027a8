"""Which slow tests run, golden files, and a way to run the command line inside the test's process."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import turns
from hypothesis import Phase, settings

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).resolve().parents[1]
SPECS = ROOT / "specs"

# The same examples in every run, so that a run says what a change did; other ones with CONVSIZE_FUZZ=20000.
# A mutant is to be noticed, and nobody reads by which example: the smallest one is not looked for.
PHASES = (Phase.explicit, Phase.generate) if "CONVSIZE_MUTANT" in os.environ else tuple(Phase)
settings.register_profile(
    "the same", derandomize="CONVSIZE_FUZZ" not in os.environ, database=None, deadline=None, phases=PHASES
)
settings.load_profile("the same")

# Tests that run beside each other share the processors: with a thread for each of them they would wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write golden files instead of comparing with them")


def pytest_configure(config: pytest.Config) -> None:
    # Whoever names files wants what is in them. Workers have their paths from the main process, which decides.
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    if "PYTEST_XDIST_WORKER" not in os.environ and (named or config.getoption("--update")):
        os.environ["CONVSIZE_ALL"] = "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if turns.all_run():
        return
    commit = turns.commit()
    waiting = {each for each in items if each.get_closest_marker("slow") and not turns.is_drawn(each.nodeid, commit)}
    config.hook.pytest_deselected(items=list(waiting))
    items[:] = [each for each in items if each not in waiting]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(turns.said())


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)`: the text is what tests/golden/name holds; `pytest --update` writes it there."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.exists(), f"no golden file {name}: run pytest --update and look at what it writes"
        assert text == path.read_text(encoding="utf-8"), f"differs from tests/golden/{name}"

    return compare


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch computes on one thread of the processor: sums are made in the same order everywhere."""
    from convsize.runtime.threads import computing_threads

    with computing_threads(1):
        yield


class Ran(NamedTuple):
    """What a command wrote, and the exit code it ended with."""

    out: str
    err: str
    code: int


class _Stream(io.TextIOWrapper):
    """A stream into memory, with the buffer and the encoding that a real one has."""

    def __init__(self, encoding: str, tty: bool, data: bytes = b"") -> None:
        self.raw_bytes = io.BytesIO(data)
        self._tty = tty
        super().__init__(self.raw_bytes, encoding=encoding, newline="")

    def isatty(self) -> bool:
        return self._tty

    def value(self) -> str:
        self.flush()
        return self.raw_bytes.getvalue().decode(self.encoding)


@pytest.fixture
def convsize(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """`convsize("analyze", path, stdin=…)` runs the command line; width, colour and encoding as they are asked for."""

    def run(
        *arguments: object,
        stdin: str | bytes = b"",
        width: int | None = 80,
        tty: bool = False,
        encoding: str = "utf-8",
    ) -> Ran:
        from convsize.cli.app import main

        for name in ("NO_COLOR", "FORCE_COLOR", "CONVSIZE_DEBUG", "COLUMNS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TERM", "xterm")
        if width is not None:
            monkeypatch.setenv("COLUMNS", str(width))
        out, err = _Stream(encoding, tty), _Stream(encoding, tty)
        data = stdin.encode() if isinstance(stdin, str) else stdin
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["convsize", *map(str, arguments)])
            patch.setattr(sys, "stdin", _Stream("utf-8", False, data))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as end:
                main()
        return Ran(out.value(), err.value(), end.value.code or 0)

    return run

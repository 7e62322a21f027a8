"""The folder of a run: its spec, its settings, its metrics as JSON lines, its checkpoints."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, BinaryIO

from convsize.errors import UsageError
from convsize.records import RunSettings
from convsize.records.training import is_number, wrong_setting

SCHEMA = 1


class RunFolder:
    """Where a run keeps what it makes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = path / "network.spec"
        self.settings = path / "settings.json"
        self.metrics = path / "metrics.jsonl"
        self.checkpoints = path / "checkpoints"
        self.best = path / "best.safetensors"
        self.last = path / "last.safetensors"
        self.curves = path / "curves.svg"
        self._lock: BinaryIO | None = None

    def hold(self) -> None:
        """Keeps other runs out of this folder, as long as this process lives and this object is there.

        Raises UsageError where another run is at work in it, or where it cannot be written.
        """
        try:
            import fcntl
        except ImportError:  # Windows has no such locks
            return
        try:
            self._lock = (self.path / ".lock").open("ab")
        except OSError as error:
            raise self._unwritable(error) from None
        # A process that was killed a moment ago may still be about to end.
        for patience in (*[0.1] * 20, 0.0):
            try:
                # Not flock: processes that read data ahead would hold such a lock on.
                fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                time.sleep(patience)
            except OSError:  # a file system without locks
                return
            else:
                return
        self._lock.close()
        raise UsageError(
            f"another run is at work in `{self.path}`: wait for its end, or name another folder by --output"
        )

    def _unwritable(self, error: OSError) -> UsageError:
        return UsageError(f"`{self.path}` cannot be written: {error.strerror}")

    def make(self, name: str, spec: str, graph: str, settings: RunSettings) -> None:
        """Makes the folder of a new run, and holds it.

        Raises UsageError where there is a run in it already, or no place for one.
        """
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None
        self.hold()
        if self.settings.exists():
            raise UsageError(
                f"`{self.path}` already holds a run: --resume {self.path} continues it, --output names another folder"
            )
        try:
            self.spec.write_text(spec, encoding="utf-8")
            facts = {"schema": SCHEMA, "name": name, "graph": graph, "settings": settings.as_dict()}
            _replace(self.settings, json.dumps(facts, indent=2) + "\n")
        except OSError as error:
            raise self._unwritable(error) from None

    def read(self) -> tuple[str, str, str, RunSettings]:
        """Name, spec, graph digest and settings of the run. Raises UsageError where there is none."""
        try:
            facts = json.loads(self.settings.read_text(encoding="utf-8"))
            settings = RunSettings(**{key: _frozen(value) for key, value in facts["settings"].items()})
            if wrong := wrong_setting(settings):
                raise ValueError(f"`{wrong[0]}` {wrong[1]}")
            return str(facts["name"]), self.spec.read_text(encoding="utf-8"), str(facts["graph"]), settings
        except FileNotFoundError as error:
            missing = Path(error.filename).name
            raise UsageError(f"`{self.path}` is not the folder of a run: it has no {missing}") from None
        except OSError as error:
            raise UsageError(f"`{self.path}` cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(f"`{self.settings}` is not as convsize wrote it: {error}") from None


class Metrics:
    """Metrics as JSON lines, each whole or not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size if path.exists() else 0

    def cut(self, size: int) -> None:
        """Forgets what was written after a checkpoint that the run goes on from, and a line that is torn at the end."""
        self.size = 0
        if self._path.exists():
            with self._path.open("rb") as file:
                self.size = file.read(size).rfind(b"\n") + 1
            os.truncate(self._path, self.size)

    def add(self, kind: str, figures: dict[str, Any]) -> None:
        """Adds a line. Raises OSError where the disk does not take it; no half of it stays."""
        line = json.dumps({"kind": kind, **figures}) + "\n"
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError:
            if self._path.exists():
                os.truncate(self._path, self.size)
            raise
        self.size += len(line.encode())

    def read(self) -> list[dict[str, Any]]:
        """All lines. Raises UsageError where one is not what a run writes."""
        if not self._path.exists():
            return []
        found: list[dict[str, Any]] = []
        heads: list[tuple[str, bool, bool]] = []
        for number, line in enumerate(self._path.read_bytes().splitlines(), start=1):
            try:
                figures = json.loads(line)
                right = _is_whole(figures)
                if figures["kind"] == "epoch":
                    own = [(each["name"], each["top1"] is None, each["error"] is None) for each in figures["scores"]]
                    heads = heads or own
                    right = right and own == heads
            except (ValueError, KeyError, TypeError, RecursionError):
                right = False
            if not right:
                raise UsageError(
                    f"`{self._path}`, line {number}: this is not a line of metrics, so no curves are drawn"
                )
            found.append(figures)
        return found


def _is_whole(figures: Any) -> bool:
    """Whether a line has the figures that curves are drawn of; it may lack none."""
    if figures["kind"] == "steps":
        return all(is_number(figures[key]) for key in ("step", "loss", "lr"))
    scores = [(each["name"], each["top1"], each["error"]) for each in figures["scores"]]
    return (
        figures["kind"] == "epoch"
        and all(is_number(figures[key]) for key in ("step", "test_loss"))
        and all(isinstance(name, str) for name, _, _ in scores)
        and all(score is None or is_number(score) for _, *both in scores for score in both)
    )


def free_folder(name: str) -> Path:
    """`runs/NAME`, or with a number after it where that is taken."""
    first = Path("runs") / name
    number = 2
    found = first
    while found.exists():
        found = first.with_name(f"{name}-{number}")
        number += 1
    return found


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _frozen(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value

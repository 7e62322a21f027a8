"""How a command ends: outputs that are closed or full are no bug of convsize, and change no answer."""

from __future__ import annotations

import gc
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import convsize
from convsize.cli import app

SPEC = Path(__file__).resolve().parents[2] / "specs" / "lenet5.spec"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True)


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
@pytest.mark.parametrize(
    ("command", "code"), [(f"analyze {SPEC}", 0), ("analyze -e C5p0 --input 3@3x3", 1), (f"fmt --check {SPEC}", 0)]
)
def test_a_closed_output_changes_no_exit_code(command: str, code: int, closed: str) -> None:
    ran = shell(f"{shlex.quote(sys.executable)} -m convsize {command} {closed}")
    assert ran.stdout == ""
    assert "bug" not in ran.stderr
    assert ran.returncode == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_output_is_said() -> None:
    ran = shell(f"{shlex.quote(sys.executable)} -m convsize analyze {SPEC} >/dev/full")
    assert (ran.returncode, ran.stderr) == (2, "error: the output cannot be written: No space left on device\n")


def test_the_end_of_a_command_looks_for_no_cycles(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["convsize", "--version"])
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    frozen = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert (ended.value.code, frozen) == (0, [True])
    assert capsys.readouterr().out == f"convsize {convsize.__version__}\n"
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))  # whose threads and workers end in their own way
    with pytest.raises(SystemExit):
        app.main()
    assert len(frozen) == 1

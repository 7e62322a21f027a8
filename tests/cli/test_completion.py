"""The Tab key: names of commands and options, their values, and files of specs."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import shellingham

from convsize.cli.app import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def complete(convsize, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What typer's script for bash gets for the words of a line, of which the last is still being typed."""

    def ask(*words: str) -> list[str]:
        monkeypatch.setenv("_CONVSIZE_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(["convsize", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        ran = convsize()
        assert (ran.err, ran.code) == ("", 0)
        return ran.out.split()

    return ask


def test_names_of_commands(complete) -> None:
    assert complete("") == list(COMMANDS)
    assert complete("re") == ["report"]
    assert complete("ru") == ["rules"]
    assert complete("--v") == ["--version"]


@pytest.mark.parametrize("command", COMMANDS)
def test_names_of_options(complete, command: str) -> None:
    found = complete(command, "--")
    assert "--help" in found
    assert all(name.startswith("--") for name in found)


def test_options_and_their_values(complete) -> None:
    assert complete("analyze", "specs/lenet5.spec", "--ex") == ["--expression", "--expand"]
    assert complete("analyze", "--format", "") == ["table", "json", "csv", "markdown"]
    assert complete("draw", "--heat", "m") == ["macs", "memory"]


def test_files_are_left_to_the_shell(complete) -> None:
    assert complete("analyze", "specs/len") == []
    assert complete("compare", "specs/lenet5.spec", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_shown_and_installed(convsize, monkeypatch, tmp_path: Path, shell: str) -> None:
    monkeypatch.setattr(shellingham, "detect_shell", lambda: (shell, f"/bin/{shell}"))
    monkeypatch.setenv("HOME", str(tmp_path))
    shown = convsize("--show-completion")
    assert shown.code == 0
    assert f"_CONVSIZE_COMPLETE=complete_{shell}" in shown.out
    assert not list(tmp_path.iterdir())
    assert convsize("--install-completion").code == 0
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(shown.out.strip() in text for text in written)


def test_in_bash_itself(convsize, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shellingham, "detect_shell", lambda: ("bash", "/bin/bash"))
    program = tmp_path / "convsize"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convsize "$@"\n')
    program.chmod(0o755)
    line = convsize("--show-completion").out + "\n".join(
        [
            "COMP_WORDS=(convsize analyze --for); COMP_CWORD=2",
            "_convsize_completion convsize",
            'echo "${COMPREPLY[*]}"',
        ]
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60)
    assert (ran.stdout, ran.stderr) == ("--format\n", "")

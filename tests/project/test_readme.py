"""The README's examples run as they stand, and its networks are right."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import convsize

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    every = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return [text for name, text in every if name == language]


COMMANDS = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ convsize ")]


def test_there_are_examples() -> None:
    assert len(COMMANDS) > 10


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(command: str) -> None:
    words = shlex.split(command, comments=True)
    run = subprocess.run([sys.executable, "-m", "convsize", *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout


def test_library_examples_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})
    assert "138357544 15470264320 (212, 212)" in capsys.readouterr().out


@pytest.mark.parametrize("text", [block for block in blocks("") if "input:" in block])
def test_network_meets_its_expectations(text: str) -> None:
    assert not convsize.parse(text).analyze().diagnostics


def test_set_up_commands_are_those_of_the_checks() -> None:
    install, test = blocks("sh")[:2]
    script = (ROOT / ".ci" / "run").read_text()
    assert "specs/vgg_d.spec" in install
    assert "-c constraints.txt -e '.[torch,dev]'" in test
    assert "-c constraints.txt -e '.[torch,dev]'" in script
    for run in ("pytest -n 2 -m 'not timed'", "pytest -m timed"):
        assert run in test
        assert run in script

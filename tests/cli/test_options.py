"""What options of several commands have in common: limits, defaults, and what is assumed where one is left out."""

import re
from pathlib import Path

import pytest

from convsize.cli.app import COMMANDS

SPEC = Path(__file__).parents[2] / "specs" / "lenet5.spec"
BATCHES = [*("analyze", "compare", "diff", "fit", "memory", "profile", "report", "time", "train", "verify")]


def _said(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_says_numbers_in_words(convsize, command: str) -> None:
    text = convsize(command, "--help").out
    assert "<int" not in text.lower()
    assert "<float" not in text.lower()
    assert not re.search(r"x>=|<=x|[{}]", text.partition("Examples:")[0] + text.partition("Options:")[2])


@pytest.mark.parametrize("command", BATCHES)
def test_one_limit_of_batches(convsize, command: str) -> None:
    assert "1 to 2,147,483,647" in _said(convsize(command, "--help").out)
    paths = (SPEC, SPEC) if command in {"compare", "diff"} else (SPEC,)
    for batch in ("0", "2147483648"):
        ran = convsize(command, *paths, "--batch", batch)
        assert (ran.code, ran.out) == (2, "")
        assert f"--batch takes a whole number, 1 to 2,147,483,647, not {int(batch):,}" in ran.err


@pytest.mark.parametrize(
    ("call", "batch"),
    [("analyze", 1), ("memory", 32), ("memory --inference", 1), ("time", 1), ("time --train", 32)],
)
def test_a_training_step_has_32_samples_and_all_else_one(convsize, call: str, batch: int) -> None:
    command, *options = call.split()
    ran = convsize(command, SPEC, *options)
    assert f"batch {batch} ·" in ran.out.splitlines()[0]
    assert ran.out == convsize(command, SPEC, *options, "--batch", batch).out


@pytest.mark.parametrize("call", ["time", "time --train", "time --sweep batch=1..2", "fit", "fit --largest input"])
def test_a_device_that_is_assumed_is_said(convsize, call: str) -> None:
    command, *options = call.split()
    ran, named = convsize(command, SPEC, *options), convsize(command, SPEC, *options, "--device", "h100")
    said = "\nNo --device was named: h100 is assumed. `convsize devices` lists what there is.\n"
    assert ran.out == named.out + said
    assert said not in convsize(command, SPEC, *options, "--format", "json").out
    assert "h100" in convsize(command, "--help").out


@pytest.mark.parametrize("name", ["-dash.spec", "-fish.spec", "--input.spec"])
@pytest.mark.parametrize("command", ["analyze", "compare", "check", "train", "draw"])
def test_a_file_that_begins_with_a_dash(convsize, tmp_path: Path, monkeypatch, command: str, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("input: 1@8x8\nC3D2 GAP FC2\n", encoding="utf-8")
    ran = convsize(command, name)
    assert ran.code == 2
    assert ran.err == f"error: `{name}` begins with a dash and is read as options: write `./{name}`\n"
    assert convsize("analyze", f"./{name}").code == 0
    assert convsize("analyze", "--", name).code == 0

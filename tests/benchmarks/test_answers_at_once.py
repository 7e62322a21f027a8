"""What a command takes from start to finish: processor time, of the quickest of several whole processes."""

import sys
from pathlib import Path

import pytest
from start_to_finish import quickest

SPECS = Path(__file__).parents[2] / "specs"
SECONDS = {
    ("check", str(SPECS), "--exit-zero", "-j", "1", "-f", "concise"): 1.0,
    ("memory", str(SPECS / "resnet152.spec")): 0.4,
    ("fit", str(SPECS / "resnet152.spec"), "--memory=16GiB"): 2.0,
    ("time", str(SPECS / "resnet50.spec"), "--device", "h200", "--batch", "64", "--train"): 0.3,
}


@pytest.mark.timed
@pytest.mark.parametrize("command", SECONDS, ids=lambda command: command[0])
def test_answers_at_once(command: tuple[str, ...]) -> None:
    assert quickest([sys.executable, "-m", "convsize", *command], SECONDS[command]) < SECONDS[command]

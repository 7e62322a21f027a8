"""The pictures that the README shows are up to date; `pytest tests/views/drawing --update` draws them anew."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PICTURES = ROOT / "reports" / "pictures"
NAMES = "vgg_d resnet18 resnet50 resnet152 densenet121 mobilenet_v2 efficientnet_b0 squeezenet1_1 googlenet"
COMMANDS = {
    "alexnet_two_groups.svg": ["draw", "specs/alexnet_two_groups.spec", "--style", "volumes"],
    "googlenet.svg": ["draw", "specs/googlenet.spec", "--heat", "macs"],
    "vgg_d_rf.svg": ["rf", "specs/vgg_d.spec"],
    "costs.svg": ["compare", *(f"specs/{name}.spec" for name in NAMES.split())],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_picture_is_up_to_date(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    fresh = (PICTURES if request.config.getoption("--update") else tmp_path) / name
    command = [sys.executable, "-m", "convsize", *COMMANDS[name], "-o", str(fresh)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert fresh.read_bytes() == (PICTURES / name).read_bytes()


def test_the_readme_shows_them() -> None:
    text = (ROOT / "README.md").read_text()
    assert all(f"reports/pictures/{name}" in text for name in COMMANDS)

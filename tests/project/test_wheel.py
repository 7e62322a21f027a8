"""The wheel works in an empty environment: it installs, finds its data files and answers."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_wheel_runs_in_an_empty_environment(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")

    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), str(wheel)], check=True, capture_output=True)

    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    spec = "input: 3@32x32\nC3D64 R M FC10 S\n"
    run = subprocess.run(
        [str(home / "bin" / "convsize"), "analyze", "-", "--format", "json"],
        input=spec,
        text=True,
        capture_output=True,
        cwd=tmp_path,
        env=clean,
    )
    assert run.returncode == 0, run.stderr
    # (3·3·3 + 1)·64 + (64·16·16 + 1)·10
    assert json.loads(run.stdout)["totals"]["parameters"] == 28 * 64 + 16385 * 10

    script = (
        "import importlib.resources as r, json, convsize\n"
        "json.loads(r.files('convsize.views.analysis').joinpath('analysis.schema.json').read_text())\n"
        "assert list(r.files('convsize.views.report').joinpath('assets').iterdir())\n"
        "assert r.files('convsize').joinpath('py.typed').is_file()\n"
    )
    subprocess.run([str(home / "bin" / "python"), "-c", script], check=True, cwd=tmp_path, env=clean)
    listed = subprocess.run(
        [str(home / "bin" / "python"), "-m", "pip", "list"], capture_output=True, text=True, env=clean
    )
    assert "torch" not in listed.stdout

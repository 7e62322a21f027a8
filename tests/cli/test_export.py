"""`convsize export`: where it writes, what it refuses; the text itself is held in tests/lowering."""

import json
from pathlib import Path

import pytest

LENET = Path(__file__).resolve().parents[2] / "specs" / "lenet5.spec"


def test_to_the_screen_and_to_a_file(convsize, tmp_path):
    shown = convsize("export", LENET)
    assert (shown.code, shown.err) == (0, "")
    assert "class Lenet5(nn.Sequential):" in shown.out
    written = convsize("export", LENET, "-o", tmp_path / "net.py")
    assert (written.code, written.out, written.err) == (0, "", "")
    assert (tmp_path / "net.py").read_text() == shown.out


def test_logits(convsize):
    assert "nn.Softmax" in convsize("export", LENET).out
    assert "nn.Softmax" not in convsize("export", LENET, "--logits").out


def test_json(convsize):
    data = json.loads(convsize("export", "-e", "C3D4 R", "-i", "3@8x8", "--to", "json").out)
    assert [step["name"] for step in data["steps"]] == ["conv1", "relu1"]


def test_the_file_says_what_it_is_to_hold(convsize, tmp_path):
    assert convsize("export", LENET, "-o", tmp_path / "net.json").code == 0
    assert json.loads((tmp_path / "net.json").read_text())["name"] == "lenet5"
    assert convsize("export", LENET, "-o", tmp_path / "net.json", "--to", "torch").code == 0
    assert (tmp_path / "net.json").read_text().startswith('"""lenet5')
    refused = convsize("export", LENET, "-o", tmp_path / "net.py", "--init", "weights.safetensors")
    assert "--init is for --to onnx: --to torch writes no weights" in refused.err


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, "no spec"),
        ([LENET, "-e", "C3"], 2, "one spec makes one file"),
        ([LENET, "-o", "/nowhere/net.py"], 2, "`/nowhere/net.py` cannot be written: No such file or directory"),
        (["nowhere.spec"], 2, "there is no file `nowhere.spec`"),
        (["-e", "C9p0", "-i", "3@8x8"], 1, "E202"),
        ([LENET, "--to", "tflite"], 2, "tflite"),
    ],
)
def test_bad_input(convsize, arguments, code, text):
    ran = convsize("export", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert text in ran.err

"""A package that is not installed is named with the extra that brings it, whatever command needs it."""

import subprocess
import sys
from pathlib import Path

import pytest

SPECS = Path(__file__).resolve().parents[2] / "specs"
CALLS = [
    ("torch", "torch", ("verify", "lenet5.spec")),
    ("numpy", "train", ("train", "lenet5.spec", "--data", "fake")),
    ("PIL", "train", ("train", "lenet5.spec", "--data", "folder:data")),
    ("sklearn", "train", ("train", "lenet5.spec", "--data", "digits")),
    ("onnx", "onnx", ("export", "lenet5.spec", "--to", "onnx", "-o", "lenet5.onnx")),
    ("svglib", "pdf", ("draw", "lenet5.spec", "-o", "lenet5.pdf")),
]
IMPORT_TORCH = ("PIL", "sklearn", "onnx")
"""What is missed only after PyTorch is imported, which takes seconds; numpy stands for them in every run."""


@pytest.mark.parametrize(
    ("package", "extra", "call"),
    [
        pytest.param(*each, id=f"{each[2][0]}-{each[0]}", marks=pytest.mark.slow if each[0] in IMPORT_TORCH else ())
        for each in CALLS
    ],
)
def test_the_extra_is_named(tmp_path: Path, package: str, extra: str, call: tuple[str, ...]) -> None:
    words = [str(SPECS / word) if word.endswith(".spec") else word for word in call]
    script = (
        "import sys\n"
        f"sys.modules[{package!r}] = None\n"
        f"sys.argv = {['convsize', *words]!r}\n"
        "from convsize.cli.app import main\nmain()"
    )
    for name in ("one", "two"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for image in ("1.png", "2.png", "3.png"):
            (tmp_path / "data" / name / image).write_bytes(b"no picture")
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 2, ran.stderr
    assert f"pip install 'convsize[{extra}]'" in ran.stderr
    assert "bug" not in ran.stderr


@pytest.mark.parametrize("name", ["model.py", "model.onnx", "model.PT", "model.keras", "net.safetensors", "net.png"])
def test_files_of_other_tools_are_no_specs(convsize, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("import torch")
    ran = convsize("analyze", tmp_path / name)
    assert (ran.code, ran.out) == (2, "")
    assert "not a spec: write the network in the spec language first" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(("short", "long"), [("bf16", "bfloat16"), ("fp16", "float16"), ("fp32", "float32")])
def test_short_names_of_types(convsize, short: str, long: str) -> None:
    spec = SPECS / "lenet5.spec"
    assert convsize("analyze", spec, "--dtype", short) == convsize("analyze", spec, "--dtype", long)
    if short != "fp32":
        assert f"autocast {long}" in convsize("memory", spec, "--autocast", short).out

"""`convsize import` of files: ONNX, Keras and pasted text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TEXT = """
nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8, eps=0.001), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Linear(16, 10),
)
"""

LAYERS = [
    ("InputLayer", {"batch_shape": [None, 16, 16, 3]}),
    ("ZeroPadding2D", {"padding": 1}),
    ("Conv2D", {"filters": 8, "kernel_size": 3, "use_bias": False}),
    ("BatchNormalization", {"momentum": 0.9}),
    ("ReLU", {}),
    ("MaxPooling2D", {}),
    ("ZeroPadding2D", {"padding": 1}),
    ("Conv2D", {"filters": 16, "kernel_size": 3, "strides": 2}),
    ("LeakyReLU", {"negative_slope": 0.1}),
    ("GlobalAveragePooling2D", {}),
    ("Dense", {"units": 10}),
]


def keras() -> str:
    layers = [
        {"class_name": kind, "module": "keras.layers", "config": {**config, "name": f"l{at}"}}
        for at, (kind, config) in enumerate(LAYERS)
    ]
    return json.dumps({"class_name": "Sequential", "module": "keras", "config": {"name": "net", "layers": layers}})


def onnx(path: Path) -> None:
    import torch
    from torch import nn

    torch.manual_seed(0)
    module = eval(TEXT.strip(), {"nn": nn})
    preserved = torch.onnx.TrainingMode.PRESERVE
    torch.onnx.export(module.eval(), (torch.randn(1, 3, 16, 16),), path, dynamo=False, training=preserved)


def digest(text: str) -> str:
    return text.rpartition("graph=")[2].strip()


@pytest.mark.filterwarnings("ignore")
def test_one_network_from_every_source_is_one_graph(convsize, tmp_path: Path) -> None:
    (tmp_path / "net.txt").write_text(TEXT)
    (tmp_path / "net.json").write_text(keras())
    (tmp_path / "net.py").write_text(f"from torch import nn\n\n\ndef net():\n    return {TEXT.strip()}\n")
    onnx(tmp_path / "net.onnx")
    graphs = {}
    for source in ("net.txt", "net.json", "net.onnx", "net.py:net"):
        ran = convsize(
            "import", str(tmp_path / source), *(() if source in ("net.json", "net.onnx") else ("-i", "3@16x16"))
        )
        assert ran.code == 0, (source, ran.err)
        assert "proof: largest difference 0.0e+00" in ran.err, ran.err
        graphs[source] = digest(ran.out)
    assert len(set(graphs.values())) == 1, graphs


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.pt", "", "is a pickle: reading it would run whatever code is in it"),
        ("a.onnx", "nothing", "no whole ONNX model"),
        ("a.keras", "nothing", "no JSON"),
        ("a.txt", "nn.Conv2d(3, n, 3)", "line 1: `n` is no literal"),
        ("a.txt", "nn.Conv2d(3, 4, 3)", "does not say the size of its input: give it by --input"),
        ("a.spec", "", "names no model"),
    ],
)
def test_files_that_cannot_be_read_are_told(convsize, tmp_path: Path, name: str, text: str, problem: str) -> None:
    (tmp_path / name).write_text(text)
    ran = convsize("import", str(tmp_path / name))
    assert ran.code == 2, ran.out
    assert problem in ran.err
    assert convsize("import", str(tmp_path / f"none-{name}")).code == 2


def test_what_a_spec_cannot_say_is_named(convsize, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nn.Conv2d(3, 4, 3), nn.Threshold(0.1, 20.0)")
    ran = convsize("import", str(tmp_path / "a.txt"), "-i", "3@8x8")
    assert ran.code == 1
    assert "threshold" in ran.err


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("nn.Conv2d(3, 100_000, 3), nn.Conv2d(100_000, 100_000, 3)", "3@8x8"),
        ("nn.Flatten(), nn.Linear(192, 10_000_000)", "3@8x8"),
        ("nn.ReLU(), nn.Sigmoid()", "3@20000x20000"),
    ],
)
def test_a_file_that_fills_the_memory_is_not_run_and_says_so(convsize, tmp_path: Path, text: str, size: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    ran = convsize("import", str(tmp_path / "a.txt"), "-i", size)
    assert ran.code == 0, ran.err
    said = " ".join(ran.err.split())
    assert "proof: not run, as its tensors hold" in said
    assert "a file of more than 500,000,000 is not run: activations and wiring are not compared" in said

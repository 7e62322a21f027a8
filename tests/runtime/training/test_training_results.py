"""Networks that are trained by the command learn what they should."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs PyTorch")
pytest.importorskip("sklearn", reason="needs scikit-learn, for its digits")

import numpy as np
from PIL import Image
from safetensors.torch import load_file
from sklearn.datasets import load_digits

SPECS = Path(__file__).parents[3] / "specs"


def epochs(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == "epoch"]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty digits each of 0, 1 and 2 as a folder of images, of 24x20 pixels."""
    directory = tmp_path_factory.mktemp("digits")
    found = load_digits()
    for label in range(3):
        (directory / str(label)).mkdir()
        for number, image in enumerate(found.images[found.target == label][:40]):
            pixels = Image.fromarray((image * 255 / 16).astype(np.uint8)).resize((20, 24))
            pixels.save(directory / str(label) / f"{number}.png")
    return directory


def test_lenet_reads_digits(convsize: Callable[..., Any], tmp_path: Path) -> None:
    run = tmp_path / "run"
    ran = convsize(
        "train", SPECS / "lenet5.spec", "--data", "digits", "--epochs", 10, "--batch", 32, "--lr", 0.05,
        "--schedule", "cosine", "-o", run,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert epochs(run)[-1]["scores"][0]["top1"] > 0.98


def test_a_cifar_network_learns_a_folder_of_images(convsize: Callable[..., Any], tmp_path: Path, digits: Path) -> None:
    run = tmp_path / "run"
    ran = convsize(
        "train", SPECS / "cs231n.spec", "--data", f"folder:{digits}", "--epochs", 4, "--batch", 16,
        "--optimizer", "adam", "--lr", 0.001, "-o", run,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "96 images of 3 classes for training and 24 for the test, 24x20" in " ".join((ran.out + ran.err).split())
    assert epochs(run)[-1]["scores"][0]["top1"] > 0.85


def test_a_cifar_network_trains_on_random_samples(convsize: Callable[..., Any], tmp_path: Path) -> None:
    run = tmp_path / "run"
    ran = convsize(
        "train", SPECS / "cifar10.spec", "--data", "fake:32", "--epochs", 4, "--batch", 16, "--optimizer", "adam",
        "--lr", 0.001, "-o", run,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    losses = [epoch["train_loss"] for epoch in epochs(run)]
    assert losses[-1] < losses[0]  # it learns them by heart


def test_a_network_with_a_new_head_trains_that_alone(
    convsize: Callable[..., Any], tmp_path: Path, digits: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    lenet = SPECS / "lenet5.spec"
    ran = convsize("train", lenet, "--epochs", 2, "--batch", 32, "--lr", 0.05, "-o", first)
    assert ran.code == 0, ran.err
    ran = convsize(
        "train", lenet, "--data", f"folder:{digits}", "--init", first / "last.safetensors", "--head", "FC3",
        "--freeze", "conv*", "--freeze", "fc1", "--epochs", 6, "--batch", 16, "--lr", 0.05, "-o", second,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    told = " ".join((ran.out + ran.err).split())
    assert "not in last.safetensors: fc3" in told
    before, after = load_file(first / "last.safetensors"), load_file(second / "last.safetensors")
    same = {name for name, value in after.items() if value.shape == before[name].shape and value.equal(before[name])}
    assert same == {f"{layer}.{kind}" for layer in ("conv1", "conv2", "fc1") for kind in ("weight", "bias")}
    assert tuple(after["fc3.weight"].shape) == (3, 84)
    assert epochs(second)[-1]["scores"][0]["top1"] > 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--head", "FC7"], "digits has 10 classes and the output `main` of lenet5 7 units: end it in FC10, or add a"),
        (["--freeze", "@features"], "no value is called `@features`"),
        (["--data", "folder:/no/such/place"], "this folder does not exist"),
    ],
)
def test_what_cannot_be_trained(convsize: Callable[..., Any], tmp_path: Path, options: list[str], message: str) -> None:
    ran = convsize("train", SPECS / "lenet5.spec", "-o", tmp_path / "run", *options)
    assert ran.code == 2
    assert message in ran.err
    assert not (tmp_path / "run" / "metrics.jsonl").exists()

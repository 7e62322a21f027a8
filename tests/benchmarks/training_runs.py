"""The training runs behind reports/training.md, each by the command that a user would type.

    OMP_NUM_THREADS=2 python tests/benchmarks/training_runs.py [NAME ...]

Needs `../shared/data/mnist-10k`. Writes reports/training.json; `pytest tests/runtime/training --update` makes the page
of it. Runs that are not named keep the figures they have.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "reports" / "training.json"
MNIST = ROOT.parent / "shared" / "data" / "mnist-10k"


class Run(NamedTuple):
    """A training to be repeated with some seeds. What stands in braces is put in when it runs."""

    name: str
    command: str
    seeds: tuple[int, ...]


RUNS = (
    Run(
        "lenet5-digits",
        "specs/lenet5.spec --data digits --epochs 20 --batch 32 --optimizer momentum --lr 0.05 --schedule cosine",
        (0, 1, 2),
    ),
    Run(
        "keras-mnist",
        "specs/keras_mnist.spec --data mnist:{mnist} --epochs 5 --batch 128 --optimizer adam --lr 0.002 "
        "--warmup 1 --schedule cosine",
        (0, 1, 2),
    ),
    Run(
        "cs231n-folder",
        "specs/cs231n.spec --data folder:{digits} --epochs 4 --batch 32 --optimizer adam --lr 0.001 --schedule cosine",
        (0,),
    ),
    Run("cifar10-fake", "specs/cifar10.spec --data fake:512 --epochs 2 --batch 64 --optimizer adam --lr 0.001", (0,)),
    Run(
        "lenet5-mnist",
        "specs/lenet5.spec --data mnist:{mnist} --epochs 10 --batch 64 --optimizer momentum --lr 0.05 "
        "--schedule cosine",
        (0,),
    ),
    Run(
        "lenet5-transfer",
        "specs/lenet5.spec --data digits --init {lenet5-mnist} --head FC10 --freeze 'conv*' --epochs 20 --batch 32 "
        "--optimizer momentum --lr 0.05 --schedule cosine",
        (0, 1, 2),
    ),
)


def write_digits(directory: Path) -> None:
    """scikit-learn's digits as a folder of PNG files for every class."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    found = load_digits()
    for number, (image, label) in enumerate(zip(found.images, found.target, strict=True)):
        path = directory / str(label) / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 255 / 16).astype(np.uint8)).resize((32, 32), Image.Resampling.BILINEAR).save(path)


def train(run: Run, seed: int, places: dict[str, str], folder: Path) -> dict[str, Any]:
    """Runs a command to its end: the figures of its epochs, and the seconds from its start to its end."""
    words = [word.strip("'") for word in run.command.split()]
    words = [word.format_map(places) for word in words]
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "convsize", "train", *words, "--seed", str(seed), "--output", str(folder)],
        check=True,
        cwd=ROOT,
    )
    seconds = time.perf_counter() - start
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "training_seconds": round(sum(epoch["seconds"] for epoch in epochs), 1),
        "accuracy": [epoch["scores"][0]["top1"] for epoch in epochs],
        "loss": [epoch["train_loss"] for epoch in epochs],
    }


def main() -> None:
    """Runs what is named, or everything."""
    import torch

    asked = set(sys.argv[1:]) or {run.name for run in RUNS}
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"runs": {}}
    found["machine"] = {
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "torch": torch.__version__.partition("+")[0],
        "python": platform.python_version(),
    }
    with tempfile.TemporaryDirectory() as temporary:
        digits = Path(temporary) / "digits"
        write_digits(digits)
        weights = Path(temporary) / "lenet5-mnist-0" / "last.safetensors"
        places = {"mnist": str(MNIST), "digits": str(digits), "lenet5-mnist": str(weights)}
        for run in RUNS:
            if run.name in asked:
                results = [train(run, seed, places, Path(temporary) / f"{run.name}-{seed}") for seed in run.seeds]
                found["runs"][run.name] = {"command": run.command, "results": results}
                RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

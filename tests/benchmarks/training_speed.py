"""Step time of convsize's training loop against one written by hand, in turns within one run: python <this file>.

Both train the same module of a spec on the same batches with SGD and momentum; the hand-written loop is the usual five
lines over a DataLoader. A round of one is followed by a round of the other, on one core; processor time is taken, which
other processes disturb less than the clock on the wall. Then the share of a step that waits for data on MNIST's files,
where those of ../shared are there.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch.utils.data import DataLoader

import convsize
from convsize.records import EpochFigures, RunSettings
from convsize.runtime.data.opening import open_data
from convsize.runtime.training.job import Job
from convsize.runtime.training.loop import train

ROOT = Path(__file__).resolve().parents[2]
MNIST = ROOT.parent / "shared" / "data" / "mnist-10k"
CASES = (("lenet5", "fake:1024", 64), ("cifar10", "fake:256", 32), ("keras_mnist", "fake:512", 128))
ROUNDS = 9


def by_hand(network: convsize.api.Network, settings: RunSettings) -> float:
    """Processor seconds of an epoch's training."""
    data = open_data(settings.data, network, seed=0)
    torch.manual_seed(0)
    module = network.to_torch(logits=True).train()
    optimizer = torch.optim.SGD(module.parameters(), lr=settings.lr, momentum=0.9)
    loader = DataLoader(data.train, settings.batch, shuffle=True, drop_last=True, collate_fn=lambda batch: batch)
    start = time.process_time()
    for (images,), targets in loader:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(module(images), targets["main"])
        loss.backward()
        optimizer.step()
        loss.item()
    return time.process_time() - start


def by_convsize(network: convsize.api.Network, settings: RunSettings) -> float:
    """The same of convsize's loop, from its first step to the figures of its last one; the test is left out."""
    with tempfile.TemporaryDirectory() as folder:
        job = Job(network, settings, Path(folder) / "run", network.source.text, network.analyze().graph, log_every=50)
        start = end = 0.0
        for event in train(job):
            if type(event).__name__ == "RunStart":
                start = time.process_time()
            elif type(event).__name__ == "StepFigures":
                end = time.process_time()
    return end - start


def main() -> None:
    torch.set_num_threads(1)
    for name, data, batch in CASES:
        network = convsize.load(ROOT / "specs" / f"{name}.spec")
        settings = RunSettings(data, epochs=1, batch=batch, lr=0.001)
        ratios = []
        for turn in range(ROUNDS + 1):
            ours, theirs = by_convsize(network, settings), by_hand(network, settings)
            if turn:
                ratios.append(ours / theirs)
        low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
        print(f"{name}, batch {batch}: convsize / by hand {middle:.3f} (from {low:.3f} to {high:.3f}, {ROUNDS} rounds)")
    if not MNIST.is_dir():
        print("no MNIST files: the wait for data is not measured", file=sys.stderr)
        return
    network = convsize.load(ROOT / "specs" / "keras_mnist.spec")
    with tempfile.TemporaryDirectory() as folder:
        settings = RunSettings(f"mnist:{MNIST}", epochs=1, batch=128, optimizer="adam", lr=0.001)
        job = Job(
            network, settings, Path(folder) / "run", network.source.text, network.analyze().graph, log_every=10**6
        )
        for event in train(job):
            if isinstance(event, EpochFigures):
                print(f"keras_mnist on MNIST, batch 128: {event.waiting:.1%} of the time waits for data")


if __name__ == "__main__":
    main()

"""Predicted times against measured ones, over all specs: python <this file> DEVICE.json [--minutes M] [--report].

Whole networks, a forward pass in evaluation mode and a training step with momentum, at batches 1, 8 and 32, each in a
cell of its own under reports/receipts/time/: a run goes on where the last one ended. A cell is left out, and said to
be, where a step would take longer than a few seconds or more memory than 16 GiB by prediction. DEVICE.json is what
`convsize calibrate --threads 1` wrote on the same machine; no sample of it is of these networks. Where a step takes a
second at most every layer is timed alone as well, between two timings of the whole network, as
`convsize calibrate --shapes` does. --report writes reports/time.md and the accuracy into the device file.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch

import convsize
from convsize import devices
from convsize.analyses.time_pieces import pieces
from convsize.analyses.time_prediction import predict_time
from convsize.analyses.training_memory import training_memory
from convsize.analyses.training_step import smallest_batch
from convsize.records import TrainingSetting
from convsize.records.device import Accuracy, Device
from convsize.records.time import TimeSetting
from convsize.runtime.clock import Clock
from convsize.runtime.layer_timing import median_of, time_pieces
from convsize.runtime.whole_timing import as_calibrated, time_whole

ROOT = Path(__file__).resolve().parents[2]
CELLS = ROOT / "reports" / "receipts" / "time"
REPORT = ROOT / "reports" / "time.md"
SPECS = sorted((ROOT / "specs").glob("*.spec"))
BATCHES = (1, 8, 32)
LONGEST, LONGEST_BY_LAYER = 4.0, 0.6
MOST = 16 * 2**30


def settings() -> Iterator[tuple[Path, TimeSetting]]:
    for training in (False, True):
        for batch in BATCHES:
            for path in SPECS:
                yield path, TimeSetting(batch, training=training)


def place(name: str, setting: TimeSetting) -> str:
    return f"{name} {'training' if setting.training else 'inference'} {setting.batch}"


def layers(network: convsize.api.Network, setting: TimeSetting, clock: Clock) -> dict[str, float]:
    """The seconds of every layer, timed as they take turns with each other alone."""
    wanted = pieces(network, setting.batch, setting.dtype, training=setting.training)
    return {key: median_of(each) for key, each in time_pieces(wanted, torch.float32, clock).items()}


def measure(device: Device, minutes: float) -> None:
    """Measures what is not there yet, until the time is up: a network, and right after it each of its layers."""
    CELLS.mkdir(parents=True, exist_ok=True)
    file = CELLS / "cpu.json"
    cells = json.loads(file.read_text()) if file.exists() else {}
    end = time.monotonic() + 60 * minutes
    with as_calibrated("cpu", 1) as clock:
        for path, setting in settings():
            name = place(path.stem, setting)
            if name in cells or time.monotonic() > end:
                continue
            network = convsize.load(path)
            expected = predict_time(network, device, setting)
            if setting.training and setting.batch < smallest_batch(network):
                cells[name] = {"left_out": "a batch norm on a single value a map cannot be trained"}
            elif expected.seconds > LONGEST:
                cells[name] = {"left_out": f"it takes longer than {LONGEST:g} s"}
            elif held(network, setting) > MOST:
                cells[name] = {"left_out": "it holds more than 16 GiB"}
            else:
                timing = time_whole(network, setting, clock)
                cells[name] = {"seconds": timing.median, "spread": timing.spread}
                if expected.seconds <= LONGEST_BY_LAYER:
                    shaped = device._replace(shapes=tuple(layers(network, setting, clock).items()))
                    cells[name]["by_layer"] = predict_time(network, shaped, setting).seconds
                    cells[name]["seconds"] = (timing.median + time_whole(network, setting, clock).median) / 2
                seconds = cells[name]["seconds"]
                by_layer = cells[name].get("by_layer")
                print(
                    f"{name:44} {seconds:9.4f} s, predicted {expected.seconds / seconds - 1:+.1%}"
                    + ("" if by_layer is None else f", by layer {by_layer / seconds - 1:+.1%}"),
                    flush=True,
                )
            file.write_text(json.dumps(cells, indent=1) + "\n")
            gc.collect()


def held(network: convsize.api.Network, setting: TimeSetting) -> int:
    """The bytes of the peak."""
    chosen = TrainingSetting(setting.batch, inference=not setting.training)
    return training_memory(network, chosen).peak.bytes


def errors(device: Device, cells: dict[str, dict[str, float]], what: str, mode: str) -> dict[str, float]:
    """The relative error of every cell."""
    found = {}
    for path, setting in settings():
        cell = cells.get(place(path.stem, setting), {})
        if ("training" if setting.training else "inference") != what or "seconds" not in cell:
            continue
        if mode == "per-shape":
            if "by_layer" not in cell:
                continue
            predicted = cell["by_layer"]
        else:
            predicted = predict_time(convsize.load(path), device, setting).seconds
        found[place(path.stem, setting)] = predicted / cell["seconds"] - 1
    return found


def report(device: Device, file: Path) -> None:
    """The page, and the accuracy into the device file."""
    cells = json.loads((CELLS / "cpu.json").read_text())
    versions = ", ".join(f"{name} {version}" for name, version in device.source.versions)
    lines = [
        "# Predicted times against measured ones",
        "",
        f"`convsize time` against whole networks on {device.title} ({versions}), calibrated {device.source.date}. Made "
        "by `python tests/benchmarks/time_accuracy.py`. Class mode knows layers like those of a network from a grid of "
        "small ones that no network has; per-shape mode timed every layer of the network alone, between two timings "
        "of the whole. Neither was fitted to a whole network. "
        "Processor time of one thread, with freed memory kept by the allocator. The error is that of the prediction, "
        "relative to the measured time.",
        "",
        "| mode | what | cells | mean error | median | within 10 % | within 20 % | within 30 % | worst |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    accuracy = []
    worst: list[tuple[float, str, str]] = []
    for mode in ("class", "per-shape"):
        for what in ("inference", "training"):
            found = errors(device, cells, what, mode)
            if not found:
                continue
            sizes = [abs(each) for each in found.values()]
            name, most = max(found.items(), key=lambda each: abs(each[1]))
            shares = [sum(size <= limit for size in sizes) / len(sizes) for limit in (0.1, 0.2, 0.3)]
            accuracy.append(
                Accuracy(mode, what, statistics.mean(sizes), statistics.median(sizes), max(sizes), len(sizes))
            )
            lines.append(
                f"| {mode} | {what} | {len(sizes)} | {statistics.mean(sizes):.1%} | {statistics.median(sizes):.1%} | "
                + " | ".join(f"{share:.0%}" for share in shares)
                + f" | {name}, {most:+.0%} |"
            )
            worst += [(each, cell, mode) for cell, each in found.items()]
    largest = sorted(worst, key=lambda each: -abs(each[0]))[:12]
    small = sum(cells[cell]["seconds"] < 0.02 for _, cell, _ in largest)
    lines += [
        "",
        "## The largest errors",
        "",
        f"{small} of these {len(largest)} take less than 20 ms. What such networks take is mostly the "
        "cost of calling operators and whether their weights and code are still in a cache, which depends on all that "
        "ran before; layers that take turns alone find less of it there (too long a prediction), and Python and "
        "autograd between the layers are nobody's (too short a one).",
        "",
        "| network, what, batch | measured | mode | error |",
        "|---|---|---|---|",
    ]
    lines += [f"| {c} | {cells[c]['seconds'] * 1e3:.2f} ms | {m} | {e:+.1%} |" for e, c, m in largest]
    out: dict[str, dict[str, list[str]]] = {}
    for name, cell in cells.items():
        if "left_out" in cell:
            network, what, batch = name.split()
            out.setdefault(cell["left_out"], {}).setdefault(f"{what}, batch {batch}", []).append(network)
    lines += ["", "## Left out"]
    for why, kinds in out.items():
        lines += ["", f"Because {why}:", ""]
        lines += [f"- {kind}: {', '.join(names)}" for kind, names in kinds.items()]
    REPORT.write_text("\n".join(lines) + "\n")
    file.write_text(devices.dump(device._replace(accuracy=tuple(accuracy))))
    print("\n".join(lines[5:12]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("device", type=Path)
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--report", action="store_true")
    asked = parser.parse_args()
    loaded = devices.load(str(asked.device))
    measure(loaded, asked.minutes)
    if asked.report:
        report(loaded, asked.device)

"""Predicted times against measured ones, over all specs.

    python tests/benchmarks/time_accuracy.py DEVICE.json [--minutes M] [--longest S] [--report]

Whole networks, a forward pass in evaluation mode and a training step with momentum, at several batches, each in a cell
of its own in reports/receipts/time/cpu.json or cuda.json: a run goes on where the last one ended. A cell is left out,
and said to be, where a step would take longer than S seconds (4) or more memory than there is by prediction; a run
with a larger S measures what was left out for its time.
DEVICE.json is what `convsize calibrate` wrote on the same machine (on a processor with `--threads 1`, on a GPU with
`--device cuda --dtype float32 --dtype bfloat16`); no sample of it is of these networks. Where a step takes little time
every layer is timed alone as well, between two timings of the whole network, as `convsize calibrate --shapes` does.
--report writes reports/time.md, on a GPU reports/time_cuda.md, and the accuracy into the device file.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import convsize
from convsize import devices
from convsize.analyses.memory.peak import training_memory
from convsize.analyses.memory.step import smallest_batch
from convsize.analyses.time.prediction import predict_time
from convsize.records import TrainingSetting
from convsize.records.device import Accuracy, Device
from convsize.records.time import TimeSetting
from convsize.runtime.timing.layers import time_layers
from convsize.runtime.timing.networks import as_calibrated, time_whole

ROOT = Path(__file__).resolve().parents[2]
CELLS = ROOT / "reports" / "receipts" / "time"
REPORTS = {"cpu": ROOT / "reports" / "time.md", "cuda": ROOT / "reports" / "time_cuda.md"}
SPECS = sorted((ROOT / "specs").glob("*.spec"))
BATCHES = {"cpu": (1, 8, 32), "cuda": (1, 8, 32, 128, 256)}
LONGEST_BY_LAYER = 0.6
_TOO_LONG = "it takes longer than"
MOST = {"cpu": 16 * 2**30, "cuda": 64 * 2**30}


def settings(device: Device) -> Iterator[tuple[Path, TimeSetting]]:
    for dtype in (name for name, _ in device.peaks if name != "tf32"):
        for training in (False, True):
            for batch in BATCHES[device.kind]:
                for path in SPECS:
                    yield path, TimeSetting(batch, dtype, training)


def kind(setting: TimeSetting) -> str:
    """`training`, or in another type than float32 `training bfloat16`."""
    what = "training" if setting.training else "inference"
    return what if setting.dtype == "float32" else f"{what} {setting.dtype}"


def place(name: str, setting: TimeSetting) -> str:
    return f"{name} {kind(setting)} {setting.batch}"


def measure(device: Device, minutes: float, longest: float) -> None:
    """Measures what is not there yet, until the time is up: a network, and right after it each of its layers."""
    CELLS.mkdir(parents=True, exist_ok=True)
    file = CELLS / f"{device.kind}.json"
    cells = json.loads(file.read_text()) if file.exists() else {}
    end = time.monotonic() + 60 * minutes
    with as_calibrated(device.kind, device.threads) as clock:
        for path, setting in settings(device):
            name = place(path.stem, setting)
            too_long = cells.get(name, {}).get("left_out", "").startswith(_TOO_LONG)
            if (name in cells and not too_long) or time.monotonic() > end:
                continue
            network = convsize.load(path)
            expected = predict_time(network, device, setting)
            if setting.training and setting.batch < smallest_batch(network):
                cells[name] = {"left_out": "a batch norm on a single value a map cannot be trained"}
            elif expected.seconds > longest:
                if not too_long:
                    cells[name] = {"left_out": f"{_TOO_LONG} {longest:g} s"}
            elif held(network, setting, device) > MOST[device.kind]:
                cells[name] = {"left_out": f"it holds more than {MOST[device.kind] // 2**30} GiB"}
            else:
                # Where a step takes long, what disturbs the machine for a moment is a small part of it.
                least = 3 if expected.seconds < 4 else 2 if expected.seconds < 20 else 1
                timing = time_whole(network, setting, clock, device.kind, least=least)
                cells[name] = {"seconds": timing.median, "spread": timing.spread}
                if expected.seconds <= LONGEST_BY_LAYER:
                    shaped = device.replace(shapes=tuple(time_layers(network, setting, clock, device.kind).items()))
                    cells[name]["by_layer"] = predict_time(network, shaped, setting).seconds
                    cells[name]["seconds"] = (
                        timing.median + time_whole(network, setting, clock, device.kind).median
                    ) / 2
                seconds = cells[name]["seconds"]
                by_layer = cells[name].get("by_layer")
                print(
                    f"{name:44} {seconds:9.4f} s, predicted {expected.seconds / seconds - 1:+.1%}"
                    + ("" if by_layer is None else f", by layer {by_layer / seconds - 1:+.1%}"),
                    flush=True,
                )
            file.write_text(json.dumps(cells, indent=1) + "\n")
            gc.collect()


def held(network: convsize.api.Network, setting: TimeSetting, device: Device) -> int:
    """The bytes of the peak."""
    chosen = TrainingSetting(setting.batch, dtype=setting.dtype, device=device.kind, inference=not setting.training)
    return training_memory(network, chosen).peak.bytes


def errors(device: Device, cells: dict[str, dict[str, float]], what: str, mode: str) -> dict[str, float]:
    """The relative error of every cell."""
    found = {}
    for path, setting in settings(device):
        cell = cells.get(place(path.stem, setting), {})
        if kind(setting) != what or "seconds" not in cell:
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
    cells = json.loads((CELLS / f"{device.kind}.json").read_text())
    how = "Processor time of one thread" if device.threads == 1 else "Time of CUDA's events"
    kinds = list(dict.fromkeys(kind(setting) for _, setting in settings(device)))
    versions = ", ".join(f"{name} {version}" for name, version in device.source.versions)
    lines = [
        "# Predicted times against measured ones",
        "",
        f"`convsize time` against whole networks on {device.title} ({versions}), calibrated {device.source.date}. Made "
        "by `python tests/benchmarks/time_accuracy.py`. Class mode knows layers like those of a network from a grid of "
        "small ones that no network has; per-shape mode timed every layer of the network alone, between two timings "
        "of the whole. Neither was fitted to a whole network. "
        f"{how}, with freed memory kept by the allocator. The error is that of the prediction, relative to the "
        "measured time.",
        "",
        "| mode | what | cells | mean error | median | within 10 % | within 20 % | within 30 % | worst |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    all_sizes: dict[tuple[str, str], list[float]] = {}
    worst: list[tuple[float, str, str]] = []
    for mode in ("class", "per-shape"):
        for what in kinds:
            found = errors(device, cells, what, mode)
            if not found:
                continue
            sizes = [abs(each) for each in found.values()]
            name, most = max(found.items(), key=lambda each: abs(each[1]))
            shares = [sum(size <= limit for size in sizes) / len(sizes) for limit in (0.1, 0.2, 0.3)]
            all_sizes.setdefault((mode, what.split()[0]), []).extend(sizes)
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
            network, *what, batch = name.split()
            out.setdefault(cell["left_out"], {}).setdefault(f"{' '.join(what)}, batch {batch}", []).append(network)
    lines += ["", "## Left out"]
    for why, groups in out.items():
        lines += ["", f"Because {why}:", ""]
        lines += [f"- {group}: {', '.join(names)}" for group, names in groups.items()]
    REPORTS[device.kind].write_text("\n".join(lines) + "\n")
    accuracy = tuple(
        Accuracy(*which, statistics.mean(sizes), statistics.median(sizes), max(sizes), len(sizes))
        for which, sizes in all_sizes.items()
    )
    file.write_text(devices.dump(devices.load(str(file)).replace(accuracy=accuracy)))
    print("\n".join(lines[5:12]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("device", type=Path)
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--longest", type=float, default=4.0)
    parser.add_argument("--report", action="store_true")
    asked = parser.parse_args()
    loaded = devices.load(str(asked.device)).replace(shapes=())
    measure(loaded, asked.minutes, asked.longest)
    if asked.report:
        report(loaded, asked.device)

"""Whole processes, start to finish: `convsize analyze specs/vgg_d.spec` against torchinfo's summary of VGG-16.

    python tests/benchmarks/start_to_finish.py

The commands run in turn, so that a machine whose speed drifts slows both; medians and the ratio of each pair are
printed. Memory is the peak resident set of the process. Bytecode is written and used, as in any installed package; the
first round, which writes it, is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "bare interpreter": [sys.executable, "-I", "-S", "-c", "pass"],
    "convsize analyze": [sys.executable, "-m", "convsize", "analyze", str(ROOT / "specs" / "vgg_d.spec")],
    "torchinfo summary": [sys.executable, str(Path(__file__).with_name("torchinfo_vgg16.py"))],
}


class Run(NamedTuple):
    """One finished process."""

    seconds: float
    processor: float
    mebibytes: float


def run(command: list[str]) -> Run:
    """Runs a command to its end and asks the system what it took."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        assert process.stderr is not None
        raise SystemExit(process.stderr.read().decode())
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def quickest(command: list[str], enough: float, tries: int = 30) -> float:
    """Processor time of the quickest run: of three where one takes less than `enough` seconds, else of `tries`.

    The quickest is the one that others disturbed least. They disturb a machine for a while, so there are pauses.
    """
    best = float("inf")
    for turn in range(tries):
        best = min(best, run(command).processor)
        if turn >= 2 and best < enough:
            break
        if turn >= 2:
            time.sleep(2)
    return best


def measure(rounds: int) -> dict[str, list[Run]]:
    """Every command in turn, `rounds` times after one round that is not counted."""
    found: dict[str, list[Run]] = {name: [] for name in COMMANDS}
    for turn in range(rounds + 1):
        for name, command in COMMANDS.items():
            result = run(command)
            if turn:
                found[name].append(result)
    return found


def ratio(found: dict[str, list[Run]]) -> tuple[float, float]:
    """Median over the pairs: how many times faster, and the share of the memory."""
    pairs = list(zip(found["torchinfo summary"], found["convsize analyze"], strict=True))
    return (
        statistics.median(theirs.seconds / ours.seconds for theirs, ours in pairs),
        statistics.median(ours.mebibytes / theirs.mebibytes for theirs, ours in pairs),
    )


def main() -> None:
    """Prints the medians and the ratios, or everything as JSON.

    The children are measured by this small process: what a large one had resident when it started them would count.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.rounds)
    if asked.json:
        print(json.dumps(found))
        return
    for name, runs in found.items():
        seconds = statistics.median(each.seconds for each in runs)
        print(f"{name:20} {seconds * 1000:8.1f} ms {statistics.median(r.mebibytes for r in runs):8.1f} MiB")
    faster, share = ratio(found)
    print(f"convsize is {faster:.1f} times faster and takes {share * 100:.1f} % of the memory")


if __name__ == "__main__":
    main()

"""Random networks by number, each in float32, under autocast and in a setting of any kind, against PyTorch on a CPU.

`python tests/analyses/memory/campaign.py 10000 20000` tries the networks of these numbers and prints a line for every
difference: its number, its setting, what differs (predicted, then measured) and its text. A number makes the same
network at any time. Networks run in processes of their own, a hundred in each, since PyTorch itself can end one.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections import Counter
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[level]) for level in (1, 2)]

from small_networks import small_network
from witness import differences

import convsize
from convsize.analyses.memory.step import smallest_batch
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.records import TrainingSetting
from convsize.records.optimizers import OPTIMIZERS

PART = 100
"""Networks of a process."""

KINDS = ("float32", "autocast", "any")


def setting_of(kind: str, random: Random, network: Network) -> TrainingSetting:
    """A setting of this kind, with a batch of 1 to 3 samples where the network takes it."""
    batch = random.choice((1, 2, 3))
    if kind != "any":
        autocast = "bfloat16" if kind == "autocast" else None
        return TrainingSetting(max(batch, smallest_batch(network)), "sgd", autocast=autocast)
    dtype, autocast = random.choice(
        [("float32", None)] * 3
        + [("float32", "bfloat16"), ("float32", "float16")] * 2
        + [("bfloat16", None), ("float64", None)]
    )
    in_place = random.random() < 0.7
    if random.random() < 0.15:
        batch = max(batch, smallest_batch(network, inference=True))
        return TrainingSetting(batch, inference=True, in_place=in_place, dtype=dtype, autocast=autocast)
    blocks = any(node.blocks for node in network.layers)
    frozen = (random.choice(list(network.layers)).name,) if random.random() < 0.3 else ()
    return TrainingSetting(
        max(batch, smallest_batch(network, frozen)),
        random.choice(tuple(OPTIMIZERS)),
        dtype=dtype,
        autocast=autocast,
        in_place=in_place,
        frozen=frozen,
        accumulate=random.choice((1, 1, 2)),
        checkpoint=("*",) if blocks and random.random() < 0.6 else (),
        losses=random.choice(((), (), (("", "mse"),), (("", "smooth-l1"),))),
    )


def tried(number: int, kind: str) -> tuple[str, str]:
    """How the network of a number does: "the same", "refused" or what went wrong, and with what."""
    text = small_network(Random(number))
    network = convsize.parse(text)
    said = ""
    try:
        setting = setting_of(kind, Random(f"{number} {kind}"), network)
        said = str(setting)
        found = differences(network, setting)
    except UsageError as error:
        return "refused", str(error)
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}\n{said}\n{text}"
    return ("different", f"{found}\n{said}\n{text}") if found else ("the same", "")


def _part(numbers: range, pipe: Connection) -> None:
    for number in numbers:
        for kind in KINDS:
            pipe.send((number, kind, "started", ""))
            pipe.send((number, kind, *tried(number, kind)))


def _answers(numbers: range) -> tuple[list[tuple[int, str, str, str]], int]:
    """The answers for networks that a process of their own tries, and the number to go on with."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_part, args=(numbers, theirs))
    process.start()
    theirs.close()
    answers: dict[tuple[int, str], tuple[int, str, str, str]] = {}
    with suppress(EOFError):
        while True:
            answer = ours.recv()
            answers[answer[:2]] = answer
    process.join()
    found = list(answers.values())
    number, kind, how, _ = found[-1]
    if how != "started":
        return found, numbers.stop
    text = small_network(Random(number))
    return [*found[:-1], (number, kind, "ended", f"the process, with {process.exitcode}\n{text}")], number + 1


def main(first: int, end: int) -> int:
    """Tries the networks from the first number to before the end: whether any was different."""
    import torch  # noqa: F401 (once for all processes, which are forks of this one)

    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    while first < end:
        answers, first = _answers(range(first, min(first + PART, end)))
        for number, kind, how, what in answers:
            counts[how] += 1
            if how == "refused":
                refused[what.partition(": ")[2]] += 1
            elif how != "the same":
                print(f"--- {number} {kind}: {how}: {what}", flush=True)
        print(f"up to {first}: {dict(counts)}", file=sys.stderr, flush=True)
    for why, times in refused.most_common():
        print(f"refused {times} times: {why}")
    print(f"{sum(counts.values())} trials: {dict(counts)}")
    return int(counts.keys() - {"the same", "refused"} != set())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))

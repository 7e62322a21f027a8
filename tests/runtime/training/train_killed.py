"""A run that is killed again and again: run as a program with a folder, how often it is to be killed, and a seed.

PyTorch is imported once; every attempt is a fork of this process, so that 20 of them take seconds. Between attempts the
newest checkpoint is sometimes damaged, where there is another one, and some attempts have a disk that takes no more
than so many bytes of a file. A run that ends before it was killed as often as asked for is renamed, with a number, and
another one begins. It writes a line of JSON: how many attempts were killed, how many of each fault, and runs so ended.
"""

import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch

import convsize
from convsize.errors import ConvsizeError
from convsize.records import RunSettings
from convsize.runtime.training.job import Job
from convsize.runtime.training.loop import train

SPEC = "input: 1@8x8\nC3D4 BN R drop(0.2) M FC10 S\n"
FULL = 28  # what a shell says of a program whose disk is full, errno.ENOSPC


def job(folder: Path, *, resume: bool) -> Job:
    network = convsize.parse(SPEC, name="killed")
    settings = RunSettings("fake:96", epochs=5, batch=8, optimizer="adam", lr=1e-3, augment=True, seed=3)
    return Job(network, settings, folder, SPEC, network.analyze().graph, resume, save_every=1, log_every=1)


def attempt(folder: Path, most: int | None) -> int:
    """A process that trains as far as it is let; no file of it grows beyond `most` bytes."""
    child = os.fork()
    if not child:
        code = 1
        try:
            if most is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            for _ in train(job(folder, resume=(folder / "settings.json").exists())):
                pass
            code = 0
        except ConvsizeError as error:
            code = FULL if most is not None else 1
            if code == 1:
                print(error, file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    return child


def damage(folder: Path, draw: random.Random) -> bool:
    """Flips a bit of the newest checkpoint, cuts a file of it short or removes it, where there is one before."""
    places = sorted((folder / "checkpoints").glob("[0-9]*"))
    if len(places) < 2:
        return False
    file = draw.choice(sorted(places[-1].iterdir()))
    data = bytearray(file.read_bytes())
    at = draw.randrange(len(data))
    what = draw.choice(("bit", "cut", "gone"))
    if what == "gone":
        file.unlink()
        return True
    # Published weights are the same file under another name: a new one is written.
    data[at] ^= 1 << draw.randrange(8)
    file.unlink()
    file.write_bytes(data[:at] if what == "cut" else data)
    return True


if __name__ == "__main__":
    folder, kills = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as warm:
        next(train(job(Path(warm) / "run", resume=False)))  # what is imported by a first run is imported once
    draw = random.Random(int(sys.argv[3]))
    told = {"killed": 0, "damaged": 0, "full": 0, "ended": 0}
    span = 0.2  # seconds; as long as the machine takes for some steps
    sound = True  # a second damage before a new checkpoint would leave none
    while True:
        before = max((folder / "checkpoints").glob("[0-9]*"), default=None)
        most = draw.choice((None, None, None, draw.randrange(10_000))) if told["killed"] < kills else None
        child = attempt(folder, most)
        told["full"] += most is not None
        if told["killed"] < kills:
            time.sleep(draw.uniform(0, span))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            told["killed"] += 1
        elif os.WEXITSTATUS(status) not in (0, FULL):
            sys.exit(f"an attempt failed with {os.WEXITSTATUS(status)}")
        elif not os.WEXITSTATUS(status):
            if told["killed"] == kills:
                break
            told["ended"] += 1  # before it was killed often enough: it is put aside, and another one begins
            folder.rename(folder.with_name(f"{folder.name}-{told['ended']}"))
            sound = True
            continue
        moved = max((folder / "checkpoints").glob("[0-9]*"), default=None) != before
        span = span * 0.8 if moved else span + 0.2
        sound = sound or moved
        if sound and draw.random() < 0.2 and damage(folder, draw):
            told["damaged"] += 1
            sound = False
    print(json.dumps(told))

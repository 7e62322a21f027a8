"""A run that is killed again and again: run as a program with a folder, and how often it is to be killed.

PyTorch is imported once; every attempt is a fork of this process, so that 20 of them take seconds. It writes a line of
JSON: how many attempts were killed, and how many steps those lost together.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

import convsize
from convsize.records import RunSettings
from convsize.runtime.training.job import Job
from convsize.runtime.training.loop import train

SPEC = "input: 1@8x8\nC3D4 BN R drop(0.2) M FC10 S\n"


def job(folder: Path, *, resume: bool) -> Job:
    network = convsize.parse(SPEC, name="killed")
    settings = RunSettings("fake:96", epochs=5, batch=8, optimizer="adam", lr=1e-3, augment=True, seed=3)
    return Job(network, settings, folder, SPEC, network.analyze().graph, resume, save_every=1, log_every=1)


def attempt(folder: Path) -> int:
    """A process that trains as far as it is let."""
    child = os.fork()
    if not child:
        resume = (folder / "settings.json").exists()
        for _ in train(job(folder, resume=resume)):
            pass
        os._exit(0)
    return child


if __name__ == "__main__":
    folder, kills = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    draw = random.Random(7)
    killed = 0
    while True:
        child = attempt(folder)
        if killed < kills:
            time.sleep(draw.uniform(0.02, 0.4))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            killed += 1
        elif os.WEXITSTATUS(status):
            sys.exit(f"an attempt failed with {os.WEXITSTATUS(status)}")
        else:
            break
    print(json.dumps({"killed": killed}))

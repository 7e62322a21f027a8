"""Checkpoints: written whole or not at all, checked before anything of them is used.

A checkpoint is a folder named by its step: weights and state as safetensors, everything else as JSON with the digests
of all three. It is written beside its place and renamed into it when it is on the disk, so that a run killed at any
moment finds whole ones. Nothing in it can run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors
from safetensors.torch import load_file, save_file
from torch import Tensor

from convsize.errors import ConvsizeError, UsageError
from convsize.record import Record

SCHEMA = 2
KEPT = 2
"""Checkpoints that are kept: the newest, and one for the case that it is found torn."""

_WEIGHTS, _STATE, _FACTS = "weights.safetensors", "state.safetensors", "checkpoint.json"


class TornError(ConvsizeError):
    """A checkpoint that is not whole."""


class Checkpoint(Record):
    """What a run goes on from.

    weights: the module's tensors by name. state: tensors of the optimizer and of random numbers. facts: plain numbers
    and texts.
    """

    step: int
    weights: dict[str, Tensor]
    state: dict[str, Tensor]
    facts: dict[str, Any]


def write(home: Path, checkpoint: Checkpoint) -> Path:
    """Writes a checkpoint into a folder of checkpoints; only the newest few stay.

    Raises OSError where the disk does not take it; the checkpoints of before are untouched then.
    """
    place = place_of(home, checkpoint.step)
    temporary = home / f".writing-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        digests = {}
        for name, tensors in ((_WEIGHTS, checkpoint.weights), (_STATE, checkpoint.state)):
            whole = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
            save_file(whole, temporary / name)
            digests[name] = _settle(temporary / name)
        facts = {"schema": SCHEMA, "step": checkpoint.step, "files": digests, **checkpoint.facts}
        facts["digest"] = _digest(facts)
        (temporary / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
        _settle(temporary / _FACTS)
        _settle_folder(temporary)
        shutil.rmtree(place, ignore_errors=True)
        temporary.rename(place)
        _settle_folder(home)
    except safetensors.SafetensorError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise OSError(str(error)) from None
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    for old in _places(home)[KEPT:]:
        gone = home / f".old-{old.name}"
        old.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
    return place


def newest(home: Path) -> Iterator[Checkpoint | TornError]:
    """The checkpoints from the newest on, each whole, or the reason why it is not."""
    for place in _places(home):
        try:
            yield read(place)
        except TornError as error:
            yield error


def read(place: Path) -> Checkpoint:
    """A checkpoint. Raises TornError where it is not whole, UsageError where another convsize wrote it."""
    try:
        facts = json.loads((place / _FACTS).read_text(encoding="utf-8"))
        digest = facts.pop("digest")
        if _digest(facts) != digest:
            raise TornError(f"{place}: {_FACTS} has changed since it was written")
        if facts["schema"] != SCHEMA:
            raise UsageError(f"{place} was written by another version of convsize (schema {facts['schema']})")
        for name, wanted in facts["files"].items():
            with (place / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != wanted:
                    raise TornError(f"{place}: {name} has changed since it was written")
        weights, state = load_file(place / _WEIGHTS), load_file(place / _STATE)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, safetensors.SafetensorError) as error:
        raise TornError(f"{place} is incomplete: {error}") from None
    return Checkpoint(facts["step"], weights, state, facts)


def place_of(home: Path, step: int) -> Path:
    """Where the checkpoint of a step is."""
    return home / f"{step:010}"


def publish(place: Path, target: Path) -> None:
    """Makes a checkpoint's weights a file of their own that is replaced at once. Raises OSError."""
    temporary = target.with_name(f".{target.name}")
    temporary.unlink(missing_ok=True)
    try:
        os.link(place / _WEIGHTS, temporary)
    except OSError:  # a file system without links
        shutil.copyfile(place / _WEIGHTS, temporary)
    temporary.replace(target)


def tidy(home: Path) -> None:
    """Removes what a killed process left half done."""
    for rest in (*home.glob(".writing-*"), *home.glob(".old-*")):
        shutil.rmtree(rest, ignore_errors=True)


def _places(home: Path) -> list[Path]:
    return sorted((place for place in home.glob("[0-9]*") if place.is_dir()), reverse=True)


def _digest(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _settle(path: Path) -> str:
    """Waits until a file is on the disk, and says its digest."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

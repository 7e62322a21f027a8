"""A training run: how it was asked for, and what it tells as it goes."""

from __future__ import annotations

from typing import Literal, TypeGuard, get_args

from convsize.record import Record
from convsize.records.dtypes import AutocastType
from convsize.records.optimizers import OptimizerName

Schedule = Literal["constant", "cosine", "step"]
Autocast = Literal["", AutocastType]
Where = Literal["cpu", "cuda"]

_WORDS = {
    "optimizer": get_args(OptimizerName),
    "schedule": get_args(Schedule),
    "autocast": get_args(Autocast),
    "device": get_args(Where),
}
_POSITIVE = ("lr", "lr_gamma")
_COUNTS = ("epochs", "batch", "accumulate", "lr_step", "processes")
_LARGEST = 1e15
"""The largest rate or factor of a run: PyTorch takes it as a whole number, too."""
_LARGEST_SEED = 2**63 - 1


class RunSettings(Record):
    """What decides the numbers of a training run, besides the spec.

    data: as it was asked for, `mnist:DIR`. batch: samples of one process at a time. optimizer: sgd, momentum, nesterov,
    adam or adamw. decay_all: whether norms and biases decay, too. schedule: constant, cosine or step; warmup, lr_step:
    in epochs. losses, loss_weights: by output, "" standing for those that are not named. autocast: bfloat16,
    float16, or "" for none. processes: how many take part, each with `batch` samples. heads: what the spec's last
    layers were replaced by. init: the file that weights came from. frozen, checkpoint: patterns of layers that are not
    trained, and of blocks that are run again in the backward pass. inputs, lets: what overrides the spec, as it was
    written.
    """

    data: str
    epochs: int = 10
    batch: int = 32
    accumulate: int = 1
    optimizer: str = "momentum"
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 0.0
    decay_all: bool = True
    schedule: str = "constant"
    warmup: float = 0.0
    lr_step: int = 10
    lr_gamma: float = 0.1
    clip: float = 0.0
    label_smoothing: float = 0.0
    losses: tuple[tuple[str, str], ...] = ()
    loss_weights: tuple[tuple[str, float], ...] = ()
    autocast: str = ""
    channels_last: bool = False
    compile: bool = False
    augment: bool = False
    sync_bn: bool = False
    seed: int = 0
    device: str = "cpu"
    processes: int = 1
    heads: tuple[str, ...] = ()
    init: str = ""
    frozen: tuple[str, ...] = ()
    checkpoint: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    lets: tuple[str, ...] = ()


def wrong_setting(settings: RunSettings) -> tuple[str, str] | None:
    """The first setting that no run can have, with what it takes and what it is; None where all can be."""
    for name, value in settings.as_dict().items():
        if takes := _taken(name, value):
            shown = f"{value:g}" if isinstance(value, float) else repr(value)
            return name, f"takes {takes}, not {shown}"
    return None


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether this is a number, which a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _taken(name: str, value: object) -> str:
    """What a setting takes, where this is nothing of the kind."""
    usual = RunSettings.field_defaults().get(name, "")
    if isinstance(usual, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(usual, int):
        least = 1 if name in _COUNTS else 0
        right = isinstance(value, int) and not isinstance(value, bool) and least <= value <= _LARGEST_SEED
        return "" if right else f"a whole number from {least} to {_LARGEST_SEED}"
    if isinstance(usual, float):
        number = value if is_number(value) else -1
        if name == "label_smoothing":
            return "" if 0 <= number <= 1 else "a number from 0 to 1"
        if name in _POSITIVE:
            return "" if 0 < number <= _LARGEST else f"a number above 0, up to {_LARGEST:g}"
        return "" if 0 <= number <= _LARGEST else f"0 or more, up to {_LARGEST:g}"
    if isinstance(usual, str):
        if name in _WORDS:
            words = _WORDS[name]
            if value in words:
                return ""
            from convsize.words import listed

            return listed([word or "nothing" for word in words], "or")
        return "" if isinstance(value, str) else "a text"
    kind = {"losses": str, "loss_weights": int | float}.get(name)
    rows = value if isinstance(value, tuple) else (None,)
    if kind is None:
        return "" if all(isinstance(each, str) for each in rows) else "texts"
    right = all(
        isinstance(each, tuple) and len(each) == 2 and isinstance(each[0], str) and isinstance(each[1], kind)
        for each in rows
    )
    return "" if right else "pairs of an output and its value"


class RunStart(Record):
    """What begins, or goes on after `step` steps.

    epoch_steps: steps of an epoch; left_out: training samples that an epoch leaves out because they fill no batch.
    predicted: bytes that training holds at its peak, or None where that is not known, for the reason `unpredicted`.
    said: sentences on what was done to the data and to the network.
    """

    name: str
    folder: str
    device: str
    processes: int
    parameters: int
    trained: int
    samples: int
    tested: int
    epochs: int
    epoch_steps: int
    left_out: int
    step: int
    predicted: int | None
    unpredicted: str
    said: tuple[str, ...]


class StepFigures(Record):
    """The steps since the last such figures.

    epoch: from 1; step: of the whole run, from 1. loss: their mean, over all processes and outputs. throughput: samples
    a second of all processes. waiting: the share of the time spent waiting for data. memory: the most bytes that this
    process held for training so far, None where the system does not say.
    """

    epoch: int
    step: int
    loss: float
    lr: float
    throughput: float
    waiting: float
    memory: int | None


class HeadScore(Record):
    """How an output does on the test set: its loss; shares of right answers for classes, mean absolute error else."""

    name: str
    loss: float
    top1: float | None = None
    top5: float | None = None
    error: float | None = None


class EpochFigures(Record):
    """An epoch: losses, how every output does, and whether it is the best so far.

    seconds: of training, without the test. best: by the main output's accuracy, or where it has none by the test loss.
    """

    epoch: int
    step: int
    train_loss: float
    test_loss: float
    scores: tuple[HeadScore, ...]
    lr: float
    seconds: float
    throughput: float
    waiting: float
    memory: int | None
    best: bool


class Notice(Record):
    """Something to say aloud; `warning` where something went wrong that the run survives."""

    text: str
    warning: bool = False


class RunEnd(Record):
    """How a run ended: after all its epochs, or because it was told to stop.

    seconds: of training over all its parts. stopped: the name of the signal, or "".
    """

    name: str
    folder: str
    epoch: int
    epochs: int
    step: int
    last: EpochFigures | None
    best: EpochFigures | None
    seconds: float
    memory: int | None
    predicted: int | None
    stopped: str = ""


Event = RunStart | StepFigures | EpochFigures | Notice | RunEnd

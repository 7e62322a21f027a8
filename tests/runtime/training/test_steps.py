"""Training beside plain PyTorch: the same network, written out, takes the same steps, weight by weight."""

import contextlib
import math
import signal
from itertools import chain, pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch.nn.functional as F  # noqa: E402, N812
from safetensors.torch import load_file, save_file  # noqa: E402
from torch import nn  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

import convsize  # noqa: E402
from convsize.errors import ConvsizeError, UsageError  # noqa: E402
from convsize.records import EpochFigures, HeadScore, RunEnd, RunSettings, RunStart, StepFigures  # noqa: E402
from convsize.runtime.data.samples import Data, Samples  # noqa: E402
from convsize.runtime.training import checkpoints, loop  # noqa: E402
from convsize.runtime.training.job import Job  # noqa: E402
from convsize.runtime.training.loop import train  # noqa: E402
from convsize.runtime.training.optimizers import learning_rate, optimizer  # noqa: E402
from convsize.runtime.training.processes import Processes  # noqa: E402
from convsize.runtime.training.run_folder import Metrics  # noqa: E402
from convsize.runtime.training.stopping import Stop  # noqa: E402

SPEC = "input: 1@4x4\nC3D4 BN R C3D6 GN2 prelu(6) C1D4 LN as deep\nFC7\nhead size @deep: FC2\n"
TRAIN, TEST, BATCH, EPOCHS = 29, 10, 4, 3
MOST_STEPS = TRAIN // BATCH
QUARTERS = (0, 0.25, 0.5, 0.75)

pytestmark = pytest.mark.usefixtures("one_thread")


class Plain(nn.Module):
    """The network of SPEC as one would write it by hand."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 3, padding=1)
        self.gn1 = nn.GroupNorm(2, 6)
        self.prelu1 = nn.PReLU(6)
        self.conv3 = nn.Conv2d(6, 4, 1)
        self.ln1 = nn.LayerNorm(4)
        self.fc1 = nn.Linear(64, 7)
        self.size = nn.Module()
        self.size.fc1 = nn.Linear(64, 2)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = self.prelu1(self.gn1(self.conv2(x)))
        x = self.ln1(self.conv3(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2).flatten(1)
        return self.fc1(x), self.size.fc1(x)


class Rows(Samples):
    """Samples in memory, which remember in what batches they were read."""

    def __init__(self, count, seed):
        draw = torch.Generator().manual_seed(seed)
        self.inputs = torch.randn(count, 1, 4, 4, generator=draw)
        self.labels = torch.randint(7, (count,), generator=draw)
        self.sizes = torch.randn(count, 2, generator=draw)
        self.batches = []

    def __len__(self):
        return len(self.inputs)

    def __getitems__(self, indices):
        self.batches.append(indices)
        return (self.inputs[indices],), {"main": self.labels[indices], "size": self.sizes[indices]}


@pytest.fixture(scope="module")
def beginning(tmp_path_factory):
    """Weights to begin with, of which none is 0 or 1 as batch norms' are."""
    path = tmp_path_factory.mktemp("beginning") / "weights.safetensors"
    torch.manual_seed(5)
    module = Plain()
    with torch.no_grad():
        for value in module.parameters():
            value.add_(torch.randn_like(value) * 0.2)
    save_file(module.state_dict(), path)
    return path


@pytest.fixture
def rows(monkeypatch):
    """The data of a run, and what training reads of it."""
    data = Data("rows", Rows(TRAIN, 1), Rows(TEST, 2), (), ("said of the data",))
    monkeypatch.setattr(loop, "open_data", lambda *_, **__: data)
    return data


def run(beginning, folder, log_every=1, **settings):
    """The events of a run of convsize."""
    network = convsize.parse(SPEC, name="plain")
    chosen = RunSettings("rows", **{"epochs": EPOCHS, "batch": BATCH, "lr": 0.02, "init": str(beginning), **settings})
    return list(train(Job(network, chosen, folder, SPEC, network.analyze().graph, log_every=log_every)))


def plain_optimizer(module, kind, lr, weight_decay=0.0, decay_all=True, momentum=0.9):
    weights = {"conv1.weight", "conv2.weight", "conv3.weight", "fc1.weight", "size.fc1.weight"}
    groups = [{"params": list(module.parameters())}]
    if not decay_all:
        named = dict(module.named_parameters())
        groups = [
            {"params": [value for name, value in named.items() if name in weights]},
            {"params": [value for name, value in named.items() if name not in weights], "weight_decay": 0.0},
        ]
    options = {"lr": lr, "weight_decay": weight_decay}
    if kind in ("adam", "adamw"):
        return (torch.optim.Adam if kind == "adam" else torch.optim.AdamW)(groups, **options)
    if kind == "sgd":
        return torch.optim.SGD(groups, **options)
    return torch.optim.SGD(groups, momentum=momentum, nesterov=kind == "nesterov", **options)


def plain_schedule(optimizer, schedule, steps, warmup=0, lr_step=1, lr_gamma=0.5):
    """PyTorch's own schedules, stepped once a step."""
    whole = EPOCHS * steps
    if schedule == "cosine":
        after = lr_scheduler.CosineAnnealingLR(optimizer, whole - warmup)
    elif schedule == "step":
        after = lr_scheduler.StepLR(optimizer, lr_step * steps, lr_gamma)
    else:
        after = lr_scheduler.ConstantLR(optimizer, 1.0)
    if not warmup:
        return after
    rising = lr_scheduler.LinearLR(optimizer, 1 / (warmup + 1), 1.0, warmup)
    return lr_scheduler.SequentialLR(optimizer, [rising, after], [warmup])


def plain_run(
    beginning, batches, accumulate=1, warmup=0, clip=0.0, smoothing=0.0, autocast="", weights=(1, 1), **asked
):
    """Plain PyTorch's steps on these batches: the module, the losses and the rates of the steps."""
    module = Plain()
    module.load_state_dict(load_file(beginning))
    chosen = {"kind": "momentum", "lr": 0.02, "schedule": "constant", "lr_step": 1, "lr_gamma": 0.1, **asked}
    schedules = {name: chosen.pop(name) for name in ("schedule", "lr_step", "lr_gamma")}
    descent = plain_optimizer(module, **chosen)
    rows = Rows(TRAIN, 1)
    scaler = torch.amp.GradScaler("cpu", enabled=autocast == "float16")
    rates = plain_schedule(descent, steps=TRAIN // (BATCH * accumulate), warmup=warmup, **schedules)
    losses, lrs = [], []
    for at in range(0, len(batches), accumulate):
        descent.zero_grad()
        lrs.append(descent.param_groups[0]["lr"])
        losses.append(0.0)
        for indices in batches[at : at + accumulate]:
            with torch.autocast("cpu", getattr(torch, autocast or "bfloat16"), enabled=bool(autocast)):
                labels, sizes = module(rows.inputs[indices])
                loss = weights[0] * F.cross_entropy(labels, rows.labels[indices], label_smoothing=smoothing)
                loss = loss + weights[1] * F.mse_loss(sizes, rows.sizes[indices])
            scaler.scale(loss / accumulate).backward()
            losses[-1] += loss.item() / accumulate
        if clip:
            scaler.unscale_(descent)
            nn.utils.clip_grad_norm_(module.parameters(), clip)
        scaler.step(descent)
        scaler.update()
        rates.step()
    return module, losses, lrs


CASES = {
    "constant": ({}, {}),
    "sgd": ({"optimizer": "sgd"}, {"kind": "sgd"}),
    "less momentum": ({"momentum": 0.5}, {"momentum": 0.5}),
    "nesterov": ({"optimizer": "nesterov"}, {"kind": "nesterov"}),
    "adam": ({"optimizer": "adam", "lr": 0.01}, {"kind": "adam", "lr": 0.01}),
    "adamw": ({"optimizer": "adamw", "lr": 0.01}, {"kind": "adamw", "lr": 0.01}),
    "step": ({"schedule": "step", "lr_step": 1, "lr_gamma": 0.3}, {"schedule": "step", "lr_gamma": 0.3}),
    "step 2": ({"schedule": "step", "lr_step": 2}, {"schedule": "step", "lr_step": 2}),
    "cosine": ({"schedule": "cosine"}, {"schedule": "cosine"}),
    "warm-up": ({"warmup": 0.6}, {"warmup": 4}),
    "long warm-up": ({"warmup": 1.5, "schedule": "cosine"}, {"warmup": 10, "schedule": "cosine"}),
    "decay": ({"weight_decay": 0.1}, {"weight_decay": 0.1}),
    "decay of weights": (
        {"weight_decay": 0.1, "decay_all": False},
        {"weight_decay": 0.1, "decay_all": False},
    ),
    "adam's decay": (
        {"optimizer": "adam", "lr": 0.01, "weight_decay": 0.1},
        {"kind": "adam", "lr": 0.01, "weight_decay": 0.1},
    ),
    "adamw's decay of weights": (
        {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.3, "decay_all": False},
        {"kind": "adamw", "lr": 0.01, "weight_decay": 0.3, "decay_all": False},
    ),
    "no decay": ({"decay_all": False}, {}),
    "clipped": ({"clip": 0.3}, {"clip": 0.3}),
    "accumulated": ({"accumulate": 3}, {"accumulate": 3}),
    "accumulated and clipped": ({"accumulate": 2, "clip": 0.3}, {"accumulate": 2, "clip": 0.3}),
    "smoothed": ({"label_smoothing": 0.2}, {"smoothing": 0.2}),
    "weighted": ({"loss_weights": (("size", 0.3), ("main", 2.0))}, {"weights": (2.0, 0.3)}),
    "bfloat16": ({"autocast": "bfloat16"}, {"autocast": "bfloat16"}),
    "float16": ({"autocast": "float16"}, {"autocast": "float16"}),
    "float16 and clipped": ({"autocast": "float16", "clip": 0.3}, {"autocast": "float16", "clip": 0.3}),
    "channels last": ({"channels_last": True}, {}),
    "everything": (
        {"optimizer": "nesterov", "momentum": 0.8, "weight_decay": 0.05, "decay_all": False, "schedule": "cosine",
         "warmup": 0.5, "accumulate": 2, "clip": 0.5, "label_smoothing": 0.1},
        {"kind": "nesterov", "momentum": 0.8, "weight_decay": 0.05, "decay_all": False, "schedule": "cosine",
         "warmup": 2, "accumulate": 2, "clip": 0.5, "smoothing": 0.1},
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler")  # where float16 overflows a step is left out
@pytest.mark.parametrize("case", CASES)
def test_steps_are_those_of_plain_pytorch(case, beginning, rows, tmp_path):
    settings, plainly = CASES[case]
    events = run(beginning, tmp_path / "run", **settings)
    accumulate = settings.get("accumulate", 1)
    # The first sample is read once before training, for the shapes of its targets.
    batches = rows.train.batches[1:]
    steps = TRAIN // (BATCH * accumulate)
    assert [len(batch) for batch in batches] == [BATCH] * (EPOCHS * steps * accumulate)
    module, losses, rates = plain_run(beginning, batches, **plainly)

    found = load_file(tmp_path / "run" / "last.safetensors")
    wanted = module.state_dict()
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5, msg=lambda m, name=name: f"{name}: {m}")
    figures = [event for event in events if isinstance(event, StepFigures)]
    assert [each.step for each in figures] == list(range(1, EPOCHS * steps + 1))
    assert [each.epoch for each in figures] == [at // steps + 1 for at in range(EPOCHS * steps)]
    assert [each.loss for each in figures] == pytest.approx(losses, rel=1e-4)
    assert [each.lr for each in figures] == pytest.approx(rates, rel=1e-6)


def test_an_epoch_sees_every_sample_once_in_an_order_of_its_own(beginning, rows, tmp_path):
    run(beginning, tmp_path / "run", seed=3)
    whole = list(chain.from_iterable(rows.train.batches[1:]))
    epochs = [whole[at * MOST_STEPS * BATCH : (at + 1) * MOST_STEPS * BATCH] for at in range(EPOCHS)]
    assert all(len(set(order)) == MOST_STEPS * BATCH for order in epochs)
    assert all(set(order) < set(range(TRAIN)) for order in epochs)
    assert len({tuple(order) for order in epochs}) == EPOCHS
    assert len({frozenset(order) for order in epochs}) > 1  # another sample is left out
    read = list(rows.train.batches)
    rows.train.batches.clear()
    run(beginning, tmp_path / "again", seed=3)
    assert rows.train.batches == read
    rows.train.batches.clear()
    run(beginning, tmp_path / "other", seed=4)
    assert rows.train.batches != read


def test_the_figures_of_an_epoch(beginning, rows, tmp_path):
    """Scores are those of the weights after the epoch, in evaluation mode, on every sample of the test."""
    folder = tmp_path / "run"
    events = run(beginning, folder, label_smoothing=0.2, loss_weights=(("size", 0.5),), log_every=3)
    start, end = events[0], events[-1]
    assert isinstance(start, RunStart)
    assert isinstance(end, RunEnd)
    parameters = sum(value.numel() for value in Plain().parameters())
    assert (start.parameters, start.trained) == (parameters, parameters)
    assert (start.samples, start.tested, start.epochs) == (TRAIN, TEST, EPOCHS)
    assert (start.epoch_steps, start.left_out, start.step) == (MOST_STEPS, TRAIN - MOST_STEPS * BATCH, 0)
    assert start.said[0] == "said of the data"

    _, losses, _ = plain_run(beginning, rows.train.batches[1:], smoothing=0.2, weights=(1, 0.5))
    figures = [event for event in events if isinstance(event, StepFigures)]
    assert [each.step for each in figures] == [3, 6, 7, 9, 12, 14, 15, 18, 21]
    parts = [0, *(each.step for each in figures)]
    means = [sum(losses[a:b]) / (b - a) for a, b in pairwise(parts)]
    assert [each.loss for each in figures] == pytest.approx(means, rel=1e-4)

    epochs = [event for event in events if isinstance(event, EpochFigures)]
    assert [each.epoch for each in epochs] == [1, 2, 3]
    assert [each.step for each in epochs] == [MOST_STEPS, 2 * MOST_STEPS, 3 * MOST_STEPS]
    means = [sum(losses[at * MOST_STEPS : (at + 1) * MOST_STEPS]) / MOST_STEPS for at in range(EPOCHS)]
    assert [each.train_loss for each in epochs] == pytest.approx(means, rel=1e-4)
    assert all(each.throughput == pytest.approx(MOST_STEPS * BATCH / each.seconds) for each in epochs)
    assert end.seconds == pytest.approx(sum(each.seconds for each in epochs))
    assert all(0 <= each.waiting <= 1 for each in (*epochs, *figures))
    assert (end.epoch, end.epochs, end.step, end.stopped) == (EPOCHS, EPOCHS, EPOCHS * MOST_STEPS, "")

    top1 = [each.scores[0].top1 for each in epochs]
    best = max(range(EPOCHS), key=lambda at: (top1[at], -at))
    assert [each.best for each in epochs] == [all(top1[at] > before for before in top1[:at]) for at in range(EPOCHS)]
    assert (end.best, end.last) == (epochs[best], epochs[-1])

    assert list(chain.from_iterable(rows.test.batches)) == list(range(TEST)) * EPOCHS
    for name, epoch in (("last", epochs[-1]), ("best", epochs[best])):
        module = Plain()
        module.load_state_dict(load_file(folder / f"{name}.safetensors"))
        with torch.no_grad():
            labels, sizes = module.eval()(rows.test.inputs)
        main, size = epoch.scores
        assert (main.name, size.name) == ("main", "size")
        assert main.loss == pytest.approx(F.cross_entropy(labels, rows.test.labels).item(), rel=1e-4)
        assert main.top1 == pytest.approx((labels.argmax(1) == rows.test.labels).float().mean().item())
        first = labels.sort(descending=True).indices[:, :5]
        assert main.top5 == pytest.approx((first == rows.test.labels[:, None]).any(1).float().mean().item())
        assert size.loss == pytest.approx(F.mse_loss(sizes, rows.test.sizes).item(), rel=1e-4)
        assert size.error == pytest.approx((sizes - rows.test.sizes).abs().mean().item(), rel=1e-4)
        assert (main.error, size.top1, size.top5) == (None, None, None)
        assert epoch.test_loss == pytest.approx(main.loss + 0.5 * size.loss)


@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({}, [8, 8, 8, 8, 8, 8]),
        ({"warmup": 1.5}, [2, 4, 6, 8, 8, 8]),
        ({"warmup": 0.4}, [4, 8, 8, 8, 8, 8]),
        ({"schedule": "step", "lr_step": 1, "lr_gamma": 0.5}, [8, 8, 4, 4, 2, 2]),
        ({"schedule": "step", "lr_step": 2, "lr_gamma": 0.25}, [8, 8, 8, 8, 2, 2]),
        ({"schedule": "step", "lr_step": 1, "lr_gamma": 0.5, "warmup": 1.5}, [2, 4, 6, 4, 2, 2]),
        ({"schedule": "cosine"}, [4 + 4 * math.cos(math.pi * at / 6) for at in range(6)]),
        ({"schedule": "cosine", "warmup": 1}, [8 / 3, 16 / 3, *(4 + 4 * math.cos(math.pi * at) for at in QUARTERS)]),
        ({"schedule": "cosine", "warmup": 3}, [8 * at / 7 for at in range(1, 7)]),
        ({"schedule": "cosine", "warmup": 4}, [8 * at / 9 for at in range(1, 7)]),
    ],
)  # fmt: skip
def test_the_rates_of_two_steps_an_epoch(settings, rates):
    chosen = RunSettings("rows", epochs=3, lr=8.0, **settings)
    assert [learning_rate(chosen, step, 2) for step in range(6)] == pytest.approx(rates)


def test_what_is_light_and_heavy():
    """Without --decay-all weight decay falls on filters and matrices, and on nothing of one axis."""
    module = convsize.parse(SPEC).to_torch(logits=True)
    module.get_submodule("conv2").requires_grad_(False)
    names = {value: name for name, value in module.named_parameters()}
    chosen = RunSettings("rows", lr=0.2, weight_decay=0.1, decay_all=False)
    heavy, light = optimizer(module, chosen).param_groups
    assert [names[value] for value in heavy["params"]] == [
        "conv1.weight", "conv3.weight", "fc1.weight", "size.fc1.weight",
    ]  # fmt: skip
    assert [names[value] for value in light["params"]] == [
        "conv1.bias", "bn1.weight", "bn1.bias", "gn1.weight", "gn1.bias", "prelu1.weight", "conv3.bias", "ln1.weight",
        "ln1.bias", "fc1.bias", "size.fc1.bias",
    ]  # fmt: skip
    assert (heavy["weight_decay"], light["weight_decay"]) == (0.1, 0.0)
    assert (heavy["lr"], light["lr"]) == (0.2, 0.2)


def test_weights_are_drawn_from_the_seed(rows, tmp_path):
    """At a rate of almost 0 a run ends with the weights that it began with: those of `to_torch` under its seed."""
    ends = {}
    for seed in (0, 1):
        folder = Path(tmp_path / str(seed))
        run("", folder, epochs=1, lr=1e-30, seed=seed)
        ends[seed] = load_file(folder / "last.safetensors")
        torch.manual_seed(seed)
        drawn = convsize.parse(SPEC).to_torch(logits=True).state_dict()
        for name in drawn.keys() - {"bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked"}:
            torch.testing.assert_close(ends[seed][name], drawn[name])
    assert not torch.equal(ends[0]["conv1.weight"], ends[1]["conv1.weight"])


def test_figures_come_every_fifty_steps_and_at_the_end_of_epochs(beginning, rows, tmp_path):
    network = convsize.parse(SPEC, name="plain")
    settings = RunSettings("rows", epochs=2, batch=1, lr=1e-3, init=str(beginning))
    events = list(train(Job(network, settings, tmp_path / "run", SPEC, network.analyze().graph)))
    assert [event.step for event in events if isinstance(event, StepFigures)] == [29, 50, 58]


def test_the_step_that_is_no_number_is_named(beginning, rows, tmp_path):
    """The first loss that is no number, whenever it is looked at, with the rate of that step."""
    rows.train.inputs[20] = math.nan
    with pytest.raises(ConvsizeError) as said:
        run(beginning, tmp_path / "run", schedule="step", lr_step=1, lr=0.01, epochs=5, log_every=2)
    batches = rows.train.batches[1:]
    step = next(at for at, batch in enumerate(batches, 1) if 20 in batch)
    rate = 0.01 * 0.1 ** ((step - 1) // MOST_STEPS)
    assert str(said.value).startswith(f"the loss of step {step} is nan: ")
    assert f"(it is {rate:g})" in str(said.value)
    assert len(batches) == min(step + step % 2, -(-step // MOST_STEPS) * MOST_STEPS)


@pytest.mark.parametrize(
    ("ours", "theirs", "better"),
    [
        ((0.5, 2.0), (0.4, 1.0), True),
        ((0.4, 1.0), (0.5, 2.0), False),
        ((0.5, 1.0), (0.5, 2.0), False),
        ((None, 1.0), (None, 2.0), True),
        ((None, 2.0), (None, 1.0), False),
        ((None, 1.0), (None, 1.0), False),
    ],
)
def test_the_best_epoch_is_by_the_main_output_s_accuracy_or_by_the_loss(ours, theirs, better):
    """Whatever the other outputs are; each is (accuracy, loss of the test)."""

    def epoch(accuracy, loss, other):
        scores = (HeadScore("aux", 1.0, top1=other), HeadScore("main", 1.0, top1=accuracy))
        return EpochFigures(1, 1, 1.0, loss, scores, 0.1, 1.0, 1.0, 0.0, None, False)

    assert loop._better(epoch(*ours, 0.1), epoch(*theirs, 0.2)) == better


def test_losses_of_outputs_that_are_not_there(beginning, rows, tmp_path):
    with pytest.raises(UsageError, match="--loss names `sise`, and plain has no such output; there are: main, size"):
        run(beginning, tmp_path / "run", losses=(("sise", "mse"),))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("save_every", "steps"), [(0, [7, 14, 21]), (5, [5, 7, 10, 14, 15, 20, 21]), (7, [7, 14, 21]), (50, [7, 14, 21])]
)
def test_checkpoints_are_written_at_the_end_of_epochs_and_when_they_are_due(
    beginning, rows, tmp_path, monkeypatch, save_every, steps
):
    written, write = [], checkpoints.write
    monkeypatch.setattr(checkpoints, "write", lambda home, made: written.append(made.step) or write(home, made))
    network = convsize.parse(SPEC, name="plain")
    settings = RunSettings("rows", epochs=EPOCHS, batch=BATCH, lr=1e-3, init=str(beginning))
    list(train(Job(network, settings, tmp_path / "run", SPEC, network.analyze().graph, save_every=save_every)))
    assert written == steps


def test_before_the_first_checkpoint_there_is_nothing_to_go_on_from(beginning, rows, tmp_path):
    rows.train.inputs[:] = math.nan
    with pytest.raises(ConvsizeError) as said:
        run(beginning, tmp_path / "run")
    assert str(said.value).endswith("Earlier checkpoints are kept")


def test_a_run_goes_on_where_it_was_stopped(beginning, rows, tmp_path):
    """In the middle of an epoch: steps, figures and weights are those of a run that nothing stopped."""
    asked = {"epochs": EPOCHS, "batch": BATCH, "optimizer": "adam", "lr": 0.01, "weight_decay": 0.1}
    whole = run(beginning, tmp_path / "whole", **asked)
    network = convsize.parse(SPEC, name="plain")
    settings = RunSettings("rows", init=str(beginning), **asked)

    def part(resume):
        return train(
            Job(network, settings, tmp_path / "run", SPEC, network.analyze().graph, resume=resume, log_every=1)
        )

    told = []
    for event in part(False):
        told.append(event)
        if isinstance(event, StepFigures) and event.step == 10:
            signal.raise_signal(signal.SIGTERM)
    assert (told[-1].step, told[-1].epoch, told[-1].stopped) == (11, 1, "SIGTERM")
    again = list(part(True))
    assert again[0].step == 11
    both, wanted = (
        [event for event in events if isinstance(event, StepFigures | EpochFigures)] for events in (told + again, whole)
    )
    for field in ("step", "epoch", "lr", "loss", "train_loss", "test_loss", "scores", "best"):
        assert [getattr(each, field, None) for each in both] == [getattr(each, field, None) for each in wanted]
    assert (again[-1].best.step, again[-1].last.step) == (whole[-1].best.step, whole[-1].last.step)
    ours, theirs = load_file(tmp_path / "run/last.safetensors"), load_file(tmp_path / "whole/last.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert len(Metrics(tmp_path / "run/metrics.jsonl").read()) == len(both) == len(wanted)


WITHIN = (
    "input: 1@4x4\nshared tower: C3D6 BN R\nshared k: C1D18\n"
    "C1D6 tower tower as deep (LN k attn(2) C1D6 drop(0.2) + x)\n"
    "(GRN k attn(2,depth) + x) (frn tlu k attn(3,relative,window=2) + x) rms FC7\nhead size @deep: FC2\n"
)


@pytest.mark.slow
def test_shared_weights_and_attention_learn_and_go_on_where_they_were_stopped(rows, tmp_path):
    network = convsize.parse(WITHIN, name="within")
    settings = RunSettings("rows", epochs=4, batch=BATCH, optimizer="adam", lr=0.02)

    def part(folder, resume):
        return train(Job(network, settings, tmp_path / folder, WITHIN, network.analyze().graph, resume=resume))

    whole = [event for event in part("whole", False) if isinstance(event, EpochFigures)]
    assert whole[-1].train_loss < 0.8 * whole[0].train_loss
    for event in part("run", False):
        if isinstance(event, EpochFigures) and event.epoch == 2:
            signal.raise_signal(signal.SIGTERM)
    list(part("run", True))
    ours, theirs = load_file(tmp_path / "run/last.safetensors"), load_file(tmp_path / "whole/last.safetensors")
    assert [name for name in theirs if name.startswith("tower.conv1.")] == ["tower.conv1.bias", "tower.conv1.weight"]
    assert sum(value.numel() for value in theirs.values()) == network.analyze().totals.parameters + 2 * 6 + 1 + 16
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


class Together(nn.Module):
    """Stands for DistributedDataParallel: notes its devices, and which backward passes the others are not told of."""

    def __init__(self, module, device_ids=None):
        super().__init__()
        self.module, self.devices = module, device_ids
        self.quiet, self.told = False, []

    @contextlib.contextmanager
    def no_sync(self):
        self.quiet = True
        yield
        self.quiet = False

    def forward(self, *inputs):
        self.told.append(not self.quiet)
        return self.module(*inputs)


@pytest.mark.parametrize(
    ("count", "settings", "running"),
    [
        (1, {}, "BatchNorm2d"),
        (1, {"sync_bn": True}, "BatchNorm2d"),
        (1, {"compile": True}, "compiled BatchNorm2d"),
        (2, {}, "None BatchNorm2d"),
        (2, {"device": "cuda"}, "[1] BatchNorm2d"),
        (2, {"device": "cuda", "sync_bn": True}, "[1] SyncBatchNorm"),
        (2, {"device": "cuda", "sync_bn": True, "compile": True}, "compiled [1] SyncBatchNorm"),
    ],
)
def test_the_module_that_runs(monkeypatch, tmp_path, count, settings, running):
    def name(module):
        return f"{module.devices} {name(module.module)}" if isinstance(module, Together) else type(module).__name__

    monkeypatch.setattr(loop, "DistributedDataParallel", Together)
    monkeypatch.setattr(torch, "compile", lambda module: f"compiled {name(module)}")
    network = convsize.parse(SPEC, name="plain")
    job = Job(network, RunSettings("rows", **settings), tmp_path / "run", SPEC, "")
    ours = loop._Run(job, Processes(1, count, 1), Stop())
    ours.module = nn.BatchNorm2d(3)
    found = ours._running()
    assert (found if isinstance(found, str) else name(found)) == running


@pytest.mark.parametrize(
    ("count", "own", "other", "signal"),
    [
        (1, "", 1, ""),  # there are no others to be told
        (1, "SIGINT", 0, "SIGINT"),
        (2, "", 0, ""),
        (2, "", 1, "SIGTERM"),
        (2, "SIGINT", 0, "SIGINT"),
        (2, "SIGINT", 1, "SIGINT"),
    ],
)
def test_all_processes_stop_where_one_was_told_to(tmp_path, count, own, other, signal):
    job = Job(convsize.parse(SPEC, name="plain"), RunSettings("rows"), tmp_path / "run", SPEC, "")
    stop = Stop()
    stop.signal = own
    group = SimpleNamespace(count=count, largest=lambda told: max(told, other), local=0)
    assert loop._Run(job, group, stop)._stopped() is (signal != "")
    assert stop.signal == signal


def test_batch_norms_of_processors_do_not_see_each_other(tmp_path):
    network = convsize.parse(SPEC, name="plain")
    job = Job(network, RunSettings("rows", sync_bn=True), tmp_path / "run", SPEC, "")
    ours = loop._Run(job, Processes(0, 2, 0), Stop())
    ours.module = nn.BatchNorm2d(3)
    with pytest.raises(UsageError, match="--sync-bn is for GPUs"):
        ours._running()


def test_gradients_are_told_to_the_others_once_a_step(beginning, rows, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(loop, "DistributedDataParallel", Together)
    monkeypatch.setattr(loop._Run, "_running", lambda run: made.append(Together(run.module)) or made[-1])
    run(beginning, tmp_path / "run", epochs=1, batch=2, accumulate=3)
    (module,) = made
    assert module.told == [False, False, True] * (TRAIN // 6)

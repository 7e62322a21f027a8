"""`convsize train` as it is called: what it says, what it keeps, and what it does not take."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("sklearn")

from safetensors.torch import load_file  # noqa: E402

import convsize as library  # noqa: E402
from convsize.records import EpochFigures, HeadScore, RunSettings, StepFigures  # noqa: E402
from convsize.runtime.training.run_folder import Metrics, RunFolder  # noqa: E402
from convsize.views.answers import training as view  # noqa: E402
from convsize.views.answers.pictures.curves import scene  # noqa: E402

SPECS = Path(__file__).parents[2] / "specs"
TINY = "input: 1@8x8\nC3D8 R M C3D16 R M FC10 S\n"


def metrics(folder: Path, kind: str) -> list:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [each for each in lines if each["kind"] == kind]


def test_digits(convsize, tmp_path):
    folder = tmp_path / "run"
    ran = convsize("train", "-e", TINY, "--data", "digits", "--epochs", 4, "--lr", 0.05, "-o", folder)
    assert (ran.code, ran.err) == (0, "")
    assert "softmax1 left out in training" in ran.out
    assert "predicted memory of a step" in ran.out
    assert all(len(line) <= 120 for line in ran.out.splitlines())
    last = metrics(folder, "epoch")[-1]
    assert last["scores"][0]["top1"] > 0.85
    names = {"best.safetensors", "checkpoints", "curves.svg", "last.safetensors", "metrics.jsonl", "network.spec"}
    assert names | {"settings.json", ".lock"} == {path.name for path in folder.iterdir()}
    assert (folder / "network.spec").read_text() == TINY
    module = library.parse(TINY).to_torch(logits=True)
    module.load_state_dict(load_file(folder / "best.safetensors"))
    drawn = scene(
        "expression on digits", "momentum, learning rate 0.05, batch 32", Metrics(folder / "metrics.jsonl").read()
    )
    assert (folder / "curves.svg").read_bytes() == drawn.file("svg")  # of all epochs, the last one, too


def test_resume_takes_the_settings_of_the_run(convsize, tmp_path):
    folder = tmp_path / "run"
    arguments = ("train", "-e", TINY, "--data", "fake:64", "--batch", 16, "--epochs", 1, "-o", folder)
    assert convsize(*arguments).code == 0
    again = convsize(*arguments)
    assert again.code == 2
    assert "already holds a run: --resume" in again.err
    more = convsize("train", "--resume", folder, "--epochs", 3)
    assert more.code == 0
    assert "resumes after step 4" in more.out
    assert [each["epoch"] for each in metrics(folder, "epoch")] == [1, 2, 3]
    assert "complete: all 12 steps are done" in convsize("train", "--resume", folder).out
    other = convsize("train", "--resume", folder, "--lr", 0.5)
    assert other.code == 2
    assert "has --lr 0.01, not 0.5" in other.err
    foreign = convsize("train", "-e", TINY.replace("D16", "D17"), "--resume", folder)
    assert foreign.code == 2
    assert "is a different network from the one in" in foreign.err
    nowhere = convsize("train", "--resume", tmp_path)
    assert nowhere.code == 2
    assert "is not the folder of a run: it has no settings.json" in nowhere.err


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("lr", "fast", "`lr` takes a number above 0, up to 1e+15, not 'fast'"),
        ("lr", -1, "`lr` takes a number above 0, up to 1e+15, not -1"),
        ("weight_decay", [["main", 1]], "`weight_decay` takes 0 or more"),
        ("label_smoothing", 1.5, "`label_smoothing` takes a number from 0 to 1, not 1.5"),
        ("optimizer", "lion", "`optimizer` takes sgd, momentum, nesterov, adam or adamw, not 'lion'"),
        ("autocast", "float8", "`autocast` takes nothing, bfloat16 or float16"),
        ("epochs", None, "`epochs` takes a whole number from 1"),
        ("seed", 0.5, "`seed` takes a whole number from 0"),
        ("compile", 1, "`compile` takes true or false, not 1"),
        ("data", ["digits"], "`data` takes a text"),
        ("frozen", "conv*", "`frozen` takes texts, not 'conv*'"),
        ("losses", ["mse"], "`losses` takes pairs of an output and its value"),
        ("loss_weights", [["main", "1"]], "`loss_weights` takes pairs of an output"),
        ("nesterov", True, "nesterov"),
    ],
)
def test_settings_that_someone_changed(convsize, tmp_path, field, value, message):
    folder = RunFolder(tmp_path)
    folder.make("net", TINY, "0" * 16, RunSettings("digits"))
    facts = json.loads(folder.settings.read_text())
    folder.settings.write_text(json.dumps({**facts, "settings": {**facts["settings"], field: value}}))
    ran = convsize("train", "--resume", tmp_path)
    assert ran.code == 2, ran.err
    assert "settings.json` is not as convsize wrote it" in ran.err
    assert message in ran.err


@pytest.mark.parametrize("settings", [None, [], 1, "x"])
def test_settings_that_are_none(convsize, tmp_path, settings):
    folder = RunFolder(tmp_path)
    folder.make("net", TINY, "0" * 16, RunSettings("digits"))
    folder.settings.write_text(json.dumps({"name": "net", "graph": "", "settings": settings}))
    ran = convsize("train", "--resume", tmp_path)
    assert ran.code == 2, ran.err
    assert "settings.json` is not as convsize wrote it" in ran.err


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adam", "adamw"])
def test_optimizers_and_schedules_learn(convsize, tmp_path, optimizer):
    schedule = {"sgd": "constant", "momentum": "cosine", "nesterov": "step"}.get(optimizer, "cosine")
    rate = 0.02 if optimizer.startswith("adam") else 0.05
    ran = convsize(
        "train", "-e", TINY, "--epochs", 3, "--optimizer", optimizer, "--lr", rate, "--schedule", schedule,
        "--warmup", 0.5, "--lr-step", 2, "--weight-decay", 1e-4, "--decay-weights", "--clip", 5, "--accumulate", 2,
        "--label-smoothing", 0.1, "-o", tmp_path / "run",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    losses = [each["test_loss"] for each in metrics(tmp_path / "run", "epoch")]
    assert losses[-1] < losses[0] < 2.4


@pytest.mark.parametrize("options", [("--autocast", "bfloat16"), ("--channels-last",), ("--checkpoint", "f1")])
def test_ways_to_compute(convsize, tmp_path, options):
    spec = "input: 1@8x8\ndef f: C3D8 BN R C3D8 BN R\nf (f + x) M FC10\n"
    ran = convsize("train", "-e", spec, "--data", "fake:64", "--epochs", 1, *options, "-o", tmp_path / "run")
    assert (ran.code, ran.err) == (0, "")


def test_checkpointed_blocks_change_no_number(convsize, tmp_path):
    spec = "input: 1@8x8\ndef f: C3D8 R drop(0.5) C3D8 R\nf (f + x) M FC10\n"
    for name, options in (("kept", ()), ("again", ("--checkpoint", "f*"))):
        ran = convsize("train", "-e", spec, "--data", "fake:64", "--epochs", 2, *options, "-o", tmp_path / name)
        assert ran.code == 0
    kept, again = (load_file(tmp_path / name / "last.safetensors") for name in ("kept", "again"))
    assert all(torch.equal(kept[name], again[name]) for name in kept)


def test_a_loss_for_every_head(convsize, tmp_path):
    spec = "input: 1@8x8\nC3D8 R M as stem\nFC10 S\nhead box @stem: FC4\nhead aux @stem: FC10\n"
    folder = tmp_path / "run"
    ran = convsize(
        "train", "-e", spec, "--data", "fake:64", "--epochs", 2, "--batch", 16, "-o", folder,
        "--loss", "box=smooth-l1", "--loss-weight", "aux=0.3",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    scores = {each["name"]: each for each in metrics(folder, "epoch")[-1]["scores"]}
    assert scores["box"]["top1"] is None
    assert scores["box"]["error"] > 0
    assert scores["aux"]["top1"] is not None
    total = scores["main"]["loss"] + scores["box"]["loss"] + 0.3 * scores["aux"]["loss"]
    assert metrics(folder, "epoch")[-1]["test_loss"] == pytest.approx(total)
    assert "box: loss" in ran.out


def test_transfer(convsize, tmp_path):
    """A trained network gets a head for 4 classes; what is frozen stays to the bit, batch norms' statistics too."""
    spec = "input: 1@8x8\nC3D8 BN R M C3D16 BN R M as features\nFC10 S\n"
    assert convsize("train", "-e", spec, "--epochs", 1, "-o", tmp_path / "old").code == 0
    ran = convsize(
        "train", "-e", spec, "--data", "fake:64", "--epochs", 2, "--batch", 16, "--head", "FC4", "-o", tmp_path / "new",
        "--init", tmp_path / "old" / "best.safetensors", "--freeze", "@features",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    assert "260 of them trained" in ran.out
    assert "not in best.safetensors: fc1" in ran.out
    old, new = (load_file(tmp_path / name) for name in ("old/best.safetensors", "new/last.safetensors"))
    assert new["fc1.weight"].shape == (4, 64)
    assert all(torch.equal(old[name], new[name]) for name in old if not name.startswith("fc1"))
    assert convsize("train", "--resume", tmp_path / "new", "--epochs", 3).code == 0


def test_weights_that_are_no_numbers_end_the_run(convsize, tmp_path):
    folder = tmp_path / "run"
    spec = "input: 1@8x8\nC3D8 C3D8 FC10\n"
    ran = convsize("train", "-e", spec, "--epochs", 3, "--lr", 1e6, "--save-every", 1, "--log-every", 7, "-o", folder)
    assert ran.code == 1
    assert "usually the learning rate is too high (it is 1e+06)" in ran.err
    assert "a lower --lr" in ran.err
    step = int(ran.err.split("the loss of step ")[1].split()[0])
    kept = max((folder / "checkpoints").glob("0*"))
    assert int(kept.name) < step
    assert all(torch.isfinite(value).all() for value in load_file(kept / "weights.safetensors").values())


def test_out_of_memory_names_the_prediction(convsize, tmp_path, monkeypatch):
    from convsize.runtime.training import loop

    def full(*_):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")

    monkeypatch.setattr(loop._Run, "_step", full)
    ran = convsize("train", "-e", TINY, "-o", tmp_path / "run")
    assert ran.code == 2
    assert "expression ran out of memory at batch 32 (predicted: " in ran.err
    assert "`convsize fit` says what fits" in ran.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--data", "digit"), "there is no data set `digit`: did you mean `digits`?"),
        (("--data", "mnist:nowhere"), "nowhere"),
        (("--batch", "5000"), "a step takes 5,000 samples"),
        (("--lr", "0"), "--lr takes a number above 0"),
        (("--lr", "1e308"), "--lr takes a number above 0, up to 1e+15, not 1e+308"),
        (("--seed", f"{10**30}"), "--seed takes a whole number from 0 to 9223372036854775807"),
        (("--clip", "-1"), "--clip takes 0 or more"),
        (("--loss", "mean"), "there is no loss `mean`"),
        (("--loss", "bix=mse"), "--loss names `bix`"),
        (("--loss-weight", "main=0"), "every output has a loss weight of 0"),
        (("--loss-weight", "main"), "--loss-weight takes an output and a number"),
        (("--freeze", "conv9"), "no layer is called `conv9`: there are conv1"),
        (("--head", "FC3"), "classes"),
        (("--init", "weights.pt"), "there is no file `weights.pt`"),
        (("--checkpoint", "bot"), "bot"),
    ],
)
def test_wrong_calls(convsize, tmp_path, options, message):
    ran = convsize("train", "-e", TINY, "-o", tmp_path / "run", *options)
    assert ran.code == 2, ran.err
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_no_gpu(convsize, tmp_path):
    ran = convsize("train", "-e", TINY, "--device", "cuda", "-o", tmp_path / "run")
    assert ran.code == 2
    assert "PyTorch finds no CUDA device" in ran.err


def test_a_wrong_spec_is_not_trained(convsize, tmp_path):
    ran = convsize("train", "-e", "input: 3@8x8\nC3D8 4@8x8 FC3", "-o", tmp_path / "run")
    assert ran.code == 1
    assert "E407" in ran.err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_two_processes_are_one_with_twice_the_batch(tmp_path):
    """The same command under torchrun: losses and scores within float noise, one writer, and a run that goes on."""
    (tmp_path / "net.spec").write_text(TINY)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    common = ["-m", "convsize", "train", "net.spec", "--data", "digits", "--log-every", "5", "--lr", "0.05"]

    def run(*arguments: str, processes: int) -> str:
        launcher = [sys.executable]
        if processes > 1:
            launcher += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        done = subprocess.run(
            [*launcher, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(*common, "--epochs", "2", "--batch", "64", "-o", "one", processes=1)
    out = run(*common, "--epochs", "1", "--batch", "32", "-o", "two", processes=2)
    assert out.count("epoch 1  loss") == 1
    assert "2 processes on cpu" in out
    run("-m", "convsize", "train", "--resume", "two", "--epochs", "2", "--log-every", "5", processes=2)
    for kind, figures in (("steps", ["loss", "lr", "step"]), ("epoch", ["train_loss", "test_loss", "step"])):
        one, two = (metrics(tmp_path / name, kind) for name in ("one", "two"))
        assert len(one) == len(two)
        for ours, theirs in zip(one, two, strict=True):
            assert [ours[name] for name in figures] == pytest.approx([theirs[name] for name in figures], rel=2e-4)
    scores = [metrics(tmp_path / name, "epoch")[-1]["scores"][0]["top1"] for name in ("one", "two")]
    assert scores[0] == pytest.approx(scores[1], abs=0.01)
    alone = subprocess.run(
        [sys.executable, "-m", "convsize", "train", "--resume", "two"],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert alone.returncode == 2
    assert "has 2 processes, not 1" in alone.stderr


def test_lines_of_a_run_fit_a_terminal() -> None:
    scores = (HeadScore("main", 0.0123, 0.9861, 1.0, None),)
    line = view.epoch(EpochFigures(12, 480, 0.0123, 0.0456, scores, 0.01, 12.3, 99.0, 0.1, None, best=True))
    assert line == "epoch 12  loss 0.0123  test 0.0456  accuracy 98.61%  top 5 100.00%  12.3 s  best"
    assert len(line) <= 80
    slow = view.step(StepFigures(1, 3, 2.3, 0.01, 0.42, 0.0, 2**20))
    assert slow == "epoch 1  step 3  loss 2.3000  lr 0.01  0.42 samples/s  1.000 MiB"

"""Runs that are killed, stopped, torn or without disk go on to the same weights, or say why they cannot."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from safetensors.torch import load_file  # noqa: E402
from train_killed import job  # noqa: E402

from convsize.errors import ConvsizeError, UsageError  # noqa: E402
from convsize.records import Notice, RunEnd  # noqa: E402
from convsize.runtime.threads import computing_threads  # noqa: E402
from convsize.runtime.training import checkpoints  # noqa: E402
from convsize.runtime.training.loop import train  # noqa: E402
from convsize.runtime.training.run_folder import Metrics  # noqa: E402

HERE = Path(__file__).parent


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As the harness has it: with another number of threads sums are made in another order."""
    with computing_threads(1):
        yield


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    list(train(job(folder, resume=False)))
    return folder


def same_weights(one: Path, other: Path) -> bool:
    ours, theirs = load_file(one / "last.safetensors"), load_file(other / "last.safetensors")
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def figures(folder: Path) -> list:
    """The losses by step and the scores by epoch: what depends on no clock."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(each["kind"], each["step"], each.get("loss"), each.get("test_loss"), each.get("best")) for each in lines]


def broken(folder: Path, steps: int):
    """A run that ends after some steps as if it had been killed there."""
    events = train(job(folder, resume=False))
    for event in events:
        if getattr(event, "step", 0) == steps and type(event).__name__ == "StepFigures":
            break
    next(events, None)
    events.close()


KILLS = int(os.environ.get("CONVSIZE_KILLS", "20"))
"""How often a run is killed in the slow campaign; 100 take some minutes."""


@pytest.mark.parametrize(
    ("times", "seed"),
    [(3, 0), *(pytest.param(min(20, KILLS - at), 1 + at, marks=pytest.mark.slow) for at in range(0, KILLS, 20))],
)
def test_killed_many_times(tmp_path, unbroken, times, seed):
    """By kill -9, by a full disk, with checkpoints damaged in between: the weights are those of an undisturbed run."""
    if not hasattr(os, "fork"):
        pytest.skip("the harness forks, and this system does not")
    folder = tmp_path / "run"
    command = [sys.executable, str(HERE / "train_killed.py"), str(folder), str(times), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["killed"] == times
    assert not re.search("Traceback", done.stderr)
    runs = [folder, *(folder.with_name(f"run-{number + 1}") for number in range(told["ended"]))]
    for run in runs:
        assert same_weights(run, unbroken)
        assert figures(run) == figures(unbroken)
        assert not list(run.glob("checkpoints/.*"))


def test_a_run_killed_between_its_last_checkpoint_and_its_weights_has_both_after_it_goes_on(tmp_path, unbroken):
    folder = tmp_path / "run"
    list(train(job(folder, resume=False)))
    before = folder / "checkpoints" / "0000000059" / "weights.safetensors"
    for name in ("last", "best"):
        (folder / f"{name}.safetensors").unlink()
        shutil.copyfile(before, folder / f"{name}.safetensors")
    best = load_file(unbroken / "best.safetensors")
    *_, end = train(job(folder, resume=True))
    assert end.step == 60
    assert same_weights(folder, unbroken)
    if end.best.step == 60:
        assert all(torch.equal(value, best[name]) for name, value in load_file(folder / "best.safetensors").items())


def test_goes_on_in_the_middle_of_an_epoch(tmp_path, unbroken):
    folder = tmp_path / "run"
    broken(folder, 17)
    # What a killed process leaves: figures of steps behind its last checkpoint, and a checkpoint half written.
    (metrics,) = folder.glob("metrics*")
    lines = metrics.read_text().splitlines(keepends=True)
    metrics.write_text("".join([*lines, lines[-1]]))
    (folder / "checkpoints" / ".writing-0000000018").mkdir()
    *_, end = train(job(folder, resume=True))
    assert isinstance(end, RunEnd)
    assert end.step == 60
    assert same_weights(folder, unbroken)
    assert figures(folder) == figures(unbroken)
    assert not list(folder.glob("checkpoints/.*"))


@pytest.mark.parametrize("name", ["weights.safetensors", "state.safetensors", "checkpoint.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_torn_checkpoint_is_left_for_the_one_before(tmp_path, unbroken, name, damage):
    folder = tmp_path / "run"
    broken(folder, 17)
    newest = max((folder / "checkpoints").glob("0*"))
    file = newest / name
    data = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        other = bytes([data[-9] ^ 1])  # another value whatever stood there
        file.write_bytes(data[:-9] if damage == "cut" else data[:-9] + other + data[-8:])
    events = list(train(job(folder, resume=True)))
    said = [event.text for event in events if isinstance(event, Notice)]
    assert len(said) == 1
    assert str(newest) in said[0]
    assert "the checkpoint before it is used" in said[0]
    assert same_weights(folder, unbroken)


def test_no_whole_checkpoint(tmp_path):
    folder = tmp_path / "run"
    broken(folder, 5)
    for place in (folder / "checkpoints").glob("0*"):
        (place / "checkpoint.json").write_text("{}")
    with pytest.raises(UsageError, match="is complete: start a new run"):
        list(train(job(folder, resume=True)))


def test_a_checkpoint_of_another_network_or_setting(tmp_path, unbroken):
    folder = tmp_path / "run"
    shutil.copytree(unbroken, folder)
    ours = job(folder, resume=True)
    with pytest.raises(UsageError, match="is of a different network"):
        list(train(ours.replace(graph="0" * 16)))
    with pytest.raises(UsageError, match="settings that differ"):
        list(train(ours.replace(settings=ours.settings.replace(optimizer="sgd"))))
    assert same_weights(folder, unbroken)


def test_a_killed_run_without_a_checkpoint_begins_anew(tmp_path, unbroken):
    folder = tmp_path / "run"
    broken(folder, 1)
    shutil.rmtree(folder / "checkpoints")
    (folder / "checkpoints").mkdir()
    events = list(train(job(folder, resume=True)))
    assert any(isinstance(event, Notice) and "starts again" in event.text for event in events)
    assert same_weights(folder, unbroken)
    assert figures(folder) == figures(unbroken)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"kind"', b"x"),
        (b'{"kind"', b"\xff\xfe"),
        (b'"kind"', b'"kinf"'),
        (b'"lr": 0.01', b'"lr": "low"'),
        (b'"scores": [', b'"scores": [3, '),
        (b'"scores": [{', b'"scores": [{"name": "x", "top1": 1, "error": null}, {'),
        (b"\n", b"\n[\n"),
    ],
)
def test_metrics_that_someone_changed_stop_nothing(convsize, tmp_path, old, new):
    folder = tmp_path / "run"
    told = ("train", "-e", "input: 1@8x8\nC3D4 R GAP FC10", "--data", "fake:16", "--batch", 8)
    assert convsize(*told, "--epochs", 2, "--log-every", 1, "-o", folder).code == 0
    file = folder / "metrics.jsonl"
    assert old in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(old, new, 1))
    ran = convsize("train", "--resume", folder, "--epochs", 3)
    assert ran.code == 0, ran.err
    said = " ".join(ran.err.split())
    assert re.search(r"metrics\.jsonl`, line \d+: this is not a line of metrics, so no curves are drawn", said)
    assert "epoch 3" in ran.out


def test_a_torn_line_of_metrics_is_forgotten(tmp_path):
    file = tmp_path / "metrics.jsonl"
    whole = [{"kind": "steps", "step": at, "loss": 1.5, "lr": 0.1} for at in range(3)]
    text = "".join(json.dumps(each) + "\n" for each in whole)
    file.write_text(text[:-5])  # the power failed before the last line was on the disk
    metrics = Metrics(file)
    metrics.cut(len(text))
    metrics.add("steps", {"step": 2, "loss": 1.5, "lr": 0.1})
    assert metrics.read() == whole
    assert metrics.size == file.stat().st_size == len(text)


def test_a_full_disk_is_survived(tmp_path, unbroken, monkeypatch):
    """Checkpoints from step 20 to 39 fail in the middle of their files; the run goes on and is whole at its end."""
    settle = checkpoints._settle
    failing = iter(range(10**6))
    steps = []

    def full(path):
        if path.name == "state.safetensors" and 20 <= next(failing) < 40:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return settle(path)

    monkeypatch.setattr(checkpoints, "_settle", full)
    folder = tmp_path / "run"
    for event in train(job(folder, resume=False)):
        if isinstance(event, Notice):
            assert "No space left on device" in event.text
            assert "that of step 20 is kept" in event.text
            steps.append(event)
            assert [checkpoints.read(place).step for place in sorted((folder / "checkpoints").glob("0*"))] == [19, 20]
    assert len(steps) == 20
    assert same_weights(folder, unbroken)


def test_a_disk_that_stays_full_is_an_error(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(ConvsizeError, match=r"last checkpoint of .* could not be written: No space left"):
        list(train(job(tmp_path / "run", resume=False)))
    assert not list((tmp_path / "run" / "checkpoints").iterdir())


@pytest.mark.parametrize(("number", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")])
def test_a_signal_ends_a_run_after_its_step(tmp_path, unbroken, number, name):
    folder = tmp_path / "run"
    end = None
    for event in train(job(folder, resume=False).replace(save_every=0)):
        if type(event).__name__ == "StepFigures" and event.step == 15:
            os.kill(os.getpid(), number)
        end = event
    assert isinstance(end, RunEnd)
    assert (end.step, end.stopped) == (16, name)
    list(train(job(folder, resume=True)))
    assert same_weights(folder, unbroken)


HOLDS = """
import sys
from pathlib import Path
from convsize.runtime.training.run_folder import RunFolder
folder = RunFolder(Path(sys.argv[1]))
folder.hold()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("resume", [False, True])
def test_two_runs_in_one_folder(tmp_path, resume):
    pytest.importorskip("fcntl", reason="no locks on this system")
    folder = tmp_path / "run"
    if resume:
        broken(folder, 5)
    folder.mkdir(exist_ok=True)
    before = sorted(folder.rglob("*"))
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=r"another run is at work in `.*run`: wait for its end"):
            next(train(job(folder, resume=resume)))
        assert {each for each in folder.rglob("*") if each not in before} <= {folder / ".lock", folder / "checkpoints"}
        other.kill()  # a lock ends with its process, however that ends
    assert next(train(job(folder, resume=resume)))


def test_a_folder_that_becomes_read_only(tmp_path, unbroken):
    """From step 20 to step 40 nothing can be written."""
    folder = tmp_path / "run"
    root = os.geteuid() == 0
    said = []
    try:
        for event in train(job(folder, resume=False)):
            if isinstance(event, Notice):
                said.append(event.text)
            if type(event).__name__ == "StepFigures" and event.step in (20, 40):
                for each in (folder, folder / "checkpoints"):
                    if not root:
                        each.chmod(0o555 if event.step == 20 else 0o755)
                if root:  # who may write everywhere
                    os.seteuid(65534 if event.step == 20 else 0)
    finally:
        if root:
            os.seteuid(0)
    assert sum("could not be written (Permission denied)" in text for text in said) == 20
    assert "that of step 19 is kept" in said[0] + said[1]
    assert same_weights(folder, unbroken)

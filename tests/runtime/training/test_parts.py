"""The parts of training, each beside the values that it should have."""

import contextlib
import errno
import os
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch.nn.functional as F  # noqa: E402, N812

import convsize  # noqa: E402
from convsize.analyses.memory.peak import training_memory  # noqa: E402
from convsize.errors import UsageError  # noqa: E402
from convsize.records import RunSettings, TrainingSetting  # noqa: E402
from convsize.runtime.training import checkpoints, held, processes, run_folder  # noqa: E402
from convsize.runtime.training.batches import Batches, InOrder, generator, loader  # noqa: E402
from convsize.runtime.training.checkpoints import Checkpoint  # noqa: E402
from convsize.runtime.training.objective import Head, Objective, objective, require_losses  # noqa: E402
from convsize.runtime.training.optimizers import load_state, optimizer, state_tensors  # noqa: E402
from convsize.runtime.training.preparing import build  # noqa: E402
from convsize.runtime.training.processes import Processes  # noqa: E402
from convsize.runtime.training.run_folder import Metrics, RunFolder, free_folder  # noqa: E402
from convsize.runtime.training.stopping import stop_signals  # noqa: E402

SPEC = "input: 1@4x4\nC3D4 BN R as stem\nFC7 S\nhead box @stem: FC2\n"
NETWORK = convsize.parse(SPEC, name="parts")

# ---- batches ---------------------------------------------------------------------------------------------------------


def batches(rank=0, count=1, batch=2, accumulate=3, samples=29, seed=4):
    return Batches(samples, batch, accumulate, seed, rank, count)


def test_processes_see_together_what_one_sees_with_larger_batches():
    alone = batches(batch=4)
    ours, theirs = batches(0, 2), batches(1, 2)
    assert (alone.steps, ours.steps, theirs.steps) == (2, 2, 2)
    assert (alone.left_out, ours.left_out, theirs.left_out) == (5, 5, 5)
    for each in (alone, ours, theirs):
        each.start(1, 0)
        assert len(each) == 6 == len(list(each))
    assert [a + b for a, b in zip(ours, theirs, strict=True)] == list(alone)


def test_an_epoch_goes_on_at_a_step():
    whole, rest = batches(), batches()
    whole.start(2, 0)
    rest.start(2, 3)
    assert (len(whole), len(rest)) == (12, 3)
    assert list(rest) == list(whole)[9:]
    assert len({sample for batch in whole for sample in batch}) == 24


def test_the_order_follows_from_seed_and_epoch():
    one, same, other = batches(), batches(), batches(seed=5)
    assert list(one) == list(same)
    assert list(one) != list(other)
    same.start(1, 0)
    assert list(one) != list(same)


def test_the_test_set_is_dealt_out_in_order():
    assert list(InOrder(7, 3, 0, 1)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(InOrder(7, 2, 0, 2)) == [[0, 1], [4, 5]]
    assert list(InOrder(7, 2, 1, 2)) == [[2, 3], [6]]
    assert [len(InOrder(7, 2, rank, 2)) for rank in range(2)] == [2, 2]


def test_a_loader_draws_no_number_of_its_own():
    class Doubled:
        def __getitems__(self, indices):
            return [2 * at for at in indices]

    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert list(loader(Doubled(), InOrder(5, 2, 0, 1), 0, False)) == [[0, 2], [4, 6], [8]]
    assert torch.equal(torch.get_rng_state(), before)
    drawn = {what: torch.rand(1, generator=generator(*what)).item() for what in ((0, "a"), (1, "a"), (0, "b"))}
    assert len(set(drawn.values())) == 3
    assert torch.rand(1, generator=generator(0, "a")).item() == drawn[0, "a"]


# ---- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "decay", "name"),
    [
        ("sgd", 0, "sgd"),
        ("sgd", 0.1, "sgd-l2"),
        ("momentum", 0, "momentum"),
        ("momentum", 0.1, "momentum-l2"),
        ("nesterov", 0, "nesterov"),
        ("nesterov", 0.1, "nesterov-l2"),
        ("adam", 0, "adam"),
        ("adam", 0.1, "adam-l2"),
        ("adamw", 0, "adamw"),
        ("adamw", 0.1, "adamw"),
    ],
)
def test_what_a_step_holds_is_that_of_its_optimizer(kind, decay, name):
    settings = RunSettings("fake", batch=3, optimizer=kind, weight_decay=decay, accumulate=2, autocast="bfloat16")
    heads = (Head("main", "cross-entropy", 1.0, (7,)), Head("box", "mse", 1.0, (2,)))
    setting = TrainingSetting(
        batch=3,
        optimizer=name,
        accumulate=2,
        device="cpu",
        autocast="bfloat16",
        losses=(("main", "cross-entropy"), ("box", "mse")),
    )
    assert held.predicted(NETWORK, settings, heads) == (training_memory(NETWORK, setting).peak.bytes, "")


def test_sgd_without_momentum_has_no_state():
    heads = (Head("main", "cross-entropy", 1.0, (7,)), Head("box", "mse", 1.0, (2,)))
    plain = held.predicted(NETWORK, RunSettings("fake", optimizer="sgd"), heads)
    assert held.predicted(NETWORK, RunSettings("fake", optimizer="momentum", momentum=0.0), heads) == plain
    assert held.predicted(NETWORK, RunSettings("fake", optimizer="momentum"), heads) > plain


def test_a_step_that_ends_the_process_is_refused():
    network = convsize.parse("input: 4@9x9\nLNb0 GN2 C3D4 GAP FC3")
    heads = (Head("main", "cross-entropy", 1.0, (3,)),)
    with pytest.raises(UsageError, match=r"in the backward pass of gn1 on a CPU.*Freeze gn1, too"):
        held.predicted(network, RunSettings("fake"), heads)
    assert held.predicted(network, RunSettings("fake", frozen=("gn1",)), heads)[0]


def test_what_a_step_holds_may_be_unknown():
    heads = (Head("main", "cross-entropy", 1.0, (7,)), Head("box", "mse", 1.0, (2,)))
    assert held.predicted(NETWORK, RunSettings("fake"), heads[:1]) == (None, "an output is left untrained")
    found, why = held.predicted(NETWORK, RunSettings("fake", frozen=("nothing",)), heads)
    assert found is None
    assert "nothing" in why


def test_frozen_layers_and_checkpoints_are_part_of_what_is_held():
    network = convsize.parse("input: 1@8x8\ndef f: C3D8 R C3D8 R\nf f FC7\n")
    heads = (Head("main", "cross-entropy", 1.0, (7,)),)
    plain, frozen, again = (
        held.predicted(network, RunSettings("fake", batch=8, **asked), heads)[0]
        for asked in ({}, {"frozen": ("f1.*",)}, {"checkpoint": ("f*",)})
    )
    assert frozen < plain
    assert again < plain


@pytest.mark.parametrize(
    ("platform", "before", "most", "peak"),
    [("linux", 1000, 5, 4120), ("darwin", 1000, 5000, 4000), ("linux", 9000, 5, 0), ("linux", None, 5, None)],
)
def test_a_processor_s_peak_is_by_how_much_the_process_grew(monkeypatch, platform, before, most, peak):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(held, "_resident", lambda: before)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=most))
    assert held.Meter("cpu").peak() == peak


def test_a_gpu_s_peak_is_what_its_allocator_gave_out(monkeypatch):
    said = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: said.append("reset"))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 123)
    meter = held.Meter("cuda")
    assert said == ["reset"]
    assert meter.peak() == 123


def test_resident_bytes_are_the_second_number_in_pages():
    if not os.path.exists("/proc/self/status"):  # noqa: PTH110
        pytest.skip("the system has no /proc")
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
        kilobytes = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    assert held._resident() == pytest.approx(kilobytes * 1024, rel=0.2)


# ---- objective -------------------------------------------------------------------------------------------------------


def test_scores_of_maps_count_places():
    """Two batches of a segmentation with 6 classes and of values, weighted, beside sums over all samples at once."""
    draw = torch.Generator().manual_seed(1)
    maps, labels = torch.randn(5, 6, 3, 2, generator=draw), torch.randint(6, (5, 3, 2), generator=draw)
    values, wanted = torch.randn(5, 4, generator=draw), torch.randn(5, 4, generator=draw)
    told = Objective(
        (Head("main", "cross-entropy", 2.0, (6, 3, 2)), Head("box", "smooth-l1", 0.5, (4,))), smoothing=0.3
    )

    def outputs(part):
        return {"main": maps[part], "box": values[part]}, {"main": labels[part], "box": wanted[part]}

    loss = told.loss(*outputs(slice(0, 5)))
    smoothed = F.cross_entropy(maps, labels, label_smoothing=0.3)
    assert loss.item() == pytest.approx(2 * smoothed.item() + 0.5 * F.smooth_l1_loss(values, wanted).item())

    sums = sum(told.sums(*outputs(part)) for part in (slice(0, 3), slice(3, 5)))
    assert sums.dtype == torch.float64
    total, (main, box) = told.scores(sums.flatten().tolist())
    assert main.loss == pytest.approx(F.cross_entropy(maps, labels).item())
    assert main.top1 == pytest.approx((maps.argmax(1) == labels).float().mean().item())
    worst = maps.argmin(1)
    assert main.top5 == pytest.approx((worst != labels).float().mean().item())
    assert box.loss == pytest.approx(F.smooth_l1_loss(values, wanted).item())
    assert box.error == pytest.approx((values - wanted).abs().mean().item())
    assert total == pytest.approx(2 * main.loss + 0.5 * box.loss)


@pytest.mark.parametrize(("classes", "known"), [(5, False), (6, True)])
def test_five_guesses_of_five_classes_say_nothing(classes, known):
    told = Objective((Head("main", "cross-entropy", 1.0, (classes,)),), 0.0)
    outputs, labels = torch.eye(classes)[:3], torch.tensor([0, 1, 0])
    _, (score,) = told.scores(told.sums(outputs, {"main": labels}).flatten().tolist())
    assert score.top1 == pytest.approx(2 / 3)
    assert (score.top5 is not None) == known


def test_losses_follow_the_targets_and_what_is_asked():
    labels, values = torch.zeros(1, dtype=torch.int64), torch.zeros(1, 2)
    targets = {"main": labels, "box": values}
    told = objective(NETWORK, RunSettings("fake"), targets)
    assert told.heads == (Head("main", "cross-entropy", 1.0, (7,)), Head("box", "mse", 1.0, (2,)))
    asked = RunSettings("fake", losses=(("box", "smooth-l1"),), loss_weights=(("main", 0.0), ("box", 3.0)))
    assert objective(NETWORK, asked, {"box": values}).heads == (Head("box", "smooth-l1", 3.0, (2,)),)
    with pytest.raises(UsageError, match="no targets for the output `box`: --loss-weight box=0"):
        objective(NETWORK, RunSettings("fake"), {"main": labels})
    with pytest.raises(UsageError, match="every output has a loss weight of 0"):
        objective(NETWORK, RunSettings("fake", loss_weights=(("main", 0.0), ("box", 0.0))), targets)


@pytest.mark.parametrize(
    ("losses", "main", "box", "says"),
    [
        (
            (),
            torch.zeros(1, 2, dtype=torch.int64),
            torch.zeros(1, 2),
            "has 1 position to label per sample, .* 2 labels",
        ),
        ((), torch.zeros(1, dtype=torch.int64), torch.zeros(1, 3), "has 2 values per sample, but the data has 3"),
        ((("main", "mse"),), torch.zeros(1, dtype=torch.int64), torch.zeros(1, 2), "mse compares values"),
        ((("box", "cross-entropy"),), torch.zeros(1, dtype=torch.int64), torch.zeros(1, 2), "needs class labels"),
    ],
)
def test_targets_that_do_not_fit(losses, main, box, says):
    with pytest.raises(UsageError, match=says):
        objective(NETWORK, RunSettings("fake", losses=losses), {"main": main, "box": box})


def test_labels_and_values_of_maps_are_counted_by_place():
    network = convsize.parse("input: 1@3x5\nC1D4\nhead box: C1D2", name="maps")
    labels, values = torch.zeros(2, 3, 5, dtype=torch.int64), torch.zeros(2, 2, 3, 5)
    told = objective(network, RunSettings("fake"), {"main": labels, "box": values})
    assert told.heads == (Head("main", "cross-entropy", 1.0, (4, 3, 5)), Head("box", "mse", 1.0, (2, 3, 5)))
    with pytest.raises(UsageError, match="`main` has 15 positions to label per sample, but the data has 5 labels"):
        objective(network, RunSettings("fake"), {"main": labels[:, 0], "box": values})
    with pytest.raises(UsageError, match="`box` has 30 values per sample, but the data has 15"):
        objective(network, RunSettings("fake"), {"main": labels, "box": values[:, 0]})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"losses": (("mian", "mse"),)}, "--loss names `mian`, and parts has no such output: did you mean `main`?"),
        (
            {"loss_weights": (("other", 2.0),)},
            "--loss-weight names `other`, and parts has no such output; there are: main, box",
        ),
        ({"losses": (("", "mses"),)}, "there is no loss `mses`: did you mean `mse`?"),
        ({"losses": (("box", "nll"),)}, "there is no loss `nll`; there are: cross-entropy, mse, smooth-l1"),
    ],
)
def test_losses_and_outputs_that_there_are_not(settings, says):
    require_losses(NETWORK, RunSettings("fake", losses=(("", "mse"), ("box", "smooth-l1"))))
    with pytest.raises(UsageError) as raised:
        require_losses(NETWORK, RunSettings("fake", **settings))
    assert str(raised.value) == says


# ---- what is trained -------------------------------------------------------------------------------------------------

HEADS = (Head("main", "cross-entropy", 1.0, (7,)), Head("box", "mse", 1.0, (2,)))


def trained(module):
    return {name for name, value in module.named_parameters() if value.requires_grad}


def test_everything_is_trained_but_what_is_frozen_or_idle():
    everything = {
        "conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias", "fc1.weight", "fc1.bias", "box.fc1.weight",
        "box.fc1.bias",
    }  # fmt: skip
    module, said = build(NETWORK, RunSettings("fake"), HEADS, None, fresh=True)
    assert module.training
    assert trained(module) == everything
    assert said == ["softmax1 left out in training: the loss takes its input"]
    idle, _ = build(NETWORK, RunSettings("fake"), HEADS[:1], None, fresh=True)
    assert trained(idle) == everything - {"box.fc1.weight", "box.fc1.bias"}
    frozen, said = build(NETWORK, RunSettings("fake", frozen=("@stem",)), HEADS, None, fresh=True)
    assert trained(frozen) == {"fc1.weight", "fc1.bias", "box.fc1.weight", "box.fc1.bias"}
    assert not frozen.bn1.training
    assert said[-1] == "not trained: 3 layers, conv1 to relu1"


def test_layers_without_weights_are_frozen_as_well():
    network = convsize.parse("input: 1@8x8\n(C3D4 + C1D4) GAP flat FC7")
    module, said = build(network, RunSettings("fake", frozen=("conv*", "add1", "flat1")), HEADS[:1], None, fresh=True)
    assert trained(module) == {"fc1.weight", "fc1.bias"}
    assert said == ["not trained: 4 layers, conv1 to flat1"]


def test_a_folder_that_is_still_held_is_waited_for(tmp_path, monkeypatch):
    """Two seconds in all: a process that was killed a moment ago may be about to end."""
    fcntl = pytest.importorskip("fcntl")
    waited = []

    def held(times):
        left = iter([True] * times)

        def lockf(*_):
            if next(left, False):
                raise BlockingIOError

        return lockf

    monkeypatch.setattr(run_folder.time, "sleep", waited.append)
    for times in (0, 1, 20):
        waited.clear()
        monkeypatch.setattr(fcntl, "lockf", held(times))
        RunFolder(tmp_path).hold()
        assert waited == [0.1] * times
    monkeypatch.setattr(fcntl, "lockf", held(21))
    with pytest.raises(UsageError, match="another run is at work in"):
        RunFolder(tmp_path).hold()


def test_weights_lie_in_the_order_that_is_asked_for():
    network = convsize.parse("input: 3@8x8\nC3D4 GAP FC7")
    for asked in (False, True):
        module, _ = build(
            network,
            RunSettings("fake", channels_last=asked),
            (Head("main", "cross-entropy", 1.0, (7,)),),
            None,
            fresh=True,
        )
        assert module.conv1.weight.is_contiguous(memory_format=torch.channels_last) is asked


def test_an_optimizer_s_state_goes_and_comes_back():
    module, _ = build(NETWORK, RunSettings("fake"), HEADS, None, fresh=True)
    names = {value: name for name, value in module.named_parameters()}
    settings = RunSettings("fake", optimizer="adam")
    ours, theirs = optimizer(module, settings), optimizer(module, settings)
    for value in module.parameters():
        value.grad = torch.randn_like(value)
    ours.step()
    tensors, numbers = state_tensors(ours, names)
    assert tensors.keys() == {f"{name}/{key}" for name in names.values() for key in ("step", "exp_avg", "exp_avg_sq")}
    assert numbers == {}
    load_state(theirs, names, tensors, {"conv1.bias/times": 3})
    for value in module.parameters():
        for key, state in ours.state[value].items():
            assert torch.equal(theirs.state[value][key], state)
    assert theirs.state[module.conv1.bias]["times"] == 3
    nothing = SimpleNamespace(state={module.conv1.bias: {"momentum_buffer": None, "times": 3}})
    assert state_tensors(nothing, names) == ({}, {"conv1.bias/times": 3})


# ---- checkpoints, folders --------------------------------------------------------------------------------------------


def test_the_two_newest_checkpoints_stay(tmp_path):
    for step in (3, 20, 100):
        place = checkpoints.write(
            tmp_path, Checkpoint(step, {"w": torch.tensor([step])}, {"s": torch.tensor([1.5])}, {"why": "x"})
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0000000020", "0000000100"]
    found = list(checkpoints.newest(tmp_path))
    assert [(each.step, each.weights["w"].item(), each.state["s"].item()) for each in found] == [
        (100, 100, 1.5),
        (20, 20, 1.5),
    ]
    assert found[0].facts["why"] == "x"
    checkpoints.publish(place, tmp_path / "last")
    (tmp_path / ".last").write_text("what a killed run left")
    checkpoints.publish(tmp_path / "0000000020", tmp_path / "last")
    assert (tmp_path / "last").read_bytes() == (tmp_path / "0000000020" / "weights.safetensors").read_bytes()


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    """Files, then their folder under its first name; after the renaming the folder of checkpoints."""
    told = []
    settle, settle_folder = checkpoints._settle, checkpoints._settle_folder
    monkeypatch.setattr(checkpoints, "_settle", lambda path: (told.append(path.name), settle(path))[1])
    monkeypatch.setattr(
        checkpoints,
        "_settle_folder",
        lambda path: (told.append((path.name, len([*path.iterdir()]))), settle_folder(path)),
    )
    checkpoints.write(tmp_path / "home", Checkpoint(7, {}, {}, {}))
    writing = f".writing-{os.getpid()}"
    assert told == ["weights.safetensors", "state.safetensors", "checkpoint.json", (writing, 3), ("home", 1)]
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["0000000007"]


def test_a_checkpoint_of_another_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SCHEMA", 99)
    place = checkpoints.write(tmp_path, Checkpoint(1, {}, {}, {}))
    monkeypatch.undo()
    with pytest.raises(UsageError, match=r"another version of convsize \(schema 99\)"):
        checkpoints.read(place)


def test_what_a_killed_process_left_is_removed(tmp_path):
    for name in (".writing-1", ".old-0000000001", "0000000002"):
        (tmp_path / name).mkdir()
    checkpoints.tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["0000000002"]


def test_folders_that_are_taken_get_a_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    taken = []
    for _ in range(3):
        folder = free_folder("net.v1")
        folder.mkdir(parents=True)
        taken.append(folder.as_posix())
    assert taken == ["runs/net.v1", "runs/net.v1-2", "runs/net.v1-3"]


def test_metrics_know_their_size(tmp_path):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    assert (metrics.size, metrics.read()) == (0, [])
    metrics.add("steps", {"step": 1, "loss": 2.5, "lr": 0.1})
    metrics.add("steps", {"step": 2, "loss": 2.0, "lr": 0.1})
    size = (tmp_path / "metrics.jsonl").stat().st_size
    assert metrics.size == size == Metrics(tmp_path / "metrics.jsonl").size
    metrics.cut(size - 1)
    assert [each["step"] for each in metrics.read()] == [1]
    assert metrics.size == (tmp_path / "metrics.jsonl").stat().st_size == size // 2


def test_half_a_line_of_metrics_does_not_stay(tmp_path, monkeypatch):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    opened = Path.open

    @contextlib.contextmanager
    def full(path, mode, **kwargs):
        with opened(path, mode, **kwargs) as file:

            def write(text):
                file.write(text[:9])
                file.flush()
                raise OSError(errno.ENOSPC, "full")

            yield SimpleNamespace(write=write)

    for lines in range(2):
        with monkeypatch.context() as change:
            change.setattr(Path, "open", full)
            with pytest.raises(OSError, match="full"):
                metrics.add("steps", {"step": 9, "loss": 2.5, "lr": 0.1})
        assert [each["step"] for each in metrics.read()] == [0, 1][:lines]
        assert metrics.size == (tmp_path / "metrics.jsonl").stat().st_size
        metrics.add("steps", {"step": lines, "loss": 2.5, "lr": 0.1})


def test_weights_are_copied_where_a_system_has_no_links(tmp_path, monkeypatch):
    place = checkpoints.write(tmp_path, Checkpoint(7, {"w": torch.tensor([7])}, {}, {}))

    def link(*_):
        raise OSError(errno.EPERM, "no links here")

    checkpoints.publish(place, tmp_path / "linked")
    assert (tmp_path / "linked").samefile(place / "weights.safetensors")
    monkeypatch.setattr(os, "link", link)
    checkpoints.publish(place, tmp_path / "copied")
    assert not (tmp_path / "copied").samefile(place / "weights.safetensors")
    assert (tmp_path / "copied").read_bytes() == (place / "weights.safetensors").read_bytes()


def test_a_checkpoint_that_safetensors_cannot_write_leaves_nothing(tmp_path, monkeypatch):
    def fails(*_):
        raise checkpoints.safetensors.SafetensorError("no room")

    monkeypatch.setattr(checkpoints, "save_file", fails)
    with pytest.raises(OSError, match="no room"):
        checkpoints.write(tmp_path / "home", Checkpoint(7, {}, {}, {}))
    assert list((tmp_path / "home").iterdir()) == []


def test_the_folder_of_a_run_says_what_it_lacks(tmp_path):
    settings = RunSettings("fake", frozen=("conv*",), losses=(("main", "mse"),))
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(UsageError, match=r"is not the folder of a run: it has no settings\.json"):
        folder.read()
    folder.make("net", "input: 1@1\n", "0" * 16, settings)
    assert folder.read() == ("net", "input: 1@1\n", "0" * 16, settings)
    with pytest.raises(UsageError, match="already holds a run"):
        folder.make("net", "", "", settings)
    folder.spec.unlink()
    with pytest.raises(UsageError, match="is not the folder of a run: it has no"):
        folder.read()
    for wrong in ("[]", "{", '{"settings": {"speed": 3}}'):
        folder.settings.write_text(wrong)
        with pytest.raises(UsageError, match=r"settings.json` is not as convsize wrote it"):
            folder.read()
    folder.settings.unlink()
    folder.settings.mkdir()
    with pytest.raises(UsageError, match="run` cannot be read: Is a directory"):
        folder.read()
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="net` cannot be written: Not a directory"):
        RunFolder(tmp_path / "file" / "net").make("net", "", "", settings)


# ---- processes, signals ----------------------------------------------------------------------------------------------


def test_a_process_alone_asks_nobody(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with processes.processes("cpu") as alone:
        assert (alone.rank, alone.count, alone.local, alone.first) == (0, 1, 0, True)
        assert alone.sums((1.5, 2)) == [1.5, 2]
        assert alone.largest(3) == 3
        assert alone.same("x") == "x"
        assert [each.tolist() for each in alone.gathered(torch.tensor([1]))] == [[1]]


def test_processes_ask_each_other(monkeypatch):
    """With a second process that always says one more."""

    def reduced(value, op=None):
        other = value + 1
        value.copy_(torch.maximum(value, other) if op is processes.dist.ReduceOp.MAX else value + other)

    def gathered(found, value):
        for at, each in enumerate(found):
            each.copy_(value + at)

    monkeypatch.setattr(processes.dist, "all_reduce", reduced)
    monkeypatch.setattr(processes.dist, "all_gather", gathered)
    monkeypatch.setattr(processes.dist, "broadcast_object_list", lambda told, device: told.__setitem__(0, "first's"))
    ours = Processes(1, 2, 1)
    assert not ours.first
    assert ours.sums((0.1, 2)) == [0.1 + 1.1, 5]
    assert ours.largest(0) == 1
    assert ours.same("second's") == "first's"
    assert [each.tolist() for each in ours.gathered(torch.tensor([1, 5]))] == [[1, 5], [2, 6]]


def test_more_processes_than_gpus(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match="process 1 of this machine has no GPU: there are 1"):
        processes.processes("cuda").__enter__()


def test_the_first_signal_is_noted_and_the_second_does_what_it_did():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    ours = signal.getsignal(signal.SIGTERM)
    try:
        with stop_signals() as stop:
            assert stop.signal == ""
            signal.raise_signal(signal.SIGTERM)
            assert (stop.signal, heard) == ("SIGTERM", [])
            signal.raise_signal(signal.SIGTERM)
            assert heard == [signal.SIGTERM]
        with stop_signals():
            assert signal.getsignal(signal.SIGTERM) is not ours
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_hear_no_signals():
    found = []

    def train():
        with stop_signals() as stop:
            found.append(stop.signal)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert found == [""]


@pytest.mark.parametrize(("device", "backend"), [("cpu", "gloo"), ("cuda", "cpu:gloo,cuda:nccl")])
def test_processes_are_connected_and_let_go(monkeypatch, device, backend):
    said = []
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda at: said.append(at))
    monkeypatch.setattr(processes.dist, "init_process_group", lambda name, timeout: said.append(name))
    monkeypatch.setattr(processes.dist, "get_rank", lambda: 2)
    monkeypatch.setattr(processes.dist, "destroy_process_group", lambda: said.append("let go"))
    with processes.processes(device) as ours:
        assert (ours.rank, ours.count, ours.local, ours.first) == (2, 3, 1, False)
        assert said == [*([1] if device == "cuda" else []), backend]
    assert said[-1] == "let go"


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_processes_that_cannot_be_connected(monkeypatch, error):
    def fails(*_, **__):
        raise error("nobody answers")

    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setattr(processes.dist, "init_process_group", fails)
    with (
        pytest.raises(UsageError, match="the processes cannot be connected: nobody answers"),
        processes.processes("cpu"),
    ):
        pass

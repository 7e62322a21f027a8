"""Profiles: every second belongs to one layer or has a line of its own, and what is heavy comes out as heavy."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

import convsize
from convsize import devices
from convsize.analyses.time.prediction import predict_time
from convsize.errors import UsageError
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

from convsize.records.time import TimeSetting  # noqa: E402
from convsize.runtime.meters.step import batch_for, loss_of  # noqa: E402
from convsize.runtime.profile import profile as profiling  # noqa: E402
from convsize.runtime.profile.steps import Steps, nodes_by_name  # noqa: E402
from convsize.views.answers import profile as view  # noqa: E402
from convsize.views.answers.pictures.roofline import scene  # noqa: E402

SPECS = Path(__file__).resolve().parents[3] / "specs"
HEAVY = "input: 3@32x32\nC3D8 R C3D256 C1D8 R GAP FC10 S"
BRANCHES = (
    "input left: 3@16x16\ninput right: 3@16x16\n@left C3D8 BN R as a\n@right C3D8 R as b\n"
    "(@a + @b) C1D8 as c (C3D8 R + x) C1D4 R as d GAP FC2 S\nhead box @c: GAP FC4\nhead map @d: C1D3"
)


pytestmark = pytest.mark.usefixtures("one_thread")


def profiled(network, *, repeats=5, **setting):
    found, _ = profiling.profile(network, TrainingSetting(**{"batch": 4, **setting}), repeats=repeats)
    return found


@pytest.mark.timed
def test_no_second_of_a_step_is_lost():
    setting = TrainingSetting(2)
    steps = Steps(batch_for(convsize.load(str(SPECS / "resnet18.spec")), setting), setting)
    walls = []
    for _ in range(3):
        start = time.perf_counter()
        steps.instrumented()
        walls.append(time.perf_counter() - start)
    lists = [*steps.forward.values(), *steps.backward.values(), *steps.outside.values()]
    assert set(steps.forward) == set(steps.backward) == set(steps.names)
    sums = [sum(each[turn] for each in lists) for turn in range(3)]
    assert sums == pytest.approx(steps.whole_instrumented)
    assert all(parts <= wall for parts, wall in zip(sums, walls, strict=True))
    # What is in no line is setting the hooks between the two passes.
    assert max(parts / wall for parts, wall in zip(sums, walls, strict=True)) > 0.9


@pytest.mark.timed
def test_medians_add_up_to_about_the_step():
    network = convsize.load(str(SPECS / "cifar10.spec"))
    # Medians of parts against the median of the whole, on a machine that others may disturb: one quiet try of four.
    for _ in range(4):
        found = profiled(network, batch=16, repeats=9)
        if found.attributed == pytest.approx(found.step.median, rel=0.25):
            break
    else:
        pytest.fail(f"layers add up to {found.attributed:.4f} s, and a step takes {found.step.median:.4f} s")
    assert [name for name, _ in found.outside] == ["the loss", "start of backward", "the optimizer"]


@pytest.mark.parametrize("inference", [False, True])
def test_a_heavy_layer_is_the_heaviest(inference):
    found = profiled(convsize.parse(HEAVY.replace("C3D256", "C9D256")), inference=inference)
    forward = max(found.layers, key=lambda each: each.forward.median)
    assert forward.name == "conv2"
    if inference:
        assert {each.backward for each in found.layers} == {None}
        assert found.outside == ()
    else:
        assert max(found.layers, key=lambda each: each.backward.median).name == "conv2"


def test_every_layer_has_a_backward_time_with_branches_and_heads():
    network = convsize.parse(BRANCHES)
    found = profiled(network)
    times = {each.name: each.backward.median for each in found.layers}
    assert [each.name for each in found.layers] == [node.name for node in network.layers]
    # A softmax at the end is left out in training.
    assert {name for name, seconds in times.items() if not seconds} == {"softmax1"}
    softmax = next(each for each in found.layers if each.name == "softmax1")
    assert (softmax.flops, softmax.bytes, softmax.forward.median) == (0, 0, 0.0)


def test_nodes_belong_to_the_layer_that_made_them():
    setting = TrainingSetting(2)
    steps = Steps(batch_for(convsize.parse("input: 3@8x8\nC3D4 BN R M FC2"), setting), setting)
    ends = []
    _, loss = loss_of(steps.batch, lambda name, output: ends.append((name, output.grad_fn)))
    kinds = {}
    for name, node in nodes_by_name([*ends, ("the loss", loss.grad_fn)]):
        kinds.setdefault(name, []).append(node.name())
    assert kinds["conv1"][0] == "ConvolutionBackward0"
    assert kinds["bn1"][0] == "NativeBatchNormBackward0"
    assert kinds["relu1"] == ["ReluBackward0"]
    assert kinds["maxpool1"] == ["MaxPool2DWithIndicesBackward0"]
    assert sum("AccumulateGrad" in kind for kind in kinds["conv1"]) == 2
    assert kinds["fc1"].count("AddmmBackward0") == 1
    assert all("AccumulateGrad" not in kind for kind in kinds["the loss"])


@pytest.mark.parametrize("text", ["(C3D8 BN R)*4", "def b(d): C3D{d} (C3D{d} BN R)*2\nb(8)*3 b(4)", "C3D8 R C3D4"])
def test_folded_rows_add_up(text):
    *definitions, trunk = text.split("\n")
    network = convsize.parse("\n".join([*definitions, f"input: 3@16x16\n{trunk} GAP FC10"]))
    found = profiled(network, batch=2, repeats=3)
    report = network.analyze(batch=2)
    for folded in (True, False):
        rows = view.rows(found, report.layers, folded=folded)
        for figure in ("flops", "bytes", "held"):
            assert sum(getattr(row, figure) for row in rows) == sum(getattr(each, figure) for each in found.layers)
        assert sum(row.forward for row in rows) == pytest.approx(sum(each.forward.median for each in found.layers))
        assert sum(row.backward for row in rows) == pytest.approx(sum(each.backward.median for each in found.layers))


def test_the_roofline_is_the_larger_of_two_times():
    network = convsize.parse(HEAVY)
    device = devices.load("h200")
    found, _ = profiling.profile(network, TrainingSetting(4, inference=True), repeats=3, against=device)
    layer = next(each for each in found.layers if each.name == "conv2")
    # 8@32x32 in and 256@32x32 out for 4 samples, with 8·9·256 weights and 256 biases, in 4 bytes.
    assert layer.bytes == 4 * (4 * (8 + 256) * 32 * 32 + 8 * 9 * 256 + 256)
    assert layer.flops == 4 * (2 * 8 * 9 + 1) * 256 * 32 * 32
    assert layer.least == max(layer.flops / dict(device.peaks)["tf32"], layer.bytes / device.bandwidth)
    assert sum(each.flops for each in found.layers) == 4 * network.analyze().totals.flops
    picture = scene(found, network.analyze(batch=4).layers).file("svg").decode()
    assert "roof of NVIDIA H200 SXM" in picture
    with pytest.raises(UsageError, match=r"nothing is known of t4 in bfloat16"):
        profiling.profile(network, TrainingSetting(4, dtype="bfloat16"), against=devices.load("t4"))


def test_backward_counts_for_the_weights_and_for_the_input():
    network = convsize.parse("input: 3@16x16\nC3D8 R M flat FC10")
    passes = {inference: profiled(network, inference=inference, batch=2, repeats=3) for inference in (True, False)}
    forward = {each.name: each for each in passes[True].layers}
    for each in passes[False].layers:
        # No gradient goes to the picture, a view moves nothing, and a layer without weights has no gradient of them.
        times = {"conv1": 2, "relu1": 2, "maxpool1": 2, "flatten1": 0}.get(each.name, 3)
        assert each.flops == times * forward[each.name].flops
        assert each.bytes == times * forward[each.name].bytes


@pytest.mark.parametrize(("other", "stands"), [({}, True), ({"threads": 2}, False), ({"channels_last": True}, False)])
def test_a_prediction_stands_beside_what_ran_as_it_was_calibrated(other, stands):
    device = devices.load("ryzen7_5800h")
    device = device.replace(source=device.source.replace(kind="calibrated"), threads=1).replace(**other)
    network = convsize.parse("input: 3@8x8\nC3D8 R FC10")
    found, _ = profiling.profile(network, TrainingSetting(2), repeats=3, against=device)
    assert (found.predicted is not None) == stands


def test_memory_that_is_not_there_is_said_before_anything_is_built(monkeypatch):
    monkeypatch.setattr(profiling, "free_bytes", lambda device: 2**20)
    with pytest.raises(UsageError, match=r"a training step with a batch of 4 is predicted to hold 8\.466 MiB"):
        profiled(convsize.parse(HEAVY))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda(convsize):
    ran = convsize("profile", SPECS / "lenet5.spec", "--device", "cuda")
    assert ran.code == 2
    assert "PyTorch finds no CUDA device" in ran.err


def test_files_and_json(convsize, tmp_path):
    trace, picture = tmp_path / "trace.json", tmp_path / "roof.svg"
    arguments = ("profile", "-e", HEAVY.partition("\n")[2], "--input", "3@32x32", "--repeats", 3, "--threads", 1)
    ran = convsize(*arguments, "--trace", trace, "-o", picture, "--against", "h200", "--format", "json")
    assert ran.code == 0, ran.err
    data = json.loads(ran.out)
    assert data["schema"] == 1
    assert data["attributed"] > 0
    assert data["layers"][0]["forward"]["low"] <= data["layers"][0]["forward"]["median"]
    assert any("convolution" in each["name"] for each in data["kernels"])
    names = {each.get("name") for each in json.loads(trace.read_text())["traceEvents"]}
    assert {each["name"] for each in data["layers"] if each["name"] != "softmax1"} <= names
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize("width", [80, 140])
def test_the_table_keeps_to_the_terminal(convsize, width):
    ran = convsize("profile", SPECS / "lenet5.spec", "--repeats", 3, "--against", "h100", width=width)
    assert ran.code == 0, ran.err
    assert max(map(len, ran.out.splitlines())) <= width
    assert "A step without instrumentation takes" in ran.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no spec"),
        (["-e", "C3D4", "-e", "C3D5", "--input", "3@8x8"], "one network is profiled at a time"),
        (["-e", "C3D4", "--input", "3@8x8", "--against", "h20"], "there is no device `h20`: known devices: "),
        (["-e", "C3D4", "--input", "3@8x8", "--optimizer", "lion"], "there is no optimizer `lion`"),
        (["-e", "C3D4", "--input", "3@8x8", "-o", "roof.dot"], "a plot is not a graph"),
        (["-e", "C3D4", "--input", "3@8x8", "--repeats", "3", "--trace", "/nowhere/trace.json"], "cannot be written"),
    ],
)
def test_bad_input(convsize, arguments, says):
    ran = convsize("profile", *arguments)
    assert ran.code == 2
    assert says in ran.err


def test_a_spec_with_errors_is_not_built(convsize):
    ran = convsize("profile", "-e", "C9D4 FC10 C3", "--input", "3@4x4")
    assert ran.code == 1
    assert ran.out == ""


def test_a_calibrated_machine_has_a_prediction_beside_the_measurement():
    network = convsize.parse(HEAVY)
    sheet = devices.load("ryzen7_5800h")
    found, _ = profiling.profile(network, TrainingSetting(4), repeats=3, against=sheet)
    assert found.predicted is None  # a data sheet's machine is another one
    own = sheet.replace(source=sheet.source.replace(kind="calibrated"))
    found, _ = profiling.profile(network, TrainingSetting(4), repeats=3, against=own)
    assert found.predicted == predict_time(network, own, TimeSetting(4, training=True)).seconds
    text = " ".join(view.render(found, network.analyze(batch=4).layers).split())
    assert "were predicted (convsize time)" in text

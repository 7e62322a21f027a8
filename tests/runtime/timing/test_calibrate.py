"""Calibration: its grid makes networks, what it measures is a device, and that predicts times of the right size."""

import json

import pytest

torch = pytest.importorskip("torch")

import convsize as library  # noqa: E402
from convsize import devices  # noqa: E402
from convsize.analyses.memory.step import smallest_batch  # noqa: E402
from convsize.analyses.time.prediction import predict_time  # noqa: E402
from convsize.analyses.time.units import pieces  # noqa: E402
from convsize.errors import UsageError  # noqa: E402
from convsize.records.time import TimeSetting  # noqa: E402
from convsize.runtime.timing.calibrate import Plan, calibrate  # noqa: E402
from convsize.runtime.timing.clock import Clock  # noqa: E402
from convsize.runtime.timing.grid import grid, wholes  # noqa: E402
from convsize.runtime.timing.layers import time_pieces  # noqa: E402


@pytest.fixture
def hasty(monkeypatch):
    """A few runs of everything, however noisy its time is then."""
    usual = Clock.repeated

    def repeated(clock, work, **asked):
        return usual(clock, work, **{**asked, "budget": 0.01, "warm_up": 1})

    monkeypatch.setattr(Clock, "repeated", repeated)


def test_every_spec_of_the_grid_is_a_network():
    families = set()
    for text, batch in grid(1.0):
        network = library.parse(text)
        assert batch >= 1
        families |= {piece.family for piece in pieces(network, 1, "float32", training=True)}
    assert {"convolution 1x1", "convolution kxk", "depthwise convolution", "grouped convolution"} <= families
    assert {"fully connected", "batch norm", "ReLU", "max pooling", "sum", "concatenation", "gate"} <= families


def test_what_predictions_are_held_against_are_networks():
    for name, text, batch in wholes():
        network = library.parse(text, name=name)
        assert not network.diagnostics
        assert smallest_batch(network) <= batch


def test_a_calibrated_device(tmp_path, hasty):
    texts = ["input: 8@20x20\nweight C3D16 BN R M", "input: 16@30x30\nweight C3D16 R", "input: 40@1\nflat FC20 FC10"]
    networks = tuple((library.parse(text), 2) for text in texts)
    whole = library.parse("input: 3@16x16\nC3D8 R M C3D16 R GAP FC10")
    heard = []
    plan = Plan("cpu", ("float32",), networks, ((whole, 2),), ((whole, (1,)),), sweeps=2, threads=1)
    device = calibrate(plan, heard.append)
    assert heard[0] == "peaks"
    assert heard[-2:] == ["network, whole", "layers of network (1 of 1)"]
    kinds = [(mode, what) for mode in ("class", "per-shape") for what in ("inference", "training")]
    assert [(each.mode, each.what, each.cells) for each in device.accuracy] == [(*kind, 1) for kind in kinds]
    assert all(0 <= each.median == each.worst == each.mean for each in device.accuracy)
    file = tmp_path / "cpu.json"
    file.write_text(devices.dump(device))
    loaded = devices.load(str(file))
    assert loaded == device
    assert 1e9 < dict(device.peaks)["float32"] < 1e13
    assert 1e9 < device.bandwidth < 1e13
    for training in (False, True):
        known = predict_time(whole, loaded, TimeSetting(1, training=training))
        assert {layer.basis for layer in known.layers} == {"measured"}
        by_class = predict_time(whole, loaded.replace(shapes=()), TimeSetting(1, training=training))
        assert {"calibrated"} <= {layer.basis for layer in by_class.layers}
        assert 0.05 < by_class.seconds / known.seconds < 20


@pytest.mark.slow
def test_several_types_and_a_layout(tmp_path, hasty):
    networks = tuple(
        (library.parse(text), 2) for text in ("input: 8@10x10\nweight C3D16 BN R M", "input: 1@9\nembed(9,6)")
    )
    whole = library.parse("input: 3@12x12\nC3D8 R GAP FC10")
    plan = Plan("cpu", ("float32", "bfloat16"), networks, ((whole, 2),), sweeps=1, threads=1, channels_last=True)
    heard = []
    device = calibrate(plan, heard.append)
    assert "losses and optimizers in bfloat16" in heard
    assert [name for name, _ in device.peaks] == ["float32", "bfloat16"]
    assert device.title.endswith(", channels_last")
    assert [each.cells for each in device.accuracy] == [2, 2]
    for dtype in plan.dtypes:
        known = predict_time(whole, device, TimeSetting(2, dtype, training=True))
        assert {"calibrated"} <= {layer.basis for layer in known.layers}
    file = tmp_path / "cpu.json"
    file.write_text(devices.dump(device))
    assert devices.load(str(file)) == device
    file.write_text(devices.dump(device).replace('"channels_last": true', '"channels_last": 1'))
    with pytest.raises(UsageError, match="its `channels_last` is neither true nor false"):
        devices.load(str(file))


@pytest.mark.timed
def test_a_heavier_layer_takes_longer():
    light, heavy = (library.parse(f"input: 16@32x32\nweight C3D{depth}") for depth in (16, 256))
    found = []
    for network in (light, heavy):
        times = time_pieces(pieces(network, 2, "float32", training=True), torch.float32, Clock(), rounds=3)
        assert all(len(each) == 3 and min(each) > 0 for each in times.values())
        found.append({key.partition(" ")[2]: min(each) for key, each in times.items()})
    assert sum(found[1].values()) > 2 * sum(found[0].values())


def test_the_command(convsize, tmp_path, monkeypatch, hasty):
    monkeypatch.setattr("convsize.runtime.timing.grid.grid", lambda _: [("input: 8@10x10\nweight C3D8 R", 1)])
    spec = tmp_path / "net.spec"
    spec.write_text("input: 3@8x8\nC3D8 R FC10\n")
    file = tmp_path / "here.json"
    ran = convsize("calibrate", "--quick", "--shapes", spec, "--batch", 1, "--batch", 2, "-o", file)
    assert ran.code == 0, ran.err
    assert f"written to {file}" in ran.out
    assert "measuring layers of net" in ran.err
    assert not list(tmp_path.glob("*.part"))
    assert len(json.loads(file.read_text())["shapes"]) >= 8
    answer = convsize("time", spec, "--device", file, "--batch", 2)
    assert answer.code == 0
    assert "Every layer was measured." in answer.out
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert convsize("calibrate", "--quick").code == 0
    listed = convsize("devices")
    assert "calibrated" in listed.out
    assert convsize("time", spec, "--device", "cpu").code == 0


def test_what_cannot_be_written_is_not_measured(convsize, tmp_path, monkeypatch):
    monkeypatch.setattr("convsize.runtime.timing.calibrate.calibrate", lambda *_: pytest.fail("it was measured"))
    ran = convsize("calibrate", "-o", tmp_path / "nowhere" / "here.json")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be written: No such file or directory" in ran.err


def test_a_calibration_that_fails_leaves_nothing(convsize, tmp_path, monkeypatch):
    def broken(*_):
        raise UsageError("no device")

    monkeypatch.setattr("convsize.runtime.timing.calibrate.calibrate", broken)
    assert convsize("calibrate", "-o", tmp_path / "here.json").code == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_no_gpu(convsize, tmp_path):
    ran = convsize("calibrate", "--device", "cuda", "-o", tmp_path / "x.json")
    assert ran.code == 2
    assert "PyTorch finds no CUDA device" in ran.err

"""Predicted times: floors by hand, what was measured looked up, samples met, and what belongs to no layer."""

from math import log2
from pathlib import Path

import pytest
from zoo import over_the_zoo

import convsize
from convsize import devices
from convsize.analyses.time.model import Model
from convsize.analyses.time.prediction import plain_features, predict_time, sweep_times
from convsize.analyses.time.units import pieces, table_name, types
from convsize.errors import UsageError
from convsize.records.device import ClassTable, Device, DeviceSource, Sample
from convsize.records.time import TimeSetting

SPECS = Path(__file__).parents[3] / "specs"
PLAIN = Device(
    "plain",
    "A plain machine",
    "cpu",
    DeviceSource("calibrated", "by hand", "2026"),
    memory=None,
    bandwidth=1e9,
    peaks=(("float32", 1e9),),
    overhead=1e-6,
)


def test_the_floor_by_hand():
    """C3D8b0 on 4@10x10: 100·8·36 multiply-adds; 400 values in, 800 out, 288 weights of 4 bytes; batch 2."""
    network = convsize.parse("input: 4@10x10\nC3D8b0")
    (layer,) = predict_time(network, PLAIN, TimeSetting(2)).layers
    assert layer.flops == 2 * 2 * 100 * 8 * 36
    assert layer.bytes == 4 * (2 * (400 + 800) + 288)
    assert layer.forward == pytest.approx(1e-6 + layer.flops / 1e9)
    assert (layer.backward, layer.bound, layer.basis) == (0, "compute", "assumed")


def test_an_embedding_reads_the_rows_that_it_looks_up():
    """30 tokens in, 30 rows of 8 numbers read and written; the gradient of the table of 1,000 rows is dense."""
    forward, backward = pieces(convsize.parse("input: 1@30\nembed(1000,8)"), 2, "float32", training=True)
    assert forward.bytes == 4 * 2 * (30 + 2 * 30 * 8)
    assert backward.bytes == 4 * (2 * (30 + 30 * 8) + 8000)


def test_the_pieces_of_a_step_by_hand():
    """FLOPs and bytes for two samples: a map of 100 positions, eight of them at most, 4 bytes a value.

    A softmax that ends an output is left out, and so are views; what comes behind them is there.
    """
    text = "C1D8b0 as a GAP FC2b0 S\nhead h @a: [x | R] slice(0,8) (x + R) (x - R) (x * GAP) (x + GAP) C1D3b0"
    network = convsize.parse(f"input: 4@10x10\n{text}")
    found: dict[str, list[tuple[str, int, int]]] = {}
    for piece in pieces(network, 2, "float32", training=True):
        name = network.nodes[piece.node].name
        found.setdefault(name, []).append((piece.direction, piece.flops, piece.bytes))
    relu, gap = (2 * 800, 4 * 2 * 1600), (2 * 800, 4 * 2 * 808)
    # Name, FLOPs and bytes of the forward pass, and how many times as much the backward pass takes.
    wanted = [
        ("gap1", *gap, 2),
        ("fc1", 2 * 2 * 8 * 2, 4 * (2 * (8 + 2) + 8 * 2), 2),
        ("h.relu1", *relu, 2),
        ("h.cat1", 0, 4 * 2 * 3200, 0),
        ("h.relu2", *relu, 2),
        ("h.add1", 2 * 800, 4 * 2 * 2400, 0),
        ("h.relu3", *relu, 2),
        ("h.sub1", 2 * 800, 4 * 2 * 2400, 1),
        ("h.gap1", *gap, 2),
        ("h.mul1", 2 * 800, 4 * 2 * 1608, 2),
        ("h.gap2", *gap, 2),
        ("h.add2", 2 * 800, 4 * 2 * 1608, 1),
        ("h.conv1", 2 * 2 * 100 * 8 * 3, 4 * (2 * (800 + 300) + 8 * 3), 2),
    ]
    table = {
        name: [("forward", flops, moved), ("backward", times * flops, times * moved)]
        for name, flops, moved, times in wanted
    }
    # The first layer's input needs no gradient.
    first = 2 * 2 * 100 * 8 * 4, 4 * (2 * (400 + 800) + 8 * 4)
    assert found == {"conv1": [("forward", *first), ("backward of the first", *first)], **table}


def test_a_step_has_backward_passes_losses_and_the_optimizer():
    network = convsize.parse("input: 4@10x10\nC3D8b0 R [x | C1] GAP FC10 S")
    step = predict_time(network, PLAIN, TimeSetting(2, training=True))
    by_name = {layer.name: layer for layer in step.layers}
    assert "softmax1" not in by_name
    # The first layer's input needs no gradient, so its backward pass is one product; others' are two.
    assert by_name["conv1"].backward == pytest.approx(by_name["conv1"].forward)
    assert by_name["conv2"].backward > 1.9 * by_name["conv2"].forward
    outside = dict(step.outside)
    assert list(outside) == ["loss", "sums of gradients", "step of momentum"]
    assert all(seconds > 0 for seconds in outside.values())
    assert step.seconds == pytest.approx(sum(layer.seconds for layer in step.layers) + sum(outside.values()))
    assert step.throughput == pytest.approx(2 / step.seconds)
    one = convsize.parse("input: 4@10x10\nC3D8b0 R GAP FC10")
    assert dict(predict_time(one, PLAIN, TimeSetting(2, training=True)).outside)["sums of gradients"] == 0


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("C3D8b0 R GAP", []),
        ("C3D8b0 R [x | C1] GAP", [8 * 100]),
        ("C3D8b0 R [x | C1 | R] GAP", [8 * 100] * 2),
        # What is read twice and depends on no parameter has no gradient.
        ("R [x | C1] GAP", []),
        ("R [x | R] C1 GAP", []),
        # A parameter in one of its branches is enough.
        ("[x | C1] [x | R] GAP", [8 * 100]),
        ("[x | C1 S] [x | R] GAP", [8 * 100]),
    ],
)
def test_gradients_that_are_summed_by_hand(text, sums):
    """One addition for each reader but the first: two values in and one out, of 4 bytes, batch 2."""
    network = convsize.parse(f"input: 4@10x10\n{text} FC10 S")
    outside = dict(predict_time(network, PLAIN, TimeSetting(2, training=True)).outside)
    assert outside["sums of gradients"] == pytest.approx(sum(1e-6 + 3 * 4 * 2 * each / 1e9 for each in sums))


def test_the_loss_and_the_optimizer_by_hand():
    """Six values moved for every output of every end, four for every parameter; buffers are not stepped."""
    network = convsize.parse("input: 4@10x10\nC3D8b0 BN as a GAP FC10 S\nhead other @a: FC5b0")
    outside = dict(predict_time(network, PLAIN, TimeSetting(2, training=True)).outside)
    assert outside["loss"] == pytest.approx(sum(1e-6 + 6 * 4 * 2 * each / 1e9 for each in (10, 5)))
    sizes = [8 * 4 * 9, 8, 8, 8 * 10, 10, 800 * 5]
    assert outside["step of momentum"] == pytest.approx(sum(1e-6 + 4 * 4 * each / 1e9 for each in sizes))
    # One kernel works on all of them on a GPU.
    together = dict(predict_time(network, PLAIN.replace(kind="cuda"), TimeSetting(2, training=True)).outside)
    assert together["step of momentum"] == pytest.approx(1e-6 + 4 * 4 * sum(sizes) / 1e9)


@pytest.mark.parametrize(
    ("volume", "layer", "family"),
    [
        ("8@6x6", "C3D8", "convolution kxk"),
        ("8@6x6", "C1x3D8", "convolution kxk"),
        ("8@6x6", "C1D8", "convolution 1x1"),
        ("8@6x6", "C3D8g4", "grouped convolution"),
        # As many groups as maps, however it is written.
        ("8@6x6", "C3D8g8", "depthwise convolution"),
        ("8@6x6", "C3D16g8", "depthwise convolution"),
        ("8@6x6", "DW3D16", "depthwise convolution"),
        ("1@6x6", "DW3", "depthwise convolution"),
        ("1@6x6", "C3D4", "convolution kxk"),
        ("8@6x6", "T3D8g8", "transposed convolution"),
        ("8@6x6", "FC3", "fully connected"),
        ("8@6x6", "R", "ReLU"),
    ],
)
def test_layers_of_one_class_are_timed_alike(volume, layer, family):
    (piece,) = pieces(convsize.parse(f"input: {volume}\n{layer}"), 2, "float32", training=False)
    assert piece.family == family


def test_a_layer_that_was_timed_alone_is_looked_up():
    network = convsize.parse("input: 4@10x10\nC3D8b0 R")
    conv, relu = pieces(network, 2, "float32", training=False)
    known = PLAIN.replace(shapes=((conv.key, 0.25), (relu.key, 0.5)))
    found = predict_time(network, known, TimeSetting(2))
    assert [layer.forward for layer in found.layers] == [0.25, 0.5]
    assert {layer.basis for layer in found.layers} == {"measured"}
    assert {layer.basis for layer in predict_time(network, known, TimeSetting(3)).layers} == {"assumed"}


def test_between_samples_the_ratio_to_the_floor_is_interpolated():
    network = convsize.parse("input: 8@10x10\nR")
    (piece,) = pieces(network, 4, "float32", training=False)
    floor = 1e-6 + max(piece.flops / 1e9, piece.bytes / 1e9)
    name = table_name(piece.family, "inference", "float32")

    def sample(times: float, shift: float) -> Sample:
        features = (piece.features[0] + shift, *piece.features[1:])
        return Sample((float(piece.flops), float(piece.bytes), *features), times * floor)

    def estimate(*samples: Sample) -> float:
        device = PLAIN.replace(classes=(ClassTable(name, samples),))
        found = Model(device, "float32").estimate(piece)
        assert found.basis == "calibrated"
        return found.seconds

    assert estimate(sample(3, 0)) == pytest.approx(3 * floor)
    # Weights of 1 / (distance² + 0.05): a sample that is hit, and one at distance 1.
    own, other = 1 / 0.05, 1 / 1.05
    assert estimate(sample(2, 0), sample(8, 1)) == pytest.approx(2 * 4 ** (other / (own + other)) * floor)
    # The six nearest ones count, and no others.
    six = [sample(2, 1)] * 6
    assert estimate(sample(1000, 1.1), *six) == pytest.approx(2 * floor)
    assert estimate(*six[1:], sample(1000, 1.1)) > 2.1 * floor
    assert estimate(sample(2, -1), sample(8, 1)) == pytest.approx(4 * floor)  # the geometric middle
    assert 2 * floor < estimate(sample(2, -0.5), sample(8, 2)) < 4 * floor


def test_samples_of_another_version_are_refused():
    network = convsize.parse("input: 8@10x10\nR")
    (piece,) = pieces(network, 4, "float32", training=False)
    short = Sample((float(piece.flops), float(piece.bytes), *piece.features[1:]), 1e-6)
    device = PLAIN.replace(classes=(ClassTable(table_name(piece.family, "inference", "float32"), (short,)),))
    with pytest.raises(UsageError, match="another version measured them; run `convsize calibrate` again"):
        predict_time(network, device, TimeSetting(4))


def test_the_same_layers_have_the_same_keys_and_others_others():
    def keys(text: str, batch: int = 1, *, training: bool = False) -> set[str]:
        return {piece.key for piece in pieces(convsize.parse(text), batch, "float32", training=training)}

    assert len(keys("input: 3@8x8\ndef f: C3 R\nf f f")) == 2
    assert keys("input: 3@8x8\nC3D4 R M") == keys("input: 3@8x8\nC3D4 R M2/2", 1)
    assert not keys("input: 3@8x8\nC3D4") & keys("input: 3@8x8\nC3D4", 2)
    assert not keys("input: 3@8x8\nC3D4") & keys("input: 3@8x8\nC3D4", training=True)


@over_the_zoo
def test_every_spec_on_every_data_sheet(path):
    network = convsize.load(path)
    for name in ("h200", "t4", "ryzen7_5800h"):
        device = devices.load(name)
        passing, step = (predict_time(network, device, TimeSetting(8, training=each)) for each in (False, True))
        assert 0 < passing.seconds < step.seconds
        # No more than the peak allows.
        peak = dict(device.peaks).get("tf32", dict(device.peaks)["float32"])
        assert 8 * 2 * network.analyze().totals.macs / passing.seconds < peak


def test_float32_convolutions_run_in_tf32_where_there_is_one():
    network = convsize.parse("input: 512@64x64\nC3D512b0")
    plain = devices.load("a100")
    without = plain.replace(peaks=tuple(each for each in plain.peaks if each[0] != "tf32"))
    fast, slow = (predict_time(network, each, TimeSetting(8)).layers[0].forward for each in (plain, without))
    assert slow / fast == pytest.approx(156 / 19.5, rel=0.01)


def test_a_sweep_marks_its_knee():
    network = convsize.load(SPECS / "resnet18.spec")
    found = sweep_times(network, devices.load("h100"), TimeSetting(training=True), (1, 2, 4, 8, 16, 32, 64, 128))
    rates = [point.throughput for point in found.points]
    assert rates == sorted(rates)
    knee = next(point for point in found.points if point.batch == found.knee)
    assert knee.throughput >= 0.9 * max(rates)
    assert all(point.throughput < 0.9 * max(rates) for point in found.points if point.batch < found.knee)
    memory = [point.memory for point in found.points]
    assert memory == sorted(memory)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (TimeSetting(0), "a batch has from 1 to 2,147,483,647 samples, not 0"),
        (TimeSetting(dtype="int8"), "there is no type `int8`"),
        (TimeSetting(dtype="bfloat16"), "the device t4 has no figures for bfloat16; it has float32, float16"),
        (TimeSetting(training=True, optimizer="lion"), "the time of the optimizer `lion` is not known"),
    ],
)
def test_settings_that_make_no_sense(setting, message):
    with pytest.raises(UsageError, match=message):
        predict_time(convsize.parse("input: 3@8x8\nC3"), devices.load("t4"), setting)


@pytest.mark.parametrize(
    ("check", "code", "message"),
    [
        ("step_time(h200,batch=64)<=1s", None, ""),
        ("inference_time(h200,batch=64)<=1s", None, ""),
        ("step_time(h200,batch=64)<=1us", "E402", "not <= 1us"),
        ("step_time(h200,batch=64)<=1ms inference_time(t4)>=3s", "E402", "inference_time at batch 1 on t4 is "),
        ("step_time(h200)=3ms", "E406", "`=` cannot be checked"),
        ("step_time(batch=3)<=2s", "E406", "`step_time` needs a device"),
        ("step_time(h200,speed=3)<=2s", "E406", "takes a device, and batch, dtype and optimizer by name"),
        ("step_time(h20)<=2s", "E406", "there is no device `h20`: known devices: "),
        ("step_time(h200)<=2K", "E406", "`step_time` is a time, but `2K` is not"),
        ("step_time(h200,dtype=int8)<=2s", "E406", "there is no type `int8`"),
        ("params<=2s", "E406", "`params` is a count, but `2s` is not"),
    ],
)
def test_expectations(check, code, message):
    found = convsize.parse(f"input: 3@32x32\nC3D8 R GAP FC10\nexpect: {check}").analyze().diagnostics
    if code is None:
        assert not found
    else:
        assert code in {each.code for each in found}
        assert any(message in each.message for each in found)


@pytest.mark.parametrize("volume", ["1@1", "1@10x10", "1@7x5x4"])
def test_sums_of_gradients_have_the_features_of_layers_that_sum_one_map(volume: str) -> None:
    network = convsize.parse(f"input: {volume}\n(R + x)")
    _, piece = pieces(network, 1, "float32", training=False)
    assert plain_features(piece.family, network.nodes[0].output.elements) == piece.features


def test_features_are_logarithms_of_extents():
    (piece,) = pieces(convsize.parse("input: 24@10x10\nC3D40/2b0"), 4, "float32", training=False)
    assert piece.family == "convolution kxk"
    assert piece.features == (log2(24), log2(40), 0, log2(25), 2, log2(9), 2.0, 0.0, 0.0, 0.0)
    marks = [
        piece.features[-1]
        for batch in (1, 2)
        for piece in pieces(convsize.parse("input: 24@10x10\nC1D8 GAP FC5"), batch, "float32", training=False)
        if "pooling" not in piece.family
    ]
    assert marks == [0.0, 6.0, 0.0, 0.0]  # only a fully connected layer of one sample multiplies a vector


@pytest.mark.parametrize("training", [False, True])
def test_what_is_assumed_has_a_range(training: bool) -> None:
    network = convsize.load(SPECS / "resnet18.spec") if training else convsize.load(SPECS / "lenet5.spec")
    found = predict_time(network, devices.load("h200"), TimeSetting(8, training=training))
    least, most = found.between
    assert least < found.seconds < most
    assert found.assumed == (0.5, 0.8, 6e-6)


def test_the_range_of_what_is_assumed_by_hand():
    """At best the whole peak and half an overhead, at worst half the assumed shares and two overheads."""
    network = convsize.parse("input: 4@10x10\nC3D8b0 R")
    device = PLAIN.replace(efficiency=(0.5, 0.25), tdp=3.0)
    found = predict_time(network, device, TimeSetting(2))
    flops, moved = 2 * 2 * 100 * 8 * 36, 4 * 2 * 1600  # the convolution computes, the ReLU moves
    assert found.between == pytest.approx([1e-6 + (flops + moved) / 1e9, 4e-6 + (flops / 0.25 + moved / 0.125) / 1e9])
    assert found.seconds == pytest.approx(2e-6 + (flops / 0.5 + moved / 0.25) / 1e9)
    assert [layer.bound for layer in found.layers] == ["compute", "bandwidth"]
    assert found.energy == 3.0 * found.seconds
    slow = predict_time(network, device.replace(overhead=1.0), TimeSetting(2))
    assert {layer.bound for layer in slow.layers} == {"overhead"}


def test_what_was_measured_has_none() -> None:
    device = devices.load("h200").replace(efficiency=None)
    found = predict_time(convsize.load(SPECS / "lenet5.spec"), device, TimeSetting())
    assert (found.assumed, found.between) == (None, None)


HALVED = PLAIN.replace(kind="cuda", peaks=(("float32", 1e9), ("bfloat16", 4e9)))


def test_autocast_computes_each_layer_in_the_type_that_torch_casts_it_to():
    """On a GPU LN and softmax are float32, convolutions and FC half; all others have the type of what they read."""
    network = convsize.parse("input: 3@8x8\nM C3D8 BN R LN R (C3D8 + x) GAP FC10 S")
    computed = types(network, "float32", "bfloat16", "cuda")
    short = {"float32": "f", "bfloat16": "h"}
    # input M C BN R LN R C + GAP FC S
    assert "".join(short[each] for each in computed) == "ffhhhffhffhf"
    # A CPU's LN is not cast, so that what follows it stays in half precision.
    assert "".join(short[each] for each in types(network, "float32", "bfloat16", "cpu")) == "ffhhhhhhhhhh"
    assert set(types(network, "float32", None, "cuda")) == {"float32"}


@pytest.mark.parametrize("training", [False, True])
def test_the_casts_of_autocast_by_hand(training: bool):
    """Two samples of 3·8·8 values are cast, the 8·27 + 8 and 10·8 + 10 parameters are; FC reads half precision."""
    network = convsize.parse("input: 3@8x8\nC3D8 GAP FC10")
    setting = TimeSetting(2, training=training, autocast="bfloat16")
    found = predict_time(network, HALVED, setting)
    casts = sum(1e-6 + 6 * size / 1e9 for size in (384, 216, 8, 80, 10))
    assert dict(found.outside)["casts"] == pytest.approx(casts * (2 if training else 1))
    half = predict_time(network, HALVED, TimeSetting(2, "bfloat16", training))
    assert [layer.seconds for layer in found.layers] == [layer.seconds for layer in half.layers]
    assert found.accuracy is None


def test_autocast_is_for_networks_in_float32_and_halves():
    network = convsize.parse("input: 3@8x8\nC3D8")
    with pytest.raises(UsageError, match="autocast computes in bfloat16 or float16, not in `float32`"):
        predict_time(network, HALVED, TimeSetting(1, autocast="float32"))
    with pytest.raises(UsageError, match="autocast is for a network in float32, not in bfloat16"):
        predict_time(network, HALVED, TimeSetting(1, "bfloat16", autocast="bfloat16"))

"""Training memory on small networks by hand, what fits, and what is refused."""

from pathlib import Path
from typing import get_args

import pytest

import convsize
from convsize.analyses.memory.fit import largest_batch
from convsize.analyses.memory.peak import fatal_layers, training_memory, what_if_choices
from convsize.analyses.memory.recorders import RECORDERS
from convsize.batches import LARGEST_BATCH
from convsize.cli.options import Losses, Optimizer
from convsize.errors import UsageError
from convsize.records import Capacity, TrainingSetting
from convsize.records.losses import LOSSES
from convsize.records.optimizers import OPTIMIZERS, OptimizerName, with_decay

SPECS = Path(__file__).parents[3] / "specs"


def test_a_linear_layer_by_hand():
    memory = training_memory(convsize.parse("input: 1@5\nFC3"), TrainingSetting(2, "sgd"))
    assert memory.parameters == 4 * (3 * 5 + 3) == 72
    assert memory.buffers == 0
    assert memory.inputs == 4 * 2 * 5 + 8 * 2 == 56  # the input, and a target of 8 bytes a sample
    # The linear layer keeps its input, which is the caller's; the loss its log-probabilities and a sum of weights.
    assert memory.saved == 4 * 2 * 3 + 4 == 28
    assert memory.saved_by_layer == (("loss", 28),)
    # Backward of the linear layer: outputs 24, loss 4, its own gradient 4, the gradient of the outputs 24, then those
    # of weight 60 and bias 12. The loss has let its log-probabilities go.
    assert memory.steady.bytes == 72 + 56 + 24 + 4 + 4 + 24 + 60 + 12
    assert (memory.steady.moment, memory.steady.layer) == ("backward", "fc1")
    assert memory.first.bytes == memory.steady.bytes


def test_optimizer_state_appears_in_the_first_step():
    network = convsize.parse("input: 1@50\nFC300 R FC300 R FC10")
    plain, momentum, adam = (training_memory(network, TrainingSetting(1, name)) for name in ("sgd", "momentum", "adam"))
    assert [each.optimizer_state for each in (plain, momentum, adam)] == [
        0,
        plain.parameters,
        2 * plain.parameters + 6 * 4,  # and a count of steps for each of six tensors
    ]
    assert momentum.first.bytes < momentum.steady.bytes
    assert momentum.first.moment == "optimizer"


@pytest.mark.parametrize(
    ("p", "device", "layer", "kept"),
    [
        # 16 values of 4 bytes that FC3 keeps, and the mask: floats on a processor, a byte for each on a GPU.
        ("0.5", "cpu", "drop1", 64 + 64),
        ("0.5", "cuda", "drop1", 64 + 16),
        # Where all are dropped the mask is a single zero; where none are, there is none.
        ("1", "cpu", "drop1", 64 + 4),
        ("1", "cuda", "drop1", 64 + 4),
        ("0", "cpu", "fc1", 64),
        ("0", "cuda", "fc1", 64),
    ],
)
def test_what_dropout_keeps_by_hand(p, device, layer, kept):
    network = convsize.parse(f"input: 1@6\nFC8 drop({p}) FC3")
    memory = training_memory(network, TrainingSetting(2, "sgd", device=device))
    assert dict(memory.saved_by_layer) == {layer: kept, "loss": 4 * 2 * 3 + 4}
    assert training_memory(network, TrainingSetting(2, device=device, inference=True)).saved == 0


@pytest.mark.parametrize(
    ("pools", "named"),
    [
        (1, "avgpool1"),
        (3, "avgpool1, avgpool2, avgpool3"),
        (4, "avgpool1, avgpool2, avgpool3 and 1 more"),
        (6, "avgpool1, avgpool2, avgpool3 and 3 more"),
    ],
)
def test_layers_without_a_kernel_are_named(pools, named):
    network = convsize.parse(f"input: 2@9x9x9\nC1D2 {'A2/1 ' * pools}FC2")
    with pytest.raises(UsageError, match=rf"\(avg_pool3d\), as {named} must: take float32"):
        training_memory(network, TrainingSetting(2, dtype="bfloat16"))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize(("dtype", "itemsize"), [("float32", 4), ("bfloat16", 2)])
def test_a_softmax_keeps_its_output_in_the_type_of_the_network(device, dtype, itemsize):
    """Two samples of 8·64 values, which the convolution reads; the logarithms of 4·64, and the sum of the weights."""
    network = convsize.parse("input: 3@8x8\nC1D8 S C1D4")
    kept = training_memory(network, TrainingSetting(2, "sgd", dtype=dtype, device=device)).saved
    assert kept == itemsize * (2 * 8 * 64 + 2 * 4 * 64 + 1)


def test_the_parts_of_a_peak_sum_to_it():
    for name in ("googlenet", "densenet121", "unet", "shufflenet_v2_x1_0"):
        memory = training_memory(convsize.load(SPECS / f"{name}.spec"), TrainingSetting(3, "adamw"))
        for peak in (memory.first, memory.steady):
            assert sum(size for _, size in peak.parts) == peak.bytes
            assert max(each.highest for each in peak.timeline) == peak.bytes


def test_nothing_is_left_behind():
    """After a step parameters, buffers, gradients, state and inputs live, and the caller's loss and outputs."""
    memory = training_memory(convsize.load(SPECS / "se_resnet50.spec"), TrainingSetting(2))
    kept = memory.parameters + memory.buffers + memory.gradients + memory.optimizer_state + memory.inputs
    assert memory.first.timeline[-1].end == memory.steady.timeline[-1].end == kept + 2 * 1000 * 4 + 4


def test_frozen_layers_have_no_gradients():
    network = convsize.load(SPECS / "resnet18.spec")
    memory = training_memory(network, TrainingSetting(4, frozen=("conv1", "bn1", "basic*", "down*")))
    assert memory.gradients == memory.optimizer_state == 4 * (512 * 1000 + 1000)
    assert memory.saved < training_memory(network, TrainingSetting(4)).saved


def test_what_if_holds_the_rest_of_the_setting():
    network = convsize.load(SPECS / "lenet5.spec")
    choices = what_if_choices(network, TrainingSetting(8, "adam", frozen=("conv*",)))
    assert [(each.optimizer, each.dtype, each.checkpoint) for each in choices[:4]] == [
        ("sgd", "float32", ()),
        ("sgd", "bfloat16", ()),
        ("sgd", "autocast", ()),
        ("momentum", "float32", ()),
    ]
    assert choices[3].bytes == training_memory(network, TrainingSetting(8, frozen=("conv*",))).peak.bytes


def test_what_if_has_the_checkpoints_that_there_are():
    network = convsize.load(SPECS / "resnet18.spec")
    assert {each.checkpoint for each in what_if_choices(network, TrainingSetting(2))} == {(), ("*",)}
    chosen = what_if_choices(network, TrainingSetting(2, checkpoint=("down*",)))
    assert {each.checkpoint for each in chosen} == {(), ("down*",)}
    wanted = training_memory(network, TrainingSetting(2, "sgd", autocast="bfloat16", checkpoint=("down*",)))
    assert wanted.peak.bytes in {each.bytes for each in chosen if each.dtype == "autocast"}


def test_what_a_gpu_holds_beyond_the_tensors():
    network = convsize.parse("input: 3@64x64\nC3D64 BN R M C3D64 R GAP FC10")
    memory = training_memory(network, TrainingSetting(16, device="cuda"))
    shares = {each.name: each for each in memory.device}
    assert 0 <= shares["rounding"].bytes < memory.peak.bytes / 10
    assert shares["segments"].bytes >= 0
    assert (memory.peak.bytes + shares["rounding"].bytes + shares["segments"].bytes) % 2**21 == 0
    assert shares["cublas workspaces"].bytes == 2 * 8_519_680
    assert [shares[name].bytes for name in ("cudnn workspaces", "cudnn batch norm reserve", "context")] == [None] * 3
    alone = training_memory(convsize.parse("input: 3@8x8\nC3D8"), TrainingSetting(1, device="cuda", inference=True))
    assert [each.bytes for each in alone.device if each.name == "cublas workspaces"] == [0]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (TrainingSetting(0), "from 1 to 2,147,483,647 samples, not 0"),
        (TrainingSetting(1, "adan"), "there is no optimizer `adan` here; there are: sgd, "),
        (TrainingSetting(1, dtype="int8"), "not for `int8`"),
        (TrainingSetting(1, autocast="float32"), "autocast computes in bfloat16 or float16, not in `float32`"),
        (TrainingSetting(1, dtype="bfloat16", autocast="float16"), "leave one of them out"),
        (TrainingSetting(1, losses=(("", "mae"),)), "there is no loss `mae` here; there are: cross-entropy, mse"),
        (TrainingSetting(1, losses=(("box", "mse"),)), "lenet5 has no output `box`; it has: main"),
        (TrainingSetting(1, losses=(("main", "mse"), ("main", "mse"))), "the loss of `main` is given twice"),
        (TrainingSetting(1, checkpoint=("block*",)), "no block is called `block*`: none is made by a `def`"),
        (TrainingSetting(1, checkpoint=("x",), inference=True), "inference has no loss and no backward pass"),
        (TrainingSetting(1, frozen=("conv9",)), "no layer is called `conv9`: there are conv1, conv2"),
        (TrainingSetting(1, frozen=("*",)), "no parameter is trained"),
        (TrainingSetting(1, accumulate=0), "over at least one batch, not 0"),
    ],
)
def test_settings_that_make_no_sense(setting, message):
    with pytest.raises(UsageError) as raised:
        training_memory(convsize.load(SPECS / "lenet5.spec"), setting)
    assert message in str(raised.value)


def test_what_is_not_known_is_an_error(monkeypatch):
    monkeypatch.delitem(RECORDERS, "nn.LPPool2d")
    network = convsize.parse("input: 3@9x9\nC3D8 lppool(2,2) FC3")
    with pytest.raises(UsageError, match=r"lppool1 is not known: what nn\.LPPool2d holds has not been measured"):
        training_memory(network, TrainingSetting())


@pytest.mark.parametrize(
    ("text", "change", "fatal"),
    [
        ("LNb0 GN2 C3D4 GAP FC3", {}, ("gn1",)),
        ("C3D4 LNb0 GN2 C3D4 GAP FC3", {"frozen": ("conv1",)}, ("gn1",)),
        ("LNb0 GN2 GN4 C3D4 GAP FC3", {"frozen": ("gn1",)}, ("gn2",)),
        # A gradient flows further, or none comes to it, the depth is not innermost, or it runs on a GPU.
        ("C3D4 LNb0 GN2 C3D4 GAP FC3", {}, ()),
        ("LN GN2 C3D4 GAP FC3", {}, ()),
        ("LNb0 GN2 C3D4 GAP FC3", {"frozen": ("gn1",)}, ()),
        ("GN2 C3D4 GAP FC3", {}, ()),
        ("LNb0 GN2 C3D4 GAP FC3", {"device": "cuda"}, ()),
    ],
)
def test_group_norms_whose_backward_ends_the_process(text, change, fatal):
    network = convsize.parse(f"input: 4@9x9\n{text}")
    assert fatal_layers(network, TrainingSetting(2, **change)) == fatal


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "vgg_d", "googlenet", "shufflenet_v2_x1_0"])
@pytest.mark.parametrize("memory", [2**30, 5 * 2**30])
def test_the_largest_batch_fits_and_the_next_does_not(name, memory):
    network = convsize.load(SPECS / f"{name}.spec")
    fit = largest_batch(network, TrainingSetting(optimizer="adamw"), Capacity(memory))
    if fit.batch:
        assert fit.fits.peak.bytes <= memory < fit.beyond.peak.bytes
        assert fit.beyond.setting.batch == fit.batch + 1
    else:
        assert fit.fits is None
        assert fit.beyond.peak.bytes > memory


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "densenet121", "shufflenet_v2_x1_0", "alexnet"])
def test_the_peak_never_falls_as_the_batch_grows_and_a_chord_lies_above_it(name):
    network = convsize.load(SPECS / f"{name}.spec")
    batches = (1, 2, 3, 4, 7, 16, 33, 100)
    peaks = [training_memory(network, TrainingSetting(batch)).peak.bytes for batch in batches]
    assert peaks == sorted(peaks)
    later = list(zip(batches, peaks, strict=True))[1:]  # with one sample narrowed tensors are contiguous
    for (b0, p0), (b1, p1), (b2, p2) in zip(later, later[1:], later[2:], strict=False):
        assert (p1 - p0) * (b2 - b0) <= (p2 - p0) * (b1 - b0)


def test_the_smallest_batch_is_two_where_one_cannot_be_trained():
    fit = largest_batch(convsize.load(SPECS / "inception_v3.spec"), TrainingSetting(), Capacity(2**28))
    assert (fit.smallest, fit.batch, fit.beyond.setting.batch) == (2, 0, 2)


def test_in_a_budget_without_end_the_largest_batch_that_is_counted_fits():
    found = largest_batch(convsize.parse("input: 1@1\nFC1"), TrainingSetting(), Capacity(10**18))
    assert (found.batch, found.beyond) == (LARGEST_BATCH, None)
    assert found.fits is not None
    assert found.fits.setting.batch == LARGEST_BATCH


@pytest.mark.parametrize(
    ("check", "code", "message"),
    [
        ("training_memory(batch=4,optimizer=sgd)=219491368", "E401", "172,733,320 bytes, not 219491368"),
        ("training_memory(batch=4)<=200MiB", "E402", "219,491,368 bytes (209.3 MiB), not <= 200MiB"),
        ("training_memory(optimizer=adan)<=1GiB", "E406", "there is no optimizer `adan` here"),
        ("training_memory(batch=4,device=cuda,autocast=bfloat16)<=1MiB", "E402", "186,295,912 bytes"),
        ("training_memory(device=tpu)<=1GiB", "E406", "there is no device `tpu`"),
        ("training_memory(autocast=8)<=1GiB", "E406", "a type that autocast computes in is a name"),
        ("training_memory(autocast=int8)<=1GiB", "E406", "autocast computes in bfloat16 or float16, not in `int8`"),
        ("training_memory(dtype=float16)<=1MiB", "E402", "79,834,860 bytes (76.14 MiB)"),
    ],
)
def test_expectations(check, code, message):
    text = (SPECS / "resnet18.spec").read_text().partition("expect")[0]
    (found,) = convsize.parse(f"{text}\nexpect: {check}").analyze().diagnostics
    assert found.code == code
    assert message in found.message


def test_expectations_that_hold():
    text = (SPECS / "resnet18.spec").read_text().partition("expect")[0]
    good = "expect: training_memory(batch=4)=219491368 training_memory(batch=4,optimizer=adamw)<=1GiB"
    assert convsize.parse(f"{text}\n{good}").analyze().diagnostics == ()
    (found,) = convsize.parse(f"{text}\nhead h: FC2\nexpect h: training_memory<=1GiB").analyze().diagnostics
    assert (found.code, "not a part of it" in found.message) == ("E406", True)


def test_there_is_one_list_of_optimizers():
    plain = get_args(OptimizerName)
    assert set(OPTIMIZERS) == {name for each in plain for name in (each, with_decay(each))}
    (option,) = get_args(Optimizer)[1:]
    assert all(name in option.help for name in plain)


def test_there_is_one_list_of_losses():
    (option,) = get_args(Losses)[1:]
    assert all(name in option.help for name in LOSSES)

"""Peaks of training steps: against the profiler's trace of allocations on a CPU, to the byte."""

from pathlib import Path

import pytest
from training_layers import LAYERS

import convsize
from convsize.analyses.memory.cpu_kernels import allocator_peak
from convsize.analyses.memory.peak import saved_bytes, training_memory
from convsize.analyses.memory.step import smallest_batch
from convsize.analyses.selection.frozen import frozen_layers
from convsize.geometry import Shape
from convsize.records import TrainingSetting
from convsize.records.optimizers import OPTIMIZERS

torch = pytest.importorskip("torch")


from convsize.runtime.meters.step import batch_for, peaks_by_torch  # noqa: E402

SPECS = Path(__file__).parents[3] / "specs"

SMALL = {
    "alexnet_torchvision": "3@64x64",
    "autoencoder": None,
    "autoencoder_upsampling": None,
    "cifar10": None,
    "convnext_tiny": "3@64x64",
    "cs231n": None,
    "densenet121": "3@64x64",
    "efficientnet_b0": "3@64x64",
    "googlenet_torchvision": "3@64x64",
    "keras_mnist": None,
    "lenet5": None,
    "lenet5_partial": None,
    "mobilenet_v1": "3@64x64",
    "mobilenet_v2": "3@64x64",
    "r2plus1d_18": "3@8x32x32",
    "regnet_y_400mf": "3@64x64",
    "resnet18": "3@64x64",
    "resnet50": "3@64x64",
    "resnet50_tf_slim": "3@64x64",
    "resnext50_32x4d": "3@64x64",
    "se_resnet50": "3@64x64",
    "shufflenet_v2_x1_0": "3@64x64",
    "squeezenet1_0": "3@64x64",
    "squeezenet1_1": "3@64x64",
    "text_cnn": None,
    "vgg_a_lrn": "3@32x32",
}
"""Specs that a processor trains in a moment, at these inputs."""

ALWAYS = {"autoencoder", "cifar10", "lenet5_partial", "mobilenet_v2", "resnet18", "shufflenet_v2_x1_0", "text_cnn"}
small_networks = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.slow) for name in SMALL]
)


def network_of(name):
    shape = SMALL[name]
    if shape is None:
        return convsize.load(SPECS / f"{name}.spec")
    depth, _, extents = shape.partition("@")
    volume = Shape(int(depth), tuple(map(int, extents.split("x"))))
    return convsize.load(SPECS / f"{name}.spec", inputs={"input": volume})


def boundaries(batch, optimizer, turns=1):
    return [peak.boundaries for peak in peaks_by_torch(batch, optimizer, turns)]


def peaks(network, setting):
    memory = training_memory(network, setting)
    return [memory.first.bytes, memory.steady.bytes]


@small_networks
@pytest.mark.parametrize(("optimizer", "batch"), [("momentum", 2), ("adam", 3)])
def test_specs(name, optimizer, batch):
    network = network_of(name)
    measured = peaks_by_torch(batch_for(network, TrainingSetting(batch)), optimizer)
    memory = training_memory(network, TrainingSetting(batch, optimizer))
    assert [memory.first.bytes, memory.steady.bytes] == [peak.boundaries for peak in measured]
    # What kernels hold for a moment is known for processors with AVX2; a newer one is taken for one by
    # ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2.
    if torch.backends.cpu.get_cpu_capability() == "AVX2":
        highest = max(peak.raw for peak in measured)
        assert allocator_peak(network, memory) == pytest.approx(highest, rel=0.015)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(optimizer):
    # Large weights and a small batch, so that the optimizer's step is the peak wherever it needs anything.
    network = convsize.parse("input: 3@8x8\nC3D8 BN R FC100 R FC80b0 R FC10")
    measured = boundaries(batch_for(network, TrainingSetting(2)), optimizer)
    assert peaks(network, TrainingSetting(2, optimizer)) == measured


@pytest.mark.parametrize("layer", LAYERS)
def test_layers(layer):
    # A heavy layer behind and before, so that the layer's own backward is at the peak or near it.
    network = convsize.parse(f"input: 3@9x9\nC3D8 R {layer}\nFC3")
    for batch in (1, 3):
        measured = boundaries(batch_for(network, TrainingSetting(batch)), "sgd")
        assert peaks(network, TrainingSetting(batch, "sgd")) == measured


@pytest.mark.parametrize("frozen", [("conv*",), ("conv1", "bn1"), ("bn1",), ("drop1", "bn2"), ("f1",), ("@features",)])
def test_frozen_layers(frozen):
    network = convsize.parse(
        "input: 3@16x16\ndef f: C3D8 R C3D8\nC3D8 BN R (f + x) R drop(0.5) as features C3D8 BN LRN3 M FC10"
    )
    batch = batch_for(network, TrainingSetting(3))
    batch.module.freeze(network.nodes[index].name for index in frozen_layers(network, frozen))
    measured = boundaries(batch, "momentum")
    assert peaks(network, TrainingSetting(3, frozen=frozen)) == measured


def test_a_frozen_norm_asks_for_no_larger_batch():
    network = convsize.parse("input: 3@8x8\nC3D8 R GAP FC20 BN R FC10")
    assert (smallest_batch(network), smallest_batch(network, ("bn1",))) == (2, 1)
    with pytest.raises(convsize.UsageError, match="use a batch of at least 2, or freeze the batch norm"):
        peaks(network, TrainingSetting(1))
    batch = batch_for(network, TrainingSetting(1))
    batch.module.freeze(["bn1"])
    assert peaks(network, TrainingSetting(1, frozen=("bn1",))) == boundaries(batch, "momentum")


@pytest.mark.parametrize("text", ["C3D8 BN R FC50 R FC10", "[C3D8 R | C3D8] [x | C1] GAP FC10\nhead h: FC4"])
def test_accumulated_gradients(text):
    network = convsize.parse(f"input: 3@16x16\n{text}")
    for turns in (2, 3):
        measured = boundaries(batch_for(network, TrainingSetting(3)), "momentum", turns=turns)
        assert peaks(network, TrainingSetting(3, accumulate=turns)) == measured


@pytest.mark.parametrize("name", ["lenet5", "cifar10", "mobilenet_v2"])
def test_bfloat16(name):
    network = network_of(name)
    measured = boundaries(batch_for(network, TrainingSetting(2, dtype="bfloat16")), "momentum")
    assert peaks(network, TrainingSetting(2, dtype="bfloat16")) == measured


def test_what_kernels_hold_for_a_moment_is_on_top():
    network = network_of("mobilenet_v2")
    for peak in peaks_by_torch(batch_for(network, TrainingSetting(3)), "momentum"):
        assert peak.boundaries <= peak.raw <= 1.015 * peak.boundaries


# Measured on torch 2.13 at batch 4, 224², SGD with momentum, in-place ReLU: saved for backward, peak of a later step.
@pytest.mark.parametrize(
    ("name", "saved", "peak"),
    [("resnet18", 86_365_316, 219_491_368), ("resnet50", 341_458_052, 606_031_152)],
)
def test_reference_figures(name, saved, peak):
    memory = training_memory(convsize.load(SPECS / f"{name}.spec"), TrainingSetting(4))
    assert (memory.saved, memory.steady.bytes) == (saved, peak)


def test_reference_figures_of_vgg_16():
    text = (SPECS / "vgg_d.spec").read_text().partition("expect")[0]
    network = convsize.parse(text)
    assert training_memory(network, TrainingSetting(4)).steady.bytes == 1_931_941_768
    # torchvision's network averages 7x7 positions to 7x7, a copy of 4·25088 floats that the first linear layer keeps.
    assert saved_bytes(network, TrainingSetting(4)) == 291_028_612 - 4 * 25088 * 4
    averaged = convsize.parse(text.replace("512@7x7", "512@7x7 A1"))
    assert saved_bytes(averaged, TrainingSetting(4)) == 291_028_612


def test_parameters_that_no_gradient_reaches():
    network = convsize.parse("input: 3@6x6\nC3D4 R as a C3D4 as b\n@a C3D2")
    assert peaks(network, TrainingSetting(3)) == boundaries(batch_for(network, TrainingSetting(3)), "momentum")
    assert training_memory(network, TrainingSetting(3)).gradients == 4 * (3 * 9 * 4 + 4 + 4 * 9 * 2 + 2)

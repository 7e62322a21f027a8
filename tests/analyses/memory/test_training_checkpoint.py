"""Blocks under torch.utils.checkpoint: what they save and the peaks of steps, to the byte."""

import pytest
from training_layers import LAYERS
from witness import assert_peaks

import convsize
from convsize.analyses.memory.peak import saved_bytes, training_memory
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

from test_training_peak import SPECS, network_of  # noqa: E402

from convsize.lowering.plan import lower  # noqa: E402
from convsize.runtime.meters.step import batch_for, saved_by_torch  # noqa: E402
from convsize.runtime.module import build_module  # noqa: E402

BLOCKS = [
    ("cifar10", "stage*"),
    ("googlenet_torchvision", "inc*"),
    ("lenet5_partial", "*"),
    ("mobilenet_v2", "ir*"),
    ("regnet_y_400mf", "*"),
    ("resnet18", "*.f1"),
    ("shufflenet_v2_x1_0", "unit*"),
    ("squeezenet1_1", "fire*"),
    ("text_cnn", "*"),
]


@pytest.mark.parametrize(("name", "pattern"), BLOCKS)
def test_specs(name, pattern):
    assert_peaks(network_of(name), TrainingSetting(3, checkpoint=(pattern,)))


@pytest.mark.parametrize("name", ["convnext_tiny", "densenet121", "r2plus1d_18", "se_resnet50", "unet", "xception"])
def test_saved(name):
    network = convsize.load(SPECS / f"{name}.spec")
    setting = TrainingSetting(2, checkpoint=("*",))
    ours = saved_bytes(network, setting)
    assert ours == saved_by_torch(batch_for(network, setting, "meta"))
    assert ours < saved_bytes(network, setting.replace(checkpoint=()))


@pytest.mark.parametrize("layer", LAYERS)
def test_layers(layer):
    network = convsize.parse(f"input: 3@9x9\ndef b: C3D8 R {layer} R\nC3D8 R b\nFC3")
    assert_peaks(network, TrainingSetting(3, "sgd", checkpoint=("b1",)))


@pytest.mark.parametrize(
    "text",
    [
        "def b: C3D8 R C3D8\nb R b FC10",  # ends with an operator that need not run again
        "def b: R C3D8 R drop(0.5) FC20 drop(0.1) FC10\nC3D8 b",  # draws random numbers
        "def b: [C3D8 | x] R\nC3D8 as t R b (b + [x | @t]) FC10",
        "def b: C3D8 R\nC3D8 b as t FC10\nhead h @t: b FC3",
    ],
)
def test_blocks(text):
    network = convsize.parse(f"input: 3@8x8\n{text}")
    for change in ({}, {"accumulate": 2}, {"autocast": "bfloat16"}, {"in_place": False}):
        assert_peaks(network, TrainingSetting(3, "sgd", checkpoint=("b*",), **change))


def test_an_activation_does_not_overwrite_what_its_block_runs_on_again():
    network = convsize.parse("input: 3@8x8\ndef b: leaky(0.1) C3D8\nC3D8 b FC10")
    plain = lower(network, logits=True)
    inside = lower(network, logits=True, checkpoint=("b1",))
    assert [step.name for step in plain.steps if step.in_place] == ["b1.leaky1"]
    assert not any(step.in_place for step in inside.steps)
    assert_peaks(network, TrainingSetting(3, checkpoint=("b1",)))


def test_checkpointed_blocks_compute_the_same():
    network = convsize.parse("input: 3@8x8\ndef b: C3D8 BN R drop(0.3)\nC3D8 b (b + x) FC10")
    found = []
    for checkpoint in ((), ("b*",)):
        torch.manual_seed(0)
        module = build_module(lower(network, logits=True, checkpoint=checkpoint)).train()
        module(torch.ones(2, 3, 8, 8)).square().sum().backward()
        found.append([parameter.grad.clone() for parameter in module.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_what_runs_again_is_a_moment_of_its_own():
    memory = training_memory(convsize.load(SPECS / "resnet50.spec"), TrainingSetting(8, "sgd", checkpoint=("*",)))
    assert "recompute" in {each.moment for each in memory.steady.timeline}

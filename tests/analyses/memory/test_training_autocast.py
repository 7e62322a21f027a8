"""Autocast, half precision, other losses, activations that do not work in place: to the byte on a CPU."""

import pytest
from training_layers import LAYERS
from witness import assert_peaks, computed_on
from zoo import over_the_zoo

import convsize
from convsize.analyses.memory.peak import saved_bytes
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

from test_training_peak import network_of  # noqa: E402

from convsize.runtime.meters.step import batch_for, saved_by_torch  # noqa: E402

# A processor without instructions for bfloat16 takes a minute for a step of the others.
NAMES = [
    "autoencoder", "autoencoder_upsampling", "cifar10", "googlenet_torchvision", "keras_mnist", "lenet5", "resnet18",
    "squeezenet1_1", "text_cnn",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_autocast_of_specs(name):
    network = network_of(name)
    setting = TrainingSetting(2, autocast="bfloat16")
    assert saved_bytes(network, setting) == saved_by_torch(batch_for(network, setting))
    assert_peaks(network, setting)


@pytest.mark.parametrize("layer", LAYERS)
def test_autocast_of_layers(layer):
    network = convsize.parse(f"input: 3@9x9\nC3D8 R {layer} R\nFC6 R FC3")
    assert_peaks(network, TrainingSetting(3, "sgd", autocast="bfloat16"))


@pytest.mark.parametrize(
    "text",
    [
        "3@9x9\nLN C3D8 R FC3",
        "8@4x9x9\nBN A2 C3D8 R M2 FC3",
        "8@4x9x9\nC3D8 BN R A2 LRN3 C3 GMP FC3",
        "8@4x9x9\nC3D8 BN R GAP FC3",
        "3@9x9\n[x | C3D4] C3D4 FC3",
        "3@9x9\n(C3D3 + x) FC3",
        "3@9x9\n(C3D3 * x) FC3",
    ],
)
def test_autocast_of_mixed_types(text):
    network = convsize.parse(f"input: {text}")
    for change in ({}, {"losses": (("", "mse"),)}, {"frozen": ("fc1",)}):
        setting = TrainingSetting(3, "adam", autocast="float16", **change)
        batch = batch_for(network, setting)
        assert saved_bytes(network, setting) == saved_by_torch(batch)
        assert_peaks(network, setting)


@pytest.mark.parametrize("name", ["lenet5", "cifar10"])
def test_float16(name):
    assert_peaks(network_of(name), TrainingSetting(2, dtype="float16"))


@pytest.mark.parametrize("layer", ["IN", "INb1", "GN4", "LN", "BN"])
@pytest.mark.parametrize("change", [{"dtype": "bfloat16"}, {"dtype": "float64"}, {"autocast": "bfloat16"}])
def test_statistics_of_norms(layer, change):
    network = convsize.parse(f"input: 3@9x9\nC3D8 R {layer}\nFC3")
    setting = TrainingSetting(3, "sgd", **change)
    assert saved_bytes(network, setting) == saved_by_torch(batch_for(network, setting))


@over_the_zoo
def test_saved_where_nothing_works_in_place(path):
    network = convsize.load(path)
    setting = TrainingSetting(2, in_place=False)
    assert saved_bytes(network, setting) == saved_by_torch(batch_for(network, setting, computed_on(network)))


@pytest.mark.parametrize("name", ["cifar10", "mobilenet_v2", "resnet18"])
def test_peaks_where_nothing_works_in_place(name):
    assert_peaks(network_of(name), TrainingSetting(2, in_place=False))


@pytest.mark.parametrize(
    "losses",
    [(("", "mse"),), (("", "smooth-l1"),), (("box", "smooth-l1"),), (("main", "mse"), ("", "smooth-l1"))],
)
def test_losses(losses):
    network = convsize.parse("input: 3@8x8\nC3D8 BN R as a FC10\nhead box @a: FC4")
    for change in ({}, {"autocast": "bfloat16"}):
        assert_peaks(network, TrainingSetting(3, losses=losses, **change))
    pixels = convsize.parse("input: 3@8x8\nC3D8 BN R as a C3D2\nhead box @a: C3D4")
    assert_peaks(pixels, TrainingSetting(3, "sgd", losses=losses))

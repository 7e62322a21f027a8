"""Saved for backward: every spec against PyTorch's hooks on saved tensors, to the byte."""

import pytest
from training_layers import LAYERS
from witness import computed_on
from zoo import SPECS, over_the_zoo

import convsize
from convsize.analyses.memory.peak import saved_bytes, training_memory
from convsize.analyses.memory.step import smallest_batch
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

from convsize.runtime.meters.step import batch_for, saved_by_torch  # noqa: E402


@pytest.mark.parametrize("batch", [1, 3])
@over_the_zoo
def test_every_spec(path, batch):
    network = convsize.load(path)
    if batch < smallest_batch(network):
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            saved_by_torch(batch_for(network, TrainingSetting(batch), computed_on(network)))
        with pytest.raises(convsize.errors.UsageError, match="use a batch of at least 2"):
            saved_bytes(network, TrainingSetting(batch))
        return
    assert saved_bytes(network, TrainingSetting(batch)) == saved_by_torch(
        batch_for(network, TrainingSetting(batch), computed_on(network))
    )


@over_the_zoo
def test_the_layers_sum_up(path):
    memory = training_memory(convsize.load(path), TrainingSetting(2))
    assert sum(size for _, size in memory.saved_by_layer) == memory.saved


@pytest.mark.parametrize("name", ["lenet5", "cifar10", "text_cnn", "keras_mnist", "autoencoder_upsampling"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_on_a_processor_in_other_types(name, dtype):
    network = convsize.load(SPECS[0].with_stem(name))
    ours = saved_bytes(network, TrainingSetting(3, dtype=dtype))
    assert ours == saved_by_torch(batch_for(network, TrainingSetting(3, dtype=dtype)))


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_batch_norm_statistics_have_the_type_of_the_activations(dtype):
    network = convsize.parse("input: 3@16x16\nC3D8 BN R M C3D8 BN R GAP FC10")
    ours = saved_bytes(network, TrainingSetting(3, dtype=dtype))
    assert ours == saved_by_torch(batch_for(network, TrainingSetting(3, dtype=dtype)))


@pytest.mark.parametrize("layer", LAYERS)
def test_layers(layer):
    network = convsize.parse(f"input: 3@9x9\nC3D8 R {layer}\nFC6 R FC4")
    for batch in (1, 3):
        assert saved_bytes(network, TrainingSetting(batch)) == saved_by_torch(
            batch_for(network, TrainingSetting(batch))
        )

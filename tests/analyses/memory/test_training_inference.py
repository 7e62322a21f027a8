"""Forward passes without gradients: against the profiler's trace of allocations on a CPU, to the byte."""

import pytest

import convsize
from convsize.analyses.memory.peak import training_memory
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

from test_training_peak import network_of, small_networks  # noqa: E402
from witness import inference_peak  # noqa: E402


@small_networks
def test_specs(name):
    network = network_of(name)
    setting = TrainingSetting(2, inference=True)
    memory = training_memory(network, setting)
    assert memory.steady.bytes == inference_peak(network, setting)
    assert (memory.saved, memory.gradients, memory.optimizer_state) == (0, 0, 0)
    assert memory.first == memory.steady


@pytest.mark.parametrize("name", ["cifar10", "squeezenet1_1", "text_cnn"])
@pytest.mark.parametrize("change", [{"autocast": "bfloat16"}, {"dtype": "bfloat16"}, {"in_place": False}])
def test_other_types(name, change):
    network = network_of(name)
    setting = TrainingSetting(3, inference=True, **change)
    measured = inference_peak(network, setting)
    assert training_memory(network, setting).steady.bytes == measured


def test_the_softmax_at_the_end_and_a_batch_of_one_belong_to_inference():
    network = convsize.parse("input: 3@1x1\nC1D8 BN R FC5000 S")
    setting = TrainingSetting(1, inference=True)
    memory = training_memory(network, setting)
    assert memory.steady.layer == "softmax1"
    assert memory.steady.bytes == inference_peak(network, setting)

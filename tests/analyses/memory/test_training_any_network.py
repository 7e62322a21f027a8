"""Training memory of random networks against PyTorch: 0 bytes of difference."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis.strategies import sampled_from
from strategies import networks

import convsize
from convsize.analyses.memory.peak import training_memory
from convsize.errors import SpecError
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

from convsize.runtime.meters.step import (  # noqa: E402
    batch_for,
    batch_of,
    inference_peaks_by_torch,
    peaks_by_torch,
    saved_by_torch,
)

_LARGEST = 200_000
"""Values of one sample up to which a network is trained, and not only looked at on the meta device."""


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(networks())
def test_saved_and_peaks(text):
    try:
        network = convsize.parse(text)
    except SpecError:
        assume(False)
    memory = training_memory(network, TrainingSetting(2))
    assert memory.saved == saved_by_torch(batch_of(network, 2, "meta"))
    if sum(node.output.elements for node in network.layers) < _LARGEST:
        measured = [peak.boundaries for peak in peaks_by_torch(batch_of(network, 2), "momentum")]
        assert [memory.first.bytes, memory.steady.bytes] == measured


_SETTINGS = (
    TrainingSetting(2, "sgd", autocast="bfloat16"),
    TrainingSetting(2, "sgd", autocast="float16", accumulate=2),
    TrainingSetting(2, "sgd", in_place=False, losses=(("", "mse"),)),
    TrainingSetting(2, "sgd", checkpoint=("*",)),
    TrainingSetting(2, "sgd", checkpoint=("*",), autocast="bfloat16"),
    TrainingSetting(2, inference=True),
    TrainingSetting(2, inference=True, autocast="bfloat16"),
)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(networks(), sampled_from(_SETTINGS))
def test_peaks_under_other_settings(text, setting):
    try:
        network = convsize.parse(text)
    except SpecError:
        assume(False)
    assume(sum(node.output.elements for node in network.layers) < _LARGEST // 10)
    assume(not setting.checkpoint or any(node.blocks for node in network.layers))
    memory = training_memory(network, setting)
    batch = batch_for(network, setting)
    if setting.inference:
        assert memory.steady.bytes == inference_peaks_by_torch(batch).boundaries
    else:
        measured = peaks_by_torch(batch, "sgd", setting.accumulate)
        assert [memory.first.bytes, memory.steady.bytes] == [peak.boundaries for peak in measured]

"""Training memory of random networks against PyTorch: 0 bytes of difference."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from strategies import networks

import convsize
from convsize.analyses.training_memory import training_memory
from convsize.errors import SpecError
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

from convsize.runtime.step_meters import batch_of, peaks_by_torch, saved_by_torch  # noqa: E402

_LARGEST = 200_000
"""Values of one sample up to which a network is trained, and not only looked at on the meta device."""


@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
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

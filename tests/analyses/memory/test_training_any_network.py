"""Training memory of random networks against PyTorch: 0 bytes of difference."""

import os

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis.strategies import integers, randoms, sampled_from
from small_networks import small_network
from strategies import networks
from witness import computed_on, differences

import convsize
from convsize.analyses.memory.kernel_choice import without_kernel
from convsize.analyses.memory.peak import saved_bytes, training_memory, what_if_choices
from convsize.analyses.memory.step import smallest_batch
from convsize.errors import SpecError, UsageError
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

from convsize.runtime.meters.step import batch_for, saved_by_torch  # noqa: E402

EXAMPLES = int(os.environ.get("CONVSIZE_FUZZ", "30"))
"""Other examples, and more of them: CONVSIZE_FUZZ=1000. All kinds of settings by number: campaign.py beside this."""


def assert_memory(text, setting):
    network = convsize.parse(text)
    setting = setting.replace(batch=max(setting.batch, smallest_batch(network, setting.frozen)))
    assert differences(network, setting) == {}


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(randoms(use_true_random=False), integers(1, 3), sampled_from([None, "bfloat16"]))
def test_small_networks_of_every_op(random, batch, autocast):
    assert_memory(small_network(random), TrainingSetting(batch, "sgd", autocast=autocast))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("text", ["4@8x8\nC3D4 LRN3", "2@4x4x4\nA C1D2", "2@4x4x4\nlppool(2,2) C1D2", "4@8\nC3D4 LRN3"])
def test_what_pytorch_cannot_compute_is_refused(text, dtype):
    network, setting = convsize.parse(f"input: {text}"), TrainingSetting(2, "sgd", dtype=dtype)
    batch = batch_for(network, setting)
    try:
        batch.module(*batch.inputs)
    except NotImplementedError:
        with pytest.raises(UsageError, match=f"no three axes in {dtype} on a CPU"):
            training_memory(network, setting)
        assert {each.dtype for each in what_if_choices(network, setting)} == {"float32", "autocast"}
    else:
        assert differences(network, setting) == {}
    assert differences(network, TrainingSetting(2, "sgd", autocast=dtype)) == {}


_SETTINGS = (
    TrainingSetting(2, "adam", autocast="float16", accumulate=2),
    TrainingSetting(2, "momentum-l2", dtype="bfloat16"),
    TrainingSetting(2, "adamw", dtype="float64"),
    TrainingSetting(2, "sgd", in_place=False, losses=(("", "mse"),)),
    TrainingSetting(2, "sgd", checkpoint=("*",)),
    TrainingSetting(2, "sgd", checkpoint=("*",), autocast="bfloat16"),
)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(randoms(use_true_random=False), sampled_from(_SETTINGS))
def test_peaks_under_other_settings(random, setting):
    network = convsize.parse(small_network(random))
    if not any(node.blocks for node in network.layers):
        setting = setting.replace(checkpoint=())
    assume(not without_kernel(network, setting.dtype))
    assert differences(network, setting) == {}


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(randoms(use_true_random=False), integers(1, 3), sampled_from([None, "bfloat16"]))
def test_inference(random, batch, autocast):
    network = convsize.parse(small_network(random))
    setting = TrainingSetting(max(batch, smallest_batch(network, inference=True)), inference=True, autocast=autocast)
    assert differences(network, setting) == {}


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(networks())
def test_saved_of_larger_networks(text):
    try:
        network = convsize.parse(text)
    except SpecError:
        assume(False)
    assert saved_bytes(network, TrainingSetting(2)) == saved_by_torch(
        batch_for(network, TrainingSetting(2), computed_on(network))
    )

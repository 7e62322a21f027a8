"""Training memory of random networks against PyTorch: 0 bytes of difference."""

import os

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis.strategies import integers, randoms, sampled_from
from small_networks import small_network
from step_peaks import assert_peaks
from strategies import networks

import convsize
from convsize.analyses.memory.peak import fatal_layers, saved_bytes, training_memory
from convsize.analyses.memory.step import smallest_batch
from convsize.errors import SpecError
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

from convsize.runtime.meters.step import (  # noqa: E402
    batch_for,
    batch_of,
    inference_peaks_by_torch,
    saved_by_torch,
)
from convsize.runtime.threads import computing_threads  # noqa: E402

EXAMPLES = int(os.environ.get("CONVSIZE_FUZZ", "30"))
"""A longer run: CONVSIZE_FUZZ=10000."""


def saved_by_own_hooks(network, setting):
    """The bytes of the storages that are saved until the loss is there, those that exist anyway left out."""
    batch = batch_for(network, setting)
    known = [*batch.module.parameters(), *batch.module.buffers(), *batch.inputs, *batch.targets]
    anyway = {tensor.untyped_storage().data_ptr() for tensor in known}
    saved = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        saved[storage.data_ptr()] = storage
        return tensor

    with computing_threads(1), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), batch.autocast:
        outputs = batch.module(*batch.inputs)
        each = outputs.values() if isinstance(outputs, dict) else [outputs]
        held = sum(loss(o, t) for loss, o, t in zip(batch.losses, each, batch.targets, strict=True))
    del held
    return sum(storage.nbytes() for place, storage in saved.items() if place not in anyway)


def assert_memory(text, setting):
    network = convsize.parse(text)
    setting = setting.replace(batch=max(setting.batch, smallest_batch(network, setting.frozen)))
    if not fatal_layers(network, setting):
        assert saved_bytes(network, setting) == saved_by_own_hooks(network, setting)
        assert_peaks(network, setting)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(randoms(use_true_random=False), integers(1, 3), sampled_from([None, "bfloat16"]))
def test_small_networks_of_every_op(random, batch, autocast):
    assert_memory(small_network(random), TrainingSetting(batch, "sgd", autocast=autocast))


# What random networks found: each stands for its kind. On the left what they are about.
FOUND = {
    "a norm of groups copies what has gaps": "4@8x8\nC1D8 slice(0,4) GN2 C3D4",
    "a norm of groups copies a part": "4@8x8\nC3D8 split[x | GN2] C3D4",
    "a norm of groups copies its gradient": "4@6x6\n[C1D4 | C1D4 GN2] C3D4",
    "pools of volumes in float32": "2@8x8x8\nC1D4 lppool(2,2) C1D2",
    "a filter of one position on a volume": "2@4x4x4\nT1D1 LN",
    "a block that shrinks no more": "4@3x2x2\nC1D8 T1D2 C3D4",
    "a shuffle of one group": "3@8x8\nC3D6 R shuffle(1) C3D4",
    "a shuffle of single maps": "3@8x8\nC3D6 R shuffle(6) C3D4",
    "a softmax is contiguous": "2@8x8\nC3D4 LN S FC4",
    "a softmax of a line": "2@12\nC3D4 LN logsoftmax C3 FC4",
    "single maps are channels last": "1@4x6\nLN C3D8 BN GN1 R FC2",
    "lines of single maps": "1@8\nLN relu6 C3D8 FC2",
    "nothing is kept of a mask": "4@5x8\nsigmoid drop(0.5) pick(0) GAP FC3",
    "an output without a gradient": "3@8x6\nR as t\nFC2\nhead h @t: times(2)",
    "both gradients of a slope": "4@7\ndroppath(1) as t\nprelu A (x + x) FC2\nhead h @t: lppool(2,2)",
    "quotients of mixed types": "4@4x8\nC1D1/2 BN times(2) LRN",
    "an instance norm's gradient is contiguous": "4@5x4\nLN (x * split[LN logsoftmax | INb1 A1]) FC2",
    "a picked map's gradient is contiguous": "3@4x5\n(LN drop(1) + x) pick(0,1,0) C2D6p0 FC2",
    "a line's pool is a plane's": "4@8\nC3D4 LN M GAP FC2",
    "volumes of the nearest values": "2@4x4x4\nC3D4 LN up(2) C3D2 GAP FC2",
    "a vector's norm": "4@2x2\nFC6 LN BN GN2 FC3",
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("autocast", [None, "bfloat16"])
def test_what_was_found(text, autocast):
    for batch in (1, 3):
        assert_memory(f"input: {text}", TrainingSetting(batch, "sgd", autocast=autocast))


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
    if not fatal_layers(network, setting):
        assert_peaks(network, setting)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(randoms(use_true_random=False), integers(1, 3), sampled_from([None, "bfloat16"]))
def test_inference(random, batch, autocast):
    network = convsize.parse(small_network(random))
    setting = TrainingSetting(max(batch, smallest_batch(network, inference=True)), inference=True, autocast=autocast)
    measured = inference_peaks_by_torch(batch_for(network, setting))
    assert training_memory(network, setting).steady.bytes == measured.boundaries


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(networks())
def test_saved_of_larger_networks(text):
    # On the meta device storages are told apart and have their sizes, and nothing is computed.
    try:
        network = convsize.parse(text)
    except SpecError:
        assume(False)
    assert saved_bytes(network, TrainingSetting(2)) == saved_by_torch(batch_of(network, 2, "meta"))

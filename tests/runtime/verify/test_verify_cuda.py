"""Receipts of a GPU: their arithmetic with a stand-in for its allocator, and on a GPU where there is one."""

from __future__ import annotations

import pytest

import convsize
from convsize.analyses.memory.device import CUBLAS_WORKSPACE
from convsize.analyses.memory.peak import saved_bytes, training_memory
from convsize.analyses.memory.workspaces import convolution_calls, workspace_bytes
from convsize.devices import load
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

from convsize.runtime.meters import cuda as cuda_meters  # noqa: E402
from convsize.runtime.meters import workspaces  # noqa: E402
from convsize.runtime.meters.cuda import AllocatorPeaks, allocator_peaks  # noqa: E402
from convsize.runtime.meters.step import batch_for  # noqa: E402
from convsize.runtime.verify import cuda as verify_cuda  # noqa: E402

NETWORK = "input: 3@16x16\nC3D8 R C3D8 BN R C3D8/2psame GAP FC4"
SETTING = TrainingSetting(2, device="cuda")


class Allocator:
    """torch.cuda's statistics as a script: what they are at every question, and what they were reset to."""

    def __init__(self, monkeypatch, answers):
        self.answers = iter(answers)
        self.resets = 0
        monkeypatch.setattr(torch.cuda, "memory_stats", lambda: next(self.answers))
        monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", self.reset)
        monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
        monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
        monkeypatch.setattr(torch._C, "_cuda_clearCublasWorkspaces", lambda: None, raising=False)

    def reset(self):
        self.resets += 1


def statistics(requested, allocated=0, reserved=0):
    return {
        f"{name}_bytes.all.{which}": value
        for name, value in (("requested", requested), ("allocated", allocated), ("reserved", reserved))
        for which in ("current", "peak")
    }


def test_peaks_are_above_what_lived_before(monkeypatch):
    answers = [statistics(100, 512, 2048), statistics(1100, 2048, 4096), statistics(1200, 2560, 6144)]
    allocator = Allocator(monkeypatch, answers)
    network = convsize.parse(NETWORK)
    found = allocator_peaks(lambda: batch_for(network, TrainingSetting(2)), "momentum")
    assert found == [AllocatorPeaks(1000, 1536, 2048), AllocatorPeaks(1100, 2048, 4096)]
    assert allocator.resets == 2


def test_a_workspace_is_what_is_neither_given_nor_kept(monkeypatch):
    # 64 bytes come out; 1,000 lived before, and at the peak there were 1,500.
    Allocator(monkeypatch, [statistics(1000), statistics(1500)])
    kept, besides = workspaces._besides(lambda: torch.zeros(16))
    assert besides == 1500 - 1000 - 64
    assert [value.shape for value in kept] == [(16,)]


def test_every_distinct_convolution_is_measured_once(monkeypatch):
    network = convsize.parse("input: 8@16x16\nC3D8 R C3D8 R C3D8 C1D4")
    calls = convolution_calls(network, 2)
    asked = []
    monkeypatch.setattr(workspaces, "_measured", lambda call, dtype: (asked.append(call), (len(asked), 10))[1])
    found = workspaces.measure_workspaces(calls.values(), "float32")
    # The first one needs no gradient for its input, the second and the third are alike.
    assert len(asked) == 3
    assert len(found) == 5
    assert calls["conv2"].key("float32", "forward") == calls["conv3"].key("float32", "forward")
    assert calls["conv1"].key("float32", "backward") != calls["conv2"].key("float32", "backward")


def test_the_shape_that_enters_is_the_padded_one():
    (call,) = convolution_calls(convsize.parse("input: 3@13x14\nC3D4p0:1x2:0"), 2).values()
    assert call.shape == (2, 3, 14, 16)
    assert call.key("bfloat16", "backward").endswith("of 2x3x14x16, bfloat16, backward of the weight")


def test_the_peak_with_workspaces():
    network = convsize.parse(NETWORK)
    peak = training_memory(network, SETTING).steady
    calls = convolution_calls(network, 2).values()
    keys = {call.key("float32", direction) for call in calls for direction in ("forward", "backward")}
    none = dict.fromkeys(keys, 0)
    assert workspace_bytes(network, SETTING, peak, none) == 0
    # A workspace so large that the peak is where that convolution runs.
    last = convolution_calls(network, 2)["conv3"].key("float32", "backward")
    highest = max(each.highest for each in peak.timeline if (each.moment, each.layer) == ("backward", "conv3"))
    found = workspace_bytes(network, SETTING, peak, {**none, last: 10**9})
    assert found == highest + 10**9 - peak.bytes
    assert workspace_bytes(network, SETTING, peak, {}) is None


def test_a_calibrated_device_says_the_workspaces():
    network = convsize.parse(NETWORK)
    calls = convolution_calls(network, 2).values()
    keys = {call.key("float32", direction) for call in calls for direction in ("forward", "backward")}
    device = load("h100").replace(workspaces=tuple(dict.fromkeys(keys, 5000).items()))
    shares = {each.name: each for each in training_memory(network, SETTING, device).device}
    assert shares["cudnn workspaces"].values()[1:3] == (5000, "calibrated")
    shares = {each.name: each for each in training_memory(network, SETTING.replace(batch=3), device).device}
    assert shares["cudnn workspaces"].values()[1:3] == (None, "not included")


def test_the_lines(monkeypatch):
    network = convsize.parse(NETWORK)
    memory = training_memory(network, SETTING)
    shares = {each.name: each.bytes for each in memory.device}
    products = 2 * CUBLAS_WORKSPACE
    whole = memory.steady.bytes + products
    peaks = [AllocatorPeaks(memory.first.bytes + products, 0, 0)]
    peaks += [AllocatorPeaks(whole + 500, whole + shares["rounding"], whole)]
    calls = convolution_calls(network, 2).values()
    keys = {call.key("float32", direction) for call in calls for direction in ("forward", "backward")}
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (8, 0))
    monkeypatch.setattr(verify_cuda, "reserved_by_norms", lambda network, setting: 0)
    monkeypatch.setattr(verify_cuda, "allocator_peaks", lambda make, optimizer: peaks)
    monkeypatch.setattr(verify_cuda, "measure_workspaces", lambda calls, dtype: dict.fromkeys(keys, 0))
    monkeypatch.setattr(verify_cuda, "measure_cublas", lambda: CUBLAS_WORKSPACE)
    lines = list(verify_cuda.peaks_on_cuda(network, SETTING))
    assert [(line.verdict, line.difference) for line in lines[:4]] == [
        ("within", 0), ("within", -500), ("within", -500), ("within", 0),
    ]  # fmt: skip
    assert lines[4].difference == shares["rounding"] + shares["segments"]
    assert [line.tolerance for line in lines] == [0.1, 0.1, 0.03, 0.05, 0.15]


def test_out_of_memory_stands_beside_the_prediction(monkeypatch):
    network = convsize.parse(NETWORK)

    def full(make, optimizer):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (9, 0))
    monkeypatch.setattr(verify_cuda, "reserved_by_norms", lambda network, setting: 64)
    monkeypatch.setattr(verify_cuda, "allocator_peaks", full)
    lines = list(verify_cuda.peaks_on_cuda(network, SETTING))
    assert {(line.verdict, line.note) for line in lines} == {("not measured", "out of memory")}
    assert lines[1].predicted == training_memory(network, SETTING).steady.bytes + 64 + 2 * 32 * 2**20


def test_what_cudnn_reserves_is_saved(monkeypatch):
    network = convsize.parse("input: 3@16x16\nC3D8 BN R C3D8 IN R GAP FC4")
    asked = []

    def reserve(shape, norm, dtype, device):
        asked.append((shape, norm.affine))
        return 100

    monkeypatch.setattr(cuda_meters, "_reserve", reserve)
    monkeypatch.setattr(verify_cuda, "saved_by_torch", lambda batch: saved_bytes(network, SETTING) + 200)
    monkeypatch.setattr(verify_cuda, "batch_for", lambda network, setting: None)
    line = verify_cuda.saved_on_cuda(network, SETTING)
    assert (line.verdict, line.difference) == ("exact", 0)
    assert "; 200 of them are what cuDNN says that it reserves in norms" in line.note
    assert asked == [((2, 8, 16, 16), True), ((1, 16, 16, 16), False)]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("text", [NETWORK, "input: 8@16x16\nC3D8 BN R (C3 BN R + x) M FC4"])
def test_on_a_gpu(text):
    receipt = convsize.parse(text).verify(device="cuda", batches=(4,))
    assert [line for line in receipt.lines if line.verdict == "FAILS"] == []

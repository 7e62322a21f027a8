"""Profiles: what every layer of a network takes in a forward pass or a training step, on CPU and CUDA."""

from __future__ import annotations

import gc
import platform
from collections.abc import Callable, Sequence

import torch

from convsize.analyses.memory.peak import require_survivors, training_memory
from convsize.analyses.report import analyze
from convsize.analyses.time.prediction import predict_time
from convsize.analyses.time.units import Piece, pieces
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.ops.base import CONVOLUTIONS
from convsize.records import LayerProfile, LayerRow, Profile, Roof, TrainingSetting
from convsize.records.device import Device
from convsize.records.time import TimeSetting
from convsize.runtime.meters.free_memory import free_bytes, out_of_memory
from convsize.runtime.meters.step import batch_for
from convsize.runtime.profile.kernels import kernels
from convsize.runtime.profile.steps import Steps, measured
from convsize.runtime.threads import computing_threads
from convsize.runtime.timing.clock import keep_freed_memory
from convsize.words import size

WARM_UP = 2
"""Steps of a kind that are not counted."""


def profile(
    network: Network,
    setting: TrainingSetting,
    *,
    repeats: int = 10,
    threads: int | None = None,
    against: Device | None = None,
    trace: bool = False,
    told: Callable[[], None] | None = None,
) -> tuple[Profile, bytes | None]:
    """Runs a network and measures every layer; the profile, and where `trace` is set a Chrome trace of one more step.

    Steps with and without instruments take turns, so that what disturbs the machine disturbs both alike. threads: of
    the processor, by default as many as PyTorch takes; they are as before afterwards. `told` is called after each of
    2 · (WARM_UP + repeats) steps.

    Raises UsageError where the device is not there, has not the memory, where the backward pass would end the process,
    or where the roofline is unknown.
    """
    if setting.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("PyTorch finds no CUDA device: leave --device out to use the CPU")
    roof = None if against is None else _roof(against, setting)
    require_survivors(network, setting)
    memory = training_memory(network, setting)
    needed = memory.peak.bytes
    if needed > (free := free_bytes(setting.device)):
        raise UsageError(_too_large(network, setting, needed, f"{size(free)} are free"))
    if setting.device == "cpu":
        keep_freed_memory()
    seeded = torch.random.fork_rng(devices=["cuda"] if setting.device == "cuda" else [])
    try:
        with computing_threads(threads) as computing, seeded:
            torch.manual_seed(0)
            steps = Steps(batch_for(network, setting), setting)
            gc.collect()
            for turn in range(WARM_UP + repeats):
                counts = turn >= WARM_UP
                steps.plain(counts=counts)
                if told is not None:
                    told()
                steps.instrumented(counts=counts)
                if told is not None:
                    told()
            top, document = kernels(steps, trace=trace)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise UsageError(_too_large(network, setting, needed, f"{setting.device} ran out of memory")) from None
    report = analyze(network, batch=setting.batch, dtype=setting.dtype, with_digest=False)
    outputs = {row.name: row.output_bytes for row in report.layers}
    held = outputs if setting.inference else dict(memory.saved_by_layer)
    work: dict[str, list[Piece]] = {row.name: [] for row in report.layers}
    for piece in pieces(network, setting.batch, setting.dtype, training=not setting.inference):
        work[network.nodes[piece.node].name].append(piece)
    layers = tuple(_layer(row, steps, work[row.name], roof, held.get(row.name, 0)) for row in report.layers)
    found = Profile(
        name=network.name,
        device=f"cuda ({torch.cuda.get_device_name()})" if setting.device == "cuda" else "cpu",
        dtype=setting.dtype,
        batch=setting.batch,
        optimizer=None if setting.inference else setting.optimizer,
        threads=computing,
        repeats=repeats,
        versions=(("torch", torch.__version__), ("python", platform.python_version())),
        layers=layers,
        outside=tuple((name, measured(seconds)) for name, seconds in steps.outside.items()),
        step=measured(steps.whole),
        instrumented=measured(steps.whole_instrumented),
        kernels=top,
        roof=roof,
        peak=needed,
        predicted=_predicted(network, against, setting, computing),
    )
    return found, document


def _predicted(network: Network, against: Device | None, setting: TrainingSetting, threads: int) -> float | None:
    """The seconds that are predicted; None where the device is not this machine as it runs, or does not say."""
    if against is None or not against.calibrated or against.kind != setting.device or against.channels_last:
        return None
    if against.threads not in (None, threads):
        return None
    wanted = TimeSetting(setting.batch, setting.dtype, not setting.inference, setting.optimizer)
    try:
        return predict_time(network, against, wanted).seconds
    except UsageError:
        return None


_HAND_ON = frozenset({"sum", "concatenation"})
"""Kinds whose backward pass is counted for what it is."""


def _layer(row: LayerRow, steps: Steps, work: Sequence[Piece], roof: Roof | None, held: int) -> LayerProfile:
    """A layer with what was measured of it; `work` is its passes, none where it only looks at a tensor."""
    work = [_without_weights(each) if not row.parameters and row.kind not in _HAND_ON else each for each in work]
    least = None
    if roof is not None:
        peak = roof.convolution_peak if row.kind in CONVOLUTIONS else roof.peak
        least = sum(max(each.flops / peak, each.bytes / roof.bandwidth) for each in work)
    return LayerProfile(
        row.name,
        measured(steps.forward.get(row.name, [0.0])),
        None if steps.setting.inference else measured(steps.backward.get(row.name, [0.0])),
        sum(each.flops for each in work),
        sum(each.bytes for each in work),
        least,
        held,
    )


def _without_weights(piece: Piece) -> Piece:
    """A backward pass that gives the gradient of the input alone, where the model of time counts two of them."""
    if piece.direction != "backward":
        return piece
    return piece.replace(flops=piece.flops // 2, bytes=piece.bytes // 2)


def _roof(device: Device, setting: TrainingSetting) -> Roof:
    peaks = dict(device.peaks)
    if setting.dtype not in peaks:
        known = ", ".join(peaks)
        raise UsageError(f"nothing is known of {device.name} in {setting.dtype}: its device file has peaks of {known}")
    peak = peaks[setting.dtype]
    # PyTorch computes float32 convolutions in TF32 where a GPU has it, but not matrix products.
    convolutions = peaks.get("tf32", peak) if setting.dtype == "float32" and device.kind == "cuda" else peak
    return Roof(device.name, device.title, device.kind, device.calibrated, peak, convolutions, device.bandwidth)


def _too_large(network: Network, setting: TrainingSetting, needed: int, why: str) -> str:
    what = "a forward pass" if setting.inference else "a training step"
    return (
        f"{network.name}: {what} with a batch of {setting.batch} is predicted to hold {size(needed)}, and "
        f"{why}: use a smaller --batch{'' if setting.inference else ', or for --infer'}"
    )

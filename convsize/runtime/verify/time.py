"""Receipts: the time of a forward pass and of a training step, on a device that was calibrated."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.analyses.memory.peak import training_memory
from convsize.analyses.time.prediction import predict_time
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.records import Line, TrainingSetting
from convsize.records.device import Device
from convsize.records.time import TimePrediction, TimeSetting
from convsize.runtime.meters.free_memory import free_bytes, out_of_memory
from convsize.runtime.timing.networks import as_calibrated, time_whole
from convsize.runtime.verify.lines import within
from convsize.runtime.verify.memory import untrainable
from convsize.words import size

NAMES = {False: "forward pass", True: "training step"}
"""The two times, by whether they are of training."""


def times(network: Network, setting: TrainingSetting, device: str, against: Device) -> Iterator[Line]:
    """The median times at the setting's batch, in microseconds, next to those predicted from a device's figures.

    They may be off by as much as the worst time was when the device was calibrated.
    """
    for training, name in NAMES.items():
        quantity = f"{name}, batch {setting.batch}"
        wanted = TimeSetting(setting.batch, setting.dtype, training, setting.optimizer)
        try:
            predicted = predict_time(network, against, wanted)
            why = _unmeasurable(network, setting, device, against, predicted)
        except UsageError as error:
            yield Line(quantity, "µs", None, None, "not measured", str(error))
            continue
        figure = round(predicted.seconds * 1e6)
        if not why:
            try:
                with as_calibrated(device, against.threads) as clock:
                    timing = time_whole(network, wanted, clock, device, in_channels_last=against.channels_last)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                why = "out of memory"
        if why:
            yield Line(quantity, "µs", figure, None, "not measured", why)
            continue
        accuracy = predicted.accuracy
        assert accuracy is not None
        note = (
            f"median of {timing.repeats} that differ by {timing.spread:.0%}; when {against.title} was calibrated, "
            f"predictions were off by {accuracy.mean:.0%} on average and {accuracy.worst:.0%} at worst"
        )
        yield within(quantity, "µs", figure, round(timing.median * 1e6), accuracy.worst, note)


def _unmeasurable(
    network: Network, setting: TrainingSetting, device: str, against: Device, predicted: TimePrediction
) -> str:
    """Why a time cannot be held against its prediction; "" where it can."""
    if against.kind != device:
        return f"{against.name} is a device of the kind {against.kind}, but this ran on {device}"
    if not against.calibrated or predicted.accuracy is None:
        return f"the accuracy of predictions for {against.name} is unknown: convsize calibrate measures it"
    if setting.autocast is not None:
        return "times under autocast are not predicted"
    if predicted.setting.training and (why := untrainable(network, setting)):
        return why
    chosen = setting.replace(inference=not predicted.setting.training)
    if training_memory(network, chosen).peak.bytes > (free := free_bytes(device)):
        return f"out of memory: {size(free)} are free"
    return ""

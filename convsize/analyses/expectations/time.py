"""Expectations of time: `expect: step_time(h200,batch=64)<=20ms`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from convsize.analyses.expectations.amounts import unit_of
from convsize.errors import Diagnostic, UsageError
from convsize.graph.network import Network
from convsize.language.expectations import SECONDS
from convsize.language.tree import Arg, Check, Name, Num

if TYPE_CHECKING:
    from convsize.records.time import TimeSetting

METRICS = {"step_time": True, "inference_time": False}
"""What can be expected of time, and whether it is that of a training step."""

_EXAMPLE = "(h200,batch=64)<=20ms"


def time_failure(network: Network, check: Check, label: str) -> Iterator[Diagnostic]:
    """What an expectation of time is wrong about: E402 where the bound is broken, E406 where it makes no sense.

    label: the part that it is about, empty for the whole network.
    """
    # Devices and the model are a tenth of a second of other specs' checks.
    from convsize import devices
    from convsize.analyses.time.prediction import predict_time
    from convsize.records.time import TimeSetting

    name, value = check.metric.name, check.value
    example = f"write `{name}{_EXAMPLE}`"
    if label:
        yield _makes_no_sense(
            check, f"`{name}` is about the whole network, not a part of it", f"write `expect: {name}…`"
        )
        return
    if value.number is None or unit_of(value) not in SECONDS:
        yield _makes_no_sense(check, f"`{name}` is a time, but `{value.text}` is not", f"{example}: s, ms or us")
        return
    if check.comparison in ("=", "~"):
        text = f"`{name}` is predicted, not exact: `{check.comparison}` cannot be checked"
        yield _makes_no_sense(check, text, f"bound it: {example}")
        return
    device = ""
    setting = TimeSetting(training=METRICS[name])
    for arg in check.args:
        read = _read(setting, arg, first=arg is check.args[0])
        if read is None:
            yield _makes_no_sense(check, f"`{name}` takes a device, and batch, dtype and optimizer by name", example)
            return
        device, setting = (read, setting) if isinstance(read, str) else (device, read)
    if not device:
        yield _makes_no_sense(check, f"`{name}` needs a device", example)
        return
    try:
        seconds = predict_time(network, devices.load(device), setting).seconds
    except UsageError as error:
        yield _makes_no_sense(check, str(error), "set other arguments")
        return
    bound = float(value.number)
    holds = {"<=": seconds <= bound, "<": seconds < bound, ">=": seconds >= bound, ">": seconds > bound}
    if not holds[check.comparison]:
        unit = value.text.lstrip("0123456789.")
        shown = f"{seconds * {'s': 1, 'ms': 1e3, 'us': 1e6}[unit]:.4g} {unit}"
        text = (
            f"{name} at batch {setting.batch} on {device} is predicted as {shown}, not {check.comparison} {value.text}"
        )
        call = f"convsize time --device {device} --batch {setting.batch}{' --train' if setting.training else ''}"
        most = f"`{call}` lists the slowest layers"
        yield Diagnostic("E402", "error", text, check.span, most)


def _read(setting: TimeSetting, arg: Arg, *, first: bool) -> TimeSetting | str | None:
    """A device's name, or the setting with what the argument says; None where it says nothing."""
    value = arg.value
    if arg.name is None:
        return value.name if first and isinstance(value, Name) else None
    if arg.name.name == "batch" and isinstance(value, Num) and value.value.denominator == 1 and value.value >= 1:
        return setting.replace(batch=value.value.numerator)
    if arg.name.name == "dtype" and isinstance(value, Name):
        return setting.replace(dtype=value.name)
    if arg.name.name == "optimizer" and isinstance(value, Name):
        return setting.replace(optimizer=value.name)
    return None


def _makes_no_sense(check: Check, text: str, help_text: str) -> Diagnostic:
    return Diagnostic("E406", "error", text, check.span, help_text)

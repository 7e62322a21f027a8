"""Predicted times: a table folded as the network is, sweeps, and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from convsize.records import LayerRow
from convsize.records.time import Sweep, SweepPoint, TimePrediction, TimeSetting
from convsize.views.answers.devices import rate
from convsize.views.text import numbers
from convsize.views.text.fold import fold
from convsize.views.text.layout import grid, titled, wrapped
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import percent, plural

SCHEMA = 1


def render(found: TimePrediction, rows: Sequence[LayerRow], *, width: int = 80, paint: Paint = PLAIN) -> str:
    """The whole and its layers: repeats are folded, and a folded line has the time of all its iterations together."""
    times = {layer.name: layer for layer in found.layers}
    time = numbers.duration if found.between is None else numbers.rough
    lines = []
    for line in fold(rows):
        layers = [times[row.name] for row in line.all if row.name in times]
        if not layers:
            continue
        forward, backward = sum(each.forward for each in layers), sum(each.backward for each in layers)
        most = max(layers, key=lambda each: each.seconds)
        cells = [line.name + (f" ×{line.times}" if line.times > 1 else ""), line.spec, time(forward)]
        cells += [time(backward)] if found.setting.training else []
        lines.append((*cells, numbers.share((forward + backward) / found.seconds), most.bound))
    for name, seconds in found.outside:
        passes = ("", time(seconds)) if found.setting.training else (time(seconds),)
        lines.append((name, "", *passes, numbers.share(seconds / found.seconds), ""))
    head = ["layer", "spec", "forward", *(["backward"] if found.setting.training else []), "share", "bound by"]
    what = "a training step" if found.setting.training else "a forward pass"
    out = [
        *titled(found.name, f"on {found.title} · {setting_text(found.setting)}", width, paint),
        "",
        grid(head, lines, width=width, paint=paint, styles=[None, "cyan", *[None] * (len(head) - 2)]),
        _whole(found, what, paint),
    ]
    if found.energy is not None:
        digits = 3 if found.between is None else 2
        each = _rounded(found.energy / found.setting.batch, digits)
        out.append(f"At full power that takes {_rounded(found.energy, digits)} J, {each} J a sample.")
    return "\n".join([*out, "", *wrapped(basis(found), width)]) + "\n"


def _whole(found: TimePrediction, what: str, paint: Paint) -> str:
    """The time of the whole; where shares of peaks are assumed, in two digits and with the range."""
    if found.between is None:
        seconds, rate = numbers.duration(found.seconds), number(found.throughput)
        return f"{paint(seconds, 'bold')} {what}, {paint(rate, 'bold')} samples/s"
    least, most = found.between
    batch = found.setting.batch
    seconds, rate = numbers.rough(found.seconds), _rounded(found.throughput, 2)
    times = f"{numbers.rough(least)} to {numbers.rough(most)}"
    rates = f"{_rounded(batch / most, 2)} to {_rounded(batch / least, 2)}"
    return f"{paint(seconds, 'bold')} {what} ({times}), {paint(rate, 'bold')} samples/s ({rates})"


def _rounded(value: float, digits: int) -> str:
    """A number to so many digits, written out: 1,900, 0.37."""
    rounded = float(f"{value:.{digits - 1}e}")
    return f"{rounded:,.0f}" if rounded >= 10 ** (digits - 1) else f"{rounded:.{digits}g}"


def setting_text(setting: TimeSetting) -> str:
    """`batch 64 · training, momentum · float32`."""
    kind = setting.dtype if setting.autocast is None else f"autocast {setting.autocast}"
    what = f"training, {setting.optimizer}" if setting.training else "inference"
    return f"batch {numbers.exact(setting.batch)} · {what} · {kind}"


def number(value: float) -> str:
    """A rate in whole numbers, or with decimals where it is small."""
    return numbers.exact(round(value)) if value >= 100 else f"{value:.3g}"


def _of_tf32(found: TimePrediction) -> str:
    if found.tf32 is None:
        return ""
    return f" (for convolutions {rate(found.tf32, 'FLOP/s')} in tf32, which PyTorch takes for float32)"


def basis(found: TimePrediction) -> str:
    """Where the figures come from, and how far such predictions were off."""
    bases = {layer.basis for layer in found.layers}
    if not found.calibrated:
        compute, bandwidth, overhead = found.assumed or (1.0, 1.0, 0.0)
        return (
            f"Assumed, not measured: {compute:.0%} of the peak and {bandwidth:.0%} of the bandwidth in the data "
            f"sheet{_of_tf32(found)} are reached, and an operator takes at least {numbers.rough(overhead)}. The range "
            "spans full peaks with half that overhead to half the shares with twice the overhead. `convsize calibrate` "
            "measures a machine."
        )
    text = (
        "Every layer was measured."
        if bases == {"measured"}
        else "Interpolated from similar layers that were timed one by one."
    )
    if "assumed" in bases:
        names = [layer.name for layer in found.layers if layer.basis == "assumed"]
        text += f" Assumed from the peaks: {', '.join(names[:4])}{' and more' if len(names) > 4 else ''}."
    if found.accuracy is None:
        return f"{text} The accuracy of predictions was not measured on this device."
    known = found.accuracy
    return (
        f"{text} Over {plural(known.cells, 'pair')} of network and batch, predictions of {known.what} were off by "
        f"{percent(known.mean)} in the mean, {percent(known.worst)} at worst."
    )


def _times(point: SweepPoint) -> tuple[str, ...]:
    if point.between is None:
        return (numbers.duration(point.seconds),)
    least, most = point.between
    return numbers.rough(point.seconds), f"{numbers.rough(least)} to {numbers.rough(most)}"


def render_sweep(found: Sweep, *, width: int = 80, paint: Paint = PLAIN) -> str:
    """A line for every batch size; the knee is marked."""
    rows = [
        (
            numbers.exact(point.batch),
            "←" if point.batch == found.knee else "",
            *_times(point),
            number(point.throughput) if point.between is None else _rounded(point.throughput, 2),
            "–" if point.memory is None else numbers.size(point.memory),
        )
        for point in found.points
    ]
    ranged = found.largest.between is not None
    head = ("batch", "", "time", *(["range"] if ranged else []), "samples/s", "memory")
    what = setting_text(found.setting).partition(" · ")[2]
    note = (
        f"← {found.knee} is the knee: the smallest batch that reaches nine tenths of the highest throughput. "
        f"Memory is the peak of tensors. {basis(found.largest)}"
    )
    table = grid(head, rows, width=width, paint=paint)
    return (
        "\n".join([f"{paint(found.name, 'bold')} on {found.device} · {what}", "", table, *wrapped(note, width)]) + "\n"
    )


# ---- JSON ------------------------------------------------------------------------------------------------------------


def time_object(found: TimePrediction) -> dict[str, Any]:
    """Seconds, FLOPs and bytes of the whole batch; energy in joules."""
    return {
        "schema": SCHEMA,
        "name": found.name,
        "device": found.device,
        "calibrated": found.calibrated,
        "setting": found.setting.as_dict(),
        "seconds": found.seconds,
        "throughput": found.throughput,
        "energy": found.energy,
        "assumed": found.assumed,
        "between": found.between,
        "accuracy": None if found.accuracy is None else found.accuracy.as_dict(),
        "layers": [layer.as_dict() for layer in found.layers],
        "outside": dict(found.outside),
    }


def sweep_object(found: Sweep) -> dict[str, Any]:
    """The points of a sweep with its knee."""
    return {
        "schema": SCHEMA,
        "name": found.name,
        "device": found.device,
        "calibrated": found.largest.calibrated,
        "setting": found.setting.as_dict(),
        "assumed": found.largest.assumed,
        "accuracy": None if found.largest.accuracy is None else found.largest.accuracy.as_dict(),
        "knee": found.knee,
        "points": [point.as_dict() for point in found.points],
    }


def document(objects: Sequence[dict[str, Any]], *, several: bool) -> str:
    """One object for one network, a list for several."""
    return json.dumps(list(objects) if several else objects[0], indent=2, ensure_ascii=False) + "\n"

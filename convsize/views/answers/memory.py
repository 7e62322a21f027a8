"""Training memory: its items, its peak, its course through a step, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from convsize.records import Capacity, TrainingChoice, TrainingMemory, TrainingMoment, TrainingPeak, TrainingSetting
from convsize.views.text import numbers
from convsize.views.text.layout import GAP, Cell, line, widths, wrapped
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import plural

SCHEMA = 1
METERS = {
    "cpu": (
        "The sum of all tensors alive at an operator boundary of a training step in PyTorch on a CPU, with "
        "parameters updated one at a time; temporary buffers of kernels are added."
    ),
    "cuda": (
        "The sum of all tensors alive at an operator boundary of a training step in PyTorch on CUDA, with "
        "all parameters updated together: the bytes requested from its allocator. Not yet compared with a "
        "GPU."
    ),
    "inference": (
        "The sum of all tensors alive at an operator boundary of a forward pass in PyTorch, in evaluation "
        "mode and without gradients; temporary buffers of kernels are added."
    ),
}
_NARROWEST_NOTE = 16
_HEIGHT = 8
PARTS = {
    "parameters": "parameters",
    "buffers": "buffers",
    "gradients": "gradients of parameters",
    "optimizer": "optimizer state",
    "activations": "activations and their gradients",
    "inputs": "inputs and targets",
    "other": "loss and numbers",
}


def render(
    found: TrainingMemory,
    choices: Sequence[TrainingChoice] = (),
    capacity: Capacity | None = None,
    *,
    width: int = 80,
    paint: Paint = PLAIN,
) -> str:
    """Whether it fits, the peaks, what lives at the larger one, who saves most for backward, and the step's course."""
    peak = found.peak
    setting = found.setting
    out = [f"{paint(found.name, 'bold')} · {setting_text(setting)}", ""]
    if capacity is not None:
        out += [*_verdict(found.reserved, capacity, width, paint), ""]
    if setting.inference:
        which = "the forward pass"
        out += _table([(which, peak.bytes, f"peak in {where(peak)}")], width, paint)
    else:
        which = "the first step" if peak is found.first else "later steps"
        passed = found.forward
        out += _table(
            [
                ("first step", found.first.bytes, f"peak in {where(found.first)}"),
                ("later steps", found.steady.bytes, f"peak in {where(found.steady)}"),
                ("saved for backward", found.saved, "kept by autograd's graph"),
                ("forward pass alone", passed.highest, f"most in {_place(passed.moment, passed.layer)}"),
            ],
            width,
            paint,
        )
    out += ["", paint(f"At the peak of {which}", "bold")]
    parts = [(text, size) for kind, text in PARTS.items() if (size := dict(peak.parts)[kind])]
    out += _table([(text, size, numbers.share(size / peak.bytes)) for text, size in parts], width, paint)
    most = sorted(found.saved_by_layer, key=lambda each: -each[1])[:5]
    if most:
        out += ["", paint("Most is saved for backward of", "bold")]
        out += _table([(name, size, numbers.share(size / found.saved)) for name, size in most], width, paint)
    if found.device:
        out += ["", paint("On top of it on the GPU", "bold"), *_device(found, width, paint)]
    course = "The forward pass from left to right" if setting.inference else f"The step from left to right, {which}"
    out += ["", paint(course, "bold"), *_plot(peak, width)]
    if choices:
        out += ["", paint("Peak under other optimizers, precisions and checkpoints", "bold")]
        out += _what_if(choices, capacity, width, paint)
    out += ["", *wrapped(meter(setting), width)]
    return "\n".join(out) + "\n"


def _verdict(needed: int, capacity: Capacity, width: int, paint: Paint) -> list[str]:
    """`It fits into NVIDIA L4: 7.6 GiB of 21.03 GiB, 13.4 GiB to spare`, or by how much it does not."""
    fits = needed <= capacity.available
    difference = numbers.size(abs(capacity.available - needed))
    verdict = paint("It fits", "green") if fits else paint("It does not fit", "red")
    into = f" into {capacity.device}" if capacity.device else ""
    rest = f"{into}: {numbers.size(needed)} {room(capacity)}, {difference} {'to spare' if fits else 'too much'}."
    return wrapped(f"{verdict}{rest}{kept_free(capacity)}", width)


def room(capacity: Capacity) -> str:
    """`of 21.03 GiB`: what tensors may take."""
    return f"of {numbers.size(capacity.available)}"


def kept_free(capacity: Capacity) -> str:
    """What of the memory is not there for tensors, and why."""
    if not capacity.reserve:
        return ""
    return (
        f" Of {numbers.size(capacity.memory)}, {numbers.size(capacity.reserve)} is reserved for what is not "
        "predicted; --reserve changes that."
    )


def meter(setting: TrainingSetting) -> str:
    """What the figures are a measure of."""
    return METERS["inference" if setting.inference else setting.device]


def title(setting: TrainingSetting) -> str:
    """What the figures are about."""
    return "a forward pass" if setting.inference else "a step of training"


def setting_text(setting: TrainingSetting) -> str:
    """Batch 64 · momentum · float32, and what else was asked for."""
    parts = [f"batch {numbers.exact(setting.batch)}", "inference" if setting.inference else setting.optimizer]
    parts.append(setting.dtype if setting.autocast is None else f"autocast {setting.autocast}")
    if setting.device != "cpu":
        parts.append(setting.device)
    parts += [f"{name}: {loss}" if name else loss for name, loss in setting.losses]
    if setting.checkpoint:
        parts.append(f"checkpoints {', '.join(setting.checkpoint)}")
    if not setting.in_place:
        parts.append("not in place")
    if setting.accumulate > 1:
        parts.append(f"gradients of {plural(setting.accumulate, 'batch')}")
    if setting.frozen:
        parts.append(f"frozen {', '.join(setting.frozen)}")
    return " · ".join(parts)


def where(peak: TrainingPeak) -> str:
    """`backward of bot3.relu1`, `the optimizer's step`."""
    return _place(peak.moment, peak.layer)


def _place(moment: str, layer: str | None) -> str:
    if moment == "optimizer":
        return "the optimizer's step"
    return f"{moment} of {layer}" if layer and moment != "loss" else "the loss"


def _device(found: TrainingMemory, width: int, paint: Paint) -> list[str]:
    """Every share with how it is known, and the sum of those that are."""
    known = [(each.name, each.bytes, f"{each.basis}: {each.note}") for each in found.device if each.bytes is not None]
    left = [each.name for each in found.device if each.bytes is None]
    out = _table([*known, ("the peak with these", found.reserved, "what the allocator reserves")], width, paint)
    return [*out, *(f"  {line}" for line in wrapped(f"Not included: {', '.join(left)}.", width - 2))] if left else out


def _table(rows: Sequence[tuple[str, int, str]], width: int, paint: Paint) -> list[str]:
    cells = [(text, numbers.size(size), numbers.exact(size), note) for text, size, note in rows]
    sizes = widths(cells)
    room = max(width - 2 - sum(sizes[:3]) - 3 * len(GAP), _NARROWEST_NOTE)
    left = (True, False, False)
    shares = all(note.endswith("%") for *_, note in rows)
    out = []
    for text, size, exact, note in cells:
        lines = wrapped(note, room)
        row = [Cell(text), Cell(size), Cell(exact, "dim"), Cell(lines[0])]
        out.append("  " + line(row, [*sizes[:3], sizes[3] if shares else len(lines[0])], (*left, not shares), paint))
        out += [" " * (2 + sum(sizes[:3]) + 3 * len(GAP)) + each for each in lines[1:]]
    return out


def _plot(peak: TrainingPeak, width: int) -> list[str]:
    """Live bytes over the layers of forward, backward and the optimizer; a column is the most of what it stands for."""
    timeline = peak.timeline
    label = len(numbers.size(peak.bytes))
    columns = max(min(width - label - 4, len(timeline), 120), 1)
    bounds = [at * len(timeline) // columns for at in range(columns + 1)]
    spans = [timeline[start:end] for start, end in pairwise(bounds)]
    highest = [max(each.highest for each in span) for span in spans]
    out = []
    for row in range(_HEIGHT, 0, -1):
        # A column reaches a row where it fills at least half of it.
        bars = "".join("█" if 2 * _HEIGHT * each >= (2 * row - 1) * peak.bytes else " " for each in highest)
        axis = numbers.size(peak.bytes) if row == _HEIGHT else ""
        out.append(f"  {axis:>{label}}  {bars}".rstrip())
    return [*out, f"  {'':{label}}  {_moments(spans)}".rstrip()]


def _moments(spans: Sequence[Sequence[TrainingMoment]]) -> str:
    """Where forward, backward and the optimizer begin, as far as their names have room."""
    text = [" "] * len(spans)
    seen = set()
    free = 0
    for at, span in enumerate(spans):
        moment = "backward" if span[0].moment == "recompute" else span[0].moment
        if moment in seen or moment == "loss":
            continue
        seen.add(moment)
        name = f"|{moment}"
        if at >= free and at + len(name) <= len(spans) + 10:
            text[at : at + len(name)] = name
            free = at + len(name) + 1
    return "".join(text)


def _what_if(choices: Sequence[TrainingChoice], capacity: Capacity | None, width: int, paint: Paint) -> list[str]:
    """A line for every optimizer, a column for every precision; `✓` stands after what fits."""
    types = list(dict.fromkeys(each.dtype for each in choices))
    ways = list(dict.fromkeys((each.optimizer, each.checkpoint) for each in choices))
    sizes = {}
    for each in choices:
        mark = "" if capacity is None else " ✓" if each.reserved <= capacity.available else "  "
        sizes[each.optimizer, each.checkpoint, each.dtype] = numbers.size(each.reserved) + mark
    rows = [["", *types]]
    for name, checkpoint in ways:
        text = f"{name}, checkpoints {', '.join(checkpoint)}" if checkpoint else name
        rows.append([text, *(sizes[name, checkpoint, dtype] for dtype in types)])
    columns = widths(rows)
    left = [True, *(False for _ in types)]
    out = [
        ("  " + line([Cell(text, None if at else "bold") for text in row], columns, left, paint)).rstrip()
        for at, row in enumerate(rows)
    ]
    if capacity is not None:
        some = any(each.reserved <= capacity.available for each in choices)
        out.append("  ✓ fits" if some else "  None of them fits.")
    if "bfloat16" not in types:
        why = "Not in bfloat16: PyTorch has no kernel for a layer of this network in it on a CPU."
        out += wrapped(why, width, "  ", "  ")
    return out


# ---- JSON ------------------------------------------------------------------------------------------------------------


def render_json(
    found: Sequence[tuple[TrainingMemory, Sequence[TrainingChoice]]],
    capacity: Capacity | None = None,
    *,
    several: bool,
) -> str:
    """One object for one network, a list for several."""
    objects = [_object(memory, choices, capacity) for memory, choices in found]
    return json.dumps(objects if several else objects[0], indent=2, ensure_ascii=False) + "\n"


def capacity_object(capacity: Capacity) -> dict[str, Any]:
    """The memory to fit into, with what stays free of it."""
    return {**capacity.as_dict(), "available": capacity.available}


def _object(found: TrainingMemory, choices: Sequence[TrainingChoice], capacity: Capacity | None) -> dict[str, Any]:
    about = (
        {}
        if capacity is None
        else {
            "capacity": capacity_object(capacity),
            "fits": found.reserved <= capacity.available,
        }
    )
    setting = found.setting.as_dict()
    return {
        "schema": SCHEMA,
        "name": found.name,
        "meter": meter(found.setting),
        "setting": {**setting, "losses": dict(found.setting.losses)},
        "parameters": found.parameters,
        "buffers": found.buffers,
        "gradients": found.gradients,
        "optimizer_state": found.optimizer_state,
        "inputs": found.inputs,
        "saved": found.saved,
        "saved_by_layer": dict(found.saved_by_layer),
        "first": _course(found.first),
        "steady": _course(found.steady),
        "forward": found.forward.as_dict(),
        "device": [each.as_dict() for each in found.device],
        "reserved": found.reserved,
        **about,
        "what_if": [each.as_dict() for each in choices],
    }


def peak_object(peak: TrainingPeak) -> dict[str, Any]:
    """A peak: its bytes, where it is, and what lives there."""
    return {"bytes": peak.bytes, "moment": peak.moment, "layer": peak.layer, "parts": dict(peak.parts)}


def _course(peak: TrainingPeak) -> dict[str, Any]:
    return {**peak_object(peak), "timeline": [each.as_dict() for each in peak.timeline]}

"""What fits into a budget of memory, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from convsize.records import BatchFit, InputFit, TrainingMemory, TrainingSetting
from convsize.views.answers.memory import (
    PARTS,
    SCHEMA,
    capacity_object,
    kept_free,
    meter,
    peak_object,
    room,
    setting_text,
    where,
)
from convsize.views.text import numbers
from convsize.views.text.layout import wrapped
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import plural


def render(
    found: BatchFit | InputFit,
    setting: TrainingSetting,
    *,
    width: int = 80,
    paint: Paint = PLAIN,
) -> str:
    """The largest batch or input, and what stands in the way of a larger one."""
    how = setting_text(setting).split(" · ")
    if isinstance(found, BatchFit):
        how = how[1:]
    into = f" · {found.capacity.device}" if found.capacity.device else ""
    out = [f"{paint(found.name, 'bold')} · {' · '.join(how)}{into}", ""]
    if isinstance(found, BatchFit):
        what, largest = "batch", numbers.exact(found.batch)
        more = "" if found.beyond is None else f"a batch of {numbers.exact(found.beyond.setting.batch)}"
        no_more = "Larger batches are not counted."
    else:
        what, largest, more = "input", _volumes(found.inputs), f"an input of {_volumes(found.beyond_inputs)}"
        no_more = "The network accepts no larger one."
    size = _sizes(found.fits, found.beyond)
    if found.fits is not None:
        takes = f"which takes {size(found.fits.reserved)} {room(found.capacity)}"
        text = f"The largest {what} is {paint(largest, 'bold')}, {takes}."
        out += wrapped(text if found.beyond else f"{text} {no_more}", width)
    elif found.beyond is not None:
        takes = f"training takes {numbers.size(found.beyond.reserved)} at {more}, {room(found.capacity)}"
        out += wrapped(f"No {what} fits: {takes}.", width)
    if found.beyond is not None:
        out += _limit(more, found.beyond, width, size)
    return "\n".join([*out, "", *wrapped(f"{meter(setting)}{kept_free(found.capacity)}", width)]) + "\n"


def _sizes(fits: TrainingMemory | None, beyond: TrainingMemory | None) -> Callable[[int], str]:
    """How bytes are printed: in full where what fits and what does not would read alike."""
    alike = fits and beyond and numbers.size(fits.reserved) == numbers.size(beyond.reserved)
    return (lambda size: plural(size, "byte")) if alike else numbers.size


def _limit(more: str, beyond: TrainingMemory, width: int, size: Callable[[int], str]) -> list[str]:
    """What the smallest that does not fit takes, and what that is."""
    kind, largest = max(beyond.peak.parts, key=lambda each: each[1])
    most = f"{numbers.share(largest / beyond.peak.bytes)} of the tensors are {PARTS[kind]}"
    text = f"{more[0].upper()}{more[1:]} takes {size(beyond.reserved)}. "
    text += f"At the peak, in {where(beyond.peak)}, {most}."
    known = [f"{numbers.size(each.bytes)} {each.name}" for each in beyond.device if each.bytes]
    if known:
        on_top = numbers.size(beyond.reserved - beyond.peak.bytes)
        text += f" {on_top} are added on the GPU: {', '.join(known)}."
    left = [each.name for each in beyond.device if each.bytes is None]
    return [*wrapped(text, width), *(wrapped(f"Not included: {', '.join(left)}.", width) if left else [])]


def render_json(found: Sequence[BatchFit | InputFit], setting: TrainingSetting, *, several: bool) -> str:
    """One object for one network, a list for several."""
    objects = [_object(each, setting) for each in found]
    return json.dumps(objects if several else objects[0], indent=2, ensure_ascii=False) + "\n"


def _volumes(inputs: Sequence[tuple[str, tuple[int, ...]]]) -> str:
    one = [numbers.volume(dims) if len(inputs) == 1 else f"{name} {numbers.volume(dims)}" for name, dims in inputs]
    return ", ".join(one)


def _object(each: BatchFit | InputFit, setting: TrainingSetting) -> dict[str, Any]:
    about: dict[str, Any] = {"schema": SCHEMA, "name": each.name, "meter": meter(setting)}
    about |= capacity_object(each.capacity)
    if isinstance(each, BatchFit):
        about |= {"smallest_batch": each.smallest, "batch": each.batch}
    else:
        about |= {"inputs": dict(each.inputs), "beyond_inputs": dict(each.beyond_inputs)}
    return {**about, "fits": _memory(each.fits), "beyond": _memory(each.beyond)}


def _memory(memory: TrainingMemory | None) -> dict[str, Any] | None:
    if memory is None:
        return None
    return {
        **peak_object(memory.peak),
        "device": [each.as_dict() for each in memory.device],
        "reserved": memory.reserved,
    }

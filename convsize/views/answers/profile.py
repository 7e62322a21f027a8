"""Profiles as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from convsize.record import Record
from convsize.records import LayerProfile, LayerRow, Profile
from convsize.views.answers.devices import rate
from convsize.views.text import numbers
from convsize.views.text.fold import Line, fold, unfolded
from convsize.views.text.layout import Cell, clip, full_width, line, widths, wrapped
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import plural

SCHEMA = 1
_LOUD = 0.05
"""The noise from which on it is worth a sentence: a share of the median."""

_WIDEST_NAME = 28


class Row(Record):
    """One line of the listing: the sums over the layers that it stands for. least is None without a roofline.

    noise: seconds, half the distance between the quartiles of both passes.
    """

    name: str
    spec: str
    times: int
    forward: float
    backward: float | None
    flops: int
    bytes: int
    least: float | None
    held: int
    noise: float

    @property
    def seconds(self) -> float:
        """Both passes."""
        return self.forward + (self.backward or 0.0)


def rows(found: Profile, layers: Sequence[LayerRow], *, folded: bool = True) -> tuple[Row, ...]:
    """The lines of the listing; every layer is in exactly one of them."""
    known = {each.name: each for each in found.layers}
    lines = fold(layers) if folded else unfolded(layers)
    return tuple(_row(each, [known[row.name] for row in each.all], training=found.training) for each in lines)


def _row(each: Line, layers: Sequence[LayerProfile], *, training: bool) -> Row:
    least = [layer.least for layer in layers if layer.least is not None]
    return Row(
        each.name,
        each.spec,
        each.times,
        sum(layer.forward.median for layer in layers),
        sum(layer.backward.median for layer in layers if layer.backward is not None) if training else None,
        sum(layer.flops for layer in layers),
        sum(layer.bytes for layer in layers),
        sum(least) if least else None,
        sum(layer.held for layer in layers),
        sum((each.high - each.low) / 2 for layer in layers for each in (layer.forward, layer.backward) if each),
    )


def render(
    found: Profile, layers: Sequence[LayerRow], *, folded: bool = True, width: int = 80, paint: Paint = PLAIN
) -> str:
    """The layers, what is outside of them, how the sum compares with the plain step, and the top kernels."""
    out = [f"{paint(found.name, 'bold')} · {setting_text(found)}", ""]
    table = _table(found, rows(found, layers, folded=folded), width, paint)
    out += table
    quartiles = ["± is half the interquartile range of the repeats."] if "±" in table[0] else []
    for sentence in [*_sentences(found), *quartiles]:
        out += ["", *wrapped(sentence, width)]
    if found.kernels:
        what = "Kernels" if found.device != "cpu" else "Operators"
        out += ["", paint(f"{what} that took longest in one additional step under PyTorch's profiler", "bold")]
        out += _kernels(found, width, paint)
    return "\n".join(out) + "\n"


def setting_text(found: Profile) -> str:
    """Training, batch 8 · momentum · float32 · cpu, 1 thread."""
    threads = f", {plural(found.threads, 'thread')}" if found.device == "cpu" else ""
    how = ("training step", found.optimizer) if found.optimizer else ("inference",)
    return " · ".join([*how, f"batch {numbers.exact(found.batch)}", found.dtype, f"{found.device}{threads}"])


_Column = tuple[str, Callable[[Row], str]]


def _columns(found: Profile) -> list[_Column]:
    total = found.attributed

    def least(row: Row) -> str:
        return _share(row.least / row.seconds) if row.least is not None and row.seconds else "–"

    columns: list[_Column] = [
        ("layer", lambda row: clip(row.name, _WIDEST_NAME) + (f" ×{row.times}" if row.times > 1 else "")),
        ("spec", lambda row: clip(row.spec, 18)),
        ("forward", lambda row: numbers.duration(row.forward)),
    ]
    if found.training:
        columns.append(("backward", lambda row: numbers.duration(row.backward or 0.0)))
    columns += [
        ("±", lambda row: numbers.share(row.noise / row.seconds) if row.seconds else "–"),
        ("share", lambda row: numbers.share(row.seconds / total)),
        ("FLOP/s", lambda row: _rate(row.flops, row.seconds)),
        ("B/s", lambda row: _rate(row.bytes, row.seconds)),
    ]
    if found.roof is not None:
        columns.append(("roofline", least))
    return [*columns, ("saved" if found.training else "output", lambda row: numbers.size(row.held))]


def _rate(amount: int, seconds: float) -> str:
    return numbers.count(round(amount / seconds)) if amount and seconds else "–"


def _share(value: float) -> str:
    """A percentage that may be far over 100."""
    return numbers.share(value) if value < 1 else f"{value:.0%}"


def _table(found: Profile, listed: Sequence[Row], width: int, paint: Paint) -> list[str]:
    columns = _columns(found)
    outside = [_outside_cells(name, each.median, columns, found) for name, each in found.outside]
    seconds = sum(each.seconds for each in found.layers)
    sums = {
        "layer": "sum",
        "forward": numbers.duration(sum(each.forward.median for each in found.layers)),
        "backward": numbers.duration(sum(each.backward.median for each in found.layers if each.backward)),
        "share": numbers.share(seconds / found.attributed),
        "FLOP/s": _rate(sum(each.flops for each in found.layers), seconds),
        "B/s": _rate(sum(each.bytes for each in found.layers), seconds),
        "saved": numbers.size(sum(each.held for each in found.layers)),
    }
    body = [[text(row) for _, text in columns] for row in listed]
    last = [sums.get(title, "") for title, _ in columns]
    titles = [title for title, _ in columns]
    for spare in ("spec", "±", "B/s"):
        if full_width(widths([titles, *body, last, *outside])) <= width or spare not in titles:
            continue
        at = titles.index(spare)
        for each in (titles, *body, last, *outside):
            del each[at]
    sizes = widths([titles, *body, last, *outside])
    left = [title in ("layer", "spec") for title in titles]

    def painted(texts: Sequence[str], style: str | None = None) -> str:
        return line([Cell(text, style) for text in texts], sizes, left, paint)

    def layer(texts: Sequence[str]) -> str:
        cells = [Cell(text, "cyan" if title == "spec" else None) for title, text in zip(titles, texts, strict=True)]
        return line(cells, sizes, left, paint)

    rule = paint("─" * min(full_width(sizes), width), "dim")
    return [
        painted(titles, "bold"),
        rule,
        *map(layer, body),
        rule,
        painted(last, "bold"),
        *(painted(each, "dim") for each in outside),
    ]


def _outside_cells(name: str, seconds: float, columns: Sequence[_Column], found: Profile) -> list[str]:
    """What is outside of layers: its time stands where the last time does."""
    where = "backward" if found.training else "forward"
    texts = {"layer": name, where: numbers.duration(seconds), "share": numbers.share(seconds / found.attributed)}
    return [texts.get(title, "") for title, _ in columns]


def _sentences(found: Profile) -> list[str]:
    what = "step" if found.training else "pass"
    step = found.step
    out = [
        f"A {what} without instrumentation takes {numbers.duration(step.median)}, "
        f"{found.batch / step.median:,.1f} samples a second; half of {found.repeats} took "
        f"{numbers.duration(step.low)} to {numbers.duration(step.high)}. All lines add up to "
        f"{numbers.duration(found.attributed)}, {_difference(found.attributed / step.median - 1)}; the {what} "
        f"with instrumentation takes {_difference(found.instrumented.median / step.median - 1)}."
    ]
    if found.predicted is not None:
        out.append(
            f"{numbers.duration(found.predicted)} were predicted (convsize time), "
            f"{_difference(found.predicted / step.median - 1)}."
        )
    if found.attributed < step.median * (1 - _LOUD):
        out.append("A disturbance of a few repeats is part of the total, but not of a layer's median.")
    if step.spread > _LOUD:
        out.append(
            f"The noise is large: {what}{'s' if found.training else 'es'} differ by ±{step.spread:.0%}. Other programs "
            "disturb the measurement; more --repeats, or a quieter machine, would give more reliable figures."
        )
    moved = "In FLOP/s and B/s inputs, outputs and parameters move once in a forward pass"
    if found.training:
        moved += ", and a backward pass counts as one for the weights and one for the gradient of the input"
    if found.roof is None:
        out.append(f"{moved}. Without a device there is no roofline: --against h200, or a device file, gives one.")
    else:
        source = "calibrated" if found.roof.calibrated else "data sheet"
        out.append(
            f"{moved}; roofline is the least time that {found.roof.title} ({source}: "
            f"{rate(found.roof.peak, 'FLOP/s')}, {rate(found.roof.bandwidth, 'B/s')}) "
            "would take, as a share of what it took. It exceeds 100% where a layer's input is still in a cache."
        )
    if found.roof is not None and (found.roof.kind == "cuda") != found.device.startswith("cuda"):
        out.append(
            f"This ran on {found.device}, but the roofline is for {found.roof.title}: it says how much faster "
            "that device could be, not how well this one is used."
        )
    if found.training:
        out.append(f"The peak is predicted to be {numbers.size(found.peak)}; saved is what autograd keeps.")
    else:
        out.append(f"The peak is predicted to be {numbers.size(found.peak)}.")
    return out


def _difference(share: float) -> str:
    return f"{abs(share):.1%} {'more' if share >= 0 else 'less'}"


def _kernels(found: Profile, width: int, paint: Paint) -> list[str]:
    cells = [(numbers.duration(each.seconds), f"×{each.calls}", each.name) for each in found.kernels]
    sizes = widths(cells)
    room = max(width - 2 - sizes[0] - sizes[1] - 4, 16)
    return [
        "  " + line([Cell(time), Cell(calls), Cell(clip(name, room))], sizes, (False, False, True), paint)
        for time, calls, name in cells
    ]


# ---- JSON ------------------------------------------------------------------------------------------------------------


def render_json(found: Profile) -> str:
    """Every layer by itself, in the order in which they run; seconds, bytes and FLOP of the whole batch."""
    data = {
        "schema": SCHEMA,
        **found.as_dict(),
        "versions": dict(found.versions),
        "layers": [
            {
                **each.as_dict(),
                "forward": each.forward.as_dict(),
                "backward": each.backward.as_dict() if each.backward else None,
            }
            for each in found.layers
        ],
        "outside": {name: each.as_dict() for name, each in found.outside},
        "step": found.step.as_dict(),
        "instrumented": found.instrumented.as_dict(),
        "attributed": found.attributed,
        "kernels": [each.as_dict() for each in found.kernels],
        "roof": found.roof.as_dict() if found.roof else None,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"

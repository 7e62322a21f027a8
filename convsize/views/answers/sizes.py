"""Which input sizes a network takes: for people, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from convsize.records import AxisSizes, Bound, NearSize, SizeAnswer, SizeSet, SizesReport
from convsize.views.analysis.json import diagnostic
from convsize.views.text import numbers
from convsize.views.text.excerpt import render as excerpt
from convsize.views.text.layout import wrapped
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import are, listed, numbered

SCHEMA = 1
_NAMED = 3
"""Layers of one place that are named."""


# ---- for people ------------------------------------------------------------------------------------------------------


def render(report: SizesReport, *, exact: bool = False, width: int = 80, paint: Paint = PLAIN) -> str:
    """The sets of every axis, axes that are alike in one, then what was asked.

    ```
    vgg_d · input 3@224x224

    height and width
      valid       every size from 32
      exact       32·k, from 32
      checkpoint  224…255

    smallest      32x32; 32x32 exact
    declared      224x224 is valid and exact
    checkpoint    fc1, `FC4096` on line 4: its weights have one column for each of 512·7·7 = 25088 inputs
    ```
    """
    sizes = report.sizes
    shapes = " · ".join(f"{name} {numbers.volume(dims)}" for name, dims in sizes.inputs)
    out = [f"{paint(sizes.name, 'bold')} · {shapes}"]
    if sizes.base != sizes.inputs:
        held = ", ".join(_extents(dims) for _, dims in sizes.base)
        out.append(f"It cannot be built at its declared size; the sizes were solved from {held}.")
    several = len({one.inputs for one in sizes.axes}) > 1
    for axes in _alike(sizes.axes):
        of = f" of {listed(axes[0].inputs)}" if several else ""
        out += ["", paint(listed([one.name for one in axes]) + of, "bold")]
        rows = [("valid", axes[0].valid), ("exact", axes[0].exact), ("checkpoint", axes[0].checkpoint)]
        for label, found in rows:
            if (exact and label != "exact") or (label == "checkpoint" and not sizes.checkpoint):
                continue
            out += wrapped(set_text(found), width, f"  {label:<12}", " " * 14)
    out.append("")
    facts = [*_smallest(report, exact=exact), *_declared(report)]
    facts += [("checkpoint", text) for text in _together(sizes.checkpoint)]
    if all(one.checkpoint.smallest is None for one in sizes.axes) and sizes.axes:
        why = "no size: weights follow the input size, and there are none at the declared one"
        facts.append(("checkpoint", why))
    facts += [("tied axes", f"{_place(one)} {one.text}; the other axes as declared") for one in sizes.coupled]
    if sizes.left_out:
        lines = numbered("line", sizes.left_out)
        facts.append(("left out", f"inline volumes on {lines}, which are written for one input size"))
    for one in report.near:
        facts += _near(one, exact=exact, alone=len(report.near) == 1, several=several)
    for label, text in _merged(facts):
        out += wrapped(text, width, f"{label:<14}", " " * 14)
    for answer in report.why:
        out += ["", *_why(answer, report, width, paint)]
    return "\n".join(out) + "\n"


def least(report: SizesReport, *, exact: bool) -> str:
    """The smallest volume of every input, one on a line, for scripts; nothing where there is none."""
    found = report.sizes.least(exact=exact) or ()
    return "".join(f"{numbers.volume(dims)}\n" for _, dims in found)


def set_text(found: SizeSet) -> str:
    """A set of extents in words, the smallest first.

    `every size from 32`, `32·k, from 64`, `1…4; 29…32 + 32·k (k ≥ 0)`, `572…587`, `none`.
    """
    if len(found.progressions) == 1:
        (one,) = found.progressions
        if one.modulus > 1 and one.width == 1 and one.start % one.modulus == 0 and not found.ranges:
            return f"{one.modulus}·k, from {one.start}"
    parts = [(one.start, _progression(one.modulus, one.start, one.width)) for one in found.progressions]
    for span in found.ranges:
        every = f" in steps of {span.step}" if span.step > 1 else ""
        parts.append((span.first, _span(span.first, span.last) + every))
    text = "; ".join(part for _, part in sorted(parts)) or "none"
    return f"{text} (k ≥ 0)" if any(one.modulus > 1 for one in found.progressions) else text


def _progression(modulus: int, start: int, width: int) -> str:
    if modulus == 1:
        return f"every size from {start}"
    return f"{_span(start, start + width - 1)} + {modulus}·k"


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}…{last}"


def _alike(axes: Sequence[AxisSizes]) -> list[list[AxisSizes]]:
    """Axes of the same inputs with the same sets, together."""
    groups: list[list[AxisSizes]] = []
    for one in axes:
        for group in groups:
            first = group[0]
            if (first.inputs, first.valid, first.exact, first.checkpoint) == (
                one.inputs,
                one.valid,
                one.exact,
                one.checkpoint,
            ):
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


def _extents(dims: tuple[int, ...]) -> str:
    return "x".join(map(str, dims[1:])) or str(dims[0])


def _volumes(inputs: Iterable[tuple[str, tuple[int, ...]]], several: bool) -> str:
    return ", ".join(f"{name} {_extents(dims)}" if several else _extents(dims) for name, dims in inputs)


def _place(one: Bound) -> str:
    return f"{one.layer}, `{one.spec}` on line {one.line}:"


def _together(bounds: Iterable[Bound]) -> list[str]:
    """What layers say, once for those of one place that say the same: all calls of a block, shared or not."""
    names: dict[tuple[str, int, str], list[str]] = {}
    for one in bounds:
        names.setdefault((one.spec, one.line, one.text), []).append(one.layer)
    return [
        f"{listed(layers, most=_NAMED)}, `{spec}` on line {line}: {text}"
        for (spec, line, text), layers in names.items()
    ]


def _smallest(report: SizesReport, *, exact: bool) -> list[tuple[str, str]]:
    sizes = report.sizes
    if sizes.coupled:
        return []
    several = len(sizes.inputs) > 1
    texts = []
    for kind in ("exact",) if exact else ("valid", "exact"):
        found = sizes.least(exact=kind == "exact")
        text = _volumes(found, several) if found is not None else "none"
        texts.append(f"{text} {kind}")
    return [("smallest", "; ".join(texts))]


def _declared(report: SizesReport) -> list[tuple[str, str]]:
    sizes = report.sizes
    volumes = _volumes(sizes.inputs, len(sizes.inputs) > 1)
    if report.declared:
        first = report.declared[0]
        place = sizes.source.place(first.span.start)
        more = f", and {len(report.declared) - 1} more" if len(report.declared) > 1 else ""
        return [("declared", f"{volumes}: {first.code} on line {place.line}: {first.message}{more}")]
    whole = all(one.exact.has(one.declared) for one in sizes.axes)
    return [("declared", f"{volumes} {are(len(sizes.inputs))} valid{' and exact' if whole else ', but not exact'}")]


def _near(one: NearSize, *, exact: bool, alone: bool, several: bool) -> list[tuple[str, str]]:
    label = f"near {one.wished}"
    name = f"{one.axis.name} of {listed(one.axis.inputs)}" if several else one.axis.name
    axis = "" if alone else f"{name}: "
    texts = []
    pairs = [("valid", one.below, one.above), ("exact", one.exact_below, one.exact_above)]
    for kind, below, above in pairs[1:] if exact else pairs:
        if below == above == one.wished:
            texts.append(f"{one.wished} is {kind}")
            continue
        found = [str(each) for each in (below, above) if each is not None]
        texts.append(f"{listed(found)} {'are' if len(found) > 1 else 'is'} {kind}" if found else f"no size is {kind}")
    return [(label, axis + ", ".join(texts))]


def _merged(facts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Facts without their label where the one before has the same, and axes that say the same told once."""
    found: list[tuple[str, str]] = []
    for label, text in facts:
        axis, colon, rest = text.partition(": ")
        if label.startswith("near") and colon and found and found[-1][0] == label:
            before, _, same = found[-1][1].partition(": ")
            if same == rest:
                first, of, inputs = before.rpartition(" of ")
                second, _, others = axis.rpartition(" of ")
                both = f"{first} and {second} of {inputs}" if of and inputs == others else f"{before} and {axis}"
                found[-1] = (label, f"{both}: {rest}")
                continue
        found.append((label, text))
    return found


def _why(answer: SizeAnswer, report: SizesReport, width: int, paint: Paint) -> list[str]:
    volumes = _volumes(answer.inputs, len(answer.inputs) > 1)
    if answer.diagnostics:
        out = [paint(f"{volumes} {'fails' if len(answer.inputs) == 1 else 'fail'}:", "bold")]
        for found in answer.diagnostics:
            out += excerpt(found, report.sizes.source, paint=paint).rstrip("\n").split("\n")
        return out
    if not answer.dropping:
        return [f"{volumes} {are(len(answer.inputs))} valid and exact"]
    out = [paint(f"{volumes} {are(len(answer.inputs))} valid, but not exact:", "bold")]
    for one in answer.dropping:
        out += wrapped(f"{_place(one)} {one.text}", width, "  ", "    ")
    return out


# ---- JSON ------------------------------------------------------------------------------------------------------------


def render_json(reports: Sequence[SizesReport], *, several: bool) -> str:
    """One object for one spec, a list for several."""
    objects = [to_object(report) for report in reports]
    return json.dumps(objects if several else objects[0], indent=2, ensure_ascii=False) + "\n"


def to_object(report: SizesReport) -> dict[str, Any]:
    """Plain ints, strings, lists and dicts; a set is {progressions, ranges, smallest}."""
    sizes = report.sizes
    return {
        "schema": SCHEMA,
        "name": sizes.name,
        "inputs": _shapes(sizes.inputs),
        "base": _shapes(sizes.base),
        "axes": [
            {
                "inputs": list(one.inputs),
                "axis": one.axis,
                "name": one.name,
                "declared": one.declared,
                "valid": _set(one.valid),
                "exact": _set(one.exact),
                "checkpoint": _set(one.checkpoint),
            }
            for one in sizes.axes
        ],
        "smallest": _shapes(sizes.least(exact=False)),
        "smallest_exact": _shapes(sizes.least(exact=True)),
        "declared": [diagnostic(found, sizes.source) for found in report.declared],
        "checkpoint": [one.as_dict() for one in sizes.checkpoint],
        "left_out": list(sizes.left_out),
        "coupled": [one.as_dict() for one in sizes.coupled],
        "near": [
            {
                "inputs": list(one.axis.inputs),
                "axis": one.axis.axis,
                "wished": one.wished,
                "below": one.below,
                "above": one.above,
                "exact_below": one.exact_below,
                "exact_above": one.exact_above,
            }
            for one in report.near
        ],
        "why": [
            {
                "inputs": _shapes(answer.inputs),
                "valid": not answer.diagnostics,
                "exact": not answer.diagnostics and not answer.dropping,
                "diagnostics": [diagnostic(found, sizes.source) for found in answer.diagnostics],
                "dropping": [one.as_dict() for one in answer.dropping],
            }
            for answer in report.why
        ],
    }


def _shapes(inputs: Iterable[tuple[str, tuple[int, ...]]] | None) -> dict[str, list[int]] | None:
    return None if inputs is None else {name: list(dims) for name, dims in inputs}


def _set(found: SizeSet) -> dict[str, Any]:
    return {
        "progressions": [one.as_dict() for one in found.progressions],
        "ranges": [one.as_dict() for one in found.ranges],
        "smallest": found.smallest,
    }

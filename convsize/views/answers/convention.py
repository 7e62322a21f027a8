"""What other tools count of a network: for people, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from convsize.records import ConventionCount
from convsize.views.text import layout, numbers
from convsize.views.text.paint import PLAIN, Paint

SCHEMA = 1


def render(count: ConventionCount, *, width: int = 80, paint: Paint = PLAIN) -> str:
    """Our figure and theirs, then line by line why they differ, the largest difference first."""
    theirs = numbers.exact(count.theirs) if count.complete else f"at least {numbers.exact(count.theirs)}"
    out = [
        f"{paint(count.name, 'bold')} as {count.tool} {count.version} counts it",
        "",
        *layout.wrapped(f"{theirs} {count.unit}", width, f"{count.tool:<12}", " " * 12),
        *layout.wrapped(f"{numbers.exact(count.ours)} MACs{_ratio(count)}", width, f"{'convsize':<12}", " " * 12),
        "",
        *layout.wrapped(count.says, width),
    ]
    differing = [row for row in count.rows if row.theirs != row.ours]
    if not differing:
        return "\n".join([*out, "", "Both count every layer alike."]) + "\n"
    rows = []
    for row in count.rows:
        gap = "not known" if row.theirs is None else _signed(row.theirs - row.ours)
        theirs = "–" if row.theirs is None else numbers.exact(row.theirs)
        rows.append((row.op, numbers.exact(row.layers), numbers.exact(row.ours), theirs, gap, row.why))
    styles = ["cyan", None, None, None, None, "dim"]
    headers = ("layer", "number", "convsize", count.tool, "difference", "why")
    out += ["", layout.grid(headers, rows, width=width, paint=paint, styles=styles).rstrip()]
    if not count.complete:
        note = "Where a difference is not known, it depends on how the code of the model writes these layers."
        out += ["", *layout.wrapped(note, width)]
    return "\n".join(out) + "\n"


def summary(counts: Sequence[ConventionCount], *, width: int = 80, paint: Paint = PLAIN) -> str:
    """One network as every tool counts it."""
    rows = [("convsize", numbers.exact(counts[0].ours), "MACs", "×1.00", "Convolutions and matrix products.")]
    for each in counts:
        figure = numbers.exact(each.theirs) if each.complete else f"≥ {numbers.exact(each.theirs)}"
        ratio = f"×{each.theirs / each.ours:.2f}" if each.ours else "–"
        rows.append((each.tool, figure, each.unit, ratio, each.says))
    headers = ("tool", "figure", "its unit", "to ours", "what it counts")
    text = layout.grid(headers, rows, width=width, paint=paint, styles=["cyan", None, None, None, "dim"])
    note = f"Layer by layer: convsize explain macs {counts[0].name} --as {counts[-1].tool}"
    title = f"{paint(counts[0].name, 'bold')} · one sample"
    return "\n".join([title, "", text.rstrip(), "", *layout.wrapped(note, width)]) + "\n"


def as_json(counts: Sequence[ConventionCount]) -> str:
    """Every figure, layer by layer."""
    return json.dumps({"schema": SCHEMA, "counts": [_object(each) for each in counts]}, indent=2) + "\n"


def _object(count: ConventionCount) -> dict[str, Any]:
    return {
        "network": count.name,
        "tool": count.tool,
        "version": count.version,
        "unit": count.unit,
        "convsize": count.ours,
        "count": count.theirs,
        "complete": count.complete,
        "rows": [
            {"op": row.op, "layers": row.layers, "convsize": row.ours, "count": row.theirs, "why": row.why}
            for row in count.rows
        ],
        "layers": dict(count.layers),
    }


def _ratio(count: ConventionCount) -> str:
    if not count.ours or count.ours == count.theirs or not count.complete:
        return ""
    return f"; {count.tool} counts {100 * (count.theirs / count.ours - 1):+.3g} %"


def _signed(value: int) -> str:
    return f"{'+' if value > 0 else '-' if value < 0 else ''}{numbers.exact(abs(value))}"

"""What changed between two networks: for terminals, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from convsize.record import Record
from convsize.records import CheckpointFit, Difference, FigureChange, KeyChange, LayerChange, LayerRow
from convsize.views.text import numbers
from convsize.views.text.layout import Cell, clip, full_width, line, titled, widths, wrapped
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import plural

SCHEMA = 1
_SHOWN_LAYERS = 30
_SHOWN_KEYS = 5
_TITLES = {
    "parameters": "parameters",
    "buffers": "buffers",
    "macs": "MACs",
    "flops": "FLOPs",
    "activation_bytes": "activations",
    "parameter_bytes": "parameter bytes",
    "layers": "layers",
    "weight_layers": "weight layers",
    "receptive_field": "receptive field",
}
_MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"), "rewired": ("~", "yellow")}
_LISTED = tuple(_MARKS)
_NARROWEST = 12
"""Characters of a name or a spec that are left where the terminal is narrow."""

_COUNTED = ("renamed", "resized")
"""What follows from the other changes is told in a line each."""


class _Row(Record):
    """A figure as text: what it is, before, after, by how much, and in percent."""

    title: str
    before: str
    after: str
    change: str
    percent: str


# ---- what all formats say --------------------------------------------------------------------------------------------


def _rows(found: Difference, *, in_full: bool) -> Iterator[_Row]:
    for kind, volumes in (("input", found.inputs), ("output", found.outputs)):
        for name, before, after in volumes:
            title = kind if name in {"input", "main"} else f"{kind} {name}"
            if before != after or kind == "output":
                yield _Row(title, _volume(before), _volume(after), "" if before != after else "=", "")
    for figure in found.figures:
        if figure.before != figure.after or figure.name != "buffers":
            yield _figure(figure, in_full=in_full)


def _volume(dims: tuple[int, ...] | None) -> str:
    return "–" if dims is None else numbers.volume(dims)


def _figure(figure: FigureChange, *, in_full: bool) -> _Row:
    def write(value: tuple[int, ...] | None) -> str:
        if value is None:
            return "–"
        if figure.unit == "bytes":
            return numbers.size(value[0])
        if figure.unit == "pixels":
            return numbers.axes(value)
        return numbers.exact(value[0]) if in_full else numbers.count(value[0])

    change = percent = ""
    before, after = figure.before, figure.after
    if before == after:
        change = "="
    elif before is not None and after is not None and len(before) == len(after):
        steps = {two - one for one, two in zip(before, after, strict=True)}
        if len(steps) == 1:
            step = steps.pop()
            sign = "+" if step > 0 else "-"
            change = sign + (numbers.size(abs(step)) if figure.unit == "bytes" else numbers.exact(abs(step)))
            if len(set(before)) == 1 and before[0]:
                percent = _percent(step / before[0])
    return _Row(_TITLES[figure.name], write(before), write(after), change, percent)


def _percent(share: float) -> str:
    text = f"{share:+.1%}"
    return f"{100 * share:+.1g}%" if text in {"+0.0%", "-0.0%"} else text


def _parts(change: LayerChange) -> tuple[str, str, str, str]:
    """A change's name, shorthand, volume and parameters, with an arrow where they differ."""
    before, after = change.before, change.after
    rows = [row for row in (before, after) if row is not None]

    def both(texts: Sequence[str]) -> str:
        return texts[0] if len(set(texts)) == 1 else " → ".join(texts)

    specs = [row.spec for row in rows]
    if change.kind == "rewired":
        specs = [f"{row.spec} from {', '.join(row.inputs)}" for row in rows]
    return (
        both([row.name for row in rows]),
        both(specs),
        both([numbers.volume(row.output) for row in rows]),
        both([numbers.exact(row.parameters) if row.parameters else "–" for row in rows]),
    )


def _counted(found: Difference, kind: str) -> str:
    """`32 layers: basic3.conv1 → basic4.conv1, …`, or nothing."""
    changes = _of_kind(found, kind)
    if not changes:
        return ""
    examples = []
    for each in changes[:3]:
        assert each.before is not None
        assert each.after is not None
        one, two = each.before, each.after
        if kind == "renamed":
            examples.append(f"{one.name} → {two.name}")
        elif one.output != two.output:
            examples.append(f"{two.name} {numbers.volume(one.output)} → {numbers.volume(two.output)}")
        else:
            examples.append(f"{two.name} {_shapes(one)} → {_shapes(two)}")
    more = ", …" if len(changes) > 3 else ""
    return f"{plural(len(changes), 'layer')}: {', '.join(examples)}{more}"


def _of_kind(found: Difference, kind: str) -> list[LayerChange]:
    """The changes of a kind; a layer that was resized may have another name besides."""
    changes = [each for each in found.layers if each.kind == kind]
    if kind == "renamed":
        resized = (each for each in found.layers if each.kind == "resized")
        changes += [each for each in resized if each.before and each.after and each.before.name != each.after.name]
    return changes


def _shapes(row: LayerRow) -> str:
    return " ".join(_shape(tensor.shape) for tensor in row.tensors[:1])


def _shape(shape: tuple[int, ...] | None) -> str:
    return "–" if shape is None else f"[{','.join(map(str, shape))}]"


def _summary(found: Difference) -> str:
    counts = {kind: len(_of_kind(found, kind)) for kind in (*_LISTED, *_COUNTED)}
    said = [f"{numbers.exact(count)} {kind}" for kind, count in counts.items() if count]
    return ", ".join(said) or "none"


def _verdict(found: Difference) -> str:
    fit = found.checkpoint
    names = f"a checkpoint of {found.before.name}"
    if fit.loads:
        agree = "agrees" if fit.matching == 1 else "agree"
        return f"{names} loads into {found.after.name}: {plural(fit.matching, 'tensor')} {agree}"
    counts = [("missing", fit.missing), ("unexpected", fit.unexpected), ("of another shape", fit.mismatched)]
    wrong = ", ".join(f"{numbers.exact(len(keys))} {word}" for word, keys in counts if keys)
    return f"{names} does not load into {found.after.name}: {wrong}; {numbers.exact(fit.matching)} agree"


def _keys(fit: CheckpointFit) -> tuple[tuple[str, tuple[KeyChange, ...]], ...]:
    return (("missing", fit.missing), ("unexpected", fit.unexpected), ("mismatched", fit.mismatched))


def _key(change: KeyChange) -> str:
    if change.before is not None and change.after is not None:
        return f"{change.key} {_shape(change.before)} → {_shape(change.after)}"
    return f"{change.key} {_shape(change.after if change.before is None else change.before)}"


def _sameness(found: Difference) -> str:
    if found.same:
        return "the structures are the same"
    return f"the structures differ: graph {found.before.graph} → {found.after.graph}"


# ---- for terminals ---------------------------------------------------------------------------------------------------


def render(found: Difference, *, expand: bool = False, width: int = 80, paint: Paint = PLAIN) -> str:
    """Totals before and after, then the layers, then the checkpoint; `expand` lists every layer and key."""
    out = [*titled(f"{found.before.name} → {found.after.name}:", _sameness(found), width, paint), ""]
    header = _Row("", _short(found.before.name), _short(found.after.name), "change", "")
    rows = [header, *_rows(found, in_full=False)]
    room = widths([row.values() for row in rows])
    left = [True, False, False, False, False]
    for at, row in enumerate(rows):
        styles = ["bold"] * 5 if at == 0 else [None, None, None, _style(row.change), _style(row.change)]
        out.append(
            line([Cell(text, style) for text, style in zip(row.values(), styles, strict=True)], room, left, paint)
        )
    out += ["", *wrapped(f"layers: {_summary(found)}", width, "", "  ")]
    listed = [each for each in found.layers if each.kind in _LISTED]
    shown = listed if expand else listed[:_SHOWN_LAYERS]
    out += _listing(shown, width, paint)
    if len(shown) < len(listed):
        out.append(f"… and {numbers.exact(len(listed) - len(shown))} more; --expand lists them")
    for kind in _COUNTED:
        text = _counted(found, kind)
        if text:
            out += wrapped(text, width, f"{kind}: ", "  ")
    out += ["", *wrapped(_verdict(found), width, "", "  ")]
    for word, keys in _keys(found.checkpoint):
        listed_keys = keys if expand else keys[:_SHOWN_KEYS]
        for each in listed_keys:
            out += wrapped(_key(each), width, f"  {word:<11} ", " " * 14)
        if len(listed_keys) < len(keys):
            out.append(f"  {word:<11} … and {numbers.exact(len(keys) - len(listed_keys))} more")
    return "\n".join(out) + "\n"


def _listing(shown: Sequence[LayerChange], width: int, paint: Paint) -> list[str]:
    """A line for every change, or where that is too wide a line for either side of it."""
    rows = [(each, _parts(each)) for each in shown]
    if rows and full_width(widths([texts for _, texts in rows])) > width - 2:
        rows = [
            (side, _parts(side))
            for each in shown
            for side in (each.replace(after=None), each.replace(before=None))
            if side.before is not None or side.after is not None
        ]
    room = widths([texts for _, texts in rows])
    for at in (0, 1):  # names and specs give way
        over = full_width(room) + 2 - width
        if room and over > 0:
            room[at] = max(room[at] - over, min(room[at], _NARROWEST))
    out = []
    for each, texts in rows:
        mark, style = _MARKS[each.kind]
        cells = [
            Cell(clip(text, size, keep_end=at == 0), "cyan" if at == 1 else None)
            for at, text, size in zip(range(4), texts, room, strict=True)
        ]
        first = mark if each.before is not None or each.kind == "added" else "→"
        out.append(f"{paint(first, style)} {line(cells, room, [True, True, False, False], paint)}")
    return out


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:19]}…"


def _style(change: str) -> str | None:
    return None if change in {"", "="} else "yellow"


# ---- Markdown --------------------------------------------------------------------------------------------------------


def render_markdown(found: Difference, *, expand: bool = False) -> str:
    """For the comment on a pull request: the totals open, layers and keys to be unfolded."""
    before, after = _code(found.before.name), _code(found.after.name)
    out = [f"### {before} → {after}: {_sameness(found)}", "", f"| | {before} | {after} | change | |"]
    out.append("| :-- | --: | --: | --: | --: |")
    out += [f"| {' | '.join(row.values())} |" for row in _rows(found, in_full=True)]
    out += ["", f"**Checkpoint:** {_escaped(_verdict(found))}."]
    listed = [each for each in found.layers if each.kind in _LISTED]
    notes = [f"- {kind}: {_escaped(text)}" for kind in _COUNTED if (text := _counted(found, kind))]
    if listed or notes:
        out += ["", f"<details><summary>Layers: {_summary(found)}</summary>", ""]
        shown = listed if expand else listed[: 4 * _SHOWN_LAYERS]
        if shown:
            out += ["| | layer | spec | output | parameters |", "| :-- | :-- | :-- | --: | --: |"]
            for each in shown:
                name, spec, volume, parameters = _parts(each)
                out.append(f"| {each.kind} | {_code(name)} | {_code(spec)} | {volume} | {parameters} |")
        if len(shown) < len(listed):
            out += ["", f"… and {numbers.exact(len(listed) - len(shown))} more."]
        out += ["", *notes] if notes else []
        out += ["", "</details>"]
    if not found.checkpoint.loads:
        out += ["", "<details><summary>Keys of the checkpoint that do not fit</summary>", ""]
        for word, keys in _keys(found.checkpoint):
            listed_keys = keys if expand else keys[: 4 * _SHOWN_KEYS]
            out += [f"- {word}: {_code(_key(each))}" for each in listed_keys]
            if len(listed_keys) < len(keys):
                out.append(f"- {word}: … and {numbers.exact(len(keys) - len(listed_keys))} more")
        out += ["", "</details>"]
    return "\n".join(out) + "\n"


def _code(text: str) -> str:
    """Between backticks, on one line, and safe inside a table."""
    return f"`{' '.join(text.split()).replace('`', chr(39))}`".replace("|", "\\|")


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_|<>[]" else char for char in text)


# ---- JSON ------------------------------------------------------------------------------------------------------------


def render_json(found: Difference) -> str:
    """One object of plain ints, strings, lists and dicts."""
    return json.dumps(to_object(found), indent=2, ensure_ascii=False) + "\n"


def to_object(found: Difference) -> dict[str, Any]:
    """Figures are ints, or lists for every axis; layers and keys are listed in full."""
    fit = found.checkpoint
    return {
        "schema": SCHEMA,
        "before": {"name": found.before.name, "source": found.before.source.name, "graph": found.before.graph},
        "after": {"name": found.after.name, "source": found.after.source.name, "graph": found.after.graph},
        "same": found.same,
        "batch": found.before.batch,
        "dtype": found.before.dtype,
        "inputs": [_volume_object(*each) for each in found.inputs],
        "outputs": [_volume_object(*each) for each in found.outputs],
        "figures": {each.name: _figure_object(each) for each in found.figures},
        "layers": [
            {"kind": each.kind, "before": _layer_object(each.before), "after": _layer_object(each.after)}
            for each in found.layers
        ],
        "checkpoint": {
            "loads": fit.loads,
            "matching": fit.matching,
            "missing": [{"key": each.key, "shape": list(each.after or ())} for each in fit.missing],
            "unexpected": [{"key": each.key, "shape": list(each.before or ())} for each in fit.unexpected],
            "mismatched": [
                {"key": each.key, "before": list(each.before or ()), "after": list(each.after or ())}
                for each in fit.mismatched
            ],
        },
    }


def _volume_object(name: str, before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> dict[str, Any]:
    return {
        "name": name,
        "before": None if before is None else list(before),
        "after": None if after is None else list(after),
    }


def _figure_object(figure: FigureChange) -> dict[str, Any]:
    def plain(value: tuple[int, ...] | None) -> Any:
        if value is None:
            return None
        return list(value) if figure.unit == "pixels" else value[0]

    return {"unit": figure.unit, "before": plain(figure.before), "after": plain(figure.after)}


def _layer_object(row: LayerRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "name": row.name,
        "op": row.op,
        "spec": row.spec,
        "line": row.line,
        "inputs": list(row.inputs),
        "output": list(row.output),
        "parameters": row.parameters,
        "macs": row.macs,
    }

"""What stands out: plain sentences with shares, chosen by what the figures are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from convsize.analyses.receptive_field.network import Fields, before_positions_end
from convsize.geometry import AXIS_NAMES, Shape
from convsize.graph.network import Network
from convsize.language.tree import ExpectStmt, InputStmt
from convsize.ops.base import CONVOLUTIONS
from convsize.record import Record
from convsize.records import Insight, LayerRow, ReceptiveField, Totals, UnreadPixels
from convsize.words import grid_word, listed, numbered, percent, plural

_LINES = {"height": "rows", "width": "columns", "time": "frames", "length": "positions"}


def insights(
    network: Network,
    rows: Sequence[LayerRow],
    totals: Totals,
    fields: Mapping[str, Fields],
    unread: Sequence[UnreadPixels] | None,
    lost_complete: bool,
) -> tuple[Insight, ...]:
    """What is worth knowing of a network beside its figures.

    unread is None, and lost_complete False, where the network was too large for them to be followed.
    """
    found: list[Insight] = []
    found.extend(_memory(rows, totals))
    found.extend(_parameters(rows, totals))
    found.extend(_work(rows, totals))
    found.extend(_receptive_fields(network, fields))
    found.extend(_unread(network, unread))
    found.extend(_skipped(network, rows))
    if unread is None or not lost_complete:
        what = "which positions no output reads" if lost_complete else "which positions are skipped"
        text = f"{what} was not computed: dilated windows over so many positions would take too long"
        found.append(Insight("not_computed", text, 0.0, ()))
    found.extend(_not_checked(network))
    return tuple(found)


def _not_checked(network: Network) -> Iterator[Insight]:
    """What the spec states of its declared inputs, where the network has others."""
    declared = {
        stmt.name.name if stmt.name is not None else "input": stmt.volume
        for stmt in network.file.statements
        if isinstance(stmt, InputStmt)
    }
    others = [
        name
        for name, index in network.inputs.items()
        if network.nodes[index].output.dims != (declared[name].channels, *declared[name].extents)
    ]
    if not others:
        return
    place = network.source.place
    said = []
    expected = [stmt.span for stmt in network.file.statements if isinstance(stmt, ExpectStmt)]
    for what, spans in (("inline volume", network.left_out), ("`expect:`", expected)):
        lines = sorted({place(span.start).line for span in spans})
        if lines:
            kind = f"{what}s" if len(spans) > 1 and what[0] != "`" else what
            said.append(f"the {kind} on {numbered('line', lines, most=3)}")
    if said:
        there = listed([str(Shape(declared[name].channels, declared[name].extents)) for name in others])
        text = f"not checked: {listed(said)}, written for {there}"
        yield Insight("not_checked", text, 0.0, ())


def _span(names: Sequence[str]) -> str:
    """Layers that follow each other: `conv1`, `conv1 and conv2`, `conv1 to conv4`."""
    return f"{names[0]} to {names[-1]}" if len(names) > 2 else listed(names)


def _kind(rows: Sequence[LayerRow]) -> str:
    """What layers are called together: convolutions, fully connected layers, weight layers."""
    if all(row.kind == "dense" for row in rows):
        return "fully connected layers"
    return "convolutions" if all(row.kind in CONVOLUTIONS for row in rows) else "weight layers"


class _Stretch:
    """A weight layer with the layers after it up to the next one, in the order of the network."""

    def __init__(self, head: LayerRow) -> None:
        self.head = head
        self.value = 0


def _stretches(rows: Sequence[LayerRow], values: Sequence[int]) -> list[_Stretch]:
    found: list[_Stretch] = []
    before = 0  # what stands before the first weight layer goes with it
    for row, value in zip(rows, values, strict=True):
        if row.macs:
            found.append(_Stretch(row))
        if found:
            found[-1].value += value
        else:
            before += value
    if found:
        found[0].value += before
    return found


class _Run(Record):
    """Stretches that follow each other and hold most of a total: `text` says where, `names` are their weight layers."""

    text: str
    names: tuple[str, ...]
    value: int


def _most(stretches: Sequence[_Stretch], total: int) -> _Run | None:
    """The shortest run that holds over half of the total, where that is at most half of the stretches."""
    best: tuple[int, int, int] | None = None
    start = held = 0
    for stop, stretch in enumerate(stretches, 1):
        held += stretch.value
        while 2 * (held - stretches[start].value) > total:
            held -= stretches[start].value
            start += 1
        if 2 * held > total and (best is None or (stop - start, -held) < (best[1] - best[0], -best[2])):
            best = (start, stop, held)
    if best is None or 2 * (best[1] - best[0]) > len(stretches):
        return None
    start, stop, held = best
    everyone, names = len(stretches), tuple([stretch.head.name for stretch in stretches[start:stop]])
    kind = _kind([stretch.head for stretch in stretches])
    count = stop - start
    if count == 1:
        return _Run(names[0], names, held)
    place = "the first " if start == 0 else "the last " if stop == everyone else ""
    if place:
        return _Run(f"{place}{count} of {everyone} {kind}, {_span(names)}", names, held)
    return _Run(f"{count} of {everyone} {kind}, {_span(names)}", names, held)


def _stands_out(share: float, count: int) -> bool:
    """Whether one of `count` with this share of the whole is worth a sentence: not where all have about the same."""
    return share >= 0.1 and share * count >= 1.5


def _memory(rows: Sequence[LayerRow], totals: Totals) -> Iterator[Insight]:
    total = totals.activation_bytes
    if not total or len(rows) < 2:
        return
    most = _most(_stretches(rows, [row.output_bytes for row in rows]), total)
    if most is not None:
        share = most.value / total
        text = f"most activation memory ({percent(share)}) is in {most.text} and the layers right after it"
        yield Insight("activation_memory", text, share, most.names)
        return
    largest = max(rows, key=lambda row: row.output_bytes)
    share = largest.output_bytes / total
    if not _stands_out(share, len(rows)):
        return
    text = f"{largest.name} has the largest output, with {percent(share)} of the activation memory"
    yield Insight("activation_memory", text, share, (largest.name,))


def _parameters(rows: Sequence[LayerRow], totals: Totals) -> Iterator[Insight]:
    total = totals.parameters
    holders = [row for row in rows if row.parameters]
    if not total or len(holders) < 2:
        return
    connected = [row for row in holders if row.kind == "dense"]
    held = sum(row.parameters for row in connected)
    if connected and 2 * held > total and len(connected) < len(holders):
        names = tuple([row.name for row in connected])
        layers = "layer" if len(names) == 1 else "layers"
        text = f"{percent(held / total)} of the parameters are in the fully connected {layers} {listed(names, most=3)}"
        yield Insight("parameters", text, held / total, names)
        return
    most = _most(_stretches(rows, [row.parameters for row in rows]), total)
    if most is not None:
        share = most.value / total
        yield Insight("parameters", f"most parameters ({percent(share)}) are in {most.text}", share, most.names)
        return
    largest = max(holders, key=lambda row: row.parameters)
    share = largest.parameters / total
    if not _stands_out(share, len(holders)):
        return
    text = f"{largest.name} holds the most parameters, {percent(share)} of them"
    yield Insight("parameters", text, share, (largest.name,))


def _work(rows: Sequence[LayerRow], totals: Totals) -> Iterator[Insight]:
    workers = [row for row in rows if row.macs]
    if len(workers) < 2:
        return
    largest = max(row.macs for row in workers)
    names = tuple([row.name for row in workers if row.macs == largest])
    share = largest / totals.macs
    if not _stands_out(share, len(workers)):
        return
    each = " each" if len(names) > 1 else ""
    does = "do" if each else "does"
    text = f"{listed(names, most=3)} {does} the most multiply-adds, {percent(share)} of them{each}"
    yield Insight("macs", text, share, names)


def _receptive_fields(network: Network, fields: Mapping[str, Fields]) -> Iterator[Insight]:
    end = network.outputs["main"]
    for name, found in fields.items():
        shape = network.nodes[network.inputs[name]].output
        if found.beyond is not None:
            layer = network.nodes[found.beyond].name
            far = f"over 2^62 {grid_word(shape.rank)}s apart"
            text = f"the receptive field is not followed beyond {layer}: neighbouring units lie {far}"
            yield Insight("receptive_field", text, 0.0, (layer,))
        last = before_positions_end(network, found.rows, end) if found.rows[end] is not None else None
        row = None if last is None else found.rows[last]
        if last is not None and row is not None and shape.spatial:
            layer = network.nodes[last].name
            yield Insight("receptive_field", _compared(row, shape.spatial, layer, name), float(row.seen), (layer,))
        if found.parted is not None:
            layer = network.nodes[found.parted].name
            text = f"the branches that {layer} joins see different places: the centres of their receptive fields differ"
            yield Insight("centres", text, 0.0, (layer,))
    if len(fields) < len(network.inputs):
        left = tuple([name for name in network.inputs if name not in fields])
        known, rest = listed(tuple(fields), most=3), plural(len(left), "more input")
        text = f"receptive fields are given for {known} only: {rest} would take too long"
        yield Insight("not_computed", text, 0.0, left)


def _compared(row: ReceptiveField, extents: tuple[int, ...], layer: str, name: str) -> str:
    size, image = "x".join(map(str, row.size)), "x".join(map(str, extents))
    subject = f"the receptive field of {layer}, {size},"
    if all(own >= extent for own, extent in zip(row.size, extents, strict=True)):
        if row.size == extents:
            return f"the receptive field of {layer} is the whole {image} of `{name}`"
        return f"{subject} is larger than the {image} of `{name}`"
    if all(own <= extent for own, extent in zip(row.size, extents, strict=True)):
        most = percent(float(row.seen))
        return f"{subject} is smaller than the {image} of `{name}`: the best-placed unit sees {most} of it"
    return f"{subject} is larger than the {image} of `{name}` along one axis and smaller along another"


def _axis_lines(rank: int, axis: int) -> str:
    """What an axis is made of: rows, columns, frames."""
    return _LINES[AXIS_NAMES[rank][axis]] if rank in AXIS_NAMES else f"positions of axis {axis + 1}"


def _unread(network: Network, unread: Sequence[UnreadPixels] | None) -> Iterator[Insight]:
    lines: dict[str, list[tuple[UnreadPixels, int, int]]] = {}
    for row in unread or ():
        spatial = network.nodes[network.inputs[row.input]].output.spatial
        lines.setdefault(row.input, []).append((row, spatial[row.axis], len(spatial)))
    for name, found in lines.items():
        parts = [f"{row.pixels:,} of the {extent:,} {_axis_lines(rank, row.axis)}" for row, extent, rank in found]
        share = max(row.pixels / extent for row, extent, _ in found)
        yield Insight("unread", f"no output ever reads {' and '.join(parts)} of `{name}`", share, ())


def _skipped(network: Network, rows: Sequence[LayerRow]) -> Iterator[Insight]:
    """Layers whose windows step over pixels or stop before the end; what is cropped is left out on purpose."""
    found = []
    for row in rows:
        if not row.lost:
            continue
        node = network.nodes[row.index]
        window = network.window(node)
        if window.reads or any(axis.stride > 1 for axis in window.axes):
            found.append(row)
    if not found:
        return

    def worst(row: LayerRow) -> float:
        return max(lost.pixels / row.input_shapes[0][1 + lost.axis] for lost in row.lost)

    row = max(found, key=worst)
    lost = row.lost[0]
    rank = len(row.input_shapes[0]) - 1
    what = f"{lost.pixels:,} of {row.input_shapes[0][1 + lost.axis]:,} {_axis_lines(rank, lost.axis)}"
    names = tuple([each.name for each in found])
    if len(found) == 1:
        text = f"the windows of {row.name} skip {what} of its input"
    else:
        left = f"leave out {grid_word(rank)}s of their inputs"
        text = f"the windows of {plural(len(found), 'layer')} {left}, {row.name} {what}"
    yield Insight("skipped", text, worst(row), names)

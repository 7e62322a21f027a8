"""What a picture of a network shows: layers, blocks as boxes around them, repeats folded, and what reads what.

Every picture (DOT, Mermaid, text) is written from the same `Drawing`. It folds as the tables do, but
keeps the blocks and the wiring, of which a listing has no need: iterations of a repeat are one box with a number of
times if they look, cost and are wired alike inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from convsize.record import Record
from convsize.records import LayerRow, Report
from convsize.views.drawing.parts import JOINS, Box, Detail, Dims, Drawing, Link, Part, family, leaves
from convsize.views.drawing.shorthand import shortened, shorthand
from convsize.views.text.nesting import Item, Nested, Repeat, nested, rows_in, runs, summed

_FOLLOWS = ("activation", "norm", "pool", "regularisation", "reshaping")
"""Families that below the detail of layers stand with the layer they follow."""
_COMMUTE = ("sum", "gate")
"""Joins that do not mind the order of what they read."""


def draw(report: Report, detail: Detail = "block", *, apart: tuple[str, ...] = ()) -> Drawing:
    """What a picture of the network shows at a level of detail.

    layer: every layer, in boxes for the blocks around it. block: a shape for every block of the trunk; outside of
    blocks, a shape for every convolution with the norm, activation and pool after it. network: a shape for every
    stage, which are the layers between two changes of resolution. Layers of the families `apart` stand for themselves.
    """
    return _Drawer(report, detail, apart).drawing()


class _Folded(Record):
    """A block or some iterations of a repeat, of which `items` are drawn; rows: of all iterations."""

    name: str | None
    items: list[_Shown]
    rows: list[LayerRow]
    times: int = 1
    summed: bool = False


_Shown = LayerRow | _Folded


class _Drawer:
    """Draws one network; `drawn` says for a layer of a folded iteration which layer is drawn for it."""

    def __init__(self, report: Report, detail: Detail, apart: tuple[str, ...]) -> None:
        self.report = report
        self.detail = detail
        self.following = [each for each in _FOLLOWS if each not in apart]
        self.heads = {name for name, _ in report.outputs if name != "main"}
        self.drawn: dict[str, LayerRow] = {}
        self.stands_for: dict[str, list[LayerRow]] = {}
        self.readers: dict[str, int] = {}
        for row in report.layers:
            for name in row.inputs:
                self.readers[name] = self.readers.get(name, 0) + 1

    def drawing(self) -> Drawing:
        rows = self.report.layers
        shown = self.fold(nested(rows, 0, 0))
        for row in rows:
            self.stands_for.setdefault(self.drawn.get(row.name, row).name, []).append(row)
        parts: list[Part | Box] = [
            Part(f"input-{at}", "input", "input", name, "", None, dims)
            for at, (name, dims) in enumerate(self.report.inputs)
        ]
        parts += self.stages(shown) if self.detail == "network" else self.parts(shown)
        links = self.links(parts)
        for at, ((name, dims), end) in enumerate(zip(self.report.outputs, self.report.ends, strict=True)):
            key = f"output-{at}"
            label = "output" if name == "main" else f"head {name}"
            parts.append(Part(key, "output", "output", label, "", None, dims))
            links.append(self.link(end, key))
        order = {part.key: at for at, part in enumerate(leaves(parts))}
        links = _with_skips(_labelled(links, self.locals), order)
        return Drawing(self.report.name, self.detail, tuple(parts), tuple(links), rows)

    # ---- folding ----

    def fold(self, items: Iterable[Item]) -> list[_Shown]:
        shown: list[_Shown] = []
        for item in items:
            if isinstance(item, Nested):
                shown.append(_Folded(item.name, self.fold(item.items), rows_in(item.items)))
            elif isinstance(item, Repeat):
                shown += self.repeat(item)
            else:
                shown.append(item)
        return shown

    def repeat(self, repeat: Repeat) -> list[_Shown]:
        iterations = [rows_in(iteration) for iteration in repeat.iterations]
        found = runs(repeat)
        whole = summed(repeat, found)
        if whole:
            found = [list(range(len(iterations)))]
        shown: list[_Shown] = []
        for run in found:
            items = self.fold(repeat.iterations[run[0]])
            if len(run) == 1:
                shown += items
                continue
            first = iterations[run[0]]
            for at in run[1:]:
                for place, row in enumerate(iterations[at]):
                    same = first[place] if len(iterations[at]) == len(first) else first[-1]
                    self.drawn[row.name] = self.drawn.get(same.name, same)
            rows = [row for at in run for row in iterations[at]]
            alone = items[0] if len(items) == 1 else None
            if isinstance(alone, _Folded) and alone.times == 1:
                shown.append(alone.replace(rows=rows, times=len(run), summed=whole))
            else:
                shown.append(_Folded(None, items, rows, len(run), whole))
        return shown

    # ---- parts ----

    def parts(self, shown: Iterable[_Shown], level: int = 0) -> list[Part | Box]:
        """The parts of these at the details "block" and "layer"."""
        found: list[Part | Box] = []
        for item in shown:
            if isinstance(item, _Folded):
                if self.detail == "block" and item.name is not None:
                    found.append(self.block(item))
                    continue
                inner = self.parts(item.items, level + 1)
                if self.detail == "block" and len(inner) == 1 and isinstance(inner[0], Part):
                    alone = inner[0]
                    counted, rows = tuple(item.rows), self.everything(item.rows)
                    found.append(alone.replace(counted=counted, rows=rows, times=item.times, summed=item.summed))
                    continue
                first, last = item.rows[0], item.rows[-1]
                label = "" if item.name is None else self.title(item.name, first)
                key = f"box-{first.index}-{level}"
                box = Box(key, label, _entering(item.rows), last.output, tuple(inner), tuple(item.rows))
                found.append(box.replace(times=item.times, summed=item.summed))
                continue
            before = found[-1] if found else None
            if self.detail == "block" and isinstance(before, Part) and self.follows(item, before):
                found[-1] = before.replace(
                    label=f"{before.label} {item.spec}",
                    after=item.output,
                    rows=(*before.rows, *self.everything([item])),
                    counted=(*before.counted, item),
                    iteration=(*before.iteration, item),
                )
                continue
            found.append(
                Part(
                    f"layer-{item.index}",
                    "layer",
                    family(item),
                    item.spec,
                    item.name,
                    None,
                    item.output,
                    self.everything([item]),
                    (item,),
                    (item,),
                )
            )
        return found

    def follows(self, row: LayerRow, part: Part) -> bool:
        """Whether a layer is drawn with the one before it: it alone reads it, and has no weights of its own kind."""
        return (
            part.kind == "layer"
            and part.times == 1
            and part.family not in JOINS
            and family(row) in self.following
            and row.inputs == (part.iteration[-1].name,)
            and self.readers[part.iteration[-1].name] == 1
        )

    def everything(self, rows: Iterable[LayerRow]) -> tuple[LayerRow, ...]:
        """These layers, and those of folded iterations for which they are drawn, in order."""
        names = dict.fromkeys(self.drawn.get(row.name, row).name for row in rows)
        return tuple(sorted((row for name in names for row in self.stands_for[name]), key=lambda row: row.index))

    def block(self, item: _Folded) -> Part:
        first, last = item.rows[0], item.rows[-1]
        # Iterations that differ are summed: other iterations may read what the first does not.
        iteration = tuple(item.rows if item.summed else item.rows[: len(item.rows) // item.times])
        assert item.name is not None
        return Part(
            f"block-{first.index}",
            "block",
            "block",
            self.title(item.name, first),
            shorthand(iteration[: len(iteration) // item.times] if item.summed else iteration),
            _entering(item.rows),
            last.output,
            self.everything(item.rows),
            tuple(item.rows),
            iteration,
            item.times,
            item.summed,
        )

    def title(self, instance: str, row: LayerRow) -> str:
        """The name of a block's `def`; of a head, the head's own."""
        if instance in self.heads and row.blocks[0] == instance:
            return f"head {instance}"
        stem = instance.rstrip("0123456789")
        # The instances of a block c2 are c2_1, c2_2 …
        return stem[:-1] if stem.endswith("_") and stem[-2:-1].isdigit() else stem

    def stages(self, shown: Iterable[_Shown]) -> list[Part | Box]:
        """Layers between two changes of resolution; a stage reads on from itself, so that heads stand alone."""
        found: list[list[_Shown]] = []
        key = None
        names: set[str] = set()
        for item in shown:
            rows = item.rows if isinstance(item, _Folded) else [item]
            own = (_resolution(rows[-1]), self.head(rows[0]))
            if not found or own != key or not names.intersection(rows[0].inputs):
                found.append([])
                names = set()
            found[-1].append(item)
            key = own
            names.update(row.name for row in rows)
        return [self.stage(items) for items in found]

    def stage(self, items: list[_Shown]) -> Part:
        rows: list[LayerRow] = []
        words: list[str] = []
        for item in items:
            if isinstance(item, _Folded):
                rows += item.rows
                name = self.title(item.name, item.rows[0]) if item.name else f"({shorthand(item.rows)})"
                words.append(f"{name}*{item.times}" if item.times > 1 else name)
            else:
                rows.append(item)
                if family(item) not in ("activation", "norm", "regularisation"):
                    words.append(item.spec)
        found = _counted(words) or [rows[0].spec]
        one = len(rows) == 1
        return Part(
            f"stage-{rows[0].index}",
            "layer" if one else "block",
            family(rows[0]) if one else "block",
            shortened(found),
            "" if one or shorthand(rows) == shortened(found) else shorthand(rows),
            _entering(rows),
            rows[-1].output,
            self.everything(rows),
            tuple(rows),
            tuple(rows),
        )

    # ---- wiring ----

    def links(self, parts: Iterable[Part | Box]) -> list[Link]:
        """What reads what, in the order of the readers."""
        everything = list(leaves(parts))
        self.owner: dict[str, Part] = {}
        self.shapes = dict(self.report.inputs) | {row.name: row.output for row in self.report.layers}
        self.rows = {row.name: row for row in self.report.layers}
        self.locals: dict[tuple[str, str], tuple[str, str]] = {}
        self.places: dict[str, tuple[int, int]] = {}
        for at, part in enumerate(everything):
            if part.kind == "input":
                self.owner[part.label] = part
                self.places[part.label] = at, 0
            for row in part.rows:
                self.owner[row.name] = part
                self.places[row.name] = at, row.index
        return [link for part in everything for link in self.read(part)]

    def read(self, part: Part) -> Iterator[Link]:
        """What a part reads: of a layer every operand, of several layers every value from outside."""
        own = {row.name for row in part.rows}
        alone = part.iteration[0] if len(part.iteration) == 1 else None
        if alone is not None:
            names = list(alone.inputs)
            roles = _roles(alone)
        else:
            names = list(dict.fromkeys(name for row in part.iteration for name in row.inputs if name not in own))
            roles = [""] * len(names)
        if not any(roles) and (alone is None or family(alone) not in _COMMUTE):
            places = [self.places[name] for name in names]
            if places != sorted(set(places)):
                roles = [_ordinal(at) for at in range(1, len(names) + 1)]
        for name, role in zip(names, roles, strict=True):
            yield self.link(name, part.key, role)
        shapes = dict.fromkeys(row.like for row in part.iteration if row.like is not None and row.like not in own)
        for name in shapes:
            yield self.link(name, part.key, like=True)

    def link(self, name: str, target: str, role: str = "", *, like: bool = False) -> Link:
        """That a part reads the value of a layer, or an input."""
        source = self.owner[name]
        volume = None if source.after == self.shapes[name] else self.shapes[name]
        value, full = name, name
        if name in self.rows:
            value = self.drawn.get(name, self.rows[name]).name
            around = _around(source)
            steps = name.split(".")
            local = ".".join(steps[around:])
            last = self.drawn.get(source.counted[-1].name, source.counted[-1]).name
            self.locals[source.key, value] = ("" if value == last else local), self.rows[name].called or local
            if source.kind == "layer":
                full = source.note
            elif around and value == last:
                full = ".".join(steps[:around])
            else:
                full = ".".join([*steps[:around], self.rows[name].called or local])
        return Link(source.key, target, value, full, volume, role=role, like=like)

    def head(self, row: LayerRow) -> str:
        """The output that a layer belongs to."""
        return row.blocks[0] if row.blocks and row.blocks[0] in self.heads else "main"


def _around(part: Part) -> int:
    """How many blocks stand around all layers of a part; those are in the names of its values."""
    names = [row.name.split(".")[:-1] for row in part.iteration]
    first, last = min(names), max(names)
    return next((at for at, step in enumerate(first) if last[at : at + 1] != [step]), len(first))


def _roles(row: LayerRow) -> list[str]:
    """What the values that a layer reads are to it, by their places."""
    count = len(row.inputs)
    if row.kind in ("difference", "quotient"):
        first, other = ("minuend", "subtrahend") if row.kind == "difference" else ("dividend", "divisor")
        return [first] + [other] * (count - 1)
    if row.kind == "attention" and count > 1:
        return ["queries", "keys", "values"] if count > 2 else ["queries", "keys and values"]
    return [""] * count


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"


def _labelled(links: list[Link], locals_: dict[tuple[str, str], tuple[str, str]]) -> list[Link]:
    """The same links, with the names of the values where a part gives several, or one that is not its last."""
    values: dict[str, dict[str, None]] = {}
    for link in links:
        values.setdefault(link.source, {})[link.value] = None
    found = []
    for link in links:
        several = values[link.source]
        inner, called = locals_.get((link.source, link.value), ("", ""))
        if len(several) > 1 or inner:
            names = [locals_.get((link.source, value), ("", value))[1] for value in several]
            found.append(link.replace(label=called if names.count(called) == 1 else link.value))
        else:
            found.append(link)
    return found


def _with_skips(links: list[Link], order: dict[str, int]) -> list[Link]:
    """The same links, those that go around other parts marked."""
    first_reader: dict[str, int] = {}
    last_source: dict[str, int] = {}
    for link in links:
        if link.like:
            continue
        at, source = order[link.target], order[link.source]
        first_reader[link.source] = min(first_reader.get(link.source, at), at)
        last_source[link.target] = max(last_source.get(link.target, source), source)
    return [
        link.replace(
            skip=not link.like
            and first_reader[link.source] < order[link.target]
            and last_source[link.target] > order[link.source]
        )
        for link in links
    ]


def _resolution(row: LayerRow) -> object:
    """The same for layers of one stage: how many pixels of the input one step means."""
    field = row.receptive_field
    return None if field is None or field.whole or len(row.output) == 1 else field.jump


def _entering(rows: Sequence[LayerRow]) -> Dims | None:
    """The volume that enters these layers; None where they read several values from outside."""
    own = {row.name for row in rows}
    found = {name: dims for row in rows for name, dims in zip(row.inputs, row.input_shapes, strict=True)}
    outside = [dims for name, dims in found.items() if name not in own]
    return outside[0] if len(outside) == 1 else None


def _counted(words: Iterable[str]) -> list[str]:
    """Words that follow each other are one: C3D64*2."""
    found: list[tuple[str, int]] = []
    for word in words:
        if found and found[-1][0] == word:
            found[-1] = (word, found[-1][1] + 1)
        else:
            found.append((word, 1))
    return [word if times == 1 else f"{word}*{times}" for word, times in found]

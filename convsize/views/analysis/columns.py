"""The columns of every tabular view: what they hold, what they are called, how they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import prod
from typing import Any

from convsize.errors import UsageError
from convsize.record import Record
from convsize.records import LayerRow, ReceptiveField, Report
from convsize.views.text import numbers
from convsize.views.text.fold import Line
from convsize.views.text.layout import bar
from convsize.words import did_you_mean, nearest

SHARED = "shared"
"""What stands for the parameters of a layer that uses the weights of one before it."""


class Column(Record):
    """One column.

    name: what `--columns` and `--sort` call it, the field's name in the JSON. header: above the table; `brief` where
    its figures are short, too. value: the plain value of one layer (None: there is none). write: a value for people,
    short; exact: in full. cost: a figure that is summed over folded layers. words: aligned to the left. said: the text
    of a line where that is no value of a layer.
    """

    name: str
    header: str
    value: Callable[[LayerRow], Any]
    write: Callable[[Any], str] = str
    exact: Callable[[Any], str] | None = None
    cost: bool = False
    words: bool = False
    said: Callable[[Line], str] | None = None
    brief: str | None = None

    def title(self, *, in_full: bool) -> str:
        """What stands above the column."""
        return self.header if in_full or self.brief is None else self.brief

    def of(self, line: Line) -> Any:
        """The value of a line: summed for a cost, else what its last layer has."""
        return line.total(self.value) if self.cost else self.value(line.last)

    def text(self, line: Line, *, in_full: bool = False) -> str:
        """What stands in the cell of a line; nothing is said by a dash."""
        if self.said is not None:
            return self.said(line)
        value = self.of(line)
        if value is None or (self.cost and value == 0):
            return SHARED if self.name == "parameters" and line.last.shares else "–"
        text = (self.exact if in_full and self.exact else self.write)(value)
        if in_full and self.name in {"receptive_field", "start"} and line.times > 1:
            # A repeat sees more from iteration to iteration: from the first iteration's field to the last one's.
            before = self.value(line.first)
            if before is not None and self.write(before) != text:
                return f"{self.write(before)}…{text}"
        return text


def _field(layer: LayerRow) -> ReceptiveField | None:
    return layer.receptive_field


def _sees(field: ReceptiveField) -> str:
    return "all" if field.whole else numbers.axes(field.size)


def _jump(layer: LayerRow) -> tuple[Fraction, ...] | None:
    field = layer.receptive_field
    return None if field is None or field.whole or not field.jump else field.jump


def _start(layer: LayerRow) -> tuple[Fraction, ...] | None:
    field = layer.receptive_field
    return None if field is None or field.whole or not field.start else field.start


def gives(layer: LayerRow) -> str:
    """The volume that a layer gives; of a fully connected one how many values it reads as well: 25088→4096."""
    output = numbers.volume(layer.output)
    return f"{prod(layer.input_shapes[0])}→{output}" if layer.kind == "dense" else output


def step_counters(report: Report) -> str:
    """How many of the buffers count steps, as batch norms' do in PyTorch but not in Keras; empty without any."""
    found = sum(tensor.role == "buffer" and not tensor.shape for layer in report.layers for tensor in layer.tensors)
    if not found:
        return ""
    return f"{numbers.exact(found)} of them {'a step counter' if found == 1 else 'step counters'}"


def _output(line: Line) -> str:
    return gives(line.last) if line.summary is None else numbers.volume(line.last.output)


def _cost(
    name: str,
    header: str,
    value: Callable[[LayerRow], int],
    write: Callable[[int], str] = numbers.count,
    brief: str | None = None,
) -> Column:
    return Column(name, header, value, write, numbers.exact, cost=True, brief=brief)


def _bytes(name: str, header: str, value: Callable[[LayerRow], int]) -> Column:
    return Column(name, header, value, numbers.size, numbers.exact, cost=True)


COLUMNS: tuple[Column, ...] = (
    Column("name", "layer", lambda layer: layer.name, words=True, said=lambda line: line.name),
    Column("op", "op", lambda layer: layer.op, words=True, said=lambda line: line.op),
    Column("spec", "spec", lambda layer: layer.spec, words=True, said=lambda line: line.spec),
    Column("line", "line", lambda layer: layer.line),
    # Of a folded line it is what enters its first iteration.
    Column("inputs", "from", lambda layer: layer.inputs, words=True, said=lambda line: " ".join(line.first.inputs)),
    Column("output", "output", lambda layer: layer.output, said=_output),
    Column("receptive_field", "RF", _field, _sees),
    Column("jump", "jump", _jump, numbers.axes),
    Column("start", "RF start", _start, numbers.places),
    Column("seen", "of input", lambda layer: field.seen if (field := layer.receptive_field) else None, numbers.share),
    _cost("parameters", "parameters", lambda layer: layer.parameters, brief="params"),
    _cost("weights", "weights", lambda layer: layer.weights, numbers.exact),
    _cost("biases", "biases", lambda layer: layer.biases, numbers.exact),
    _cost("buffers", "buffers", lambda layer: layer.buffers, numbers.exact),
    _cost("macs", "MACs", lambda layer: layer.macs),
    _cost("flops", "FLOPs", lambda layer: layer.flops),
    _cost("output_elements", "elements", lambda layer: layer.output_elements),
    _bytes("output_bytes", "activations", lambda layer: layer.output_bytes),
    _bytes("parameter_bytes", "weight bytes", lambda layer: layer.parameter_bytes),
)
REPEATS = Column("repeats", "", lambda _: 1, words=True, said=lambda line: f"×{line.times}" if line.times > 1 else "")
"""How many iterations a line stands for: beside the name where anything is folded."""

BAR_WIDTH = 8


def shares(column: Column, total: int, largest: int) -> Column:
    """The bars of a cost: a full one for `largest`, whose share of `total` stands above them."""
    return Column(
        f"{column.name} share",
        f"to {numbers.share(largest / total)}",
        column.value,
        cost=True,
        words=True,
        said=lambda line: bar(line.total(column.value), largest, BAR_WIDTH),
    )


BY_NAME = {column.name: column for column in COLUMNS}
ALIASES = {
    "layer": "name",
    "from": "inputs",
    "rf": "receptive_field",
    "params": "parameters",
    "elements": "output_elements",
    "activations": "output_bytes",
    "memory": "output_bytes",
}


def column(name: str) -> Column:
    """The column of that name. Raises UsageError with the nearest one."""
    word = name.strip().lower().replace("-", "_")
    found = BY_NAME.get(ALIASES.get(word, word))
    if found is None:
        guess = nearest(word, [*BY_NAME, *ALIASES])
        hint = did_you_mean(guess, f"there are: {', '.join(BY_NAME)}")
        raise UsageError(f"there is no column `{name.strip()}`: {hint}")
    return found


def chosen(names: str) -> tuple[Column, ...]:
    """The columns of a list with commas; FLOPs never stand without the MACs before them.

    Raises UsageError for a name that is no column's, or for none at all.
    """
    columns: list[Column] = []
    for name in names.split(","):
        if name.strip():
            one = column(name)
            if one.name == "flops" and BY_NAME["macs"] not in columns:
                columns.append(BY_NAME["macs"])
            if one not in columns:
                columns.append(one)
    if not columns:
        raise UsageError(f"`--columns` names no column; there are: {', '.join(BY_NAME)}")
    return tuple(columns)


def ordered(layers: Iterable[LayerRow], by: Column) -> tuple[LayerRow, ...]:
    """Layers sorted by a column: costs and sizes from the largest down, words and places upwards; equals keep order."""

    def rank(layer: LayerRow) -> Any:
        value = by.value(layer)
        if isinstance(value, ReceptiveField):
            value = value.size
        return (value is not None, value) if not (by.words or by.name == "line") else (value is None, value)

    return tuple(sorted(layers, key=rank, reverse=not (by.words or by.name == "line")))

"""What the claims are checked with: specs, what is measured of them, and how a printed figure is compared."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

import convsize
from convsize.records import LayerRow

SPECS = Path(__file__).parents[2] / "specs"
TRAINING = SPECS.parent / "reports" / "training.json"


class Spec(NamedTuple):
    """What the tool is asked: a file of specs/, or an expression on an input."""

    shown: str
    text: str


def expression(volume: str, series: str, default: str = "") -> Spec:
    """As `convsize analyze -e SERIES --input VOLUME` sizes it."""
    defaults = f"default: {default}\n" if default else ""
    shown = f"`{volume}` through `{series}`" + (f" with `default: {default}`" if default else "")
    return Spec(shown, f"input: {volume}\n{defaults}{series}\n")


def file(name: str) -> Spec:
    path = SPECS / f"{name}.spec"
    return Spec(f"[{name}](../specs/{name}.spec)", path.read_text(encoding="utf-8"))


@cache
def network(spec: Spec) -> convsize.Network:
    return convsize.parse(spec.text)


@cache
def report(spec: Spec) -> convsize.Report:
    return network(spec).analyze()


class Judged(NamedTuple):
    """An answer in words, and whether it bears the claim out."""

    text: str
    holds: bool


Measured = int | Fraction | str | Judged
Measure = Callable[[Spec], Measured]


# ---- measures --------------------------------------------------------------------------------------------------------


def volume_text(dims: tuple[int, ...]) -> str:
    """H×W×D, as the notes print a volume."""
    return "×".join(map(str, (*dims[1:], dims[0])))


def layer(number: int, *ops: str) -> Callable[[Spec], LayerRow]:
    """The row of the number-th layer (from 0) of some ops."""

    def find(spec: Spec) -> LayerRow:
        return [row for row in report(spec).layers if not ops or row.op in ops][number]

    return find


def conv(number: int) -> Callable[[Spec], LayerRow]:
    return layer(number, "convolution")


def dense(number: int) -> Callable[[Spec], LayerRow]:
    return layer(number, "fully connected")


def volume(spec: Spec) -> str:
    """The volume at the trunk's end."""
    return volume_text(dict(report(spec).outputs)["main"])


def volume_of(find: Callable[[Spec], LayerRow]) -> Measure:
    return lambda spec: volume_text(find(spec).output)


def inputs(spec: Spec) -> int:
    ((_, dims),) = report(spec).inputs
    product = 1
    for extent in dims:
        product *= extent
    return product


def of(find: Callable[[Spec], LayerRow], field: str) -> Measure:
    return lambda spec: getattr(find(spec), field)


def total(field: str) -> Measure:
    return lambda spec: getattr(report(spec).totals, field)


def block(name: str, field: str) -> Measure:
    """The sum over the layers of a block."""
    return lambda spec: sum(getattr(row, field) for row in report(spec).layers if row.blocks[:1] == (name,))


def block_volume(name: str) -> Measure:
    return lambda spec: volume_text([row for row in report(spec).layers if row.blocks[:1] == (name,)][-1].output)


def trunk(field: str) -> Measure:
    """The sum over the layers that the trunk's end depends on: the network without its heads."""

    def measure(spec: Spec) -> int:
        built = network(spec)
        needed = built.ancestors(built.outputs["main"])
        names = {built.nodes[index].name for index in needed}
        return sum(getattr(row, field) for row in report(spec).layers if row.name in names)

    return measure


def receptive_field(spec: Spec) -> int:
    field = report(spec).totals.receptive_field
    assert field is not None
    (size,) = set(field.size)
    return size


def zeros(spec: Spec) -> str:
    """The zeros before and after the first axis of the first layer."""
    built = network(spec)
    node = next(built.layers)
    axis = node.op.window(*built.input_shapes(node)).axes[0]
    return f"{axis.before} + {axis.after}"


def filter_shape(find: Callable[[Spec], LayerRow]) -> Measure:
    """A filter as the notes print it: height × width × depth."""

    def measure(spec: Spec) -> str:
        weight = next(tensor for tensor in find(spec).tensors if tensor.name == "weight")
        return "×".join(map(str, (*weight.shape[2:], weight.shape[1])))

    return measure


def trained(name: str) -> Measure:
    """The median accuracy of some runs of `convsize train`, as reports/training.json has them."""

    def measure(spec: Spec) -> Judged:
        runs = json.loads(TRAINING.read_text(encoding="utf-8"))["runs"][name]["results"]
        return Judged(f"{median(run['accuracy'][-1] for run in runs):.4f}", False)

    return measure


def refusal(spec: Spec) -> Judged:
    """That the network is refused for its geometry, with the words."""
    try:
        network(spec)
    except convsize.SpecError as error:
        found = error.diagnostics[0]
        return Judged(f"refused, {found.code}: {found.message}", found.code.startswith("E2"))
    return Judged(f"accepted: {volume(spec)}", False)


def law(cases: Iterable[tuple[Spec, Measured, Measured]]) -> Judged:
    """Whether what was measured is what the formula gives in every case."""
    count = 0
    for spec, ours, formula in cases:
        count += 1
        if ours != formula:
            return Judged(f"{spec.shown}: {ours}, by the formula {formula}", False)
    return Judged(f"the same in all {count} cases tried", count > 0)


# ---- comparing -------------------------------------------------------------------------------------------------------

_UNITS = {"K": 10**3, "M": 10**6, "million": 10**6, "%": Fraction(1, 100), "times": 1, "MB": 2**20}
_PRINTED = re.compile(r"([\d,]+)(?:\.(\d+))? ?(K|million|MB|M|%|times)?")


def agrees(printed: str, ours: Measured) -> bool:
    """Whether our figure is the printed one.

    A number printed with a unit, or of a million and more, was rounded: trailing zeros say nothing, and ours must round
    to the digits before them. Any other number must be met exactly. K and M are powers of ten, MB is 2^20 bytes.
    """
    if isinstance(ours, Judged):
        return ours.holds
    if isinstance(ours, str):
        return printed == ours
    found = _PRINTED.fullmatch(printed)
    assert found is not None, printed
    whole, decimals, unit = found[1].replace(",", ""), found[2] or "", found[3]
    scale = Fraction(_UNITS[unit] if unit else 1)
    value = Fraction(f"{whole}.{decimals or 0}") * scale
    step = scale / 10 ** len(decimals)
    if not decimals and (unit or value >= 10**6):
        step *= 10 ** (len(whole) - len(whole.rstrip("0")))
    elif not unit:
        return value == ours
    return abs(ours - value) * 2 <= step


def shown(ours: Measured) -> str:
    """Our figure in full."""
    if isinstance(ours, Judged):
        return ours.text
    if isinstance(ours, str):
        return ours
    if isinstance(ours, Fraction) and ours.denominator != 1:
        return f"{float(ours):.4g}"
    return f"{int(ours):,}"

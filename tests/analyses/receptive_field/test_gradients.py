"""Receptive fields of networks that take maps apart and put them together, against the gradients of PyTorch."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import convsize
from convsize.errors import SpecError
from convsize.lowering.plan import lower

pytest.importorskip("torch")

from convsize.runtime.verify.fields import _agrees, _stated, _supports

MIXING = ("C3D8", "C5D4", "C1D12", "C3D8d2", "LN", "C3D8/2")
APART = ("C3D8g2", "C5D{c}g2", "C3D{2*c}g4", "DW3", "DW5D{2*c}", "M3/1p1", "A5/1p2", "BN", "R", "scale", "crop(13)")
MOVING = ("shuffle(2)", "shuffle(c/2)", "pick(0,2,1,0)", "pick(3,2)", "slice(0,c/2)", "slice(1,c)", "widen(c+4)")
JOINS = (
    "[x | {}]",
    "[{} | {}]",
    "[{} | {} | x]",
    "split[x | {}]",
    "split[{} | {}]",
    "(x + {} C1D{{c}})",
    "(x * {} DW1)",
)


@st.composite
def series(draw, level=2):
    items = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 5 if level else 3))
        if kind < 4:
            items.append(draw(st.sampled_from((MIXING, APART, MOVING, MOVING)[kind])))
        else:
            join = draw(st.sampled_from(JOINS))
            items.append(join.format(*(draw(series(level - 1)) for _ in range(2))))
    return " ".join(items)


@st.composite
def specs(draw):
    return f"input: 4@{draw(st.integers(29, 41))}\n[C3D4 | C7D4 | x] {draw(series())}"


def disagreements(text):
    network = convsize.parse(text)
    rows = [row for row in network.analyze().layers if all(field.aligned for _, field in row.receptive_fields)]
    rows = [row for row in rows if row.receptive_fields]
    supports = _supports(network, lower(network), [row.name for row in rows])
    for row, (unit, found) in zip(rows, supports, strict=True):
        stated = _stated(network, row, "input", unit)
        if not _agrees(stated, found["input"], network.nodes[0].output.spatial):
            yield row.name, stated, found["input"]


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(specs())
def test_fields_are_where_gradients_reach(text):
    try:
        convsize.parse(text)
    except SpecError:
        assume(False)
    assert not list(disagreements(text))

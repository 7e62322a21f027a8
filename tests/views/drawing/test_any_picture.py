"""Whatever network there is, it can be drawn."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from strategies import networks

from convsize import api
from convsize.errors import SpecError
from convsize.records import LayerRow, Report
from convsize.views.answers import comparison
from convsize.views.answers.pictures import comparison as comparison_picture
from convsize.views.drawing import dot as drawing_graph
from convsize.views.drawing import mermaid as drawing_mermaid
from convsize.views.drawing import receptive_field as receptive_field_picture
from convsize.views.drawing import text as drawing_text
from convsize.views.drawing import volumes as drawing_volumes
from convsize.views.drawing.folded import draw
from convsize.views.drawing.parts import Detail

SPECS = sorted((Path(__file__).parents[3] / "specs").glob("*.spec"))
DETAILS = ("network", "block", "layer")


def analyzed(text: str) -> Report:
    try:
        return api.parse(text, "net").analyze()
    except SpecError:  # some few of them have branches of different depths
        reject()


def every_value_has_an_edge(report: Report) -> None:
    """A layer on its own has an edge for each of its operands, several layers for each value from outside."""
    for detail in DETAILS:
        drawing = draw(report, detail)
        owner = {row.name: part.key for part in drawing.leaves() for row in part.rows}
        owner |= {part.label: part.key for part in drawing.leaves() if part.kind == "input"}
        expected = []
        for part in drawing.leaves():
            read = [name for row in part.iteration for name in row.inputs if owner[name] != part.key]
            values = read if len(part.iteration) == 1 else list(dict.fromkeys(read))
            expected += [(owner[name], part.key, False) for name in values]
            shapes = dict.fromkeys(row.like for row in part.iteration if row.like and owner[row.like] != part.key)
            expected += [(owner[name], part.key, True) for name in shapes]
        ends = zip(report.ends, [part.key for part in drawing.leaves() if part.kind == "output"], strict=True)
        expected += [(owner[end], key, False) for end, key in ends]
        assert [(link.source, link.target, link.like) for link in drawing.links] == expected
        dot = drawing_graph.render(report, detail=detail)
        edges = [line for line in dot.splitlines() if line.lstrip().startswith('"') and '" -> "' in line]
        assert len(edges) == len(expected)
        assert sum("style=dashed" in line for line in edges) == sum(like for _, _, like in expected)
        mermaid = drawing_mermaid.render(report, detail=detail).splitlines()
        assert sum(bool(re.match(r"  \w+ (-->|==>|-\.->)", line)) for line in mermaid) == len(expected)
        # Values from one part are told apart.
        for source in {link.source for link in drawing.links}:
            labels = {(link.value, link.label) for link in drawing.links if link.source == source}
            assert len(labels) == len({value for value, _ in labels}) == len({label for _, label in labels})


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_value_of_a_spec_has_an_edge(path: Path) -> None:
    every_value_has_an_edge(api.load(path).analyze())


@settings(max_examples=10)
@given(networks())
def test_every_value_of_any_network_has_an_edge(text: str) -> None:
    every_value_has_an_edge(analyzed(text))


def pictures(report: Report, detail: Detail) -> tuple[str, str, str]:
    return (
        drawing_text.render(report, detail=detail, width=1000),
        drawing_graph.render(report, detail=detail),
        drawing_mermaid.render(report, detail=detail),
    )


def read_otherwise(report: Report, data: st.DataObject) -> Report | None:
    """The same network but that one layer outside of repeats reads its operands in another order, or another value."""
    shapes = dict(report.inputs) | {row.name: row.output for row in report.layers}
    names = list(shapes)
    found: list[tuple[int, tuple[str, ...]]] = []
    for at, row in enumerate(report.layers):
        if row.iterations:
            continue
        before = names[: names.index(row.name)]
        for place, name in enumerate(row.inputs):
            for other in before:
                if other != name and shapes[other] == shapes[name]:
                    found.append((at, (*row.inputs[:place], other, *row.inputs[place + 1 :])))
            found += [
                (
                    at,
                    (
                        *row.inputs[:place],
                        row.inputs[after],
                        *row.inputs[place + 1 : after],
                        name,
                        *row.inputs[after + 1 :],
                    ),
                )
                for after in range(place + 1, len(row.inputs))
                if row.inputs[after] != name and row.kind not in ("sum", "gate")
            ]
    if not found:
        return None
    at, inputs = data.draw(st.sampled_from(found))
    changed: list[LayerRow] = list(report.layers)
    changed[at] = changed[at].replace(inputs=inputs, input_shapes=tuple(shapes[name] for name in inputs))
    return report.replace(layers=tuple(changed))


@pytest.mark.slow
@settings(max_examples=40)
@given(networks(), st.data())
def test_another_operand_is_another_picture(text: str, data: st.DataObject) -> None:
    report = analyzed(text)
    other = read_otherwise(report, data)
    if other is None:
        reject()
    for one, two in zip(pictures(report, "layer"), pictures(other, "layer"), strict=True):
        assert one != two


@pytest.mark.parametrize("before", ["C3D8 [C1D8 | C3D8] as p, q", "def two: [C1D8 | C1D8 R] as a, b\ntwo as p, q"])
@pytest.mark.parametrize("join", ["(@p - @q)", "(@p / @q)", "[@p | @q]", "attn(2, @p, @q)", "f(@p, @q)"])
@pytest.mark.parametrize("detail", ["block", "layer"])  # a stage of a whole network is one shape
def test_both_orders_are_told_apart(before: str, join: str, detail: Detail) -> None:
    swapped = join.replace("@p", "@r").replace("@q", "@p").replace("@r", "@q")
    start = f"input: 8@8x8\ndef f(s, t): ((@s C3D8 - @t) + x)\n{before} C1D8 "
    one, two = (api.parse(start + end, "net").analyze() for end in (join, swapped))
    for first, second in zip(pictures(one, detail), pictures(two, detail), strict=True):
        assert first != second, first


def test_edges_say_what_they_carry() -> None:
    report = api.parse(
        "input: 8@8x8\ndef two: [C1D8 | C1D8 R] as a, b\ntwo as p, q M C3 up(@p) (x - @q)", "net"
    ).analyze()
    said = [(link.text, link.like) for link in draw(report).links]
    assert said == [
        ("", False),
        ("q", False),
        ("", False),
        ("p", True),
        ("minuend", False),
        ("q, subtrahend", False),
        ("", False),
    ]


@settings(max_examples=60)
@given(networks())
def test_any_network_is_drawn(text: str) -> None:
    report = analyzed(text)
    for detail in ("network", "block", "layer"):
        drawing = draw(report, detail)
        rows = [row.name for part in drawing.leaves() for row in part.rows]
        assert sorted(rows) == sorted(row.name for row in report.layers)
        drawing_graph.render(report, detail=detail)
        drawing_mermaid.render(report, detail=detail)
        drawing_text.render(report, detail=detail, heat="memory")
    ElementTree.fromstring(drawing_volumes.scene(report).svg())
    ElementTree.fromstring(comparison_picture.scene(comparison.compare([report, report])).svg())
    if report.totals.receptive_field is not None:
        way = receptive_field_picture.way(report)
        receptive_field_picture.render(report, way)
        ElementTree.fromstring(receptive_field_picture.scene(report, way).svg())

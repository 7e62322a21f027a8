"""What a picture shows: folding, nesting and wiring."""

from pathlib import Path

import pytest

from convsize import api
from convsize.records import Report
from convsize.views.drawing.folded import draw
from convsize.views.drawing.parts import Box, Drawing, Part, family, heat_shares

SPECS = sorted((Path(__file__).parents[3] / "specs").glob("*.spec"))
DETAILS = ("network", "block", "layer")


def report(text: str, name: str = "net") -> Report:
    return api.parse(f"input: 3@32x32\n{text}", name).analyze()


def real(drawing: Drawing) -> list[Part]:
    return [part for part in drawing.leaves() if part.rows]


@pytest.fixture(scope="module", params=SPECS, ids=lambda path: path.stem)
def known(request: pytest.FixtureRequest) -> Report:
    return api.load(request.param).analyze()


def test_every_layer_is_in_exactly_one_part(known: Report) -> None:
    for detail in DETAILS:
        rows = [row.name for part in draw(known, detail).leaves() for row in part.rows]
        assert sorted(rows) == sorted(row.name for row in known.layers)


def test_links_go_forwards_and_reach_every_part(known: Report) -> None:
    for detail in DETAILS:
        drawing = draw(known, detail)
        order = {part.key: at for at, part in enumerate(drawing.leaves())}
        assert len(order) == len(list(drawing.leaves()))
        assert all(order[link.source] < order[link.target] for link in drawing.links)
        reached = {link.target for link in drawing.links}
        assert {part.key for part in drawing.leaves() if part.kind != "input"} == reached
        outputs = [part.after for part in drawing.leaves() if part.kind == "output"]
        assert outputs == [dims for _, dims in known.outputs]


def test_shares_add_up(known: Report) -> None:
    for detail in DETAILS:
        parts = list(draw(known, detail).leaves())
        for heat in ("parameters", "macs", "memory"):
            assert sum(heat_shares(parts, heat).values()) == 1
        assert all(0 < share <= 1 for share in heat_shares(parts, "receptive_field").values())


def test_turns_that_are_alike_are_one_block() -> None:
    drawing = draw(report("def b: (C3 BN R + x) R\nC3D8 b*3 GAP FC10"))
    assert [(part.label, part.times) for part in real(drawing)] == [("C3D8", 1), ("b", 3), ("GAP", 1), ("FC10", 1)]
    block = real(drawing)[1]
    # A convolution of 8·3·3·8 weights and 8 biases, and a norm of 8 and 8, three times.
    assert block.parameters == 3 * (8 * 9 * 8 + 8 + 16)
    assert (block.before, block.after) == ((8, 32, 32), (8, 32, 32))


def test_turns_that_grow_are_summed_and_say_what_leaves_them() -> None:
    drawing = draw(report("def dl: [x | C3D4]\nC3D8 dl*3 GAP"), "layer")
    (box,) = [part for part in drawing.parts if isinstance(part, Box)]
    assert (box.label, box.times, box.summed, box.before, box.after) == ("dl", 3, True, (8, 32, 32), (20, 32, 32))
    assert [part.label for part in box.parts if isinstance(part, Part)] == ["C3D4", "|"]
    (out,) = [link for link in drawing.links if link.target == real(drawing)[-1].key]
    assert out.volume == (20, 32, 32)  # the first iteration, which is drawn, gives 12@32x32


def test_turns_of_brackets_fold_as_well() -> None:
    iterations = draw(report("C3D8 (C3D8 R)*4"), "block")
    assert [(part.label, part.times) for part in real(iterations)] == [("C3D8", 1), ("C3D8 R", 4)]


def test_blocks_within_folded_brackets_count_every_turn() -> None:
    text = "def b: C3 R C3\nC3D8 (b R b R)*3"
    for detail in DETAILS:
        rows = [row.name for part in draw(report(text), detail).leaves() for row in part.rows]
        assert len(rows) == len(set(rows)) == 1 + 3 * 8


def test_skips_go_around_other_parts() -> None:
    drawing = draw(report("C3D8 (C3 R + x) R [C1D2 | C3D4]"), "layer")
    skips = [link for link in drawing.links if link.skip]
    names = {part.key: part.note for part in drawing.leaves()}
    assert [(names[link.source], names[link.target]) for link in skips] == [("conv1", "add1")]


def test_heads_are_named_and_end_in_their_outputs() -> None:
    drawing = draw(report("C3D8 R as s GAP FC10\nhead box @s: C3D4 GAP FC4"))
    labels = [part.label for part in drawing.leaves()]
    assert labels == ["input", "C3D8 R", "GAP", "FC10", "head box", "output", "head box"]


def test_stages_lie_between_changes_of_resolution() -> None:
    drawing = draw(report("C3D8 R C3D8 R M C3D16 R M GAP FC10"), "network")
    assert [part.after for part in real(drawing)] == [(8, 32, 32), (16, 16, 16), (16, 8, 8), (10,)]


def test_blocks_whose_names_end_in_digits() -> None:
    drawing = draw(report("def c2: C3D8 R\nc2 M c2"))
    assert [part.label for part in real(drawing)] == ["c2", "M", "c2"]


def test_families() -> None:
    rows = report("C3D8 GN4 hswish DW3 M droppath(0.1) (C3 + x) scale GAP FC10").layers
    assert [family(row) for row in rows] == [
        "convolution",
        "norm",
        "activation",
        "convolution",
        "pool",
        "regularisation",
        "convolution",
        "sum",
        "norm",
        "pool",
        "dense",
    ]

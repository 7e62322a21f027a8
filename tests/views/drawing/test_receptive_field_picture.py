"""`convsize rf`: hand-worked fields, what is clipped, and the picture."""

import base64
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from operator import le
from pathlib import Path

import pytest
from zoo import over_the_zoo

from convsize import api
from convsize.errors import UsageError
from convsize.records import Report
from convsize.views.drawing.receptive_field import render, scene, way

SPECS = Path(__file__).parents[3] / "specs"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def report(text: str) -> Report:
    return api.parse(text, "net").analyze()


def test_a_chain_by_hand() -> None:
    # 3x3 convolutions with padding 1: 3 from -1, then, at jump 1, 5 from -2; the pool adds 1 and doubles the jump.
    found = way(report("input: 1@16x16\nC3D4 R C3D4 R M"))
    assert [(step.row.name, step.field.size) for step in found.steps] == [
        ("conv1", (3, 3)),
        ("conv2", (5, 5)),
        ("maxpool1", (6, 6)),
    ]
    # Unit 3 of the pool's 8 sees from -2 + 2·3 = 4 to 9; the centre is 6.5, next to which lie unit 6 of conv2 (4 … 8)
    # and unit 6 of conv1 (5 … 7): of two that are equally near the lower one.
    assert [(step.unit[0], step.first[0], step.last[0]) for step in found.steps] == [(6, 5, 7), (6, 4, 8), (3, 4, 9)]
    assert not any(any(step.clipped) for step in found.steps)


def test_what_lies_outside_is_clipped() -> None:
    # A 9x9 filter with padding 4 on 5x3 pixels: unit 2 sees rows -2 … 6 and unit 1 columns -3 … 5, of which 5 and 3 are
    # there.
    found = way(report("input: 1@5x3\nC9D1"))
    assert (found.end.unit, found.end.first, found.end.last, found.end.clipped) == ((2, 1), (-2, -3), (6, 5), (4, 6))


def test_the_way_goes_along_the_largest_branch() -> None:
    found = way(report("input: 1@32x32\n[C1D2 | C3D2 C3D2 | C5D2 C5D2]"))
    assert [step.row.name for step in found.steps] == ["conv4", "cat1"]
    assert found.end.field.size == (9, 9)


def test_a_unit_that_sees_all() -> None:
    found = way(report("input: 1@8x8\nC3D2 GAP FC4"), "fc1")
    assert found.end.field.whole
    assert (found.end.first, found.end.last) == ((0, 0), (7, 7))


def test_wrong_layers() -> None:
    net = report("input: 1@8x8\nC3D2 GAP FC4")
    with pytest.raises(UsageError, match="no layer is called `covn1`: did you mean `conv1`"):
        way(net, "covn1")


@over_the_zoo
def test_every_network_has_a_picture(path: Path) -> None:
    net = api.load(path).analyze()
    svg = scene(net, way(net)).file("svg")
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert net.name in svg.decode()


def test_the_table(convsize, golden) -> None:
    ran = convsize("rf", SPECS / "resnet50.spec")
    assert (ran.code, ran.err) == (0, "")
    golden("rf/resnet50.txt", ran.out)


def test_a_photo_stands_in_the_picture(convsize, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PIXEL)
    out = tmp_path / "rf.svg"
    spec = SPECS / "alexnet.spec"
    assert convsize("rf", spec, "conv3", "--image", tmp_path / "photo.png", "-o", out).code == 0
    svg = out.read_text("utf-8")
    assert f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}" in svg
    assert "photo" not in svg
    assert "one line every" not in svg


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--image", "photo.png"], "name a file with -o rf.svg"),
        (["--image", "page.svg", "-o", "rf.svg"], "is neither a PNG nor a JPEG file"),
        (["--image", "none.png", "-o", "rf.svg"], "there is no file"),
        (["--image", "page.svg", "-o", "rf.png"], "--image needs an SVG"),
        (["-o", "rf.dot"], "a receptive field is not a graph"),
        (["conv77"], "no layer is called `conv77`: there are conv1, conv2, conv3, conv4, conv5"),
    ],
)
def test_wrong_calls(convsize, arguments: list[str], text: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.svg").write_text("<svg onload='alert(1)'/>")
    ran = convsize("rf", SPECS / "alexnet.spec", *arguments)
    assert ran.code == 2
    assert text in ran.err
    assert not list(tmp_path.glob("rf.*"))


def test_an_expression_with_a_layer(convsize) -> None:
    ran = convsize("rf", "-e", "CRCRP", "--input", "3@32x32", "conv1")
    assert ran.code == 0
    assert "conv1 C" in ran.out.splitlines()[0]


@pytest.mark.parametrize("name", ["vgg_a", "alexnet", "resnet18", "lenet5"])
def test_the_fields_lie_in_each_other(name: str) -> None:
    steps = way(api.load(SPECS / f"{name}.spec").analyze(with_digest=False)).steps
    for inner, outer in pairwise(steps):
        assert all(map(le, outer.first, inner.first))
        assert all(map(le, inner.last, outer.last))


@over_the_zoo
def test_bars_show_the_column_that_they_stand_beside(path: Path) -> None:
    net = api.load(path).analyze()
    bars = {}
    for text in render(net, way(net), width=200).splitlines():
        found = re.search(r" ([█▏▎▍▌▋▊▉]+) *<?([0-9.]+)%$", text)
        if found:
            bars[float(found[2])] = 8 * found[1].count("█") + " ▏▎▍▌▋▊▉".find(found[1].strip("█") or " ")
    assert bars
    for share, eighths in bars.items():
        assert abs(eighths - 96 * share / 100) < 0.6 or (eighths, share < 1.1) == (1, True)


def test_what_stands_behind_attention_sees_all() -> None:
    net = report("input: 3@32x32\nC4D8/4p0 reshape(8,64) C1D24 attn(2) LN GAP FC4")
    steps = way(net).steps
    assert [step.row.name for step in steps] == ["conv1", "reshape1", "ln1"]
    assert net.totals.receptive_field == steps[-1].field
    assert steps[-1].field.size == (32, 32)
    assert not any("smaller than" in each.text for each in net.insights)
    assert "of 32 pixels an axis, at the last layer that has a position: the whole input" in " ".join(str(net).split())


def test_a_reshape_alone_is_no_view_of_all() -> None:
    net = report("input: 3@32x32\nC3D8 reshape(8,1024)")
    assert net.placed == (("input", "conv1"),)
    assert net.totals.receptive_field == net.layers[0].receptive_field


def test_another_input_is_shown_on_request(convsize) -> None:
    first = convsize("rf", SPECS / "siamese.spec").out
    assert "siamese · left 1@105x105 · tower1.relu4 R" in first
    assert "on the input `left`; for another one: --on right" in first
    assert "siamese · right 1@105x105 · tower2.relu4 R" in convsize("rf", SPECS / "siamese.spec", "--on", "right").out
    ran = convsize("rf", SPECS / "siamese.spec", "tower1.conv2", "--on", "right")
    assert (ran.code, "`tower1.conv2` sees no positions of `right`" in ran.err) == (2, True)
    assert (
        "no input is called `rigth`: did you mean `right`"
        in convsize("rf", SPECS / "siamese.spec", "--on", "rigth").err
    )


def test_the_places_of_an_input_have_their_word() -> None:
    for axes, word in ((1, "positions"), (2, "pixels"), (3, "voxels")):
        net = report(f"input: 1@{'x'.join(['8'] * axes)}\nC3 M C3")
        assert f"clipped: {word} of the middle unit's field" in render(net, way(net))

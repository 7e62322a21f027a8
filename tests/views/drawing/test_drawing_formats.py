"""The files that pictures are: every spec in every format, escaping, determinism, the stamp, PDF."""

import itertools
import re
import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from zoo import PARAMS

from convsize import api
from convsize.errors import ConvsizeError, UsageError
from convsize.records import Report
from convsize.views.canvas import file as drawing_file
from convsize.views.canvas.scene import text_width
from convsize.views.drawing import dot as drawing_graph
from convsize.views.drawing import mermaid as drawing_mermaid
from convsize.views.drawing import text as drawing_text
from convsize.views.drawing import volumes as drawing_volumes

SPECS = Path(__file__).parents[3] / "specs"
NASTY = "<b>\"1\"</b><script>alert(1)</script> & 'ç' `日本` ]] --> \\N \\G<i>"
SVG = "{http://www.w3.org/2000/svg}"


def load(name: str) -> Report:
    return api.load(SPECS / f"{name}.spec").analyze()


def texts(svg: bytes) -> str:
    """All that an SVG shows as text, entities resolved. Raises ParseError where it is no XML."""
    root = ElementTree.fromstring(svg)
    return "\n".join("".join(each.itertext()) for each in root.iter() if each.tag in (f"{SVG}text", f"{SVG}title"))


def tags(svg: bytes) -> set[str]:
    return {each.tag.removeprefix(SVG) for each in ElementTree.fromstring(svg).iter()}


@pytest.fixture(scope="module", params=PARAMS)
def known(request: pytest.FixtureRequest) -> Report:
    return api.load(request.param).analyze()


def test_every_network_draws_in_every_textual_format(known: Report) -> None:
    for detail in ("network", "block", "layer"):
        dot = drawing_graph.render(known, detail=detail)
        assert dot == drawing_graph.render(known, detail=detail)
        assert dot.startswith("digraph network {")
        mermaid = drawing_mermaid.render(known, detail=detail, direction="lr", heat="memory")
        assert mermaid.splitlines()[3] == "flowchart LR"
        text = drawing_text.render(known, detail=detail, heat="macs", width=70)
        assert text.count("\n") >= 4
        assert max(map(len, text.splitlines())) <= 110, text  # branches may need more than a narrow terminal has
    assert "C" in texts(drawing_volumes.scene(known).file("svg"))


@pytest.mark.parametrize("name", ["lenet5", "googlenet", "resnet152", "densenet121", "unet", "se_resnet50"])
@pytest.mark.parametrize("detail", ["block", "layer"])
def test_svg(name: str, detail: drawing_graph.Detail) -> None:
    found = drawing_file.from_dot(drawing_graph.render(load(name), detail=detail), "svg")
    shown = texts(found)
    assert name in shown
    assert "graphviz version" not in found.decode()
    assert len(found) < 600_000


@pytest.mark.parametrize("name", ["googlenet", "resnet152", "densenet121"])
def test_blocks_fit_a_page(name: str) -> None:
    """At their own size, or at four fifths of it, on the 523x770 points that A4 and letter have within margins."""
    found = drawing_file.from_dot(drawing_graph.render(load(name)), "svg").decode()
    width, height = map(float, re.search(r'width="(\d+)pt" height="(\d+)pt"', found).groups())  # type: ignore[union-attr]
    assert min(523 / width, 770 / height) > 0.7


def test_png_of_both_kinds() -> None:
    report = load("lenet5")
    for found in (
        drawing_file.from_dot(drawing_graph.render(report), "png"),
        drawing_volumes.scene(report).file("png"),
    ):
        assert found.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", found[16:24])
        assert width > 300
        assert height > 300
        assert drawing_file.stamp_in(found) is not None


def test_a_scene_is_drawn_to_its_last_shape() -> None:
    """xdot stops at the first operation that it cannot read: the lower right corner must be drawn as well."""
    from convsize.views.canvas.colours import THEMES
    from convsize.views.canvas.scene import Polygon, Scene, Text

    colours = THEMES["light"]
    words = tuple(Text((50, 20 + at), text, 9, "#000000") for at, text in enumerate([NASTY, "×é", 'a\\b"c', "%d"]))
    square = Polygon(((80, 80), (99, 80), (99, 99), (80, 99)), "#000000", None)
    first = Scene("a", 100, 100, colours, (*words, square)).file("png")
    second = Scene("a", 100, 100, colours, words).file("png")
    strip = re.compile(rb"tEXt.*?[0-9a-f]{64}....", re.DOTALL)
    assert strip.sub(b"", first) != strip.sub(b"", second)


def test_pdf() -> None:
    pytest.importorskip("svglib")
    source = drawing_graph.render(load("lenet5"))
    found = drawing_file.from_dot(source, "pdf")
    assert found.startswith(b"%PDF-")
    assert found == drawing_file.from_dot(source, "pdf")
    assert drawing_file.shows(found, source)
    assert drawing_volumes.scene(load("lenet5")).file("pdf").startswith(b"%PDF-")


def test_without_svglib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "svglib.svglib", None)
    with pytest.raises(UsageError, match=r"pip install 'convsize\[pdf\]'"):
        drawing_file.from_dot("digraph {}", "pdf")


def test_names_are_shown_as_they_are_and_inject_nothing() -> None:
    report = api.parse("input: 3@32x32\ndef b: (C3 R + x)\nC3D8 b*2 GAP FC10", NASTY).analyze()
    first_input = f"in {NASTY}"  # no two nodes of a network have one name
    report = report.replace(inputs=((first_input, (3, 32, 32)),))
    first = report.layers[0]
    layers = (first.replace(inputs=(first_input,), name=NASTY, spec=NASTY), *report.layers[1:])
    layers = tuple(
        row.replace(inputs=tuple(NASTY if each == "conv1" else each for each in row.inputs)) for row in layers
    )
    report = report.replace(layers=layers)
    for heat, detail in itertools.product((None, "macs"), ("block", "layer")):
        found = drawing_file.from_dot(drawing_graph.render(report, detail=detail, heat=heat), "svg")  # type: ignore[arg-type]
        assert texts(found).count(NASTY) >= 3
        assert tags(found) <= {"svg", "g", "title", "polygon", "path", "text", "ellipse", "a", "polyline"}
        mermaid = drawing_mermaid.render(report, detail=detail, heat=heat)  # type: ignore[arg-type]
        assert "<script" not in mermaid.split("flowchart")[1]
    volumes = drawing_volumes.scene(report).file("svg")
    assert texts(volumes).count(NASTY) >= 3
    assert tags(volumes) == {"svg", "title", "rect", "polygon", "polyline", "circle", "text"} & tags(volumes)
    assert NASTY in drawing_text.render(report, width=200)


def test_control_characters_cannot_stand_in_xml() -> None:
    report = load("lenet5").replace(name="a\x00b\x1b[31m\ud800")
    for found in (
        drawing_file.from_dot(drawing_graph.render(report), "svg"),
        drawing_volumes.scene(report).file("svg"),
    ):
        assert "a\ufffdb\ufffd[31m\ufffd" in texts(found)


def test_the_stamp_follows_what_is_drawn() -> None:
    source = drawing_graph.render(load("lenet5"))
    for suffix in ("svg", "png", "dot"):
        assert drawing_file.shows(drawing_file.from_dot(source, suffix), source)  # type: ignore[arg-type]
    assert not drawing_file.shows(drawing_file.from_dot(source, "svg"), drawing_graph.render(load("alexnet")))
    assert not drawing_file.shows(b"", source)


def test_too_many_shapes_are_refused() -> None:
    with pytest.raises(ConvsizeError, match="is unreadable"):
        drawing_file.from_dot("digraph {" + "a\n" * 30_000 + "}", "svg")


def test_what_graphviz_cannot_read_is_an_error() -> None:
    with pytest.raises(ConvsizeError, match="cannot draw this"):
        drawing_file.from_dot("digraph {", "svg")


# ---- volumes ---------------------------------------------------------------------------------------------------------


def test_lenet_has_the_numbers_of_its_figure() -> None:
    shown = texts(drawing_volumes.scene(load("lenet5")).file("svg")).split("\n")
    for volume in ("1@32x32", "6@28x28", "6@14x14", "16@10x10", "16@5x5", "120", "84", "10"):
        assert volume in shown
    assert shown.count("5x5") == 2  # the kernels of both convolutions; the pools' 2x2 stand there as well
    assert shown.count("2x2") == 2


def test_alexnet_stands_in_two_groups() -> None:
    shown = texts(drawing_volumes.scene(load("alexnet_two_groups")).file("svg")).split("\n")
    for volume in ("2×48@55x55", "2×128@27x27", "2×192@13x13", "2×128@13x13", "4096"):
        assert volume in shown
    # The first kernel; on 2 groups of 2 volumes 5x5; 3x3 of pools and convolutions on 2 groups of 6 volumes.
    assert (shown.count("11x11"), shown.count("5x5"), shown.count("3x3")) == (1, 2, 12)


def test_kernels_say_their_dilation_and_defaults() -> None:
    report = api.parse("input: 3@64x64\ndefault: M3/2\nC3D8d2 M C1x3D8", "net").analyze()
    shown = texts(drawing_volumes.scene(report).file("svg")).split("\n")
    # Dilation 2 makes 5 of 3; the file's own default says what M is.
    assert "5x5" in shown
    assert "3x3" in shown
    assert "1x3" in shown


def test_scales() -> None:
    report = load("vgg_d")
    log = drawing_volumes.scene(report, scale="log").svg()
    linear = drawing_volumes.scene(report, scale="linear").svg()
    assert log != linear
    assert drawing_volumes.scene(report, theme="dark", heat="parameters").svg() not in (log, linear)


def test_the_heading_of_a_repeat_leaves_its_middle_to_the_edge_that_comes_in() -> None:
    """The arrow ends in the middle of the box, the texts of the heading end before it."""
    text = "input: 8@64x64\n((C3D8 R)*2 C1D8)*3 GAP FC4"
    found = drawing_file.from_dot(drawing_graph.render(api.parse(text, "net").analyze()), "svg")
    root = ElementTree.fromstring(found)
    box = next(each for each in root.iter(f"{SVG}g") if each.get("class") == "cluster")
    corners = re.findall(r"-?[0-9.]+", box.find(f".//{SVG}path").get("d"))  # type: ignore[union-attr, arg-type]
    middle = (min(map(float, corners[::2])) + max(map(float, corners[::2]))) / 2
    words = list(box.iter(f"{SVG}text"))
    assert len(words) >= 3
    for each in words:
        wide = text_width(each.text or "", float((each.get("font-size") or "8").removesuffix("px")))
        assert float(each.get("x") or 0) + wide < middle + 2, each.text

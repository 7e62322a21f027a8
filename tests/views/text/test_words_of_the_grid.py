"""Only an image has pixels: a sequence has positions, a volume has voxels, wherever they are spoken of."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, reject, settings
from strategies import networks

from convsize.check.check import check_source
from convsize.check.config import Config
from convsize.cli.commands.report import read
from convsize.errors import Source, SpecError
from convsize.views.analysis import table
from convsize.views.drawing import receptive_field
from convsize.views.report import charts, content
from convsize.views.report.explain import Explainer

EVERYTHING = Config(style=True)


def said(text: str) -> Iterator[str]:
    """All that is said of a spec."""
    for found in check_source(Source(text, "net.spec"), EVERYTHING).diagnostics:
        yield from (found.message, found.help or "")
    try:
        page = read("net", Source(text, "net.spec"), EVERYTHING, {}, {})
    except SpecError:
        return
    report = page.report
    yield table.render(report)
    yield from (insight.text for insight in report.insights)
    yield from (figure.explanation for figure in content.figures(page))
    explainer = Explainer(report, page.windows)
    for row in report.layers:
        yield from (explainer.receptive_field(row), explainer.jump(row), explainer.output(row))
    for chart in charts.charts(report):
        yield from (chart.summary, chart.svg)
    if report.placed:
        way = receptive_field.way(report)
        yield receptive_field.render(report, way)
        yield receptive_field.scene(report, way).svg()


def pixels_in(text: str) -> list[str]:
    return [each for each in said(text) if re.search(r"\bpx\b|\bpixels?\b", re.sub(r'="[^"]*"', "", each))]


@settings(max_examples=25)
@given(networks())
def test_no_pixels_but_in_images(text: str) -> None:
    rank = text.splitlines()[0].count("x") + 1
    if rank == 2:
        reject()
    assert pixels_in(text) == []


@pytest.mark.parametrize(
    "body",
    [
        "C3D8/2exact",
        "C5D8/2p0 C5D8/2p0 C5D8/2p0",
        "crop(40)",
        "pad(-40)",
        "pad(40,reflect)",
        "C3D8p12:0circular",
        "T1D8p10",
        "C3D8 C3D8 GAP FC4",
        "C4D8/2p0 C2D8 M2ceil GAP",
        "C1D8/2 C1D8/4",
        "C7D64 R C7D64",
        "A3/1p1 C3D8",
        "C3D8d4 C3D8d4 C3D8d4",
        "C3D8/5p0",
        "M5/1p2d12",
    ],
)
@pytest.mark.parametrize("extents", ["20", "20x20x20"])
def test_messages_about_extents(body: str, extents: str) -> None:
    assert pixels_in(f"input: 2@{extents}\n{body}") == []


@pytest.mark.parametrize("extents", ["64", "64x64", "64x64x64"])
def test_what_is_offered_for_a_small_field_builds(extents: str) -> None:
    (found,) = (
        each
        for each in check_source(Source(f"input: 1@{extents}\nC3D8 R C3D8 R GAP FC4", "net.spec")).diagnostics
        if each.code == "W505"
    )
    assert found.help is not None
    assert "`C3D64d2`" in found.help
    mended = Source(f"input: 1@{extents}\nC3D8 R C3D64d2 R GAP FC4", "net.spec")
    assert all(each.severity != "error" for each in check_source(mended).diagnostics)

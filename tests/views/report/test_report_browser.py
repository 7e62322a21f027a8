"""Report pages in a real browser: what a reader does there works, and every number is the JSON's."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import pytest
from chromium import Browser, find

from convsize.check.config import Config
from convsize.cli.commands.report import read, written
from convsize.views.analysis import json as as_json

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = "# <script>alert(1)</script>\ninput: 3@33x33\nC4D60/3p1 S R\nC3D50 BN A2 GAP FC10\n"

pytestmark = pytest.mark.skipif(find() is None, reason="there is no Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of some networks, as the command writes them."""
    home = tmp_path_factory.mktemp("pages")
    hostile = home / "a\"b<img src=x onerror=alert('é')>&amp;.spec"
    hostile.write_text(HOSTILE, encoding="utf-8")
    specs = [ROOT / "specs" / f"{name}.spec" for name in ("googlenet", "resnet152", "text_cnn", "unet")]
    pages = [read(path.stem, str(path), Config(), {}, {}) for path in [*specs, hostile]]
    for name, render in written(pages, "html", several=True):
        (home / name).write_text(render(), encoding="utf-8")
    for page in pages:
        (home / f"{page.report.name}.json").write_text(json.dumps(as_json.to_object(page.report)), encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("home")) as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, folder: Path) -> Iterator[Browser]:
    """GoogLeNet's page, newly opened, for a reader who has no wishes but no motion; afterwards nothing was amiss."""
    browser.requests.clear()
    browser.complaints.clear()
    browser.prefer(prefers_color_scheme="light", prefers_reduced_motion="reduce")
    browser.resize(1280, 900)
    browser.open(folder / "googlenet.html")
    browser.run("localStorage.clear()")
    yield browser
    assert browser.complaints == []


def cells(browser: Browser, column: str) -> list[Any]:
    """The texts of a column, from the top."""
    return browser.run(
        f"(() => {{const at = document.querySelector('thead [data-c={column}]').cellIndex;"
        "return [...document.querySelectorAll('tbody tr:not([hidden])')].map(row => row.cells[at].textContent)})()"
    )


def test_pages_open_without_complaints_and_ask_for_nothing(browser: Browser, folder: Path) -> None:
    for path in sorted(folder.glob("*.html")):
        browser.requests.clear()
        browser.complaints.clear()
        browser.open(path)
        assert browser.requests == [path.resolve().as_uri()], path.name
        assert browser.complaints == [], path.name
        assert browser.run("document.querySelectorAll('img, iframe').length") == 0
        assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("name", ["googlenet", "resnet152", "text_cnn", "unet"])
def test_every_number_is_that_of_the_json(browser: Browser, folder: Path, name: str) -> None:
    browser.open(folder / f"{name}.html")
    analysis = json.loads((folder / f"{name}.json").read_text())
    rows = browser.run(
        "[...document.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => "
        "[cell.textContent, cell.dataset.v ?? null]))"
    )
    keys = browser.run("[...document.querySelectorAll('thead th')].map(head => head.dataset.c)")
    assert len(rows) == len(analysis["layers"])
    for row, layer in zip(rows, analysis["layers"], strict=True):
        found = dict(zip(keys, row, strict=True))
        for key in ("name", "spec", "op"):
            assert found[key][0] == layer[key]
        assert found["inputs"][0].split() == layer["inputs"]
        depth, _, extents = (
            found["output"][0].rpartition("→")[2].partition("@")
        )  # `1024→1000`: how many values are read
        assert [int(depth), *map(int, filter(None, extents.split("x")))] == layer["output"]
        for key in ("parameters", "macs", "flops"):
            assert int(found[key][0].replace(",", "")) == layer[key]
        assert int(found["output_bytes"][1]) == layer["output_bytes"]
        field = layer["receptive_field"]
        if field is None:
            assert found["receptive_field"][0] == "–"
        else:
            text = found["receptive_field"][0].removeprefix("all ")
            sizes = [int(each) for each in text.split("x")]
            assert sizes * (len(field["size"]) // len(sizes)) == field["size"]
            assert found["receptive_field"][0].startswith("all") == field["whole"]
            # A value that the text does not give itself, such as that of 7x5.
            assert found["receptive_field"][1] in (None, str(prod(field["size"])))
            jump = found["jump"][0]
            assert (
                jump == "–"
                if field["whole"]
                else float(jump.split("x")[0]) == pytest.approx(field["jump"][0], abs=1e-3)
            )
    totals = dict(
        browser.run("[...document.querySelectorAll('tfoot td[data-v]')].map(c => [c.dataset.c, +c.dataset.v])")
    )
    cards = dict(
        browser.run("[...document.querySelectorAll('.card[data-v]')].map(c => [c.dataset.name, +c.dataset.v])")
    )
    said = analysis["totals"]
    seen = totals.pop("receptive_field", None)
    assert totals == {
        "parameters": said["parameters"],
        "macs": said["macs"],
        "flops": said["flops"],
        "output_bytes": said["activation_bytes"],
    }
    field = said.pop("receptive_field")
    assert seen == (None if field is None else prod(field))
    assert cards.pop("receptive_field", None) == (None if field is None else prod(field))
    assert cards == {key: said[key] for key in cards}
    assert len(cards) == 6


def test_headings_sort(opened: Browser) -> None:
    before = cells(opened, "name")
    opened.click("thead [data-c=macs] button")
    macs = [int(text.replace(",", "")) for text in cells(opened, "macs")]
    assert macs == sorted(macs, reverse=True)
    assert opened.run("document.querySelector('[data-c=macs]').getAttribute('aria-sort')") == "descending"
    assert opened.run("document.getElementById('said').textContent") == "sorted by MACs, descending"
    opened.click("thead [data-c=macs] button")
    assert [int(text.replace(",", "")) for text in cells(opened, "macs")] == macs[::-1]
    opened.click("thead [data-c=output_bytes] button")
    sizes = opened.run("[...document.querySelectorAll('tbody tr')].map(row => +row.cells[6].dataset.v)")
    assert sizes == sorted(sizes, reverse=True)
    assert opened.run("document.querySelectorAll('[aria-sort]').length") == 1
    opened.click("thead [data-c=op] button")
    opened.click("thead [data-c=op] button")
    opened.click("thead [data-c=op] button")
    assert cells(opened, "name") == before


def test_search_finds_rows_and_shapes(opened: Browser) -> None:
    opened.click("#search")
    opened.write("aux1 conv")
    shown = cells(opened, "name")
    assert "aux1.conv1" in shown
    assert all("aux1" in name for name in shown)
    assert opened.run("document.getElementById('shown').textContent") == f"{len(shown)} of 158"
    bright = opened.run(
        "[...document.querySelectorAll('.diagram .node:not(.dim)')].map(n => n.getAttribute('aria-label'))"
    )
    assert any("head aux1" in label for label in bright)
    assert len(bright) < 5
    opened.run(
        "(() => {const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input'))})()"
    )
    assert len(cells(opened, "name")) == 158


def test_a_shape_leads_to_its_rows_and_a_row_to_its_shape(opened: Browser) -> None:
    opened.click("#layer-1")
    assert opened.run("document.activeElement.parentElement.id") == "row-1"
    chosen = opened.run("[...document.querySelectorAll('tr.chosen')].map(row => row.cells[0].textContent)")
    assert chosen == ["conv1", "relu1", "maxpool1", "lrn1"]
    opened.click("#row-5 td:nth-child(6)")
    assert opened.run("document.querySelector('.node.chosen').id") == "layer-5"
    assert opened.run("document.activeElement.id") == "layer-5"
    # A row that the search hides comes back.
    opened.click("#search")
    opened.write("aux2")
    opened.click("#layer-1")
    assert opened.run("document.getElementById('row-1').hidden") is False


def test_a_drag_moves_the_diagram_and_chooses_nothing(opened: Browser) -> None:
    view = "document.querySelector('.diagram svg').getAttribute('viewBox')"
    before = opened.run(view)
    opened.click("[data-zoom='1.25']")
    zoomed = opened.run(view)
    assert float(zoomed.split()[2]) == pytest.approx(float(before.split()[2]) / 1.25)
    x, y = opened.centre(".diagram")
    opened.mouse("Pressed", x, y)
    opened.call("Input.dispatchMouseEvent", type="mouseMoved", x=x - 80, y=y - 60, button="left")
    opened.mouse("Released", x - 80, y - 60)
    assert opened.run(view) != zoomed
    assert opened.run("document.querySelectorAll('.chosen').length") == 0
    opened.click("[data-zoom=all]")
    ends = opened.run(
        "['.diagram', '.diagram svg g'].map(e => document.querySelector(e).getBoundingClientRect())"
        ".map(b => [b.x, b.y, b.right, b.bottom])"
    )
    (left, top, right, bottom), inner = ends
    assert left <= inner[0] + 1
    assert top <= inner[1] + 1
    assert right >= inner[2] - 1
    assert bottom >= inner[3] - 1


def test_figures_explain_themselves_on_hover_and_focus(opened: Browser) -> None:
    tip = "(() => {const t = document.getElementById('tip'); return t.hidden ? null : t.textContent})()"
    opened.mouse("Moved", *opened.centre("#row-1 td:nth-child(5)"))
    # 7·7·3·64 weights at 112·112 places
    assert "9,408 weights at each of 12,544 positions of its output" in opened.run(tip)
    opened.press("Escape")
    assert opened.run(tip) is None
    opened.run("document.querySelector('.card').focus()")
    assert opened.run(tip).startswith("The sum over all layers: ")
    assert opened.run("document.activeElement.getAttribute('aria-describedby')") == "tip"


def test_the_keyboard_is_enough(opened: Browser) -> None:
    opened.run("document.querySelector('[data-zoom=all]').focus()")
    opened.press("Tab")
    assert opened.run("document.activeElement.classList.contains('node')") is True
    first = opened.run("document.activeElement.id")
    opened.press("ArrowDown")
    second = opened.run("document.activeElement.id")
    assert second != first
    opened.press("Tab")
    assert opened.run("document.activeElement.closest('#charts') !== null") is True
    opened.run("document.getElementById('search').focus()")
    opened.press("Tab")
    # The table scrolls, and so do its headings' buttons take the focus.
    assert opened.run("document.activeElement.closest('.wide') !== null") is True
    opened.run("document.querySelector('#row-1').cells[0].focus()")
    opened.press("ArrowRight")
    opened.press("ArrowDown")
    assert opened.run("[document.activeElement.parentElement.id, document.activeElement.cellIndex]") == ["row-2", 1]
    opened.press("Enter", "\r")
    assert opened.run("document.activeElement.id") == "layer-1"
    opened.run("document.querySelector('#chart-macs .point').focus()")
    opened.press("ArrowRight")
    assert opened.run("document.activeElement.getAttribute('aria-label')").startswith("conv2")
    opened.press("Enter", "\r")
    assert opened.run("document.activeElement.textContent") == "conv2"


def test_every_control_has_a_name_and_every_section_a_heading(opened: Browser) -> None:
    nodes = opened.call("Accessibility.getFullAXTree")["nodes"]
    for node in nodes:
        if node.get("role", {}).get("value") in ("button", "link", "searchbox", "table", "img", "region"):
            assert node.get("name", {}).get("value"), node
    heads = opened.run("[...document.querySelectorAll('h1, h2, h3')].map(head => +head.tagName[1])")
    assert heads[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(heads))
    assert opened.run("document.querySelectorAll('tbody th:not([scope=row]), thead th:not([scope=col])').length") == 0


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance of rgb(…)."""
    parts = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


PAPER = "getComputedStyle(document.body).backgroundColor"


def test_dark_mode_follows_the_system_and_the_button(opened: Browser) -> None:
    light = opened.run(PAPER)
    assert luminance(light) > 0.9
    opened.prefer(prefers_color_scheme="dark", prefers_reduced_motion="reduce")
    dark = opened.run(PAPER)
    assert luminance(dark) < 0.05
    assert opened.run("document.getElementById('theme').getAttribute('aria-pressed')") == "true"
    opened.click("#theme")
    assert opened.run(PAPER) == light
    opened.reload()
    assert opened.run(PAPER) == light
    opened.prefer(prefers_color_scheme="light", prefers_reduced_motion="reduce")
    opened.click("#theme")
    assert opened.run(PAPER) == dark
    assert luminance(opened.run("getComputedStyle(document.querySelector('.diagram svg polygon')).fill")) < 0.05
    opened.run("localStorage.clear()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read(opened: Browser, scheme: str) -> None:
    opened.prefer(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    paper = opened.run(PAPER)
    panel = opened.run("getComputedStyle(document.querySelector('.card')).backgroundColor")
    for selector in ("h1", ".faint", "td", "td.z", ".lead a", "caption"):
        colour = opened.run(f"getComputedStyle(document.querySelector('{selector}')).color")
        assert contrast(colour, paper) >= 4.5, selector
    assert contrast(opened.run("getComputedStyle(document.querySelector('.card dt')).color"), panel) >= 4.5
    # Texts of the drawing on the shapes they stand in.
    pairs = opened.run(
        "[...document.querySelectorAll('.diagram .node')].flatMap(node => {"
        "const shape = node.querySelector('path, polygon, ellipse');"
        "return [...node.querySelectorAll('text')].map(text => "
        "[getComputedStyle(text).fill, getComputedStyle(shape).fill])})"
    )
    assert pairs
    assert min(contrast(*pair) for pair in pairs) >= 4.5


def test_narrow_windows_scroll_no_page_sideways(opened: Browser, folder: Path) -> None:
    opened.resize(390, 800)
    for name in ("googlenet", "index", "resnet152"):
        opened.open(folder / f"{name}.html")
        assert opened.run("document.documentElement.scrollWidth <= innerWidth"), name


def test_narrow_windows_show_volumes_and_parameters(opened: Browser, folder: Path) -> None:
    opened.resize(400, 800)
    for name in ("googlenet", "resnet152"):
        opened.open(folder / f"{name}.html")
        edge = opened.run("document.querySelector('.wide').getBoundingClientRect().right")
        for column in ("name", "spec", "output", "parameters"):
            assert opened.run(f"document.querySelector('[data-c={column}]').getBoundingClientRect().right") <= edge


def test_the_index_fits_a_window_of_1280_pixels(opened: Browser, folder: Path) -> None:
    opened.open(folder / "index.html")
    assert opened.run("(box => box.scrollWidth <= box.clientWidth)(document.querySelector('.wide'))") is True


def test_findings_and_charts_come_before_the_table(opened: Browser) -> None:
    sections = opened.run("[...document.querySelectorAll('main > section')].map(section => section.id)")
    assert sections == ["diagram", "findings", "insights", "charts", "layers", "spec", "about"]


def test_prints_the_whole_table_and_the_whole_diagram(opened: Browser, tmp_path: Path) -> None:
    opened.click("[data-zoom='1.25']")
    opened.pdf(tmp_path / "page.pdf")
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "page.pdf").read_bytes())) >= 5


def test_the_index_sorts_and_leads_to_pages(opened: Browser, folder: Path) -> None:
    opened.open(folder / "index.html")
    names = opened.run("[...document.querySelectorAll('tbody th')].map(cell => cell.textContent)")
    assert "a\"b<img src=x onerror=alert('é')>&amp;" in names
    for name in names:
        analysis = json.loads((folder / f"{name}.json").read_text())
        at = names.index(name)
        row = opened.run(
            f"[...document.querySelectorAll('tbody tr')[{at}].cells].map(c => c.dataset.v ?? c.textContent)"
        )
        totals = analysis["totals"]
        figures = [int(each.replace(",", "")) for each in (*row[2:7], *row[8:10])]
        keys = ("parameters", "macs", "flops", "activation_bytes", "parameter_bytes", "layers", "weight_layers")
        assert figures == [totals[key] for key in keys]
    opened.click("thead [data-c=layers] button")
    assert opened.run("document.querySelector('tbody th').textContent") == "resnet152"
    assert opened.run("document.querySelectorAll('#chart-scatter .point').length") == len(names)
    written = opened.run("[...document.querySelectorAll('#chart-scatter text')].map(text => text.textContent)")
    assert set(names) <= set(written)
    opened.follow("tbody tr:last-child a")
    assert opened.run("document.querySelector('h1').textContent") == "a\"b<img src=x onerror=alert('é')>&amp;"

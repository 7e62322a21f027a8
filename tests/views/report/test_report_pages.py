"""What a report says, and that nothing in a spec can make it say or do anything else."""

import json
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from zoo import over_the_zoo

import convsize
from convsize.check.config import Config
from convsize.cli.commands.report import read, written
from convsize.errors import Source, UsageError
from convsize.records import LayerRow
from convsize.views.analysis import json as as_json
from convsize.views.analysis import markdown
from convsize.views.canvas.colours import light_and_dark
from convsize.views.report import charts as report_charts
from convsize.views.report import html as report_html
from convsize.views.report import markdown as report_markdown
from convsize.views.report.content import NetworkPage, figures, listing, steps
from convsize.views.report.explain import Explainer

ROOT = Path(__file__).resolve().parents[3]


def page(text: str, name: str = "net", **more: Any) -> NetworkPage:
    return read(name, Source(text, f"{name}.spec"), Config(), {}, {}, **more)


def of_spec(name: str) -> NetworkPage:
    return read(name, str(ROOT / "specs" / f"{name}.spec"), Config(), {}, {})


class Elements(HTMLParser):
    """Every element with its attributes, and the texts of those without others in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


# ---- explanations ----------------------------------------------------------------------------------------------------


def explained(text: str, name: str) -> tuple[Explainer, LayerRow]:
    made = page(text)
    explainer = Explainer(made.report, made.windows)
    return explainer, explainer.rows[name]


def test_explains_a_convolution_with_its_numbers() -> None:
    explainer, row = explained("input: 3@32x32\nC5D8/2p2 R C3D16 FC10", "conv1")
    # (32 + 2·2 - 5)/2 = 15.5, rounded down, and 1 more
    assert explainer.output(row) == (
        "C5D8/2p2 makes 8@16x16 of 3@32x32: 8·16·16 = 2,048 values. Height and width: ⌊(32 + 2 + 2 - 5)/2⌋ + 1 = 16."
    )
    assert explainer.parameters(row).startswith("weight 8·3·5·5 = 600 + bias 8 = 608; ")
    assert "600·256 = 153,600" in explainer.macs(row)
    # 2·153,600 + 8·16·16 additions of the bias
    assert explainer.flops(row) == "2·153,600 MACs + 2,048 bias = 309,248 for one sample."
    assert explainer.receptive_field(row).startswith("1 + (5 - 1)·1 = 5 pixels. Neighbouring units lie 2 pixels apart;")
    assert explainer.output_bytes(row).startswith("8·16·16 = 2,048 values × 4 bytes of float32 = 8,192 bytes; ")


def test_explains_dilation_rounding_up_and_transposed_windows() -> None:
    explainer, row = explained("input: 3@32x32\nC3D8d2p2 M3/2ceil T4D4/2p1", "conv1")
    assert "⌊(32 + 2 + 2 - (2·(3 - 1) + 1))/1⌋ + 1 = 32" in explainer.output(row)
    assert explainer.receptive_field(row).startswith("1 + 2·(3 - 1)·1 = 5 pixels")
    assert "⌈(32 - 3)/2⌉ + 1 = 16" in explainer.output(explainer.rows["maxpool1"])
    transposed = explainer.rows["tconv1"]
    assert "(16 - 1)·2 - 1 - 1 + 4 = 32" in explainer.output(transposed)
    # every weight at every pixel that enters
    assert "512 weights at each of 256 positions of its input" in explainer.macs(transposed)


@over_the_zoo
def test_every_figure_is_in_its_explanation_and_every_sum_is_right(path: Path) -> None:
    made = of_spec(path.stem)
    explainer = Explainer(made.report, made.windows)
    for row in made.report.layers:
        assert not row.macs or re.search(r"Each of its|positions of its", explainer.macs(row)), row.name
        for text, value in (
            (explainer.parameters(row), row.parameters),
            (explainer.macs(row), row.macs),
            (explainer.flops(row), row.flops),
            (explainer.output_bytes(row), row.output_bytes),
        ):
            assert not value or f"{value:,}" in text, (row.name, text)
            for left, right in re.findall(r"(\d[\d,]*(?:·\d[\d,]*)+) = (\d[\d,]*)", text):
                product = 1
                for factor in left.split("·"):
                    product *= int(factor.replace(",", ""))
                assert f"{product:,}" == right, text


# ---- what is listed --------------------------------------------------------------------------------------------------


def test_steps_hold_every_layer_once() -> None:
    report = of_spec("resnet50").report
    found = steps(report)
    assert [row for step in found for row in step.rows] == list(report.layers)
    # 49 convolutions of the trunk, 4 projections, the classifier
    assert len(found) == 54
    assert sum(step.macs for step in found) == report.totals.macs
    assert sum(step.output_bytes for step in found) == report.totals.activation_bytes


def test_headline_figures_are_those_of_the_json() -> None:
    made = of_spec("vgg_d")
    totals = as_json.to_object(made.report)["totals"]
    found = {figure.name: figure.value for figure in figures(made)}
    assert {name: found[name] for name in found if name != "receptive_field"} == {
        name: totals[name] for name in found if name != "receptive_field"
    }
    assert found["receptive_field"] == 212 * 212


def test_long_networks_are_folded() -> None:
    made = page("input: 8@32x32\ndef b: C3D8 BN R\nb*500 GAP FC10")
    assert len(made.report.layers) == 1502
    assert [line.times for line in listing(made.report)] == [500, 500, 500, 1, 1]
    text = report_html.render(made)
    assert "folded: figures are for one iteration" in text
    assert len(text) < 1_000_000


def test_pages_of_networks_without_end_are_no_larger_than_others() -> None:
    made = page("input: 8@8x8\n" + "\n".join(f"C1D{8 + at % 7} R" for at in range(3000)) + f"\n# {'long ' * 30_000}")
    assert len(listing(made.report)) == 800
    found = steps(made.report)
    assert len(found) == 375
    assert sum(step.macs for step in found) == made.report.totals.macs
    text = report_html.render(made)
    assert "the first 800 lines, `convsize analyze` lists all" in text
    assert len(text) < 1_000_000


def test_networks_with_too_many_shapes_are_not_drawn() -> None:
    made = page("input: 8@8x8\n" + " ".join(f"C1D{8 + at % 2}/1" for at in range(700)))
    # One stage: the detail of the network is left.
    assert "at the detail of stages" in report_html.render(made)


# ---- pages -----------------------------------------------------------------------------------------------------------

HOSTILE = (
    "# </script><script>alert(1)</script> \"quotes\" 'é' & 网络 ``` </pre> <!-- ]]>\n"
    "input: 3@33x33\nC4D60/3p1 S R\nC3D50 BN A2 GAP FC10\n"
)
NAMES = ['a"><img src=x onerror=alert(1)>', "</title><script>alert(1)</script>", "é&amp;网络'`|", "javascript:alert(1)"]


@pytest.mark.parametrize("name", NAMES)
def test_names_and_texts_inject_nothing(name: str) -> None:
    text = report_html.render(page(HOSTILE, name), index=True)
    elements = Elements(text)
    assert [attributes for tag, attributes in elements.found if tag == "script"] == [
        {"type": "application/json", "id": "data"},
        {},
    ]
    assert not any(tag in ("img", "iframe", "object", "embed", "form") for tag, _ in elements.found)
    assert not any(key.startswith("on") for _, attributes in elements.found for key in attributes)
    for tag, attributes in elements.found:
        for key in ("href", "src", "xlink:href"):
            value = attributes.get(key)
            assert value is None or re.match(r"#|index\.html$|data:,$", value), (tag, value)
    # What was taken from the spec is shown as it is.
    assert name in unescape(text)
    assert any(HOSTILE in part for part in elements.texts)


def test_the_index_leads_to_pages_whatever_they_are_called() -> None:
    pages = [page(HOSTILE, name.replace("/", "_")) for name in NAMES]
    files = dict(written(pages, "html", several=True))
    elements = Elements(files["index.html"]())
    links = [
        attributes["href"] for tag, attributes in elements.found if tag == "a" and attributes.get("href") != "#main"
    ]
    assert len(links) == len(pages)
    assert all(link and re.fullmatch(r"\./[\w%.~-]+\.html", link) for link in links)
    assert not any(tag == "img" for tag, _ in elements.found)


def test_a_page_asks_for_nothing_and_allows_its_own_script_only() -> None:
    text = report_html.render(of_spec("lenet5"))
    policy = next(attributes for tag, attributes in Elements(text).found if "http-equiv" in attributes)["content"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL)))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_every_cell_explains_itself() -> None:
    made = of_spec("lenet5")
    text = report_html.render(made)
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    cells = [int(each) for each in re.findall(r'<td(?! data-c)[^>]* data-x="(\d+)"', text)]
    assert len(cells) == 7 * len(made.report.layers)
    assert all(data["texts"][each] for each in cells)


def test_shapes_lead_to_all_layers() -> None:
    for name in ("resnet50", "googlenet", "densenet121", "unet"):
        made = of_spec(name)
        data = json.loads(re.search(r'id="data">(.*?)</script>', report_html.render(made), re.DOTALL)[1])  # type: ignore[index]
        led = {row for node in data["nodes"].values() for row in node["rows"]}
        assert led == {row.index for row in made.report.layers}


def test_charts_have_a_point_for_every_step() -> None:
    made = of_spec("alexnet")
    count = len(steps(made.report))
    found = {chart.key: chart.svg.count('class="point"') for chart in report_charts.charts(made.report)}
    # two lines in the first; behind the last pooling the three fully connected layers see all
    assert found == {"volume": 2 * count, "parameters": count, "macs": count, "memory": count, "field": count - 3}


def test_every_colour_of_a_picture_has_one_for_dark_pages() -> None:
    pages = [of_spec(name) for name in ("googlenet", "unet", "densenet121")]
    for text in (*map(report_html.render, pages), written(pages, "html", several=True)[0][1]()):
        colours = set(re.findall(r'(?:fill|stroke)="(#\w+)"', text))
        assert len(colours) > 4
        assert colours <= light_and_dark().keys()


def test_inputs_of_any_rank_and_networks_without_costs() -> None:
    for text in (
        "input: 4@64\nC3D8 R GMP FC2",
        "input: 3@8x16x16\nC3D8 R M GAP FC2",
        "input: 3@8x8\nR M",
        "input: 12@1\nFC3",
    ):
        made = page(text)
        assert "<svg" in report_html.render(made)
        assert "### Diagram" in report_markdown.render(made)


def test_equal_networks_give_equal_pages() -> None:
    for render in (report_html.render, report_markdown.render):
        assert render(of_spec("googlenet")) == render(of_spec("googlenet"))


def test_markdown_shows_texts_as_they_are() -> None:
    assert markdown.escaped("a|b <i>&amp; `c` $1$\n*d*") == r"a\|b \<i\>\&amp; \`c\` \$1\$ \*d\*"
    assert report_markdown.fenced("```` x\n") == "`````text\n```` x\n`````"
    text = report_markdown.render(page(HOSTILE, NAMES[0]))
    assert "\n````text\n# </script>" in text
    assert "### Findings\n\n- **W513**, line 3: this ReLU changes nothing" in text
    # The join of branches is a bar, which would end the cell.
    assert "`\\|`" in report_markdown.render(page("input: 8@8x8\n[C3D8 | C1D8] FC2"))


# ---- the command -----------------------------------------------------------------------------------------------------


def test_writes_a_page_for_each_network_and_an_index(convsize: Callable[..., Any], tmp_path: Path) -> None:
    two = [str(ROOT / "specs" / f"{name}.spec") for name in ("lenet5", "alexnet")]
    out = tmp_path / "new" / "pages"
    ran = convsize("report", *two, "-o", out)
    assert (ran.code, ran.out, ran.err) == (0, "", f"2 pages in {out}\n")
    assert sorted(path.name for path in out.iterdir()) == ["alexnet.html", "index.html", "lenet5.html"]
    assert convsize("report", two[0], "-o", tmp_path / "one").code == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["lenet5.html"]
    assert "index.html" not in (tmp_path / "one" / "lenet5.html").read_text()


def test_check_names_what_is_stale(convsize: Callable[..., Any], tmp_path: Path) -> None:
    call = ("report", ROOT / "specs" / "lenet5.spec", "-o", tmp_path, "-f", "markdown")
    stale = f"error: {tmp_path}/lenet5.md is not up to date\n"
    assert convsize(*call, "--check") == ("", stale, 1)
    assert list(tmp_path.iterdir()) == []
    assert convsize(*call).code == 0
    assert convsize(*call, "--check") == ("", "", 0)
    assert convsize(*call, "--batch", "2", "--check").code == 1


def test_a_wrong_spec_does_not_keep_the_others_from_their_pages(convsize: Callable[..., Any], tmp_path: Path) -> None:
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "good.spec").write_text("input: 3@8x8\nC3D4 R FC10 S\n")
    (specs / "wrong.spec").write_text("input: 3@8x8\nC9D4/3q\n")
    (specs / "promise.spec").write_text("input: 3@8x8\nexpect: parameters=7\nFC10 S\n")
    ran = convsize("report", specs, "-o", tmp_path / "out")
    assert ran.code == 1
    assert "wrong.spec:2" in ran.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good.html", "index.html", "promise.html"]
    assert "E401" in (tmp_path / "out" / "promise.html").read_text()


def test_pages_that_would_be_one_file_are_refused(convsize: Callable[..., Any], tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "net.spec").write_text("input: 3@8x8\nC3D4\n")
    ran = convsize("report", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out")
    assert ran.code == 2
    assert "would be the same file, net.html" in ran.err
    with pytest.raises(UsageError, match=r"the index would be the same file, Index\.html"):
        written([page("input: 8@1\nFC2", "Index"), page("input: 8@1\nFC2", "b")], "html", several=True)


def test_says_what_is_wrong_with_the_call(convsize: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    assert "no spec: name a file" in convsize("report").err
    assert "no spec to report on" in convsize("report", tmp_path / "empty").err
    ran = convsize("report", "-e", "CR", "-i", "3@8x8", "-o", tmp_path / "file" / "x")
    assert (ran.code, "cannot be made" in ran.err) == (2, True)


# ---- notebooks -------------------------------------------------------------------------------------------------------


def test_networks_and_reports_show_themselves_in_notebooks() -> None:
    network = convsize.parse("input: 3@32x32\nCRCRP FC10 S", name='a<b>"&')
    report = network.analyze(batch=8)
    assert isinstance(report, convsize.Report)
    text = report._repr_html_()
    elements = Elements(text)
    assert not any(tag in ("script", "style", "b") for tag, _ in elements.found)
    image = next(attributes for tag, attributes in elements.found if tag == "img")
    assert image["alt"] == 'The graph of a<b>"&'
    assert "for batch 8" in text
    assert "7,858 parameters" in network._repr_html_()
    picture = network._repr_svg_()
    assert picture is not None
    assert picture.rstrip().endswith("</svg>")

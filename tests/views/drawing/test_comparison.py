"""`convsize compare`: differences, Pareto marks, where costs sit, formats."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from itertools import product
from pathlib import Path

import pytest

from convsize import api
from convsize.records import Report
from convsize.views.answers.comparison import COSTS, _key, compare, ratio, render
from convsize.views.answers.pictures.comparison import scene

SPECS = Path(__file__).parents[3] / "specs"


def report(text: str, name: str) -> Report:
    return api.parse(f"input: 1@8x8\n{text}", name).analyze()


def test_pareto_by_hand() -> None:
    # C1D2 on 1@8x8: 4 parameters, 128 MACs, 128 values. With a second one: 10, 384, 256: beaten by the first in all.
    # C1D1/2 costs 2, 16, 16: it beats both. FC1: 65 parameters, 64 MACs, but only one value.
    found = compare([report("C1D2", "a"), report("C1D2 C1D2", "b"), report("C1D1/2", "c"), report("FC1", "d")])
    assert [entry.costs for entry in found] == [(4, 128, 512), (10, 384, 1024), (2, 16, 64), (65, 64, 4)]
    assert [entry.pareto for entry in found] == [False, False, True, True]


def test_equal_networks_do_not_beat_each_other_and_are_numbered() -> None:
    found = compare([report("C1D2", "a"), report("C1D2", "a")])
    assert [(entry.name, entry.pareto) for entry in found] == [("a", True), ("a (2)", True)]


def test_depth_in_fifths() -> None:
    # Five convolutions, each a fifth; what follows one counts to it, what comes before the first to the first.
    (found,) = compare([report("M1 C1D2 R C1D2 C1D2 C1D2 C1D2", "a")])
    assert found.by_depth[0] == (4, 6, 6, 6, 6)
    assert found.by_depth[2] == (4 * (64 + 128 + 128), 512, 512, 512, 512)


def test_fifths_add_up() -> None:
    reports = [api.load(path).analyze() for path in sorted(SPECS.glob("*net*.spec"))]
    for entry in compare(reports):
        assert tuple(map(sum, entry.by_depth)) == entry.costs


@pytest.mark.parametrize(
    ("value", "first", "text"),
    [
        *[(1, 2, "×0.50"), (3, 1, "×3.00"), (25_000, 2, "×12,500"), (1, 0, "–"), (0, 5, "×0"), (42, 1000, "×0.04")],
        *[(1, 100, "×0.01"), (33, 10_000, "×0.0033"), (99, 10_000, "×0.0099"), (999, 100_000, "×0.01")],
        *[(999, 1_000_000, "×0.0010"), (1, 999_000, "×0.0000010"), (1, 10**7, "<×0.000001")],
    ],
)
def test_ratios(value: int, first: int, text: str) -> None:
    assert ratio(value, first) == text


def test_the_table(convsize, golden) -> None:
    names = ("resnet50", "vgg_d", "googlenet", "mobilenet_v2")
    ran = convsize("compare", *(SPECS / f"{name}.spec" for name in names))
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80
    golden("compare/four.txt", ran.out)


def test_narrow_terminals_keep_the_figures(convsize) -> None:
    ran = convsize("compare", SPECS / "resnet50.spec", SPECS / "vgg_d.spec", width=50)
    assert "138.4M" in ran.out
    table, _, said = ran.out.partition("left out at this width: ")
    assert "RF" not in table
    assert said.startswith("RF")


@pytest.mark.parametrize("width", [60, 70, 80, 100])
@pytest.mark.parametrize("command", ["compare", "analyze"])
def test_what_there_is_no_room_for_is_named(convsize, command: str, width: int) -> None:
    paths = [SPECS / f"{name}.spec" for name in ("resnet50", "siamese", "mobilenet_v2")]
    wide, narrow = (convsize(command, *paths, width=each).out for each in (200, width))
    assert "left out" not in wide
    _, _, after = narrow.partition("left out at this width: ")
    (head,) = [part.split("─")[0] for part in narrow.split("\n\n") if "network " in part.split("─")[0]]
    said = after.split("\n\n")[0].replace("\n", " ").replace(" and ", ", ").split(", ")
    for title in ("weight layers", "RF", "activations"):
        assert all(word in head for word in title.split()) != (title in [each.strip() for each in said])


def test_networks_that_cost_the_same_have_one_number_at_each_axis() -> None:
    text = render(compare([report("C1D2", name) for name in "abc"]))
    plot = text.partition("both logarithmic")[2].partition("distribution")[0]
    assert plot.count("128") == 1
    assert re.search(r"^ +4$", plot, re.MULTILINE)


def test_names_in_the_plot_never_touch() -> None:
    entries = compare([report(f"C1D{depth} C1D2", f"n{depth}") for depth in range(2, 40)])
    plot = render(entries).partition("both logarithmic")[2].partition("└")[0]
    for line in plot.splitlines():
        for word in line.partition("│")[2].split():
            assert re.fullmatch(r"\(*[a-z]+\)*", word), line


def test_markdown_csv_and_json_agree(convsize) -> None:
    paths = [SPECS / "lenet5.spec", SPECS / "alexnet.spec"]
    found = json.loads(convsize("compare", *paths, "-f", "json").out)
    assert found["schema"] == 1
    rows = list(csv.DictReader(io.StringIO(convsize("compare", *paths, "-f", "csv").out)))
    for row, each in zip(rows, found["networks"], strict=True):
        for name, _, _ in COSTS:
            assert int(row[name]) == each[name] == sum(each["by_depth"][name])
            assert float(row[f"{name}_to_first"]) == each["to_first"][name]
        assert row["pareto"] == str(each["pareto"]).lower()
    assert found["networks"][0]["parameters"] == 61706
    markdown = convsize("compare", *paths, "-f", "markdown").out
    assert "| lenet5 ★ | 61.71K | ×1.00 |" in markdown


def test_the_picture_names_every_network(convsize, tmp_path: Path) -> None:
    paths = sorted(SPECS.glob("*.spec"))
    assert convsize("compare", *paths, "-o", tmp_path / "costs.svg", "-f", "csv").code == 0
    root = ElementTree.parse(tmp_path / "costs.svg").getroot()
    shown = ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("}text")]
    for path in paths:
        assert shown.count(path.stem) == 2  # beside its bubble and beside its bars


def test_names_inject_nothing() -> None:
    nasty = "<b>&\"'"
    svg = scene(compare([report("C1D2", nasty), report("FC3", "b")])).svg()
    shown = ["".join(each.itertext()) for each in ElementTree.fromstring(svg).iter() if each.tag.endswith("}text")]
    assert shown.count(nasty) == 2


def test_one_wrong_spec_among_several(convsize) -> None:
    ran = convsize("compare", SPECS / "lenet5.spec", "none.spec", SPECS / "alexnet.spec")
    assert ran.code == 2
    assert "there is no file `none.spec`" in ran.err
    assert "alexnet" in ran.out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "`compare` needs at least two networks"),
        ([SPECS / "alexnet.spec", "--theme", "dark"], "name a file with -o costs.svg"),
        ([SPECS / "alexnet.spec", "-o", "costs.mmd"], "a comparison is not a graph"),
    ],
)
def test_wrong_calls(convsize, arguments: list[str], text: str) -> None:
    ran = convsize("compare", SPECS / "lenet5.spec", *arguments)
    assert ran.code == 2
    assert text in ran.err


def test_no_network_is_moved_to_the_row_of_another_cost() -> None:
    entries = compare([api.load(path).analyze(with_digest=False) for path in sorted(SPECS.glob("*.spec"))[::2]])
    plot, _, below = render(entries).partition("└")
    rows = {key: at for at, line in enumerate(plot.splitlines()) if "│" in line for key in re.findall(r"[a-z]+", line)}
    _, _, said = below.partition("no room of their own: ")
    for part in said.split("\n\n")[0].split(";"):
        keys, _, at = " ".join(part.split()).partition(" at ")
        assert at in rows
        rows |= dict.fromkeys(keys.split(), rows[at])
    assert sorted(rows) == sorted(map(_key, range(len(entries))))
    macs = {_key(at): entry.costs[1] for at, entry in enumerate(entries)}
    for one, other in product(rows, rows):
        assert rows[one] <= rows[other] or macs[one] < macs[other], (one, other)

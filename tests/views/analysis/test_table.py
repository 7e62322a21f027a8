import re

import pytest
from handmade_reports import TINY, field, layer, report

from convsize import api
from convsize.errors import UsageError
from convsize.records import Iteration
from convsize.views.analysis import csv, markdown, table
from convsize.views.analysis.columns import COLUMNS, chosen, column, ordered
from convsize.views.text import layout
from convsize.views.text.paint import Paint, showable

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [32, 40, 60, 80, 100, 140, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for text in (table.render(TINY, width=width), table.summary([TINY, TINY], width=max(width, 40))):
        assert max(map(len, text.splitlines())) <= max(width, 40 if "network" in text else 32)
        assert "conv1" in text or "network" in text


def test_colour_moves_nothing() -> None:
    painted = table.render(TINY, width=100, paint=Paint(colour=True))
    assert "\x1b[" in painted
    assert ESCAPES.sub("", painted) == table.render(TINY, width=100)


def test_the_narrow_table_keeps_what_matters_most() -> None:
    header = table.render(TINY, width=40).splitlines()[2].split()
    assert header[:3] == ["layer", "spec", "output"]


def test_totals_say_both_units() -> None:
    lines = table.render(TINY).splitlines()
    # 221,184 + 20,480 multiply-adds; twice that and 18 biases.
    assert any(line.startswith("MACs") and "241,664" in line for line in lines)
    assert any(line.startswith("FLOPs") and "483,346" in line and "2 per MAC" in line for line in lines)
    assert not re.search(r"\bflops\b", "\n".join(lines))


def test_warnings_are_counted() -> None:
    assert table.render(TINY).endswith("\n1 warning\n")


def test_chosen_columns_come_in_the_order_they_were_asked_for() -> None:
    text = table.render(TINY, columns=chosen("macs, name,OUTPUT"))
    # 221,184 of 241,664 multiply-adds are 91.5 %.
    assert text.splitlines()[2].split() == ["MACs", "to", "91.5%", "layer", "output"]
    assert text.splitlines()[4].split() == ["221,184", "████████", "conv1", "8@32x32"]


def test_bars_show_shares_where_there_is_room() -> None:
    # fc1's 20,480 multiply-adds are 5.9 eighths of conv1's 221,184 in 64 eighths; the pooling has none.
    lines = table.render(TINY, columns=chosen("name,macs"), width=80).splitlines()
    assert [line.split()[2:] for line in lines[4:7]] == [["████████"], [], ["▊"]]
    assert lines[7] == "bars: share of the whole network; a full bar is the share in the heading"
    narrow = table.render(TINY, columns=chosen("name,macs"), width=32)
    assert "█" not in table.render(TINY, columns=chosen("name,spec,output,macs"), width=32)
    assert max(map(len, narrow.splitlines())) <= 32
    assert not any(sign in view for sign in "█▊" for view in (markdown.render(TINY), csv.render([TINY])))


def test_bars_follow_the_lines_and_the_columns() -> None:
    text = table.render(TINY, columns=chosen("parameters,name"), sort=column("parameters"))
    assert [line.split()[1] for line in text.splitlines()[4:6]] == ["████████", "▏"]
    assert "█" not in table.render(TINY, columns=chosen("name,output"))


@pytest.mark.parametrize(
    ("value", "full", "shown"),
    [(0, 5, ""), (0, 0, ""), (5, 5, "████"), (1, 10**9, "▏"), (1, 2, "██"), (9, 32, "█▏"), (31, 32, "███▉")],
)
def test_a_bar_is_in_eighths_of_a_block(value: int, full: int, shown: str) -> None:
    assert layout.bar(value, full, 4) == shown


def test_flops_never_stand_without_macs() -> None:
    assert [each.name for each in chosen("name,flops")] == ["name", "macs", "flops"]
    assert [each.name for each in chosen("flops,macs")] == ["macs", "flops"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("parmeters", "there is no column `parmeters`: did you mean `parameters`?"),
        ("zzz", "there is no column `zzz`: there are: name, op, spec, line"),
        (",", "`--columns` names no column; there are: name"),
    ],
)
def test_an_unknown_column_names_the_nearest(asked: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        chosen(asked)
    assert str(error.value).startswith(message)


def test_every_column_can_be_shown_and_sorted_by() -> None:
    for each in COLUMNS:
        assert each.header in table.render(TINY, width=200, columns=[each])
        assert sorted(row.index for row in ordered(TINY.layers, each)) == [1, 2, 3]


def test_costs_sort_from_the_largest_down_and_words_upwards() -> None:
    def names(by: str) -> list[str]:
        return [row.name for row in ordered(TINY.layers, column(by))]

    assert names("parameters") == ["fc1", "conv1", "maxpool1"]
    assert names("name") == ["conv1", "fc1", "maxpool1"]
    assert names("rf") == ["maxpool1", "conv1", "fc1"]  # a layer without positions comes last
    assert names("line") == ["conv1", "maxpool1", "fc1"]


REPEATED = report(
    tuple(
        layer(
            2 * iteration + at + 1,
            f"{name}{iteration + 1}",
            spec,
            (8, 32, 32),
            op=op,
            input_shape=(8, 32, 32),
            weights=weights,
            macs=weights,
            sees=field(3 + 2 * iteration),
            iterations=(Iteration(1, iteration, False),),
        )
        for iteration in range(3)
        for at, (name, spec, op, weights) in enumerate([("conv", "C3D8", "convolution", 576), ("relu", "R", "ReLU", 0)])
    )
)


def test_repeats_are_folded_with_a_bracket_and_what_they_see_from_first_to_last() -> None:
    lines = table.render(REPEATED).splitlines()
    assert lines[4].split()[:6] == ["┌", "conv1", "×3", "C3D8", "8@32x32", "3…7"]
    assert lines[5].split()[:6] == ["└", "relu1", "×3", "R", "8@32x32", "3…7"]
    assert lines[6].startswith("×n: repeated n times")


def test_expanded_and_sorted_tables_list_every_turn() -> None:
    for text in (table.render(REPEATED, expand=True), table.render(REPEATED, sort=column("macs"))):
        assert "×" not in text
        assert all(f"conv{iteration}" in text for iteration in (1, 2, 3))


def test_csv_holds_every_turn_in_plain_numbers() -> None:
    import csv as reader
    import io

    rows = list(reader.DictReader(io.StringIO(csv.render([TINY, REPEATED]))))
    assert len(rows) == 9
    assert rows[0]["network"] == "tiny"
    assert [row["name"] for row in rows[:3]] == ["conv1", "maxpool1", "fc1"]
    assert rows[0]["macs"] == "221184"
    assert rows[0]["output"] == "8x32x32"
    assert rows[1]["receptive_field"] == "4x4"
    assert rows[2]["receptive_field"] == ""
    assert set(rows[0]) == {"network", *(each.name for each in COLUMNS)}


def test_markdown_is_a_table_with_as_many_cells_in_every_row() -> None:
    text = markdown.render(REPEATED.replace(name="a|b"))
    assert text.startswith("## a\\|b\n")
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 2
    for block in blocks:
        assert len({line.count("|") for line in block}) == 1
    assert blocks[0][2].startswith("| conv1 | ×3 | `C3D8` |")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", None])
def test_every_encoding_gets_something_it_can_show(encoding: str | None) -> None:
    text = showable(table.render(REPEATED), encoding)
    assert text.encode(encoding or "ascii")
    assert "conv1" in text
    assert "?" not in text


def test_a_fully_connected_layer_shows_how_many_values_it_reads(convsize) -> None:
    # 512 maps of 7x7 are 25,088 values: what a person writes as nn.Linear's in_features.
    ran = convsize("analyze", "-e", "C3D512 M FC4096 FC10", "--input", "3@14x14", "--columns", "name,output")
    shown = dict(line.split()[:2] for line in ran.out.splitlines()[4:8])
    assert shown == {"conv1": "512@14x14", "maxpool1": "512@7x7", "fc1": "25088→4096", "fc2": "4096→10"}
    ran = convsize("analyze", "-e", "C3D512 M FC4096 FC10", "--input", "3@14x14", "--format", "markdown")
    assert "| 25088→4096 |" in ran.out


def test_step_counters_among_the_buffers_are_said(convsize) -> None:
    # Keras' batch norm of 32 maps has 64 values that are not trained; PyTorch's counts its steps as well.
    one = convsize("analyze", "-e", "C3D32 BN R", "--input", "3@8x8", width=120).out
    assert "65 buffer values beside (1 of them a step counter)" in one
    two = convsize("analyze", "-e", "C3D32 BN BN", "--input", "3@8x8", width=120).out
    assert "130 buffer values beside (2 of them step counters)" in two
    assert "buffer" not in convsize("analyze", "-e", "C3D32 GN4", "--input", "3@8x8").out


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize(
    "text",
    [
        "input: 8@16x16\nGAP7",
        "input: 8@16x16\nC1D8 R C1D16 R",
        "input: 8@16x16\nR resize(7,9) R up(2)",
        "input: 3@32x32\nC3D16 BN R GAP FC10 S",
    ],
)
def test_spare_width_is_not_given_to_columns_that_say_nothing(text: str, width: int) -> None:
    shown = table.render(api.parse(text, "net").analyze(), width=width).splitlines()
    rule = next(at for at, line in enumerate(shown) if line.startswith("─"))
    header = shown[rule - 1]
    end = next(at for at, line in enumerate(shown[rule:], rule) if not line.strip())
    rows = [line.ljust(len(header)) for line in shown[rule + 1 : end] if not line.startswith(("×n", "bars"))]
    assert len(rows) == text.split("\n")[1].count(" ") + 1
    for found in re.finditer(r"\b(jump|weights|biases|FLOPs|start|line)\b", header):
        column = {line[: found.end()].split()[-1] for line in rows}
        assert len(column) > 1 or len(rows) == 1, (found[0], column)
        assert column != {"–"}

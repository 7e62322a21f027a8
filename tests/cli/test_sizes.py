"""`convsize sizes` as it is called: what is printed, and the exit codes."""

import json
from pathlib import Path

import pytest
from zoo import UNET_IN_NUMBERS

from convsize.cli.commands.sizes import command
from convsize.cli.guard import guarded
from convsize.records.sizes import Progression, SizeRange, SizeSet
from convsize.views.answers.sizes import set_text

SPECS = Path(__file__).parents[2] / "specs"


def run(capsys: pytest.CaptureFixture[str], *specs: str, **options: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        guarded(command)(list(specs) or None, **options)
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def test_axes_that_are_alike_are_told_once(capsys) -> None:
    code, out, err = run(capsys, str(SPECS / "vgg_d.spec"))
    assert (code, err) == (0, "")
    assert out == (
        "vgg_d · input 3@224x224\n"
        "\n"
        "height and width\n"
        "  valid       every size from 32\n"
        "  exact       32·k, from 32\n"
        "  checkpoint  224…255\n"
        "\n"
        "smallest      32x32 valid; 32x32 exact\n"
        "declared      224x224 is valid and exact\n"
        "checkpoint    fc1, `FC4096` on line 4: its weights have one column for each of\n"
        "              512·7·7 = 25088 inputs\n"
        "left out      inline volumes on line 3, which are written for one input size\n"
    )


def test_axes_that_differ_are_told_apart(capsys) -> None:
    code, out, _ = run(capsys, str(SPECS / "c3d.spec"))
    assert code == 0
    assert "time\n  valid       every size from 8\n" in out
    assert "height and width\n  valid       every size from 16\n" in out
    assert "smallest      8x16x16 valid; 8x16x16 exact\n" in out


def test_near_a_wished_size_and_why_it_fails(capsys) -> None:
    code, out, _ = run(capsys, expression=[UNET_IN_NUMBERS], near="572x600")
    assert code == 0
    assert "near 572      height: 572 is valid, 572 is exact\n" in out
    assert "near 600      width: 587 is valid, 572 is exact\n" in out
    assert "572x600 fails:\nerror[E303]" in out
    assert "32@56x58" in out


def test_why_names_the_layers_that_drop_pixels(capsys) -> None:
    code, out, _ = run(capsys, expression=["C3p0 M3/2\nM"], input_=["3@32x32"], why="32x33")
    assert code == 0
    assert out.endswith(
        "32x33 is valid, but not exact:\n  maxpool1, `M3/2` on line 1: drops 1 of the 30 pixels of the "
        "height\n  maxpool2, `M` on line 2: drops 1 of the 15 pixels of the width\n"
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [({"min_": True}, "3@299x299\n"), ({"min_": True, "main_": True}, "3@75x75\n")],
)
def test_the_smallest_size_alone(capsys, options: dict[str, object], text: str) -> None:
    assert run(capsys, str(SPECS / "inception_v3.spec"), **options) == (0, text, "")


def test_a_spec_that_is_wrong_at_its_declared_size_is_solved_all_the_same(capsys) -> None:
    code, out, _ = run(capsys, expression=["input: 3@30x30\n[x | M [x | M up(2)] up(2)]"])
    assert code == 1
    assert "It cannot be built at its declared size; the sizes were solved from 32x32.\n" in out
    assert "  valid       4·k, from 4\n" in out
    assert "declared      30x30: E303 on line 2: the branches of this concatenation have\n" in out
    assert "different extents: 3@15x15 and 3@14x14\n" in out


def test_a_declared_size_that_breaks_inline_volumes_is_said(capsys) -> None:
    code, out, _ = run(capsys, expression=["input: 3@30x30\nM 3@16x16"])
    assert code == 1
    assert "declared      30x30: E407 on line 2: the volume here is 3@15x15, not 3@16x16\n" in out


def test_weights_that_cannot_be_at_the_declared_size_make_no_checkpoint(capsys) -> None:
    # Solved from 32x32, but its weights of 3·3·32·32 columns are nobody's.
    code, out, _ = run(capsys, expression=["input: 3@30x30\n[x | M [x | M up(2)] up(2)] FC10"])
    assert code == 1
    assert "  checkpoint " not in out
    assert out.endswith(
        "checkpoint    no size: weights follow the input size, and there are none at the\n              declared one\n"
    )
    # Filters have no size of an input: their checkpoint loads wherever the network can be built.
    out = run(capsys, expression=["input: 3@30x30\n[x | M [x | M up(2)] up(2)] C3D8"], format_="json")[1]
    (found,) = {json.dumps(axis["checkpoint"]) for axis in json.loads(out)["axes"]}
    assert json.loads(found)["progressions"] == [{"modulus": 4, "start": 4, "width": 1}]


@pytest.mark.parametrize("options", [{}, {"input_": ["3@64x64"]}, {"near": "40"}])
def test_inline_volumes_that_are_left_out_are_said(capsys, options: dict[str, object]) -> None:
    spec = "input: 3@32x32\ndef b(): C3D8 8@32x32\nb 8@32x32 M 8@16x16\nGAP 8@1x1"
    code, out, _ = run(capsys, expression=[spec], **options)
    assert code == 0
    assert (
        "left out      inline volumes on lines 2, 3 and 4, which are written for one\n              input size\n" in out
    )


_SEVERAL = (
    "input left: 3@32x32\ninput right: 3@32x32\ninput sound: 1@1000\n"
    "@left [@left C3D8 GAP FC2 | @right C3D8 GAP FC2 | @sound C2D8/2p0 GAP FC2] FC10"
)


@pytest.mark.parametrize(
    ("near", "axes"),
    [
        ("300", "height and width of left and right and length of sound: "),
        ("sound=300", ""),
        ("300x300", "height and width of left and right: "),
        ("right=300", "height and width of left and right: "),
    ],
)
def test_near_goes_to_the_inputs_that_it_fits(capsys, near: str, axes: str) -> None:
    code, out, _ = run(capsys, expression=[_SEVERAL], near=near)
    assert code == 0, out
    said = out[out.index("near 300") :].replace("\n" + " " * 14, " ")
    assert said == f"near 300      {axes}300 is valid, 300 is exact\n"


def test_why_leaves_the_other_inputs_as_declared(capsys) -> None:
    assert "left 32x32, right 32x32, sound 2 are valid" in run(capsys, expression=[_SEVERAL], why="sound=2")[1]


def test_another_input_than_the_files(capsys) -> None:
    code, out, _ = run(capsys, str(SPECS / "vgg_d.spec"), input_=["3@32x64"])
    assert code == 0
    assert out.startswith("vgg_d · input 3@32x64\n")
    # 512·1·2 inputs: ⌊n/32⌋ = 1 of the height, 2 of the width.
    assert "  checkpoint  32…63\n" in out
    assert "  checkpoint  64…95\n" in out


def test_json(capsys) -> None:
    code, out, _ = run(capsys, str(SPECS / "alexnet.spec"), near="300", format_="json")
    assert code == 0
    found = json.loads(out)
    assert found["schema"] == 1
    assert found["axes"][1]["exact"] == {
        "progressions": [{"modulus": 32, "start": 67, "width": 1}],
        "ranges": [],
        "smallest": 67,
    }
    assert found["smallest"] == {"input": [3, 67, 67]}
    assert found["near"][0] == {
        "inputs": ["input"],
        "axis": 0,
        "wished": 300,
        "below": 300,
        "above": 300,
        "exact_below": 291,
        "exact_above": 323,
    }
    assert found["checkpoint"][0]["layer"] == "fc1"


def test_several_specs_make_a_list(capsys) -> None:
    code, out, _ = run(capsys, str(SPECS / "vgg_a.spec"), str(SPECS / "vgg_b.spec"), format_="json")
    assert code == 0
    assert [each["name"] for each in json.loads(out)] == ["vgg_a", "vgg_b"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"near": "0"}, "--near takes an extent, such as 300, or one for every axis, such as 300x400, not `0`"),
        ({"why": "-3"}, "--why takes an extent"),
        ({"why": "9" * 400}, "--why takes an extent"),
        ({"near": "1x2x3"}, "3 numbers for 2 axes"),
        ({"near": "left=300"}, "vgg_a has no input `left`: it has `input`"),
        ({"why": "input=1x2x3"}, "3 numbers for 2 axes"),
    ],
)
def test_wrong_calls_end_with_two(capsys, options: dict[str, object], message: str) -> None:
    code, out, err = run(capsys, str(SPECS / "vgg_a.spec"), **options)
    assert (code, out) == (2, "")
    assert message in err


def test_a_spec_that_cannot_be_read_or_sized_ends_with_one(capsys) -> None:
    code, out, err = run(capsys, expression=["input: 3@32x32\nC3d64"])
    assert (code, out) == (1, "")
    assert "error[E" in err
    code, out, err = run(capsys, expression=["input: 3@32x32\n[C3p0 | x]"])
    assert (code, out) == (1, "")
    assert "error[E303]" in err


def test_a_sum_that_fits_only_where_one_branch_has_one_position(capsys) -> None:
    # At 3x3 the filter leaves one position, which is added at all nine.
    code, out, _ = run(capsys, expression=["input: 3@32x32\n(C3p0 + x)"])
    assert (code, "valid       3\n" in out) == (1, True)


def test_a_missing_file_ends_with_two(capsys) -> None:
    assert run(capsys, "nowhere.spec")[0] == 2


def test_what_all_calls_of_a_block_say_is_said_once(capsys):
    for name, most in (("siamese", 1), ("googlenet", 2)):
        _, out, _ = run(capsys, str(SPECS / f"{name}.spec"))
        text = " ".join(out.split())
        assert text.count("one column for each of") == most
    assert "aux1.fc1 and aux2.fc1, `FC1024` on line" in text


@pytest.mark.parametrize(
    ("progressions", "ranges", "text"),
    [
        ([(16, 13, 4)], [(1, 4, 1)], "1…4; 13…16 + 16·k (k ≥ 0)"),
        ([(32, 32, 1)], [], "32·k, from 32"),
        ([(32, 32, 1), (32, 26, 1)], [], "26 + 32·k; 32 + 32·k (k ≥ 0)"),
        ([(1, 5, 1)], [(2, 2, 1)], "2; every size from 5"),
        ([], [], "none"),
    ],
)
def test_a_set_begins_with_its_smallest(progressions, ranges, text):
    found = SizeSet(tuple(Progression(*each) for each in progressions), tuple(SizeRange(*each) for each in ranges))
    assert set_text(found) == text

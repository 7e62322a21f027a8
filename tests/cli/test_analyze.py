"""The command as a student uses it: golden tables, formats, several specs, unusual terminals."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from zoo import over_the_zoo

ROOT = Path(__file__).resolve().parents[2]
SPECS = ROOT / "specs"
SCHEMA = json.loads(files("convsize.views.analysis").joinpath("analysis.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SMALL = "input: 3@32x32\nC R C R M FC10 S\n"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")

GOLDEN = ["vgg_d", "resnet152", "densenet121", "googlenet", "unet", "lenet5"]


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", GOLDEN)
def test_golden_tables(convsize, golden, name: str, width: int) -> None:
    ran = convsize("analyze", SPECS / f"{name}.spec", width=width)
    assert (ran.err, ran.code) == ("", 0)
    assert max(map(len, ran.out.splitlines())) <= width
    golden(f"analyze/{name}_{width}.txt", ran.out)


@pytest.mark.parametrize("name", ["resnet152", "densenet121"])
def test_deep_networks_give_tables_that_can_be_read(convsize, name: str) -> None:
    folded = convsize("analyze", SPECS / f"{name}.spec").out.splitlines()
    expanded = convsize("analyze", SPECS / f"{name}.spec", "--expand").out.splitlines()
    assert len(folded) < 130
    assert len(expanded) > 400


@pytest.mark.parametrize("name", ["inception_v3", "deeplab_aspp", "densenet121"])
def test_names_that_are_cut_short_stay_different(convsize, name: str) -> None:
    def names(width: int) -> list[str]:
        table = convsize("analyze", SPECS / f"{name}.spec", width=width).out.split("\n\n")[1].splitlines()[2:]
        start = re.compile(r"^[┌│└ ]*(\S+)")
        return [start.match(line)[1] for line in table if "×n" not in line and "bars:" not in line]

    assert len(names(80)) == len(names(200))
    assert len(set(names(80))) == len(set(names(200)))


def test_the_figures_of_vgg_d(convsize) -> None:
    out = convsize("analyze", SPECS / "vgg_d.spec").out
    for figure in ("138,357,544", "15,470,264,320"):
        assert figure in out
    assert re.search(r"^receptive field +212 ", out, re.MULTILINE)
    assert re.search(r"^weight layers +16 ", out, re.MULTILINE)


def test_a_pipe_gets_plain_text_and_a_terminal_colour(convsize, monkeypatch) -> None:
    plain = convsize("analyze", "-", stdin=SMALL)
    painted = convsize("analyze", "-", stdin=SMALL, tty=True)
    assert "\x1b" not in plain.out
    assert "\x1b[" in painted.out
    assert ESCAPES.sub("", painted.out) == plain.out


@pytest.mark.parametrize(
    ("variables", "colour"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_in_a_process_of_its_own(variables: dict[str, str], colour: bool) -> None:
    ran = process("analyze", "-e", "CRCRP FC10", "--input", "3@32x32", **variables)
    assert ran.returncode == 0
    assert ("\x1b[" in ran.stdout) is colour


@pytest.mark.parametrize("width", [1, 20, 40, 60, 100, 300])
def test_any_width(convsize, width: int) -> None:
    for name in ("vgg_d", "googlenet"):
        ran = convsize("analyze", SPECS / f"{name}.spec", width=width)
        assert ran.code == 0
        assert max(map(len, ran.out.splitlines())) <= max(width, 32)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_streams_that_show_little(convsize, encoding: str) -> None:
    ran = convsize("analyze", SPECS / "densenet121.spec", encoding=encoding)
    assert ran.code == 0
    assert "dl1..dl6" in ran.out
    assert "?" not in ran.out
    assert convsize("analyze", "-", stdin="Ä", encoding=encoding).code == 1


def test_an_expression_takes_its_input_from_the_command_line(convsize) -> None:
    ran = convsize("analyze", "-e", "CRCRP", "--input", "3@32x32")
    assert (ran.err, ran.code) == ("", 0)
    assert ran.out.startswith("expression · input 3@32x32 · batch 1 · float32\n")
    ran = convsize("analyze", "-e", "CRCRP")
    assert ran.code == 1
    assert "--input" in ran.err or "input:" in ran.err


def test_an_error_in_an_expression_shows_the_expression_only(convsize) -> None:
    ran = convsize("analyze", "-e", "C3D64 (R", "--input", "3@32x32")
    assert ran.code == 1
    assert "input" not in ran.err


def test_an_input_on_the_command_line_replaces_the_files(convsize) -> None:
    path = SPECS / "resnet18.spec"
    ran = convsize("analyze", path, "--input", "3@224x224")
    assert ran.code == 0
    assert ran.out == convsize("analyze", path).out


def test_lets_on_the_command_line_replace_the_files(convsize) -> None:
    text = "input: 3@32x32\nlet N=1\n(C3D8 R)*{N}\n"

    def layers(*more: str) -> int:
        return len(json.loads(convsize("analyze", "-", "--format", "json", *more, stdin=text).out)["layers"])

    assert layers() == 2
    assert layers("--let", "N=3") == 6
    assert convsize("analyze", "-", "--let", "M=3", stdin=text).err == "error: stdin has no let `M`: it has `N`\n"


def test_batch_and_dtype_scale_activations(convsize) -> None:
    def totals(*more: str) -> dict[str, int]:
        found: dict[str, int] = json.loads(convsize("analyze", "-", "-f", "json", *more, stdin=SMALL).out)["totals"]
        return found

    one, eight = totals(), totals("--batch", "8", "--dtype", "float16")
    assert eight["activation_bytes"] == 4 * one["activation_bytes"]  # eight times the samples, half the bytes
    assert eight["activation_elements"] == 8 * one["activation_elements"]
    assert 2 * eight["parameter_bytes"] == one["parameter_bytes"]
    assert eight["macs"] == one["macs"]


@over_the_zoo
def test_every_spec_answers_in_every_format(convsize, path: Path) -> None:
    ran = convsize("analyze", path, "--format", "json")
    assert ran.code == 0
    found = json.loads(ran.out)
    VALIDATOR.validate(found)
    assert found["name"] == path.stem
    for name in ("parameters", "macs", "flops", "buffers"):
        assert found["totals"][name] == sum(layer[name] for layer in found["layers"])

    rows = list(csv.DictReader(io.StringIO(convsize("analyze", path, "--format", "csv").out)))
    assert [row["name"] for row in rows] == [layer["name"] for layer in found["layers"]]
    assert sum(int(row["macs"]) for row in rows) == found["totals"]["macs"]

    table = convsize("analyze", path).out
    assert f"{found['totals']['parameters']:,}" in table
    assert max(map(len, table.splitlines())) <= 80
    assert f"{found['totals']['macs']:,}" in convsize("analyze", path, "--format", "markdown").out


def test_several_specs_give_several_tables_and_a_summary(convsize, golden) -> None:
    ran = convsize("analyze", SPECS / "vgg_a.spec", SPECS / "lenet5.spec", "-e", "CRCRP", "--expand", width=100)
    assert ran.code == 1  # the expression has no input
    ran = convsize("analyze", SPECS / "vgg_a.spec", SPECS / "lenet5.spec", width=100)
    assert ran.code == 0
    golden("analyze/summary_100.txt", ran.out.rpartition("\n\n\n")[2])
    assert ran.out.count("what stands out") == 2


def test_a_wrong_spec_does_not_hide_the_others(convsize, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.spec"
    wrong.write_text("input: 3@4x4\nC9p0\n")
    good = SPECS / "lenet5.spec"
    ran = convsize("analyze", wrong, good, "--format", "json")
    assert ran.code == 1
    assert ran.err.startswith("error[E2")
    found = json.loads(ran.out)
    VALIDATOR.validate(found)
    assert [each["name"] for each in found] == ["lenet5"]
    ran = convsize("analyze", tmp_path / "missing.spec", wrong, good)
    assert ran.code == 2
    assert "there is no file" in ran.err
    assert ran.out.startswith("lenet5 ")


def test_specs_of_the_same_name_stay_apart(convsize) -> None:
    path = SPECS / "lenet5.spec"
    found = json.loads(convsize("analyze", path, path, "--format", "json").out)
    assert len(found) == 2
    assert found[0] == found[1]


def test_columns_and_order_can_be_chosen(convsize) -> None:
    lines = convsize(
        "analyze", SPECS / "vgg_d.spec", "--columns", "name,parameters", "--sort", "params"
    ).out.splitlines()
    assert lines[2].split() == ["layer", "parameters", "to", "74.3%"]
    assert lines[4].split() == ["fc1", "102,764,544", "████████"]
    rows = list(
        csv.reader(io.StringIO(convsize("analyze", SPECS / "vgg_d.spec", "-f", "csv", "--columns", "name,flops").out))
    )
    assert rows[0] == ["network", "name", "macs", "flops"]


def test_markdown(convsize, golden) -> None:
    golden("analyze/lenet5.md", convsize("analyze", SPECS / "lenet5.spec", "--format", "markdown").out)


def process(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    names = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "CONVSIZE_DEBUG", "PYTHONIOENCODING")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        [sys.executable, "-m", "convsize", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**environment, **variables},
        timeout=60,
    )


def test_as_a_module_under_an_ascii_locale() -> None:
    ran = process("analyze", "specs/densenet121.spec", PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.isascii()
    assert process("--help", PYTHONIOENCODING="ascii").returncode == 0
    assert process("analyze", "--help", PYTHONIOENCODING="ascii").returncode == 0


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m convsize analyze specs/resnet152.spec --expand; echo $? >&3"
    ran = subprocess.run(
        ["bash", "-c", f"exec 3>&2; ({command}) | true"], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert ran.stderr.strip() in {"141", "0"}


def test_version_and_help(convsize) -> None:
    assert convsize("--version").out == f"convsize {convsize_version()}\n"
    ran = convsize("--help")
    assert ran.code == 0
    for name in ("analyze", "fmt", "ops"):
        assert re.search(rf"^  {name} ", ran.out, re.MULTILINE)
    assert "convsize analyze -e 'CRCRP FC10 S' --input 3@32x32" in convsize("analyze", "--help").out


def convsize_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("convsize")
    except PackageNotFoundError:
        from convsize import __version__

        return __version__


def test_what_a_spec_states_of_its_own_input_is_not_checked_at_another_and_it_says_so(convsize, tmp_path) -> None:
    path = tmp_path / "net.spec"
    path.write_text("input: 3@32x32\nC3D8 8@32x32 M\n8@16x16 GAP FC10\nexpect: layers=2\nexpect: out=10\n")
    said = "not checked: the inline volumes on lines 2 and 3 and the `expect:` on lines 4 and 5, written for 3@32x32"
    at_another = convsize("analyze", path, "--input", "3@64x64", "--format", "json")
    assert [each["text"] for each in json.loads(at_another.out)["insights"]][-1] == said
    for same in ((), ("--input", "3@32x32")):
        assert "not checked" not in convsize("analyze", path, *same).out

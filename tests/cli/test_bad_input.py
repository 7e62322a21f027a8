"""What is not a spec, or not a call, gets one clear message and its own exit code."""

import os
from pathlib import Path

import pytest

LAYERS = "input: 3@32x32\nC R C R M FC10 S\n"


def test_a_missing_file_is_wrong_usage(convsize) -> None:
    assert convsize("analyze", "no/such.spec") == ("", "error: there is no file `no/such.spec`\n", 2)


def test_a_directory_is_wrong_usage(convsize, tmp_path: Path) -> None:
    ran = convsize("analyze", tmp_path)
    assert (ran.out, ran.code) == ("", 2)
    assert ran.err == f"error: `{tmp_path}` is a folder; name the spec files in it, such as {tmp_path}/*.spec\n"


def test_a_path_with_a_null_byte_is_wrong_usage(convsize) -> None:
    assert convsize("analyze", "a\0b").code == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"",
            "error[E019]: this spec is empty\n  --> {}:1:1\n 1 |\n   | ^\n"
            "   = help: write an input and layers: `input: 3@224x224`, then `C3D64 R M`\n",
        ),
        (
            b" \n\t\n",
            "error[E019]: this spec is empty\n  --> {}:1:1\n 1 |\n   | ^\n"
            "   = help: write an input and layers: `input: 3@224x224`, then `C3D64 R M`\n",
        ),
        (
            b"\x7fELF\x02\x01\x00\x00",
            "error[E019]: this is not text: byte 7 is 0\n  --> {}:1:1\n 1 |\n   | ^\n"
            "   = help: a spec is plain text in UTF-8\n",
        ),
        (
            "input: 3@8x8\n# größer\nC3".encode("latin-1"),
            "error[E019]: this is not UTF-8: byte 18 is 0xf6\n  --> {}:2:5\n 2 | # gr\n   |     ^\n"
            "   = help: save it as UTF-8, for instance with `iconv -t utf-8`\n",
        ),
        (
            b"C" * (2**20 + 1),
            "error[E018]: this is larger than a spec may be: 1,048,576 bytes\n  --> {}:1:1\n 1 |\n   | ^\n"
            "   = help: blocks (`def`) and repeats (`*12`) keep large networks short\n",
        ),
    ],
    ids=["empty", "blank", "binary", "latin-1", "huge"],
)
def test_what_is_no_text_is_a_wrong_spec(convsize, tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "net.spec"
    path.write_bytes(data)
    assert convsize("analyze", path) == ("", message.format(path), 1)
    assert convsize("analyze", "-", stdin=data) == ("", message.format("<stdin>"), 1)


def test_an_endless_file_is_not_read_to_its_end(convsize) -> None:
    if Path("/dev/zero").exists():
        assert "E018" in convsize("analyze", "/dev/zero").err


def test_a_byte_order_mark_is_no_layer(convsize, tmp_path: Path) -> None:
    path = tmp_path / "net.spec"
    path.write_bytes(b"\xef\xbb\xbf" + LAYERS.encode())
    assert convsize("fmt", "--check", path).err == "0 files would be rewritten, 1 file unchanged\n"


def test_an_error_shows_where_and_ends_with_1(convsize, tmp_path: Path) -> None:
    path = tmp_path / "net.spec"
    path.write_text("input: 3@4x4\nC3D8 C9D8p0\n")
    ran = convsize("analyze", path)
    assert (ran.out, ran.code) == ("", 1)
    assert ran.err.startswith("error[E2")
    assert f"  --> {path}:2:6\n 2 | C3D8 C9D8p0\n   |      ^^^^^^" in ran.err
    assert "\x1b" not in ran.err


def test_errors_are_coloured_on_a_terminal(convsize) -> None:
    assert "\x1b[1;31merror[E" in convsize("analyze", "-", stdin="input: 3@4x4\nQ\n", tty=True).err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["analyze"],
            "error: no spec: name a file, `-` for standard input, or a spec with -e 'CRCRP' --input 3@32x32\n",
        ),
        (["analyze", "-", "-"], "error: standard input can be read only once, but `-` is given twice\n"),
        (["fmt"], "error: no spec: name files or folders, or `-` for standard input\n"),
        (
            ["analyze", "-e", "C", "--input", "3x32x32"],
            "error: --input takes a shape, such as 3@32x32, not `3x32x32`\n",
        ),
        (
            ["analyze", "-e", "C", "--input", "0@32x32"],
            "error: --input takes a shape, such as 3@32x32, not `0@32x32`\n",
        ),
        (["analyze", "-e", "C", "--input", "3@8x8", "--input", "3@9x9"], "error: --input gives `input` twice\n"),
        (
            ["analyze", "-", "--let", "N"],
            "error: --let takes a name and a number, such as N=2 or w=0.75, not `N`\n",
        ),
        (
            ["analyze", "-", "--let", "N=1e999999999"],
            "error: --let takes a name and a number, such as N=2 or w=0.75, not `N=1e999999999`\n",
        ),
        (
            ["analyze", "-", "--let", "N=1/0"],
            "error: --let takes a name and a number, such as N=2 or w=0.75, not `N=1/0`\n",
        ),
        (["analyze", "-", "--let", "N=2"], "error: stdin has no let `N`: it has no let at all\n"),
        (["analyze", "-", "--input", "left=3@8x8"], "error: stdin has no input `left`: it has `input`\n"),
        (["analyze", "-", "--batch", "0"], "error: --batch takes a whole number, 1 to 2,147,483,647, not 0\n"),
        (
            ["analyze", "-", "--dtype", "int8"],
            "error: there is no dtype `int8` here; there are: float64, float32, float16, bfloat16\n",
        ),
        (["analyze", "-", "--columns", "mac"], "error: there is no column `mac`: did you mean `macs`?\n"),
        (["analyze", "-", "--sort", "mac"], "error: there is no column `mac`: did you mean `macs`?\n"),
        (
            ["analyze", "-", "--format", "json", "--sort", "macs"],
            "error: JSON always holds every layer and every figure: --columns, --sort and --expand are for tables\n",
        ),
        (
            ["analyze", "-", "--format", "csv", "--expand"],
            "error: CSV always holds every layer: --expand is for tables\n",
        ),
    ],
)
def test_a_wrong_call_ends_with_2(convsize, arguments: list[str], message: str) -> None:
    assert convsize(*arguments, stdin=LAYERS) == ("", message, 2)


@pytest.mark.parametrize("arguments", [["anlyze"], ["analyze", "--btach", "3"], ["analyze", "-", "--format", "xml"]])
def test_a_mistyped_command_or_option_ends_with_2(convsize, arguments: list[str]) -> None:
    ran = convsize(*arguments)
    assert (ran.out, ran.code) == ("", 2)
    assert "Usage: convsize" in ran.err
    assert "Traceback" not in ran.err


def test_a_failure_of_the_tool_ends_with_3(convsize, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("convsize.api.from_source", fail)
    assert convsize("analyze", "-", stdin=LAYERS) == (
        "",
        "error: convsize failed: ZeroDivisionError: division by zero\n"
        "This is a bug in convsize, not in your spec. CONVSIZE_DEBUG=1 shows where it happened.\n",
        3,
    )


def test_an_interrupt_ends_with_130(convsize, monkeypatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("convsize.api.from_source", interrupt)
    assert convsize("analyze", "-", stdin=LAYERS) == ("", "", 130)


@pytest.mark.parametrize(
    "command",
    [
        ("analyze",),
        ("analyze", "--format", "json"),
        ("check",),
        ("check", "--format", "junit"),
        ("check", "--format", "gitlab"),
        ("sizes",),
        ("memory",),
        ("time", "--device", "t4"),
        ("draw",),
        ("draw", "-o", "net.mmd"),
        ("draw", "-o", "net.svg"),
        ("draw", "-o", "volumes.svg", "--style", "volumes"),
        ("export", "--to", "torch", "-o", "net.py"),
        ("export", "--to", "json", "-o", "net.json"),
        ("report", "-o", "html"),
        ("report", "-o", "markdown", "--format", "markdown"),
    ],
    ids=" ".join,
)
def test_a_file_name_that_is_no_text(convsize, tmp_path, monkeypatch, command):
    name = os.fsdecode(b"net\xff.spec")
    try:
        (tmp_path / name).write_text("input: 3@8x8\nC3D4 R FC10\n")
    except OSError:
        pytest.skip("this file system takes only names that are text")
    monkeypatch.chdir(tmp_path)
    ran = convsize(*command, name)
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("analyze --json", "--json: write `--format json`"),
        ("check --json", "--json: write `--format json`"),
        ("report --html", "--html: write `--format html`"),
        ("sizes --csv", "--csv"),
        ("rf --json", "--json"),
        ("memory --bacth 3", "--bacth: did you mean `--batch`?"),
        ("--verison", "--verison: did you mean `--version`?"),
    ],
)
def test_an_unknown_option_is_answered_with_what_is_meant(convsize, words: str, said: str) -> None:
    ran = convsize(*words.split())
    assert (ran.out, ran.code) == ("", 2)
    assert ran.err.endswith(f"Error: No such option: {said}\n")


def test_a_format_is_no_other_option_in_any_command(convsize) -> None:
    from convsize.cli.app import COMMANDS

    for command in COMMANDS:
        said = convsize(command, "--json").err.splitlines()[-1]
        assert said in ("Error: No such option: --json", "Error: No such option: --json: write `--format json`")

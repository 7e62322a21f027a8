"""`convsize check` as it is called: what it prints where, and how it ends."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from convsize.cli.app import COMMANDS, main

SPECS = Path(__file__).resolve().parents[2] / "specs"
SCHEMA = SPECS.parents[1] / "shared" / "schemas" / "sarif-schema-2.1.0.json"

GOOD = "input: 3@32x32\nC3D8 R M FC10 S\n"
BAD = "input: 3@8x8\n(C3D64 BN + x) R\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CONVSIZE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """The exit code, standard output and standard error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["convsize", "check", *args])
        with pytest.raises(SystemExit) as end:
            main()
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def run(*args: str, text: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    """The same in a process of its own."""
    plain = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "convsize", "check", *args]
    return subprocess.run(command, input=text, capture_output=True, check=False, env=plain | env)


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.spec"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


JOIN = (
    "error[E301]: the branches of this sum have different depths: 64 and 3\n"
    "  --> bad.spec:2:2\n"
    " 2 | (C3D64 BN + x) R\n"
    "   |  ^^^^^^^^   ^ this branch gives 3@8x8\n"
    "   |  this branch gives 64@8x8\n"
    "   = help: project the shortcut: replace `x` by `C1D64`\n"
)


def test_clean(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, good=GOOD)
    assert call(capsys) == (0, "no findings (1 file checked)\n", "")
    assert call(capsys, "good.spec", "-f", "concise") == (0, "no findings (1 file checked)\n", "")


def test_findings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, good=GOOD, bad=BAD)
    assert call(capsys) == (1, f"{JOIN}\n1 finding in 1 file (2 files checked)\n", "")
    assert call(capsys, "--exit-zero")[0] == 0


def test_findings_are_sorted_by_file_and_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, b=BAD, a__z="input: 3@8x8\nC3D64q R\nC3D64same R\n", a=BAD)
    code, out, _ = call(capsys, "b.spec", ".", "-f", "concise")
    assert code == 1
    places = [line.split(" ")[1] for line in out.splitlines()[:-1]]
    assert places == ["a/z.spec:2:6:", "a/z.spec:3:6:", "a.spec:2:2:", "b.spec:2:2:"]
    assert out.splitlines()[-1] == "4 findings in 3 files (3 files checked)"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nope.spec"], "error: there is no file or folder `nope.spec`\n"),
        (["god.spec"], "error: there is no file or folder `god.spec`; did you mean `good.spec`?\n"),
        (["--select", "W5O1"], "error: --select: there is no rule `W5O1`; did you mean `W501`?\n"),
        (["--ignore", "W501,Q"], "error: --ignore: there is no rule `Q`; `convsize rules` lists them all\n"),
        (
            ["--ignore", "E3"],
            "error: --ignore: `E3` is about errors, and errors are always reported: a spec with an error is not "
            "a network\n",
        ),
        (["--let", "N"], "error: --let takes a name and a number, such as N=2 or w=0.75, not `N`\n"),
        (["--let", "N=2"], "error: good has no let `N`: it has no let at all\n"),
        (["--config", "nope.toml"], "error: nope.toml: No such file or directory\n"),
        (
            ["--config", "a.toml", "--isolated"],
            "error: --config and --isolated exclude each other: leave one out\n",
        ),
        (["--stdin-filename", "a.spec"], "error: --stdin-filename names standard input, which only `-` reads\n"),
        (
            ["--statistics", "-f", "sarif"],
            "error: --statistics does not work with --format sarif; json always includes the counts\n",
        ),
    ],
)
def test_wrong_calls(folder: Path, capsys: pytest.CaptureFixture[str], args: list[str], message: str) -> None:
    write(folder, good=GOOD)
    assert call(capsys, *args) == (2, "", message)


def test_an_unknown_format(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "--format", "xml")
    assert (code, out) == (2, "")
    assert "'xml' is not one of 'full', 'concise', 'json', 'github', 'gitlab', 'sarif', 'junit'" in err


def test_a_wrong_configuration(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, good=GOOD)
    for text, message in (
        ('ingore = ["W501"]', "convsize.toml: unknown key `ingore`; did you mean `ignore`?"),
        ('select = ["W5O1"]', "convsize.toml: `select`: there is no rule `W5O1`; did you mean `W501`?"),
        (
            'per-file-ignores = { "a" = ["E3"] }',
            'convsize.toml: `per-file-ignores."a"`: `E3` is about errors, and errors are always reported: '
            "a spec with an error is not a network",
        ),
    ):
        (folder / "convsize.toml").write_text(text)
        assert call(capsys) == (2, "", f"error: {message}\n")
        assert call(capsys, "--select", "W502") == (2, "", f"error: {message}\n")
        assert call(capsys, "--isolated")[0] == 0
    (folder / "other.toml").write_text("style = false")
    assert call(capsys, "--config", "other.toml")[0] == 0


def test_nothing_to_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = "note: nothing to check in the working folder: no *.spec file, or all are excluded\n"
    assert call(capsys) == (0, "no findings (0 files checked)\n", note)


def test_files_that_are_no_text_among_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, good=GOOD)
    (folder / "latin.spec").write_bytes(b"input: 3@8x8 # caf\xe9\nC R\n")
    (folder / "zero.spec").write_bytes(b"\x00\x01")
    (folder / "dead.spec").symlink_to(folder / "nowhere")
    code, out, err = call(capsys, "-f", "concise")
    assert (code, err) == (1, "")
    assert out == (
        "error[E019] dead.spec:1:1: there is no file `dead.spec` (make it readable, or exclude it)\n"
        "error[E019] latin.spec:1:19: this is not UTF-8: byte 19 is 0xe9 "
        "(save it as UTF-8, for instance with `iconv -t utf-8`)\n"
        "error[E019] zero.spec:1:1: this is not text: byte 1 is 0 (a spec is plain text in UTF-8)\n"
        "3 findings in 3 files (4 files checked)\n"
    )


def test_a_broken_tool_looks_like_no_broken_spec(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from convsize.check import check as checking

    real = checking.parse

    def parse(source):  # type: ignore[no-untyped-def]
        if source.name == "odd.spec":
            raise KeyError("no such\nlayer")
        return real(source)

    monkeypatch.setattr(checking, "parse", parse)
    write(folder, good=GOOD, bad=BAD, odd=GOOD)
    code, out, err = call(capsys, "--exit-zero")
    assert code == 3
    assert out == f"{JOIN}\n1 finding in 1 file (2 files checked, 1 not checked: convsize failed)\n"
    first, second = err.splitlines()
    assert first.startswith("error: convsize failed on odd.spec: KeyError: 'no such\\nlayer' (test_check_command.py:")
    assert second == "This is a bug in convsize, not in your spec. CONVSIZE_DEBUG=1 shows where it happened."
    code, out, err = call(capsys, "-f", "junit")
    assert code == 3
    assert [case[0].tag for case in ElementTree.fromstring(out)[0] if len(case)] == ["failure", "error"]
    monkeypatch.setenv("CONVSIZE_DEBUG", "1")
    assert "Traceback (most recent call last):" in call(capsys, "odd.spec")[2]


def test_standard_input(folder: Path) -> None:
    done = run("-", "-f", "concise", text=BAD.encode())
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"error[E301] <stdin>:2:2: the branches of this sum have different depths")
    done = run("-", "-f", "concise", "--stdin-filename", "nets/a.spec", text=BAD.encode())
    assert done.stdout.startswith(b"error[E301] nets/a.spec:2:2: ")
    done = run("-", text=b"\xff\n")
    assert done.returncode == 1
    assert done.stdout.startswith(
        b"error[E019]: this is not UTF-8: byte 1 is 0xff\n --> <stdin>:1:1\n".replace(b" -->", b"  -->")
    )


def test_standard_input_is_under_the_configuration_of_its_name(folder: Path) -> None:
    (folder / "nets").mkdir()
    (folder / "nets" / "convsize.toml").write_text("stlye = true\n")
    assert run("-", text=GOOD.encode()).returncode == 0
    done = run("-", "--stdin-filename", "nets/a.spec", text=GOOD.encode())
    assert done.returncode == 2
    assert done.stderr == b"error: nets/convsize.toml: unknown key `stlye`; did you mean `style`?\n"


def test_colour(folder: Path) -> None:
    write(folder, bad=BAD)
    assert b"\x1b[" not in run().stdout
    assert b"\x1b[1;31merror[E301]" in run(FORCE_COLOR="1").stdout
    assert b"\x1b[" not in run(FORCE_COLOR="1", NO_COLOR="1").stdout
    assert b"\x1b[" not in run("-f", "github", FORCE_COLOR="1").stdout


def test_formats_for_programs_are_utf_8_whatever_the_locale(folder: Path) -> None:
    (folder / "née.spec").write_text("input: 3@8x8\nC3D8 ×2\n")
    for format_ in ("json", "gitlab", "sarif", "junit", "github"):
        done = run("-f", format_, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C.UTF-8")
        assert (done.returncode, done.stderr) == (1, b""), format_
        text = done.stdout.decode("utf-8")
        assert "née.spec" in text or "n%C3%A9e.spec" in text
        if format_ == "junit":
            ElementTree.fromstring(done.stdout)
        elif format_ != "github":
            json.loads(text)


def test_several_processes_find_the_same_in_the_same_order(folder: Path) -> None:
    for number in range(12):
        write(folder, **{f"n{number:02}": BAD if number % 3 else GOOD})
    alone, together = run("--jobs", "1"), run("--jobs", "2")
    assert alone.returncode == together.returncode == 1
    assert alone.stdout == together.stdout
    assert b"8 findings in 8 files (12 files checked)" in alone.stdout


def test_a_reader_that_goes_away_early(folder: Path) -> None:
    for number in range(300):
        write(folder, **{f"n{number:03}": BAD})
    shell = f"{sys.executable} -m convsize check | head -1"
    done = subprocess.run(shell, shell=True, capture_output=True, check=False, text=True)
    assert done.stdout == "error[E301]: the branches of this sum have different depths: 64 and 3\n"
    assert done.stderr == ""


DROPS = "input: 3@9x9\nC3D8 R M\n"
DROPPED = "warning[W501] a.spec:2:8: this drops the last "


def test_selection(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a=DROPS, bad=BAD)
    code, out, _ = call(capsys, "-f", "concise", "a.spec")
    assert code == 1
    assert out.startswith(DROPPED)
    assert call(capsys, "a.spec", "--ignore", "W501")[0] == 0
    assert call(capsys, "a.spec", "--select", "W502,W503")[0] == 0
    assert call(capsys, "a.spec", "--select", "W502", "--select", "W501")[0] == 1
    assert call(capsys, "bad.spec", "--select", "W502")[0] == 1  # errors always show
    (folder / "convsize.toml").write_text('ignore = ["W501"]\n')
    assert call(capsys, "a.spec")[0] == 0
    assert call(capsys, "a.spec", "--select", "W501")[0] == 1
    assert call(capsys, "a.spec", "--isolated")[0] == 1


def test_style(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a="input: 3@8x8\nC4D8p1:2 R\n")
    assert call(capsys)[0] == 0
    code, out, _ = call(capsys, "--style", "-f", "concise")
    assert code == 1
    assert out.startswith("advice[W551] a.spec:2:1: ")


def test_statistics(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a=DROPS, b=DROPS, bad=BAD)
    assert call(capsys, "--statistics")[:2] == (
        1,
        "2  W501  dropped-pixels\n1  E301  sum-of-different-depths\n3 findings in 3 files (3 files checked)\n",
    )
    value = json.loads(call(capsys, "--statistics", "-f", "json")[1])
    assert value["statistics"] == {"E301": 1, "W501": 2}
    assert len(value["findings"]) == 3


def test_suppressed_findings_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a=DROPS.replace("M\n", "M  # convsize: ignore[W501] as published\n"))
    assert call(capsys) == (0, "no findings (1 file checked, 1 finding suppressed)\n", "")


def test_another_input_and_another_number(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a=DROPS)
    assert call(capsys, "--input", "3@8x8")[0] == 0
    write(folder, a="let n=9\ninput: 3@8x8\nC{n}p0D8 R\n")
    assert call(capsys)[0] == 1
    assert call(capsys, "--let", "n=3")[0] == 0


def test_excludes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, good=GOOD, drafts__bad=BAD)
    (folder / "pyproject.toml").write_text('[tool.convsize]\nexclude = ["drafts/"]\n')
    assert call(capsys)[:2] == (0, "no findings (1 file checked)\n")
    assert call(capsys, "drafts/bad.spec")[0] == 1
    assert call(capsys, "drafts/bad.spec", "good.spec", "--force-exclude")[0] == 0


def test_every_format_over_the_networks_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    def printed(format_: str, *paths: str) -> str:
        return call(capsys, *paths, "--style", "--exit-zero", "-f", format_)[1]

    networks = len(list(SPECS.glob("*.spec")))
    everywhere = json.loads(printed("json", str(SPECS)))
    assert len(everywhere["files"]) == networks
    # One network for each kind of finding, and one without any.
    chosen = {each["code"]: each["file"] for each in everywhere["findings"]}
    clean = {str(path) for path in SPECS.glob("*.spec")} - {each["file"] for each in everywhere["findings"]}
    paths = sorted({*chosen.values(), *sorted(clean)[:1]})
    out = {name: printed(name, *paths) for name in ("full", "concise", "json", "github", "gitlab", "sarif", "junit")}
    found = json.loads(out["json"])["findings"]
    assert {each["code"] for each in found} == set(chosen)
    assert out["full"].splitlines()[-1] == out["concise"].splitlines()[-1]
    assert f"({len(paths)} files checked" in out["full"].splitlines()[-1]
    assert len(out["concise"].splitlines()) == len(found) + 1
    assert len(out["github"].splitlines()) == len(found)
    assert len({each["fingerprint"] for each in json.loads(out["gitlab"])}) == len(found)
    assert len(ElementTree.fromstring(out["junit"])[0]) == len(paths)
    log = json.loads(out["sarif"])
    assert len(log["runs"][0]["results"]) == len(found)
    if SCHEMA.exists():
        from jsonschema import Draft7Validator, FormatChecker

        Draft7Validator(json.loads(SCHEMA.read_text()), format_checker=FormatChecker()).validate(log)


def test_the_hooks_for_pre_commit_name_commands_that_there_are() -> None:
    text = (SPECS.parent / ".pre-commit-hooks.yaml").read_text()
    assert [line.split(": ")[1] for line in text.splitlines() if "id: " in line] == ["convsize-check", "convsize-fmt"]
    entries = [line.split(": ")[1].split() for line in text.splitlines() if "entry: " in line]
    assert entries == [["convsize", "check", "--force-exclude"], ["convsize", "fmt"]]
    assert {entry[1] for entry in entries} <= set(COMMANDS)


def test_the_problem_matcher_of_the_guide_reads_concise_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guide = (SPECS.parent / "reports" / "guide" / "ci.md").read_text()
    (block,) = [block.split("```")[0] for block in guide.split("```json\n")[1:] if "problemMatcher" in block]
    write(folder, a=DROPS, bad=BAD, style="input: 3@8x8\nC4D8p1:2 R\n")
    lines = call(capsys, "--style", "--select", "W501,W551", "-f", "concise")[1].splitlines()[:-1]
    read = []
    for matcher in json.loads(block)["problemMatcher"]:
        (pattern,) = matcher["pattern"]
        for line in lines:
            found = re.fullmatch(pattern["regexp"], line)
            if found:
                severity = found[pattern["severity"]] if "severity" in pattern else matcher["severity"]
                keys = ("code", "file", "line", "column")
                read.append((severity, *(found[pattern[key]] for key in keys)))
    assert sorted(read) == [
        ("error", "E301", "bad.spec", "2", "2"),
        ("notice", "W551", "style.spec", "2", "1"),
        ("warning", "W501", "a.spec", "2", "8"),
    ]


def test_what_a_spec_states_is_for_its_own_inputs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, stated="input: 3@32x32\nC3D8 R M 8@16x16 FC10\nexpect: params=20714\n")  # 28·8 + (8·16·16 + 1)·10
    assert call(capsys, "stated.spec")[0] == 0
    assert call(capsys, "stated.spec", "--input", "3@64x64")[0] == 0

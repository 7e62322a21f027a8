"""`convsize diff` as it is called: formats, revisions and exit codes."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from convsize.cli.commands.diff import command
from convsize.cli.guard import guarded

SPECS = Path(__file__).parents[2] / "specs"
NEEDS_GIT = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def run(capsys: pytest.CaptureFixture[str], *specs: str, **options: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        guarded(command)(*specs, **options)
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    for name, text in (("old", "C3D8 R M FC10"), ("new", "C3D8/2 R BN M FC10")):
        (tmp_path / f"{name}.spec").write_text(f"input: 3@32x32\n{text}\n")
    return str(tmp_path / "old.spec"), str(tmp_path / "new.spec")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def git(*words: str) -> None:
        who = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    spec = tmp_path / "nets" / "net.spec"
    spec.parent.mkdir()
    git("init", "-q")
    spec.write_text("input: 3@32x32\nC3D8 R M FC10\n")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    spec.write_text("input: 3@32x32\nC3D8 R M FC12\n")
    return spec


def test_the_table(capsys, two: tuple[str, str]) -> None:
    code, out, err = run(capsys, *two)
    assert (code, err) == (0, "")
    heading, rest = out.split("\n\n", 1)
    assert heading.startswith("old → new: the structures differ: graph ")
    # conv 8·27 + 8 = 224; fc 10·8·16·16 + 10 = 20490 before, 10·8·8·8 + 10 = 5130 after; bn 16.
    assert "parameters          20.71K      5,370     -15,344  -74.1%\n" in rest
    assert "receptive field          4          5          +1  +25.0%\n" in rest
    assert "layers: 1 added, 1 changed, 3 resized\n" in rest
    assert "~ conv1  C3D8 → C3D8/2  8@32x32 → 8@16x16  224\n" in rest
    assert "+ bn1    BN                       8@16x16   16\n" in rest
    assert "resized: 3 layers: relu1 8@32x32 → 8@16x16, maxpool1 8@16x16 → 8@8x8, fc1\n  [10,2048] → [10,512]\n" in rest
    assert "a checkpoint of old does not load into new: 5 missing, 1 of another shape; 3\n  agree\n" in rest
    assert "  missing     bn1.weight [8]\n" in rest
    assert "  mismatched  fc1.weight [10,2048] → [10,512]\n" in rest


def test_json(capsys, two: tuple[str, str]) -> None:
    code, out, _ = run(capsys, *two, format_="json")
    found = json.loads(out)
    assert code == 0
    assert found["same"] is False
    assert found["figures"]["parameters"] == {"unit": "count", "before": 20_714, "after": 5_370}
    assert found["figures"]["receptive_field"] == {"unit": "pixels", "before": [4, 4], "after": [5, 5]}
    assert [each["kind"] for each in found["layers"]] == ["changed", "resized", "added", "resized", "resized"]
    assert found["checkpoint"]["loads"] is False
    assert found["checkpoint"]["mismatched"] == [{"key": "fc1.weight", "before": [10, 2048], "after": [10, 512]}]
    assert found["checkpoint"]["missing"][0] == {"key": "bn1.weight", "shape": [8]}


def test_markdown(capsys, two: tuple[str, str]) -> None:
    code, out, _ = run(capsys, *two, format_="markdown")
    assert code == 0
    assert out.startswith("### `old` → `new`: the structures differ: graph ")
    assert "| parameters | 20,714 | 5,370 | -15,344 | -74.1% |\n" in out
    assert "| changed | `conv1` | `C3D8 → C3D8/2` | 8@32x32 → 8@16x16 | 224 |\n" in out
    assert "- mismatched: `fc1.weight [10,2048] → [10,512]`\n" in out
    assert out.count("<details>") == out.count("</details>") == 2


def test_a_long_difference_is_cut_and_expand_shows_it_all(capsys) -> None:
    paths = str(SPECS / "resnet18.spec"), str(SPECS / "resnet34.spec")
    _, out, _ = run(capsys, *paths)
    assert "… and 26 more; --expand lists them\n" in out
    _, full, _ = run(capsys, *paths, expand=True)
    assert "more" not in full
    assert full.count("\n+ ") == 56


def test_exit_code_tells_structures_apart_and_nothing_else(capsys, two: tuple[str, str], tmp_path: Path) -> None:
    other = tmp_path / "other.spec"
    other.write_text("# the same\ninput: 3@32x32\n(C3D8p1 R) M FC10\n")
    assert run(capsys, two[0], str(other), exit_code=True)[0] == 0
    assert run(capsys, *two, exit_code=True)[0] == 1
    assert run(capsys, *two)[0] == 0


@NEEDS_GIT
def test_against_a_revision(capsys, repository: Path) -> None:
    code, out, err = run(capsys, str(repository), against="HEAD", exit_code=True)
    assert (code, err) == (1, "")
    assert out.startswith("net@HEAD → net: the structures differ")
    # 10·2048 + 10 and 12·2048 + 12.
    assert "~ fc1  FC10 → FC12  10 → 12  20,490 → 24,588\n" in out


@NEEDS_GIT
def test_against_a_revision_from_within_the_folder(capsys, repository: Path, monkeypatch) -> None:
    monkeypatch.chdir(repository.parent)
    assert run(capsys, "net.spec", against="HEAD")[0] == 0


@NEEDS_GIT
@pytest.mark.parametrize(
    ("revision", "message"),
    [
        ("nowhere", "cannot be read at the revision `nowhere`: invalid object name 'nowhere'"),
        ("--output=x", "`--output=x` is not a git revision"),
        ("HEAD:other", "`HEAD:other` is not a git revision"),
        ("", "`` is not a git revision"),
    ],
)
def test_revisions_that_are_none(capsys, repository: Path, revision: str, message: str) -> None:
    code, out, err = run(capsys, str(repository), against=revision)
    assert (code, out) == (2, "")
    assert message in err


@NEEDS_GIT
def test_a_file_that_the_revision_does_not_have(capsys, repository: Path) -> None:
    new = repository.with_name("new.spec")
    new.write_text("input: 3@8x8\nC3\n")
    code, _, err = run(capsys, str(new), against="HEAD")
    assert code == 2
    assert "path 'nets/new.spec' exists on disk, but not in 'HEAD'" in err


@NEEDS_GIT
def test_no_repository(capsys, two: tuple[str, str], monkeypatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path(two[0]).parent.parent))
    monkeypatch.delenv("GIT_DIR", raising=False)
    code, _, err = run(capsys, two[0], against="HEAD")
    assert code == 2
    assert "not a git repository" in err


def test_no_git(capsys, two: tuple[str, str], monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(Path(two[0]).parent))
    code, _, err = run(capsys, two[0], against="HEAD")
    assert code == 2
    assert "--against needs git, which was not found" in err


def test_wrong_calls(capsys, two: tuple[str, str]) -> None:
    assert run(capsys, two[0])[0] == 2
    assert run(capsys, *two, against="HEAD")[0] == 2
    assert run(capsys, "-", against="HEAD")[0] == 2
    assert run(capsys, two[0], "nowhere.spec")[0] == 2
    assert run(capsys, *two, batch=0)[0] == 2


def test_a_broken_spec_ends_with_one(capsys, two: tuple[str, str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.spec"
    broken.write_text("input: 3@8x8\nC9p0\n")
    code, out, err = run(capsys, two[0], str(broken))
    assert (code, out) == (1, "")
    assert "error[E202]" in err


def test_layers_that_are_resized_and_renamed_are_both(convsize, tmp_path) -> None:
    (tmp_path / "a.spec").write_text("input: 3@32x32\nC3D8 R GAP FC10\n")
    (tmp_path / "b.spec").write_text("input: 3@64x64\ndef b: C3D8 R\nb GAP FC10\n")
    out = convsize("diff", tmp_path / "a.spec", tmp_path / "b.spec").out
    assert "layers: 2 renamed, 2 resized\n" in out
    assert "renamed: 2 layers: conv1 → b1.conv1, relu1 → b1.relu1\n" in out
    assert "resized: 2 layers: b1.conv1 8@32x32 → 8@64x64, b1.relu1 8@32x32 → 8@64x64\n" in out

"""Files and folders as they should not be: the one is reported, the others are answered, and nothing is lost."""

import os
import stat
from pathlib import Path

import pytest

GOOD = "input: 3@8x8\nC3D4 R GAP FC2\n"
LOOSE = "input: 3@8x8\nC3D4   R GAP FC2\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.spec").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize("command", [("check",), ("fmt", "--check"), ("report", "-o", "pages", "--format", "markdown")])
def test_links_in_a_circle_are_reported_and_the_rest_is_done(convsize, folder: Path, command) -> None:
    (folder / "loop.spec").symlink_to("loop.spec")
    name, *options = command
    ran = convsize(name, ".", *options)
    assert ran.code in (1, 2, 3) if name == "check" else ran.code == 2
    assert "`loop.spec`" in ran.err or "loop.spec" in ran.out
    assert "Traceback" not in ran.err
    assert "bug" not in ran.err
    if name == "report":
        assert (folder / "pages" / "good.md").exists()


def test_folders_nested_without_end_are_searched(convsize, folder: Path) -> None:
    here = os.open(folder, os.O_RDONLY)
    inner = here
    for _ in range(1200):
        os.mkdir("d", dir_fd=inner)
        inner, outer = os.open("d", os.O_RDONLY, dir_fd=inner), inner
        os.close(outer)
    with os.fdopen(os.open("deep.spec", os.O_WRONLY | os.O_CREAT, dir_fd=inner), "w") as file:
        file.write(GOOD)
    os.close(inner)
    ran = convsize("check", ".")
    while (folder / "d" / "d").exists():  # level by level: shutil.rmtree, with which pytest tidies up, is recursive
        (folder / "d" / "d").rename(folder / "next")
        (folder / "d").rmdir()
        (folder / "next").rename(folder / "d")
    assert ran.err == ""
    assert "2 files checked" in ran.out


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every folder")
def test_folders_that_cannot_be_read_are_reported(convsize, folder: Path) -> None:
    (folder / "closed").mkdir(mode=0)
    ran = convsize("check", ".")
    assert ran.code == 2
    assert "`closed` cannot be read" in ran.err
    assert "1 file checked" in ran.out


def test_fmt_keeps_permissions_and_refuses_what_it_would_break(convsize, folder: Path) -> None:
    plain = folder / "plain.spec"
    plain.write_text(LOOSE)
    plain.chmod(0o640)
    assert convsize("fmt", "plain.spec").code == 0
    assert plain.read_text() == GOOD
    assert stat.S_IMODE(plain.stat().st_mode) == 0o640

    closed = folder / "closed.spec"
    closed.write_text(LOOSE)
    closed.chmod(0o444)
    linked = folder / "linked.spec"
    linked.write_text(LOOSE)
    os.link(linked, folder / "other_name")
    ran = convsize("fmt", ".")
    assert ran.code == 2
    assert "`closed.spec` was not changed: it may not be written" in ran.err
    assert "`linked.spec` was not changed: it has 2 hard links" in ran.err
    assert (closed.read_text(), linked.read_text()) == (LOOSE, LOOSE)
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_fmt_keeps_the_owner(convsize, folder: Path) -> None:
    theirs = folder / "theirs.spec"
    theirs.write_text(LOOSE)
    os.chown(theirs, 65534, 65534)
    assert convsize("fmt", "theirs.spec").code == 0
    assert theirs.read_text() == GOOD
    assert (theirs.stat().st_uid, theirs.stat().st_gid) == (65534, 65534)


def test_a_link_is_written_through(convsize, folder: Path) -> None:
    (folder / "real.spec").write_text(LOOSE)
    (folder / "link.spec").symlink_to("real.spec")
    assert convsize("fmt", "link.spec").code == 0
    assert (folder / "link.spec").is_symlink()
    assert (folder / "real.spec").read_text() == GOOD


NAMES = ["a\nb.spec", "\x1b[31mred\x1b[0m.spec", "=1+1.spec", "@x.spec", "a|b`*.spec"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_steers_neither_terminal_nor_table(convsize, folder: Path, name: str) -> None:
    (folder / name).write_text(GOOD)
    for call in (
        ("analyze", name),
        ("memory", name),
        ("time", name),
        ("sizes", name),
        ("fit", name, "--memory", "1GiB"),
        ("draw", name),
        ("rf", name),
        ("check", name),
        ("compare", name, "good.spec"),
        ("analyze", f"no{name}"),
    ):
        ran = convsize(*call)
        assert "\x1b" not in ran.out + ran.err, call
    table = convsize("compare", name, "good.spec", "--format", "markdown").out
    bars = {line.replace("\\|", "").count("|") for line in table.splitlines() if line.startswith("|")}
    assert len(bars) == 1
    csv = convsize("analyze", name, "--format", "csv").out
    assert all(line[:1] not in "=+-@" for line in csv.splitlines())

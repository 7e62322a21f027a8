import os
from pathlib import Path

import pytest

from convsize.cli.commands.fmt import canonical
from convsize.errors import SpecError

MESSY = "# a net\ninput: 3@32x32\nconv3-8->RELU  [[C3D8]]*1   # twice\n"
NEAT = canonical(MESSY, "n")


def test_the_canonical_form_keeps_comments_and_is_its_own() -> None:
    assert NEAT != MESSY
    assert NEAT.startswith("# a net\ninput: 3@32x32\n")
    assert "# twice" in NEAT
    assert canonical(NEAT, "n") == NEAT


def test_files_are_rewritten_in_place(convsize, tmp_path: Path) -> None:
    messy, neat = tmp_path / "messy.spec", tmp_path / "neat.spec"
    messy.write_text(MESSY)
    neat.write_text(NEAT)
    before = neat.stat().st_mtime_ns
    ran = convsize("fmt", tmp_path)
    assert (ran.out, ran.code) == ("", 0)
    assert ran.err == "1 file rewritten, 1 file unchanged\n"
    assert messy.read_text() == NEAT
    assert neat.stat().st_mtime_ns == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["messy.spec", "neat.spec"]
    assert convsize("fmt", "--check", tmp_path).code == 0


def test_permissions_and_line_breaks_stay(convsize, tmp_path: Path) -> None:
    path = tmp_path / "net.spec"
    path.write_bytes(MESSY.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    assert convsize("fmt", path).code == 0
    assert path.read_bytes() == NEAT.replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(convsize, tmp_path: Path) -> None:
    target, link = tmp_path / "target.spec", tmp_path / "link.spec"
    target.write_text(MESSY)
    link.symlink_to(target)
    assert convsize("fmt", link).code == 0
    assert link.is_symlink()
    assert target.read_text() == NEAT


def test_check_lists_files_and_writes_nothing(convsize, tmp_path: Path) -> None:
    path = tmp_path / "net.spec"
    path.write_text(MESSY)
    ran = convsize("fmt", "--check", path)
    assert (ran.out, ran.code) == (f"{path}\n", 1)
    assert ran.err == "1 file would be rewritten, 0 files unchanged\n"
    assert path.read_text() == MESSY


def test_diff_shows_what_would_change(convsize, tmp_path: Path) -> None:
    path = tmp_path / "net.spec"
    path.write_text("input: 3@32x32\nC3D8  R\n")
    ran = convsize("fmt", "--diff", path)
    assert ran.code == 1
    assert ran.out == (
        f"--- {path} (current)\n+++ {path} (canonical)\n@@ -1,2 +1,2 @@\n input: 3@32x32\n-C3D8  R\n+C3D8 R\n"
    )
    assert path.read_text() == "input: 3@32x32\nC3D8  R\n"
    assert "\x1b[32m+C3D8 R" in convsize("fmt", "--diff", path, tty=True).out


def test_diff_shows_a_missing_line_break(convsize) -> None:
    ran = convsize("fmt", "--diff", "-", stdin="input: 3@32x32\nR")
    assert ran.out.splitlines()[3:] == [" input: 3@32x32", "-R", "\\ No newline at end of file", "+R"]


def test_standard_input_goes_to_standard_output(convsize) -> None:
    assert convsize("fmt", "-", stdin=MESSY) == (NEAT, "", 0)
    assert convsize("fmt", "-", "--check", stdin=MESSY) == ("<stdin>\n", "", 1)
    assert convsize("fmt", "-", "--check", stdin=NEAT) == ("", "", 0)


def test_a_file_that_does_not_read_is_left_alone(convsize, tmp_path: Path) -> None:
    wrong, messy = tmp_path / "a.spec", tmp_path / "b.spec"
    wrong.write_text("input: 3@32x32\n(C3D8  R\n")
    messy.write_text(MESSY)
    ran = convsize("fmt", wrong, messy)
    assert ran.code == 1
    assert ran.err.startswith("error[E0")
    assert wrong.read_text() == "input: 3@32x32\n(C3D8  R\n"
    assert messy.read_text() == NEAT


def test_a_network_that_does_not_size_is_formatted_all_the_same() -> None:
    assert canonical("input: 3@4x4\nC3D8   C9D8p0\n", "n") == "input: 3@4x4\nC3D8 C9D8p0\n"


def test_a_form_that_would_be_another_network_is_never_written(monkeypatch, convsize, tmp_path: Path) -> None:
    monkeypatch.setattr("convsize.language.formatter.format_file", lambda file: "input: 3@32x32\nC3D9 R\n")
    path = tmp_path / "net.spec"
    path.write_text("input: 3@32x32\nC3D8  R\n")
    ran = convsize("fmt", path)
    assert ran.code == 3
    assert "would be a different network" in ran.err
    assert path.read_text() == "input: 3@32x32\nC3D8  R\n"


def test_a_text_with_errors_has_no_canonical_form() -> None:
    with pytest.raises(SpecError):
        canonical("(C3", "n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(convsize, tmp_path: Path) -> None:
    path = tmp_path / "net.spec"
    path.write_text(MESSY)
    tmp_path.chmod(0o500)
    ran = convsize("fmt", path)
    assert ran.code == 2
    assert "cannot be written" in ran.err

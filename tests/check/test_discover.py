"""Which files paths mean."""

import os
from pathlib import Path

import pytest

from convsize.check.config import Config
from convsize.check.discover import Configurations, discover
from convsize.errors import UsageError


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "b.spec",
        "a.spec",
        "notes.txt",
        "a/z.spec",
        "a/sub/y.spec",
        ".hidden/h.spec",
        ".venv/v.spec",
        "node_modules/n.spec",
        "drafts/d.spec",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("input: 3@8x8\nC R\n")
    return tmp_path


def names(*paths: str, config: Config | None = None, force: bool = False) -> list[str]:
    return [each.name for each in discover(paths, Configurations(config), force_exclude=force)]


def test_folders_hold_their_specs_in_one_order_without_hidden_and_foreign_ones(tree: Path) -> None:
    assert names(".") == ["a/sub/y.spec", "a/z.spec", "a.spec", "b.spec", "drafts/d.spec"]
    assert names("a") == ["a/sub/y.spec", "a/z.spec"]
    assert names(str(tree / "a")) == ["a/sub/y.spec", "a/z.spec"]


def test_a_named_file_is_taken_whatever_it_is_called_and_once(tree: Path) -> None:
    assert names("notes.txt", "./a.spec", "a.spec", ".hidden/h.spec") == [".hidden/h.spec", "a.spec", "notes.txt"]
    assert names("a", "a/z.spec") == ["a/sub/y.spec", "a/z.spec"]


def test_paths_outside_the_working_folder_are_absolute(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "a")
    assert names("../b.spec") == [str(tree / "b.spec")]


def test_excludes_are_relative_to_the_configuration(tree: Path) -> None:
    config = Config(exclude=("drafts/", "/a/sub"), file=tree / "convsize.toml")
    assert names(".", config=config) == ["a/z.spec", "a.spec", "b.spec"]
    assert names("drafts/d.spec", config=config) == ["drafts/d.spec"]
    assert names("drafts/d.spec", "a.spec", config=config, force=True) == ["a.spec"]


def test_a_folder_that_is_named_is_searched_though_it_is_excluded_unless_forced(tree: Path) -> None:
    config = Config(exclude=("drafts/",), file=tree / "convsize.toml")
    assert names("drafts", config=config) == ["drafts/d.spec"]
    assert names("drafts", config=config, force=True) == []


def test_the_nearest_configuration_rules_a_folder(tree: Path) -> None:
    (tree / "pyproject.toml").write_text('[tool.convsize]\nexclude = ["drafts/"]\n')
    (tree / "a" / "convsize.toml").write_text('exclude = ["sub/"]\n')
    assert names() == []
    assert names(".") == ["a/z.spec", "a.spec", "b.spec"]
    found = {each.name: each.config.file for each in discover(["."], Configurations())}
    assert found["a/z.spec"] == tree / "a" / "convsize.toml"
    assert found["b.spec"] == tree / "pyproject.toml"


def test_gitignore_files_of_the_repository_are_heeded(tree: Path) -> None:
    (tree / ".gitignore").write_text("b.spec\n/drafts\n")
    (tree / "a" / ".gitignore").write_text("*.spec\n!z.spec\n")
    assert names(".") == ["a/z.spec", "a.spec"]
    assert names("drafts") == ["drafts/d.spec"]  # no repository: the file above says nothing about it
    (tree / ".git").mkdir()
    assert names("drafts") == ["drafts/d.spec"]  # it was asked for by name
    assert names("a") == ["a/z.spec"]
    (tree / ".gitignore").write_text("y.spec\n")
    (tree / "a" / ".gitignore").unlink()
    assert names("a") == ["a/z.spec"]


def test_links(tree: Path) -> None:
    (tree / "link.spec").symlink_to(tree / "a.spec")
    (tree / "dead.spec").symlink_to(tree / "nowhere")
    (tree / "loop").symlink_to(tree, target_is_directory=True)
    found = names(".")
    assert "link.spec" in found
    assert "dead.spec" in found  # to be reported, not to be passed over
    assert not any(name.startswith("loop") for name in found)


def test_a_pipe_in_a_folder_is_left_alone(tree: Path) -> None:
    os.mkfifo(tree / "pipe.spec")
    assert "pipe.spec" not in names(".")


def test_a_path_that_is_not_there(tree: Path) -> None:
    with pytest.raises(UsageError) as error:
        names("a.spce")
    assert str(error.value) == "there is no file or folder `a.spce`; did you mean `a.spec`?"
    with pytest.raises(UsageError) as error:
        names("nowhere/at/all.spec")
    assert str(error.value) == "there is no file or folder `nowhere/at/all.spec`"

"""The configuration: where it is found, what it may say, and how it complains."""

from pathlib import Path

import pytest

from convsize.check.config import Config, find, load
from convsize.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_key(folder: Path) -> None:
    path = folder / "convsize.toml"
    path.write_text(
        'select = ["W5"]\nignore = ["W505"]\nstyle = true\nexclude = ["drafts/"]\n'
        'budgets = ["parameters<=60M", "macs<=4G"]\n[per-file-ignores]\n"old/*.spec" = ["W501", "W502"]\n'
    )
    assert load(path) == Config(
        select=("W5",),
        ignore=("W505",),
        style=True,
        per_file_ignores=(("old/*.spec", ("W501", "W502")),),
        exclude=("drafts/",),
        budgets=("parameters<=60M", "macs<=4G"),
        file=path,
    )


def test_the_nearest_upward_and_the_own_file_wins(folder: Path) -> None:
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    assert find(inner) == Config()
    (folder / "pyproject.toml").write_text('[tool.convsize]\nignore = ["W501"]\n')
    assert find(inner).file == folder / "pyproject.toml"
    (folder / "convsize.toml").write_text("")
    assert find(inner) == Config(file=folder / "convsize.toml")
    (folder / "a" / "pyproject.toml").write_text('[project]\nname = "other"\n')  # says nothing about convsize
    assert find(inner).file == folder / "convsize.toml"
    (folder / "a" / "pyproject.toml").write_text("[tool]\nconvsize = { style = true }\n")
    assert find(inner).style


def test_a_command_line_adds_to_ignore_and_replaces_by_select(folder: Path) -> None:
    config = Config(select=("W",), ignore=("W501",), per_file_ignores=(("a.spec", ("W502",)),), budgets=("macs<=1G",))
    added = config.overridden(None, ("W505",), style=False)
    assert (added.select, added.ignore, added.per_file_ignores) == (("W",), ("W501", "W505"), config.per_file_ignores)
    replaced = config.overridden(("W501",), (), style=True)
    assert (replaced.select, replaced.ignore, replaced.per_file_ignores, replaced.style) == (("W501",), (), (), True)
    assert replaced.budgets == ("macs<=1G",)


ERRORS = [
    ('ingore = ["W501"]', "convsize.toml: unknown key `ingore`; did you mean `ignore`?"),
    (
        '[per_file_ignores]\n"a" = ["W501"]',
        "convsize.toml: unknown key `per_file_ignores`; did you mean `per-file-ignores`?",
    ),
    (
        "jobs = 3",
        "convsize.toml: unknown key `jobs`; the keys are select, ignore, style, per-file-ignores, exclude, budgets",
    ),
    ('select = "W501"', 'convsize.toml: `select` must be a list of strings such as ["W501"], not "W501"'),
    ("exclude = [1]", 'convsize.toml: `exclude` must be a list of strings such as ["drafts/"], not [1]'),
    ("budgets = true", 'convsize.toml: `budgets` must be a list of strings such as ["parameters<=60M"], not true'),
    ('style = "yes"', 'convsize.toml: `style` must be true or false, not "yes"'),
    (
        'per-file-ignores = ["W501"]',
        'convsize.toml: `per-file-ignores` must be a table such as { "old/*.spec" = ["W501"] }, not ["W501"]',
    ),
    (
        '[per-file-ignores]\n"a.spec" = "W501"',
        'convsize.toml: `per-file-ignores."a.spec"` must be a list of strings such as ["W501"], not "W501"',
    ),
    (
        "select = [",
        "convsize.toml: this is not valid TOML: Invalid value (at end of document)",
    ),
    (f"select = {'[' * 100_000}", "convsize.toml: this is not valid TOML: maximum recursion depth exceeded"),
    (f"style = {'9' * 4_301}", "convsize.toml: a number in it has too many digits"),
    (f"style = 0x{'f' * 5_000}", "convsize.toml: `style` must be true or false, not a number of too many digits"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_errors(folder: Path, text: str, message: str) -> None:
    (folder / "convsize.toml").write_text(text + "\n")
    with pytest.raises(UsageError) as error:
        find(folder)
    assert str(error.value) == message


def test_errors_in_pyproject_name_the_whole_key(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.convsize]\nstyel = true\n")
    with pytest.raises(UsageError) as error:
        find(folder)
    assert str(error.value) == "pyproject.toml: unknown key `tool.convsize.styel`; did you mean `style`?"


def test_a_table_that_is_none(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool]\nconvsize = 3\n")
    with pytest.raises(UsageError) as error:
        find(folder)
    assert str(error.value) == "pyproject.toml: tool.convsize must be a table, written [tool.convsize]"


def test_a_broken_pyproject_of_others_is_not_ours_to_complain_of(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.other\n")
    assert find(folder) == Config()


def test_a_file_that_is_named_must_be_one(folder: Path) -> None:
    with pytest.raises(UsageError) as error:
        load(folder / "nowhere.toml")
    assert str(error.value) == "nowhere.toml: No such file or directory"
    (folder / "pyproject.toml").write_text('[project]\nname = "convsize"\n')
    with pytest.raises(UsageError) as error:
        load(folder / "pyproject.toml")
    assert str(error.value) == "pyproject.toml: it has no [tool.convsize] table"

"""The configuration: `convsize.toml`, or `[tool.convsize]` in `pyproject.toml`, with its patterns of paths.

A wrong key or a value of the wrong type is a UsageError, never something that is quietly left unread: a budget that a
spelling mistake switched off would look like a budget that is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from convsize.errors import UsageError
from convsize.record import Record
from convsize.words import did_you_mean, nearest

KEYS = ("select", "ignore", "style", "per-file-ignores", "exclude", "budgets")
OWN_FILE = "convsize.toml"
SHARED_FILE = "pyproject.toml"


class Config(Record):
    """What a project asks of the check.

    select: codes or their beginnings ("W501", "W5"); None for the default rules. ignore: likewise, always stronger.
    style: also the rules that well-known networks contradict. per_file_ignores: patterns of paths with codes.
    exclude: patterns of paths that are not looked at. budgets: checks as in an `expect` line, for every spec.
    file: where all this was read, None for the defaults; the patterns are relative to its folder.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    style: bool = False
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ()
    file: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder that the patterns are relative to."""
        return self.file.parent if self.file is not None else Path.cwd()

    def overridden(self, select: tuple[str, ...] | None, ignore: tuple[str, ...], style: bool) -> Config:
        """The configuration under a command line's options.

        `select` there replaces all lists of rules here, so that `--select W501` shows W501 whatever the project
        ignores; `ignore` alone adds to the list here.
        """
        if select is not None:
            return self.replace(select=select, ignore=ignore, style=style or self.style, per_file_ignores=())
        return self.replace(ignore=(*self.ignore, *ignore), style=style or self.style)


# ---- reading ---------------------------------------------------------------------------------------------------------


def load(path: Path) -> Config:
    """The configuration in a file that must be one.

    Raises UsageError where it cannot be read, is no TOML, holds no table for convsize, or has a wrong key or value.
    """
    config = _read(path)
    if config is None:
        raise UsageError(f"{shown(path)}: it has no [tool.convsize] table")
    return config


def find(folder: Path, known: dict[Path, Config | None] | None = None) -> Config:
    """The nearest configuration in a folder or above it; the defaults where there is none.

    `known` keeps what was read from call to call. Raises UsageError as `load` does.
    """
    known = {} if known is None else known
    folder = folder.absolute()
    for each in (folder, *folder.parents):
        if each not in known:
            known[each] = _in_folder(each)
        config = known[each]
        if config is not None:
            return config
    return Config()


def _in_folder(folder: Path) -> Config | None:
    own = folder / OWN_FILE
    if own.is_file():
        return load(own)
    shared = folder / SHARED_FILE
    return _read(shared) if shared.is_file() else None


def _read(path: Path) -> Config | None:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{shown(path)}: {error.strerror or error}") from None
    own = path.name != SHARED_FILE
    if not own and b"convsize" not in data:
        return None  # the reader of TOML costs more than a whole check of a small spec
    import tomllib

    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{shown(path)}: this is not valid TOML: {error}") from None
    except ValueError:  # TOML bounds no integer; Python reads none of more than 4,300 digits
        raise UsageError(f"{shown(path)}: a number in it has too many digits") from None
    if own:
        return from_table(table, path, "")
    tool = table.get("tool", {})
    section = tool.get("convsize") if isinstance(tool, dict) else None
    if section is None:
        return None
    if not isinstance(section, dict):
        raise UsageError(f"{shown(path)}: tool.convsize must be a table, written [tool.convsize]")
    return from_table(section, path, "tool.convsize.")


def from_table(table: Mapping[str, object], path: Path, prefix: str = "") -> Config:
    """The configuration that a TOML table says. Raises UsageError for a wrong key or a value of the wrong type."""
    for key in table:
        if key not in KEYS:
            guess = nearest(key, KEYS) or nearest(key.replace("_", "-"), KEYS)
            there = did_you_mean(guess, f"the keys are {', '.join(KEYS)}")
            raise UsageError(f"{shown(path)}: unknown key `{prefix}{key}`; {there}")

    def texts(value: object, key: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            example = {"exclude": '["drafts/"]', "budgets": '["parameters<=60M"]'}.get(key, '["W501"]')
            raise UsageError(
                f"{shown(path)}: `{prefix}{key}` must be a list of strings such as {example}, not {_toml(value)}"
            )
        return tuple(value)

    style = table.get("style", False)
    if not isinstance(style, bool):
        raise UsageError(f"{shown(path)}: `{prefix}style` must be true or false, not {_toml(style)}")
    per_file = table.get("per-file-ignores", {})
    if not isinstance(per_file, dict):
        example = '{ "old/*.spec" = ["W501"] }'
        raise UsageError(
            f"{shown(path)}: `{prefix}per-file-ignores` must be a table such as {example}, not {_toml(per_file)}"
        )
    return Config(
        select=texts(table["select"], "select") if "select" in table else None,
        ignore=texts(table.get("ignore", []), "ignore"),
        style=style,
        per_file_ignores=tuple(
            (pattern, texts(codes, f'per-file-ignores."{pattern}"')) for pattern, codes in per_file.items()
        ),
        exclude=texts(table.get("exclude", []), "exclude"),
        budgets=texts(table.get("budgets", []), "budgets"),
        file=path,
    )


def _toml(value: object) -> str:
    """A value about as TOML writes it, cut to what fits in a sentence."""
    try:
        text = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
    except ValueError:  # an integer in base 16 can be longer than Python writes in base 10
        return "a number of too many digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def shown(path: Path) -> str:
    """A path as people know it: relative to the working directory where it lies below it, with slashes."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()

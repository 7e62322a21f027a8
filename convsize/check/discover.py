"""Which files paths mean: files as they are named, folders with all their `*.spec`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from convsize.check.config import OWN_FILE, SHARED_FILE, Config, find
from convsize.check.patterns import Patterns, relative
from convsize.errors import UsageError
from convsize.language.files import SUFFIX
from convsize.record import Record
from convsize.words import did_you_mean, nearest

NEVER = frozenset(("node_modules", "__pycache__", "venv", "build", "dist"))
"""Folders that hold no sources; those whose name begins with a dot (`.git`, `.venv`) are passed over as well."""


class Found(Record):
    """A file to look at, as it is called in messages, with the configuration it is under; "-" is standard input."""

    name: str
    config: Config


class Configurations:
    """The configuration of every folder: one for all where it was given, else the nearest upward, each read once."""

    __slots__ = ("_excludes", "_given", "_known")

    def __init__(self, given: Config | None = None) -> None:
        self._given = given
        self._known: dict[Path, Config | None] = {}
        self._excludes: dict[Path | None, Patterns] = {}

    def of(self, folder: Path) -> Config:
        """The configuration for the files in a folder. Raises UsageError where it is wrong."""
        return self._given if self._given is not None else find(folder, self._known)

    def inside(self, folder: Path, names: set[str], outer: Config) -> Config:
        """The same for a folder whose names are known and whose parent's configuration is `outer`."""
        return self.of(folder) if OWN_FILE in names or SHARED_FILE in names else outer

    def excluded(self, config: Config, path: str, folder: bool) -> bool:
        """Whether a configuration excludes a path itself (what lies above it was looked at before)."""
        if not config.exclude:
            return False
        inner = relative(path, config.folder)
        return inner is not None and inner != "." and bool(self._patterns(config).verdict(inner, folder))

    def excludes(self, config: Config, path: str, folder: bool) -> bool:
        """Whether a configuration excludes a path, itself or by a folder it lies in."""
        inner = relative(path, config.folder) if config.exclude else None
        return inner is not None and inner != "." and self._patterns(config).named(inner, folder)

    def _patterns(self, config: Config) -> Patterns:
        if config.file not in self._excludes:
            self._excludes[config.file] = Patterns(config.exclude)
        return self._excludes[config.file]


def discover(
    paths: Sequence[str],
    configurations: Configurations,
    *,
    force_exclude: bool = False,
    told: Callable[[str], None] | None = None,
) -> list[Found]:
    """The files that paths mean, each once, sorted by name.

    A file that is named is taken whatever it is called and whatever is excluded, unless `force_exclude` says that a
    tool did the naming. Folders are searched for `*.spec`; hidden ones, those of NEVER, what `.gitignore` files name
    and what the configuration excludes are passed over, and links to folders are not followed.

    `told` hears of folders below those that cannot be read, which are passed over; without it they are errors.

    Raises UsageError for a path that does not exist.
    """
    found: dict[str, Found] = {}
    for path in paths:
        if path == "-":
            found.setdefault("-", Found("-", configurations.of(Path.cwd())))
        elif os.path.isdir(path):  # noqa: PTH112 (pathlib makes `.` of an empty name)
            folder = Path(path).absolute()
            config = configurations.of(folder)
            if force_exclude and configurations.excludes(config, path, True):
                continue
            top = shown(path)
            ignores = _ignores_above(folder)
            walk = _Walk(configurations, told)
            for each in walk.below(path, "" if top == "." else top, config, ignores):
                found.setdefault(each.name, each)
        elif os.path.lexists(path):
            config = configurations.of(Path(path).absolute().parent)
            if not (force_exclude and configurations.excludes(config, path, False)):
                name = shown(path)
                found.setdefault(name, Found(name, config))
        else:
            raise UsageError(f"there is no file or folder `{path}`{_meant(path)}")
    return sorted(found.values(), key=lambda each: each.name.split("/"))


def shown(path: str) -> str:
    """A path as findings call it: relative to the working directory where it lies below it, with slashes."""
    full = os.path.abspath(path)  # noqa: PTH100 (pathlib leaves `..` in, or follows links)
    here = relative(full, Path.cwd())
    return full if here is None else here


class _Walk:
    """A search below a folder: a stack of folders instead of a call for each, for folders may be nested without end."""

    def __init__(self, configurations: Configurations, told: Callable[[str], None] | None) -> None:
        self.configurations = configurations
        self.told = told

    def below(self, path: str, name: str, config: Config, ignores: tuple[tuple[str, Patterns], ...]) -> Iterator[Found]:
        folders = [(path, name, config, ignores)]
        while folders:
            path, name, config, ignores = folders.pop()
            entries = self.entries(path, name)
            names = {entry.name for entry in entries}
            if ".gitignore" in names:
                ignores = (*ignores, *_ignore_file(str(Path(path).absolute())))
            config = self.configurations.inside(Path(path).absolute(), names, config)
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                if not (_searched(entry) if is_folder else _is_spec(entry)):
                    continue
                if self.configurations.excluded(config, entry.path, is_folder) or _ignored(
                    entry.path, is_folder, ignores
                ):
                    continue
                inner = f"{name}/{entry.name}" if name else entry.name
                if is_folder:
                    folders.append((entry.path, inner, config, ignores))
                else:
                    yield Found(inner, config)

    def entries(self, path: str, name: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(path) as listing:
                return sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            text = f"`{name or '.'}` cannot be read: {error.strerror or error}"
            if self.told is None:
                raise UsageError(text) from None
            self.told(text)
            return []


def _searched(folder: os.DirEntry[str]) -> bool:
    return not folder.name.startswith(".") and folder.name not in NEVER


def _is_spec(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, or a link that leads to none: what is wrong with that is said when it is read."""
    if not entry.name.endswith(SUFFIX):
        return False
    try:
        return entry.is_file() or (entry.is_symlink() and not entry.is_dir())
    except OSError:  # links in a circle
        return True


def _ignores_above(folder: Path) -> tuple[tuple[str, Patterns], ...]:
    """The `.gitignore` files above a folder, up to the top of its repository, outermost first."""
    above = [folder, *folder.parents]
    top = next((number for number, each in enumerate(above) if (each / ".git").exists()), None)
    if top is None:
        return ()
    return tuple(each for outer in reversed(above[1 : top + 1]) for each in _ignore_file(str(outer)))


def _ignore_file(folder: str) -> tuple[tuple[str, Patterns], ...]:
    try:
        text = (Path(folder) / ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    return ((folder, Patterns(text.splitlines())),)


def _ignored(path: str, folder: bool, ignores: tuple[tuple[str, Patterns], ...]) -> bool:
    """Whether `.gitignore` files name a path; the innermost one that says anything decides."""
    for base, patterns in reversed(ignores):
        inner = relative(path, Path(base))
        verdict = patterns.verdict(inner, folder) if inner is not None else None
        if verdict is not None:
            return verdict
    return False


def _meant(path: str) -> str:
    """The nearest name in the same folder; that both end in `.spec` is no likeness."""
    name = Path(path).name
    suffix = SUFFIX if name.endswith(SUFFIX) else ""
    try:
        there = {each.name.removesuffix(suffix): each for each in Path(path).parent.iterdir()}
    except OSError:
        return ""
    guess = nearest(name.removesuffix(suffix), there, most=100_000)
    return f"; {did_you_mean(str(there[guess]))}" if guess else ""

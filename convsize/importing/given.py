"""Arguments of modules, checked: sizes, whole numbers, flags."""

from __future__ import annotations

from typing import Any

from convsize.importing.writer import CallError
from convsize.words import plural

__all__ = ["Given"]


class Given:
    """The arguments of one module by name. What asks for one raises CallError where it is of another kind.

    printed: read from `print(model)`, which leaves some arguments out; `path` is the module's.
    """

    __slots__ = ("path", "printed", "values")

    def __init__(self, values: dict[str, Any], path: str = "", printed: bool = False) -> None:
        self.values = values
        self.path = path
        self.printed = printed

    def whole(self, name: str) -> int:
        """A whole number."""
        found = self.values[name]
        if isinstance(found, bool) or not isinstance(found, int):
            raise CallError(f"its `{name}` is {found!r}, and must be a whole number")
        return found

    def number(self, name: str) -> float:
        """A number."""
        found = self.values[name]
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise CallError(f"its `{name}` is {found!r}, and must be a number")
        return found

    def flag(self, name: str) -> bool:
        """True or False."""
        found = self.values[name]
        if not isinstance(found, bool):
            raise CallError(f"its `{name}` is {found!r}, and must be True or False")
        return found

    def text(self, name: str, *choices: str) -> str:
        """One of several words."""
        found = self.values[name]
        if not isinstance(found, str) or found not in choices:
            raise CallError(f"its `{name}` is {found!r}, and can be read as {', '.join(choices)} only")
        return found

    def sizes(self, name: str, axes: int, least: int = 1) -> tuple[int, ...]:
        """A whole number for every axis; one holds for all."""
        found = self.values[name]
        several = tuple(found) if isinstance(found, tuple | list) else (found,)
        if any(isinstance(each, bool) or not isinstance(each, int) or each < least for each in several):
            raise CallError(f"its `{name}` is {found!r}, and must be of whole numbers from {least}")
        if len(several) == 1:
            return several * axes
        if len(several) != axes:
            raise CallError(f"its `{name}` is {found!r}, and must be of {plural(axes, 'number')}")
        return several

    def absent(self, *names: str) -> None:
        """These arguments change what is computed in a way that cannot be read: they must have their defaults."""
        for name in names:
            if self.values[name] not in (None, False, 0):
                raise CallError(f"its `{name}` is {self.values[name]!r}, which cannot be read")

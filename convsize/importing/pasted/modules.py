"""Modules: what a text says of a model, as a tree of classes with their arguments."""

from __future__ import annotations

from typing import Any

__all__ = ["Module"]


class Module:
    """A module: its class as written, its arguments, what it contains by name, and the line that it starts on.

    The same object in two places is one module that is used twice. `printed`: taken from `print(model)`, which leaves
    some arguments out.
    """

    __slots__ = ("children", "keywords", "kind", "line", "positional", "printed")

    def __init__(
        self,
        kind: str,
        line: int,
        positional: tuple[Any, ...] = (),
        keywords: dict[str, Any] | None = None,
        children: list[tuple[str, Module]] | None = None,
        printed: bool = False,
    ) -> None:
        self.kind = kind
        self.line = line
        self.positional = positional
        self.keywords = keywords or {}
        self.children = children
        self.printed = printed

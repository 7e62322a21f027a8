"""Shared blocks: one set of weights for all their uses, which therefore must be alike."""

from __future__ import annotations

from collections.abc import Mapping

from convsize.errors import Source, Span
from convsize.geometry import Shape
from convsize.graph.evaluate import BuildError, number_text
from convsize.graph.scope import Bound, Choice, Closure, Scope, TapValue
from convsize.language.tree import DefStmt
from convsize.record import Record


class _Use(Record):
    """The first use of a shared block: its place, its arguments by name as text, and what entered it."""

    span: Span
    arguments: tuple[tuple[str, str], ...]
    entry: Shape


class Sharing:
    """The `shared` blocks of a file and their first uses. names: what the weights of each are called."""

    __slots__ = ("_first", "_names")

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._first: dict[str, _Use] = {}

    def use(self, definition: DefStmt, entry: Shape | None, inner: Scope, span: Span, source: Source) -> str:
        """What stands before the names of the block's weights.

        Raises BuildError E118 where this use has other arguments than the first one, or another depth enters it. Values
        that are passed (taps) may differ.
        """
        name = definition.name.name
        prefix = f"{self._names[name]}."
        if entry is None:
            return prefix
        given = {key: number_text(value) for key, value in inner.numbers.items()}
        given |= {key: _text(value) for key, value in inner.blocks.items()}
        arguments = tuple(sorted(given.items()))
        first = self._first.setdefault(name, _Use(span, arguments, entry))
        line = source.place(first.span.start).line
        help_text = f"call it alike everywhere, or write `def {name}` for weights of each call's own"
        for key, value in first.arguments:
            if given.get(key) != value:
                text = (
                    f"`{name}` is shared, so `{key}` is one for all its calls: {value} on line {line}, not {given[key]}"
                )
                raise BuildError("E118", text, span, help_text)
        if len(entry.dims) != len(first.entry.dims) or entry.channels != first.entry.channels:
            text = (
                f"`{name}` is shared, so one depth enters it everywhere: {first.entry} does on line {line}, not {entry}"
            )
            raise BuildError(
                "E118",
                text,
                span,
                f"bring it to the same depth before, as in `C1D{first.entry.channels}`; "
                f"or write `def {name}` for weights of each call's own",
            )
        return prefix


def _text(closure: Closure) -> str:
    """A layer, word or block that is passed, as text: wherever it was written."""
    parts = [_bound(value) for value in closure.positional or ()]
    parts += [f"{key}={_bound(value)}" for key, value in closure.named]
    return f"{closure.name}({','.join(parts)})" if parts else closure.name


def _bound(value: Bound) -> str:
    if isinstance(value, Closure):
        return _text(value)
    if isinstance(value, TapValue):
        return "@"
    return value.name if isinstance(value, Choice) else number_text(value)

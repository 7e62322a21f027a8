"""Chains: the calls of modules that run one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convsize.errors import UsageError
from convsize.importing.calls import BATCH, CallList
from convsize.importing.given import Given
from convsize.importing.pasted.code import CONTAINERS
from convsize.importing.pasted.modules import Module
from convsize.importing.signatures import bound
from convsize.importing.torch_modules.table import CLASSES
from convsize.importing.writer import CallError, Wire, Writer
from convsize.words import nearest, or_rather, plural

__all__ = ["chained", "refused"]

_IGNORED = ("device", "dtype")
"""Arguments that change no figure, where they are None."""

_DEEPEST = 100


def chained(source: str, model: Module, shape: tuple[int, ...]) -> CallList:
    """The calls of a tree of modules for an input of this depth and these extents.

    Raises UsageError that names every module of an unknown class, and else the first that does not fit.
    """
    problems = list(_obstacles(model, "", set(), 0))
    if problems:
        raise refused(source, problems)
    return _Chain(source, shape).written(model)


def refused(source: str, problems: list[tuple[int, str]]) -> UsageError:
    """An error that lists what stands in the way, by lines."""
    lines = [f"line {line}: {problem}" for line, problem in problems]
    if len(lines) == 1:
        return UsageError(f"`{source}`, {lines[0]}")
    shown = lines[:20] + ([f"and {len(lines) - 20} more"] if len(lines) > 20 else [])
    return UsageError("\n  ".join([f"`{source}` has {plural(len(lines), 'line')} that cannot be read", *shown]))


def _obstacles(module: Module, path: str, seen: set[int], depth: int) -> Iterator[tuple[int, str]]:
    if depth > _DEEPEST:
        yield module.line, f"modules stand in one another more than {_DEEPEST} deep"
        return
    if id(module) in seen:
        return
    seen.add(id(module))
    kind = module.kind
    where = f" (`{path}`)" if path else ""
    if module.children is not None and (not module.kind or kind in CONTAINERS):
        for name, child in module.children:
            yield from _obstacles(child, f"{path}.{name}" if path else name, seen, depth + 1)
    elif module.children is not None:
        told = "a print does not say how it calls its modules" if module.printed else "it is no container that is known"
        yield module.line, f"{kind}{where}: {told}; import the model itself, as file.py:Class(arguments)"
    elif kind not in CLASSES and not (kind in CONTAINERS and not module.positional):
        rather = or_rather(nearest(kind, CLASSES)) if "." not in kind else ", and it is none of torch.nn"
        yield module.line, f"{kind}{where}: what this class computes is not known{rather}"


class _Chain:
    """Writes modules one after the other."""

    def __init__(self, source: str, shape: tuple[int, ...]) -> None:
        self.writer = Writer(source)
        self.shape = shape
        self.paths: dict[int, str] = {}

    def written(self, model: Module) -> CallList:
        """The whole list."""
        x = self.writer.input("x", (BATCH, *self.shape))
        kind = model.kind or "Sequential"
        with self.writer.inside("", kind):
            found = self._children(model, "", x) if model.children is not None else self._one(model, "", x)
        if not self.writer.calls:
            raise UsageError(f"`{self.writer.source}` has no layers")
        if not model.kind:
            self.writer.notes.append(
                "The lines are read as a chain, each module called with what the one before gives."
            )
        return self.writer.written([("", found)])

    def _children(self, module: Module, path: str, x: Wire) -> Wire:
        if len(self.writer.scope) > _DEEPEST + 1:
            raise refused(self.writer.source, [(module.line, f"`{path[:60]}` stands in itself, or too deep")])
        for name, child in module.children or ():
            place = f"{path}.{name}" if path else name
            with self.writer.inside(place, child.kind):
                within: Callable[[Module, str, Wire], Wire] = (
                    self._children if child.children is not None else self._one
                )
                x = within(child, place, x)
        return x

    def _one(self, module: Module, path: str, x: Wire) -> Wire:
        kind = module.kind
        if kind in CONTAINERS:
            return x
        signature, write = CLASSES[kind]
        path = self.paths.setdefault(id(module), path)
        keywords = {name: each for name, each in module.keywords.items() if name not in _IGNORED or each is not None}
        try:
            given = Given(bound(signature, module.positional, keywords), path, module.printed)
            if given.values.get("inplace") not in (None, True, False):
                raise CallError(f"its `inplace` is {given.values['inplace']!r}")
            return write(self.writer, x, given)
        except CallError as problem:
            raise refused(self.writer.source, [(module.line, f"{kind}: {problem}")]) from None

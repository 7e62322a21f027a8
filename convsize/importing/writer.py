"""The writer: writes a call list down, tensor by tensor and call by call, for sources that nothing runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from convsize.errors import UsageError
from convsize.importing.calls import Argument, Call, CallList, Output, Ref, Result, Scope, Tensor
from convsize.record import Record

__all__ = ["MOST_CALLS", "CallError", "Wire", "Writer"]

MOST_CALLS = 50_000
"""Calls that a source may have: as many as a network may have layers."""

MOST_VALUES = 10**12
"""Values that one tensor may have. What a file or a text says of a larger one is a mistake, or meant to harm."""


class CallError(Exception):
    """Why a call cannot be written down, in a few words."""


class Wire(Record):
    """A tensor that calls take: its name in the list and its shape, with the batch."""

    name: str
    shape: tuple[int, ...]

    @property
    def rank(self) -> int:
        """How many positions' axes it has beside the batch and the depth."""
        return len(self.shape) - 2


class Writer:
    """A call list while it is written."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tensors: list[Tensor] = []
        self.calls: list[Call] = []
        self.notes: list[str] = []
        self.scope: tuple[Scope, ...] = ()
        self._names: set[str] = set()
        self._counts: dict[str, int] = {}
        self._entered: dict[tuple[str, str], int] = {}
        self._paths: dict[str, Wire] = {}

    def input(self, name: str, shape: tuple[int, ...]) -> Wire:
        """A tensor that the model is given, with the batch."""
        return self._tensor("input", name, shape)

    def param(self, path: str, shape: tuple[int, ...]) -> Wire:
        """A parameter; the same one where its path is there already. Raises CallError where it has another shape."""
        return self._held("param", path, shape)

    def buffer(self, path: str, shape: tuple[int, ...], data: tuple[float, ...] | None = None) -> Wire:
        """A buffer, such as a running mean."""
        return self._held("buffer", path, shape, data)

    def const(self, shape: tuple[int, ...], data: tuple[float, ...] | None, dtype: str = "float32") -> Wire:
        """A tensor of fixed values."""
        return self._tensor("const", "constant", shape, data=data, dtype=dtype)

    def call(self, op: str, shape: tuple[int, ...], arguments: Mapping[str, Any], dtype: str = "float32") -> Wire:
        """A call that gives one tensor."""
        return self.calls_of(op, (shape,), arguments, dtype)[0]

    def calls_of(
        self, op: str, shapes: tuple[tuple[int, ...], ...], arguments: Mapping[str, Any], dtype: str = "float32"
    ) -> tuple[Wire, ...]:
        """A call that gives a tensor of every shape. Raises CallError where one is empty or larger than any can be."""
        for shape in shapes:
            _bounded(shape)
        if len(self.calls) >= MOST_CALLS:
            raise UsageError(f"`{self.source}` has more than {MOST_CALLS:,} calls")
        name = self._name(op.rstrip("_"))
        names = [name] if len(shapes) == 1 else [f"{name}.{at}" for at in range(len(shapes))]
        results = tuple(Result(each, shape, dtype) for each, shape in zip(names, shapes, strict=True))
        self.calls.append(Call(op, {key: _argument(value) for key, value in arguments.items()}, results, self.scope))
        return tuple(Wire(each.name, each.shape) for each in results)

    @contextmanager
    def inside(self, path: str, kind: str) -> Iterator[None]:
        """What is written meanwhile stands in a module of that path and class."""
        number = self._entered.get((path, kind), 0)
        self._entered[path, kind] = number + 1
        before = self.scope
        self.scope = (*before, Scope(path, kind, number))
        try:
            yield
        finally:
            self.scope = before

    def written(self, outputs: list[tuple[str, Wire]]) -> CallList:
        """The whole list with its outputs by label."""
        named = tuple(Output(label, wire.name) for label, wire in outputs)
        calls = tuple(self._read_calls({output.name for output in named}))
        return CallList(self.source, tuple(self.tensors), calls, named, tuple(self.notes))

    def _read_calls(self, read: set[str]) -> list[Call]:
        """The calls without changes of order that nothing reads: they undo each other where maps stand last."""
        found = []
        for call in reversed(self.calls):
            if call.op == "permute" and call.name not in read:
                continue
            read.update(call.references())
            found.append(call)
        return found[::-1]

    def _held(
        self, kind: Literal["param", "buffer"], path: str, shape: tuple[int, ...], data: tuple[float, ...] | None = None
    ) -> Wire:
        if path in self._paths:
            if self._paths[path].shape != shape:
                raise CallError(f"`{path}` is used in two shapes: {self._paths[path].shape} and {shape}")
            return self._paths[path]
        self._paths[path] = self._tensor(kind, path.replace(".", "_").replace("/", "_"), shape, path, data)
        return self._paths[path]

    def _tensor(
        self,
        kind: Literal["input", "param", "buffer", "const"],
        name: str,
        shape: tuple[int, ...],
        path: str = "",
        data: tuple[float, ...] | None = None,
        dtype: str = "float32",
    ) -> Wire:
        if shape:
            _bounded(shape)
        if any(map(math.isnan, data or ())):
            raise CallError("one of its fixed values is nan: it is none")
        values = None if data is None else tuple(each if math.isfinite(each) else str(each) for each in data)
        made = Tensor(self._name(name), kind, shape, path, dtype, values)
        self.tensors.append(made)
        return Wire(made.name, shape)

    def _name(self, wanted: str) -> str:
        """The wanted name, or the first of wanted_1, wanted_2 … that is free."""
        found = wanted
        while found in self._names:
            self._counts[wanted] = self._counts.get(wanted, 0) + 1
            found = f"{wanted}_{self._counts[wanted]}"
        self._names.add(found)
        return found


def _argument(value: Any) -> Argument:
    if isinstance(value, Wire):
        return Ref(value.name)
    if isinstance(value, list | tuple):
        return tuple(_argument(each) for each in value)  # type: ignore[misc]
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            raise CallError("one of its numbers is nan: it is none")
        return str(value)
    return value  # type: ignore[no-any-return]


def _bounded(shape: tuple[int, ...]) -> None:
    if any(length < 1 for length in shape):
        raise CallError(f"its result would be of {'x'.join(map(str, shape))}: nothing is left")
    if math.prod(shape) > MOST_VALUES:
        raise CallError(f"a tensor of {'x'.join(map(str, shape))} holds more values than any can")

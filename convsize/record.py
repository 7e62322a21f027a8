"""Records: named tuples whose classes are made quickly, for making them is a good part of every start.

`typing.NamedTuple` compiles every annotation and the constructor of every class. The type checker has read the
annotations before, and constructors with as many fields differ in their names alone: one is compiled for each number of
fields. In all else records are what named tuples are.
"""

from __future__ import annotations

from collections import _tuplegetter  # type: ignore[attr-defined]  # what a named tuple reads its fields with
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

__all__ = ["Record"]

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType
    from typing import NamedTuple as Record
else:

    @cache
    def _constructor(count: int) -> CodeType:
        """The code of a constructor of so many fields."""
        names = "".join(f"_{at}, " for at in range(count))
        return eval(f"lambda _cls, {names}: new(_cls, ({names}))").__code__

    class _Maker(type):
        """Makes a named tuple of a class whose fields are annotated: with their defaults and the methods beside them.

        The annotations are strings, as `from __future__ import annotations` leaves them.
        """

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if len(bases) != 1 or type(bases[0]) is not _Maker or bases[0]._fields:
                return super().__new__(cls, name, bases, body)
            fields = tuple(body["__annotations__"])
            defaults = {field: body[field] for field in fields if field in body}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"{name}: a field without a default follows one that has it")
            code = _constructor(len(fields)).replace(
                co_varnames=("_cls", *fields), co_name="__new__", co_qualname=f"{name}.__new__"
            )
            space = {"new": tuple.__new__, "__builtins__": {}}
            made = FunctionType(code, space, "__new__", tuple(defaults.values()))
            getters = {field: _tuplegetter(at, f"Field {at}") for at, field in enumerate(fields)}
            own = {
                "__slots__": (),
                "__new__": made,
                "_fields": fields,
                "_field_defaults": defaults,
                "__match_args__": fields,
            }
            return super().__new__(cls, name, bases, {**own, **body, **getters})

    class Record(tuple, metaclass=_Maker):
        """A named tuple, stated as a class: `name: type` or `name: type = default` for every field, and methods."""

        __slots__ = ()
        _fields: tuple[str, ...] = ()

        @classmethod
        def _make(cls, values: Iterable[Any]) -> Record:
            """A record of as many values as it has fields."""
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changes: Any) -> Record:
            """The same record with other values in some fields."""
            made = self._make(map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"Got unexpected field names: {list(changes)!r}")
            return made

        def _asdict(self) -> dict[str, Any]:
            """The values by the names of the fields."""
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            values = ", ".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({values})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

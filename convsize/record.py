"""Records: values with named fields that never change, compared and hashed by them."""

from __future__ import annotations

from typing import Any, Self, dataclass_transform

import msgspec

__all__ = ["Record"]


@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True):
    """A value with named fields, stated as a class: `name: type` or `name: type = default` for every field.

    Records of one class are equal where all their fields are; a record whose fields can be hashed can be. They are
    no tuples: fields are read by their names alone.

    >>> class Place(Record):
    ...     line: int
    ...     column: int = 1
    >>> Place(3).replace(column=7)
    Place(line=3, column=7)
    >>> Place(3).as_dict()
    {'line': 3, 'column': 1}
    """

    def replace(self, **changes: Any) -> Self:
        """The same record with other values in some fields. Raises TypeError for a field that it has not."""
        return msgspec.structs.replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """The values by the names of the fields, in their order; records within stay records."""
        return msgspec.structs.asdict(self)

    def values(self) -> tuple[Any, ...]:
        """The values in the order of the fields."""
        return msgspec.structs.astuple(self)

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """The names of the fields in their order."""
        return cls.__struct_fields__

    @classmethod
    def field_defaults(cls) -> dict[str, Any]:
        """The defaults of the fields that have one, by name."""
        defaults = cls.__struct_defaults__
        return dict(zip(cls.__struct_fields__[-len(defaults) :], defaults, strict=True)) if defaults else {}

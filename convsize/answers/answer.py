"""What an answer of the library is beside the record that it is."""

from __future__ import annotations

from typing import Self

from convsize.record import Record


class Answer(Record):
    """What the library answers with: a record of its own kind, that prints as a command does."""

    @classmethod
    def over(cls, bare: Record, **more: object) -> Self:
        """The same record, able to print itself; `more`: fields that only printing needs."""
        return cls(**bare.as_dict(), **more)

"""The ops: one file each with everything the tool knows about a kind of layer, and the list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from convsize.ops.base import Op

_Class = TypeVar("_Class", bound="type[Op]")


def register(op: _Class) -> _Class:
    """Makes an op of your own a word of the language: a decorator for its class.

    The word is what its SPELLING begins with: "hardtanh" of "hardtanh(low,high)". Every command takes it from then on.
    A package offers its words to the command line by entry points, which are loaded where a spec has such a word, and
    needs no call of this::

        [project.entry-points."convsize.ops"]
        hardtanh = "my_package.hardtanh:Hardtanh"

    Raises TypeError where the class is no op, or ValueError where its word, NAME or STEM is another op's.
    """
    from convsize.ops import catalogue

    catalogue.register(op)
    return op

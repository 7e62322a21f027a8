"""Keys: when items are equal, when they differ in numbers alone, and how long they are."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from fractions import Fraction

from convsize.importing.items import Bind, Branches, Item, Leaf, Repeat, Series, Start, Tap
from convsize.importing.tokens import Slot, Token

__all__ = ["Keys", "cost", "leaves", "merged"]


_ANY = ("any number",)


class Keys:
    """Numbers for items: the same number for equal ones, and one for those that differ in numbers alone.

    compared: how many items have been compared in the search for repeats.
    """

    def __init__(self) -> None:
        self.compared = 0
        self._known: dict[Hashable, int] = {}
        self._exact: dict[Item, int] = {}
        self._skeleton: dict[Item, int] = {}
        self._alike: dict[Series, bool] = {}

    def exact(self, item: Item) -> int:
        """The same for items that are written alike, whatever enters them. Names of values are all different."""
        if item not in self._exact:
            self._exact[item] = self._number(self._form(item, True))
        return self._exact[item]

    def skeleton(self, item: Item) -> int:
        """The same for items that differ in the numbers of their layers alone."""
        if item not in self._skeleton:
            self._skeleton[item] = self._number(self._form(item, False))
        return self._skeleton[item]

    def _number(self, form: Hashable) -> int:
        return self._known.setdefault(form, len(self._known))

    def _form(self, item: Item, exact: bool) -> Hashable:
        key = self.exact if exact else self.skeleton
        if isinstance(item, Leaf):
            slots = tuple((each.lead, each.value if exact or fixed(each) else _ANY) for each in item.token.slots)
            return (exact, item.token.kind, slots)
        if isinstance(item, Branches):
            return (exact, item.sign, tuple(tuple(map(key, series)) for series in item.branches))
        if isinstance(item, Repeat):
            return (
                exact,
                "*",
                item.count if exact or not isinstance(item.count, int) else _ANY,
                tuple(map(key, item.body)),
            )
        return (exact, item)


def fixed(slot: Slot) -> bool:
    """Whether a slot holds a text, which is no parameter."""
    return not isinstance(slot.value, int | Fraction) or isinstance(slot.value, bool)


def cost(item: Item) -> int:
    """How many words an item is."""
    if isinstance(item, Leaf):
        return item.words
    if isinstance(item, Branches):
        return len(item.branches) + 1 + sum(map(cost, (each for series in item.branches for each in series)))
    if isinstance(item, Repeat):
        return sum(map(cost, item.body)) + (3 if len(item.body) > 1 else 1)
    return 1 if isinstance(item, Start) else 2


def leaves(series: Series) -> Iterator[Leaf]:
    """The layers of a series in their order, of repeats those of the first iteration."""
    for item in series:
        if isinstance(item, Leaf):
            yield item
        elif isinstance(item, Branches):
            for each in item.branches:
                yield from leaves(each)
        elif isinstance(item, Repeat):
            yield from leaves(item.body)


def named(series: Series) -> bool:
    """Whether values are named or read by name in a series."""
    for item in series:
        if isinstance(item, Tap | Bind):
            return True
        inner = item.branches if isinstance(item, Branches) else (item.body,) if isinstance(item, Repeat) else ()
        if any(map(named, inner)):
            return True
    return False


def merged(many: list[Series]) -> Series:
    """Series that are written alike as one, whose tokens know what enters them only where it is the same for all."""
    return tuple(_merged([series[at] for series in many]) for at in range(len(many[0])))


def _merged(items: list[Item]) -> Item:
    first = items[0]
    if isinstance(first, Leaf):
        tokens = [each.token for each in items if isinstance(each, Leaf)]
        return first.replace(token=common(tokens))
    if isinstance(first, Branches):
        many = [each for each in items if isinstance(each, Branches)]
        branches = tuple(merged(list(each)) for each in zip(*(each.branches for each in many), strict=True))
        source = first.source if len({each.source for each in many}) == 1 else 0
        return first.replace(branches=branches, source=source)
    if isinstance(first, Repeat):
        return first.replace(body=merged([each.body for each in items if isinstance(each, Repeat)]))
    return first


def common(tokens: list[Token]) -> Token:
    """Tokens that are written alike as one."""
    first = tokens[0]
    if all(each == first for each in tokens):
        return first
    source = first.source if len({each.source for each in tokens}) == 1 else 0
    slots = []
    for column in zip(*(each.slots for each in tokens), strict=True):
        defaults = {each.default for each in column}
        slots.append(column[0] if len(defaults) == 1 else column[0].replace(default=None))
    return Token(first.kind, tuple(slots), source)

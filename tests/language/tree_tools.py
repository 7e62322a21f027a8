"""What two specs say, without where they say it."""

from __future__ import annotations

from convsize.errors import Source, Span
from convsize.language.parser import parse
from convsize.language.tree import File, Group, Item, Layer
from convsize.record import Record


def read(text: str) -> File:
    """The tree of a spec that must have no errors."""
    file, found = parse(Source(text))
    assert not found, [(one.code, one.message) for one in found]
    return file


def errors(text: str) -> list[tuple[str, str]]:
    """The codes and underlined texts of a spec's errors."""
    source = Source(text)
    return [(one.code, source.slice(one.span)) for one in parse(source)[1]]


def bare(node: object) -> object:
    """A tree as nested tuples without spans, and without brackets around brackets."""
    if isinstance(node, Span):
        return None
    if isinstance(node, File):
        return bare(node.statements)
    if isinstance(node, Item):
        node = unwrapped(node)
    if isinstance(node, Layer):
        node = node.replace(suffixes=())
    if isinstance(node, Record | tuple):
        parts = node if isinstance(node, tuple) else node.values()
        return (type(node).__name__, *[bare(part) for part in parts])
    return node


def unwrapped(item: Item) -> Item:
    """`((a))*2` as `(a)*2`, wherever a repeat and names keep what they apply to."""
    atom = item.atom
    if not isinstance(atom, Group) or atom.kind != "series" or len(atom.branches[0].items) != 1:
        return item
    (inner,) = atom.branches[0].items
    if not isinstance(inner.atom, Group):
        return item
    if item.repeat is None and not item.names:
        return unwrapped(inner)
    if inner.repeat is None and not inner.names and not (item.names and inner.atom.kind in ("concat", "split")):
        return unwrapped(item.replace(atom=inner.atom))
    return item


def spec_of(text: str) -> object:
    return bare(read(text))

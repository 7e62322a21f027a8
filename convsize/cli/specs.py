"""Which specs a command is about: files, standard input, text on the command line, and what overrides them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from convsize.errors import Source, UsageError, stem_of
from convsize.geometry import Shape


def sources(paths: Sequence[str], expressions: Sequence[str]) -> Iterator[tuple[str, Source | str]]:
    """The names of the networks with their texts, or with the paths still to be read, in the order of the call.

    Raises UsageError where none is named, or where standard input is named twice.
    """
    if not paths and not expressions:
        raise UsageError("no spec: name a file, `-` for standard input, or a spec with -e 'CRCRP' --input 3@32x32")
    if paths.count("-") > 1:
        raise UsageError("standard input can be read only once, but `-` is given twice")
    for path in paths:
        yield ("stdin" if path == "-" else _name(path)), path
    for text in expressions:
        yield "expression", Source(text, "<expression>")


def _name(path: str) -> str:
    """What a network is called that is read from a file, or from a model: `timm:convnext_tiny` gives convnext_tiny."""
    if ":" in path:
        from convsize import sources as models

        if models.is_source(path):
            return models.name_of(path)
    return stem_of(path)


def read(source: Source | str) -> Source:
    """The text of a source; `-` is standard input, and a model by name is imported.

    Raises UsageError or SpecError (E019) where there is none.
    """
    from convsize.language import files

    if isinstance(source, Source):
        return files.decode(source.text.encode("utf-8", "surrogateescape"), source.name)
    if ":" in source:
        from convsize import sources as models

        if models.is_source(source):
            return Source(models.import_source(source).text, f"<{source}>")
    if source == "-":
        return files.decode(sys.stdin.buffer.read(files.LARGEST_SPEC + 1), "<stdin>")
    return files.read(source)


def lets(texts: Iterable[str]) -> dict[str, Fraction]:
    """`N=2` or `w=0.75`, by name. Raises UsageError where it is not so."""
    found: dict[str, Fraction] = {}
    for text in texts:
        for part in text.split(","):
            name, _, value = (each.strip() for each in part.partition("="))
            try:
                # Exponents are left out: 1e999999999 would fill the memory with zeros.
                if not name.isidentifier() or not value or set(value) - set("0123456789.-/") or len(value) > 100:
                    raise ValueError
                found[name] = Fraction(value)
            except (ValueError, ZeroDivisionError):
                raise UsageError(f"--let takes a name and a number, such as N=2 or w=0.75, not `{part}`") from None
    return found


def inputs(texts: Iterable[str]) -> dict[str, Shape]:
    """`3@32x32`, or `left=3@32x32` for an input of that name. Raises UsageError where it is not so."""
    found: dict[str, Shape] = {}
    for text in texts:
        name, equals, volume = (each.strip() for each in text.rpartition("="))
        depth, at, extents = volume.partition("@")
        parts = [depth, *extents.split("x")]
        right = at and len(parts) <= 4 and all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts)
        if not right or (equals and not name.isidentifier()) or not all(int(part) for part in parts):
            raise UsageError(f"--input takes a shape, such as 3@32x32, not `{text}`")
        if (name or "input") in found:
            raise UsageError(f"--input gives `{name or 'input'}` twice")
        found[name or "input"] = Shape(int(depth), tuple(map(int, parts[1:])))
    return found


def losses(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """`mse` for all outputs, or `box=smooth-l1` for one, by the output's name ("" for all)."""
    found = []
    for text in texts:
        name, _, loss = (each.strip() for each in text.rpartition("="))
        found.append((name, loss))
    return tuple(found)

"""The library: a spec's text or file in, a network that can be asked everything out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction

from convsize.answers.report import Report as Report
from convsize.errors import Diagnostic, Source, SpecError, stem_of
from convsize.geometry import Shape
from convsize.graph.build import build
from convsize.language.files import read
from convsize.language.parser import parse as parse_source
from convsize.language.tree import File, InputStmt
from convsize.network import Network as Network
from convsize.network import exact
from convsize.network import require_torch as require_torch


def load(
    path: str | os.PathLike[str],
    lets: Mapping[str, Fraction | int] | None = None,
    *,
    inputs: Mapping[str, Shape] | None = None,
) -> Network:
    """The network that a spec file says; it is named as the file is.

    lets overrides constants of the file, inputs the volumes of its inputs (the one without a name is called "input").
    What the file states of its volumes and figures is for its own inputs: at other ones inline volumes and `expect`
    lines are ignored, and the report's insights say so.

    Raises UsageError where the file cannot be read, SpecError where it is no spec or a wrong one.

    >>> import convsize
    >>> from convsize.geometry import Shape
    >>> convsize.load("specs/vgg_d.spec")
    <Network vgg_d: 3@224x224 -> 1000, 39 layers>
    >>> convsize.load("specs/resnet18.spec", inputs={"input": Shape(3, (96, 96))}).analyze().totals.macs
    333615104
    """
    return from_source(read(path), name=stem_of(os.fspath(path)), lets=lets, inputs=inputs)


def parse(
    text: str,
    name: str = "network",
    lets: Mapping[str, Fraction | int] | None = None,
    *,
    inputs: Mapping[str, Shape] | None = None,
) -> Network:
    """The network that a text says, as `load` has it. Raises SpecError where the text is wrong.

    >>> import convsize
    >>> convsize.parse("input: 3@32x32\\nlet d = 8\\nC3D{d} R GAP FC10", name="tiny", lets={"d": 16})
    <Network tiny: 3@32x32 -> 10, 4 layers>
    """
    return from_source(Source(text, f"<{name}>"), name=name, lets=lets, inputs=inputs)


def from_source(
    source: Source,
    *,
    name: str,
    lets: Mapping[str, Fraction | int] | None = None,
    inputs: Mapping[str, Shape] | None = None,
) -> Network:
    """The network that a source says; SpecError has every error of the text or, where that reads, of the network.

    `inputs` are the inputs of a spec that declares none, such as `CRCRP`.
    """
    file, found = _parsed(source)
    if inputs and not any(isinstance(stmt, InputStmt) for stmt in file.statements):
        # After the text, where they move no line and no column of it.
        lines = [f"input{'' if each == 'input' else f' {each}'}: {shape}" for each, shape in inputs.items()]
        source = Source("\n".join([source.text, *lines]) + "\n", source.name)
        file, found = _parsed(source)
    numbers = exact(lets)
    try:
        bare = build(file, numbers, name=name, inputs=inputs)
    except SpecError:
        from convsize.check.advice import advised

        raise SpecError(source, advised(file, numbers, inputs)) from None
    return Network.over(bare, found)


def _parsed(source: Source) -> tuple[File, tuple[Diagnostic, ...]]:
    """The tree with the parser's warnings. Raises SpecError with its errors."""
    file, found = parse_source(source)
    if any(each.severity == "error" for each in found):
        raise SpecError(source, found)
    return file, found

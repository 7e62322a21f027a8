"""What a process of its own does for an import: it captures a model, keeps it, and runs it beside its spec."""

from __future__ import annotations

import contextlib
import copy
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from torch import nn

from convsize import files
from convsize.errors import SpecError, UsageError
from convsize.geometry import Shape
from convsize.importing.calls import BATCH, encode
from convsize.importing.static import Table, read
from convsize.record import Record
from convsize.runtime.importing.capture import capture
from convsize.runtime.importing.models import build, input_of
from convsize.runtime.importing.prove import Proof, prove, shake
from convsize.runtime.transfer import read_weights
from convsize.words import listed

__all__ = ["Capture", "Prove", "Rename", "work"]

_OTHER = 32
"""By so many positions an axis the second input is larger: a multiple of the strides of nearly all networks."""


class Capture(Record):
    """To be captured: a model by name, for inputs of these depths and extents, or () for the published ones."""

    source: str
    inputs: tuple[tuple[int, ...], ...] = ()


class Prove(Record):
    """To be proved: that a text with its table of tensors is what was captured last."""

    text: str
    mapping: Table


class Rename(Record):
    """To be renamed: the tensors of a safetensors file that has the model's names, into another file."""

    weights: str
    target: str
    mapping: Table
    shapes: dict[str, tuple[int, ...]]
    """Of the spec's tensors, by name."""


_captured: list[nn.Module] = []


def work(asked: Capture | Prove | Rename) -> bytes | int | tuple[Proof, ...]:
    """The call list of a model, as JSON; what running it beside a spec shows, at one size and at another; or how many
    tensors were renamed.
    """
    if isinstance(asked, Rename):
        return renamed(asked)
    with _aside():
        if isinstance(asked, Capture):
            module = build(asked.source)
            inputs = asked.inputs or (input_of(asked.source, module),)
            _captured[:] = [module]
            return encode(capture(asked.source, module, *inputs))
        return proved(_captured[-1], asked.text, asked.mapping)


def proved(module: nn.Module, text: str, mapping: Table) -> tuple[Proof, ...]:
    """Runs a copy of a module beside a spec at the size of its input, and at a larger one where it takes that.

    First with more samples than it was captured with: what it makes of their number shows.
    """
    module = copy.deepcopy(module).eval()
    shake(module)
    network = read(text, "spec")
    first = prove(module, network, mapping, BATCH + 1)
    if not first.holds and prove(module, network, mapping).holds:
        return (first.replace(counts=True),)
    if not first.holds or not any(len(shape) > 1 for shape in first.inputs):
        return (first,)
    names = list(network.inputs)
    larger = {
        name: Shape(shape[0], tuple(extent + _OTHER for extent in shape[1:]))
        for name, shape in zip(names, first.inputs, strict=True)
    }
    try:
        other = read(text, "spec", larger)
    except SpecError as error:
        shapes = tuple(each.dims for each in larger.values())
        return first, Proof(shapes, float("nan"), spec=error.diagnostics[0].message)
    return first, prove(module, other, mapping)


def renamed(asked: Rename) -> int:
    """Writes a checkpoint of the model under the spec's names: axes are put in order and reshaped, no value changes.

    Raises UsageError where the file cannot be read or written, or lacks a tensor that the spec has.
    """
    from safetensors.torch import save

    found = read_weights(Path(asked.weights))
    missing = sorted({path for path, _ in asked.mapping.values()} - found.keys())
    if missing:
        raise UsageError(f"`{asked.weights}` has no {listed(missing, most=5)}")
    made = {}
    for name, (path, order) in asked.mapping.items():
        value = found[path].permute(order) if order else found[path]
        if value.numel() != math.prod(asked.shapes[name]):
            raise UsageError(f"`{asked.weights}` has another shape of {path}: {tuple(found[path].shape)}")
        made[name] = value.reshape(asked.shapes[name]).contiguous()
    files.write(asked.target, save(made))
    return len(made)


@contextlib.contextmanager
def _aside() -> Iterator[None]:
    """What libraries print meanwhile goes nowhere: the command's own output is the spec."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):  # noqa: PTH123
        yield
    sys.stdout.flush()

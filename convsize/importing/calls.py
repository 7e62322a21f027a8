"""The call list: what a model computes, call by call, whatever tool it was made with.

Every source, a PyTorch module or a graph in a file, is first written down in this form; all that follows reads it
alone. A call list says the tensors that a model has, and its calls in the order in which they run:

* Ops and their arguments are called as ATen calls them, without the overload: `conv2d(input, weight, bias, stride,
  padding, dilation, groups)`, `batch_norm(…, eps)`, `view(self, size)`. An underscore at the end changes in place.
  Arguments that have their default value may be left out.
* Shapes are PyTorch's: batch, depth, positions. The batch is `BATCH`, so that its axis can be told from others.
* Parameters and buffers have the names of the model's state_dict. Small buffers and constants hold their values.
* The scope of a call is the modules that it stands in, outermost first, where that is known.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Literal

import msgspec

from convsize.errors import UsageError
from convsize.record import Record

__all__ = ["BATCH", "Argument", "Call", "CallList", "Output", "Ref", "Scope", "Tensor", "decode", "encode"]

BATCH = 2
"""Samples that a model is captured with. Of one sample the batch axis could not be told from an axis of length 1."""

VERSION = 1


class Ref(Record):
    """The value of a name, as an argument."""

    ref: str


Atom = None | bool | int | float | str | Ref
Argument = Atom | tuple[Atom | tuple[Atom, ...], ...]


class Tensor(Record):
    """A tensor that a model has or is given.

    name: how calls refer to it. path: its name in the state_dict; one that is registered twice has the first name,
    and is one tensor. data: its values, row by row, of small buffers and constants; infinities are strings.
    """

    name: str
    kind: Literal["input", "param", "buffer", "const"]
    shape: tuple[int, ...]
    path: str = ""
    dtype: str = "float32"
    data: tuple[float | str, ...] | None = None

    @property
    def size(self) -> int:
        """How many values it holds."""
        return math.prod(self.shape)

    @property
    def numbers(self) -> tuple[float, ...]:
        """Its values as numbers; () where they are not kept."""
        return tuple(map(float, self.data or ()))


class Scope(Record):
    """A module around a call: its path, its class, and which call of that module it is, from 0."""

    path: str
    kind: str
    number: int = 0


class Result(Record):
    """A tensor that a call gives."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"


class Call(Record):
    """One call. An op with several results, such as `chunk`, names all of them."""

    op: str
    arguments: dict[str, Argument]
    results: tuple[Result, ...]
    scope: tuple[Scope, ...] = ()

    @property
    def name(self) -> str:
        """The name of its first result."""
        return self.results[0].name

    def references(self) -> Iterator[str]:
        """The names of the tensors among its arguments, in their order."""
        for argument in self.arguments.values():
            yield from _references(argument)


class Output(Record):
    """A tensor that the model returns, under a label: its key, its place (`0`, `aux.1`), or "" where it is alone."""

    label: str
    name: str


class CallList(Record):
    """What a model computes.

    source: what was captured, `torchvision:resnet50`. tensors: inputs, parameters (all of them, those too that no
    call reads), buffers and constants. notes: what the source has to say to the user, as whole sentences.
    """

    source: str
    tensors: tuple[Tensor, ...]
    calls: tuple[Call, ...]
    outputs: tuple[Output, ...]
    notes: tuple[str, ...] = ()
    version: int = VERSION

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The tensors that the model is given, in their order."""
        return tuple(each for each in self.tensors if each.kind == "input")

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The parameters, in their order."""
        return tuple(each for each in self.tensors if each.kind == "param")


def encode(calls: CallList) -> bytes:
    """The call list as compressed JSON, the same bytes for the same list."""
    return zlib.compress(msgspec.json.encode(calls), 9)


def decode(data: bytes, name: str = "call list") -> CallList:
    """The call list of JSON, compressed or plain. Raises UsageError where it is none, or refers to what it has not."""
    try:
        text = data if data[:1] == b"{" else zlib.decompress(data)
        found = msgspec.json.decode(text, type=CallList)
    except (zlib.error, msgspec.DecodeError) as error:
        raise UsageError(f"`{name}` is no call list: {error}") from None
    if found.version != VERSION:
        raise UsageError(f"`{name}` is a call list of version {found.version}, not {VERSION}")
    known = {each.name for each in found.tensors}
    for call in found.calls:
        if not call.results:
            raise UsageError(f"`{name}` has a call of `{call.op}` without a result")
        for reference in call.references():
            if reference not in known:
                raise UsageError(f"`{name}` refers to `{reference}` before it is there")
        known.update(result.name for result in call.results)
    if missing := [each.name for each in found.outputs if each.name not in known]:
        raise UsageError(f"`{name}` gives `{missing[0]}`, which it does not have")
    return found


def _references(argument: Argument) -> Iterator[str]:
    if isinstance(argument, Ref):
        yield argument.ref
    elif isinstance(argument, tuple):
        for each in argument:
            yield from _references(each)

"""Models: layers and which values they are called with, from whatever wrote them down."""

from __future__ import annotations

from typing import Any

from convsize.record import Record

__all__ = ["From", "Layer", "Model"]


class From(Record):
    """A value: one of the tensors that a call of a layer gives. shape: what the file says of it, where it does."""

    layer: str
    call: int = 0
    tensor: int = 0
    shape: tuple[int | None, ...] | None = None


class Layer(Record):
    """A layer, or a whole model as one.

    kind: its class; operations on tensors are called `ops.Add`. arguments: by name; positional those of code alone.
    calls: the positional and the named arguments of each of its calls, tensors as From. line: of code, else 0.
    """

    name: str
    kind: str
    arguments: dict[str, Any]
    calls: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...]
    positional: tuple[Any, ...] = ()
    inner: Model | None = None
    line: int = 0


class Model(Record):
    """A model. Of a chain each layer is called with what the one before gives, and its layers have no calls.

    inputs: names of input layers, in their order. keras3: whether Keras 3 wrote it; None where it is not said.
    """

    name: str
    kind: str
    layers: tuple[Layer, ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[tuple[str, From], ...] = ()
    chain: bool = False
    keras3: bool | None = None

"""Graphs of Keras layers as call lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from convsize.errors import UsageError
from convsize.importing.calls import BATCH, CallList
from convsize.importing.keras.layers.called import Called, Orders
from convsize.importing.keras.layers.table import CLASSES
from convsize.importing.keras.model import From, Layer, Model
from convsize.importing.keras.values import Value
from convsize.importing.signatures import bound
from convsize.importing.writer import CallError, Writer
from convsize.words import plural

__all__ = ["called_in_order"]

_IGNORED = re.compile(
    r"name|trainable|dtype|seed|noise_shape|synchronized|autocast|lora_alpha|implementation|batch_input_shape|"
    r"input_shape|input_dim|batch_size|supports_masking|renorm_\w+|(\w+_)?(initializer|regularizer|constraint)"
)
"""Arguments that change neither shapes nor what is computed in evaluation."""

_PLAIN_TYPES = (None, "float32", "floatx")


def called_in_order(source: str, model: Model, shape: tuple[int, ...] | None) -> tuple[CallList, Orders]:
    """The calls of a model, and how its weights are ordered; `shape`, depth first, is the input's where it is given.

    Raises UsageError that names every layer of an unknown class, and else the first that does not fit.
    """
    problems = list(_obstacles(model))
    if problems:
        raise _refused(source, problems)
    walk = _Walk(source, model)
    return walk.written(shape), walk.orders


def _refused(source: str, problems: list[str]) -> UsageError:
    if len(problems) == 1:
        return UsageError(f"`{source}`: {problems[0]}")
    shown = problems[:20] + ([f"and {len(problems) - 20} more"] if len(problems) > 20 else [])
    return UsageError(
        "\n  ".join([f"`{source}` has {plural(len(problems), 'kind')} of layers that cannot be read", *shown])
    )


def _obstacles(model: Model) -> Iterator[str]:
    """The classes that are not known, the most frequent first, with the first layer of each."""
    found: dict[str, list[Layer]] = {}
    open_ = [model]
    while open_:
        for layer in open_.pop().layers:
            if layer.inner is not None:
                open_.append(layer.inner)
            elif layer.kind not in CLASSES and layer.kind != "InputLayer":
                found.setdefault(layer.kind, []).append(layer)
    for kind, layers in sorted(found.items(), key=lambda item: -len(item[1])):
        first = layers[0]
        where = f"line {first.line}" if first.line else f"`{first.name}`"
        times = "" if len(layers) == 1 else f"{len(layers)} times, first "
        yield f"{kind} ({times}{where}): {_meaning(kind)}"


def _meaning(kind: str) -> str:
    if kind == "Lambda":
        return "it holds code, which is not run"
    if "Attention" in kind:
        return "attention of Keras is not read yet"
    if kind.startswith("ops.") or kind == "TFOpLambda":
        return "this operation on tensors is not known"
    return "what this class computes is not known"


class _Walk:
    """Calls layers, each when all that it takes is there."""

    def __init__(self, source: str, model: Model) -> None:
        self.writer = Writer(source)
        self.model = model
        self.orders: Orders = {}

    def written(self, shape: tuple[int, ...] | None) -> CallList:
        """The whole list."""
        inputs = _inputs(self.model)
        if not inputs:
            raise UsageError(f"`{self.writer.source}` does not say its input: start it with an Input layer")
        if shape is not None and len(inputs) > 1:
            raise UsageError(f"`{self.writer.source}` has {plural(len(inputs), 'input')}, and one size is given")
        first = _channels_first(self.model)
        given = {}
        for layer in inputs:
            try:
                sizes = self._sizes(layer, shape, first)
            except CallError as problem:
                raise self._stopped(layer, str(problem)) from None
            wire = self.writer.input(layer.name, sizes)
            given[layer.name] = Value(self.writer, keras=wire) if first else Value(self.writer, volume=wire)
        with self.writer.inside("", self.model.kind):
            outputs = self._run(self.model, given, "")
        if not self.writer.calls:
            raise UsageError(f"`{self.writer.source}` has no layers")
        if not first:
            self.writer.notes.append("Keras has the depth last; here it stands first, in weights as in volumes.")
        wires = [(label, each.keras if first or not each.stands_first else each.volume) for label, each in outputs]
        return self.writer.written(wires)

    def _sizes(self, layer: Layer, shape: tuple[int, ...] | None, first: bool) -> tuple[int, ...]:
        """An input's shape with the batch, depth first; what the model leaves open is taken from the size given."""
        own = _input_shape(layer)
        if not first:
            own = (own[-1], *own[:-1]) if own else own
        if shape is None:
            if any(each is None for each in own):
                raise CallError("its input leaves sizes open: give them by --input 3@224x224")
            return (BATCH, *(each for each in own if each is not None))
        if len(own) != len(shape) or any(a is not None and a != b for a, b in zip(own, shape, strict=True)):
            said = "@".join(["x".join(map(str, own[:1])), "x".join("?" if n is None else str(n) for n in own[1:])])
            raise CallError(f"its input is {said.replace('None', '?')}, and another is given")
        return (BATCH, *shape)

    def _run(self, model: Model, given: dict[str, Value], prefix: str) -> list[tuple[str, Value]]:
        if model.chain:
            return [("", self._chain(model, given, prefix))]
        return self._graph(model, given, prefix)

    def _chain(self, model: Model, given: dict[str, Value], prefix: str) -> Value:
        (value,) = given.values()
        for layer in model.layers:
            if layer.kind != "InputLayer":
                value = self._one(model, layer, (value,), {}, prefix)[0]
        return value

    def _graph(self, model: Model, given: dict[str, Value], prefix: str) -> list[tuple[str, Value]]:
        """Calls in the order of the layers, those that wait for others when they are there."""
        known: dict[tuple[str, int, int], Value] = {(name, 0, 0): value for name, value in given.items()}
        waiting: dict[tuple[str, int], list[tuple[Layer, int]]] = {}
        missing: dict[tuple[str, int], int] = {}
        ready: list[tuple[Layer, int]] = []
        names = {layer.name: len(layer.calls) for layer in model.layers}
        for layer in model.layers:
            if layer.name in given:
                continue
            for at, (operands, named) in enumerate(layer.calls):
                needs = {(each.layer, each.call) for each in _tensors([*operands, *named.values()])}
                for name, call in needs:
                    if name not in given and (name not in names or call >= names[name]):
                        raise self._stopped(layer, f"it takes call {call} of `{name[:60]}`, which is not there")
                open_ = {each for each in needs if each[0] not in given}
                missing[layer.name, at] = len(open_)
                for key in open_:
                    waiting.setdefault(key, []).append((layer, at))
                if not open_:
                    ready.append((layer, at))
        ready.reverse()
        done = 0
        while ready:
            layer, at = ready.pop()
            done += 1
            operands, named = layer.calls[at]
            try:
                found = self._one(
                    model, layer, self._filled(operands, known), _filled_names(named, self, known), prefix
                )
            except CallError as problem:
                raise self._stopped(layer, str(problem)) from None
            for tensor, value in enumerate(found):
                known[layer.name, at, tensor] = value
            for waiter, number in reversed(waiting.pop((layer.name, at), [])):
                missing[waiter.name, number] -= 1
                if not missing[waiter.name, number]:
                    ready.append((waiter, number))
        if done < len(missing):
            raise UsageError(f"`{self.writer.source}`: layers of `{model.name[:60]}` wait for each other in a circle")
        return [(label, self._filled((each,), known)[0]) for label, each in model.outputs]

    def _filled(self, operands: tuple[Any, ...], known: dict[tuple[str, int, int], Value]) -> tuple[Any, ...]:
        """The arguments of a call with the values of its tensors."""
        found: list[Any] = []
        for each in operands:
            if isinstance(each, From):
                value = known.get((each.layer, each.call, each.tensor))
                if value is None:
                    raise UsageError(f"`{self.writer.source}`: there is no tensor {each.tensor} of `{each.layer[:60]}`")
                _agrees(each, value)
                found.append(value)
            elif isinstance(each, tuple):
                found.append(self._filled(each, known))
            else:
                found.append(each)
        return tuple(found)

    def _one(
        self, model: Model, layer: Layer, operands: tuple[Any, ...], named: dict[str, Any], prefix: str
    ) -> list[Value]:
        path = f"{prefix}{layer.name}"
        with self.writer.inside(path, layer.kind.rpartition(".")[2].rpartition(">")[2]):
            if layer.inner is not None:
                return self._nested(layer, layer.inner, operands, f"{path}/")
            signature, write = CLASSES[layer.kind]
            try:
                _float32(layer)
                keep = {key: each for key, each in layer.arguments.items() if not _ignored(key, each, signature)}
                given = bound(signature, layer.positional, keep)
                if not layer.kind.startswith("ops."):
                    more = [key for key, each in named.items() if each not in (None, False) and key != "mask"]
                    if more or any(isinstance(each, Value) for each in named.values()):
                        raise CallError(f"it is called with {', '.join(named)}, which cannot be read")
                return [write(Called(self.writer, path, given, operands, named, model.keras3, self.orders))]
            except CallError as problem:
                raise self._stopped(layer, str(problem)) from None

    def _nested(self, layer: Layer, inner: Model, operands: tuple[Any, ...], prefix: str) -> list[Value]:
        several = operands[0] if len(operands) == 1 and isinstance(operands[0], tuple) else operands
        inputs = _inputs(inner)
        if inner.chain and not inputs and len(several) == 1:
            return [each for _, each in self._run(inner, {"": several[0]}, prefix)]
        if len(inputs) != len(several) or not all(isinstance(each, Value) for each in several):
            raise self._stopped(layer, f"it has {plural(len(inputs), 'input')}, and is called with {len(several)}")
        given = {each.name: value for each, value in zip(inputs, several, strict=True)}
        return [each for _, each in self._run(inner, given, prefix)]

    def _stopped(self, layer: Layer, problem: str) -> UsageError:
        where = f"line {layer.line}" if layer.line else f"`{layer.name[:60]}`"
        return UsageError(f"`{self.writer.source}`, {where}, {layer.kind[:60]}: {problem}")


def _filled_names(named: dict[str, Any], walk: _Walk, known: dict[tuple[str, int, int], Value]) -> dict[str, Any]:
    return {name: walk._filled((each,), known)[0] for name, each in named.items()}


def _tensors(values: list[Any]) -> Iterator[From]:
    for each in values:
        if isinstance(each, From):
            yield each
        elif isinstance(each, tuple):
            yield from _tensors(list(each))


def _inputs(model: Model) -> list[Layer]:
    """The input layers of a model, in the order of its inputs."""
    layers = {each.name: each for each in model.layers}
    if model.chain:
        first = model.layers[0]
        if first.kind == "InputLayer" or {"batch_input_shape", "input_shape", "input_dim"} & first.arguments.keys():
            return [first]
        return _inputs(first.inner) if first.inner is not None else []
    return [layers[name] for name in model.inputs if name in layers]


def _input_shape(layer: Layer) -> tuple[int | None, ...]:
    """The shape that an input layer states, as Keras has it, without the batch."""
    arguments = layer.arguments
    found = arguments.get("batch_shape", arguments.get("batch_input_shape"))
    if found is None:
        found = arguments.get("shape", arguments.get("input_shape"))
        found = [arguments["input_dim"]] if found is None and "input_dim" in arguments else found
        found = found if found is None or isinstance(found, int) else [None, *found]
        found = [None, found] if isinstance(found, int) else found
    if not isinstance(found, list | tuple) or len(found) < 2:
        raise CallError("its input does not say a shape")
    sizes = tuple(found)[1:]
    if any(each is not None and (isinstance(each, bool) or not isinstance(each, int) or each < 1) for each in sizes):
        raise CallError(f"its input says the shape {list(sizes)!r}")
    return sizes


def _channels_first(model: Model) -> bool:
    """Whether the layers say that maps stand first; an input then does, too."""
    for layer in model.layers:
        if layer.arguments.get("data_format") == "channels_first" or (layer.inner and _channels_first(layer.inner)):
            return True
    return False


def _ignored(key: str, value: Any, signature: str) -> bool:
    """Whether an argument changes nothing: by its name, or as it is None and not known."""
    known = re.search(rf"\b{re.escape(key)}\b", signature)
    return not known and (value is None or _IGNORED.fullmatch(key) is not None)


def _float32(layer: Layer) -> None:
    dtype = layer.arguments.get("dtype")
    if isinstance(dtype, dict):
        config = dtype.get("config")
        dtype = config.get("name") if isinstance(config, dict) else dtype.get("class_name")
    if dtype not in _PLAIN_TYPES:
        raise CallError(f"it computes in {dtype!r}, not in float32")


def _agrees(said: From, value: Value) -> None:
    """What the file says of a tensor's shape is what it is."""
    if said.shape is None or len(said.shape) == 0:
        return
    sizes = said.shape[1:]
    if len(sizes) != len(value.shape) - 1 or any(
        each is not None and each != length for each, length in zip(sizes, value.shape[1:], strict=False)
    ):
        shown = "x".join(map(str, value.shape[1:]))
        raise CallError(f"the file says that `{said.layer[:60]}` gives {list(sizes)}, and it gives {shown}")

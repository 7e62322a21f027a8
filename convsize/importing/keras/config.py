"""Configurations of Keras 2 and 3, as models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convsize.importing.keras.model import From, Layer, Model
from convsize.importing.writer import CallError

__all__ = ["model_of"]

_DEEPEST = 20

_OWN = ("keras", "tensorflow.keras", "tf_keras")
"""Where Keras's own classes come from; a class of the same name from elsewhere is another."""

MODELS = ("Sequential", "Functional", "Model")


def model_of(config: Any, version: str = "", depth: int = 0) -> Model:
    """The model of a configuration. Raises CallError where it is none, with what is wrong."""
    outer = _record(config, "a model")
    kind, inner = outer.get("class_name"), outer.get("config")
    if kind not in MODELS:
        told = "" if not isinstance(kind, str) else f": `{kind[:60]}` is computed by code of its own, which is not run"
        raise CallError(f"it is no Sequential or Functional model{told}")
    if depth > _DEEPEST:
        raise CallError(f"models stand in one another more than {_DEEPEST} deep")
    version = version or str(outer.get("keras_version") or "")
    if isinstance(inner, list):  # a Sequential of Keras before 2.2.3
        inner = {"layers": inner, "name": "sequential"}
    body = _record(inner, "a model's configuration")
    listed = body.get("layers")
    if not isinstance(listed, list) or not listed:
        raise CallError("the model has no layers")
    keras3 = not version.startswith(("1.", "2.")) if version else (_of_keras_3(listed) or None)
    layers = tuple(_layer(each, version, depth) for each in listed)
    name = str(body.get("name", kind))
    if len({each.name for each in layers}) < len(layers):
        raise CallError("two of its layers have one name")
    if kind == "Sequential":
        shape = body.get("batch_input_shape", body.get("build_input_shape"))
        if shape is not None and layers[0].kind != "InputLayer" and "batch_input_shape" not in layers[0].arguments:
            layers = (Layer("input", "InputLayer", {"batch_shape": shape}, ()), *layers)
        return Model(name, kind, layers, chain=True, keras3=keras3)
    inputs = tuple(each.layer for _, each in _ends(body.get("input_layers")))
    return Model(name, kind, layers, inputs, tuple(_ends(body.get("output_layers"))), keras3=keras3)


def _of_keras_3(layers: list[Any]) -> bool:
    """Whether layers are written as Keras 3 alone does. The latest of Keras 2 name modules as well."""
    for each in layers:
        config = each.get("config") if isinstance(each, dict) else None
        dtype = config.get("dtype") if isinstance(config, dict) else None
        if isinstance(dtype, dict) and dtype.get("class_name") == "DTypePolicy":
            return True
        nodes = each.get("inbound_nodes") if isinstance(each, dict) else None
        if isinstance(nodes, list) and any(isinstance(node, dict) for node in nodes):
            return True
    return False


def _layer(config: Any, version: str, depth: int) -> Layer:
    found = _record(config, "a layer")
    kind, arguments = found.get("class_name"), found.get("config")
    if not isinstance(kind, str):
        raise CallError("a layer has no class")
    calls = tuple(_calls(found.get("inbound_nodes") or []))
    own = arguments if isinstance(arguments, dict) else {}
    name = str(found.get("name") or own.get("name") or kind)
    if kind in MODELS:
        return Layer(name, kind, {}, calls, inner=model_of(found, version, depth + 1))
    module = found.get("module")
    if isinstance(module, str) and module:
        if module.startswith(("keras.src.ops", "keras.ops")):
            kind = f"ops.{kind}"
        elif module.split(".")[0] not in _OWN and not module.startswith("tensorflow.keras"):
            kind = f"{module}.{kind}"
    elif isinstance(found.get("registered_name"), str) and ">" in found["registered_name"]:
        kind = found["registered_name"]
    return Layer(name, kind, _record(arguments, f"the configuration of `{name}`"), calls)


def _calls(nodes: Any) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """What each call of a layer is given."""
    if not isinstance(nodes, list):
        raise CallError("the calls of a layer are no list")
    for node in nodes:
        if isinstance(node, dict):  # Keras 3
            args, kwargs = node.get("args", []), node.get("kwargs", {})
            if not isinstance(args, list) or not isinstance(kwargs, dict):
                raise CallError("the arguments of a call are no list")
            yield tuple(map(_given, args)), {str(name): _given(each) for name, each in kwargs.items()}
        elif isinstance(node, list):  # Keras 2
            yield _old_call(node)
        else:
            raise CallError("a call of a layer is neither a list nor a record")


def _old_call(node: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    pairs = [node] if node and isinstance(node[0], str) else node
    tensors: list[From] = []
    named: dict[str, Any] = {}
    for each in pairs:
        if not isinstance(each, list) or len(each) not in (3, 4):
            raise CallError("a call of a layer cannot be read")
        tensors.append(_from(each[:3]))
        more = each[3] if len(each) == 4 and each[3] else {}
        named.update({str(name): _old_value(value) for name, value in _record(more, "the arguments of a call").items()})
    return ((tensors[0],) if len(tensors) == 1 else (tuple(tensors),)), named


def _old_value(value: Any) -> Any:
    """A named argument of Keras 2; a tensor is written as its layer, call and place."""
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return _from(value)
    return _given(value)


def _given(value: Any) -> Any:
    """An argument of a call: tensors as From, lists as tuples, the rest as it is."""
    if isinstance(value, list):
        return tuple(map(_given, value))
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            config = _record(value.get("config"), "a tensor")
            shape = config.get("shape")
            sizes = tuple(shape) if isinstance(shape, list) else None
            return _from(config.get("keras_history")).replace(shape=sizes)
        return {str(name): _given(each) for name, each in value.items()}
    return value


def _from(value: Any) -> From:
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], str):
        raise CallError("a tensor does not say which layer it comes from")
    if any(isinstance(each, bool) or not isinstance(each, int) or each < 0 for each in value[1:]):
        raise CallError("a tensor does not say which call it comes from")
    return From(*value)


def _ends(value: Any) -> Iterator[tuple[str, From]]:
    """Inputs or outputs with their labels: one, a list, or a dictionary of such."""
    if isinstance(value, list) and value and isinstance(value[0], str):
        yield "", _from(value)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield str(name), _from(each)
    elif isinstance(value, list) and value:
        for at, each in enumerate(value):
            yield ("" if len(value) == 1 else str(at)), _from(each)
    else:
        raise CallError("the model does not say what goes in and what comes out")


def _record(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CallError(f"{what} must be a record, and is not")
    return value

"""What ONNX itself says of its operators: their attributes, and which inputs are of one type."""

from __future__ import annotations

from typing import Any

from convsize.importing.onnx.fixed import Fixed
from convsize.importing.onnx.node import Node
from convsize.importing.onnx.raw import Raw
from convsize.importing.writer import CallError, Wire

__all__ = ["attributes_checked", "types_checked"]


def _schema(kind: str, opset: int) -> Any:
    """ONNX's description of an operator of this version; None where it has none."""
    from onnx import defs

    try:
        return defs.get_schema(kind, opset)
    except defs.SchemaError:
        return None


def attributes_checked(raw: Raw, opset: int) -> None:
    """Raises CallError where an attribute of a node is not of its type, or is none that the operator has."""
    from onnx import AttributeProto

    schema = _schema(raw.kind, opset)
    for name, attribute in raw.attributes.items():
        if attribute.ref_attr_name:
            raise CallError(f"its `{name[:60]}` is that of a function")
        if schema is None:
            continue
        known = schema.attributes.get(name)
        if known is None:
            raise CallError(f"in version {opset} it has no attribute `{name[:60]}`")
        if attribute.type != int(known.type.value):
            said, wanted = map(AttributeProto.AttributeType.Name, (attribute.type, int(known.type.value)))
            raise CallError(f"its `{name[:60]}` is of type {said}, and must be of {wanted}")


def types_checked(node: Node) -> None:
    """Raises CallError where a fixed input is of another type than the computed ones that it must be like.

    All computed values are of float32.
    """
    schema = _schema(node.kind, node.opset)
    if schema is None or not schema.inputs:
        return
    formal = [schema.inputs[min(at, len(schema.inputs) - 1)] for at in range(len(node.inputs))]
    computed = {each.type_str for each, given in zip(formal, node.inputs, strict=True) if isinstance(given, Wire)}
    for each, given in zip(formal, node.inputs, strict=True):
        if not isinstance(given, Fixed):
            continue
        kind = f"tensor({_TYPES.get(str(given.array.dtype), given.array.dtype)})"
        if each.type_str in computed and kind != "tensor(float)":
            raise CallError(f"its `{each.name}` is a {kind}, and what it is computed with is of float32")
        if each.types and kind not in each.types:
            raise CallError(f"its `{each.name}` is a {kind}, which it does not take")


_TYPES = {"float32": "float", "float64": "double"}

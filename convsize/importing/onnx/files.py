"""Files of ONNX: the graph in them, and the tensors that it holds, each checked before it is read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convsize.errors import UsageError
from convsize.importing.onnx.fixed import Fixed, text
from convsize.words import plural

__all__ = ["constant", "initializers", "parsed"]

_LARGEST_FILE = 2**31
"""Bytes. A message of protobuf is never larger; what is, keeps its tensors in files beside it."""

_OLDEST_OPSET = 9

_MOST_VALUES = 2**56
"""Values that an array can be counted to have: of one with none, what it would have where every 0 is a 1."""

_WIDTHS = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}
"""Bytes of a value by ONNX's numbers of types: float, uint8, int8, …; texts and complex numbers are not among them."""

_FIELDS = {1: "float_data", 7: "int64_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}
"""Where values stand that are not raw; all others stand among the int32_data."""


def parsed(data: bytes, source: str) -> tuple[Any, int]:
    """The graph and the version of its operators. Raises UsageError where the bytes are no ONNX model."""
    if len(data) > _LARGEST_FILE:
        raise UsageError(f"`{source}` is larger than an ONNX file can be: {_LARGEST_FILE:,} bytes")
    try:
        from onnx import ModelProto, defs
    except ImportError:
        raise UsageError(f"reading `{source}` needs onnx: pip install onnx") from None
    model: Any = ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # protobuf's own class, wherever it lives in this version
        raise UsageError(f"`{source}` is no whole ONNX model: {str(error).splitlines()[0]}") from None
    if not model.HasField("graph") or not model.graph.node:
        raise UsageError(f"`{source}` holds no graph: it is no ONNX model, or an empty one")
    versions = sorted({each.version for each in model.opset_import if each.domain in ("", "ai.onnx")})
    if not versions:
        raise UsageError(f"`{source}` does not say which version of ONNX's operators it uses")
    if versions[0] < _OLDEST_OPSET:
        raise UsageError(
            f"`{source}` uses operators of version {versions[0]}: from {_OLDEST_OPSET} on they can be read"
        )
    newest = int(defs.onnx_opset_version())
    if len(versions) > 1 or versions[-1] > newest:
        said = " and ".join(map(str, versions[:5]))
        raise UsageError(f"`{source}` uses operators of version {said}: one version up to {newest} can be read")
    return model.graph, int(versions[0])


def initializers(graph: Any, folder: Path | None, source: str) -> Iterator[Fixed]:
    """The tensors that the graph holds. Raises UsageError where one is not what it says."""
    if graph.sparse_initializer:
        raise UsageError(f"`{source}` holds sparse tensors, which cannot be read")
    for tensor in graph.initializer:
        yield constant(tensor, folder, source, learned=True)


def constant(tensor: Any, folder: Path | None, source: str, name: str = "", learned: bool = False) -> Fixed:
    """A tensor of a file, its bytes counted first, or looked for in the file beside it that it names."""
    import numpy
    from onnx import TensorProto, helper, numpy_helper

    name = name or text(tensor.name)
    shape = tuple(int(each) for each in tensor.dims)
    count = math.prod(shape)
    most = math.prod(max(each, 1) for each in shape)
    if any(each < 0 for each in shape) or most > _MOST_VALUES or tensor.data_type not in _WIDTHS:
        raise UsageError(f"`{source}`: the tensor `{name[:60]}` has a shape or type that cannot be read")
    expected = count * _WIDTHS[tensor.data_type]
    if tensor.data_location == TensorProto.EXTERNAL:
        kind = numpy.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
        path, offset = _beside(tensor, name, expected, folder, source)
        if not count:
            return Fixed(name, numpy.zeros(shape, kind), learned)
        return Fixed(name, numpy.memmap(path, dtype=kind, mode="r", offset=offset, shape=shape), learned)
    held = len(tensor.raw_data) if tensor.raw_data else None
    if held is None:
        held = len(getattr(tensor, _FIELDS.get(tensor.data_type, "int32_data"))) * _WIDTHS[tensor.data_type]
    if held != expected:
        said = "x".join(map(str, shape)) or "one value"
        counts = f"holds {plural(held, 'byte')}, not {expected:,}"
        raise UsageError(f"`{source}`: the tensor `{name[:60]}` says that it is {said}, and {counts}")
    return Fixed(name, numpy_helper.to_array(tensor), learned)


def _beside(tensor: Any, name: str, expected: int, folder: Path | None, source: str) -> tuple[Path, int]:
    """The file that holds a tensor, and where in it. It lies in the model's folder, and is as long as it must be."""
    said = {text(each.key): text(each.value) for each in tensor.external_data}
    location = said.get("location", "")
    if folder is None:
        raise UsageError(f"`{source}` keeps its tensors in `{location[:60]}` beside it: give the path of the file")
    home = folder.resolve()
    try:
        path = (home / location).resolve()
    except (ValueError, OSError, RuntimeError) as error:  # a null byte, or links in a circle
        raise UsageError(f"`{source}` names {location[:60]!r} for its tensors, which is no file: {error}") from None
    if not location or not path.is_relative_to(home):
        raise UsageError(f"`{source}` keeps tensors outside of its folder: `{location[:60]}`")
    try:
        offset, length = int(said.get("offset", 0)), int(said.get("length", expected))
        size = path.stat().st_size if path.is_file() else -1
    except (ValueError, OSError):
        offset, length, size = 0, -1, -1
    if size < 0:
        raise UsageError(f"`{source}` names `{location[:60]}` for its tensors, and there is no such file beside it")
    if offset < 0 or length != expected or offset + length > size:
        raise UsageError(f"`{source}`: `{location[:60]}` does not hold the {plural(expected, 'byte')} of `{name[:60]}`")
    return path, offset

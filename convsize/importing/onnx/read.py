"""ONNX models as call lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from convsize.importing.calls import CallList
from convsize.importing.onnx.files import parsed
from convsize.importing.onnx.graph import Walk
from convsize.record import Record

__all__ = ["OnnxModel", "read_onnx"]


class OnnxModel(Record):
    """The calls of a model, and the arrays of its weights by their paths, with their axes as PyTorch has them."""

    calls: CallList
    arrays: dict[str, Any]


def read_onnx(data: bytes, source: str, shape: tuple[int, ...] | None = None, folder: Path | None = None) -> OnnxModel:
    """The calls of an ONNX model; the package onnx is needed, and nothing is run.

    `shape`, depth first and without the batch, says what the file leaves open. `folder` is where tensors lie that the
    file keeps outside; others are refused. Raises UsageError where the bytes are no model, or a node cannot be read.
    """
    graph, opset = parsed(data, source)
    walk = Walk(graph, opset, source, folder)
    return OnnxModel(walk.written(shape), walk.holder.arrays)

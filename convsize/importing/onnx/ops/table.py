"""The operators that can be read, each with what writes its call down."""

from __future__ import annotations

from collections.abc import Callable

from convsize.importing.onnx.node import Node
from convsize.importing.onnx.ops.plain import PLAIN
from convsize.importing.onnx.ops.views import VIEWS
from convsize.importing.onnx.ops.weighted import WEIGHTED
from convsize.importing.onnx.ops.windows import WINDOWS
from convsize.importing.writer import Wire

__all__ = ["OPERATORS"]

OPERATORS: dict[str, Callable[[Node], Wire]] = {**WEIGHTED, **WINDOWS, **PLAIN, **VIEWS}

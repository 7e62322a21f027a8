"""Nodes as the file has them, before their inputs are known."""

from __future__ import annotations

import ast
from typing import Any

from convsize.importing.calls import Scope
from convsize.importing.onnx.fixed import text

__all__ = ["Raw", "raw_nodes"]


class Raw:
    """A node of the file, or one that stands for several. inputs and outputs: names, "" for one that is left out."""

    __slots__ = ("attributes", "inputs", "kind", "name", "outputs", "scope")

    def __init__(
        self,
        kind: str,
        attributes: dict[str, Any],
        inputs: list[str],
        outputs: list[str],
        name: str = "",
        scope: tuple[Scope, ...] = (),
    ) -> None:
        self.kind = kind
        self.attributes = attributes
        self.inputs = inputs
        self.outputs = outputs
        self.name = name
        self.scope = scope

    def said(self, name: str, default: int) -> int:
        """A whole number among the attributes."""
        found = self.attributes.get(name)
        return default if found is None else int(found.i)


def raw_nodes(graph: Any) -> list[Raw]:
    """The nodes in their order; one of a foreign set of operators has its domain in its kind."""
    found = []
    for node in graph.node:
        domain, kind = text(node.domain), text(node.op_type)
        kind = kind if domain in ("", "ai.onnx") else f"{domain}::{kind}"
        outputs = list(map(text, node.output))
        while outputs and not outputs[-1]:
            outputs.pop()
        attributes = {text(each.name): each for each in node.attribute}
        found.append(Raw(kind, attributes, list(map(text, node.input)), outputs, text(node.name), _scope(node)))
    return found


def _scope(node: Any) -> tuple[Scope, ...]:
    """The modules around a node, as either exporter of PyTorch notes them; () where they are not known."""
    said = {text(each.key): text(each.value) for each in node.metadata_props}
    if "pkg.torch.onnx.name_scopes" in said:
        try:
            paths = ast.literal_eval(said["pkg.torch.onnx.name_scopes"])
            kinds = ast.literal_eval(said.get("pkg.torch.onnx.class_hierarchy", "[]"))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return ()
        if isinstance(paths, list) and isinstance(kinds, list) and len(paths) == len(kinds):
            pairs = list(zip(map(str, paths), map(str, kinds), strict=True))[:-1]
            return tuple(Scope(path, kind.rpartition(".")[2]) for path, kind in pairs)
        return ()
    name = text(node.name)
    parts = name.split("/")[1:-1] if name.startswith("/") else []
    scopes: list[Scope] = []
    path, last = "", ""
    for part in parts:
        # `/layer1/layer1.0/conv1/Conv`: what begins with the name before it says its own place.
        path = (
            f"{path[: len(path) - len(last)]}{part}"
            if last and part.startswith(f"{last}.")
            else f"{path}.{part}".lstrip(".")
        )
        last = part
        scopes.append(Scope(path, ""))
    return tuple(scopes)

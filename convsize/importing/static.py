"""The static check: the spec as convsize reads it, held against the layers that were imported, without PyTorch."""

from __future__ import annotations

import math
from collections.abc import Mapping

from convsize.errors import Source, SpecError
from convsize.geometry import Shape
from convsize.graph.build import build
from convsize.graph.network import Network
from convsize.importing.calls import CallList
from convsize.importing.layers import Graph
from convsize.language.parser import parse
from convsize.words import plural

__all__ = ["Table", "check", "read"]

Table = dict[str, tuple[str, tuple[int, ...]]]
"""The spec's tensors by name: the model's tensor, and the order of its axes."""


def read(text: str, name: str, inputs: Mapping[str, Shape] | None = None) -> Network:
    """The network that a text says, for other inputs where they are given. Raises SpecError where it is wrong."""
    source = Source(text, f"<{name}>")
    file, found = parse(source)
    if any(each.severity == "error" for each in found):
        raise SpecError(source, found)
    return build(file, {}, name=name, inputs=inputs)


def check(network: Network, graph: Graph, order: list[int], calls: CallList) -> tuple[list[str], Table]:
    """What differs between a network as it is read and the layers that it was written for, and the table of tensors.

    Layer k of the network is layer `order[k]` of the graph. Every volume must be the same, every parameter must be
    there with as many values, and no parameter from nowhere.
    """
    problems: list[str] = []
    mapping: Table = {}
    shapes = {each.path: each.shape for each in calls.tensors if each.path}
    nodes = list(network.layers)
    if len(nodes) != len(order):
        return [f"the spec has {plural(len(nodes), 'layer')}, the model {len(order)}"], mapping
    for node, at in zip(nodes, order, strict=True):
        layer = graph.layers[at]
        volume = node.output.dims
        if volume != layer.volume:
            problems.append(f"{node.name} is {node.output}, in the model {layer.volume}")
        held = dict(layer.weights)
        for parameter in network.parameters(node):
            if parameter.name == "num_batches_tracked" or (parameter.role == "buffer" and parameter.name not in held):
                continue
            found = held.pop(parameter.name, None)
            if found is None:
                problems.append(f"{node.name}.{parameter.name} is nowhere in the model")
                continue
            if math.prod(shapes[found.path]) != math.prod(parameter.shape):
                problems.append(f"{node.name}.{parameter.name} is {parameter.shape}, {found.path} {shapes[found.path]}")
            mapping[f"{node.name}.{parameter.name}"] = (found.path, found.order)
        problems += [f"{each.path} is nowhere in the spec" for each in held.values()]
    used = [path for path, _ in mapping.values()]
    for path in sorted({each for each in used if used.count(each) > 1}):
        problems.append(f"{path} is used at several places, which would have weights of their own")
    return problems, mapping

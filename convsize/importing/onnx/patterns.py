"""Patterns: what exporters write in pieces, put together again.

Older operators have no Gelu and no LayerNormalization, and a linear layer over maps is a product and a sum. Pieces
whose results are read elsewhere, too, are left as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from convsize.importing.onnx.fixed import Fixed
from convsize.importing.onnx.raw import Raw

__all__ = ["put_together"]


def put_together(nodes: list[Raw], fixed: dict[str, Fixed], outputs: set[str]) -> list[Raw]:
    """The nodes with every pattern as one node."""
    graph = _Graph(nodes, fixed, outputs)
    for node in nodes:
        for find in _FINDERS.get(node.kind, ()):
            if find(graph, node):
                break
    return [graph.instead.get(id(node), node) for node in nodes if id(node) not in graph.gone]


class _Graph:
    """Who makes and who reads each value."""

    def __init__(self, nodes: list[Raw], fixed: dict[str, Fixed], outputs: set[str]) -> None:
        self.fixed = fixed
        self.outputs = outputs
        self.makers = {name: node for node in nodes for name in node.outputs}
        self.readers: dict[str, list[Raw]] = {}
        for node in nodes:
            for name in dict.fromkeys(node.inputs):
                self.readers.setdefault(name, []).append(node)
        self.gone: set[int] = set()
        self.instead: dict[int, Raw] = {}

    def maker(self, name: str, *kinds: str) -> Raw | None:
        """The node that makes a value, where it is of these kinds."""
        found = self.makers.get(name)
        return found if found is not None and found.kind in kinds and id(found) not in self.gone else None

    def reader(self, node: Raw, *kinds: str) -> Raw | None:
        """The only node that reads what a node makes, where it is of these kinds."""
        (name, *more) = node.outputs
        readers = self.readers.get(name, [])
        if more or name in self.outputs or len(readers) != 1 or readers[0].kind not in kinds:
            return None
        return readers[0] if id(readers[0]) not in self.gone else None

    def number(self, name: str) -> float | None:
        """The value of a fixed tensor of one value."""
        found = self.fixed.get(name)
        return float(found.array.reshape(-1)[0]) if found is not None and found.array.size == 1 else None

    def by_number(self, node: Raw) -> tuple[str, float] | None:
        """What a node takes beside a number, and the number."""
        if len(node.inputs) == 2:
            for value, other in (node.inputs, reversed(node.inputs)):
                number = self.number(other)
                if number is not None and (node.kind in ("Add", "Mul") or other == node.inputs[1]):
                    return value, number
        return None

    def replace(self, pieces: list[Raw], last: Raw, made: Raw) -> bool:
        """One node for several; it stands where the last stood."""
        made.name, made.scope = last.name, last.scope
        self.gone.update(id(each) for each in pieces if each is not last)
        self.instead[id(last)] = made
        return True


def _near(value: float, wanted: float) -> bool:
    return abs(value - wanted) < 1e-4 * wanted


def _gelu(graph: _Graph, erf: Raw) -> bool:
    """x·0.5·(1 + erf(x/√2)), in any order of its products."""
    scaled = graph.maker(erf.inputs[0], "Div", "Mul")
    taken = graph.by_number(scaled) if scaled else None
    if scaled is None or taken is None or graph.reader(scaled, "Erf") is not erf:
        return False
    x, number = taken
    if not _near(number, math.sqrt(2) if scaled.kind == "Div" else math.sqrt(0.5)):
        return False
    above = graph.reader(erf, "Add")
    if above is None or (graph.by_number(above) or ("", 0.0))[1] != 1:
        return False
    first = graph.reader(above, "Mul")
    if first is None:
        return False
    pieces = [scaled, erf, above, first]
    other = [name for name in first.inputs if name != above.outputs[0]]
    if len(other) != 1:
        return False
    if graph.number(other[0]) == 0.5 or other[0] == x:
        last = graph.reader(first, "Mul")
        rest = [name for name in last.inputs if name != first.outputs[0]] if last else []
        if last is None or len(rest) != 1 or not (rest[0] == x if other[0] != x else graph.number(rest[0]) == 0.5):
            return False
        return graph.replace([*pieces, last], last, Raw("Gelu", {}, [x], last.outputs))
    half = graph.maker(other[0], "Mul")
    if half is None or graph.by_number(half) != (x, 0.5) or graph.reader(half, "Mul") is not first:
        return False
    return graph.replace([*pieces, half], first, Raw("Gelu", {}, [x], first.outputs))


def _with_bias(graph: _Graph, product: Raw) -> bool:
    """A product with fixed weights and a sum with one number an output."""
    weight = graph.fixed.get(product.inputs[1]) if len(product.inputs) == 2 else None
    total = graph.reader(product, "Add")
    if weight is None or len(weight.shape) != 2 or total is None:
        return False
    other = [name for name in total.inputs if name != product.outputs[0]]
    bias = graph.fixed.get(other[0]) if len(other) == 1 else None
    if bias is None or bias.shape != weight.shape[1:]:
        return False
    made = Raw("MatMul", {}, [*product.inputs, other[0]], total.outputs)
    return graph.replace([product, total], total, made)


def _last_axis(graph: _Graph, node: Raw) -> bool:
    """Whether a mean is over the last axis alone, which stays."""
    if node.said("keepdims", 1) != 1:
        return False
    if "axes" in node.attributes:
        return list(node.attributes["axes"].ints) == [-1]
    found = graph.fixed.get(node.inputs[1]) if len(node.inputs) > 1 else None
    return found is not None and found.numbers == [-1]


def _layer_norm(graph: _Graph, root: Raw) -> bool:
    """(x - mean)/√(variance + eps), times a gain, plus a bias."""
    shifted = graph.maker(root.inputs[0], "Add")
    taken = graph.by_number(shifted) if shifted else None
    variance = graph.maker(taken[0], "ReduceMean") if taken else None
    if shifted is None or taken is None or variance is None or not _last_axis(graph, variance):
        return False
    squared = graph.maker(variance.inputs[0], "Pow")
    if squared is None or graph.number(squared.inputs[1]) != 2:
        return False
    centred = graph.maker(squared.inputs[0], "Sub")
    mean = graph.maker(centred.inputs[1], "ReduceMean") if centred else None
    if centred is None or mean is None or mean.inputs[0] != centred.inputs[0] or not _last_axis(graph, mean):
        return False
    divided = graph.reader(root, "Div")
    if divided is None or divided.inputs != [centred.outputs[0], root.outputs[0]]:
        return False
    alone = [(mean, centred), (squared, variance), (variance, shifted), (shifted, root)]
    if any(graph.reader(one, other.kind) is not other for one, other in alone):
        return False
    if {id(each) for each in graph.readers[centred.outputs[0]]} != {id(squared), id(divided)}:
        return False
    pieces = [mean, centred, squared, variance, shifted, root, divided]
    inputs, last = [centred.inputs[0]], divided
    for kind in ("Mul", "Add"):
        following = graph.reader(last, kind)
        other = [name for name in following.inputs if name != last.outputs[0]] if following else []
        held = graph.fixed.get(other[0]) if len(other) == 1 else None
        if following is None or held is None or len(held.shape) != 1 or held.array.size < 2:
            break
        pieces.append(following)
        inputs.append(other[0])
        last = following
    else:
        from onnx import helper

        attributes = {"epsilon": helper.make_attribute("epsilon", float(taken[1]))}
        return graph.replace(pieces, last, Raw("LayerNormalization", attributes, inputs, last.outputs))
    return False


def _group_norm(graph: _Graph, norm: Raw) -> bool:
    """Groups as the maps of an instance norm without gains, then a gain and a bias a map."""
    grouped = graph.maker(norm.inputs[0], "Reshape")
    sizes = graph.fixed.get(grouped.inputs[1]) if grouped else None
    back = graph.reader(norm, "Reshape")
    scaled = graph.reader(back, "Mul") if back else None
    total = graph.reader(scaled, "Add") if scaled else None
    if grouped is None or sizes is None or back is None or scaled is None or total is None:
        return False
    ones, zeros = (graph.fixed.get(name) for name in norm.inputs[1:3])
    if len(sizes.numbers) != 3 or sizes.numbers[2] != -1 or ones is None or zeros is None:
        return False
    if (
        set(ones.numbers) != {1}
        or set(zeros.numbers) != {0}
        or graph.reader(grouped, "InstanceNormalization") is not norm
    ):
        return False
    held = []
    for node, before in ((scaled, back), (total, scaled)):
        other = [name for name in node.inputs if name != before.outputs[0]]
        fixed = graph.fixed.get(other[0]) if len(other) == 1 else None
        if fixed is None or not len(fixed.shape) >= 3 or max(fixed.shape) != fixed.array.size:
            return False
        held.append(other[0])
    attributes = {**norm.attributes}
    made = Raw(
        "torch.GroupNorm", attributes, [grouped.inputs[0], *held, back.inputs[1], grouped.inputs[1]], total.outputs
    )
    return graph.replace([grouped, norm, back, scaled, total], total, made)


_FINDERS: dict[str, tuple[Callable[[_Graph, Raw], bool], ...]] = {
    "Erf": (_gelu,),
    "MatMul": (_with_bias,),
    "Sqrt": (_layer_norm,),
    "InstanceNormalization": (_group_norm,),
}

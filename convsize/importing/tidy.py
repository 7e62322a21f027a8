"""Tidying: patterns of calls that are one layer, and layers that no output needs."""

from __future__ import annotations

from convsize.importing.layers import Graph, Layer

__all__ = ["tidied"]


def tidied(graph: Graph) -> Graph:
    """The same network in as few layers as the language has for it, without those that nothing needs."""
    layers = list(graph.layers)
    uses = _uses(layers, graph.outputs)
    for at in range(len(layers)):
        for rule in RULES:
            changed = rule(layers, at, uses)
            if changed is not None:
                for each in layers[at].inputs:
                    uses[each] -= 1
                for each in changed.inputs:
                    uses[each] += 1
                layers[at] = changed
    return live(graph.replace(layers=tuple(layers)))


def live(graph: Graph) -> Graph:
    """Only the layers that an output needs, numbered anew; all inputs stay."""
    wanted = {at for _, at in graph.outputs}
    for at in reversed(range(len(graph.layers))):
        if at in wanted:
            wanted.update(graph.layers[at].inputs)
    wanted |= {at for at, layer in enumerate(graph.layers) if layer.kind == "input"}
    place = {at: new for new, at in enumerate(sorted(wanted))}
    layers = tuple(
        graph.layers[at].replace(inputs=tuple(place[each] for each in graph.layers[at].inputs)) for at in sorted(wanted)
    )
    return graph.replace(layers=layers, outputs=tuple((label, place[at]) for label, at in graph.outputs))


def _uses(layers: list[Layer], outputs: tuple[tuple[str, int], ...]) -> list[int]:
    found = [0] * len(layers)
    for layer in layers:
        for each in layer.inputs:
            found[each] += 1
    for _, at in outputs:
        found[at] += 1
    return found


def _crops(pad: Layer) -> bool:
    return any(each < 0 for pair in pad.number("pads") for each in pair)


def _padded(layers: list[Layer], at: int, _: list[int]) -> Layer | None:
    """Zeros before a convolution are its padding; so are mirrored pixels."""
    layer = layers[at]
    if layer.kind not in ("C", "DW") or any(map(any, layer.number("padding"))) or layer.number("mode"):
        return None
    before = layers[layer.inputs[0]]
    if (
        before.kind != "pad"
        or before.number("value")
        or any(each < 0 for pair in before.number("pads") for each in pair)
    ):
        return None
    mode = before.number("mode")
    if mode != "constant" and any(one != other for one, other in before.number("pads")):
        return None
    extra = {} if mode == "constant" else {"mode": mode}
    return layer.having(padding=before.number("pads"), **extra).replace(inputs=before.inputs)


def _pooled(layers: list[Layer], at: int, _: list[int]) -> Layer | None:
    """Minus infinity before a max pool, and zeros before an average pool that counts them, are its padding."""
    layer = layers[at]
    if layer.kind not in ("M", "A") or any(map(any, layer.number("padding"))):
        return None
    before = layers[layer.inputs[0]]
    if before.kind != "pad" or _crops(before):
        return None
    fills = (float("-inf"),) if layer.kind == "M" else (0.0,)
    if before.number("value") not in fills or before.number("mode") != "constant":
        return None
    if layer.kind == "A" and layer.number("zeros") is False:
        return None
    pads = before.number("pads")
    if any(max(pair) * 2 > size for pair, size in zip(pads, layer.number("size"), strict=True)):
        return None
    return layer.having(padding=pads, zeros=layer.number("zeros")).replace(inputs=before.inputs)


def _strided(layers: list[Layer], at: int, uses: list[int]) -> Layer | None:
    """Every second position of one axis and then of another is one pool."""
    layer = layers[at]
    if not _picks(layer):
        return None
    before = layers[layer.inputs[0]]
    if not _picks(before) or uses[layer.inputs[0]] != 1:
        return None
    steps = tuple(one * other for one, other in zip(layer.number("stride"), before.number("stride"), strict=True))
    return layer.having(stride=steps).replace(inputs=before.inputs)


def _picks(layer: Layer) -> bool:
    return layer.kind == "M" and set(layer.number("size")) == {1} and not any(map(any, layer.number("padding")))


def _cropped(layers: list[Layer], at: int, uses: list[int]) -> Layer | None:
    """Padding or cropping of one axis and then of another is one."""
    layer = layers[at]
    if layer.kind != "pad" or layer.number("mode") != "constant":
        return None
    before = layers[layer.inputs[0]]
    if before.kind != "pad" or uses[layer.inputs[0]] != 1 or before.number("mode") != "constant":
        return None
    if before.number("value") != layer.number("value"):
        return None
    pairs = list(zip(before.number("pads"), layer.number("pads"), strict=True))
    if any(any(one) and any(other) for one, other in pairs):
        return None
    return layer.having(pads=tuple(one if any(one) else other for one, other in pairs)).replace(inputs=before.inputs)


def _hard(layers: list[Layer], at: int, uses: list[int]) -> Layer | None:
    """relu6(x + 3) / 6 and x times that; x · sigmoid(x), x · tanh(softplus(x))."""
    layer = layers[at]
    if layer.kind == "times" and abs(_one(layer, "k") * 6 - 1) < 1e-12:
        six = layers[layer.inputs[0]]
        if six.kind == "relu6" and uses[layer.inputs[0]] == 1:
            plus = layers[six.inputs[0]]
            if plus.kind == "plus" and _one(plus, "k") == 3 and uses[six.inputs[0]] == 1:
                return layer.replace(kind="hsigmoid", numbers=(), inputs=plus.inputs)
    if layer.kind == "*" and len(layer.inputs) == 2:
        for one, other in (layer.inputs, layer.inputs[::-1]):
            gate = layers[other]
            if not gate.inputs or uses[other] != 1 or gate.volume != layers[one].volume:
                continue
            if gate.inputs == (one,) and gate.kind in ("hsigmoid", "sigmoid"):
                kind = {"hsigmoid": "hswish", "sigmoid": "silu"}[gate.kind]
                return layer.replace(kind=kind, numbers=(), inputs=(one,))
            plus = layers[gate.inputs[0]]
            if gate.kind == "tanh" and (plus.kind, plus.inputs) == ("softplus", (one,)) and uses[gate.inputs[0]] == 1:
                return layer.replace(kind="mish", numbers=(), inputs=(one,))
    return None


def _one(layer: Layer, name: str) -> float:
    found = layer.number(name)
    return found if isinstance(found, float) else 0.0


def _affine(layers: list[Layer], at: int, uses: list[int]) -> Layer | None:
    """A gain a map and then a bias a map."""
    layer = layers[at]
    if layer.kind != "bias":
        return None
    before = layers[layer.inputs[0]]
    if before.kind != "scale" or uses[layer.inputs[0]] != 1:
        return None
    return layer.replace(kind="affine", weights=(*before.weights, *layer.weights), inputs=before.inputs)


def _chained(layers: list[Layer], at: int, uses: list[int]) -> Layer | None:
    """A sum of sums is one sum, a concatenation of concatenations one; a list that grows takes its beginning in."""
    layer = layers[at]
    if layer.kind not in ("+", "cat"):
        return None
    inputs: list[int] = []
    for each in layer.inputs:
        before = layers[each]
        same = before.kind == layer.kind and uses[each] == 1 and before.volume[1:] == layer.volume[1:]
        if layer.kind == "+":
            same = same and before.volume == layer.volume and each == layer.inputs[0]
        inputs += before.inputs if same else (each,)
    found = tuple(inputs)
    if layer.kind == "cat":
        parts = _parts(layers, found)
        for earlier in reversed(range(at)):
            if layers[earlier].kind == "cat":
                taken = _parts(layers, (earlier,))
                if len(taken) < len(parts) and parts[: len(taken)] == taken:
                    found = (earlier, *parts[len(taken) :])
                    break
    return layer.replace(inputs=found) if found != layer.inputs else None


def _parts(layers: list[Layer], inputs: tuple[int, ...]) -> tuple[int, ...]:
    """What is put together in the end, where some of it was before."""
    found: list[int] = []
    for each in inputs:
        found += _parts(layers, layers[each].inputs) if layers[each].kind == "cat" else (each,)
    return tuple(found)


def _resized(layers: list[Layer], at: int, _: list[int]) -> Layer | None:
    """Resizing to a whole number of times the extents is `up`."""
    layer = layers[at]
    if layer.kind != "resize":
        return None
    before = layers[layer.inputs[0]].volume[1:]
    extents = layer.number("extents")
    if any(new % old for new, old in zip(extents, before, strict=True)):
        return None
    factors = tuple(new // old for new, old in zip(extents, before, strict=True))
    return layer.having(factors=factors).replace(kind="up")


def _flattened(layers: list[Layer], at: int, _: list[int]) -> Layer | None:
    """A fully connected layer flattens its input itself, and so does nothing after what is one position."""
    layer = layers[at]
    if layer.kind != "FC":
        return None
    before = layers[layer.inputs[0]]
    return layer.replace(inputs=before.inputs) if before.kind == "flat" else None


RULES = (_padded, _pooled, _strided, _cropped, _hard, _affine, _chained, _resized, _flattened)

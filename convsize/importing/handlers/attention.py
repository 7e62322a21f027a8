"""Attention: products of queries and keys, their softmax, and its product with values, as one layer."""

from __future__ import annotations

import math
from typing import Any

from convsize.importing.axes import BATCH_AXIS, Axes, Factor, UnsayableError, merged, size, standard
from convsize.importing.calls import BATCH
from convsize.importing.handlers.pointwise import pointwise
from convsize.importing.layers import Held
from convsize.importing.reader import Asked, Handler, described
from convsize.importing.values import Added, Constant, Meaning, Scores, Value, Weight

__all__ = ["HANDLERS", "scored"]


def _fused(asked: Asked) -> Meaning:
    if asked.number("dropout_p", 0.0) or asked.number("is_causal", False) or asked.number("enable_gqa", False):
        raise UnsayableError("attention that drops weights, is causal, or shares keys between heads")
    query, key, value = asked.value("query"), asked.value("key"), asked.value("value")
    scale = asked.number("scale")
    mask = asked.meaning("attn_mask")
    depth = size(query.axes[-1])
    scores = Scores(query, key, float(scale) if scale is not None else 1 / math.sqrt(depth))
    if mask is not None:
        scores = scored(scores, mask)
    return _attention(asked, scores, value)


def scored(scores: Scores, mask: Meaning) -> Scores:
    """Scores to which something is added before the softmax."""
    if scores.soft:
        raise UnsayableError("a sum with the weights of attention")
    if isinstance(mask, Added) and not scores.table:
        return scores.replace(table=mask.path, masked=scores.masked or mask.masked)
    if isinstance(mask, Constant):
        return scores.replace(masked=True)
    raise UnsayableError("attention to whose scores computed values are added")


def _product(asked: Asked) -> Meaning:
    """A product of matrices: of queries and keys, or of the softmax of such a product and values."""
    names = ("mat2",) if "mat2" in asked.arguments else ("other",)
    left, right = asked.meaning("self"), asked.meaning(names[0])
    if isinstance(left, Scores) and isinstance(right, Value):
        if not left.soft:
            raise UnsayableError("attention without a softmax")
        return _attention(asked, left, right)
    if not isinstance(left, Value) or not isinstance(right, Value) or len(right.axes) < 3:
        raise UnsayableError("a product of matrices that is no layer")
    swapped = (*right.axes[:-2], right.axes[-1], right.axes[-2])
    return Scores(left, right.replace(axes=swapped), 1.0)


def _index(asked: Asked) -> Meaning:
    """A table of numbers for offsets, read by an index that does not change."""
    table = asked.meaning("self")
    if isinstance(table, Constant):
        return Constant(asked.shape)
    indices = [each for each in asked.meanings("indices") if each is not None]
    if not isinstance(table, Weight) or len(table.shape) != 2 or len(indices) != 1:
        raise UnsayableError("positions that are picked by an index")
    if not isinstance(indices[0], Constant):
        raise UnsayableError("positions that are picked by computed numbers")
    return Added(table.path, table.shape)


def _attention(asked: Asked, scores: Scores, value: Value) -> Value:
    query, key = scores.query, scores.key
    scale = scores.scale
    reader = asked.reader
    query, factor = _unscaled(asked, query)
    key, other = _unscaled(asked, key)
    scale *= factor * other
    if len({query.rolled, key.rolled, value.rolled}) > 1:
        raise UnsayableError("attention between positions that are rolled round differently")
    forms = [_form(reader.layers[each.layer].volume, each.axes) for each in (query, key, value)]
    heads, wide, how = forms[0]
    if any(each[0] != heads for each in forms) or any(each[2] != how for each in forms):
        raise UnsayableError("attention of several arrangements of positions")
    if forms[1][1] != wide:
        raise UnsayableError("attention whose queries and keys are of different depths")
    rest = scale * math.sqrt(wide)
    if abs(rest - 1) > 1e-12:
        query = pointwise(asked, query, "times", k=float(f"{rest:.15g}"))
    volumes = [reader.layers[each.layer].volume for each in (query, key, value)]
    if len({each[1:] for each in volumes}) > 1:
        raise UnsayableError("attention to other positions than its own")
    numbers: dict[str, Any] = {"heads": heads, **how}
    if volumes[0][0] != volumes[2][0]:
        numbers["key"] = wide
    if query.rolled:
        numbers["shift"] = _shift(asked, query, how, scores.masked)
    elif scores.masked:
        raise UnsayableError("attention with a mask")
    weights = {}
    if scores.table:
        numbers["bias"] = "relative"
        weights["weight"] = Held(scores.table)
    entering = _together(asked, [query, key, value])
    made = reader.add("attn", (entering,), volumes[2], weights, **numbers)
    return Value(made.layer, (*query.axes[:-1], value.axes[-1]), query.rolled)


def _unscaled(asked: Asked, value: Value) -> tuple[Value, float]:
    """What is multiplied by a number, and the number."""
    layer = asked.reader.layers[value.layer]
    if layer.kind == "times" and isinstance(layer.number("k"), float):
        return value.replace(layer=layer.inputs[0]), layer.number("k")
    return value, 1.0


def _form(volume: tuple[int, ...], axes: Axes) -> tuple[int, int, dict[str, int]]:
    """How many heads a tensor of queries, keys or values has, how deep each is, and which positions see each other."""
    *lead, positions, inner = axes
    whole = standard(BATCH, volume)
    factors = merged(tuple(each for axis in lead for each in axis))
    depth = [each for each in factors if each.axis == 0]
    batch = [each for each in factors if each.axis == BATCH_AXIS]
    windows = [each for each in factors if each.axis > 0]
    deep = size(inner)
    heads = depth[0].size if depth else 1
    if (
        merged((*depth, *inner)) != whole[1]
        or len(depth) > 1
        or batch != list(whole[0])
        or any(each.axis for each in inner)
    ):
        raise UnsayableError(f"attention over {described(axes)}")
    plain = merged(tuple(each for axis in whole[2:] for each in axis))
    if not windows and merged(positions) == plain:
        return heads, deep, {}
    seen = list(merged(positions))
    sizes = {each.size for each in seen}
    if len(seen) != len(volume) - 1 or len(sizes) != 1 or [each.axis for each in seen] != list(range(1, len(volume))):
        raise UnsayableError(f"attention over {described(axes)}")
    (side,) = sizes
    outer = {each.axis: each for each in windows}
    lengths = volume[1:]
    if all(each.stride == 1 for each in seen) and all(
        outer.get(at) == Factor(at, side, length // side) or (at not in outer and length == side)
        for at, length in enumerate(lengths, start=1)
    ):
        return heads, deep, {"window": side}
    if all(each.stride == length // side for each, length in zip(seen, lengths, strict=True)) and all(
        outer.get(at) == Factor(at, 1, length // side) for at, length in enumerate(lengths, start=1)
    ):
        return heads, deep, {"grid": side}
    raise UnsayableError(f"attention over {described(axes)}")


def _shift(asked: Asked, query: Value, how: dict[str, int], masked: bool) -> int:
    extents = asked.reader.layers[query.layer].volume[1:]
    shifts = {length - rolled for length, rolled in zip(extents, query.rolled, strict=True)}
    if len(shifts) != 1 or "window" not in how or not masked:
        raise UnsayableError("attention over windows that are rolled round")
    return shifts.pop()


def _together(asked: Asked, values: list[Value]) -> int:
    """The layer that holds queries, keys and values one after another."""
    reader = asked.reader
    layers = [reader.layers[each.layer] for each in values]
    if all(each.kind == "slice" for each in layers) and len({each.inputs for each in layers}) == 1:
        source = layers[0].inputs[0]
        ends = [0, *(each.number("end") for each in layers)]
        if [each.number("start") for each in layers] == ends[:3] and ends[3] == reader.layers[source].volume[0]:
            return source
    volumes = [each.volume for each in layers]
    depth = sum(each[0] for each in volumes)
    return reader.add("cat", tuple(each.layer for each in values), (depth, *volumes[0][1:])).layer


def _einsum(asked: Asked) -> Meaning:
    """The same two products, written with letters."""
    left, right = asked.meanings("tensors")
    terms, _, out = str(asked.number("equation")).replace(" ", "").partition("->")
    one, _, other = terms.partition(",")
    if len(one) < 3 or len(one) != len(other) or one[:-2] != other[:-2] or out[:-2] != one[:-2]:
        raise UnsayableError("a sum of products that is no layer")
    of_keys = (one[-1], out[-2:]) == (other[-1], one[-2] + other[-2])
    of_values = (one[-1], out[-2:]) == (other[-2], one[-2] + other[-1])
    if isinstance(left, Value) and isinstance(right, Value) and of_keys:
        return Scores(left, right, 1.0)
    if isinstance(left, Scores) and isinstance(right, Value) and left.soft and of_values:
        return _attention(asked, left, right)
    raise UnsayableError("a sum of products that is no layer")


HANDLERS: dict[str, Handler] = {
    "scaled_dot_product_attention": _fused,
    **dict.fromkeys(("matmul", "bmm"), _product),
    "index": _index,
    "einsum": _einsum,
}

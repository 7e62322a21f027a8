"""Joins: sums, products and concatenations of values, and arithmetic with weights and constants."""

from __future__ import annotations

import math

from convsize.importing.axes import EXPANDED, Axes, Factor, UnsayableError, flat, merged, size, standard
from convsize.importing.calls import BATCH
from convsize.importing.handlers.attention import scored
from convsize.importing.handlers.pointwise import pointwise
from convsize.importing.layers import Held
from convsize.importing.reader import Asked, Handler, described
from convsize.importing.values import Added, Constant, Meaning, Scores, Standard, Value, Weight

__all__ = ["HANDLERS"]


def _arithmetic(sign: str) -> Handler:
    def handler(asked: Asked) -> Meaning:
        left = asked.meaning("self")
        right: Meaning | float | None = asked.meaning("other")
        if right is None:
            right = float(asked.number("other"))
        alpha = asked.number("alpha", 1)
        if asked.number("rounding_mode") is not None:
            raise UnsayableError("a division that rounds")
        swapped = asked.call.op == "rsub"
        if alpha != 1:
            if isinstance(right, Value):
                right = pointwise(asked, right, "times", k=float(alpha))
            elif isinstance(right, float):
                right *= alpha
            else:
                raise UnsayableError("a sum with a factor")
        if left is None:
            raise UnsayableError("arithmetic on nothing")
        if swapped:
            return _rest(asked, left, right)
        if isinstance(left, Scores):
            return _of_scores(sign, left, right)
        if isinstance(left, Added) and isinstance(right, Constant) and sign == "+":
            return left.replace(masked=True)
        if isinstance(left, Value) and isinstance(right, Value):
            return _joined(asked, sign, [left, right])
        if isinstance(left, Value):
            return _by_other(asked, sign, left, right)
        if isinstance(right, Value):
            if sign in "+*":
                return _by_other(asked, sign, right, left)
            if sign == "-":
                minus = pointwise(asked, right, "times", k=-1.0)
                return _by_other(asked, "+", minus, left)
            inverse = pointwise(asked, right, "power", p=-1.0)
            return _by_other(asked, "*", inverse, left)
        return _of_weights(asked, sign, left, right)

    return handler


def _of_scores(sign: str, scores: Scores, other: Meaning | float) -> Meaning:
    """Arithmetic on the scores of attention."""
    if other == 0 and sign == "/":
        raise UnsayableError("a division by 0")
    if isinstance(other, float) and sign in "*/" and not (scores.soft or scores.table or scores.masked):
        return scores.replace(scale=scores.scale * other if sign == "*" else scores.scale / other)
    if sign == "+" and not isinstance(other, float):
        return scored(scores, other)
    raise UnsayableError("arithmetic on the scores of attention")


def _rest(asked: Asked, left: Meaning, right: Meaning | float) -> Meaning:
    """Right - left."""
    if not isinstance(left, Value):
        return _of_weights(asked, "-", left, right)
    minus = pointwise(asked, left, "times", k=-1.0)
    return _joined(asked, "+", [minus, right]) if isinstance(right, Value) else _by_other(asked, "+", minus, right)


def _of_weights(asked: Asked, sign: str, left: Meaning, right: Meaning | float) -> Meaning:
    """Arithmetic without an input: weights times a number, or constants."""
    if isinstance(right, Constant) and isinstance(left, Weight | Standard) and right.data and len(right.data) == 1:
        right = right.data[0]
    if right == 0 and sign == "/":
        raise UnsayableError("a division by 0")
    if isinstance(left, Weight | Standard) and isinstance(right, float) and sign in "*/":
        return left.replace(times=left.times * right if sign == "*" else left.times / right)
    if isinstance(left, Constant) and isinstance(right, float | Constant):
        return Constant(asked.shape)
    raise UnsayableError("weights that are computed from weights")


def _by_other(asked: Asked, sign: str, value: Value, other: Meaning | float) -> Value:
    if isinstance(other, float | int):
        return _by_number(asked, sign, value, float(other))
    if isinstance(other, Constant):
        return _by_constant(asked, sign, value, other)
    if isinstance(other, Weight):
        return _by_weight(asked, sign, value, other)
    raise UnsayableError("arithmetic with weights that are computed from others")


def _by_number(asked: Asked, sign: str, value: Value, number: float) -> Value:
    if not math.isfinite(number):
        raise UnsayableError(f"arithmetic with {number}")
    if sign == "/" and number == 0:
        raise UnsayableError("a division by 0")
    if sign == "*" and number == 0:
        raise UnsayableError("a product with 0, which is 0 whatever enters it")
    if sign in "+-":
        number = number if sign == "+" else -number
        return value if number == 0 else pointwise(asked, value, "plus", k=number)
    if sign == "/":
        return value if number == 1 else pointwise(asked, value, "times", k=1 / number)
    return value if number == 1 else pointwise(asked, value, "times", k=number)


def _by_constant(asked: Asked, sign: str, value: Value, constant: Constant) -> Value:
    if constant.data is None:
        raise UnsayableError("arithmetic with a large fixed tensor")
    if len(set(constant.data)) == 1:
        return _by_number(asked, sign, value, constant.data[0])
    volume = asked.reader.layers[value.layer].volume
    depth = standard(BATCH, volume)[1]
    places = [at for at, length in enumerate(constant.shape, len(value.axes) - len(constant.shape)) if length > 1]
    if len(places) != 1 or value.axes[places[0]] != depth or len(constant.data) != volume[0]:
        raise UnsayableError("arithmetic with fixed numbers that are not one a map")
    numbers = constant.data
    if sign == "-":
        numbers = tuple(-each for each in numbers)
    if sign == "/":
        if 0 in numbers:
            raise UnsayableError("a division by 0")
        numbers = tuple(1 / each for each in numbers)
    return pointwise(asked, value, "plus" if sign in "+-" else "times", k=numbers)


def _by_weight(asked: Asked, sign: str, value: Value, weight: Weight) -> Value:
    if sign not in "+*" or weight.times != 1:
        raise UnsayableError("arithmetic with weights that is no sum and no product")
    axes: Axes = ((),) * (len(value.axes) - len(weight.axes)) + weight.axes
    own = flat(axes)
    volume = asked.reader.layers[value.layer].volume
    whole = standard(BATCH, volume)
    values = math.prod(weight.shape)
    if values == 1:
        if sign == "+":
            raise UnsayableError("a learned number that is added to every map")
        return _holding(asked, value, "weight", Held(weight.path))
    pairs = [(theirs, mine) for mine, theirs in zip(axes, value.axes, strict=True) if size(mine) > 1]
    if any(size(theirs) != size(mine) or any(f.axis == EXPANDED for f in mine) for theirs, mine in pairs):
        raise UnsayableError("arithmetic with weights that grow longer")
    if len({each.axis for each in own}) != len(own) or any(each.stride != 1 for each in own):
        raise UnsayableError("arithmetic with parts of weights")
    if len(pairs) == 1 and pairs[0][0] == whole[1] and (len(volume) > 1 or len(value.axes) == 2):
        return _holding(asked, value, "scale" if sign == "*" else "bias", Held(weight.path))
    pairs.sort(key=lambda pair: pair[0][0].axis)
    if sign == "+" and merged(flat(tuple(theirs for theirs, _ in pairs))) == merged(flat(whole[1:])):
        order = [each.axis for _, mine in pairs for each in mine]
        rest = [at for at, length in enumerate(weight.shape) if length == 1]
        return _holding(asked, value, "position", Held(weight.path, (*order, *rest)))
    raise UnsayableError(f"weights over {described(value.axes)} that are neither one a map nor one a value")


def _holding(asked: Asked, value: Value, kind: str, held: Held) -> Value:
    volume = asked.reader.layers[value.layer].volume
    role = "bias" if kind == "bias" else "weight"
    made = asked.reader.add(kind, (value.layer,), volume, {role: held})
    return asked.reader.like(value, made.layer)


def _addcmul(asked: Asked) -> Meaning:
    """A sum with a product: a gain and a bias a map, where both are weights."""
    added, one, other = (asked.meaning(name) for name in ("self", "tensor1", "tensor2"))
    if asked.number("value", 1) != 1 or not isinstance(added, Weight):
        raise UnsayableError("a sum with a product of computed values")
    gain, value = (one, other) if isinstance(one, Weight) else (other, one)
    if not isinstance(gain, Weight) or not isinstance(value, Value):
        raise UnsayableError("a sum with a product of computed values")
    return _by_weight(asked, "+", _by_weight(asked, "*", value, gain), added)


def _joined(asked: Asked, sign: str, values: list[Value]) -> Value:
    """A sum, product, difference or quotient of values whose axes go together."""
    values = [each.replace(axes=_unexpanded(each.axes)) for each in values]
    for attempt in range(3):
        found = _aligned(asked, values)
        if found is not None:
            axes, volume = found
            made = asked.reader.add(sign, tuple(each.layer for each in values), volume)
            return Value(made.layer, axes, values[0].rolled)
        values = _brought_together(asked, values, attempt)
    raise UnsayableError(
        f"values whose axes do not go together: {' and '.join(described(each.axes) for each in values)}"
    )


def _brought_together(asked: Asked, values: list[Value], attempt: int) -> list[Value]:
    reader = asked.reader
    made = []
    for value in values:
        if attempt == 0 and len(value.axes) == 3 and len(reader.layers[value.layer].volume) > 2:
            try:
                made.append(reader.sequence(value))
                continue
            except UnsayableError:
                pass
        try:
            layer = reader.volume(value)
            made.append(Value(layer, standard(BATCH, reader.layers[layer].volume)))
        except UnsayableError:
            made.append(value)
    return made


def _aligned(asked: Asked, values: list[Value]) -> tuple[Axes, tuple[int, ...]] | None:
    """The axes and the volume of a join; None where the values do not stand in one form."""
    volumes = [asked.reader.layers[each.layer].volume for each in values]
    rank = max(len(each.axes) for each in values)
    rows = [((),) * (rank - len(each.axes)) + _unexpanded(each.axes) for each in values]
    if any(each.rolled != values[0].rolled for each in values):
        return None
    longest = max(volumes, key=len)
    volume = list(longest)
    for each in volumes:
        if len(each) == 1 and len(longest) > 1:  # a vector: one number a map
            if each[0] != longest[0] and 1 not in (each[0], longest[0]):
                return None
            volume[0] = max(volume[0], each[0])
        elif len(each) != len(longest):
            return None
        else:
            for at, length in enumerate(each):
                if length != volume[at] and 1 not in (length, volume[at]):
                    return None
                volume[at] = max(volume[at], length)
    axes: list[tuple[Factor, ...]] = []
    for column in zip(*rows, strict=True):
        kinds = {each for each in map(merged, column) if each}
        if len(kinds) > 1:
            return None
        axes.append(kinds.pop() if kinds else ())
    whole = standard(BATCH, tuple(volume))
    for row, each in zip(rows, volumes, strict=True):
        # Every axis of a volume that is as long as the join's stands where the join's does.
        if _sorted(row) != _sorted(standard(BATCH, each)):
            return None
    if _sorted(tuple(axes)) != _sorted(whole):
        return None
    return tuple(axes), tuple(volume)


def _sorted(axes: Axes) -> tuple[Factor, ...]:
    """The factors of all axes in the order of the volume's, as few as there can be."""
    return merged(tuple(sorted(flat(axes), key=lambda each: (each.axis, -each.stride))))


def _unexpanded(axes: Axes) -> Axes:
    return tuple(() if any(each.axis == EXPANDED for each in axis) else axis for axis in axes)


def _cat(asked: Asked) -> Meaning:
    name = "tensors"
    found = asked.meanings(name)
    dim = asked.number("dim", 0) % len(asked.shape)
    if not any(isinstance(each, Value) for each in found):
        if all(isinstance(each, Constant) for each in found):
            return Constant(asked.shape)
        raise UnsayableError("weights that are computed from weights")
    if any(isinstance(each, Weight) for each in found):
        return _with_token(asked, found, dim)
    values = [each for each in found if isinstance(each, Value)]
    if len(values) != len(found):
        raise UnsayableError("a concatenation with fixed values")
    return _concatenated(asked, values, dim)


def _concatenated(asked: Asked, values: list[Value], dim: int) -> Value:
    if len(values) == 1:
        return values[0]
    reader = asked.reader
    for _ in range(2):
        volumes = [reader.layers[each.layer].volume for each in values]
        rests = {(each.axes[:dim], each.axes[dim + 1 :], each.rolled) for each in values}
        ends = [merged(each.axes[dim]) for each in values]
        outer = all(_outermost(end, volume, value) for end, volume, value in zip(ends, volumes, values, strict=True))
        if len(rests) == 1 and outer and len({each[1:] for each in volumes}) == 1:
            depth = sum(each[0] for each in volumes)
            made = reader.add("cat", tuple(each.layer for each in values), (depth, *volumes[0][1:]))
            inner = depth // sum(map(size, ends))
            total = sum(map(size, ends))
            axes = (*values[0].axes[:dim], merged((Factor(0, inner, total),)), *values[0].axes[dim + 1 :])
            return Value(made.layer, axes, values[0].rolled)
        layers = [reader.volume(each) for each in values]
        values = [Value(layer, standard(BATCH, reader.layers[layer].volume)) for layer in layers]
    raise UnsayableError("a concatenation along other axes than the depth")


def _outermost(end: tuple[Factor, ...], volume: tuple[int, ...], value: Value) -> bool:
    """Whether an axis holds the outermost factor of the depth, or is empty beside the whole depth."""
    if not end:
        depth = [each for each in flat(value.axes) if each.axis == 0]
        return math.prod(each.size for each in depth) == volume[0]
    return len(end) == 1 and end[0].axis == 0 and end[0].stride * end[0].size == volume[0]


def _with_token(asked: Asked, found: list[Meaning], dim: int) -> Value:
    *tokens, last = found
    if not isinstance(last, Value) or not all(isinstance(each, Weight) for each in tokens):
        raise UnsayableError("a concatenation with weights that stand after the input")
    value = asked.reader.sequence(last)
    for token in reversed(tokens):
        assert isinstance(token, Weight)
        value = _one_token(asked, token, value, dim)
    return value


def _one_token(asked: Asked, token: Weight, value: Value, dim: int) -> Value:
    """The value with learned positions in front."""
    depth, length = asked.reader.layers[value.layer].volume
    whole = standard(BATCH, (depth, length))
    if value.axes[dim] != whole[2] or value.rolled:
        raise UnsayableError("a concatenation with weights along other axes than the positions")
    own = [each for axis in token.axes for each in axis if each.axis != EXPANDED]
    count = math.prod(token.shape) // depth
    if math.prod(each.size for each in own) != depth * count or size(token.axes[dim]) != count:
        raise UnsayableError("a concatenation with parts of weights")
    places = [at for at, n in enumerate(token.shape) if n > 1]
    if count > 1 and dim != 1:
        raise UnsayableError("tokens in another order")
    order = (places[-1], *[at for at in range(len(token.shape)) if at != places[-1]]) if places else ()
    made = asked.reader.add(
        "token", (value.layer,), (depth, length + count), {"weight": Held(token.path, order)}, count=count
    )
    new = standard(BATCH, (depth, length + count))
    return Value(made.layer, (*value.axes[:dim], new[2], *value.axes[dim + 1 :]))


def _stack(asked: Asked) -> Meaning:
    found = asked.meanings("tensors")
    dim = asked.number("dim", 0) % len(asked.shape)
    values = [each for each in found if isinstance(each, Value)]
    if len(values) != len(found):
        raise UnsayableError("a stack of weights or constants")
    return _concatenated(asked, [each.replace(axes=(*each.axes[:dim], (), *each.axes[dim:])) for each in values], dim)


HANDLERS: dict[str, Handler] = {
    "add": _arithmetic("+"),
    "sub": _arithmetic("-"),
    "rsub": _arithmetic("-"),
    "mul": _arithmetic("*"),
    "div": _arithmetic("/"),
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    "stack": _stack,
    "addcmul": _addcmul,
}

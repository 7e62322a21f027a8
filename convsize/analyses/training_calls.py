"""What every PyTorch call of a layer does on the tape: what it allocates, keeps for backward, and gives back there.

What is kept is what the layer's op states; here stands in which order and at which operator it comes and goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import NamedTuple

from convsize.analyses.training_tape import (
    Extents,
    Leaf,
    Rule,
    Storage,
    Tape,
    Value,
    channels_last,
    dense_strides,
    is_channels_last,
    is_contiguous,
    viewed,
)
from convsize.errors import UsageError
from convsize.geometry import Shape
from convsize.ops.base import Op, SaveMode, TorchCall


class Layer(NamedTuple):
    """A layer on the tape: its op at the volumes it has, how its tensors are kept, and its parameters by name."""

    name: str
    op: Op
    shapes: tuple[Shape, ...]
    output: Shape
    mode: SaveMode
    leaves: dict[str, Leaf]
    in_place: bool


class Call(NamedTuple):
    """One call: the layer it belongs to, its arguments, and the shape of its result where that is the layer's own."""

    tape: Tape
    layer: Layer
    kwargs: dict[str, object]
    result: Extents


Recorder = Callable[[Call, Sequence[Value]], Value]


def run(tape: Tape, layer: Layer, inputs: Sequence[Value]) -> Value:
    """A layer's forward pass: its output, held by the caller, who goes on holding the inputs.

    Raises UsageError where what a call of PyTorch allocates is not known.
    """
    calls = layer.op.torch(*layer.shapes)
    values = list(inputs)
    for place, call in enumerate(calls):
        recorder = RECORDERS.get(call.target)
        if recorder is None:
            raise UsageError(
                f"the training memory of {layer.name} is not known: what {call.target} holds has not been measured"
            )
        result = (layer.mode.batch, *_result(calls[place + 1 :], layer.output.dims))
        output = recorder(Call(tape, layer, dict(call.kwargs), result), values)
        if place:
            tape.release(values[0])
        values = [output]
    return values[0]


def _result(after: Sequence[TorchCall], dims: Extents) -> Extents:
    """The shape in front of the calls that follow a layer's own: they crop, scale or reshape."""
    for call in reversed(after):
        if call.target == "F.pad":
            amounts = dict(call.kwargs)["pad"]
            assert isinstance(amounts, tuple)
            dims = _padded(dims, tuple(-amount for amount in amounts))
    return dims


def _padded(dims: Extents, amounts: Extents) -> Extents:
    """A shape behind F.pad, which counts axes from the last one."""
    found = list(dims)
    for axis in range(len(amounts) // 2):
        found[-1 - axis] += amounts[2 * axis] + amounts[2 * axis + 1]
    return tuple(found)


# ---- gradients -------------------------------------------------------------------------------------------------------


class _Seen(NamedTuple):
    """What the backward of an operator knows of one of its inputs."""

    needed: bool
    shape: Extents
    strides: Extents
    itemsize: int


def _seen(tape: Tape, source: Value | Leaf) -> _Seen:
    value = source.value if isinstance(source, Leaf) else source
    return _Seen(tape.needs(source), value.shape, value.strides, value.itemsize)


def _fresh(tape: Tape, seen: _Seen) -> Value | None:
    """The gradient of an input as a kernel makes it, laid out as the input is."""
    if not seen.needed:
        return None
    return tape.empty(seen.shape, dense_strides(seen.shape, seen.strides), seen.itemsize)


def _one_kernel(tape: Tape, sources: Sequence[Value | Leaf]) -> Rule:
    """A backward that is one operator: it makes the gradients of all inputs together."""
    known = [_seen(tape, source) for source in sources]
    return lambda tape, _: [_fresh(tape, seen) for seen in known]


def _kept(call: Call, inputs: Sequence[Value], output: Value) -> tuple[list[Storage], list[Storage]]:
    """What the layer's op says that it keeps, as storages, and those among them that had to be made."""
    tape, layer = call.tape, call.layer
    kept: list[Storage] = []
    made: list[Storage] = []
    if not tape.recording:
        return kept, made
    for saved in layer.op.saved(layer.shapes, layer.output, layer.mode):
        if saved.what == "input" or saved.name == "padded input":
            kept.append(inputs[saved.place].storage)
        elif saved.what == "output":
            kept.append(output.storage)
        elif saved.what == "parameter":
            kept.append(layer.leaves[saved.name].value.storage)
        else:
            storage = tape.allocate(saved.size)
            storage.holders = 1
            kept.append(storage)
            made.append(storage)
    return kept, made


def _record(
    call: Call, inputs: Sequence[Value], output: Value, sources: Sequence[Value | Leaf], rule: Rule | None = None
) -> Value:
    """Records an operator that keeps what its layer's op says; its backward is one operator where no rule is given."""
    tape = call.tape
    kept, made = _kept(call, inputs, output)
    tape.record(output, sources, kept, rule or _one_kernel(tape, sources))
    for storage in made:
        tape.drop(storage)
    return output


def _leaves(call: Call) -> list[Leaf]:
    return [leaf for leaf in call.layer.leaves.values() if leaf.trained]


# ---- one operator forward, one backward ------------------------------------------------------------------------------


def _pointwise(call: Call, inputs: Sequence[Value]) -> Value:
    """Activations and norms: a result like the input, in its storage where the layer works in place."""
    (source,) = inputs
    tape = call.tape
    output = tape.view(source, source.shape, source.strides) if call.layer.in_place else tape.like(source)
    return _record(call, inputs, output, [source, *_leaves(call)])


def _window(call: Call, inputs: Sequence[Value]) -> Value:
    """Interpolation: a result of another extent."""
    (source,) = inputs
    return _record(call, inputs, call.tape.empty(call.result, _layout(source, call.result), source.itemsize), [source])


def _pool(call: Call, inputs: Sequence[Value]) -> Value:
    """On one axis PyTorch pools a plane of height 1: what comes back is a view of the plane's gradient."""
    (source,) = inputs
    tape = call.tape
    output = tape.empty(call.result, _layout(source, call.result), source.itemsize)
    if len(source.shape) != 3:
        return _record(call, inputs, output, [source])
    seen = _seen(tape, source)

    def rule(tape: Tape, _: Value) -> list[Value | None]:
        gradient = _fresh(tape, seen)
        if gradient is not None:
            gradient.is_view = True
        return [gradient]

    return _record(call, inputs, output, [source], rule)


def _layout(source: Value, shape: Extents) -> Extents | None:
    """The strides of a kernel's result: channels last where the input is."""
    return channels_last(shape) if is_channels_last(source) else None


def _convolution(call: Call, inputs: Sequence[Value]) -> Value:
    (source,) = inputs
    tape = call.tape
    output = tape.empty(call.result, _layout(source, call.result), source.itemsize)
    leaves = [call.layer.leaves[name] for name in ("weight", "bias") if name in call.layer.leaves]
    sources: list[Value | Leaf] = [source, *leaves]
    known = [_seen(tape, each) for each in sources]
    if is_channels_last(source):
        # The weight's gradient comes out in the activations' layout, not in the weight's.
        weight = known[1]
        known[1] = weight._replace(strides=channels_last(weight.shape))
    return _record(call, inputs, output, sources, lambda tape, _: [_fresh(tape, seen) for seen in known])


def _linear(call: Call, inputs: Sequence[Value]) -> Value:
    """Addmm: two matrix products; the bias gets the gradient itself, which is then summed over the batch."""
    (source,) = inputs
    tape, leaves = call.tape, call.layer.leaves
    output = tape.empty(call.result, None, source.itemsize)
    known = [_seen(tape, source), _seen(tape, leaves["weight"])]
    if "bias" not in leaves:
        return _record(call, inputs, output, [source, leaves["weight"]])
    biased = tape.needs(leaves["bias"])

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.share(gradient) if biased else None, *(_fresh(tape, seen) for seen in known)]

    return _record(call, inputs, output, [leaves["bias"], source, leaves["weight"]], rule)


def _layer_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """Over the depth as the last axis: the kernel's results are contiguous there, so channels last."""
    (source,) = inputs
    tape = call.tape
    strides = channels_last(source.shape)
    output = tape.empty(source.shape, strides, source.itemsize)
    sources: list[Value | Leaf] = [source, *_leaves(call)]
    known = [_seen(tape, each) for each in sources]
    known[0] = known[0]._replace(strides=strides)
    return _record(call, inputs, output, sources, lambda tape, _: [_fresh(tape, seen) for seen in known])


def _instance_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """A batch norm over N·D maps, with the gain and the bias repeated for every sample."""
    (source,) = inputs
    tape = call.tape
    if is_contiguous(source.shape, source.strides):
        tape.share(source)
    else:
        before, source = source, tape.empty(source.shape, None, source.itemsize)
        tape.record(source, [before], [], lambda tape, gradient: [tape.share(gradient)])
    repeated = [_repeated(tape, leaf, source.shape[0]) for leaf in _leaves(call)]
    output = tape.empty(source.shape, None, source.itemsize)
    _record(call, [source], output, [source, *repeated])
    tape.release(source)
    for each in repeated:
        tape.release(each)
    return output


def _repeated(tape: Tape, leaf: Leaf, times: int) -> Value:
    """A parameter repeated, of no bytes: the norm's op says what is kept of it, the rest is gone with the operator."""
    shape = (times * leaf.value.shape[0],)
    nothing = tape.allocate(0)
    nothing.holders = 1
    output = Value(nothing, shape, (1,), leaf.value.itemsize)
    own = leaf.value.shape

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.view(gradient, own, (1,)) if times == 1 else tape.empty(own, None, gradient.itemsize)]

    tape.record(output, [leaf], [], rule)
    return output


def _prelu(call: Call, inputs: Sequence[Value]) -> Value:
    """The kernel gives the slope's gradient at every value; it is summed afterwards."""
    (source,) = inputs
    tape = call.tape
    leaves = _leaves(call)
    seen = _seen(tape, source)
    output = tape.like(source)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [_fresh(tape, seen), *(tape.like(gradient) for _ in leaves)]

    return _record(call, inputs, output, [source, *leaves], rule)


# ---- views and copies ------------------------------------------------------------------------------------------------


def _reshaped(tape: Tape, source: Value, shape: Extents) -> Value:
    """A view where the memory allows it, else a copy; backward does the same to the gradient."""
    strides = viewed(source.shape, source.strides, shape)
    output = tape.empty(shape, None, source.itemsize) if strides is None else tape.view(source, shape, strides)
    before = source.shape

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        back = viewed(gradient.shape, gradient.strides, before)
        if back is None:
            return [tape.empty(before, None, gradient.itemsize)]
        return [tape.view(gradient, before, back)]

    tape.record(output, [source], [], rule)
    return output


def _flatten(call: Call, inputs: Sequence[Value]) -> Value:
    batch, *dims = inputs[0].shape
    if len(dims) == 1:
        return call.tape.share(inputs[0])
    return _reshaped(call.tape, inputs[0], (batch, prod(dims)))


def _reshape(call: Call, inputs: Sequence[Value]) -> Value:
    shape = call.kwargs["shape"]
    assert isinstance(shape, tuple)
    return _reshaped(call.tape, inputs[0], (inputs[0].shape[0], *shape[1:]))


def _narrow(call: Call, inputs: Sequence[Value]) -> Value:
    (source,) = inputs
    length = call.kwargs["length"]
    assert isinstance(length, int)
    output = call.tape.view(source, (source.shape[0], length, *source.shape[2:]), source.strides)
    before = source.shape
    call.tape.record(output, [source], [], lambda tape, gradient: [tape.empty(before, None, gradient.itemsize)])
    return output


def _concatenate(call: Call, inputs: Sequence[Value]) -> Value:
    tape = call.tape
    shape = (inputs[0].shape[0], sum(each.shape[1] for each in inputs), *inputs[0].shape[2:])
    last = all(is_channels_last(each) for each in inputs)
    output = tape.empty(shape, channels_last(shape) if last else None, inputs[0].itemsize)
    known = [_seen(tape, each) for each in inputs]

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.view(gradient, seen.shape, gradient.strides) if seen.needed else None for seen in known]

    tape.record(output, inputs, [], rule)
    return output


def _pad(call: Call, inputs: Sequence[Value]) -> Value:
    (source,) = inputs
    tape = call.tape
    amounts = call.kwargs["pad"]
    assert isinstance(amounts, tuple)
    shape = _padded(source.shape, amounts)
    output = tape.empty(shape, _layout(source, shape), source.itemsize)
    tape.record(output, [source], [], _one_kernel(tape, [source]))
    return output


def _channel_shuffle(call: Call, inputs: Sequence[Value]) -> Value:
    """View, permute, copy; backward the same the other way round. One group, or one map a group, moves nothing."""
    (source,) = inputs
    if call.kwargs["groups"] in (1, source.shape[1]):
        return call.tape.share(source)
    tape = call.tape
    output = tape.empty(source.shape, None, source.itemsize)
    before = source.shape
    tape.record(output, [source], [], lambda tape, gradient: [tape.empty(before, None, gradient.itemsize)])
    return output


def _embedding(call: Call, inputs: Sequence[Value]) -> Value:
    """Vectors at the end, then moved to the depth's place: a view."""
    tape = call.tape
    batch, depth, *extents = call.result
    rows = tape.empty((batch, *extents, depth), None, call.layer.mode.itemsize)
    step = rows.strides
    _record(call, inputs, rows, _leaves(call))
    shape = (batch, depth, *extents)
    output = tape.view(rows, shape, (step[0], step[-1], *step[1:-1]))
    moved = rows.shape

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        strides = gradient.strides
        return [tape.view(gradient, moved, (strides[0], *strides[2:], strides[1]))]

    tape.record(output, [rows], [], rule)
    tape.release(rows)
    return output


def _pick(call: Call, inputs: Sequence[Value]) -> Value:
    (source,) = inputs
    tape = call.tape
    indices = call.kwargs["indices"]
    assert isinstance(indices, tuple)
    numbers = tape.empty((len(indices),), None, 8)
    output = tape.empty((source.shape[0], len(indices), *source.shape[2:]), None, source.itemsize)
    tape.record(output, [source], [numbers.storage], _one_kernel(tape, [source]))
    tape.release(numbers)
    return output


# ---- arithmetic ------------------------------------------------------------------------------------------------------


def _broadcast(first: Extents, second: Extents) -> Extents:
    longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
    shorter = (1,) * (len(longer) - len(shorter)) + shorter
    return tuple(map(max, longer, shorter))


def _product(tape: Tape, first: Value, second: Value | Leaf) -> Value:
    """mul: each factor is kept where the other one needs a gradient; backward multiplies, then sums what broadcast."""
    other = second.value if isinstance(second, Leaf) else second
    shape = _broadcast(first.shape, other.shape)
    full = first if first.shape == shape else other
    output = tape.like(full) if full.shape == shape else tape.empty(shape, None, first.itemsize)
    needed = tape.needs(first), tape.needs(second)
    kept = [each.storage for each, needs in ((first, needed[1]), (other, needed[0])) if needs]

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.like(gradient) if needs else None for needs in needed]

    tape.record(output, [first, second], kept, rule)
    return output


def _sum(tape: Tape, first: Value, second: Value | Leaf) -> Value:
    """add: both get the very same gradient."""
    output = tape.like(first)
    needed = tape.needs(first), tape.needs(second)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.share(gradient) if needs else None for needs in needed]

    tape.record(output, [first, second], [], rule)
    return output


def _scaled(tape: Tape, source: Value) -> Value:
    """A product with a number, which backward keeps (hooks on saved tensors are not shown numbers)."""
    number = tape.number()
    output = tape.like(source)
    tape.record(output, [source], [number.storage], lambda tape, gradient: [tape.like(gradient)])
    tape.release(number)
    return output


def _folded(step: Callable[[Tape, Value, Value], Value]) -> Recorder:
    """An operator of two operands over all of them, from left to right."""

    def recorder(call: Call, inputs: Sequence[Value]) -> Value:
        result = call.tape.share(inputs[0])
        for other in inputs[1:]:
            before, result = result, step(call.tape, result, other)
            call.tape.release(before)
        return result

    return recorder


def _multiply(call: Call, inputs: Sequence[Value]) -> Value:
    if "other" in call.kwargs:
        return _scaled(call.tape, inputs[0])
    return _folded(_product)(call, inputs)


def _gate(call: Call, inputs: Sequence[Value]) -> Value:
    rank = max(len(each.shape) for each in inputs)
    spread = [_reshaped(call.tape, each, (*each.shape, *(1,) * (rank - len(each.shape)))) for each in inputs]
    output = _folded(_product)(call, spread)
    for each in spread:
        call.tape.release(each)
    return output


def _scale(call: Call, inputs: Sequence[Value]) -> Value:
    return _product(call.tape, inputs[0], call.layer.leaves["weight"])


def _affine(call: Call, inputs: Sequence[Value]) -> Value:
    product = _scale(call, inputs)
    output = _sum(call.tape, product, call.layer.leaves["bias"])
    call.tape.release(product)
    return output


def _dropout(call: Call, inputs: Sequence[Value]) -> Value:
    (source,) = inputs
    tape, layer = call.tape, call.layer
    p = call.kwargs["p"]
    assert isinstance(p, float)
    if not layer.mode.training or (p == 0 and layer.mode.device == "cpu"):
        return tape.share(source)
    if layer.mode.device == "cuda":
        return _pointwise(call, inputs)
    # On a CPU a mask of floats, drawn and scaled, is multiplied in; with p = 1 it is a single zero.
    mask = tape.empty((1,) * len(source.shape) if p == 1 else source.shape, None, source.itemsize)
    output = tape.like(source)
    tape.record(output, [source], [mask.storage], lambda tape, gradient: [tape.like(gradient)])
    tape.release(mask)
    return output


def _drop_path(call: Call, inputs: Sequence[Value]) -> Value:
    (source,) = inputs
    tape = call.tape
    p = call.kwargs["p"]
    assert isinstance(p, float)
    if not call.layer.mode.training or p == 0:
        return tape.share(source)
    shape = (source.shape[0], *(1,) * (len(source.shape) - 1))
    drawn = tape.empty(shape, None, source.itemsize)
    if p < 1:
        number = tape.number()
        factor = tape.empty(shape, None, source.itemsize)
        tape.release(number)
    else:
        factor = tape.share(drawn)
    output = _product(tape, source, factor)
    tape.release(factor)
    tape.release(drawn)
    return output


def _local_response_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """The input over (k + alpha·mean(x²))^beta, in the eleven operators of torch.nn.functional.local_response_norm."""
    (x,) = inputs
    tape = call.tape
    size = call.kwargs["size"]
    assert isinstance(size, int)
    batch, depth, *extents = x.shape

    squares = _product(tape, x, x)
    # Maps become an axis of their own, which is padded and averaged over.
    plane = (*extents,) if len(extents) == 1 else (extents[0], prod(extents[1:]))
    seen = _reshaped(tape, squares, (batch, 1, depth, *plane))
    tape.release(squares)
    padded = tape.empty((batch, 1, depth + size - 1, *plane), None, x.itemsize)
    tape.record(padded, [seen], [], _one_kernel(tape, [seen]))
    tape.release(seen)
    means = tape.empty((batch, 1, depth, *plane), None, x.itemsize)
    tape.record(means, [padded], [padded.storage], _one_kernel(tape, [padded]))
    tape.release(padded)
    mean = _reshaped(tape, means, x.shape)
    tape.release(means)
    scaled = _scaled(tape, mean)
    number = tape.number()
    base = tape.like(scaled)
    tape.record(base, [scaled], [], lambda tape, gradient: [tape.share(gradient)])
    tape.release(number)
    tape.release(scaled)
    power = tape.like(base)
    tape.record(power, [base], [base.storage], _power_rule)
    tape.release(base)
    tape.release(mean)
    output = tape.like(x)

    def division(tape: Tape, gradient: Value) -> list[Value | None]:
        # First d: -g · ((x / d) / d), whose three factors live until the product is there. Then x: g / d.
        factors = [tape.like(gradient) for _ in range(3)]
        other = tape.like(gradient)
        for factor in factors:
            tape.release(factor)
        return [tape.like(gradient), other]

    tape.record(output, [x, power], [power.storage, x.storage], division)
    tape.release(power)
    return output


def _power_rule(tape: Tape, gradient: Value) -> list[Value | None]:
    """Gradient · (p · x^(p - 1)): two factors that live until the product is there."""
    factors = [tape.like(gradient), tape.like(gradient)]
    result = tape.like(gradient)
    for factor in factors:
        tape.release(factor)
    return [result]


def _lp_pool(call: Call, inputs: Sequence[Value]) -> Value:
    """(sign(m)·relu(|m|)·k)^(1/p) of the means m of x^p, as torch.nn.functional.lp_pool2d has it."""
    (x,) = inputs
    tape = call.tape
    powers = tape.like(x)
    tape.record(powers, [x], [x.storage], _power_rule)
    means = tape.empty(call.result, _layout(x, call.result), x.itemsize)
    tape.record(means, [powers], [powers.storage], _one_kernel(tape, [powers]))
    tape.release(powers)
    signs = tape.like(means)
    tape.record(signs, [means], [], lambda tape, gradient: [tape.like(gradient)])
    absolute = tape.like(means)
    tape.record(absolute, [means], [means.storage], _absolute_rule)
    magnitudes = tape.like(absolute)
    tape.record(magnitudes, [absolute], [magnitudes.storage], lambda tape, gradient: [tape.like(gradient)])
    tape.release(absolute)
    product = _product(tape, signs, magnitudes)
    tape.release(signs)
    tape.release(magnitudes)
    sums = _scaled(tape, product)
    tape.release(product)
    output = tape.like(sums)
    tape.record(output, [sums], [sums.storage], _power_rule)
    tape.release(sums)
    tape.release(means)
    return output


def _absolute_rule(tape: Tape, gradient: Value) -> list[Value | None]:
    """Gradient · sign(x)."""
    sign = tape.like(gradient)
    result = tape.like(gradient)
    tape.release(sign)
    return [result]


def _average_pool(call: Call, inputs: Sequence[Value]) -> Value:
    """A convolution of every map with ones, divided by how many values each window counts."""
    (x,) = inputs
    tape = call.tape
    kernel, padding, overhang = (call.kwargs[name] for name in ("kernel_size", "padding", "overhang"))
    assert isinstance(kernel, tuple)
    assert isinstance(padding, tuple)
    assert isinstance(overhang, tuple)
    behind = tuple(zeros for extra in reversed(overhang) for zeros in (0, extra))
    both = tuple(map(sum, zip(padding, behind, strict=True)))
    maps = _reshaped(tape, x, (x.shape[0] * x.shape[1], 1, *x.shape[2:]))
    one = (1, 1, *x.shape[2:])
    ones = tape.empty(one, None, x.itemsize)
    counted = tape.empty(_padded(one, padding), None, x.itemsize)
    tape.release(ones)
    window = tape.empty((1, 1, *kernel), None, x.itemsize)
    if any(both):
        source = tape.empty(_padded(maps.shape, both), None, x.itemsize)
        tape.record(source, [maps], [], _one_kernel(tape, [maps]))
    else:
        source = tape.share(maps)
    slid = call.result[2:]
    sums = tape.empty((maps.shape[0], 1, *slid), None, x.itemsize)
    tape.record(sums, [source], [source.storage, window.storage], _one_kernel(tape, [source]))
    tape.release(source)
    whole = tape.empty(_padded(counted.shape, behind), None, x.itemsize)
    counts = tape.empty((1, 1, *slid), None, x.itemsize)
    tape.release(whole)
    averages = tape.like(sums)
    tape.record(averages, [sums], [counts.storage], lambda tape, gradient: [tape.like(gradient)])
    output = _reshaped(tape, averages, call.result)
    for value in (averages, counts, sums, window, counted, maps):
        tape.release(value)
    return output


def _ranks(name: str, recorder: Recorder, ranks: Sequence[int] = (1, 2, 3)) -> dict[str, Recorder]:
    return {f"nn.{name}{rank}d": recorder for rank in ranks}


RECORDERS: dict[str, Recorder] = {
    **_ranks("Conv", _convolution),
    **_ranks("ConvTranspose", _convolution),
    **_ranks("BatchNorm", _pointwise),
    **_ranks("InstanceNorm", _instance_norm),
    **_ranks("MaxPool", _pool),
    **_ranks("AvgPool", _pool),
    **_ranks("LPPool", _lp_pool),
    **_ranks("AdaptiveMaxPool", _pool),
    **_ranks("AdaptiveAvgPool", _pool),
    "nn.Linear": _linear,
    "nn.GroupNorm": _pointwise,
    "nn.LayerNorm": _pointwise,
    "convsize.LayerNorm": _layer_norm,
    "nn.ReLU": _pointwise,
    "nn.ReLU6": _pointwise,
    "nn.LeakyReLU": _pointwise,
    "nn.ELU": _pointwise,
    "nn.GELU": _pointwise,
    "nn.SiLU": _pointwise,
    "nn.Mish": _pointwise,
    "nn.Hardswish": _pointwise,
    "nn.Hardsigmoid": _pointwise,
    "nn.Softplus": _pointwise,
    "nn.Sigmoid": _pointwise,
    "nn.Tanh": _pointwise,
    "nn.Softmax": _pointwise,
    "nn.LogSoftmax": _pointwise,
    "nn.PReLU": _prelu,
    "nn.Upsample": _window,
    "nn.PixelShuffle": _window,
    "nn.ChannelShuffle": _channel_shuffle,
    "nn.LocalResponseNorm": _local_response_norm,
    "nn.Dropout": _dropout,
    "nn.Flatten": _flatten,
    "F.pad": _pad,
    "torch.add": _folded(_sum),
    "torch.mul": _multiply,
    "torch.cat": _concatenate,
    "torch.narrow": _narrow,
    "torch.reshape": _reshape,
    "convsize.AveragePool": _average_pool,
    "convsize.Scale": _scale,
    "convsize.Affine": _affine,
    "convsize.DropPath": _drop_path,
    "convsize.Pick": _pick,
    "convsize.Gate": _gate,
    "convsize.Embedding": _embedding,
}
"""What each call does; a call that is not here is an error, never a zero."""

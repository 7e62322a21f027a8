"""Layers of several operators: sums, gates, dropout, and the norms and pools that PyTorch has no kernel for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from convsize.analyses.memory.autocast import cast
from convsize.analyses.memory.call import Call, Recorder, one_kernel, padded_shape, record, tensor
from convsize.analyses.memory.moves import reshaped
from convsize.analyses.memory.single_kernels import activation, window_pool
from convsize.analyses.memory.strides import Extents
from convsize.analyses.memory.tape import Leaf, Rule, Tape, Value


def _common(*tensors: Value) -> int:
    """The bytes of a value of mixed tensors: those of the wider type, to which a scalar's does not count."""
    return max(each.itemsize for each in tensors if each.shape)


def product(tape: Tape, first: Value, second: Value | Leaf) -> Value:
    """mul: each factor is kept where the other one needs a gradient; backward multiplies, then sums what broadcast."""
    other = tensor(second)
    output = tape.like(first, other, itemsize=_common(first, other))
    others = other, first
    needed = tape.needs(first), tape.needs(second)
    kept = [each.storage for each, needs in ((first, needed[1]), (other, needed[0])) if needs]

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.like(gradient, each) if needs else None for each, needs in zip(others, needed, strict=True)]

    tape.record(output, [first, second], kept, rule)
    return output


def add(tape: Tape, first: Value, second: Value | Leaf) -> Value:
    """add: both get the very same gradient, which is summed over what broadcast."""
    output = tape.like(first, tensor(second), itemsize=_common(first, tensor(second)))
    needed = tape.needs(first), tape.needs(second)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.share(gradient) if needs else None for needs in needed]

    tape.record(output, [first, second], [], rule)
    return output


def subtract(tape: Tape, first: Value, second: Value) -> Value:
    """sub: the first gets the very same gradient, the second one of the other sign."""
    output = tape.like(first, second, itemsize=_common(first, second))
    needed = tape.needs(first), tape.needs(second)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        negative = tape.like(gradient) if needed[1] else None
        return [tape.share(gradient) if needed[0] else None, negative]

    tape.record(output, [first, second], [], rule)
    return output


def divide(tape: Tape, first: Value, second: Value) -> Value:
    """div: g / d for what is divided, -g · ((x / d) / d) for the divisor d."""
    itemsize = _common(first, second)
    output = tape.like(first, second, itemsize=itemsize)
    needed = tape.needs(first), tape.needs(second)
    kept = [second.storage] if any(needed) else []
    kept += [first.storage] if needed[1] else []

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        other = None
        if needed[1]:
            # Three factors live until the product is there.
            ratio = tape.like(first, second, itemsize=itemsize)
            factors = [ratio, tape.like(ratio, second), tape.like(gradient)]
            other = tape.like(*reversed(factors))
            for factor in factors:
                tape.release(factor)
        return [tape.like(gradient, second) if needed[0] else None, other]

    tape.record(output, [first, second], kept, rule)
    return output


def times_number(tape: Tape, source: Value) -> Value:
    """A product with a number, which backward keeps (hooks on saved tensors are not shown numbers)."""
    number = tape.number()
    output = tape.like(source, number)
    tape.record(output, [source], [number.storage], lambda tape, gradient: [tape.like(gradient, number)])
    tape.release(number)
    return output


def shifted(tape: Tape, source: Value) -> Value:
    """A sum with a number, which hands its gradient on."""
    number = tape.number()
    output = tape.like(source, number)
    tape.record(output, [source], [], lambda tape, gradient: [tape.share(gradient)])
    tape.release(number)
    return output


def folded(step: Callable[[Tape, Value, Value], Value]) -> Recorder:
    """An operator of two operands over all of them, from left to right."""

    def recorder(call: Call, inputs: Sequence[Value]) -> Value:
        result = call.tape.share(inputs[0])
        for other in inputs[1:]:
            before, result = result, step(call.tape, result, other)
            call.tape.release(before)
        return result

    return recorder


def sum_of(call: Call, inputs: Sequence[Value]) -> Value:
    """A sum of tensors, or with a number."""
    if "other" in call.kwargs:
        return shifted(call.tape, inputs[0])
    return folded(add)(call, inputs)


def multiply(call: Call, inputs: Sequence[Value]) -> Value:
    """A product of tensors, or with a number."""
    if "other" in call.kwargs:
        return times_number(call.tape, inputs[0])
    return folded(product)(call, inputs)


def absolute(call: Call, inputs: Sequence[Value]) -> Value:
    """The gradient is multiplied by the signs."""
    (source,) = inputs

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        signs = tape.like(source)
        result = tape.like(gradient, signs)
        tape.release(signs)
        return [result]

    return record(call, inputs, call.tape.like(source), [source], rule)


def square_root(call: Call, inputs: Sequence[Value]) -> Value:
    """The gradient is divided by two roots."""
    (source,) = inputs
    output = call.tape.like(source)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        doubled = tape.like(output)
        result = tape.like(gradient, doubled)
        tape.release(doubled)
        return [result]

    return record(call, inputs, output, [source], rule)


def power(call: Call, inputs: Sequence[Value]) -> Value:
    """A power by a number."""
    (source,) = inputs
    return record(call, inputs, call.tape.like(source), [source], power_rule(source))


def one_bound(call: Call, inputs: Sequence[Value]) -> Value:
    """A clamp by one bound."""
    (source,) = inputs
    return record(call, inputs, call.tape.like(source), [source], bounded_rule(source))


def bounded_rule(source: Value) -> Rule:
    """Where the values lie within the bound, the gradient is chosen, else a zero."""

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        within = tape.like(source, itemsize=1)
        zero = tape.empty((), None, gradient.itemsize if tape.device == "cpu" else 0, "other")
        result = tape.like(within, gradient, itemsize=gradient.itemsize)
        for each in (zero, within):
            tape.release(each)
        return [result]

    return rule


def _constants(call: Call, name: str, source: Value) -> Value:
    """One number a map, as a tensor that is made at every call."""
    numbers = call.kwargs[name]
    assert isinstance(numbers, tuple)
    return call.tape.empty((len(numbers), *(1,) * (len(source.shape) - 2)), None, source.itemsize)


def plus(call: Call, inputs: Sequence[Value]) -> Value:
    """A sum with constants, one a map."""
    constants = _constants(call, "terms", inputs[0])
    output = add(call.tape, inputs[0], constants)
    call.tape.release(constants)
    return output


def times(call: Call, inputs: Sequence[Value]) -> Value:
    """A product with constants, one a map."""
    constants = _constants(call, "factors", inputs[0])
    output = product(call.tape, inputs[0], constants)
    call.tape.release(constants)
    return output


def spread(step: Callable[[Tape, Value, Value], Value]) -> Recorder:
    """An operator of two operands over all of them, of which flat ones are seen with axes of 1."""

    def recorder(call: Call, inputs: Sequence[Value]) -> Value:
        rank = max(len(each.shape) for each in inputs)
        seen = [reshaped(call.tape, each, (*each.shape, *(1,) * (rank - len(each.shape)))) for each in inputs]
        output = folded(step)(call, seen)
        for each in seen:
            call.tape.release(each)
        return output

    return recorder


def scale(call: Call, inputs: Sequence[Value]) -> Value:
    """A product with a parameter."""
    return product(call.tape, inputs[0], call.parameters["weight"])


def bias(call: Call, inputs: Sequence[Value]) -> Value:
    """A sum with a parameter."""
    return add(call.tape, inputs[0], call.parameters["bias"])


def threshold(call: Call, inputs: Sequence[Value]) -> Value:
    """The maximum with a parameter: where it is the larger one the gradient is the parameter's, halved where equal."""
    (source,) = inputs
    tape, tau = call.tape, call.parameters["tau"]
    other = tensor(tau)
    output = tape.like(source, other, itemsize=_common(source, other))
    needed = tape.needs(source), tape.needs(tau)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        results: list[Value | None] = [None, None]
        for place in (1, 0):
            if needed[place]:
                half = tape.like(gradient)
                equal, wrong = (tape.like(source, other, itemsize=1) for _ in range(2))
                results[place] = tape.like(equal, half, gradient, itemsize=gradient.itemsize)
                for each in (half, equal, wrong):
                    tape.release(each)
        return results

    return record(call, inputs, output, [source, tau], rule)


def affine(call: Call, inputs: Sequence[Value]) -> Value:
    """A product with a parameter and a sum with one."""
    product = scale(call, inputs)
    output = add(call.tape, product, call.parameters["bias"])
    call.tape.release(product)
    return output


def position(call: Call, inputs: Sequence[Value]) -> Value:
    """A sum with a parameter."""
    return add(call.tape, inputs[0], call.parameters["weight"])


def dropout(call: Call, inputs: Sequence[Value]) -> Value:
    """A mask that is multiplied in; on CUDA an operator that makes its mask itself."""
    (source,) = inputs
    tape, layer = call.tape, call.layer
    p = call.kwargs["p"]
    assert isinstance(p, float)
    if not layer.mode.training or p == 0:
        return tape.share(source)
    if layer.mode.device == "cuda" and p < 1:
        return activation("gradient", "input")(call, inputs)
    # A mask of floats, drawn and scaled, is multiplied in; with p = 1 it is a single zero.
    mask = tape.empty((), None, source.itemsize) if p == 1 else tape.clone(source)
    kept = tape.needs(source)
    if not kept:
        # It is gone with the operator.
        tape.release(mask)
    output = tape.like(source, mask)
    tape.record(output, [source], [mask.storage], lambda tape, gradient: [tape.like(gradient, mask)])
    if kept:
        tape.release(mask)
    return output


def drop_path(call: Call, inputs: Sequence[Value]) -> Value:
    """A product with a factor for every sample."""
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
    output = product(tape, source, factor)
    tape.release(factor)
    tape.release(drawn)
    return output


def local_response_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """The input over (k + alpha·mean(x²))^beta, in the eleven operators of torch.nn.functional.local_response_norm."""
    (x,) = inputs
    tape = call.tape
    size = call.kwargs["size"]
    assert isinstance(size, int)
    batch, depth, *extents = x.shape

    squares = product(tape, x, x)
    # Maps become an axis of their own, which is padded and averaged over.
    plane = (*extents,) if len(extents) == 1 else (extents[0], prod(extents[1:]))
    seen = reshaped(tape, squares, (batch, 1, depth, *plane))
    tape.release(squares)
    padded = tape.empty((batch, 1, depth + size - 1, *plane), None, x.itemsize)
    tape.record(padded, [seen], [], one_kernel(tape, [seen]))
    tape.release(seen)
    averaged = cast(tape, padded, "F.avg_pool3d" if len(plane) == 2 else "F.avg_pool2d")
    means = tape.empty((batch, 1, depth, *plane), None, averaged.itemsize)
    tape.record(means, [averaged], [averaged.storage], one_kernel(tape, [averaged]))
    tape.release(averaged)
    tape.release(padded)
    mean = reshaped(tape, means, x.shape)
    tape.release(means)
    scaled = times_number(tape, mean)
    base = shifted(tape, scaled)
    tape.release(scaled)
    raised = cast(tape, base, "torch.pow")
    tape.release(base)
    power = tape.like(raised)
    tape.record(power, [raised], [raised.storage], power_rule(raised))
    tape.release(raised)
    tape.release(mean)
    output = divide(tape, x, power)
    tape.release(power)
    return output


def power_rule(source: Value) -> Rule:
    """Gradient · (p · x^(p - 1)): two factors that live until the product is there."""

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        factors = [tape.like(source), tape.like(source)]
        result = tape.like(gradient, factors[0])
        for factor in factors:
            tape.release(factor)
        return [result]

    return rule


def lp_pool(call: Call, inputs: Sequence[Value]) -> Value:
    """(sign(m)·relu(|m|)·k)^(1/p) of the means m of x^p, as torch.nn.functional.lp_pool2d has it."""
    (x,) = inputs
    tape = call.tape
    powers = tape.like(x)
    tape.record(powers, [x], [x.storage], power_rule(x))
    volume = len(x.shape) == 5
    taken = cast(tape, powers, "nn.AvgPool3d") if volume else tape.share(powers)
    tape.release(powers)
    means = window_pool(tape, taken, call.result, contiguous=volume)
    tape.release(taken)
    signs = tape.like(means)
    tape.record(signs, [means], [], lambda tape, gradient: [tape.clone(gradient)])
    absolute = tape.like(means)

    def absolute_rule(tape: Tape, gradient: Value) -> list[Value | None]:
        sign = tape.like(means)
        result = tape.like(gradient, sign)
        tape.release(sign)
        return [result]

    tape.record(absolute, [means], [means.storage], absolute_rule)
    magnitudes = tape.like(absolute)
    tape.record(magnitudes, [absolute], [magnitudes.storage], lambda tape, gradient: [tape.like(magnitudes, gradient)])
    tape.release(absolute)
    signed = product(tape, signs, magnitudes)
    tape.release(signs)
    tape.release(magnitudes)
    sums = times_number(tape, signed)
    tape.release(signed)
    output = tape.like(sums)
    tape.record(output, [sums], [sums.storage], power_rule(sums))
    tape.release(sums)
    tape.release(means)
    return output


def average_pool(call: Call, inputs: Sequence[Value]) -> Value:
    """A convolution of every map with ones, divided by how many values each window counts."""
    (x,) = inputs
    tape = call.tape
    kernel, padding, overhang = (call.kwargs[name] for name in ("kernel_size", "padding", "overhang"))
    assert isinstance(kernel, tuple)
    assert isinstance(padding, tuple)
    assert isinstance(overhang, tuple)
    behind = tuple(zeros for extra in reversed(overhang) for zeros in (0, extra))
    both = tuple(map(sum, zip(padding, behind, strict=True)))
    maps = reshaped(tape, x, (x.shape[0] * x.shape[1], 1, *x.shape[2:]))
    one = (1, 1, *x.shape[2:])
    window = tape.empty((1, 1, *kernel), None, x.itemsize)
    ones = tape.empty(one, None, x.itemsize)
    counted = tape.empty(padded_shape(one, padding), None, x.itemsize)
    tape.release(ones)
    whole = tape.empty(padded_shape(counted.shape, behind), None, x.itemsize)
    tape.release(counted)
    if any(both):
        source = tape.empty(padded_shape(maps.shape, both), None, x.itemsize)
        tape.record(source, [maps], [], one_kernel(tape, [maps]))
    else:
        source = tape.share(maps)
    sums = _slid(tape, source, window, call.result[2:])
    counts = _slid(tape, whole, window, call.result[2:])
    averages = tape.like(sums, counts)
    tape.record(averages, [sums], [counts.storage], lambda tape, gradient: [tape.like(gradient, counts)])
    output = reshaped(tape, averages, call.result)
    for value in (averages, counts, sums, source, whole, window, maps):
        tape.release(value)
    return output


def _slid(tape: Tape, source: Value, window: Value, extents: Extents) -> Value:
    """A convolution with a window of ones, which needs no gradient."""
    casts = [cast(tape, each, "nn.Conv2d") for each in (window, source)][::-1]
    sums = tape.empty((source.shape[0], 1, *extents), None, casts[0].itemsize)
    tape.record(sums, casts[:1], [each.storage for each in casts], one_kernel(tape, casts[:1]))
    for each in casts:
        tape.release(each)
    return sums

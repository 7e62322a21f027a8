"""Norms that have no kernel of their own on a CPU: they are made of several operators."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.analyses.memory.autocast import cast, to_type
from convsize.analyses.memory.call import Call
from convsize.analyses.memory.composites import add, divide, power_rule, shifted
from convsize.analyses.memory.composites import product as multiplied
from convsize.analyses.memory.moves import permuted
from convsize.analyses.memory.reductions import Reduction, mean_rule, norm_rule
from convsize.analyses.memory.single_kernels import layer_norm, norm
from convsize.analyses.memory.strides import is_channels_last, is_contiguous
from convsize.analyses.memory.tape import Tape, Value


def rms_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """Over the depth as the last axis: on CUDA one kernel, else the operators of torch.rms_norm, in float32 or more."""
    (source,) = inputs
    tape, rank = call.tape, len(source.shape) - 2
    if tape.device == "cuda":
        return layer_norm(call, inputs) if rank else norm(call, inputs)
    with tape.one_operator():
        return _composed(call, source)


def _composed(call: Call, source: Value) -> Value:
    """The quotients, times the gain, in the order of positions."""
    tape, rank = call.tape, len(source.shape) - 2
    moved = permuted(tape, source, (0, *range(2, 2 + rank), 1))
    values = to_type(tape, moved, max(source.itemsize, 4))
    roots = _inverse_roots(tape, values)
    result = multiplied(tape, values, roots)
    weight = call.parameters.get("weight")
    if weight is not None:
        quotients, result = result, multiplied(tape, result, weight)
        tape.release(quotients)
    if not (len(moved.shape) > 3 and is_channels_last(moved.shape, moved.strides)):
        result = _in_order(tape, result)
    narrow = to_type(tape, result, source.itemsize)
    output = permuted(tape, narrow, (0, rank + 1, *range(1, rank + 1)))
    for each in (result, narrow, roots, values, moved):
        tape.release(each)
    return output


def _inverse_roots(tape: Tape, values: Value) -> Value:
    """1 over the root of the mean of squares over the last axis, held by the caller."""
    squares = tape.like(values)
    tape.record(squares, [values], [values.storage], power_rule(values))
    mean = tape.empty((*values.shape[:-1], 1), None, values.itemsize)

    def spread(tape: Tape, gradient: Value) -> list[Value | None]:
        seen = tape.view(gradient, values.shape, (*gradient.strides[:-1], 0))
        result = tape.like(seen)
        tape.release(seen)
        return [result]

    tape.record(mean, [squares], [], spread)
    roots = _inverse_root(tape, mean)
    for each in (squares, mean):
        tape.release(each)
    return roots


def _inverse_root(tape: Tape, value: Value) -> Value:
    """rsqrt, whose gradient is (-1/2 · gradient) · (result³)."""
    roots = tape.like(value)

    def cubed(tape: Tape, gradient: Value) -> list[Value | None]:
        factors = [tape.like(roots), tape.like(gradient)]
        result = tape.like(*reversed(factors))
        for each in factors:
            tape.release(each)
        return [result]

    tape.record(roots, [value], [roots.storage], cubed)
    return roots


def _in_order(tape: Tape, value: Value) -> Value:
    """The values in order, in place of the given ones: a copy, where they are in another."""
    if is_contiguous(value.shape, value.strides):
        return value
    copy = tape.empty(value.shape, None, value.itemsize)
    tape.record(copy, [value], [], lambda tape, gradient: [tape.share(gradient)])
    tape.release(value)
    return copy


def _over(call: Call, source: Value, dims: tuple[int, ...], *, wide: bool) -> Reduction:
    return Reduction(call.replace(kwargs={"dim": dims, "keepdim": True}), source, wide=wide)


def _mean(call: Call, source: Value, dims: tuple[int, ...]) -> Value:
    found = _over(call, source, dims, wide=False)
    call.tape.record(found.output, [source], [], mean_rule(found))
    return found.output


def _after(call: Call, product: Value) -> Value:
    """A gain and a bias a map, in place of what is given."""
    scaled = multiplied(call.tape, product, call.parameters["weight"])
    call.tape.release(product)
    result = add(call.tape, scaled, call.parameters["bias"])
    call.tape.release(scaled)
    return result


def global_response_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """Norms of the maps over their mean, times the maps, with a gain and a bias, added to the maps."""
    (x,) = inputs
    tape = call.tape
    found = _over(call, x, tuple(range(2, len(x.shape))), wide=True)
    norms = found.output
    tape.record(norms, [x], [x.storage, norms.storage], norm_rule(found))
    mean = _mean(call, norms, (1,))
    below = shifted(tape, mean)
    tape.release(mean)
    factors = divide(tape, norms, below)
    tape.release(below)
    weighted = _after(call, multiplied(tape, x, factors))
    output = add(tape, x, weighted)
    for each in (weighted, factors, norms):
        tape.release(each)
    return output


def filter_response_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """The maps over the roots of the means of their squares, with a gain and a bias."""
    (x,) = inputs
    tape = call.tape
    taken = cast(tape, x, "torch.pow")
    squares = tape.like(taken)
    tape.record(squares, [taken], [taken.storage], power_rule(taken))
    tape.release(taken)
    mean = _mean(call, squares, tuple(range(2, len(x.shape))))
    tape.release(squares)
    above = shifted(tape, mean)
    roots = _inverse_root(tape, above)
    tape.release(above)
    quotients = multiplied(tape, x, roots)
    tape.release(roots)
    result = _after(call, quotients)
    tape.release(mean)
    return result

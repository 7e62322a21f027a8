"""Norms that have no kernel of their own on a CPU: they are made of several operators."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.analyses.memory.autocast import to_type
from convsize.analyses.memory.call import Call
from convsize.analyses.memory.composites import power_rule, product
from convsize.analyses.memory.moves import permuted
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
    result = product(tape, values, roots)
    weight = call.parameters.get("weight")
    if weight is not None:
        quotients, result = result, product(tape, result, weight)
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
    roots = tape.like(mean)

    def cubed(tape: Tape, gradient: Value) -> list[Value | None]:
        factors = [tape.like(roots), tape.like(gradient)]
        result = tape.like(*reversed(factors))
        for each in factors:
            tape.release(each)
        return [result]

    tape.record(roots, [mean], [roots.storage], cubed)
    for each in (squares, mean):
        tape.release(each)
    return roots


def _in_order(tape: Tape, value: Value) -> Value:
    """The values in order, in place of the given ones: a copy, where they are in another."""
    if is_contiguous(value.shape, value.strides):
        return value
    copy = tape.empty(value.shape, None, value.itemsize)
    tape.record(copy, [value], [], lambda tape, gradient: [tape.share(gradient)])
    tape.release(value)
    return copy

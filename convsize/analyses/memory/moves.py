"""Layers that move values and compute none: views, copies, concatenations."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convsize.analyses.memory.autocast import to_type
from convsize.analyses.memory.call import (
    Call,
    layout_like,
    padded_shape,
    record,
    see,
    tensor,
    trained,
)
from convsize.analyses.memory.strides import Extents, channels_last, is_channels_last, preserved, viewed
from convsize.analyses.memory.tape import Tape, Value


def reshaped(tape: Tape, source: Value, shape: Extents) -> Value:
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


def permuted(tape: Tape, source: Value, order: Sequence[int]) -> Value:
    """A view with its axes in another order; backward has them as they were."""

    def turned(tape: Tape, value: Value, order: Sequence[int]) -> Value:
        return tape.view(value, tuple(value.shape[at] for at in order), tuple(value.strides[at] for at in order))

    output = turned(tape, source, order)
    back = [order.index(at) for at in range(len(order))]
    tape.record(output, [source], [], lambda tape, gradient: [turned(tape, gradient, back)])
    return output


def split(tape: Tape, source: Value, depths: Sequence[int]) -> list[Value]:
    """Views of the depth's parts, each held by the caller; backward concatenates their gradients."""
    shape, itemsize = source.shape, source.itemsize
    gradients: list[Value] = []
    # An operator of several results: what it gives back waits for all of them.
    whole = Value(tape.allocate(0), (0,), (1,), itemsize)

    def concatenated(tape: Tape, _: Value) -> list[Value | None]:
        last = all(is_channels_last(each.shape, each.strides) for each in gradients)
        found = tape.empty(shape, channels_last(shape) if last else None, itemsize)
        for each in gradients:
            tape.release(each)
        gradients.clear()
        return [found]

    def waiting(tape: Tape, gradient: Value) -> list[Value | None]:
        gradients.append(tape.share(gradient))
        return [Value(tape.allocate(0), (0,), (1,), itemsize)]

    tape.record(whole, [source], [], concatenated)
    found = []
    for depth in depths:
        part = tape.view(source, (shape[0], depth, *shape[2:]), source.strides)
        tape.record(part, [whole], [], waiting)
        found.append(part)
    tape.release(whole)
    return found


def flatten(call: Call, inputs: Sequence[Value]) -> Value:
    """A view, or a copy where the memory does not allow one."""
    batch, *dims = inputs[0].shape
    if len(dims) == 1:
        return call.tape.share(inputs[0])
    return reshaped(call.tape, inputs[0], (batch, prod(dims)))


def reshape(call: Call, inputs: Sequence[Value]) -> Value:
    """A view, or a copy where the memory does not allow one."""
    shape = call.kwargs["shape"]
    assert isinstance(shape, tuple)
    return reshaped(call.tape, inputs[0], (prod(inputs[0].shape) // prod(shape[1:]), *shape[1:]))


def permute(call: Call, inputs: Sequence[Value]) -> Value:
    """A view with its axes in another order."""
    dims = call.kwargs["dims"]
    assert isinstance(dims, tuple)
    return permuted(call.tape, inputs[0], dims)


def roll(call: Call, inputs: Sequence[Value]) -> Value:
    """A copy with what leaves one end at the other; backward the same the other way round."""
    (source,) = inputs
    tape = call.tape

    def rolled(tape: Tape, value: Value) -> Value:
        return tape.empty(value.shape, layout_like(value, value.shape), value.itemsize)

    output = rolled(tape, source)
    tape.record(output, [source], [], lambda tape, gradient: [rolled(tape, gradient)])
    return output


def narrow(call: Call, inputs: Sequence[Value]) -> Value:
    """A view; its gradient is a whole one of zeros around it."""
    (source,) = inputs
    length, axis = call.kwargs["length"], call.kwargs["dim"]
    assert isinstance(length, int)
    assert isinstance(axis, int)
    before = source.shape
    output = call.tape.view(source, (*before[:axis], length, *before[axis + 1 :]), source.strides)
    call.tape.record(output, [source], [], lambda tape, gradient: [tape.empty(before, None, gradient.itemsize)])
    return output


def concatenate(call: Call, inputs: Sequence[Value]) -> Value:
    """A copy of all; the gradients are views of the whole one's. Autocast brings them into the widest type first."""
    tape = call.tape
    shape = (inputs[0].shape[0], sum(each.shape[1] for each in inputs), *inputs[0].shape[2:])
    widest = max(each.itemsize for each in inputs)
    taken = [to_type(tape, each, widest) for each in inputs]
    last = all(is_channels_last(each.shape, each.strides) for each in taken)
    output = tape.empty(shape, channels_last(shape) if last else None, widest)
    known = [see(tape, each) for each in taken]

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.view(gradient, seen.shape, gradient.strides) if seen.needed else None for seen in known]

    tape.record(output, taken, [], rule)
    for each in taken:
        tape.release(each)
    return output


def token(call: Call, inputs: Sequence[Value]) -> Value:
    """A parameter repeated for every sample and concatenated with the sequence; the gradients are views."""
    (source,) = inputs
    tape, weight = call.tape, call.parameters["weight"]
    own = tensor(weight)
    batch, depth, length = source.shape
    count = own.shape[1]
    repeated = tape.view(own, (batch, depth, count), (0, *own.strides))
    tape.record(repeated, [weight], [], lambda tape, gradient: [tape.empty(own.shape, None, gradient.itemsize)])
    widest = max(source.itemsize, own.itemsize)
    taken = [to_type(tape, each, widest) for each in (repeated, source)]
    tape.release(repeated)
    output = tape.empty((batch, depth, count + length), None, widest)
    known = [see(tape, each) for each in taken]

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.view(gradient, seen.shape, gradient.strides) if seen.needed else None for seen in known]

    tape.record(output, taken, [], rule)
    for each in taken:
        tape.release(each)
    return output


def pad(call: Call, inputs: Sequence[Value]) -> Value:
    """A copy, or a crop that is one as well."""
    (source,) = inputs
    tape = call.tape
    amounts = call.kwargs["pad"]
    assert isinstance(amounts, tuple)
    shape = padded_shape(source.shape, amounts)
    output = tape.empty(shape, _padded_strides(source, shape, amounts), source.itemsize)
    before = source.shape
    back = tuple(-amount for amount in amounts)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.empty(before, _padded_strides(gradient, before, back), gradient.itemsize)]

    tape.record(output, [source], [], rule)
    return output


def mirrored(call: Call, inputs: Sequence[Value]) -> Value:
    """Padding by reflection and by replication: backward keeps the input, and makes a gradient that lies as it does."""
    (source,) = inputs
    tape = call.tape
    amounts = call.kwargs["pad"]
    assert isinstance(amounts, tuple)
    shape = padded_shape(source.shape, tuple(int(amount) for amount in amounts))
    output = tape.empty(shape, layout_like(source, shape), source.itemsize)
    known = source.shape, layout_like(source, source.shape)
    tape.record(output, [source], [source.storage], lambda tape, gradient: [tape.empty(*known, gradient.itemsize)])
    return output


def wrapped(call: Call, inputs: Sequence[Value]) -> Value:
    """Circular padding: the source is copied into an empty tensor, then parts of that into its own margins.

    Autograd has a node for every copy into a part. Its backward copies the whole gradient and then that of the part;
    the part that was read gets a whole gradient of zeros around its own.
    """
    (source,) = inputs
    tape = call.tape
    pad = call.kwargs["pad"]
    assert isinstance(pad, tuple)
    amounts = tuple(int(amount) for amount in pad)
    shape = padded_shape(source.shape, amounts)
    output = tape.empty(shape, None, source.itemsize)

    def into(before: Value, written: Extents, read: Value) -> Value:
        def rule(tape: Tape, gradient: Value) -> list[Value | None]:
            whole = tape.empty(shape, None, gradient.itemsize)
            part = tape.empty(written, None, gradient.itemsize)
            if read is source:
                tape.release(whole)
                return [None, part]
            tape.release(tape.empty(written, None, gradient.itemsize))  # zeros, where the part was before
            return [whole, part]

        after = tape.view(before, shape, before.strides)
        tape.record(after, [before, read], [], rule)
        tape.release(before)
        if read is not source:
            tape.release(read)
        return after

    output = into(output, source.shape, source)
    for axis in range(len(amounts) // 2):
        for amount in amounts[2 * axis : 2 * axis + 2]:
            if amount:
                part = (*shape[: -1 - axis], amount, *shape[len(shape) - axis :])
                read = tape.view(output, part, output.strides)
                tape.record(read, [output], [], lambda tape, gradient: [tape.empty(shape, None, gradient.itemsize)])
                output = into(output, part, read)
    return output


def _padded_strides(source: Value, shape: Extents, amounts: Extents) -> Extents:
    """Those of a new tensor that values are put into; where nothing is added, those of a copy of what is left."""
    if all(amount <= 0 for amount in amounts):
        return preserved(shape, source.strides)
    return layout_like(source, shape)


def channel_shuffle(call: Call, inputs: Sequence[Value]) -> Value:
    """A copy, also where it moves nothing; backward the same the other way round."""
    (source,) = inputs
    tape = call.tape

    def copy(tape: Tape, value: Value) -> Value:
        return tape.empty(value.shape, layout_like(value, value.shape), value.itemsize)

    output = copy(tape, source)
    tape.record(output, [source], [], lambda tape, gradient: [copy(tape, gradient)])
    return output


def embedding(call: Call, inputs: Sequence[Value]) -> Value:
    """Vectors at the end, then moved to the depth's place: a view."""
    tape = call.tape
    batch, depth, *extents = call.result
    rows = tape.empty((batch, *extents, depth), None, tensor(call.parameters["weight"]).itemsize)
    step = rows.strides
    record(call, inputs, rows, trained(call))
    shape = (batch, depth, *extents)
    output = tape.view(rows, shape, (step[0], step[-1], *step[1:-1]))
    moved = rows.shape

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        strides = gradient.strides
        return [tape.view(gradient, moved, (strides[0], *strides[2:], strides[1]))]

    tape.record(output, [rows], [], rule)
    tape.release(rows)
    return output


def pick(call: Call, inputs: Sequence[Value]) -> Value:
    """The maps of the given numbers, which PyTorch makes a tensor of."""
    (source,) = inputs
    tape = call.tape
    indices = call.kwargs["indices"]
    assert isinstance(indices, tuple)
    numbers = tape.empty((len(indices),), None, 8)
    output = tape.empty((source.shape[0], len(indices), *source.shape[2:]), None, source.itemsize)
    before = source.shape
    tape.record(
        output, [source], [numbers.storage], lambda tape, gradient: [tape.empty(before, None, gradient.itemsize)]
    )
    tape.release(numbers)
    return output

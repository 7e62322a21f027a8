"""Convolutions of standardised weights on the tape: a batch norm of the weight, then the convolution."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convsize.analyses.memory.autocast import half_parameter, to_type
from convsize.analyses.memory.call import Call, fresh, see
from convsize.analyses.memory.moves import reshaped
from convsize.analyses.memory.single_kernels import convolved
from convsize.analyses.memory.strides import Extents, row_major
from convsize.analyses.memory.tape import Leaf, Storage, Tape, Value


def convolution(call: Call, inputs: Sequence[Value]) -> Value:
    """The forward pass of `StdConv`: the weight as a row for each filter, its norm, and the convolution with it."""
    (source,) = inputs
    tape, leaves = call.tape, call.layer.leaves
    factor = _factor(tape, leaves["gain"]) if "gain" in leaves else None
    weight = _standardised(tape, leaves["weight"], factor)
    parameters: list[Value | Leaf] = [weight, *([leaves["bias"]] if "bias" in leaves else [])]
    # The module's own variables: the gains live to its end.
    held: list[Value] = [weight, *([factor] if factor is not None else [])]
    taken = tape.share(source)
    if tape.autocast is not None:
        # The last argument is cast first.
        copies: list[Value | Leaf] = [half_parameter(tape, each) for each in parameters[1:] if isinstance(each, Leaf)]
        copies.insert(0, to_type(tape, weight, 2))
        tape.release(taken)
        taken = to_type(tape, source, 2)
        parameters = copies
        held += [each for each in copies if isinstance(each, Value)]
    output, rule, sources = convolved(call, taken, parameters, transposed=False)
    made = parameters[0]
    assert isinstance(made, Value)
    tape.record(output, sources, [taken.storage, made.storage], rule)
    for each in (*held, taken):
        tape.release(each)
    return output


def _standardised(tape: Tape, weight: Leaf, factor: Value | None) -> Value:
    """The standardised weight, held by the caller. factor: what each filter is multiplied by."""
    shape = weight.value.shape
    rows = _view(tape, weight, (1, shape[0], prod(shape[1:])))
    normed = tape.empty(rows.shape, None, rows.itemsize)
    sources = [rows, *([factor] if factor is not None else [])]
    known = [see(tape, each) for each in sources]
    kept: list[Storage] = []
    if any(seen.needed for seen in known):
        itemsize = max(rows.itemsize, 4 if tape.device == "cuda" else 0)
        kept = [tape.allocate(shape[0] * itemsize) for _ in ("mean", "inverse deviation")]
        storages = [*(each.storage for each in sources), *kept]
        tape.record(normed, sources, storages, lambda tape, _: [fresh(tape, seen) for seen in known])
    found = reshaped(tape, normed, shape)
    for storage in kept:
        tape.drop(storage)
    for each in (rows, normed):
        tape.release(each)
    return found


def _factor(tape: Tape, gain: Leaf) -> Value:
    """The gains over the root of a filter's size, in a line."""
    product = _scaled(tape, gain)
    factor = reshaped(tape, product, product.shape[:1])
    tape.release(product)
    return factor


def _scaled(tape: Tape, leaf: Leaf) -> Value:
    """A parameter times a number, which backward keeps."""
    number = tape.number()
    output = tape.clone(leaf.value)
    tape.record(output, [leaf], [number.storage], lambda tape, gradient: [tape.like(gradient, number)])
    tape.release(number)
    return output


def _view(tape: Tape, leaf: Leaf, shape: Extents) -> Value:
    """A parameter seen in another shape."""
    before = leaf.value.shape
    output = tape.view(leaf.value, shape, row_major(shape))
    tape.record(output, [leaf], [], lambda tape, gradient: [tape.view(gradient, before, row_major(before))])
    return output

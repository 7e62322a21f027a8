"""Attention on the tape: volumes as heads, the products and the softmax between them, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convsize.analyses.memory.autocast import to_type
from convsize.analyses.memory.call import Call
from convsize.analyses.memory.moves import permuted, reshaped, split
from convsize.analyses.memory.tape import Tape, Value


def attention(call: Call, inputs: Sequence[Value]) -> Value:
    """Queries, keys and values as heads, PyTorch's fused kernel, and its result as a volume again."""
    tape = call.tape
    heads = call.kwargs["heads"]
    assert isinstance(heads, int)
    (source,) = inputs
    depth = source.shape[1] // 3
    parts = split(tape, source, [depth] * 3)
    taken = [_in_heads(tape, part, heads) for part in parts]
    for part in parts:
        tape.release(part)
    output = _fused(tape, taken)
    for each in taken:
        tape.release(each)
    turned = permuted(tape, output, (0, 1, 3, 2))
    tape.release(output)
    result = reshaped(tape, turned, call.result)
    tape.release(turned)
    return result


def _in_heads(tape: Tape, source: Value, heads: int) -> Value:
    """The vectors of all positions one after another, always a copy, seen as those of every head."""
    batch, depth, *extents = source.shape
    positions = prod(extents)
    flat = reshaped(tape, source, (batch, depth, positions))
    turned = permuted(tape, flat, (0, 2, 1))
    tape.release(flat)
    copy = tape.empty(turned.shape, None, turned.itemsize)
    tape.record(copy, [turned], [], lambda tape, gradient: [tape.share(gradient)])
    tape.release(turned)
    parts = reshaped(tape, copy, (batch, positions, heads, depth // heads))
    tape.release(copy)
    found = permuted(tape, parts, (0, 2, 1, 3))
    tape.release(parts)
    return found


def _fused(tape: Tape, taken: Sequence[Value]) -> Value:
    """The kernel: its result lies as the queries do, its gradients with the heads inside the positions."""
    half = 2 if tape.autocast is not None else taken[0].itemsize
    cast = [to_type(tape, each, half) for each in reversed(taken)][::-1]
    needed = [tape.needs(each) for each in cast]
    queries = cast[0]
    batch, heads, positions, _ = queries.shape

    def zeros(tape: Tape, like: Value) -> Value:
        _, heads, positions, depth = like.shape
        made = tape.empty(like.shape, (positions * heads * depth, depth, heads * depth, 1), half)
        made.is_view = True  # of zeros with the axes in this order
        return made

    output = tape.clone(queries)
    rows = positions
    if tape.device == "cuda" and half == 4:
        rows = -(-rows // 32) * 32
    # Without a backward pass they are gone with the operator.
    sums = tape.empty((batch, heads, rows if any(needed) else 0), None, max(half, 4))

    def rule(tape: Tape, _: Value) -> list[Value | None]:
        found: list[Value | None] = []
        for each, needs in zip([zeros(tape, each) for each in cast], needed, strict=True):
            if not needs:
                tape.release(each)
            found.append(each if needs else None)
        return found

    kept = [*(each.storage for each in cast), output.storage, sums.storage]
    tape.record(output, cast, kept, rule)
    tape.release(sums)
    for each in cast:
        tape.release(each)
    return output

"""Attention on the tape: volumes as heads, the products and the softmax between them, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convsize.analyses.memory.autocast import to_type
from convsize.analyses.memory.call import Call, see, tensor
from convsize.analyses.memory.composites import add, bounded_rule, divide, product, times_number
from convsize.analyses.memory.moves import permuted, reshaped, split
from convsize.analyses.memory.reductions import Reduction, norm_rule
from convsize.analyses.memory.single_kernels import softmaxed
from convsize.analyses.memory.strides import Extents
from convsize.analyses.memory.tape import Tape, Value


def attention(call: Call, inputs: Sequence[Value]) -> Value:
    """Queries, keys and values as heads, PyTorch's fused kernel, and its result as a volume again."""
    tape, heads = call.tape, _number(call, "heads")
    third = inputs[0].shape[1] // (3 if len(inputs) == 1 else 1)
    parts = _parts(tape, inputs, third)
    taken = [_in_heads(tape, part, heads, inside=True) for part in parts]
    for part in parts:
        tape.release(part)
    output = _fused(tape, taken)
    result = _volume(tape, output, inputs[0].shape)
    for each in taken:
        tape.release(each)
    return result


def written_attention(call: Call, inputs: Sequence[Value]) -> Value:
    """The same in operators of their own, with what is added to the scores."""
    tape, heads = call.tape, _number(call, "heads")
    parts = _parts(tape, inputs, heads * _number(call, "key_depth"))
    q, k, v = (_in_heads(tape, part, heads, inside=False) for part in parts)
    for part in parts:
        tape.release(part)
    queries = times_number(tape, q)
    turned = permuted(tape, k, (0, 1, 3, 2))
    scores = _product(tape, queries, turned)
    tape.release(queries)
    tape.release(turned)
    if call.kwargs.get("bias"):
        before, bias = scores, _bias(call)
        scores = add(tape, before, bias)
        tape.release(before)
        tape.release(bias)
    if call.kwargs.get("shift"):
        before = scores
        mask = tensor(call.parameters["mask"])
        seen = reshaped(tape, before, (before.shape[0] // mask.shape[0], mask.shape[0], *before.shape[1:]))
        tape.release(before)
        masked = add(tape, seen, call.parameters["mask"])
        scores = reshaped(tape, masked, before.shape)
        tape.release(seen)
        tape.release(masked)
    weights = softmaxed(tape, scores)
    output = _product(tape, weights, v)
    tape.release(weights)
    result = _volume(tape, output, inputs[0].shape)
    for each in (q, k, v, scores):
        tape.release(each)
    return result


def channel_attention(call: Call, inputs: Sequence[Value]) -> Value:
    """Between maps: products of queries and keys of norm 1, times a temperature, a softmax, products with values."""
    (source,) = inputs
    tape, heads = call.tape, _number(call, "heads")
    batch, depth, *extents = source.shape
    third = depth // 3
    copies = []
    for part in split(tape, source, (third,) * 3):
        flat = reshaped(tape, part, (batch, heads, third // heads, prod(extents)))
        tape.release(part)
        copies.append(_copied(tape, flat))
        tape.release(flat)
    q, k, v = copies
    queries, keys = _unit(call, q), _unit(call, k)
    turned = permuted(tape, keys, (0, 1, 3, 2))
    products = _product(tape, queries, turned)
    for each in (queries, keys, turned):
        tape.release(each)
    scores = product(tape, products, call.parameters["weight"])
    tape.release(products)
    weights = softmaxed(tape, scores)
    output = _product(tape, weights, v)
    tape.release(weights)
    result = reshaped(tape, output, (batch, third, *extents))
    for each in (output, scores, q, k, v):
        tape.release(each)
    return result


def _unit(call: Call, source: Value) -> Value:
    """Vectors over their norms, which are held above 0, as torch.nn.functional.normalize has it."""
    tape = call.tape
    found = Reduction(call.replace(kwargs={"dim": (3,), "keepdim": True}), source, wide=True)
    norms = found.output
    tape.record(norms, [source], [source.storage, norms.storage], norm_rule(found))
    bounded = tape.like(norms)
    tape.record(bounded, [norms], [norms.storage], bounded_rule(norms))
    tape.release(norms)
    spread = tape.view(bounded, source.shape, (*bounded.strides[:-1], 0))
    tape.record(spread, [bounded], [], lambda tape, gradient: [tape.share(gradient)])
    tape.release(bounded)
    result = divide(tape, source, spread)
    tape.release(spread)
    return result


def _copied(tape: Tape, source: Value) -> Value:
    """A copy in order, whatever the order was."""
    copy = tape.empty(source.shape, None, source.itemsize)
    tape.record(copy, [source], [], lambda tape, gradient: [tape.share(gradient)])
    return copy


def _number(call: Call, name: str) -> int:
    found = call.kwargs[name]
    assert isinstance(found, int)
    return found


def _parts(tape: Tape, inputs: Sequence[Value], keys: int) -> list[Value]:
    """Queries, keys and values, held by the caller: `keys` deep are the first two."""
    first, *given = inputs
    if not given:
        return split(tape, first, (keys, keys, first.shape[1] - 2 * keys))
    if len(given) == 1:
        return [tape.share(first), *split(tape, given[0], (keys, given[0].shape[1] - keys))]
    return [tape.share(each) for each in inputs]


def _in_heads(tape: Tape, source: Value, heads: int, *, inside: bool) -> Value:
    """Vectors of heads, always a copy. inside: heads lie inside the positions, else positions inside the heads."""
    batch, depth, *extents = source.shape
    positions, width = prod(extents), depth // heads
    if inside:
        flat = reshaped(tape, source, (batch, depth, positions))
        turned = permuted(tape, flat, (0, 2, 1))
    else:
        flat = reshaped(tape, source, (batch, heads, width, positions))
        turned = permuted(tape, flat, (0, 1, 3, 2))
    tape.release(flat)
    copy = _copied(tape, turned)
    tape.release(turned)
    if not inside:
        return copy
    parts = reshaped(tape, copy, (batch, positions, heads, width))
    tape.release(copy)
    found = permuted(tape, parts, (0, 2, 1, 3))
    tape.release(parts)
    return found


def _volume(tape: Tape, means: Value, source: Extents) -> Value:
    """What heads have found, as the depth of a volume with the extents of the queries."""
    turned = permuted(tape, means, (0, 1, 3, 2))
    tape.release(means)
    result = reshaped(tape, turned, (source[0], means.shape[1] * means.shape[3], *source[2:]))
    tape.release(turned)
    return result


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


def _product(tape: Tape, first: Value, second: Value) -> Value:
    """A product of two batches of heads of matrices, which PyTorch sees as one batch of matrices."""
    half = 2 if tape.autocast is not None else first.itemsize
    cast = [to_type(tape, each, half) for each in (second, first)][::-1]
    factors = [reshaped(tape, each, (prod(each.shape[:2]), *each.shape[2:])) for each in cast]
    one, other = factors
    found = tape.empty((one.shape[0], one.shape[1], other.shape[2]), None, half)
    needed = [tape.needs(each) for each in factors]
    known = [see(tape, each) for each in factors]
    kept = [each.storage for each, needs in ((one, needed[1]), (other, needed[0])) if needs]

    def rule(tape: Tape, _: Value) -> list[Value | None]:
        return [tape.empty(seen.shape, None, seen.itemsize) if seen.needed else None for seen in known]

    tape.record(found, factors, kept, rule)
    output = reshaped(tape, found, (*first.shape[:3], second.shape[3]))
    for each in (*cast, *factors, found):
        tape.release(each)
    return output


def _bias(call: Call) -> Value:
    """The learned number of every pair of positions, by the table's rows."""
    tape = call.tape
    table, index = call.parameters["weight"], tensor(call.parameters["index"])
    own = tensor(table)
    rows = tape.empty((*index.shape, own.shape[1]), None, own.itemsize)
    tape.record(rows, [table], [index.storage], lambda tape, gradient: [tape.empty(own.shape, None, gradient.itemsize)])
    found = permuted(tape, rows, (2, 0, 1))
    tape.release(rows)
    return found

"""Reductions over the depth, axes of the positions, or slices: one operator forward, a few backward."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from convsize.analyses.memory.call import Call, Recorder, record
from convsize.analyses.memory.strides import Extents
from convsize.analyses.memory.tape import Rule, Tape, Value


class Reduction:
    """A reduction of an input: its result, and how results and gradients are seen with the axes that were reduced."""

    def __init__(self, call: Call, source: Value, *, wide: bool) -> None:
        """wide: whether autocast computes it in float32 on CUDA, which reads its input as it is."""
        dim = call.kwargs["dim"]
        dims = dim if isinstance(dim, tuple) else (dim,)
        self.source = source
        self.kept: Extents = tuple(1 if at in dims else extent for at, extent in enumerate(source.shape))
        left = tuple(extent for at, extent in enumerate(source.shape) if at not in dims)
        tape = call.tape
        wider = wide and tape.autocast is not None and tape.device == "cuda"
        itemsize = max(source.itemsize, 4) if wider else source.itemsize
        self.output = tape.empty(self.kept if call.kwargs.get("keepdim") else left, None, itemsize)
        self.dims = dims

    def seen(self, value: Value) -> Value:
        """A result or its gradient with axes of 1, for its shape and strides alone: nobody holds it.

        What is known of a result in the backward pass is how it lies: under a checkpoint its storage is another one.
        """
        rest = iter(value.strides)
        whole = len(value.shape) == len(self.kept)
        strides = tuple((next(rest) if whole else 0) if at in self.dims else next(rest) for at in range(len(self.kept)))
        return Value(value.storage, self.kept, strides, value.itemsize)

    def spread(self, tape: Tape, gradient: Value) -> Value:
        """The gradient of the result as large as the input; a view, held by the caller."""
        strides = tuple(0 if at in self.dims else stride for at, stride in enumerate(self.seen(gradient).strides))
        return tape.view(gradient, self.source.shape, strides)


def _reducing(rule_of: Callable[[Reduction], Rule], *, wide: bool = False) -> Recorder:
    def recorder(call: Call, inputs: Sequence[Value]) -> Value:
        found = Reduction(call, inputs[0], wide=wide)
        return record(call, inputs, found.output, [inputs[0]], rule_of(found))

    return recorder


def _total_rule(found: Reduction) -> Rule:
    """The gradient is seen everywhere."""
    return lambda tape, gradient: [found.spread(tape, gradient)]


def mean_rule(found: Reduction) -> Rule:
    """The gradient, seen everywhere, is divided."""

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        spread = found.spread(tape, gradient)
        result = tape.like(spread)
        tape.release(spread)
        return [result]

    return rule


def _extreme_rule(found: Reduction) -> Rule:
    """The gradient goes to the places of the maximum, shared where there are several: they are marked and counted."""

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        reduced, given = found.seen(found.output), found.seen(gradient)
        places = tape.like(reduced, found.source, itemsize=1)
        counts = tape.empty(found.kept, None, 8)
        shares = tape.like(given, counts, itemsize=gradient.itemsize)
        result = tape.like(shares, places, itemsize=gradient.itemsize)
        for each in (places, counts, shares):
            tape.release(each)
        return [result]

    return rule


def norm_rule(found: Reduction) -> Rule:
    """Gradient · (x / norm), which is 0 where the norm is: marks of that live until the product is there."""

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        reduced, given = found.seen(found.output), found.seen(gradient)
        ratio = tape.like(found.source, reduced, itemsize=max(found.source.itemsize, reduced.itemsize))
        zero = tape.empty(found.kept, None, 1)
        result = tape.like(given, ratio)
        for each in (ratio, zero):
            tape.release(each)
        return [result]

    return rule


def _variance_rule(found: Reduction) -> Rule:
    """(2/n · gradient) · (x - mean): both factors and the mean live until the product is there."""

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        given = found.seen(gradient)
        means = tape.empty(found.kept, None, found.source.itemsize)
        distances = tape.like(found.source, means)
        scaled = tape.like(given)
        result = tape.like(scaled, distances)
        for each in (means, distances, scaled):
            tape.release(each)
        return [result]

    return rule


def _deviation_rule(found: Reduction) -> Rule:
    """The gradient of the variance first: gradient / (2 · deviation), 0 where the deviation is."""
    behind = _variance_rule(found)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        doubled = tape.like(found.output)
        of_variance = tape.like(gradient, doubled)
        zero = tape.like(found.output, itemsize=1)
        for each in (doubled, zero):
            tape.release(each)
        results = list(behind(tape, of_variance))
        tape.release(of_variance)
        return results

    return rule


total = _reducing(_total_rule, wide=True)
mean = _reducing(mean_rule)
extreme = _reducing(_extreme_rule)
vector_norm = _reducing(norm_rule, wide=True)
variance = _reducing(_variance_rule)
deviation = _reducing(_deviation_rule)

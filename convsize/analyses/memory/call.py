"""A call of PyTorch on the tape, and what the calls of all kinds of layers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from convsize.analyses.memory.strides import (
    Extents,
    channels_last,
    fills_channels_last,
    is_channels_last,
    is_contiguous,
    row_major,
)
from convsize.analyses.memory.tape import Leaf, Rule, Storage, Tape, Value
from convsize.geometry import Shape
from convsize.ops.base import Op, SaveMode
from convsize.record import Record


class Layer(Record):
    """A layer on the tape: its op at the volumes it has, how its tensors are kept, and its parameters by name."""

    name: str
    op: Op
    shapes: tuple[Shape, ...]
    output: Shape
    mode: SaveMode
    leaves: dict[str, Leaf]
    in_place: bool


class Call(Record):
    """One call: the layer it belongs to, its arguments, and the shape of its result where that is the layer's own.

    parameters are the layer's, or their copies in half precision.
    """

    tape: Tape
    layer: Layer
    kwargs: dict[str, object]
    result: Extents
    mode: SaveMode
    parameters: Mapping[str, Leaf | Value]


Recorder = Callable[[Call, Sequence[Value]], Value]


def padded_shape(dims: Extents, amounts: Extents) -> Extents:
    """A shape after F.pad, which counts axes from the last one."""
    found = list(dims)
    for axis in range(len(amounts) // 2):
        found[-1 - axis] += amounts[2 * axis] + amounts[2 * axis + 1]
    return tuple(found)


def as_plane(source: Value) -> tuple[Extents, Extents]:
    """Shape and strides as a kernel for planes sees them, for which a line is a plane of height 1."""
    shape, strides = source.shape, source.strides
    if len(shape) != 3:
        return shape, strides
    return (*shape[:2], 1, shape[2]), (*strides[:2], shape[2] * strides[2], strides[2])


def layout_like(source: Value, shape: Extents) -> Extents:
    """The strides of a kernel's result: channels last where the input is, else contiguous."""
    return channels_last(shape) if is_channels_last(source.shape, source.strides) else row_major(shape)


def tensor(source: Value | Leaf) -> Value:
    """A source's tensor: a parameter's own, where it is one."""
    return source.value if isinstance(source, Leaf) else source


class Seen(Record):
    """What the backward of an operator knows of an input: `strides` are those of the gradient that it makes."""

    needed: bool
    shape: Extents
    strides: Extents
    itemsize: int


def see(tape: Tape, source: Value | Leaf) -> Seen:
    """What backward will know of an input, whose gradient is channels last where it is, else contiguous."""
    value = tensor(source)
    return Seen(tape.needs(source), value.shape, layout_like(value, value.shape), value.itemsize)


def fresh(tape: Tape, seen: Seen) -> Value | None:
    """The gradient of an input as a kernel makes it."""
    return tape.empty(seen.shape, seen.strides, seen.itemsize) if seen.needed else None


def filled(tape: Tape, value: Value, *, last: bool) -> Value:
    """The values in order and without gaps, held by the caller: as they are, or a copy. last: the depth innermost."""
    if (fills_channels_last if last else is_contiguous)(value.shape, value.strides):
        return tape.share(value)
    return tape.empty(value.shape, (channels_last if last else row_major)(value.shape), value.itemsize)


def contiguous(call: Call, source: Value, *, last: bool) -> Value:
    """A norm's input as a kernel takes it that wants no gaps, held by the caller: itself, or a copy.

    A copy that nothing keeps for backward is gone with the operator: it has no bytes.
    """
    tape = call.tape
    copy = filled(tape, source, last=last)
    if copy is source:
        return source
    if tape.needs(source) or trained(call):
        tape.record(copy, [source], [], lambda tape, gradient: [tape.share(gradient)])
        return copy
    tape.release(copy)
    return Value(tape.allocate(0), copy.shape, copy.strides, copy.itemsize)


def one_kernel(tape: Tape, sources: Sequence[Value | Leaf]) -> Rule:
    """A backward that is one operator: it makes the gradients of all inputs together."""
    known = [see(tape, source) for source in sources]
    return lambda tape, _: [fresh(tape, seen) for seen in known]


def record(
    call: Call,
    inputs: Sequence[Value],
    output: Value,
    sources: Sequence[Value | Leaf],
    rule: Rule | None = None,
    *,
    outlasts: bool = False,
) -> Value:
    """Records an operator that keeps what its layer's op says; its backward is one operator where no rule is given.

    outlasts: what it makes beside its output lives until the operator has ended, also where nothing keeps it.
    """
    tape = call.tape
    # A checkpointed block keeps nothing as it runs first: what an operator makes is gone before it has ended.
    inside = tape.block is not None and tape.moment == "forward" and not outlasts
    kept, made = _kept(call, inputs, output, inside=inside)
    tape.record(output, sources, kept, rule or one_kernel(tape, sources))
    for storage in made:
        tape.drop(storage)
    return output


def _kept(call: Call, inputs: Sequence[Value], output: Value, *, inside: bool) -> tuple[list[Storage], list[Storage]]:
    """What the layer's op says that it keeps, as storages, and those among them that had to be made."""
    tape, layer = call.tape, call.layer
    kept: list[Storage] = []
    made: list[Storage] = []
    if not tape.recording:
        return kept, made
    for saved in layer.op.saved(layer.shapes, layer.output, call.mode):
        if saved.what == "input" or saved.name == "padded input":
            kept.append(inputs[saved.place].storage)
        elif saved.what == "output":
            kept.append(output.storage)
        elif saved.what == "parameter":
            kept.append(tensor(call.parameters[saved.name]).storage)
        else:
            storage = tape.allocate(saved.size, inside=inside)
            kept.append(storage)
            made.append(storage)
    return kept, made


def trained(call: Call) -> list[Leaf | Value]:
    """The layer's parameters that need a gradient."""
    return [source for source in call.parameters.values() if call.tape.needs(source)]

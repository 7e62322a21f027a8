"""Layers that are one operator forward and one backward: convolutions, norms, activations, pools."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.analyses.memory.autocast import to_type
from convsize.analyses.memory.call import Call, fresh, is_channels_last, layout_like, record, see, tensor, trained
from convsize.analyses.memory.strides import channels_last, is_contiguous
from convsize.analyses.memory.tape import Leaf, Tape, Value


def pointwise(call: Call, inputs: Sequence[Value]) -> Value:
    """Activations and norms: a result like the input, in its storage where the layer works in place."""
    (source,) = inputs
    tape = call.tape
    output = tape.view(source, source.shape, source.strides) if call.layer.in_place else tape.like(source)
    return record(call, inputs, output, [source, *trained(call)])


def softmax(call: Call, inputs: Sequence[Value]) -> Value:
    """In float32 under CUDA's autocast, which reads float16 as it is, and makes a gradient in it."""
    (source,) = inputs
    tape = call.tape
    if source.itemsize == 4 or tape.autocast is None or tape.device == "cpu":
        return pointwise(call, inputs)
    if tape.autocast == "float16":
        output = tape.like(source, 4)
        before = source.itemsize
        return record(call, inputs, output, [source], lambda tape, gradient: [tape.like(gradient, before)])
    copy = to_type(tape, source, 4)
    output = pointwise(call, [copy])
    tape.release(copy)
    return output


def window(call: Call, inputs: Sequence[Value]) -> Value:
    """Interpolation: a result of another extent."""
    (source,) = inputs
    return record(
        call, inputs, call.tape.empty(call.result, layout_like(source, call.result), source.itemsize), [source]
    )


def pool(call: Call, inputs: Sequence[Value]) -> Value:
    """On one axis PyTorch pools a plane of height 1: what comes back is a view of the plane's gradient."""
    (source,) = inputs
    tape = call.tape
    output = tape.empty(call.result, layout_like(source, call.result), source.itemsize)
    if len(source.shape) != 3:
        return record(call, inputs, output, [source])
    seen = see(tape, source)

    def rule(tape: Tape, _: Value) -> list[Value | None]:
        gradient = fresh(tape, seen)
        if gradient is not None:
            gradient.is_view = True
        return [gradient]

    return record(call, inputs, output, [source], rule)


def adaptive_max_pool(call: Call, inputs: Sequence[Value]) -> Value:
    """A pool whose indices PyTorch hands to Python, also where backward does not need them."""
    output = pool(call, inputs)
    if not call.tape.needs(inputs[0]):
        call.tape.release(call.tape.empty(call.result, None, 8))
    return output


def convolution(call: Call, inputs: Sequence[Value]) -> Value:
    """One operator, whose backward makes all its gradients together."""
    (source,) = inputs
    tape = call.tape
    output = tape.empty(call.result, layout_like(source, call.result), source.itemsize)
    parameters = [call.parameters[name] for name in ("weight", "bias") if name in call.parameters]
    sources: list[Value | Leaf] = [source, *parameters]
    known = [see(tape, each) for each in sources]
    if is_channels_last(source):
        # The weight's gradient comes out in the activations' layout, not in the weight's.
        weight = known[1]
        known[1] = weight._replace(strides=channels_last(weight.shape))
    return record(call, inputs, output, sources, lambda tape, _: [fresh(tape, seen) for seen in known])


def linear(call: Call, inputs: Sequence[Value]) -> Value:
    """Addmm: two matrix products; the bias gets the gradient itself, which is then summed over the batch."""
    (source,) = inputs
    tape, parameters = call.tape, call.parameters
    output = tape.empty(call.result, None, source.itemsize)
    known = [see(tape, source), see(tape, parameters["weight"])]
    if "bias" not in parameters:
        return record(call, inputs, output, [source, parameters["weight"]])
    biased = tape.needs(parameters["bias"])

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.share(gradient) if biased else None, *(fresh(tape, seen) for seen in known)]

    return record(call, inputs, output, [parameters["bias"], source, parameters["weight"]], rule)


def layer_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """Over the depth as the last axis: the kernel's results are contiguous there, so channels last."""
    (source,) = inputs
    tape = call.tape
    strides = channels_last(source.shape)
    output = tape.empty(source.shape, strides, source.itemsize)
    sources: list[Value | Leaf] = [source, *trained(call)]
    known = [see(tape, each) for each in sources]
    known[0] = known[0]._replace(strides=strides)
    return record(call, inputs, output, sources, lambda tape, _: [fresh(tape, seen) for seen in known])


def instance_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """A batch norm over N·D maps, with the gain and the bias repeated for every sample."""
    (source,) = inputs
    tape = call.tape
    if is_contiguous(source.shape, source.strides):
        tape.share(source)
    else:
        before, source = source, tape.empty(source.shape, None, source.itemsize)
        tape.record(source, [before], [], lambda tape, gradient: [tape.share(gradient)])
    repeated = [_repeated(tape, each, source.shape[0]) for each in trained(call)]
    output = tape.empty(source.shape, None, source.itemsize)
    record(call, [source], output, [source, *repeated])
    tape.release(source)
    for each in repeated:
        tape.release(each)
    return output


def _repeated(tape: Tape, source: Leaf | Value, times: int) -> Value:
    """A parameter repeated, of no bytes: the norm's op says what is kept of it, the rest is gone with the operator."""
    own = tensor(source).shape
    output = Value(tape.allocate(0), (times * own[0],), (1,), tensor(source).itemsize)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.view(gradient, own, (1,)) if times == 1 else tape.empty(own, None, gradient.itemsize)]

    tape.record(output, [source], [], rule)
    return output


def prelu(call: Call, inputs: Sequence[Value]) -> Value:
    """The kernel gives the slope's gradient at every value; it is summed afterwards."""
    (source,) = inputs
    tape = call.tape
    leaves = trained(call)
    seen = see(tape, source)
    output = tape.like(source)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [fresh(tape, seen), *(tape.like(gradient) for _ in leaves)]

    return record(call, inputs, output, [source, *leaves], rule)

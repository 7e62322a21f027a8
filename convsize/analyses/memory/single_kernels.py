"""Layers that are one operator forward and one backward: convolutions, norms, activations, pools."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.analyses.memory.autocast import to_type
from convsize.analyses.memory.call import (
    Call,
    Recorder,
    as_plane,
    contiguous,
    filled,
    fresh,
    layout_like,
    record,
    see,
    tensor,
    trained,
)
from convsize.analyses.memory.kernel_choice import is_unfolded, no_antialias
from convsize.analyses.memory.moves import reshaped
from convsize.analyses.memory.strides import (
    Extents,
    channels_last,
    fills_channels_last,
    is_channels_last,
    is_contiguous,
    row_major,
)
from convsize.analyses.memory.tape import Leaf, Rule, Tape, Value
from convsize.errors import UsageError


def activation(*order: str, preserves: bool = False) -> Recorder:
    """An element-by-element operator, in the storage of its input where the layer works in place.

    order: what its backward takes, the "gradient" and the "input" or the "output", in PyTorch's order.
    preserves: it lays its result out as the input lies, as a copy would.
    """

    def recorder(call: Call, inputs: Sequence[Value]) -> Value:
        (source,) = inputs
        tape = call.tape
        if call.layer.in_place:
            output = tape.view(source, source.shape, source.strides)
        else:
            output = (tape.clone if preserves else tape.like)(source)
        seen = {"input": source, "output": output}

        def rule(tape: Tape, gradient: Value) -> list[Value | None]:
            operands = [{**seen, "gradient": gradient}[each] for each in order]
            return [tape.like(*operands, itemsize=gradient.itemsize)]

        return record(call, inputs, output, [source], rule)

    return recorder


def gated(call: Call, inputs: Sequence[Value]) -> Value:
    """A half times the sigmoid of the other one; its gradient is contiguous."""
    (source,) = inputs
    tape = call.tape
    half = tape.view(source, call.result, source.strides)
    output = tape.like(half)
    tape.release(half)
    shape, itemsize = source.shape, source.itemsize
    return record(call, inputs, output, [source], lambda tape, _: [tape.empty(shape, None, itemsize)])


def batch_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """A norm that counts the batches that it sees in training: 1 is added to a buffer first."""
    if call.layer.mode.training:
        call.tape.release(call.tape.number())
    return norm(call, inputs)


def norm(call: Call, inputs: Sequence[Value]) -> Value:
    """A batch norm, or a layer norm of a vector: one kernel, whose results are channels last where its input is.

    What fills its memory in that order counts as such whatever the stride of a single sample.
    """
    (source,) = inputs
    tape = call.tape
    last = fills_channels_last(source.shape, source.strides)
    layout = channels_last(source.shape) if last else layout_like(source, source.shape)
    in_order = is_contiguous(source.shape, source.strides)
    output = tape.empty(source.shape, None if in_order else layout, source.itemsize)
    return record(call, inputs, output, [source, *trained(call)])


def group_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """A kernel that takes its input and its gradient without gaps: other ones are copied first."""
    tape = call.tape
    last = is_channels_last(inputs[0].shape, inputs[0].strides)
    source = contiguous(call, inputs[0], last=last)
    output = tape.empty(source.shape, layout_like(source, source.shape), source.itemsize)
    sources: list[Value | Leaf] = [source, *trained(call)]
    known = [see(tape, each) for each in sources]
    if last and tape.device == "cpu" and not known[0].needed and len(known) > 1:
        # The kernel for channels last writes the gradient of its input also where there is none.
        tape.fatal.append(tape.layer)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        taken = filled(tape, gradient, last=last)
        results = [fresh(tape, seen) for seen in known]
        tape.release(taken)
        return results

    record(call, [source], output, sources, rule)
    tape.release(source)
    return output


def softmax(call: Call, inputs: Sequence[Value]) -> Value:
    """Its output is kept for backward."""
    return softmaxed(call.tape, inputs[0])


def softmaxed(tape: Tape, source: Value) -> Value:
    """Contiguous whatever the input is; in float32 under CUDA's autocast, which reads float16 as it is, and makes a
    gradient in it.
    """
    before = source.itemsize
    wider = before < 4 and tape.autocast is not None and tape.device == "cuda"
    read = to_type(tape, source, 4) if wider and tape.autocast != "float16" else tape.share(source)
    output = tape.empty(source.shape, None, 4 if wider else before)
    narrow = before if wider and tape.autocast == "float16" else 0

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.empty(gradient.shape, None, narrow or gradient.itemsize)]

    tape.record(output, [read], [output.storage], rule)
    tape.release(read)
    return output


def resample(call: Call, inputs: Sequence[Value]) -> Value:
    """Interpolation and pixel shuffle, whose gradient is channels last where that of the output is.

    The nearest value of a volume of three axes is found by a kernel that makes contiguous gradients.
    """
    (source,) = inputs
    tape = call.tape
    if call.kwargs.get("antialias") and source.itemsize < 4 and tape.device == "cpu":
        raise UsageError(no_antialias(call.layer.name, tape.half))
    output = tape.empty(call.result, layout_like(source, call.result), source.itemsize)
    shape, itemsize = source.shape, source.itemsize
    flat = len(shape) == 5 and call.kwargs["mode"] == "nearest"

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        return [tape.empty(shape, None if flat else layout_like(gradient, shape), itemsize)]

    return record(call, inputs, output, [source], rule)


def pool(call: Call, inputs: Sequence[Value]) -> Value:
    """A pool of planes, or of volumes of three axes by a kernel that knows channels last."""
    return _pooled(call, inputs, contiguous=False)


def line_pool(call: Call, inputs: Sequence[Value]) -> Value:
    """A maximum over one axis: as of a plane, but where no gradient is needed a processor has a kernel for lines."""
    return _pooled(call, inputs, contiguous=call.tape.device == "cpu" and not call.tape.needs(inputs[0]))


def contiguous_pool(call: Call, inputs: Sequence[Value]) -> Value:
    """A pool of volumes of three axes by a kernel that makes contiguous results."""
    return _pooled(call, inputs, contiguous=True)


def _pooled(call: Call, inputs: Sequence[Value], *, contiguous: bool, outlasts: bool = False) -> Value:
    output, rule = _window_pool(call.tape, inputs[0], call.result, contiguous=contiguous)
    return record(call, inputs, output, inputs, rule, outlasts=outlasts)


def window_pool(tape: Tape, source: Value, result: Extents, *, contiguous: bool) -> Value:
    """An average over windows as an operator of its own, which keeps its input."""
    output, rule = _window_pool(tape, source, result, contiguous=contiguous)
    tape.record(output, [source], [source.storage], rule)
    return output


def _window_pool(tape: Tape, source: Value, result: Extents, *, contiguous: bool) -> tuple[Value, Rule]:
    """On one axis PyTorch pools a plane of height 1: what comes back is a view of the plane's gradient."""
    last = not contiguous and is_channels_last(*as_plane(source))
    strides = channels_last if last else row_major
    output = tape.empty(result, strides(result), source.itemsize)
    shape, itemsize = source.shape, source.itemsize

    def rule(tape: Tape, _: Value) -> list[Value | None]:
        gradient = tape.empty(shape, strides(shape), itemsize)
        gradient.is_view = len(shape) == 3
        return [gradient]

    return output, rule


def mean_pool(call: Call, inputs: Sequence[Value]) -> Value:
    """The mean of every map, which PyTorch computes as a mean: its gradient is repeated and divided; to more positions
    than one it is a pool.

    On one axis it is the mean of a plane of height 1: what comes back is a view of the plane's gradient.
    """
    (source,) = inputs
    tape = call.tape
    if any(extent > 1 for extent in call.result[2:]):
        return _pooled(call, inputs, contiguous=len(call.result) == 5)
    strides = (channels_last if is_channels_last(*as_plane(source)) else row_major)(call.result)
    output = tape.empty(call.result, strides, source.itemsize)
    shape, itemsize = source.shape, source.itemsize

    def rule(tape: Tape, _: Value) -> list[Value | None]:
        gradient = tape.empty(shape, None, itemsize)
        gradient.is_view = len(shape) == 3
        return [gradient]

    return record(call, inputs, output, [source], rule)


def adaptive_max_pool(call: Call, inputs: Sequence[Value]) -> Value:
    """A pool whose indices PyTorch hands to Python, also where backward does not need them."""
    output = _pooled(call, inputs, contiguous=len(call.result) == 5, outlasts=True)
    if not call.tape.needs(inputs[0]):
        call.tape.release(call.tape.empty(call.result, None, 8))
    return output


def convolution(call: Call, inputs: Sequence[Value]) -> Value:
    """One operator, whose backward makes all its gradients together."""
    return _convolution(call, inputs, transposed=False)


def transposed_convolution(call: Call, inputs: Sequence[Value]) -> Value:
    """A convolution the other way round."""
    return _convolution(call, inputs, transposed=True)


def _convolution(call: Call, inputs: Sequence[Value], *, transposed: bool) -> Value:
    (source,) = inputs
    parameters = [call.parameters[name] for name in ("weight", "bias") if name in call.parameters]
    output, rule, sources = convolved(call, source, parameters, transposed=transposed)
    return record(call, inputs, output, sources, rule)


def convolved(
    call: Call, source: Value, parameters: Sequence[Value | Leaf], *, transposed: bool
) -> tuple[Value, Rule, list[Value | Leaf]]:
    """A convolution's result, its backward, and what that gives gradients of. parameters: the weight, and a bias."""
    tape = call.tape
    # A processor's kernels for volumes of three axes that unfold them know no channels last.
    dtype = {2: tape.half, 4: "float32", 8: "float64"}[source.itemsize]
    volume = len(source.shape) == 5 and tape.device == "cpu"
    unfolded = volume and is_unfolded(call.kwargs, source.shape, dtype)
    last = _in_channels_last(source) and not unfolded
    strides = channels_last if last else row_major
    output = tape.empty(call.result, strides(call.result), source.itemsize)
    if transposed and unfolded and source.size > output.size:
        # Its result is made in a block of the input's size, which shrinks no more.
        tape.release(output)
        output = Value(tape.allocate(source.size), call.result, strides(call.result), source.itemsize)
    sources: list[Value | Leaf] = [source, *parameters]
    known = [see(tape, each) for each in sources]
    # The weight's gradient comes out in the activations' layout, not in the weight's.
    known[:2] = [seen.replace(strides=strides(seen.shape)) for seen in known[:2]]
    return output, lambda tape, _: [fresh(tape, seen) for seen in known], sources


def _in_channels_last(source: Value) -> bool:
    """Whether a convolution computes in channels last.

    It copies its input into that format first, of which a batch of single values has none. A line it copies to be
    contiguous, and then sees as a plane of height 1.
    """
    shape, strides = as_plane(source)
    if len(source.shape) == 3 and not is_contiguous(source.shape, source.strides):
        return False
    return is_channels_last(shape, strides) and is_channels_last(shape, channels_last(shape))


def linear(call: Call, inputs: Sequence[Value]) -> Value:
    """Addmm: two matrix products; the bias gets the gradient itself, which is then summed over the batch.

    The product takes the weight transposed, so that its gradient is transposed back: a view.
    """
    (source,) = inputs
    tape, parameters = call.tape, call.parameters
    output = tape.empty(call.result, None, source.itemsize)
    known = [see(tape, source), see(tape, parameters["weight"])]
    bias = [parameters["bias"]] if "bias" in parameters else []
    biased = [tape.needs(each) for each in bias]

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        results = [fresh(tape, seen) for seen in known]
        if results[1] is not None:
            results[1].is_view = True
        return [*(tape.share(gradient) if needed else None for needed in biased), *results]

    return record(call, inputs, output, [*bias, source, parameters["weight"]], rule)


def layer_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """Over the depth as the last axis: the kernel's results are contiguous there, so channels last."""
    (source,) = inputs
    tape = call.tape
    strides = channels_last(source.shape)
    output = tape.empty(source.shape, strides, source.itemsize)
    sources: list[Value | Leaf] = [source, *trained(call)]
    known = [see(tape, each) for each in sources]
    known[0] = known[0].replace(strides=strides)

    def rule(tape: Tape, _: Value) -> list[Value | None]:
        results = [fresh(tape, seen) for seen in known]
        if results[0] is not None:
            # It is seen with the depth in its place again.
            results[0].is_view = True
        return results

    return record(call, inputs, output, sources, rule)


def instance_norm(call: Call, inputs: Sequence[Value]) -> Value:
    """A batch norm over N·D maps, with the gain and the bias repeated for every sample."""
    tape = call.tape
    source = contiguous(call, inputs[0], last=False)
    batch, depth, *extents = source.shape
    maps = reshaped(tape, source, (1, batch * depth, *extents))
    repeated = [_repeated(tape, each, batch) for each in trained(call)]
    normed = tape.empty(maps.shape, None, maps.itemsize)
    record(call, [maps], normed, [maps, *repeated])
    output = reshaped(tape, normed, source.shape)
    for each in (source, maps, normed, *repeated):
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
    needed = tape.needs(source)
    output = tape.clone(source)
    weight = tensor(call.parameters["weight"])
    spread = (1, *weight.shape, *(1,) * (len(source.shape) - 2))
    slopes = Value(weight.storage, spread, row_major(spread), weight.itemsize)

    def rule(tape: Tape, gradient: Value) -> list[Value | None]:
        # The kernel makes both, needed or not.
        own, slope = (tape.like(source, slopes, gradient) for _ in range(2))
        for unneeded in [own] * (not needed) + [slope] * (not leaves):
            tape.release(unneeded)
        return [own if needed else None, *([slope] if leaves else [])]

    return record(call, inputs, output, [source, *leaves], rule)

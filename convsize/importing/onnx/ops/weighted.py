"""Operators that hold weights."""

from __future__ import annotations

from collections.abc import Callable

from convsize.importing.aten.weighted import batch_norm, convolution, layer_norm, linear, transposed
from convsize.importing.aten.windows import Pairs, same, shown
from convsize.importing.onnx.fixed import Fixed
from convsize.importing.onnx.node import Node
from convsize.importing.writer import CallError, Wire
from convsize.words import plural

__all__ = ["WEIGHTED", "pads_of"]


def pads_of(node: Node, x: Wire, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Pairs:
    """The padding of an operator that slides a window."""
    mode = node.text("auto_pad", "NOTSET")
    if mode == "VALID":
        return ((0, 0),) * x.rank
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        pairs = same(x, kernel, stride, dilation)
        return pairs if mode == "SAME_UPPER" else tuple((after, before) for before, after in pairs)
    if mode != "NOTSET":
        raise CallError(f"its `auto_pad` is {mode[:40]!r}")
    pads = node.ints("pads") or [0] * (2 * x.rank)
    if len(pads) != 2 * x.rank or any(each < 0 for each in pads):
        raise CallError(f"its `pads` are {pads}, and its input has {plural(x.rank, 'axis')} of positions")
    return tuple(zip(pads[: x.rank], pads[x.rank :], strict=True))


def _each(node: Node, name: str, axes: int) -> tuple[int, ...]:
    found = node.ints(name)
    if found is not None and (len(found) != axes or any(each < 1 for each in found)):
        raise CallError(f"its `{name}` is {found}, and its input has {plural(axes, 'axis')} of positions")
    return tuple(found or [1] * axes)


def _kernel(node: Node, x: Wire) -> Fixed:
    weight = node.fixed(1, "weights")
    if weight is None:
        raise CallError("its weights are missing")
    if len(weight.shape) != len(x.shape) or not 1 <= x.rank <= 3 or min(weight.shape) < 1:
        raise CallError(f"its weights are of {'x'.join(map(str, weight.shape))}, and its input is {shown(x)}")
    said = node.ints("kernel_shape")
    if said is not None and tuple(said) != weight.shape[2:]:
        raise CallError(f"it says a kernel of {said}, and its weights have {list(weight.shape[2:])}")
    return weight


def _bias(node: Node, at: int, size: int) -> Wire | None:
    found = node.fixed(at, "biases")
    if found is not None and found.shape != (size,):
        raise CallError(f"its biases are of {found.shape}, not of {size}")
    if found is not None and not found.learned and not found.array.any():
        return None  # PyTorch's exporter gives zeros, worked out in the graph, where there are no biases
    return node.weight(at, "biases")


def _convolution(node: Node) -> Wire:
    x = node.wire()
    weight = _kernel(node, x)
    stride, dilation = _each(node, "strides", x.rank), _each(node, "dilations", x.rank)
    pairs = pads_of(node, x, weight.shape[2:], stride, dilation)
    held = node.holder.weight(weight)
    bias = _bias(node, 2, weight.shape[0])
    return convolution(node.writer, x, held, bias, stride, pairs, dilation, node.whole("group", 1))


def _transposed(node: Node) -> Wire:
    x = node.wire()
    weight = _kernel(node, x)
    if node.text("auto_pad", "NOTSET") != "NOTSET" or node.ints("output_shape"):
        raise CallError("a transposed convolution whose padding follows from its output")
    stride, dilation = _each(node, "strides", x.rank), _each(node, "dilations", x.rank)
    pads = node.ints("pads") or [0] * (2 * x.rank)
    more = node.ints("output_padding") or [0] * x.rank
    if len(pads) != 2 * x.rank or len(more) != x.rank or min([*pads, *more]) < 0:
        raise CallError(f"its `pads` are {pads}, and its input has {plural(x.rank, 'axis')} of positions")
    # Cutting less at the end is an output padding.
    extra = tuple(out + before - after for before, after, out in zip(pads[: x.rank], pads[x.rank :], more, strict=True))
    if any(each < 0 for each in extra):
        raise CallError(f"it cuts more at the end than at the start: {pads}")
    groups = node.whole("group", 1)
    held = node.holder.weight(weight)
    bias = _bias(node, 2, weight.shape[1] * max(groups, 1))
    return transposed(node.writer, x, held, bias, stride, tuple(pads[: x.rank]), extra, groups, dilation)


def _gemm(node: Node) -> Wire:
    x = node.wire()
    weight = node.fixed(1, "weights")
    if weight is None or len(weight.shape) != 2 or len(x.shape) != 2:
        raise CallError("a product that is no fully connected layer")
    if node.whole("transA", 0) or node.number("alpha", 1.0) != 1 or node.number("beta", 1.0) != 1:
        raise CallError("a product with a transposed input or with factors")
    transposed_ = bool(node.whole("transB", 0))
    held = node.holder.weight(weight, None if transposed_ else (1, 0))
    bias = node.fixed(2, "biases")
    if bias is not None and bias.shape not in ((held.shape[0],), (1, held.shape[0])):
        raise CallError(f"its biases are of {bias.shape}, not of {held.shape[0]}")
    if bias is not None and len(bias.shape) == 2:
        bias = Fixed(bias.name, bias.array.reshape(-1), bias.learned)
    return linear(node.writer, x, held, None if bias is None else node.holder.weight(bias))


def _matmul(node: Node) -> Wire:
    left, right = node.given(0), node.given(1)
    if isinstance(left, Wire) and isinstance(right, Fixed):
        if len(right.shape) != 2:
            raise CallError("a product with weights of more than two axes")
        bias = node.given(2)  # of an addition that follows
        held = node.holder.weight(right, (1, 0))
        return linear(node.writer, left, held, node.holder.weight(bias) if isinstance(bias, Fixed) else None)
    x, y = node.wire(0), node.wire(1)
    if len(x.shape) < 2 or x.shape[:-2] != y.shape[:-2] or x.shape[-1] != y.shape[-2]:
        raise CallError(f"a product of {shown(x)} and {shown(y)}")
    return node.writer.call("matmul", (*x.shape[:-1], y.shape[-1]), {"self": x, "other": y})


def _batch_norm(node: Node) -> Wire:
    x = node.wire()
    if node.whole("training_mode", 0) or len(node.outputs) > 1:
        raise CallError("it uses the statistics of the batch: export the model for inference")
    for at in range(1, 5):
        found = node.fixed(at, "weights")
        if found is None or len(x.shape) < 2 or found.shape != (x.shape[1],):
            raise CallError(f"its weights do not go with {shown(x)}")
    gain, bias = node.weight(1, "gains"), node.weight(2, "biases")
    mean, variance = node.weight(3, "means", buffer=True), node.weight(4, "variances", buffer=True)
    assert mean is not None
    assert variance is not None
    # ONNX's momentum is the share that is kept.
    momentum = float(f"{1 - node.number('momentum', 0.9):.7g}")
    return batch_norm(node.writer, x, gain, bias, mean, variance, node.number("epsilon", 1e-5), momentum)


def _per_map(node: Node, x: Wire) -> tuple[Wire | None, Wire | None]:
    for at in (1, 2):
        found = node.fixed(at, "weights")
        if found is None or len(x.shape) < 2 or found.shape != (x.shape[1],):
            raise CallError(f"its weights do not go with {shown(x)}")
    return node.weight(1, "gains"), node.weight(2, "biases")


def _instance_norm(node: Node) -> Wire:
    x = node.wire()
    gain, bias = _per_map(node, x)
    given = {"input": x, "weight": gain, "bias": bias, "running_mean": None, "running_var": None}
    more = {"use_input_stats": True, "momentum": 0.1, "eps": node.number("epsilon", 1e-5)}
    return node.writer.call("instance_norm", x.shape, {**given, **more})


def _group_norm(node: Node) -> Wire:
    x = node.wire()
    groups = node.whole("num_groups", 0)
    if groups < 1 or x.shape[1] % groups or node.opset < 21:
        raise CallError("a group norm of an older version, or whose groups are no equal parts")
    gain, bias = _per_map(node, x)
    given = {"input": x, "num_groups": groups, "weight": gain, "bias": bias, "eps": node.number("epsilon", 1e-5)}
    return node.writer.call("group_norm", x.shape, given)


def _layer_norm(node: Node) -> Wire:
    x = node.wire()
    if len(node.outputs) > 1:
        raise CallError("its mean is used, too")
    axis = node.whole("axis", -1) % len(x.shape)
    shape = x.shape[axis:]
    for at in (1, 2):
        found = node.fixed(at, "weights")
        if found is not None and found.shape != shape:
            raise CallError(f"its weights are of {found.shape}, not of {shape}")
    gain, bias = node.weight(1, "gains"), node.weight(2, "biases")
    return layer_norm(node.writer, x, shape, gain, bias, node.number("epsilon", 1e-5))


def _prelu(node: Node) -> Wire:
    x = node.wire()
    slopes = node.fixed(1, "slopes")
    if slopes is None:
        raise CallError("its slopes are missing")
    rank = len(slopes.shape)
    own = [at for at, length in enumerate(slopes.shape) if length > 1]
    if len(own) > 1 or (own and own[0] - rank != 1 - len(x.shape)):
        raise CallError("slopes that are neither one a map nor one for all")
    held = node.holder.weight(Fixed(slopes.name, slopes.array.reshape(-1), slopes.learned))
    if held.shape[0] not in (1, x.shape[1]):
        raise CallError(f"it has {held.shape[0]} slopes, and is given {shown(x)}")
    return node.writer.call("prelu", x.shape, {"self": x, "weight": held})


def _rms_norm(node: Node) -> Wire:
    x = node.wire()
    axis = node.whole("axis", -1) % len(x.shape)
    gain = node.weight(1, "gains")
    if gain is None or gain.shape != x.shape[axis:]:
        raise CallError("its gains do not go with its input")
    given = {"input": x, "normalized_shape": x.shape[axis:], "weight": gain, "eps": node.number("epsilon", 1e-5)}
    return node.writer.call("rms_norm", x.shape, given)


WEIGHTED: dict[str, Callable[[Node], Wire]] = {
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "PRelu": _prelu,
}

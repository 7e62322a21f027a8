"""Operators that view values in other axes, or take parts of them."""

from __future__ import annotations

from collections.abc import Callable

from convsize.importing.aten.values import broadcast, concatenated, flattened, permuted, sliced, viewed
from convsize.importing.onnx.node import Node
from convsize.importing.writer import CallError, Wire
from convsize.words import plural

__all__ = ["VIEWS", "split", "split_list"]


def _reshape(node: Node) -> Wire:
    x = node.wire()
    wanted = node.numbers(1)
    if wanted is None:
        raise CallError("its sizes are missing")
    return viewed(node.writer, x, node.sizes([int(each) for each in wanted], x))


def _flatten(node: Node) -> Wire:
    x = node.wire()
    axis = node.whole("axis", 1) % len(x.shape) if node.whole("axis", 1) else 0
    if axis != 1:
        raise CallError(f"it flattens from axis {axis} on, samples with maps")
    return flattened(node.writer, x, 1) if len(x.shape) > 2 else viewed(node.writer, x, (x.shape[0], -1))


def _axes(node: Node, since: int = 13) -> list[int] | None:
    found = node.numbers(1) if node.opset >= since else node.ints("axes")
    return None if found is None else [int(each) for each in found]


def _squeeze(node: Node) -> Wire:
    x = node.wire()
    axes = _axes(node)
    if axes is None:
        axes = [at for at, length in enumerate(x.shape) if length == 1]
    gone = {each % len(x.shape) for each in axes if -len(x.shape) <= each < len(x.shape)}
    if any(x.shape[at] != 1 for at in gone) or len(gone) != len(axes):
        raise CallError(f"it drops the axes {axes}, which are not of length 1")
    return viewed(node.writer, x, tuple(length for at, length in enumerate(x.shape) if at not in gone))


def _unsqueeze(node: Node) -> Wire:
    x = node.wire()
    axes = _axes(node) or []
    rank = len(x.shape) + len(axes)
    new = {each % rank for each in axes if -rank <= each < rank}
    if len(new) != len(axes):
        raise CallError(f"it adds the axes {axes} to {len(x.shape)}")
    left = iter(x.shape)
    return viewed(node.writer, x, tuple(1 if at in new else next(left) for at in range(rank)))


def _transpose(node: Node) -> Wire:
    x = node.wire()
    order = node.ints("perm") or list(reversed(range(len(x.shape))))
    return permuted(node.writer, x, tuple(order))


def _concat(node: Node) -> Wire:
    return concatenated(node.writer, [node.wire(at) for at in range(len(node.inputs))], node.whole("axis", 0))


def _slice(node: Node) -> Wire:
    x = node.wire()
    if node.opset < 10:
        starts, ends = node.ints("starts") or [], node.ints("ends") or []
        axes, steps = node.ints("axes"), None
    else:
        starts, ends = node.numbers(1) or [], node.numbers(2) or []
        axes, steps = node.numbers(3), node.numbers(4)
    axes, steps = axes or list(range(len(starts))), steps or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise CallError("its starts and ends do not go together")
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        x = sliced(node.writer, x, int(axis), int(start), int(end), int(step))
    return x


def _gather(node: Node) -> Wire:
    x = node.wire()
    index = node.fixed(1, "indices")
    rank, axis = len(x.shape), node.whole("axis", 0)
    if index is None or not -rank <= axis < rank:
        raise CallError(f"there is no axis {axis} of {rank}")
    axis %= rank
    length = x.shape[axis]
    if any(not -length <= each < length for each in index.numbers):
        raise CallError(f"it takes {index.numbers[:5]} of an axis of {length}")
    if not index.shape:
        at = int(index.numbers[0]) % length
        shape = (*x.shape[:axis], *x.shape[axis + 1 :])
        return node.writer.call("select", shape, {"self": x, "dim": axis, "index": at})
    picked = [int(each) % length for each in index.numbers]
    if len(index.shape) > 1 or not picked:
        raise CallError("it rearranges values by a table")
    step = picked[1] - picked[0] if len(picked) > 1 else 1
    if step < 1 or picked != list(range(picked[0], picked[-1] + 1, step)):
        raise CallError("it takes maps or positions in an order of its own")
    return sliced(node.writer, x, axis, picked[0], picked[-1] + 1, step)


def _expand(node: Node) -> Wire:
    x = node.wire()
    wanted = tuple(int(each) for each in node.numbers(1) or [])
    shape = broadcast(x.shape, node.sizes(list(wanted), x) if len(wanted) == len(x.shape) else wanted)
    return x if shape == x.shape else node.writer.call("expand", shape, {"self": x, "size": shape})


def _depth_to_space(node: Node) -> Wire:
    x, block = node.wire(), node.whole("blocksize", 0)
    if x.rank != 2 or block < 1 or x.shape[1] % block**2:
        raise CallError(f"its depth cannot be spread over {block}x{plural(block, 'pixel')}")
    if node.text("mode", "DCR") != "CRD":
        raise CallError("depth to space in the order of TensorFlow, which is not PyTorch's pixel shuffle")
    shape = (x.shape[0], x.shape[1] // block**2, x.shape[2] * block, x.shape[3] * block)
    return node.writer.call("pixel_shuffle", shape, {"self": x, "upscale_factor": block})


def split(node: Node) -> tuple[Wire, ...]:
    """The parts of an axis."""
    x = node.wire()
    rank, axis = len(x.shape), node.whole("axis", 0)
    if not -rank <= axis < rank:
        raise CallError(f"there is no axis {axis} of {rank}")
    axis %= rank
    given = node.numbers(1) if node.opset >= 13 else node.ints("split")
    parts = len(node.outputs)
    if given is None:
        size = -(-x.shape[axis] // parts)
        given = [min(size, x.shape[axis] - at * size) for at in range(parts)]
    sizes = [int(each) for each in given]
    if len(sizes) != parts:
        raise CallError(f"{len(sizes)} parts are called {parts}")
    return _parts(node, x, axis, sizes)


def split_list(node: Node) -> tuple[Wire, ...]:
    """The parts of an axis as a list: of sizes that are given, or all of one size but for the last."""
    x = node.wire()
    rank, axis = len(x.shape), node.whole("axis", 0)
    size = node.fixed(1, "sizes")
    if size is None or not -rank <= axis < rank or not node.whole("keepdims", 1):
        raise CallError("it splits into single values")
    length = x.shape[axis % rank]
    if size.shape:
        return _parts(node, x, axis % rank, [int(each) for each in size.numbers])
    each = int(size.numbers[0])
    if not 1 <= each <= length or length > 4096 * each:
        raise CallError(f"an axis of {length} is split into parts of {each}")
    return _parts(node, x, axis % rank, [min(each, length - at) for at in range(0, length, each)])


def _parts(node: Node, x: Wire, axis: int, sizes: list[int]) -> tuple[Wire, ...]:
    if not sizes or sum(sizes) != x.shape[axis] or min(sizes) < 1:
        raise CallError(f"an axis of {x.shape[axis]} is split into {sizes}")
    if len(sizes) == 1:
        return (x,)
    shapes = tuple((*x.shape[:axis], size, *x.shape[axis + 1 :]) for size in sizes)
    return node.writer.calls_of("split_with_sizes", shapes, {"self": x, "split_sizes": sizes, "dim": axis})


VIEWS: dict[str, Callable[[Node], Wire]] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Slice": _slice,
    "Gather": _gather,
    "Expand": _expand,
    "DepthToSpace": _depth_to_space,
}

"""How tensors lie in memory: against PyTorch, which says it of tensors without memory."""

import random

import pytest

from convsize.analyses.memory import strides as ours

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402, N812


def layouts(count, rank=None, seed=1):
    """Tensors of random extents: axes in any order, some with gaps between them, some repeated."""
    draw = random.Random(seed)
    for _ in range(count):
        shape = tuple(draw.choice((1, 1, 2, 3, 4)) for _ in range(rank or draw.randint(1, 5)))
        order = [*range(len(shape))]
        if len(shape) > 3 and draw.random() < 0.4:  # the depth innermost
            order = [0, *order[2:], 1]
        elif draw.random() < 0.7:
            draw.shuffle(order)
        strides, step = [0] * len(shape), 1
        for axis in reversed(order):
            strides[axis] = 0 if draw.random() < 0.05 else step
            step *= shape[axis] * (2 if draw.random() < 0.1 else 1)
        yield torch.empty_strided(shape, strides, device="meta")


def of(tensor):
    return tuple(tensor.shape), tensor.stride()


def test_contiguous_tensors():
    for tensor in layouts(500):
        shape, strides = of(tensor)
        assert ours.row_major(shape) == torch.empty(shape, device="meta").stride()
        assert ours.is_contiguous(shape, strides) == tensor.is_contiguous()


@pytest.mark.parametrize(
    ("rank", "last", "pool"),
    [(4, torch.channels_last, F.max_pool2d), (5, torch.channels_last_3d, F.max_pool3d)],
)
def test_tensors_whose_depth_is_innermost(rank, last, pool):
    seen = set()
    for tensor in layouts(500, rank):
        shape, strides = of(tensor)
        innermost = torch.empty(shape, device="meta", memory_format=last).stride()
        assert ours.channels_last(shape) == innermost
        assert ours.fills_channels_last(shape, strides) == tensor.is_contiguous(memory_format=last)
        # A pool lays its result out as the kernels take its input.
        found = ours.is_channels_last(shape, strides)
        assert pool(tensor, 1).stride() == (innermost if found else ours.row_major(shape)), (shape, strides)
        seen.add((found, ours.fills_channels_last(shape, strides)))
    assert seen == {(True, True), (True, False), (False, False), (False, True)}


def test_copies():
    for tensor in layouts(500):
        assert ours.preserved(*of(tensor)) == tensor.clone().stride(), of(tensor)


def test_results_of_operators_on_two_tensors():
    for first, second in zip(layouts(500, 4), layouts(500, 4, seed=2), strict=True):
        shape = tuple(max(pair) for pair in zip(first.shape, second.shape, strict=True))
        if any(
            extent not in (1, wide) for each in (first, second) for extent, wide in zip(each.shape, shape, strict=True)
        ):
            continue
        assert ours.broadcast(tuple(first.shape), tuple(second.shape)) == shape
        assert ours.elementwise(shape, [of(first), of(second)]) == (first + second).stride(), (of(first), of(second))
    assert ours.broadcast((3,), (2, 1), (4, 1, 1)) == (4, 2, 3)


def test_views():
    draw = random.Random(3)
    known = 0
    for tensor in layouts(500):
        wanted = [*tensor.shape]
        for _ in range(draw.randint(0, 2)):
            place = draw.randrange(len(wanted))
            if len(wanted) > 1 and draw.random() < 0.5:
                place = draw.randrange(len(wanted) - 1)
                wanted[place : place + 2] = [wanted[place] * wanted[place + 1]]
            elif wanted[place] % 2 == 0:
                wanted[place : place + 1] = [2, wanted[place] // 2]
            else:
                wanted.insert(place, 1)
        try:
            expected = tensor.view(wanted).stride()
        except RuntimeError:
            expected = None
        assert ours.viewed(*of(tensor), tuple(wanted)) == expected, (of(tensor), wanted)
        known += expected is not None
    assert 100 < known < 490

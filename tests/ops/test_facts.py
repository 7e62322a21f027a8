"""Facts that PyTorch cannot witness: FLOPs beside the multiply-adds, memory on CUDA, what is refused on purpose."""

from __future__ import annotations

from fractions import Fraction

import pytest

from convsize.geometry import Padding, Shape
from convsize.ops import catalogue
from convsize.ops.base import Op, Saved, SaveMode, Suffixes

VOLUME = Shape(8, (4, 4))


def token(mnemonic: str, source: Shape = VOLUME, **suffixes) -> Op:
    return catalogue.token(mnemonic).from_suffixes(Suffixes(**suffixes), source)


def word(name: str, source: Shape = VOLUME, /, **arguments) -> Op:
    op = catalogue.word(name)
    return op.from_arguments({param.name: arguments.get(param.name, param.default) for param in op.PARAMS}, source)


def flops(op: Op, *inputs: Shape) -> int:
    return sum(work.flops for work in op.work(inputs, op.output(*inputs)))


def extra(op: Op, mode: SaveMode, *inputs: Shape) -> int:
    return sum(saved.size for saved in op.saved(inputs, op.output(*inputs), mode))


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (token("C", size=(3,), depth=16), 256),  # a bias for each of the 16·4·4 outputs
        (token("C", size=(3,), depth=16, bias=False), 0),
        (token("FC", size=(10,)), 10),
        (token("T", size=(2,), stride=(2,), depth=4), 4 * 8 * 8),
        (token("R"), 128),
        (word("gelu"), 5 * 128),
        (token("BN"), 2 * 128),
        (token("LN"), 7 * 128),
        (token("LN", bias=False), 5 * 128),
        (token("LRN"), 9 * 128),  # 5 + 4
        (token("M"), 8 * 2 * 2 * 3),  # three comparisons a window of four
        (token("A"), 8 * 2 * 2 * 4),  # three additions and a division
        (word("sumpool", kernel_size=2), 8 * 2 * 2 * 3),
        (token("GAP"), 128),
        (token("GMP"), 8 * 15),
        (word("drop"), 0),
        (word("up", scale=(2,)), 0),
        (word("up", scale=(2,), mode="bilinear"), 7 * 8 * 8 * 8),  # four products and three additions
        (word("times", k=(Fraction(1, 2),)), 128),
        (word("affine"), 2 * 128),
        (word("flat"), 0),
    ],
    ids=lambda value: value.NAME if isinstance(value, Op) else None,
)
def test_work(op, expected):
    assert flops(op, VOLUME) == expected


def test_work_of_joins():
    add, gate = catalogue.join("add").from_arguments({}, VOLUME), catalogue.join("multiply").from_arguments({}, VOLUME)
    assert flops(add, VOLUME, VOLUME, VOLUME) == 2 * 128
    assert flops(gate, VOLUME, Shape(8)) == 128


def test_transposed_multiply_adds_follow_the_input():
    # 4·4 positions · 8 in · 16 out · 2·2
    op = token("T", size=(2,), stride=(2,), depth=16)
    assert op.macs((VOLUME,), op.output(VOLUME)) == 4 * 4 * 8 * 16 * 4


def test_memory_that_differs_on_cuda():
    cpu, cuda = SaveMode(batch=2), SaveMode(batch=2, device="cuda")
    # A mask of one byte an element instead of one float.
    assert extra(word("drop"), cpu, VOLUME) == 2 * 128 * 4
    assert extra(word("drop"), cuda, VOLUME) == 2 * 128
    half = SaveMode(batch=2, device="cuda", itemsize=2)
    # Statistics stay four bytes wide: two for each of 2·16 positions.
    assert extra(token("LN"), half, VOLUME) == 2 * 2 * 16 * 4
    assert extra(token("LN"), half.replace(device="cpu"), VOLUME) == 2 * 2 * 16 * 2


def test_a_frozen_weight_is_kept_by_a_convolution_but_no_input_by_a_frozen_linear_layer():
    frozen = SaveMode(batch=1, trains=False)
    convolution, linear = token("C"), token("FC", size=(10,))
    assert convolution.saved((VOLUME,), VOLUME, frozen) == (Saved("input"), Saved("parameter", name="weight"))
    assert linear.saved((VOLUME,), Shape(10), frozen) == (Saved("parameter", name="weight"),)


def test_layer_norm_over_the_depth_has_two_parameters_a_map():
    # ConvNeXt: LN after the stem of 96 maps has 192
    op = token("LN", Shape(96, (56, 56)))
    assert sum(parameter.elements for parameter in op.parameters(Shape(96, (56, 56)))) == 192


def test_a_uneven_same_padding_becomes_a_call_of_its_own():
    # TensorFlow's 224/2 by 3: (112 - 1)·2 + 3 - 224 = 1 zero, after
    op = token("C", Shape(3, (224, 224)), size=(3,), stride=(2,), depth=32, padding=Padding("same"))
    pad, convolution = op.torch(Shape(3, (224, 224)))
    assert (pad.target, dict(pad.kwargs)["pad"]) == ("F.pad", (0, 1, 0, 1))
    assert dict(convolution.kwargs)["padding"] == (0, 0)
    assert op.output(Shape(3, (224, 224))) == Shape(32, (112, 112))


def test_pools_follow_their_window():
    assert token("M", size=(3,)).output(Shape(8, (9, 9))) == Shape(8, (3, 3))
    assert token("M", Shape(8, (9,))).output(Shape(8, (9,))) == Shape(8, (4,))
    # SqueezeNet: rounding up lets a window of 3 stand on 2 pixels, as PyTorch does.
    assert token("M", size=(3,), stride=(2,), rounding="ceil").output(Shape(8, (2, 2))) == Shape(8, (1, 1))

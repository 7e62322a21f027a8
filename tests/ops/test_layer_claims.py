"""The layers' numbers against what the lecture notes work out by hand (F and E: their formulas and examples)."""

from __future__ import annotations

import pytest

from convsize.geometry import GeometryError, Padding, Shape
from convsize.ops import catalogue
from convsize.ops.base import Op, Suffixes

VALID = Padding("valid")


def layer(mnemonic: str, source: Shape, **suffixes) -> tuple[Op, Shape]:
    op = catalogue.token(mnemonic).from_suffixes(Suffixes(**suffixes), source)
    return op, op.output(source)


def count(op: Op, source: Shape, *roles: str) -> int:
    parameters = op.parameters(source)
    return sum(p.elements for p in parameters if p.role in (roles or ("weight", "bias")))


def extent(length: int, kernel: int, stride: int = 1, zeros: int = 0, rounding: str = "floor") -> int:
    padding = Padding("explicit", ((zeros, zeros),))
    source = Shape(1, (length,))
    return layer("C", source, size=(kernel,), stride=(stride,), padding=padding, rounding=rounding)[1].spatial[0]


def test_f1_valid():
    # (L - F + 1) x (B - F + 1) = (32 - 5 + 1) x (20 - 5 + 1)
    assert layer("C", Shape(3, (32, 20)), size=(5,), depth=6, padding=VALID)[1] == Shape(6, (28, 16))


def test_f2_strided_and_exact():
    # (227 - 11)/4 + 1 = 55
    assert extent(227, 11, 4, rounding="exact") == 55
    with pytest.raises(GeometryError):
        extent(224, 11, 4, rounding="exact")


def test_f3_f4_padded():
    # (13 - 3 + 2)/1 + 1 = 13; floor((224 + 6 - 7)/2 + 1) = floor(112.5) = 112
    assert extent(13, 3, 1, 1) == 13
    assert extent(224, 7, 2, 3) == 112


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 11])
def test_f5_half_none_full(kernel):
    for mode, change in (("half", 0), ("valid", -(kernel - 1)), ("full", kernel - 1)):
        assert layer("C", Shape(1, (20,)), size=(kernel,), padding=Padding(mode))[1].spatial == (20 + change,)


@pytest.mark.parametrize(("kernel", "zeros"), [(2, (0, 1)), (4, (1, 2)), (6, (2, 3)), (3, (1, 1)), (5, (2, 2))])
def test_f6_same_for_even_kernels(kernel, zeros):
    # floor((k-1)/2) zeros before, one more after where k is even; k - 1 in all
    op, output = layer("C", Shape(1, (20,)), size=(kernel,), padding=Padding("same"))
    (axis,) = op.window(Shape(1, (20,))).axes
    assert (axis.before, axis.after) == zeros
    assert output.spatial == (20,)


def test_f7_pooling():
    # (L - P)/S + 1: (55 - 3)/2 + 1 = 27; (112 - 2)/2 + 1 = 56
    op, output = layer("M", Shape(96, (55, 55)), size=(3,), stride=(2,))
    assert output == Shape(96, (27, 27))
    assert op.parameters(Shape(96, (55, 55))) == ()
    assert layer("A", Shape(64, (112, 112)))[1] == Shape(64, (56, 56))


def test_f8_parameters():
    # D'(F·F·D + 1) = 96·(11·11·3 + 1)
    source = Shape(3, (227, 227))
    assert count(layer("C", source, size=(11,), depth=96, padding=VALID)[0], source) == 34944


def test_f9_hidden_units_and_connections():
    # F_in = 3, F_out = 4 on 7x7 by 3x3: 4·5·5 units, 3·4·3·3 + 4 parameters, 3·4·5·5·3·3 connections
    source = Shape(3, (7, 7))
    op, output = layer("C", source, size=(3,), depth=4, padding=VALID)
    assert output.elements == 100
    assert count(op, source) == 112
    assert op.macs((source,), output) == 2700


def test_f11_filter_within_the_layer():
    with pytest.raises(GeometryError, match="does not fit"):
        extent(4, 5)


def test_f12_no_convolution_after_fully_connected():
    flat = layer("FC", Shape(512, (7, 7)), size=(4096,))[1]
    with pytest.raises(GeometryError, match="convolution after flattening"):
        layer("C", flat, size=(3,))


def test_f13_pools_by_sum_and_lp():
    source = Shape(8, (6, 6))
    for name, arguments in (("sumpool", {}), ("lppool", {"norm_type": 2})):
        op = catalogue.word(name).from_arguments({"kernel_size": 2, "stride": None, **arguments}, source)
        assert op.output(source) == Shape(8, (3, 3))


def test_e1_to_e4_strides():
    assert [extent(7, 3, 1), extent(7, 3, 2)] == [5, 3]
    with pytest.raises(GeometryError, match=r"\(7 - 3\)/3 \+ 1 = 2.33 is not a whole number"):
        extent(7, 3, 3, rounding="exact")
    assert extent(7, 3, 1, 1) == 7
    with pytest.raises(GeometryError, match=r"\(10 - 3\)/2 \+ 1 = 4.5 is not a whole number"):
        extent(10, 3, 2, rounding="exact")
    # E4 prints 5; (10 - 3)/1 + 1 = 8
    assert extent(10, 3, 1) == 8


def test_e5_rectangle():
    assert layer("C", Shape(1, (3, 4)), size=(2,), padding=VALID)[1].spatial == (2, 3)


def test_e6_e7_filters():
    source = Shape(3, (32, 32))
    op, output = layer("C", source, size=(5,), depth=6, padding=VALID)
    assert output == Shape(6, (28, 28))
    # 5·5·3 + 1 = 76 a filter
    assert count(op, source, "weight") // 6 == 75
    assert count(op, source) // 6 == 76
    following = layer("C", output, size=(5,), depth=10, padding=VALID)[0]
    assert following.parameters(output)[0].shape == (10, 6, 5, 5)


def test_e8_convolution_against_fully_connected():
    source = Shape(3, (32, 32))
    # 20·(75 + 1) = 1,520; 3072·20 + 20 = 61,460
    assert count(layer("C", source, size=(5,), depth=20)[0], source) == 1520
    assert count(layer("FC", source, size=(20,))[0], source) == 61460


def test_e9_e10_fully_connected():
    # 200·200·3·100 = 12,000,000; 200·200·1000 = 40,000,000
    source = Shape(3, (200, 200))
    assert count(layer("FC", source, size=(100,))[0], source, "weight") == 12_000_000
    grey = Shape(1, (200, 200))
    op, output = layer("FC", grey, size=(1000,), bias=False)
    assert count(op, grey) == 40_000_000
    assert op.macs((grey,), output) == 40_000_000


def test_e11_units_parameters_connections():
    source = Shape(1, (7, 7))
    op, output = layer("C", source, size=(3,), depth=1, padding=VALID)
    assert (output.elements, count(op, source), op.macs((source,), output)) == (25, 10, 5 * 5 * 3 * 3)


def test_e12_repeated():
    assert [extent(32, 5), extent(28, 5)] == [28, 24]


@pytest.mark.parametrize("kernel", [3, 4])
def test_e13_full_same_valid(kernel):
    sizes = [
        layer("C", Shape(1, (5,)), size=(kernel,), padding=Padding(mode))[1].spatial[0]
        for mode in ("full", "same", "valid")
    ]
    assert sizes == [5 + (kernel - 1), 5, 5 - (kernel - 1)]


def test_e14_edge_detection():
    # 319·280 outputs of 2 multiplications and 1 addition: 267,960
    source = Shape(1, (280, 320))
    op, output = layer("C", source, size=(1, 2), depth=1, padding=VALID, bias=False)
    assert output.elements == 89_320
    macs = op.macs((source,), output)
    assert macs + output.elements * (2 - 1) == 267_960


@pytest.mark.parametrize("depth", [16, 64])
def test_e15_to_e17_factorised(depth):
    source = Shape(depth, (9, 9))

    def weights(size, out=depth, into=depth, bias=False):
        there = Shape(into, (9, 9))
        return count(layer("C", there, size=size, depth=out, bias=bias, padding=Padding("half"))[0], there)

    # 49C² + C against 27C² + 3C
    assert weights((7,), bias=True) == 49 * depth**2 + depth
    assert 3 * weights((3,), bias=True) == 27 * depth**2 + 3 * depth
    half = depth // 2
    # 1·C·C/2 + 9·C²/4 + C/2·C = 3.25C² against 9C²
    bottleneck = weights((1,), half) + weights((3,), half, half) + weights((1,), depth, half)
    assert bottleneck == 13 * depth**2 // 4
    assert weights((3,)) == 9 * depth**2
    assert weights((1, 3)) + weights((3, 1)) == 6 * depth**2
    assert source.rank == 2


def test_e18_e19_inception_multiply_adds():
    def macs(into, kernel, out):
        source = Shape(into, (28, 28))
        op, output = layer("C", source, size=(kernel,), depth=out)
        return op.macs((source,), output)

    # 28·28·(1·1·256·128 + 3·3·256·192 + 5·5·256·96)
    assert macs(256, 1, 128) + macs(256, 3, 192) + macs(256, 5, 96) == 854_196_224
    reduced = macs(256, 1, 128) + macs(256, 1, 64) + macs(64, 3, 192) + macs(256, 1, 64) + macs(64, 5, 96)
    # 28·28·(128·256 + 64·256 + 9·64·192 + 64·256 + 25·64·96 + 64·256); the notes print 358 million
    assert reduced + macs(256, 1, 64) == 271_351_808


def test_e20_global_average_pool():
    source = Shape(512, (7, 7))
    assert count(layer("FC", source, size=(4096,))[0], source, "weight") == 102_760_448
    assert layer("GAP", source)[1] == Shape(512, (1, 1))

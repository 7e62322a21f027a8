"""Every geometry error of an op, word by word."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

import convsize
from convsize.geometry import GeometryError, Padding, Shape
from convsize.ops import catalogue
from convsize.ops.base import Argument, Suffixes

VALID = Padding("valid")


def pairs(*written: tuple[int, int]) -> Padding:
    return Padding("explicit", written)


def token(mnemonic: str, dims: tuple, **suffixes) -> Callable[[], Shape]:
    source = Shape(*dims)
    return lambda: catalogue.token(mnemonic).from_suffixes(Suffixes(**suffixes), source).output(source)


def word(name: str, dims: tuple, /, **arguments: Argument) -> Callable[[], Shape]:
    source = Shape(*dims)
    op = catalogue.word(name)
    complete = {param.name: arguments.get(param.name, param.default) for param in op.PARAMS}
    return lambda: op.from_arguments(complete, source).output(source)


def join(name: str, *dims: tuple) -> Callable[[], Shape]:
    shapes = [Shape(*each) for each in dims]
    return lambda: catalogue.join(name).from_arguments({}, shapes[0]).output(*shapes)


@pytest.mark.parametrize(
    ("build", "code", "message", "help_text"),
    [
        (
            token("C", (3, (7, 7)), size=(3,), stride=(3,), padding=VALID, rounding="exact"),
            "E201",
            "(7 - 3)/3 + 1 = 2.33 is not a whole number: 1 pixel of the height is left over",
            "any one of these divides: a padding of `p1`, a kernel of 4, a stride of 2, or an input of 6 or 9 pixels",
        ),
        (
            token("C", (3, (10,)), size=(3,), stride=(2,), padding=VALID, rounding="exact"),
            "E201",
            "(10 - 3)/2 + 1 = 4.5 is not a whole number: 1 position of the length is left over",
            "any one of these divides: a kernel of 2, a stride of 1, or an input of 9 or 11 positions",
        ),
        (
            token("C", (3, (224, 224)), size=(11,), stride=(4,), padding=VALID, rounding="exact"),
            "E201",
            "(224 - 11)/4 + 1 = 54.25 is not a whole number: 1 pixel of the height is left over",
            "any one of these divides: a kernel of 12, a stride of 3, or an input of 223 or 227 pixels",
        ),
        (
            token("C", (3, (7, 8)), size=(3,), stride=(3,), padding=pairs((1, 2)), rounding="exact"),
            "E201",
            "(7 - 3 + 1 + 2)/3 + 1 = 3.33 is not a whole number: 1 pixel of the height is left over",
            "any one of these divides: a kernel of 4, a stride of 1, or an input of 6 or 9 pixels",
        ),
        (
            token("C", (3, (9, 9)), size=(3,), stride=(4,), padding=pairs((1, 1)), dilation=(2,), rounding="exact"),
            "E201",
            "(9 - 5 + 2·1)/4 + 1 = 2.5 is not a whole number: 2 pixels of the height are left over",
            "any one of these divides: a padding of `p0`, a kernel of 2, a stride of 3, or an input of 7 or 11 pixels",
        ),
        (
            token("C", (3, (2, 8)), size=(3,), padding=VALID),
            "E202",
            "a 3-wide filter does not fit the 2 pixels of the height",
            "a kernel of at most 2, a padding of `p1` or a larger input fits",
        ),
        (
            token("C", (3, (4, 8)), size=(3,), padding=pairs((0, 0)), dilation=(3,)),
            "E202",
            "a 3-wide filter dilated by 3 (reach 7) does not fit the 4 pixels of the height",
            "a kernel of at most 2, a padding of `p2` or a larger input fits",
        ),
        (
            token("C", (3, (1, 8)), size=(5,), padding=pairs((1, 1))),
            "E202",
            "a 5-wide filter does not fit the 1 + 1 + 1 = 3 pixels of the padded height",
            "a kernel of at most 3, a padding of `p2` or a larger input fits",
        ),
        (
            token("C", (3, (1,)), size=(5,), padding=pairs((1, 0))),
            "E202",
            "a 5-wide filter does not fit the 1 + 1 + 0 = 2 positions of the padded length",
            "a kernel of at most 2, a padding of `p2` or a larger input fits",
        ),
        (
            token("M", (3, (1, 1))),
            "E202",
            "a 2-wide filter does not fit the 1 pixel of the height",
            "a kernel of at most 1, a padding of `p1` or a larger input fits",
        ),
        (
            token("M", (3, (8, 8)), size=(3,), padding=pairs((2, 2))),
            "E203",
            "padding 2 is over half of the pool's 3-wide window",
            "pad by at most `p1`",
        ),
        (
            token("A", (3, (8, 8)), size=(3,), padding=pairs((-1, -1))),
            "E203",
            "a pool's padding cannot be negative: -1",
            "crop before it: `pad(-1)`",
        ),
        (
            token("C", (6, (8, 8)), groups=4),
            "E204",
            "4 groups do not divide the input's depth 6: 6/4 leaves 2",
            "take `g2`, or a depth of 8",
        ),
        (
            token("C", (6, (8, 8)), groups=3, depth=8),
            "E204",
            "3 groups do not divide the output's depth 8: 8/3 leaves 2",
            "take `g1`, or a depth of 9",
        ),
        (
            token("C", (6, (8, 8)), groups=0),
            "E111",
            "the number of groups must be at least 1, not 0",
            "write 1 or more",
        ),
        (
            token("C", (6, (8, 8)), depth=0),
            "E111",
            "the depth must be at least 1, not 0",
            "write 1 or more",
        ),
        (
            token("C", (6, (8, 8)), size=(0,)),
            "E111",
            "the kernel must be at least 1, not 0",
            "write 1 or more",
        ),
        (
            token("DW", (6, (8, 8)), depth=8),
            "E204",
            "a depthwise convolution to 8 maps needs a multiple of its input's depth 6: 8/6 leaves 2",
            "write `D6`, or leave `D` out and follow with `C1D8`",
        ),
        (
            token("DW", (6, (8, 8)), depth=4),
            "E204",
            "a depthwise convolution to 4 maps needs a multiple of its input's depth 6: 4/6 leaves 4",
            "write `D6`, or leave `D` out and follow with `C1D4`",
        ),
        (
            token("DW", (6, (8, 8)), groups=2),
            "E204",
            "a depthwise convolution has one group for each of its input's maps: 6, not 2",
            "leave `g` out, or write a convolution: `C` with `g2`",
        ),
        (
            token("C", (4096,)),
            "E205",
            "convolution after flattening: its input is a vector of 4,096 units without positions",
            "put it before the layer that flattens, or give the vector positions: `reshape(4096,1,1)`",
        ),
        (
            token("M", (1,)),
            "E205",
            "max pooling after flattening: its input is a vector of 1 unit without positions",
            "put it before the layer that flattens, or give the vector positions: `reshape(1,1,1)`",
        ),
        (
            token("GAP", (10,)),
            "E205",
            "global average pooling after flattening: its input is a vector of 10 units without positions",
            "put it before the layer that flattens, or give the vector positions: `reshape(10,1,1)`",
        ),
        (
            token("T", (10,), size=(2,)),
            "E205",
            "transposed convolution after flattening: its input is a vector of 10 units without positions",
            "put it before the layer that flattens, or give the vector positions: `reshape(10,1,1)`",
        ),
        (
            token("C", (3, (8, 8)), size=(3, 3, 3)),
            "E206",
            "`3x3x3` names 3 axes, the input has 2",
            "write one number for every axis, or 2 joined by `x`",
        ),
        (
            token("C", (3, (8, 8)), padding=pairs((1, 1), (1, 1), (1, 1))),
            "E206",
            "the padding names 3 axes, the input has 2",
            "write one number for every axis, or 2 joined by `x`",
        ),
        (
            token("C", (3, (8, 8, 8, 8))),
            "E206",
            "convolution over 4 axes: volumes have one to three",
            "fold axes together with `reshape(…)`",
        ),
        (
            token("C", (3, (8, 8)), size=(4,)),
            "E207",
            "half padding needs an odd kernel: 1·(4 - 1)/2 = 1.5 zeros on each side of the height",
            "write the padding: `p0` for none, `p1:2` to keep the extents at stride 1",
        ),
        (
            token("C", (3, (8, 8)), size=(4,), dilation=(2,)),
            "E207",
            "half padding needs an odd kernel: 2·(4 - 1)/2 = 3 zeros on each side of the height",
            "write the padding: `p0` for none, `p3` to keep the extents at stride 1",
        ),
        (
            token("T", (3, (1, 1)), size=(2,), padding=pairs((1, 1))),
            "E208",
            "(1 - 1)·1 - 1 - 1 + 2 = 0: no height is left",
            "pad less: `p0` leaves a pixel",
        ),
        (
            token("T", (3, (4, 4)), size=(2,), stride=(2,), output_padding=(2,)),
            "E209",
            "output padding 2 must be below the stride 2 or the dilation 1",
            "write `a1` or less",
        ),
        (
            token("T", (3, (4, 4)), size=(2,), output_padding=(1,)),
            "E209",
            "output padding 1 must be below the stride 1 or the dilation 1",
            "leave `a` out, or use a stride of 2",
        ),
        (
            token("T", (3, (4, 4))),
            "E101",
            "this layer needs its kernel",
            "write it after the mnemonic: `T2/2` doubles an extent",
        ),
        (
            token("C", (3, (4, 4)), padding=pairs((-2, -2))),
            "E210",
            "cropping 4 pixels leaves nothing of the 4 pixels of the height",
            "crop at most 3",
        ),
        (
            word("pad", (3, (4, 4)), amounts=(-2, -2)),
            "E210",
            "cropping 4 pixels leaves nothing of the 4 pixels of the height",
            "crop at most 3",
        ),
        (
            word("pad", (3, (4, 4)), amounts=(1, 2, 3)),
            "E206",
            "3 amounts of padding fit no input of 2 axes",
            "write `pad(n)`, `pad(before,after)`, or a before and an after for every axis",
        ),
        (
            word("pad", (3, (4, 4)), amounts=(-4, 9)),
            "E210",
            "cropping 4 pixels leaves nothing of the 4 pixels of the height",
            "crop at most 3",
        ),
        (
            word("crop", (3, (4, 4)), extents=(5,)),
            "E210",
            "a crop to 5 is larger than the 4 pixels of the height",
            "crop to at most 4",
        ),
        (
            word("crop", (3, (4, 4)), extents=(0,)),
            "E111",
            "the height that a crop leaves must be at least 1, not 0",
            "write 1 or more",
        ),
        (
            word("crop", (3, (4, 4)), extents=(1, 2, 3)),
            "E206",
            "`1x2x3` names 3 axes, the input has 2",
            "write one number for every axis, or 2 joined by `x`",
        ),
        (
            word("reshape", (16, (5, 5)), dims=(16, 24)),
            "E211",
            "16@5x5 has 16·5·5 = 400 values, 16@24 would have 16·24 = 384",
            "choose numbers whose product is 400",
        ),
        (
            word("reshape", (100,), dims=(3, 5, 5)),
            "E211",
            "100 has 100 values, 3@5x5 would have 75",
            "write `reshape(4,5,5)`",
        ),
        (
            word("reshape", (100,), dims=(7, 5, 5)),
            "E211",
            "100 has 100 values, 7@5x5 would have 175",
            "write `reshape(4,5,5)`",
        ),
        (
            word("reshape", (100,), dims=(1, 1, 1, 1, 100)),
            "E206",
            "a shape of 5 numbers: volumes have one to three axes",
            "write `reshape(c,h,w)`",
        ),
        (
            word("reshape", (100,), dims=(0, 100)),
            "E111",
            "every number of a shape must be at least 1, not 0",
            "write 1 or more",
        ),
        (
            token("GN", (10, (4, 4)), size=(4,)),
            "E212",
            "4 groups do not divide the depth 10: 10/4 leaves 2",
            "take 2, or a depth of 12",
        ),
        (
            token("GN", (10, (4, 4))),
            "E101",
            "this layer needs its number of groups",
            "write it after the mnemonic: `GN32`",
        ),
        (
            token("GN", (10, (4, 4)), size=(4, 2)),
            "E206",
            "the number of groups is one number, `4x2` are 2",
            "write `GN32`",
        ),
        (
            token("FC", (10,)),
            "E101",
            "this layer needs its number of units",
            "write it after the mnemonic: `FC10`",
        ),
        (
            token("IN", (4, (1, 1))),
            "E212",
            "instance normalisation of 4@1x1: a single position has no variance, so every output would be 0",
            "put it before the pooling, or use `LN`",
        ),
        (
            word("slice", (10, (4, 4)), start=4, stop=12),
            "E110",
            "the slice from 4 to 12 does not lie in the depth 10",
            "the maps are 0 to 9, and the second number is exclusive: `slice(4,10)`",
        ),
        (
            word("pick", (6, (4, 4)), maps=(0, 6)),
            "E110",
            "map 6 does not lie in the depth 6",
            "the maps are 0 to 5",
        ),
        (
            word("drop", (10,), p=Fraction(3, 2)),
            "E111",
            "`p` must be from 0 to 1, not 1.5",
            "write `p=0.5`",
        ),
        (
            word("droppath", (10,), p=Fraction(-1, 2)),
            "E111",
            "`p` must be from 0 to 1, not -0.5",
            "write `p=0.5`",
        ),
        (
            word("widen", (10,), depth=4),
            "E111",
            "widening 10 maps to 4 removes 6",
            "write `widen(10)` or more; `slice(0,4)` removes maps",
        ),
        (
            word("softmax", (10,), r=4),
            "E204",
            "4 slices do not divide the depth 10: 10/4 leaves 2",
            "take 2, or a depth of 12",
        ),
        (
            word("shuffle", (10, (4,)), groups=4),
            "E204",
            "4 groups do not divide the depth 10: 10/4 leaves 2",
            "take 2, or a depth of 12",
        ),
        (
            word("shuffle", (10,), groups=2),
            "E205",
            "channel shuffle after flattening: its input is a vector of 10 units without positions",
            "put it before the layer that flattens, or give the vector positions: `reshape(10,1,1)`",
        ),
        (
            word("prelu", (10,), n=3),
            "E111",
            "3 slopes for 10 maps: there must be one for all or one per map",
            "write `prelu` or `prelu(10)`",
        ),
        (
            word("lppool", (3, (4, 4)), norm_type=Fraction(0), kernel_size=2),
            "E111",
            "the norm must be above 0, not 0",
            "write `lppool(2,…)`",
        ),
        (
            word("up", (3, (4, 4)), scale=(0,)),
            "E111",
            "the scale must be above 0, not 0",
            "write `up(2)`, or `up(1/2)`",
        ),
        (
            word("up", (3,), scale=(2,)),
            "E205",
            "upsampling after flattening: its input is a vector of 3 units without positions",
            "put it before the layer that flattens, or give the vector positions: `reshape(3,1,1)`",
        ),
        (
            word("embed", (3, (4,)), vocabulary=10, depth=3),
            "E111",
            "an embedding reads one token per position, but its input is 3 deep",
            "declare the tokens as `1@4`",
        ),
        (
            word("embed", (1, (4,)), vocabulary=0, depth=3),
            "E111",
            "the vocabulary must be at least 1, not 0",
            "write 1 or more",
        ),
        (
            word("pixelshuffle", (6, (4, 4)), r=2),
            "E204",
            "2² = 4 does not divide the depth 6: 6/4 leaves 2",
            "make the depth before it a multiple of 4",
        ),
        (
            word("pixelshuffle", (6, (4,)), r=2),
            "E206",
            "pixel shuffle needs two axes, the input has 1",
            "use `up(2)` or `T2/2`",
        ),
        (
            word("bn", (6, (4, 4)), eps=Fraction(0)),
            "E111",
            "`eps` must be above 0, not 0",
            "write `eps=0.00001`",
        ),
        (
            word("lrn", (6,)),
            "E205",
            "local response normalisation after flattening: its input is a vector of 6 units without positions",
            "put it before the layer that flattens, or give the vector positions: `reshape(6,1,1)`",
        ),
        (
            word("lrn", (6, (4,)), n=0),
            "E111",
            "the window must be at least 1, not 0",
            "write 1 or more",
        ),
        (
            join("add", (128, (8, 8)), (3, (8, 8))),
            "E301",
            "the branches of this sum have different depths: 128 and 3",
            "project one of them: `C1D128` after the branch of 3@8x8",
        ),
        (
            join("add", (128, (8, 8)), (128, (4, 4))),
            "E302",
            "the branches of this sum have different extents: 128@8x8 and 128@4x4",
            "give them the same strides and paddings, or crop the larger one: `crop(…)`",
        ),
        (
            join("add", (3, (8, 8)), (128, (4, 4))),
            "E302",
            "the branches of this sum have different extents: 3@8x8 and 128@4x4",
            "give them the same strides and paddings, or crop the larger one: `crop(…)`",
        ),
        (
            join("add", (3, (8, 8)), (4,)),
            "E302",
            "the branches of this sum have different extents: 3@8x8 and 4",
            "a flat branch is added at every position: it has as many values as the volume has maps, or one",
        ),
        (
            join("add", (3, (8, 8)), (4, (1, 1))),
            "E301",
            "the branches of this sum have different depths: 3 and 4",
            "project one of them: `C1D4` after the branch of 3@8x8",
        ),
        (
            join("concatenate", (128, (8, 8)), (3, (7, 8))),
            "E303",
            "the branches of this concatenation have different extents: 128@8x8 and 3@7x8",
            "give them the same strides and paddings, or crop the larger one: `crop(…)`",
        ),
        (
            join("concatenate", (128, (8, 8)), (3,)),
            "E303",
            "a vector of 3 and a volume of 128@8x8 do not concatenate",
            "flatten the volume: end its branch with `flat`",
        ),
        (
            join("multiply", (128, (8, 8)), (3,)),
            "E304",
            "this gate does not broadcast: 128@8x8 and 3",
            "a gate has the depth 128 or 1, and one position (as after `GAP`) or as many as its input",
        ),
        (
            join("multiply", (128, (8, 8)), (128, (4, 4))),
            "E304",
            "this gate does not broadcast: 128@8x8 and 128@4x4",
            "a gate has the depth 128 or 1, and one position (as after `GAP`) or as many as its input",
        ),
        (
            lambda: catalogue.join("input").from_arguments({"dims": (3, 8, 8, 8, 8)}, Shape(3)).output(),
            "E206",
            "an input over 4 axes: volumes have one to three",
            "write `3@224x224`",
        ),
        (
            lambda: catalogue.join("input").from_arguments({"dims": (3, 0)}, Shape(3)).output(),
            "E111",
            "extent 1 of an input must be at least 1, not 0",
            "write 1 or more",
        ),
    ],
)
def test_error(build, code, message, help_text):
    with pytest.raises(GeometryError) as found:
        build()
    assert found.value.code == code
    assert found.value.message == message
    assert str(found.value) == message
    assert found.value.help == help_text


@pytest.mark.parametrize(
    ("token", "filter_text"),
    [
        ("C3p0", "a 3-wide filter"),
        ("C3d2p0", "a 3-wide filter dilated by 2 (reach 5)"),
        ("C5d3p0", "a 5-wide filter dilated by 3 (reach 13)"),
    ],
)
def test_what_a_filter_is_called(token, filter_text):
    with pytest.raises(convsize.SpecError) as found:
        convsize.parse(f"input: 1@2x2\n{token}")
    assert found.value.diagnostics[0].message == f"{filter_text} does not fit the 2 pixels of the height"

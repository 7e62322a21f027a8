"""What every rule finds, what it leaves alone, and what only looks like it."""

from typing import NamedTuple

import pytest

from convsize.check.check import check_source
from convsize.check.config import Config
from convsize.errors import Diagnostic, Source
from convsize.rules import registry


def findings(text: str, code: str) -> list[Diagnostic]:
    found = check_source(Source(text, "net.spec"), Config(style=True)).diagnostics
    assert not [each for each in found if each.severity == "error"], found
    return [each for each in found if each.code == code]


class Found(NamedTuple):
    code: str
    spec: str
    message: str


# The numbers are worked out by hand where the message does not show the division itself.
POSITIVE = [
    Found(
        "W501",
        "input: 3@13x13\nM FC10",
        "this drops the last of the 13 pixels of the height and of the width: (13 - 2)/2 + 1 = 6.5 rounds down to 6",
    ),
    Found(
        "W501",
        "input: 3@224x224\nC3D64/2p0 R FC10",
        "this drops the last of the 224 pixels of the height and of the width: (224 - 3)/2 + 1 = 111.5 rounds down to "
        "111",
    ),
    # Windows at 0 and 4 of 2 pixels: 2, 3, 6, 7 and 8 are never read; a third window would end at 9, behind pixel 8.
    Found("W501", "input: 3@9\nM2/4 FC10", "windows 2 wide at a stride of 4 skip 5 positions of the 9 of the length"),
    Found(
        "W501",
        "input: 3@16x13\nM FC10",
        "this drops the last of the 13 pixels of the width: (13 - 2)/2 + 1 = 6.5 rounds down to 6",
    ),
    # 3·3·3·64 + 64 = 1792 parameters.
    Found(
        "W502",
        "input: 3@8x8\nR as a C3D64 R @a FC10",
        "nothing uses or names the 64@8x8 that this gives: 2 layers with 1,792 parameters lead nowhere",
    ),
    Found(
        "W503",
        "input: 3@8x8\ndef b(d, s=1): C3D{d} R\nb(8) b(8,2) FC10",
        "the parameter `s` changes nothing: the block `b` never uses it",
    ),
    Found(
        "W503",
        "input: 3@8x8\ndef b(d=8, s=1): C3D{d}/{s} R\nb(8,s=2) b(8,s=1) b(s=1) FC10",
        "the default of `s` is never used: all its 3 calls give a value",
    ),
    Found(
        "W503",
        "input: 3@8x8\ndefault: M3/2\nC3D8 R M2/2 FC10",
        "this default changes nothing: no `M` in the file leaves its size out",
    ),
    Found(
        "W503",
        "input: 3@8x8\ndefault: Tb0\nC3D8 R FC10",
        "this default changes nothing: no `T` in the file leaves its bias out",
    ),
    # 512·7·7·10 + 10 = 250890; 1·1·512·512 + 512 would be more, so only the classifier is here.
    Found(
        "W504",
        "input: 512@7x7\nFC10",
        "this layer has 250,890 of the 250,890 parameters (100 %): it reads all 25,088 values of 512@7x7",
    ),
    # Two 3x3 see 5 pixels; half of 32 is 16.
    Found(
        "W505",
        "input: 3@32x32\n(C3D8 R)*2 GAP FC10",
        "every position that is averaged here sees 5 of the 32 pixels of the input's height: no unit sees "
        "pixels that are further apart",
    ),
    Found(
        "W506",
        "input: 3@8x8\nC3D64 BN R FC10",
        "the batch norm after this subtracts the mean of every map, and the bias with it: 64 parameters without effect",
    ),
    Found(
        "W506",
        "input: 3@8x8\n(C3D8 BN R)*3 FC10",
        "the batch norm after this subtracts the mean of every map, and the bias with it: 24 parameters in 3 "
        "layers without effect",
    ),
    # 10 pixels and a zero: windows of 4 at 0 and 4 read 8 pixels, and of the last 3 values one is the zero.
    Found(
        "W501",
        "input: 3@10x10\npad(0,1) C4D8/4p0 R FC10",
        "this drops the last 2 of the 10 pixels of the height and of the width: "
        "(10 + 1 - 4)/4 + 1 = 2.75 rounds down to 2",
    ),
    Found("W507", "input: 3@8x8\ndef b: R\nFC10", "the block `b` is never used"),
    Found("W507", "input: 3@8x8\ndef a: b\ndef b: R\nFC10", "the block `a` is never used"),
    Found("W507", "input: 3@8x8\nlet n=3\nFC10", "the constant `n` is never used"),
    Found("W507", "input a: 3@8x8\ninput b: 3@8x8\n@a FC10", "no layer reads the input `b`"),
    Found(
        "W507",
        "input: 3@8x8\ndef b: C3D8 as skip R\nb FC10",
        "nothing in this block starts from `@skip`, and it is not seen outside",
    ),
    Found(
        "W507",
        "input: 3@8x8\ndef a: [R | C3] as p, q R\na FC10",
        "nothing in this block starts from `@p`, and it is not seen outside",
    ),
    # The last value of a block goes on.
    Found("W507", "input: 3@8x8\ndef a: [R | C3] as p, q\na*2 a FC10", "no call of `a` takes the value `p`"),
    Found(
        "W507",
        "input: 3@8x8\n[C3D8 R | C3D4 R] as p, q FC10",
        "nothing starts from `@p`: the 8@8x8 that it names leads nowhere",
    ),
    Found(
        "W507",
        "input: 3@8x8\nC3D8 R as stem FC10\nhead again @stem: x\nhead more @stem: x\n",
        "the head `more` has no layer of its own: it gives what the head `again` gives",
    ),
    # In the corner of a padded 3x3 window lie 2·2 = 4 pixels and 5 zeros.
    Found(
        "W508",
        "input: 3@8x8\nA3/1p1 FC10",
        "zeros of the padding count in this average: 5 of the 9 values in a corner are zeros, so the maps "
        "fade towards their border",
    ),
    Found(
        "W509",
        "input: 3@8x8\ndef up(d): T2D{d}/2\nup(4) FC10",
        "`up` is a word of the language, but in this file it means this block",
    ),
    # Padding 3 on both sides of 8 pixels under 3 taps: 8 + 6 - 3 + 1 = 12 windows; the first and the last see zeros.
    Found(
        "W510",
        "input: 3@8x8\nC3D4p3 FC10",
        "padding 3 is not below the filter's reach of 3: 2 of the 12 windows along the height see only zeros",
    ),
    # ⌈(15 + 2 - 2)/2⌉ + 1 = 9 windows; the ninth begins at 8·2 - 1 = 15, behind pixel 14.
    Found(
        "W511",
        "input: 3@15x15\nM2/2p1ceil FC10",
        "rounding up gives 9 windows along the height, and the last would start at 15, after the 15 pixels: "
        "PyTorch leaves it out and gives 8, other libraries do not",
    ),
    # Taps at -1 and 1 of the single pixel 0.
    Found(
        "W511",
        "input: 3@1x1\nM2/1p1d2 FC10",
        "window 1 along the height reads the positions -1, 1 of 1 pixel, all of them padding: its maximum is minus "
        "infinity",
    ),
    Found(
        "W512",
        "input: 16@4x4\nflat drop(0.5) FC10",
        "this layer has a weight for each of the 16·16 = 256 values of 16@4x4: at another input size its weights do "
        "not fit",
    ),
    Found("W513", "input: 3@8x8\nC3D4 R R FC10", "this ReLU changes nothing: the output of relu1 is never negative"),
    Found(
        "W513",
        "input: 3@8x8\nC3D4 R M drop(0.5) R FC10",
        "this ReLU changes nothing: the output of drop1 is never negative",
    ),
    Found(
        "W513",
        "input: 3@8x8\nC3D4b0 BN BN R FC10",
        "this batch norm normalises again after the batch norm before it",
    ),
    Found("W513", "input: 3@8x8\nC3D4 relu6 relu6 FC10", "this ReLU6 changes nothing after the ReLU6 before it"),
    Found(
        "W513", "input: 3@8x8\nC3D4 flat flat FC10", "this flattening changes nothing after the flattening before it"
    ),
    # Behind a layer that does something in another call of its block, and is left alone.
    Found(
        "W513",
        "input: 3@8x8\ndef b(k): up(k) C3D4\nb(1) R R b(2) FC10",
        "this ReLU changes nothing: the output of relu1 is never negative",
    ),
    Found("W513", "input: 3@8x8\nC3D4 R drop(0) FC10", "`drop(0)` changes nothing: it drops nothing"),
    Found("W513", "input: 3@8x8\nC3D4 R up(1) FC10", "`up(1)` changes nothing: every extent stays as it is"),
    Found("W513", "input: 3@8x8\nC3D4 R M1 FC10", "`M1` changes nothing: a window of 1 at stride 1"),
    Found(
        "W513",
        "input: 3@8x8\nC3D4 lppool(2,2) R FC10",
        "this ReLU changes nothing: the output of lppool1 is never negative",
    ),
    Found(
        "W513",
        "input: 3@8x8\nC3D4 R lppool(3,2) R FC10",
        "this ReLU changes nothing: the output of lppool1 is never negative",
    ),
    Found("W513", "input: 4@8x8\nslice(0,4) FC10", "`slice(0,4)` changes nothing: it keeps all 4 maps"),
    Found("W513", "input: 4@8x8\npick(0,1,2,3) FC10", "`pick(0,1,2,3)` changes nothing: it keeps all 4 maps"),
    Found("W513", "input: 4@8x8\nwiden(4) FC10", "`widen(4)` changes nothing: it keeps all 4 maps"),
    # Three filters of 3 at dilation 2: -2, 0, 2 three times over gives the seven even offsets of -6 … 6.
    Found(
        "W514",
        "input: 3@64x64\n(C3D8d2 R)*3 C1D2",
        "of the 13 pixels of the height in its receptive field a unit after this layer sees only 7: dilation "
        "2 leaves holes",
    ),
    # Along one axis only.
    Found(
        "W514",
        "input: 3@64x64\n(C3D8d1x2 R)*3 C1D2",
        "of the 13 pixels of the width in its receptive field a unit after this layer sees only 7: dilation "
        "2 leaves holes",
    ),
    # -8, -4 … 8 and -1, 0, 1: 5 · 3 of -9 … 9. A filter without dilation, and a window of 1, leave no holes.
    Found(
        "W514",
        "input: 3@64x64\nC1D8d7 (C3D8d4 R)*2 C3D2",
        "of the 19 pixels of the height in its receptive field a unit after this layer sees only 15: "
        "dilation 4 leaves holes",
    ),
    # -4, 0, 4 and -1, 1: the odd ones of -5 … 5.
    Found(
        "W514",
        "input: 3@64x64\nC3D8d4 R C2D8d2p1 C1D2",
        "of the 11 pixels of the height in its receptive field a unit after this layer sees only 6: dilation "
        "2 and 4 leaves holes",
    ),
    # e/(e + 9) = 0.232
    Found(
        "W515",
        "input: 3@8x8\nFC10 S S",
        "this softmax gets values that the softmax before it has already put between 0 and 1: with 10 "
        "classes no probability can exceed 0.23",
    ),
    Found(
        "W517",
        "input: 3@8x8\nC3D4 R (C3D4p0:2 + x) FC10",
        "the branches look at different places: along the height the field of relu1 lies 1 pixel before that of conv2, "
        "and the maps are shifted by 1 of their 8 positions",
    ),
    Found(
        "W551",
        "input: 3@8x8\nC4D8p1:2 R FC10",
        "a filter 4 wide has no middle pixel: 3 zeros cannot be split evenly between two sides",
    ),
    # The notes: 49C² + C against 27C² + 3C; C = 64: 200768 and 110784, 44.8 % fewer.
    Found(
        "W552",
        "input: 64@16x16\nC7D64 R FC10",
        "one filter of 7x7 has 200,768 parameters; 3 of 3x3 see the same 7 pixels with 110,784 (45 % fewer) and more "
        "non-linearity",
    ),
    Found("W553", "input: 3@8x8\nC3D96 R FC10", "a depth of 96 is not a power of two"),
    Found(
        "W554",
        "input: 3@8x8\nC3D64 R C1D4 R C3D64 R FC10",
        "everything passes through 4@8x8 = 256 values here, 16 times fewer than the 4,096 of 64@8x8 before it",
    ),
    Found(
        "W555",
        "input: 3@8x8\nC1D8/2 R FC10",
        "a 1-wide window at a stride of 2 skips 3 of every 4 pixels",
    ),
    Found(
        "W556",
        "input: 3@8x8\nC3D8b0 BN C3D8 R FC10",
        "there is no activation between conv1 (C3D8b0) and conv2 (C3D8): together they are one linear layer",
    ),
    Found("W557", "input: 3@8x8\nM3/1p1 FC10", "a window of 3 at a stride of 1 and zero padding in a pool is uncommon"),
    Found(
        "W558",
        "input: 3@8x8\nC3D64 R M C3D64 R FC10",
        "after this pool the depth goes from 64 to 64, so it does not double: the volume falls from 4,096 to "
        "1,024 values",
    ),
    # 49·64·64 = 200704 against 7·64·64 + 7·64·64 = 57344.
    Found(
        "W559",
        "input: 64@17x17\nC7D64 R FC10",
        "7x7 filters have 200,704 weights here; 1x7 and then 7x1 see the same with 57,344",
    ),
    # 9·256² = 589824; 256·128 + 9·128² + 128·256 = 212992 = 3.25·256², as the notes have it.
    Found(
        "W560",
        "input: 256@8x8\nC3D256 R FC10",
        "a 3x3 filter over all 256 maps has 9·256·256 = 589,824 weights; at 128 maps, with 1x1 filters "
        "before and after, 212,992",
    ),
    Found(
        "W561",
        "input: 3@8x8\nFC10 S",
        "the output `main` ends in a softmax; a cross-entropy loss on logits, such as PyTorch's, applies its own",
    ),
    Found(
        "W518",
        "input left: 3@8x8\ninput right: 3@8x8\ndef f: C3D8 R\n@left f as a\n@right f as b\n[@a | @b] FC2",
        "`f` has other weights for each of the inputs `left` and `right`",
    ),
    Found(
        "W518",
        "input: 4@16x16\ndef f: C3 R\nC3 as a\nM as b\nM f\nhead p @a: f\nhead q @b: f",
        "`f` has other weights for each of 3 sizes of maps that it makes outputs of",
    ),
]

NEGATIVE = [
    # Only padding is dropped: (224 + 6 - 7)/2 leaves one of the three zeros behind the image.
    ("W501", "input: 3@224x224\nC7D64/2 R M3/2p1 FC10"),
    ("W501", "input: 3@13x13\nMceil FC10"),
    ("W501", "input: 3@13x13\nC1D8/2 FC10"),
    ("W501", "input: 3@13x13\ncrop(12) M FC10"),
    ("W502", "input: 3@8x8\nR as a C3D64 R as b @a FC10"),
    # The last iteration's tap goes nowhere; the iterations before use theirs.
    ("W502", "input: 3@8x8\nC3D4 as t (@t C3D4 as t R)*2 FC10"),
    ("W503", "input: 3@8x8\ndef b(d, s=1): C3D{d}/{s} R\nb(8) b(8,2) FC10"),
    # `n=c` is how a block keeps the depth that enters it: no call gives it, and it is used.
    ("W503", "input: 8@8x8\ndef se(n=c): (x * GAP FC4 R FC{n} sigmoid)\nse FC10"),
    ("W503", "input: 3@8x8\ndefault: M3/2ceil\nC3D8 R M2 FC10 \ndef b: M\nhead h: FC2"),
    ("W503", "input: 3@8x8\ndefault: Cb0\nDW3 R FC10"),
    ("W503", "input: 3@8x8\ndefault: bn(eps=0.001)\nC3b0 BN R FC10"),
    ("W503", "input: 3@8x8\ndef g(f): f(8)\ndef b(d, s=1): C3D{d}/{s}\ng(b) b(8,2) FC10"),
    ("W504", "input: 512@7x7\nGAP FC10"),
    ("W504", "input: 3@8x8\nC3D512 R C3D512 R FC10"),
    ("W505", "input: 3@32x32\nC7D8/2 R M (C3D8 R)*2 GAP FC10"),
    # A fully connected layer sees every position; a gate's pooling is not the last word.
    ("W505", "input: 3@32x32\nC3D8 R FC10"),
    ("W505", "input: 3@32x32\nC3D8 R (x * GAP FC8 sigmoid) C3D8 R FC10"),
    ("W505", "input: 1@56\nembed(9,4) C3D8p0 R GMP FC2"),
    ("W506", "input: 3@8x8\nC3D64b0 BN R FC10"),
    ("W506", "input: 3@8x8\nC3D64 R BN FC10"),
    ("W506", "input: 3@8x8\nC3D64 LN R FC10"),
    # The bias reaches the sum as well.
    ("W506", "input: 3@8x8\nC3D4 (BN R + x) FC10"),
    # The zeros of a padding layer are no pixels: these are `C3D8/2p1` and `M3/2p1`.
    ("W501", "input: 3@8x8\npad(1) C3D8/2p0 R FC10"),
    ("W501", "input: 3@8x8\npad(0,1) M3/2p0 FC10"),
    ("W501", "input: 3@8x8\npad(1,reflect) C3D8/2p0 R FC10"),
    ("W507", "input: 3@8x8\ndef a: b\ndef b: R\na FC10"),
    ("W507", "input: 3@8x8\ndef a: [R | C3] as p, q\na as u, v (@u + @v) FC10"),
    ("W507", "input: 3@8x8\ndef a: [R | C3] as p, q\ndef g(f): f as u, v (@u + @v)\ng(a) FC10"),
    ("W507", "input: 3@8x8\ndef g(f): f\ndef b: R\ng(b) FC10"),
    ("W507", "input: 3@8x8\nlet n=3, m=n\nC3D{m} R FC10"),
    ("W507", "input: 3@8x8\nC3D8 R as trunk FC10"),
    ("W507", "input: 3@8x8\n[C3D8 R | C3D4 R] as p, q FC10\nhead h @p: FC2"),
    ("W507", "input: 3@8x8\nC3D8 R as stem FC10\nhead maps @stem: x"),
    ("W508", "input: 3@8x8\nA3/1p1z0 FC10"),
    ("W508", "input: 3@8x8\nA2 FC10"),
    ("W508", "input: 3@8x8\nM3/1p1 FC10"),
    ("W509", "input: 3@8x8\ndef rise(d): T2D{d}/2\nrise(4) FC10"),
    ("W510", "input: 3@8x8\nC3D4pfull FC10"),
    ("W510", "input: 3@8x8\nC3D4d3 FC10"),
    ("W510", "input: 3@8x8\nT3D4/2p3 FC10"),
    ("W511", "input: 3@7x7\nMceil FC10"),
    ("W511", "input: 3@15x15\nM2/2p1 FC10"),
    ("W511", "input: 3@2x2\nM2/1p1d2 FC10"),
    ("W512", "input: 16@4x4\nGAP FC10"),
    ("W512", "input: 16@1x1\nFC10"),
    ("W513", "input: 3@8x8\nC3D4 R M C3D4 R FC10"),
    ("W513", "input: 3@8x8\nC3D4 leaky(0.1) R FC10"),
    ("W513", "input: 3@8x8\nC3D4 lppool(1,2) R FC10"),  # sums, of either sign
    ("W513", "input: 3@8x8\nC3D4 flat FC10"),
    # Doing nothing at this size only, and in one of two calls only.
    ("W513", "input: 3@1x1\nC1D4 R GAP FC10"),
    ("W513", "input: 3@8x8\ndef b(k): up(k) C3D4\nb(1) R b(2) FC10"),
    ("W513", "input: 3@8x8\nC3D4 BN R BN FC10"),
    ("W514", "input: 3@64x64\nC3D8 R C3D8d2 R C3D8d3 R C1D2"),
    ("W514", "input: 3@64x64\nC3D8d2 R C3D8 R C1D2"),
    # Holes of a strided 1x1, not of dilation: W555 says that.
    ("W514", "input: 3@64x64\nC1D8/2 R C3D8 R C1D2"),
    ("W515", "input: 3@8x8\nFC10 S"),
    ("W515", "input: 3@8x8\nFC8 sigmoid FC10 S"),
    ("W517", "input: 3@8x8\nC3D4 R (C3D4 + x) FC10"),
    ("W517", "input: 3@32x32\nC3D8 R [x | M C3D16 R T2D8/2] C3D8 R FC10"),
    # Half a unit: an even window beside an odd one.
    ("W517", "input: 3@32x32\nC3D8 R (C3D8/2 + A C1D8) FC10"),
    ("W518", "input left: 3@8x8\ninput right: 3@8x8\nshared f: C3D8 R\n@left f as a\n@right f as b\n[@a | @b] FC2"),
    (
        "W518",
        "input left: 3@8x8\ninput right: 3@8x8\ndef f(n): C3D{n} R\n@left f(8) as a\n@right f(4) as b\n[@a | @b] FC2",
    ),
    ("W518", "input left: 3@8x8\ninput right: 3@8x8\ndef f: R M\n@left f as a\n@right f as b\n[@a | @b] FC2"),
    ("W518", "input left: 3@8x8\ninput right: 3@8x8\ndef f: C3 R\n@left f f as a\n(@a + @right) FC2"),
    ("W518", "input: 4@16x16\ndef f: C3 R\nC3 as a\nM f\nhead p @a: f"),
    ("W551", "input: 3@8x8\nC3D8 R FC10"),
    ("W551", "input: 3@8x8\nC4D8/4p0 R FC10"),
    ("W551", "input: 1@4000\nC80D8/4pvalid R FC10"),  # no zeros to be split
    ("W551", "input: 3@8x8\nT4D8/2p1 R FC10"),
    ("W552", "input: 64@16x16\nC3D64 R FC10"),
    # Along one axis 5C² weights against 3C² + 3C²: no fewer.
    ("W552", "input: 64@16\nC5D64 R FC10"),
    ("W552", "input: 3@64x64\nC7D64/2 R FC10"),
    ("W552", "input: 64@16x16\nC7D64g64 R FC10"),
    ("W553", "input: 3@8x8\nC3D64 R C1D21"),
    ("W554", "input: 3@8x8\nC3D64 R (C1D4 R C1D64 + x) R FC10"),
    ("W554", "input: 3@8x8\nC3D64 R M C3D64 R GAP FC10"),
    ("W554", "input: 3@8x8\nC3D64 R C3D2"),
    ("W555", "input: 3@8x8\nC3D8/2 R FC10"),
    ("W555", "input: 3@8x8\nC1D8 R FC10"),
    ("W556", "input: 3@8x8\nC3D8 R C3D8 R FC10"),
    ("W556", "input: 3@8x8\nC3D8 M C3D8 R FC10"),
    ("W556", "input: 3@8x8\nC3D8 (x + x) C3D8 R FC10"),
    ("W557", "input: 3@8x8\nM FC10"),
    ("W557", "input: 3@9x9\nM3/2 FC10"),
    ("W557", "input: 3@7x7\nA7 FC10"),
    ("W557", "input: 3@4x8x8\nM1x2x2 FC10"),
    ("W558", "input: 3@8x8\nC3D64 R M C3D128 R FC10"),
    ("W558", "input: 3@8x8\nC3D64 R M FC10"),
    ("W559", "input: 64@17x17\nC1x7D64 R C7x1D64 R FC10"),
    ("W559", "input: 64@17x17\nC3D64 R FC10"),
    ("W560", "input: 512@8x8\nC1D256 R C3D256 R FC10"),
    ("W560", "input: 128@8x8\nC3D256 R FC10"),
    ("W560", "input: 256@8x8\nC3D256g32 R FC10"),
    ("W561", "input: 3@8x8\nFC10"),
    ("W561", "input: 3@8x8\nFC10 S FC2"),
]


@pytest.mark.parametrize("case", POSITIVE, ids=lambda case: f"{case.code} {case.spec.partition(chr(10))[2][:40]}")
def test_is_found_with_its_numbers(case: Found) -> None:
    found = findings(case.spec, case.code)
    assert case.message in [each.message for each in found]
    assert all(each.help for each in found)


@pytest.mark.parametrize(("code", "spec"), NEGATIVE, ids=lambda text: text.partition("\n")[2][:40] or text)
def test_is_left_alone(code: str, spec: str) -> None:
    assert not findings(spec, code)


def test_every_rule_that_looks_at_networks_is_tried_both_ways() -> None:
    codes = {rule.code for rule in registry.checks(style=True) if rule.find is not None}
    assert {case.code for case in POSITIVE} == codes
    assert codes - {code for code, _ in NEGATIVE} == set()


def test_a_place_in_a_repeated_block_is_said_once_and_its_call_is_shown() -> None:
    text = "input: 3@8x8\ndef cv(d): C3D{d} BN R\ncv(8)*3 cv(16) FC10"
    (found,) = findings(text, "W506")
    assert Source(text).slice(found.span) == "C3D{d}"
    assert [Source(text).slice(label.span) for label in found.labels] == ["cv(8)"]


# ---- fixes -----------------------------------------------------------------------------------------------------------


FIXED = [
    ("W501", "input: 3@14x14\nC3D8 R M3/2 FC10", "input: 3@14x14\nC3D8 R M3/2ceil FC10", False),
    ("W501", "input: 3@14x14\nC3D8/2p0 R FC10", "input: 3@14x14\nC3D8/2p0:1 R FC10", False),
    (
        "W503",
        "input: 3@8x8\ndef b(d, s=1): C3D{d}/{s} R\nb(8,2) FC10",
        "input: 3@8x8\ndef b(d, s): C3D{d}/{s} R\nb(8,2) FC10",
        True,
    ),
    ("W506", "input: 3@8x8\nC3D64/1ceil BN R FC10", "input: 3@8x8\nC3D64/1b0ceil BN R FC10", False),
    ("W506", "input: 3@8x8\nconv3-64 BN R FC10", "input: 3@8x8\nC3D64b0 BN R FC10", False),
    (
        "W506",
        "input: 3@8x8\ndef cv(d): C3D{2*d} BN R\ncv(8) FC10",
        "input: 3@8x8\ndef cv(d): C3D{2*d}b0 BN R\ncv(8) FC10",
        False,
    ),
    ("W507", "input: 3@8x8\ndef b: C3D8 as skip R\nb FC10", "input: 3@8x8\ndef b: C3D8 R\nb FC10", True),
    ("W507", "input: 3@8x8\nlet k=3\nFC10", "input: 3@8x8\nFC10", True),
    (
        "W507",
        "input: 3@8x8\n# before\nlet k=3  # why\n# after\nFC10",
        "input: 3@8x8\n# before\n# why\n# after\nFC10",
        True,
    ),
    ("W507", "input: 3@8x8\r\nFC10\r\nlet k=3", "input: 3@8x8\r\nFC10\r\n", True),
    ("W507", "input: 3@8x8\nlet n=3, k=[1, 2], m=4\nFC{m+n}", "input: 3@8x8\nlet n=3, m=4\nFC{m+n}", True),
    ("W507", "input: 3@8x8\nlet n=3, k=2\nFC{n}", "input: 3@8x8\nlet n=3\nFC{n}", True),
    ("W507", "input: 3@8x8\ndef b(d): (C3D{d}\n  R)\nFC10", "input: 3@8x8\nFC10", True),
    # A comment inside is its author's to keep or to take away.
    ("W507", "input: 3@8x8\ndef b(d): (C3D{d} # wide\n  R)\nFC10", None, None),
    ("W507", "input: 3@8x8\nlet n=3, # why\n k=2\nFC{n}", None, None),
    ("W508", "input: 3@8x8\nA3/1p1 FC10", "input: 3@8x8\nA3/1p1z0 FC10", False),
    ("W511", "input: 3@15x15\nM2/2p1ceil FC10", "input: 3@15x15\nM2/2p1floor FC10", False),
    # Rounding down would lose the last of the 13 pixels of the width.
    ("W511", "input: 3@15x13\nM2/2p1x0ceil FC10", None, None),
    ("W513", "input: 3@8x8\nC3D4 R R FC10", "input: 3@8x8\nC3D4 R FC10", False),
    ("W513", "input: 3@8x8\nC3D4RR FC10", "input: 3@8x8\nC3D4R FC10", False),
    ("W513", "input: 3@8x8\nC3D4b0 BN BN R FC10", "input: 3@8x8\nC3D4b0 BN R FC10", False),
    # A repeat and a lone item are left to the reader.
    ("W513", "input: 3@8x8\nC3D4 R*3 FC10", None, None),
    ("W513", "input: 3@8x8\nC3D4 R [R | C3D4 R] FC10", None, None),
    ("W561", "input: 3@8x8\nFC10 S", "input: 3@8x8\nFC10", False),
]


@pytest.mark.parametrize(("code", "spec", "fixed", "safe"), FIXED, ids=lambda value: str(value)[-30:])
def test_the_fix_edits_the_text(code: str, spec: str, fixed: str | None, safe: bool | None) -> None:
    found = findings(spec, code)
    fixes = [fix for each in found for fix in each.fixes]
    if safe is None:
        assert not fixes
        return
    (fix,) = fixes
    assert fix.safe == safe
    text = spec[: fix.span.start] + fix.replacement + spec[fix.span.end :]
    assert text == fixed
    assert not findings(text, code)


def test_a_place_that_is_right_in_another_call_is_not_edited() -> None:
    text = "input: 3@8x8\ndef cv(d): C3D{d}\ncv(8) BN R cv(8) R FC10"
    (found,) = findings(text, "W506")
    assert not found.fixes


@pytest.mark.parametrize(
    ("layer", "stride"),
    [
        ("C11D8/12p0", "/11"),  # not the first digit of 11
        ("C3x11D8/4x12p0", "/3x11"),
        ("C11x3D8/12x4p0", "/11x3"),
        ("C11x12D8/12x13p0", "/11x12"),
        ("C2D8/3p0", "/2"),
        ("C3D8/4x2p0", "/3x2"),
    ],
)
def test_a_stride_that_skips_pixels_is_made_as_wide_as_the_window(layer: str, stride: str) -> None:
    (found,) = findings(f"input: 3@64x64\n{layer} R FC10", "W501")
    assert found.help == f"stride by at most the window: `{stride}`"


def test_layers_that_keep_all_maps_can_be_removed() -> None:
    for layer in ("slice(0,4)", "pick(0,1,2,3)", "widen(4)"):
        (found,) = findings(f"input: 4@8x8\n{layer} FC10", "W513")
        assert [fix.replacement for fix in found.fixes] == [""]
        assert found.help == "remove it"
    for layer in ("slice(0,3)", "slice(1,4)", "pick(0,1,3,2)", "pick(0,1,2)", "widen(5)"):
        assert not findings(f"input: 4@8x8\n{layer} FC10", "W513")


def test_holes_are_told_once_for_a_filter_that_several_outputs_stand_on() -> None:
    text = "input: 3@64x64\nC5D8d2 R (C3D8d2 R)*2 as a C1D2\nhead other @a: C1D4\n"
    (found,) = findings(text, "W514")
    assert Source(text).slice(found.span) == "C3D8d2"
    # Each of two branches has filters of its own.
    apart = "input: 3@64x64\nC1D8 as a (C3D8d2 R)*3 C1D2\nhead other @a: (C5D8d2 R)*3 C1D4\n"
    assert len(findings(apart, "W514")) == 2


@pytest.mark.parametrize("end", ["T1D8/2", "T1D8/3", "T1D8/2 C1"])
def test_units_that_see_nothing_are_passed_over(end: str) -> None:
    # One undilated filter leaves no holes, whatever stands behind it.
    assert not findings(f"input: 3@32x32\nC3D8 R C3D8d2 R {end}", "W514")
    (found,) = findings(f"input: 3@32x32\n(C3D8d2 R)*3 {end}", "W514")
    assert found.message.startswith(
        "of the 13 pixels of the height in its receptive field a unit after this layer sees "
    )


def test_of_several_inputs_the_one_of_which_most_is_seen_is_told() -> None:
    for inputs in ("input a: 3@64x64\ninput b: 3@64x64", "input b: 3@64x64\ninput a: 3@64x64"):
        (found,) = findings(f"{inputs}\n@a [C3D8 | @b (C3D8d2 R)*2] C3D8d2 C1D2", "W514")
        assert found.message.startswith("of the 13 pixels of the height in its receptive field a unit after this")


def test_an_output_of_which_no_unit_sees_anything_has_no_holes() -> None:
    # T1/4 on 32 units: 0, 4 … 124 of 125 see one, and crop(2) takes numbers 61 and 62.
    assert not findings("input: 3@32\n(C3D8d2 R)*3 T1/4 [crop(2) | crop(2)]", "W514")


@pytest.mark.parametrize(
    ("code", "text", "help_text"),
    [
        ("W555", "input: 3@8x8\ndef b(d, s): C1D{d}b0/{s} BN\nb(8,2)\n", "`A{s} C1D{d}b0`"),
        ("W555", "input: 3@8x8\nC1D8/2 R FC10", "`A2 C1D8`"),
        ("W560", "input: 256@8x8\nC3D256 R FC10", "`C1D128 R C3D128 R C1D256`"),
        ("W560", "input: 256@8x8\nC3D256b0 BN R FC10", "`C1D128b0 BN R C3D128b0 BN R C1D256b0`"),
        ("W560", "input: 256@8x8\nC3D256/2p1 R FC10", "`C1D128 R C3D128/2p1 R C1D256`"),
        ("W560", "input: 256@8x8\ndef b(d): C3D{d} R\nb(256) b(512) FC10", "in the block's parameters"),
    ],
)
def test_advice_is_written_in_the_terms_of_its_place(code: str, text: str, help_text: str) -> None:
    found = check_source(Source(text, "net.spec"), Config(style=True, select=(code,))).diagnostics
    assert found[0].code == code
    assert found[0].help.endswith(help_text)

"""The pages of E201 to E212: volumes that cannot be. The ops raise these, the builder places them."""

from __future__ import annotations

from convsize.rules.base import Rule

RULES = (
    Rule(
        code="E201",
        name="not-exact",
        summary="a stride that leaves pixels over under `exact`",
        checks=(
            "Layers with the rounding `exact` whose (L - F + 2P)/S is not a whole number. The message shows the "
            "division."
        ),
        why=(
            "The notes call such a layer not valid. Libraries round down and drop the last pixels; `exact` makes that "
            "an error, W501 a warning."
        ),
        source="Aggarwal, ch. 8; Varma & Das, ch. 12: width 10, F = 3, stride 2 gives 4.5.",
        example="input: 3@10x10\nC3D64/2p0exact R FC10\n",
        better="input: 3@11x11\nC3D64/2p0exact R FC10\n",
        fix="The message names the nearest padding, kernel, stride and input sizes that divide.",
    ),
    Rule(
        code="E202",
        name="filter-too-large",
        summary="a filter or pool larger than its padded input",
        checks="Windows (dilated ones with their full reach) that are larger than the padded input.",
        why=(
            "The output would have no pixel. Usually earlier strides have made the map too small: the help shows where."
        ),
        source="Aggarwal, ch. 8: the filter's size must not exceed the layer's.",
        example="input: 3@4x4\nC7D64p0 R FC10\n",
        better="input: 3@4x4\nC3D64p0 R FC10\n",
        fix="Use a smaller window, more padding, fewer strides before it, or a larger input.",
    ),
    Rule(
        code="E203",
        name="pool-padding",
        summary="a pool's padding over half its window",
        checks="Pools with more zeros on one side than half the window's reach, or with negative padding.",
        why="A window could lie entirely in the padding, with nothing to pool; PyTorch refuses this too.",
        source="PyTorch: pad should be at most half of the effective kernel size.",
        example="input: 3@32x32\nC3D64 R M2p2 FC10\n",
        better="input: 3@32x32\nC3D64 R M2p1 FC10\n",
        fix="Pad less, or pad before the pool with `pad(n)`.",
    ),
    Rule(
        code="E204",
        name="groups-do-not-divide",
        summary="groups or equal parts that do not divide the depth",
        checks=(
            "Grouped and depthwise convolutions, `shuffle`, `softmax(r)` and `pixelshuffle`, where the number of "
            "groups does not divide the input or output depth."
        ),
        why=(
            "Every group gets the same number of maps, so choose a depth that the groups of all later layers "
            "divide: 48 maps can be split into 16 groups, but not into 32."
        ),
        source="Krizhevsky et al. 2012, two groups; Xie et al. 2017, ResNeXt.",
        example="input: 3@32x32\nC3D48 R C3D64g32 R FC10\n",
        better="input: 3@32x32\nC3D64 R C3D64g32 R FC10\n",
        fix="Use a different depth, or a number of groups that divides both: the message names them.",
    ),
    Rule(
        code="E205",
        name="window-after-flattening",
        summary="a convolution or pool after a fully connected layer",
        checks="Layers that need positions, after `FC` or `flat`.",
        why="A vector has no positions, so a window has nothing to slide over.",
        source="Yoon, part 6: after a fully connected layer no convolution is possible.",
        example="input: 3@32x32\nFC512 R C3D64 R FC10\n",
        better="input: 3@32x32\nFC512 R reshape(8,8,8) C3D64 R FC10\n",
        fix="Put it before that layer, or give the vector positions with `reshape(c,h,w)`.",
    ),
    Rule(
        code="E206",
        name="wrong-number-of-axes",
        summary="a size for a different number of axes than the input has",
        checks="Kernels, strides, paddings and crops with two numbers on a 1-D volume, and the like.",
        why="`C3x3` on text suggests a mistake; a single number applies to every axis.",
        source="The language: sizes are `3`, `3x5`, `1x3x3`.",
        example="input: 8@56\nC3x3D16 R GAP FC2\n",
        better="input: 8@56\nC3D16 R FC2\n",
        fix="Write one number, or as many as there are axes.",
    ),
    Rule(
        code="E207",
        name="even-kernel-without-padding",
        summary="half padding of an even kernel",
        checks="Convolutions with an even kernel and no padding written, or `phalf`.",
        why=(
            "Half padding is (F - 1)/2 zeros on each side, which is not a whole number; the spec must say which "
            "side gets more."
        ),
        source="Aggarwal, ch. 8; Yoon, part 6.",
        example="input: 3@32x32\nC4D64 R FC10\n",
        better="input: 3@32x32\nC4D64p1:2 R FC10\n",
        fix="Write `p0`, or the zeros of both sides: `p1:2`.",
    ),
    Rule(
        code="E208",
        name="transposed-leaves-nothing",
        summary="a transposed convolution whose padding crops its whole output",
        checks="Transposed convolutions with (L - 1)·S - P + F below 1.",
        why="Padding of a transposed convolution crops its output.",
        source="Dumoulin & Visin 2016, a guide to convolution arithmetic.",
        example="input: 8@1x1\nT2D4/2p1 R GAP FC10\n",
        better="input: 8@1x1\nT2D4/2p0 R FC10\n",
        fix="Pad less.",
    ),
    Rule(
        code="E209",
        name="output-padding",
        summary="an output padding that is not below stride or dilation",
        checks="`a` on a transposed convolution that is at least as large as its stride and dilation.",
        why="A strided convolution maps S input sizes to the same output size; output padding chooses among them.",
        source="PyTorch: output padding must be smaller than either stride or dilation.",
        example="input: 8@8x8\nT3D4/2p1a2 R FC10\n",
        better="input: 8@8x8\nT3D4/2p1a1 R FC10\n",
        fix="Write `a1` at a stride of 2.",
    ),
    Rule(
        code="E210",
        name="crop-leaves-nothing",
        summary="a crop larger than its input, or one that leaves nothing",
        checks="`crop`, `pad` with negative numbers, and negative padding, against the input's extents.",
        why="U-Net crops its skip connections; the extents depend on the input and are easily one level off.",
        source="Ronneberger et al. 2015, figure 1.",
        example="input: 8@32x32\ncrop(40) C3D16 R FC2\n",
        better="input: 8@32x32\ncrop(24) C3D16 R FC2\n",
        fix="Crop to a size below the input's; `convsize analyze` shows it.",
    ),
    Rule(
        code="E211",
        name="reshape-changes-elements",
        summary="a reshape to a different number of values",
        checks="`reshape(…)` whose product is not the number of input values.",
        why="A reshape rearranges values and creates none.",
        source="Radford et al. 2016, DCGAN: project and reshape.",
        example="input: 3@32x32\nFC512 R reshape(8,7,7) FC10\n",
        better="input: 3@32x32\nFC392 R reshape(8,7,7) FC10\n",
        fix="Choose numbers with the right product, or change the layer before.",
    ),
    Rule(
        code="E212",
        name="normalisation-without-values",
        summary="a normalisation over nothing",
        checks="Group normalisation whose groups do not divide the depth; instance normalisation of a single position; "
        "weight standardisation (`ws`) of filters of a single weight.",
        why="The variance of a single value is 0, and so is every output; groups must be of equal size.",
        source="Wu & He 2018; PyTorch refuses both.",
        example="input: 3@32x32\nC3D48 GN32 R FC10\n",
        better="input: 3@32x32\nC3D64 GN32 R FC10\n",
        fix="Choose groups that divide the depth; put instance normalisation before the pooling.",
    ),
    Rule(
        code="E213",
        name="padding-beyond-the-input",
        summary="padding that needs more pixels than there are",
        checks="Reflection of as many pixels as the axis has, or circular padding of more; rounding up after either.",
        why="A reflection repeats the pixels next to the border's own; circular padding goes around once.",
        source="PyTorch refuses both.",
        example="input: 8@3x3\nC7D16preflect R GAP FC10\n",
        better="input: 8@3x3\nC3D16preflect R GAP FC10\n",
        fix="Pad less, or with `replicate`, which needs a single pixel.",
    ),
)

"""The pages of E301 to E305: branches that do not fit. The joins raise these, the builder points at each branch."""

from __future__ import annotations

from convsize.rules.base import Rule

RULES = (
    Rule(
        code="E301",
        name="sum-of-different-depths",
        summary="the branches of a sum have different depths",
        checks=(
            "`(a + b)` of volumes whose depths differ, and none is 1: one map is added to all maps of the others. "
            "The message shows the output of each branch."
        ),
        why="A sum adds map by map. ResNet blocks that change the depth project their shortcut.",
        source="He et al. 2015, equation 2; Aggarwal, ch. 8.",
        example="input: 3@32x32\nC3D64 R (C3D128 + x) R FC10\n",
        better="input: 3@32x32\nC3D64 R (C3D128 + C1D128) R FC10\n",
        fix="Project the shortcut: replace `x` by `C1D128`, with the other branch's stride.",
    ),
    Rule(
        code="E302",
        name="sum-of-different-extents",
        summary="the branches of a sum have different extents",
        checks=(
            "`(a + b)` of volumes whose heights or widths differ, and none is 1: one position is added at all "
            "positions of the others, and so is a vector with a value for every map."
        ),
        why=(
            "Typical mistakes are a stride in only one branch and one pixel of padding. In a U-Net the cause is "
            "an input that cannot be halved at every level."
        ),
        source="He et al. 2015.",
        example="input: 3@32x32\nC3D64 R (C3D64/2 + x) R FC10\n",
        better="input: 3@32x32\nC3D64 R (C3D64/2 + C1D64/2) R FC10\n",
        fix="Give the shortcut the same stride, or pad so that the extents are equal.",
    ),
    Rule(
        code="E303",
        name="concatenation-does-not-fit",
        summary="the branches of a concatenation have different extents",
        checks="`[a | b]` of volumes whose heights or widths differ, or of a vector and a volume.",
        why=(
            "Depths may differ, extents may not. In a U-Net whose input is not divisible by 16, the upsampled "
            "map is smaller than the skip connection."
        ),
        source="Szegedy et al. 2015; Ronneberger et al. 2015.",
        example="input: 3@31x31\nC3D64 R [x | M C3D128 R T2D64/2] C3D64 R FC10\n",
        better="input: 3@32x32\nC3D64 R [x | M C3D128 R T2D64/2] C3D64 R FC10\n",
        fix="Choose an input that divides (`convsize sizes`), pad, or crop the larger branch.",
    ),
    Rule(
        code="E304",
        name="gate-does-not-broadcast",
        summary="a gate that does not match its input",
        checks="`(a * b)` of volumes that are neither equal nor 1 where they differ.",
        why=("A gate weights maps (one position each), positions (one map) or values. Other shapes have no meaning."),
        source="Hu et al. 2018, squeeze and excitation.",
        example="input: 3@32x32\nC3D64 R (x * FC32 sigmoid) FC10\n",
        better="input: 3@32x32\nC3D64 R (x * FC64 sigmoid) FC10\n",
        fix=("End the gate with as many units as there are maps: `FC{n}`, with `n=c` set at the start of the block."),
    ),
    Rule(
        code="E305",
        name="split-does-not-divide",
        summary="a split into parts that do not divide the depth",
        checks="`split[a | b]` of a depth that is not a multiple of the number of branches.",
        why="Every branch gets an equal part.",
        source="Ma et al. 2018, ShuffleNetV2.",
        example="input: 3@32x32\nC3D63 R split[x | C3 R] FC10\n",
        better="input: 3@32x32\nC3D64 R split[x | C3 R] FC10\n",
        fix="Use a depth that is a multiple, or cut with `slice(a,b)`.",
    ),
)

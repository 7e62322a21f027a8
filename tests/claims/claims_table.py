"""Every published claim: what is printed where, what the tool is asked, and why the two differ where they do.

The one table behind the test and behind reports/claims.md.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from typing import NamedTuple

from claims_measures import (
    Judged,
    Measure,
    Measured,
    Spec,
    block,
    block_volume,
    conv,
    dense,
    expression,
    file,
    filter_shape,
    inputs,
    law,
    layer,
    network,
    of,
    receptive_field,
    refusal,
    report,
    total,
    trained,
    trunk,
    volume,
    volume_of,
    zeros,
)

from convsize.rules.base import Context

Cases = Callable[[], Iterator[tuple[Spec, Measured, Measured]]]


class Figure(NamedTuple):
    """One figure of a claim. `why` stands exactly where ours differs, and has the arithmetic of both."""

    what: str
    printed: str
    spec: Spec | None
    measure: Measure | None
    why: str = ""


class Claim(NamedTuple):
    """A row of the collected claims. Sources: AG Aggarwal, BI Bilen, VA Varma & Das, KU Kurmi, YO Yoon."""

    id: str
    source: str
    about: str
    figures: tuple[Figure, ...]


def formula(what: str, printed: str, cases: Cases, asked: str, why: str = "") -> Figure:
    """A figure that is a formula: every case compares the tool's answer with the formula's."""
    return Figure(what, printed, Spec(asked, ""), lambda _: law(cases()), why)


def words(what: str, printed: str, spec: Spec, measure: Measure, why: str = "") -> Figure:
    return Figure(what, printed, spec, measure, why)


# ---- formulas --------------------------------------------------------------------------------------------------------


def _f1() -> Iterator[tuple[Spec, Measured, Measured]]:
    for height, width, kernel in product((3, 5, 8), (4, 7, 12), (1, 2, 3)):
        spec = expression(f"1@{height}x{width}", f"C{kernel}D2pvalid")
        yield spec, volume(spec), f"{height - kernel + 1}×{width - kernel + 1}×2"


def _strided(paddings: tuple[int, ...]) -> Iterator[tuple[Spec, Measured, Measured]]:
    for length, kernel, stride, padding in product((5, 7, 10, 12), (1, 2, 3, 5), (1, 2, 3), paddings):
        spec = expression(f"1@{length}x{length}", f"C{kernel}D2/{stride}p{padding}exact")
        count = Fraction(length - kernel + 2 * padding, stride) + 1
        if count.denominator == 1:
            yield spec, volume(spec), f"{count}×{count}×2"
        else:
            yield spec, refusal(spec).holds, True


def _f4() -> Iterator[tuple[Spec, Measured, Measured]]:
    for extent, kernel, stride, padding in product((5, 7, 10), (2, 3, 5), (1, 2, 3), (0, 1, 2)):
        spec = expression(f"1@{extent}", f"C{kernel}D1/{stride}p{padding}")
        yield spec, volume(spec), f"{(extent + 2 * padding - kernel) // stride + 1}×1"


def _f5() -> Iterator[tuple[Spec, Measured, Measured]]:
    for kernel, (mode, change) in product((1, 3, 5, 7), (("half", 0), ("valid", -1), ("full", 1))):
        spec = expression("1@9", f"C{kernel}D1p{mode}")
        yield spec, volume(spec), f"{9 + change * (kernel - 1)}×1"
    for kernel, padding in ((3, 0), (3, 1), (5, 0), (5, 1), (5, 2), (7, 2)):
        spec = expression("1@9", f"C{kernel}D1p{padding}")
        reduction = 9 - int(volume(spec).partition("×")[0])
        yield spec, 2 * padding + reduction, kernel - 1


def _f6() -> Iterator[tuple[Spec, Measured, Measured]]:
    for kernel in (2, 4, 6, 8):
        spec = expression("1@12", f"C{kernel}D1psame")
        yield spec, zeros(spec), f"{(kernel - 1) // 2} + {(kernel - 1) // 2 + 1}"


def _f7() -> Iterator[tuple[Spec, Measured, Measured]]:
    for mnemonic, extent, pool, stride in product("MA", (6, 8, 11), (2, 3), (1, 2, 3)):
        if (extent - pool) % stride:
            continue
        spec = expression(f"5@{extent}x{extent}", f"{mnemonic}{pool}/{stride}")
        count = (extent - pool) // stride + 1
        yield spec, volume(spec), f"{count}×{count}×5"
        yield spec, total("parameters")(spec), 0


def _f8() -> Iterator[tuple[Spec, Measured, Measured]]:
    for depth, out, kernel in product((1, 3, 64), (6, 10, 128), (1, 3, 5)):
        spec = expression(f"{depth}@9x9", f"C{kernel}D{out}")
        yield spec, total("parameters")(spec), out * (kernel * kernel * depth + 1)


_F9 = ((1, 1), (3, 5), (8, 16))


def _f9_units() -> Iterator[tuple[Spec, Measured, Measured]]:
    for before, after in _F9:
        spec = expression(f"{before}@7x7", f"C3D{after}p0")
        yield spec, of(conv(0), "output_elements")(spec), after * 5 * 5


def _f9_parameters() -> Iterator[tuple[Spec, Measured, Measured]]:
    for before, after in _F9:
        spec = expression(f"{before}@7x7", f"C3D{after}p0")
        yield spec, total("parameters")(spec), before * after * 3 * 3 + after


def _f9_connections() -> Iterator[tuple[Spec, Measured, Measured]]:
    for before, after in _F9:
        spec = expression(f"{before}@7x7", f"C3D{after}p0")
        yield spec, total("macs")(spec), before * after * 5 * 5 * 3 * 3


def _f10() -> Iterator[tuple[Spec, Measured, Measured]]:
    for count, seen in ((1, 3), (2, 5), (3, 7)):
        spec = expression("1@32x32", "C3 " * count)
        yield spec, receptive_field(spec), seen


def _f13() -> Iterator[tuple[Spec, Measured, Measured]]:
    for pool in ("M2", "A2", "sumpool(2)", "lppool(1,2)", "lppool(2,2)"):
        spec = expression("3@8x8", pool)
        yield spec, volume(spec), "4×4×3"


_FORMULAS = (
    Claim(
        "F1",
        "AG",
        "output of a valid convolution",
        (formula("size", "(L−F+1)×(B−F+1)", _f1, "`C{F}pvalid`"),),
    ),
    Claim(
        "F2",
        "AG",
        "strided convolution; exact divisibility is required",
        (formula("size, or refused", "(L−F)/S+1", partial(_strided, (0,)), "`C{F}/{S}p0exact`"),),
    ),
    Claim(
        "F3",
        "VA",
        "strided and padded; a non-integer result is no valid architecture",
        (formula("size, or refused", "(W−F+2P)/S+1", partial(_strided, (1, 2)), "`C{F}/{S}p{P}exact`"),),
    ),
    Claim("F4", "YO, BI", "floor instead of an error", (formula("size", "⌊(m+2p−k)/s+1⌋", _f4, "`C{k}/{s}p{p}`"),)),
    Claim(
        "F5",
        "AG",
        "half padding keeps, no padding reduces, full padding increases the size",
        (
            formula(
                "size",
                "P=(F−1)/2 keeps, none: −(F−1), P=F−1: +(F−1); 2·padded + reduction = F−1",
                _f5,
                "`C{F}phalf`, `pvalid`, `pfull`, `p{P}`",
            ),
        ),
    ),
    Claim(
        "F6",
        "YO",
        "same padding for an even kernel",
        (formula("zeros before + after", "⌊(k−1)/2⌋ on one side, one more on the other", _f6, "`C{k}psame`"),),
    ),
    Claim(
        "F7",
        "AG, VA",
        "pooling",
        (
            formula(
                "size, depth, parameters", "(L−P)/S+1, depth unchanged, no parameters", _f7, "`M{P}/{S}`, `A{P}/{S}`"
            ),
        ),
    ),
    Claim("F8", "VA", "parameters of a convolution", (formula("parameters", "D'×(F×F×D+1)", _f8, "`C{F}D{D'}`"),)),
    Claim(
        "F9",
        "BI",
        "F_in maps of 7×7, F_out maps, 3×3 kernel",
        (
            formula("hidden units", "F_out×5×5", _f9_units, "`C3D{F_out}p0`"),
            formula("parameters", "F_in×F_out×3×3 + F_out", _f9_parameters, "`C3D{F_out}p0`"),
            formula("connections", "F_in×F_out×5×5×3×3", _f9_connections, "`C3D{F_out}p0`"),
        ),
    ),
    Claim(
        "F10",
        "AG, BI",
        "receptive fields of stacked 3×3 convolutions",
        (formula("receptive field", "3, 5, 7", _f10, "`C3`, `C3 C3`, `C3 C3 C3`"),),
    ),
    Claim(
        "F11",
        "AG",
        "a filter is no larger than its layer and exactly as deep",
        (
            words("a 7×7 filter on 5×5", "not possible", expression("3@5x5", "C7D8p0"), refusal),
            Figure("a filter's depth on 5 maps", "3×3×5", expression("5@5x5", "C3D8"), filter_shape(conv(0))),
        ),
    ),
    Claim(
        "F12",
        "YO",
        "no convolution after a fully connected layer",
        (words("`FC10 C3D8`", "not possible", expression("3@8x8", "FC10 C3D8"), refusal),),
    ),
    Claim(
        "F13",
        "BI, YO, VA",
        "pooling functions: max, average, sum, Lp, L1, L2",
        (
            formula(
                "each is a layer",
                "max, average, sum, (Σ h^p)^(1/p)",
                _f13,
                "`M2`, `A2`, `sumpool(2)`, `lppool(1,2)`, `lppool(2,2)`",
            ),
        ),
    ),
)


# ---- worked examples -------------------------------------------------------------------------------------------------


def _e13(kernel: int) -> Iterator[tuple[Spec, Measured, Measured]]:
    for mode, change in (("full", 1), ("same", 0), ("valid", -1)):
        spec = expression("1@5", f"C{kernel}D1p{mode}")
        yield spec, volume(spec), f"{5 + change * (kernel - 1)}×1"


def _stack(series: str, linear: Fraction, square: Fraction, *, bias: bool) -> Iterator[tuple[Spec, Measured, Measured]]:
    """Parameters over C maps, which are square·C² + linear·C."""
    for depth in (2, 16, 64, 256):
        spec = expression(f"{depth}@9x9", series, "" if bias else "Cb0")
        yield spec, total("parameters")(spec), square * depth * depth + linear * depth


_THREE = expression("64@9x9", "C3C3C3")
_SEVEN = expression("64@9x9", "C7")


def _decrease(_: Spec) -> Fraction:
    return 1 - Fraction(report(_THREE).totals.parameters, report(_SEVEN).totals.parameters)


_NAIVE = expression("256@28x28", "[C1D128 | C3D192 | C5D96 | M3/1p1]")
_REDUCED = expression("256@28x28", "[C1D128 | C1D64 C3D192 | C1D64 C5D96 | M3/1p1 C1D64]")
_EDGES = expression("1@280x320", "C1x2D1p0b0")
_EDGES_DENSE = expression("1@280x320", "FC89320b0")

_EXAMPLES = (
    Claim(
        "E1",
        "YO",
        "7×7, 3×3 filter, no padding, stride 1, 2, 3",
        (
            Figure("stride 1", "5×5×1", expression("1@7x7", "C3p0exact"), volume),
            Figure("stride 2", "3×3×1", expression("1@7x7", "C3/2p0exact"), volume),
            words("stride 3", "2.33, does not fit", expression("1@7x7", "C3/3p0exact"), refusal),
        ),
    ),
    Claim("E2", "YO", "7×7, 3×3, stride 1, pad 1", (Figure("size", "7×7×1", expression("1@7x7", "C3p1"), volume),)),
    Claim(
        "E3",
        "VA",
        "width 10, F=3, P=0, stride 2",
        (words("size", "4.5, not valid", expression("1@10x10", "C3/2p0exact"), refusal),),
    ),
    Claim(
        "E4",
        "VA",
        "the same with stride 1",
        (
            Figure(
                "size",
                "5×5×1",
                expression("1@10x10", "C3p0exact"),
                volume,
                "(10−3)/1+1 = 8, so 8×8×1; 5 is (7−3)/1+1, the answer for a width of 7",
            ),
        ),
    ),
    Claim(
        "E5", "VA", "3×4 input, 2×2 filter, stride 1", (Figure("size", "2×3×1", expression("1@3x4", "C2p0"), volume),)
    ),
    Claim(
        "E6",
        "VA, YO",
        "32×32×3, six 5×5 filters",
        (
            Figure("size", "28×28×6", expression("3@32x32", "C5D6p0"), volume),
            Figure("parameters of one filter", "76", expression("3@32x32", "C5D1p0"), total("parameters")),
            Figure("its weights", "75", expression("3@32x32", "C5D1p0"), total("weights")),
        ),
    ),
    Claim(
        "E7",
        "VA",
        "then ten filters",
        (Figure("a filter", "5×5×6", expression("3@32x32", "C5D6p0 C5D10p0"), filter_shape(conv(1))),),
    ),
    Claim(
        "E8",
        "VA",
        "32×32×3, 20 maps of 5×5, or fully connected to 20 nodes",
        (
            Figure("convolution", "1,520", expression("3@32x32", "C5D20p0"), total("parameters")),
            Figure("fully connected", "61,460", expression("3@32x32", "FC20"), total("parameters")),
        ),
    ),
    Claim(
        "E9",
        "VA",
        "200×200×3 fully connected to 100 nodes",
        (Figure("weights", "12 million", expression("3@200x200", "FC100"), total("weights")),),
    ),
    Claim(
        "E10",
        "BI",
        "200×200×1 fully connected to 1000 units",
        (
            Figure("inputs", "40,000", expression("1@200x200", "FC1000b0"), inputs),
            Figure("connections", "40,000,000", expression("1@200x200", "FC1000b0"), total("macs")),
            Figure("parameters, no biases", "40,000,000", expression("1@200x200", "FC1000b0"), total("parameters")),
        ),
    ),
    Claim(
        "E11",
        "BI",
        "7×7, 3×3 kernel",
        (
            Figure("hidden units", "25", expression("1@7x7", "C3p0"), of(conv(0), "output_elements")),
            Figure("parameters", "10", expression("1@7x7", "C3p0"), total("parameters")),
            Figure("connections, 5×5×3×3", "225", expression("1@7x7", "C3p0"), total("macs")),
        ),
    ),
    Claim(
        "E12",
        "YO",
        "32×32 convolved repeatedly by 5×5",
        (
            Figure("once", "28×28×1", expression("1@32x32", "C5p0"), volume),
            Figure("twice", "24×24×1", expression("1@32x32", "C5p0 C5p0"), volume),
        ),
    ),
    Claim(
        "E13",
        "YO",
        "m=5, stride 1",
        (
            formula(
                "k=3: full / same / valid", "m+(k−1) / m / m−(k−1)", partial(_e13, 3), "`C3pfull`, `psame`, `pvalid`"
            ),
            formula(
                "k=4: full / same / valid", "m+(k−1) / m / m−(k−1)", partial(_e13, 4), "`C4pfull`, `psame`, `pvalid`"
            ),
        ),
    ),
    Claim(
        "E14",
        "YO",
        "edge detection by a 2-wide kernel on a 320×280 image, against the dense matrix that does the same",
        (
            Figure("dense, FLOPs", "16,000,000,000", _EDGES_DENSE, total("flops")),
            Figure(
                "convolution, FLOPs",
                "267,960",
                _EDGES,
                total("flops"),
                "319·280 outputs of 2 multiply-adds are 178,640 MACs or 357,280 FLOPs; printed are 2 multiplications "
                "and 1 addition for each, 319·280·3 = 267,960, which leaves out the addition to zero. The dense "
                "matrix is counted at 2 FLOPs an entry in both.",
            ),
        ),
    ),
    Claim(
        "E15",
        "VA, AG",
        "C→C maps: one 7×7 against three 3×3, with biases",
        (
            formula("7×7", "49C²+C", partial(_stack, "C7", Fraction(1), Fraction(49), bias=True), "`C7`"),
            formula(
                "three 3×3", "27C²+3C", partial(_stack, "C3C3C3", Fraction(3), Fraction(27), bias=True), "`C3C3C3`"
            ),
            Figure("decrease at C = 64", "45%", _THREE, _decrease),
            Figure("7×7 over one channel, weights", "49", expression("1@9x9", "C7"), total("weights")),
            Figure("three 3×3 over one channel, weights", "27", expression("1@9x9", "C3C3C3"), total("weights")),
            Figure("receptive field of 7×7", "7", expression("1@9x9", "C7"), receptive_field),
            Figure("receptive field of three 3×3", "7", expression("1@9x9", "C3C3C3"), receptive_field),
        ),
    ),
    Claim(
        "E16",
        "VA",
        "1×1 to C/2, 3×3 at C/2, 1×1 back to C, against one 3×3, no biases",
        (
            formula(
                "bottleneck",
                "3.25C²",
                partial(_stack, "C1D{c/2} C3 C1D{2*c}", Fraction(0), Fraction(13, 4), bias=False),
                "`C1D{c/2} C3 C1D{2*c}`",
            ),
            formula("3×3", "9C²", partial(_stack, "C3", Fraction(0), Fraction(9), bias=False), "`C3`"),
        ),
    ),
    Claim(
        "E17",
        "VA",
        "1×3 then 3×1 against 3×3",
        (
            formula(
                "1×3, 3×1", "6C²", partial(_stack, "C1x3 C3x1", Fraction(0), Fraction(6), bias=False), "`C1x3 C3x1`"
            ),
            formula("3×3", "9C²", partial(_stack, "C3", Fraction(0), Fraction(9), bias=False), "`C3`"),
        ),
    ),
    Claim(
        "E18",
        "VA, KU",
        "inception module on 28×28×256, naive",
        (
            Figure("output", "28×28×672", _NAIVE, volume),
            Figure("operations (MACs)", "854 million", _NAIVE, total("macs")),
        ),
    ),
    Claim(
        "E19",
        "VA, KU",
        "the same with 1×1 reductions to 64",
        (
            Figure("output", "28×28×480", _REDUCED, volume),
            Figure(
                "operations (MACs)",
                "358 million",
                _REDUCED,
                total("macs"),
                "28²·(128·256 + 64·256 + 192·9·64 + 64·256 + 96·25·64 + 64·256) = 271,351,808; printed is this with "
                "the 86,704,128 of the 3×3 convolution a second time, 358,055,936",
            ),
        ),
    ),
    Claim(
        "E20",
        "VA",
        "7×7×512 to 4096, fully connected, or average pooled first",
        (
            Figure("weights", "102,760,448", expression("512@7x7", "FC4096"), total("weights")),
            Figure("average pooled", "512", expression("512@7x7", "GAP flat"), of(layer(-1), "output_elements")),
        ),
    ),
)


# ---- networks --------------------------------------------------------------------------------------------------------

_KURMI_ALEXNET = expression(
    "3@227x227",
    "C11D96/4p0 R M3/2 LRN5 C5D256p2 R M3/2 LRN5 (C3D384p1 R)*2 C3D256p1 R M3/2 FC4096 R FC4096 R FC1000 S",
)
_ALEXNET_LAYERS = ("CONV1", "POOL1", "CONV2", "POOL2", "CONV3", "CONV4", "CONV5", "POOL3")
_ALEXNET_VOLUMES = ("55×55×96", "27×27×96", "27×27×256", "13×13×256", "13×13×384", "13×13×384", "13×13×256", "6×6×256")

_AG_ALEXNET = "C11D96/4p0 R M3/2 C5D256p2 R M3/2 (C3D384p1 R)*2 C3D256p1 R"
_AG_ZFNET = expression("3@224x224", "C7D96/2p1 R M C5D256/2p0 R M C3D512 R C3D1024 R C3D512 R M", "M3/2ceil")

_VGG_WEIGHTS = (
    *("1,728", "36,864", "73,728", "147,456", "294,912", "589,824", "589,824", "1,179,648"),
    *("2,359,296",) * 5,
    *("102,760,448", "16,777,216", "4,096,000"),
)
_VGG_MEMORY = (
    *("3.2M", "3.2M", "800K", "1.6M", "1.6M", "400K", "800K", "800K", "800K", "200K"),
    *("400K", "400K", "400K", "100K", "100K", "100K", "100K", "25K", "4,096", "4,096", "1,000"),
)
_WEIGHTED = ("convolution", "fully connected")
_SIZED = ("convolution", "max pooling", "fully connected")
# As its table lists it: a ReLU works in place and has no row.
_VGG_ROWS = expression(
    "3@224x224",
    "C3D64*2 M C3D128*2 M C3D256*3 M (C3D512*3 M)*2 FC4096 FC4096 FC1000",
)


def _memory(spec: Spec) -> int:
    return report(spec).totals.activation_elements + inputs(spec)


def _memory_bytes(spec: Spec) -> int:
    return 4 * _memory(spec)


def _early_and_late(spec: Spec) -> Judged:
    rows = report(spec).layers
    convolutions = [row for row in rows if row.op == "convolution"]
    early = Fraction(sum(row.output_elements for row in convolutions[:4]), sum(row.output_elements for row in rows))
    late = Fraction(sum(row.parameters for row in rows if row.op == "fully connected"), report(spec).totals.parameters)
    text = (
        f"{float(early):.0%} of the activations in the first 4 convolutions, {float(late):.0%} of the parameters in FC"
    )
    return Judged(text, early > Fraction(1, 2) < late)


def _dense_parameters(spec: Spec) -> int:
    return sum(row.parameters for row in report(spec).layers if row.op == "fully connected")


class _Inception(NamedTuple):
    name: str
    block: str
    size: str
    parameters: str
    operations: str
    why_parameters: str = ""
    why_operations: str = ""


_KIBI = "weights; in units of 1024 they are"

_INCEPTIONS = (
    _Inception("3a", "inc1", "28×28×256", "159K", "128M", f"163,328 {_KIBI} 159.5"),
    _Inception("3b", "inc2", "28×28×480", "380K", "304M", f"388,096 {_KIBI} 379.0"),
    _Inception(
        "4a",
        "inc3",
        "14×14×512",
        "364K",
        "73M",
        f"375,552 {_KIBI} 366.8; printed operations over 14² positions are 372K weights",
        "375,552·14² = 73,608,192, cut off to 73M and not rounded",
    ),
    _Inception("4b", "inc4", "14×14×512", "437K", "88M", f"448,512 {_KIBI} 438.0"),
    _Inception(
        "4c",
        "inc5",
        "14×14×512",
        "463K",
        "100M",
        f"509,440 {_KIBI} 497.5; the printed operations over 14² positions are 510K weights, which is ours",
    ),
    _Inception(
        "4d",
        "inc6",
        "14×14×528",
        "580K",
        "119M",
        f"604,672 {_KIBI} 590.5; the printed operations over 14² positions are 607K weights",
    ),
    _Inception("4e", "inc7", "14×14×832", "840K", "170M", f"867,328 {_KIBI} 847.0"),
    _Inception(
        "5a",
        "inc8",
        "7×7×832",
        "1072K",
        "54M",
        f"1,042,432 {_KIBI} 1018.0; 1072·1024 would be 55,296 more",
        "1,042,432·7² = 51,079,168; the printed 54M over 7² positions are 1.1 million weights, as printed beside it",
    ),
    _Inception("5b", "inc9", "7×7×1024", "1388K", "71M", f"1,442,816 {_KIBI} 1409.0"),
)

_GOOGLENET = file("googlenet")


def _inceptions() -> Iterator[Figure]:
    for row in _INCEPTIONS:
        yield Figure(f"{row.name}, output", row.size, _GOOGLENET, block_volume(row.block))
        yield Figure(
            f"{row.name}, weights", row.parameters, _GOOGLENET, block(row.block, "weights"), row.why_parameters
        )
        yield Figure(f"{row.name}, MACs", row.operations, _GOOGLENET, block(row.block, "macs"), row.why_operations)


def _reduced_conv(field: str) -> Measure:
    return lambda spec: getattr(conv(1)(spec), field) + getattr(conv(2)(spec), field)


def _ratio(field: str, more: Spec, less: Spec) -> Measure:
    def count(spec: Spec) -> int:
        measured = trunk(field)(spec)
        assert isinstance(measured, int)
        return measured

    return lambda _: Fraction(count(more), count(less))


def _about(other: Spec) -> Measure:
    """Whether two networks are within a tenth of each other."""

    def measure(spec: Spec) -> Judged:
        ratios = [
            Fraction(getattr(report(spec).totals, field), getattr(report(other).totals, field))
            for field in ("parameters", "macs")
        ]
        text = f"{float(ratios[0]):.2f} times the parameters, {float(ratios[1]):.2f} times the MACs"
        return Judged(text, all(abs(ratio - 1) <= Fraction(1, 10) for ratio in ratios))

    return measure


def _heads(spec: Spec) -> int:
    return len(report(spec).outputs) - 1


def _outputs(expected: dict[str, tuple[int, ...]]) -> Measure:
    def measure(spec: Spec) -> Judged:
        found = dict(report(spec).outputs)
        return Judged(", ".join(f"{name} {volume_of_dims(dims)}" for name, dims in found.items()), found == expected)

    return measure


def volume_of_dims(dims: tuple[int, ...]) -> str:
    return "×".join(map(str, dims))


_ALEXNET = file("alexnet")
_TWO_GROUPS = file("alexnet_two_groups")
_VGG_D = file("vgg_d")
_VGG_E = file("vgg_e")

_NETWORKS = (
    Claim(
        "N1",
        "KU, VA",
        "LeNet-5",
        (
            Figure("parameters", "60K", file("lenet5"), total("parameters")),
            Figure(
                "parameters, with the paper's partial connections",
                "60,000",
                file("lenet5_partial"),
                total("parameters"),
            ),
            Figure("before the fully connected part", "5×5×16", file("lenet5"), volume_of(layer(-7))),
        ),
    ),
    Claim(
        "N2",
        "KU",
        "AlexNet on 227×227×3",
        tuple(
            Figure(name, printed, _KURMI_ALEXNET, volume_of(layer(index, "convolution", "max pooling")))
            for index, (name, printed) in enumerate(zip(_ALEXNET_LAYERS, _ALEXNET_VOLUMES, strict=True))
        ),
    ),
    Claim(
        "N3", "KU", "AlexNet's CONV1, (11·11·3)·96", (Figure("weights", "35K", _KURMI_ALEXNET, of(conv(0), "weights")),)
    ),
    Claim(
        "N4",
        "KU, VA",
        "AlexNet's parameters",
        (
            Figure("single column", "60 million", _ALEXNET, total("parameters")),
            Figure("two groups", "60 million", _TWO_GROUPS, total("parameters")),
        ),
    ),
    Claim(
        "N5",
        "BI",
        "neurons of the two-group AlexNet (caption of the paper's figure 2)",
        (
            Figure(
                "input",
                "150,528",
                _TWO_GROUPS,
                inputs,
                "224·224·3 = 150,528, but 11×11 filters at stride 4 give 55×55 maps from 227×227: 227·227·3 = 154,587",
            ),
            Figure(
                "convolution 1",
                "253,440",
                _TWO_GROUPS,
                of(conv(0), "output_elements"),
                "55·55·96 = 290,400, the volume of the paper's own figure; 253,440 is 55·48·96",
            ),
            *(
                Figure(f"convolution {index + 1}", printed, _TWO_GROUPS, of(conv(index), "output_elements"))
                for index, printed in enumerate(("186,624", "64,896", "64,896", "43,264"), 1)
            ),
            *(
                Figure(f"fully connected {index + 1}", printed, _TWO_GROUPS, of(dense(index), "output_elements"))
                for index, printed in enumerate(("4,096", "4,096", "1,000"))
            ),
        ),
    ),
    Claim(
        "N6",
        "AG",
        "AlexNet and ZFNet, both said to start from 224×224×3",
        (
            Figure(
                "AlexNet from 224, convolution 1",
                "55×55×96",
                expression("3@224x224", _AG_ALEXNET),
                volume_of(conv(0)),
                "⌊(224−11)/4⌋+1 = 54, so 54×54×96; 55 needs 227, or 2 zeros on each side: ⌊(224+4−11)/4⌋+1",
            ),
            *(
                Figure(
                    f"AlexNet from 227, convolution {index + 1}",
                    printed,
                    expression("3@227x227", _AG_ALEXNET),
                    volume_of(conv(index)),
                )
                for index, printed in enumerate(("55×55×96", "27×27×256", "13×13×384", "13×13×384", "13×13×256"))
            ),
            Figure("ZFNet, convolution 1 + pool", "55×55×96", _AG_ZFNET, volume_of(layer(0, "max pooling"))),
            Figure("ZFNet, convolution 2 + pool", "13×13×256", _AG_ZFNET, volume_of(layer(1, "max pooling"))),
            *(
                Figure(f"ZFNet, convolution {index + 1}", printed, _AG_ZFNET, volume_of(conv(index)))
                for index, printed in enumerate(("13×13×512", "13×13×1024", "13×13×512"), 2)
            ),
        ),
    ),
    Claim(
        "N7",
        "AG",
        "VGG's columns, layers with weights",
        tuple(
            Figure(column, printed, file(name), total("weight_layers"))
            for column, printed, name in (
                ("A", "11", "vgg_a"),
                ("A-LRN", "11", "vgg_a_lrn"),
                ("B", "13", "vgg_b"),
                ("C", "16", "vgg_c"),
                ("D", "16", "vgg_d"),
                ("E", "19", "vgg_e"),
            )
        ),
    ),
    Claim(
        "N8",
        "KU",
        "VGG-16 (D), biases not counted",
        tuple(
            Figure(f"layer {index + 1}", printed, _VGG_D, of(layer(index, *_WEIGHTED), "weights"))
            for index, printed in enumerate(_VGG_WEIGHTS)
        ),
    ),
    Claim(
        "N9",
        "KU",
        "VGG-16's activations, element counts",
        (
            Figure("input", "150K", _VGG_D, inputs),
            *(
                Figure(f"row {index + 2}", printed, _VGG_D, of(layer(index, *_SIZED), "output_elements"))
                for index, printed in enumerate(_VGG_MEMORY)
            ),
        ),
    ),
    Claim(
        "N10",
        "KU",
        "VGG-16's total memory, forward",
        (
            Figure(
                "elements",
                "24M",
                _VGG_ROWS,
                _memory,
                "the rows of N9 add up to 15,237,608: 0.15 + 6.4 + 0.8 + 3.2 + 0.4 + 2.4 + 0.2 + 1.2 + 0.1 + 0.3 + "
                "0.03 + 0.01 million. The printed 24 million is not their sum",
            ),
            Figure(
                "bytes an image",
                "93MB",
                _VGG_ROWS,
                _memory_bytes,
                "4·15,237,608 = 60,950,432 bytes, 58.1 MiB; 4·24 million is 91.6 MiB",
            ),
        ),
    ),
    Claim(
        "N11",
        "KU",
        "VGG-16",
        (
            Figure("parameters", "138M", _VGG_D, total("parameters")),
            words("where", "most memory early, most parameters late", _VGG_ROWS, _early_and_late),
        ),
    ),
    Claim(
        "N12",
        "VA",
        "VGGNet (19 layers)",
        (
            Figure("parameters", "144 million", _VGG_E, total("parameters")),
            Figure("in the fully connected layers", "124 million", _VGG_E, _dense_parameters),
        ),
    ),
    Claim(
        "N13",
        "KU",
        "GoogLeNet, the paper's table 1: output, weights and multiply-adds",
        (
            Figure("conv 7×7/2, output", "112×112×64", _GOOGLENET, volume_of(conv(0))),
            Figure(
                "conv 7×7/2, weights",
                "2.7K",
                _GOOGLENET,
                of(conv(0), "weights"),
                "7·7·3·64 = 9,408; 2.7K is a 7×1 and a 1×7 filter, (7+7)·3·64 = 2,688",
            ),
            Figure(
                "conv 7×7/2, MACs",
                "34M",
                _GOOGLENET,
                of(conv(0), "macs"),
                "9,408·112² = 118,013,952; for the 7×1 and 1×7 filters 2,688·112² = 33,718,272",
            ),
            Figure("conv 3×3, output", "56×56×192", _GOOGLENET, volume_of(conv(2))),
            Figure(
                "conv 3×3 with its reduction, weights",
                "112K",
                _GOOGLENET,
                _reduced_conv("weights"),
                f"114,688 {_KIBI} 112.0",
            ),
            Figure("conv 3×3 with its reduction, MACs", "360M", _GOOGLENET, _reduced_conv("macs")),
            *_inceptions(),
            Figure("linear, weights", "1000K", _GOOGLENET, of(dense(0), "weights")),
            Figure("linear, MACs", "1M", _GOOGLENET, of(dense(0), "macs")),
        ),
    ),
    Claim(
        "N14",
        "KU, VA",
        "GoogLeNet",
        (
            Figure("layers", "22", _GOOGLENET, total("weight_layers")),
            Figure(
                "parameters",
                "5 million",
                _GOOGLENET,
                trunk("parameters"),
                "6,998,552 without the heads, 5,973,552 without the last layer, too; N13's column adds up to 6.8 "
                "million",
            ),
            Figure(
                "fewer than AlexNet's",
                "12 times",
                _TWO_GROUPS,
                _ratio("parameters", _TWO_GROUPS, _GOOGLENET),
                "60,965,224 / 6,998,552 = 8.711; 12 is 60 million over the printed 5",
            ),
            Figure("AlexNet's compute", "2 times", _GOOGLENET, _ratio("macs", _GOOGLENET, _TWO_GROUPS)),
            Figure("extra outputs", "2", _GOOGLENET, _heads),
        ),
    ),
    Claim(
        "N15",
        "AG, VA, KU",
        "ResNets",
        (
            *(
                Figure(f"ResNet-{count}, layers", f"{count}", file(f"resnet{count}"), total("weight_layers"))
                for count in (18, 34, 50, 101, 152)
            ),
            words(
                "ResNet-101's size and speed",
                "about those of VGG-16",
                file("resnet101"),
                _about(_VGG_D),
                "44,549,160 / 138,357,544 is 0.32 times the parameters, "
                "7,801,405,440 / 15,470,264,320 is 0.50 times the MACs",
            ),
        ),
    ),
    Claim(
        "N16",
        "KU",
        "ResNeXt-50",
        (words("parameters and MACs", "about ResNet's", file("resnext50_32x4d"), _about(file("resnet50"))),),
    ),
    Claim(
        "N17",
        "VA",
        "the Keras MNIST network, batch 128, 5 epochs",
        (
            Figure(
                "test accuracy",
                "0.9876",
                file("keras_mnist"),
                trained("keras-mnist"),
                "0.9791 is the median of three trainings with 10,000 of the 60,000 training images "
                "([how](training.md)); with all of them it was not trained here",
            ),
        ),
    ),
    Claim(
        "N18",
        "VA, YO, AG",
        "CIFAR-10 networks and the CRCRP patterns on 32×32×3",
        (
            Figure("`CRCRP`", "16×16×3", expression("3@32x32", "CRCRP"), volume),
            Figure("`CRCRCRP`", "16×16×3", expression("3@32x32", "CRCRCRP"), volume),
            Figure("`CRCRP` five times", "1×1×3", expression("3@32x32", "CRCRP" * 5), volume),
            words("Keras' CIFAR-10 network", "sizes", file("cifar10"), _outputs({"main": (10,)})),
        ),
    ),
    Claim(
        "N19",
        "AG",
        "each must be expressible",
        (
            words(
                "localisation: two heads",
                "classes and four numbers",
                file("localisation"),
                _outputs({"main": (1000,), "box": (4,)}),
            ),
            words("1-D convolutions for text", "two classes", file("text_cnn"), _outputs({"main": (2,)})),
            words("3-D convolutions for video", "101 classes", file("c3d"), _outputs({"main": (101,)})),
            words(
                "convolutional autoencoder",
                "an image of its input's size",
                file("autoencoder"),
                _outputs({"main": (1, 28, 28)}),
            ),
        ),
    ),
)


# ---- guidance --------------------------------------------------------------------------------------------------------


def _rule(module: str) -> Measure:
    """Whether a rule finds what it is about in its own example, and nothing in the mended one."""

    def measure(spec: Spec) -> Judged:
        rule = importlib.import_module(f"convsize.rules.{module}").RULE
        assert rule.find is not None

        def found(text: str) -> bool:
            asked = Spec("", text)
            context = Context(network(asked), report(asked), {row.index: row for row in report(asked).layers})
            return any(diagnostic.code == rule.code for diagnostic in rule.find(context))

        style = " (with `--style`)" if rule.style else ""
        return Judged(f"{rule.code} {rule.name}{style}", found(rule.example) and not found(rule.better))

    return measure


_GUIDANCE = tuple(
    Claim(
        number,
        source,
        advice,
        (words("a rule of `convsize check`", "advice", Spec("the rule's example", ""), _rule(module)),),
    )
    for number, source, advice, module in (
        ("G1", "VA", "depth is usually a power of two", "depth_no_power_of_two"),
        ("G2", "AG, YO", "filters are usually odd: an even one cannot be padded evenly", "even_filter"),
        ("G3", "AG, VA", "a chain of small filters instead of one large one", "large_filter"),
        ("G4", "VA, AG", "average pooling instead of a large fully connected layer", "parameters_in_one_layer"),
        ("G5", "KU", "avoid tight bottlenecks: decrease H×W×C slowly", "tight_bottleneck"),
        ("G6", "KU", "the receptive field must be large enough", "small_receptive_field"),
        ("G7", "VA", "zero padding in pooling is uncommon; common pools are 2/2 and 3/2", "unusual_pool"),
        ("G8", "AG", "often the depth doubles after each max pool", "depth_after_pool"),
        ("G9", "VA", "factorise n×n into 1×n and n×1", "square_filter"),
        ("G10", "AG, VA", "1×1 convolutions reduce depth before expensive filters", "missing_reduction"),
    )
)

SECTIONS = (
    ("Formulas", _FORMULAS),
    ("Worked examples", _EXAMPLES),
    ("Networks", _NETWORKS),
    ("Design guidance", _GUIDANCE),
)
CLAIMS = tuple(claim for _, claims in SECTIONS for claim in claims)

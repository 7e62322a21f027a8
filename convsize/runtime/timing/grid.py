"""What is timed of every class of layers: small networks over depths, extents, kernels and batches.

The extents are such that no published network has: what is predicted of those lies between them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

_DEPTHS = (3, 6, 12, 20, 28, 44, 56, 72, 88, 112, 144, 176, 208, 288, 352, 416, 544, 608, 736, 832, 1088, 1536)
_EXTENTS = (3, 5, 6, 9, 11, 18, 22, 36, 44, 72, 88, 120, 180)
_FEW = (1, 2, 4, 5, 7, 10, 14, 18)
_BATCHES = (1, 1, 2, 3, 6, 10, 20, 36)
_MACS = (1e7, 1e8, 4e8, 2e9)
"""Multiply-adds of a batch up to which a sample goes: as many samples between two of them as between others."""

_MOST_ELEMENTS = 1.2e7

# How a layer is written after a learned number, so that its input needs a gradient, and how many samples it gets.
_POINTWISE = {
    "BN": 24, "C1 R": 24, "relu6": 8, "sigmoid": 10, "hswish": 8, "hsigmoid": 8, "silu": 10, "gelu": 10, "S scale": 6,
    "tanh": 6, "leaky(0.1)": 4, "elu": 4, "selu": 3, "clamp(-1,1)": 3, "abs": 3, "exp": 3, "abs log": 3,
    "abs sqrt": 3, "power(2)": 4,
    "(x * reduce(mean,depth))": 4, "(x * reduce(max,width))": 3, "reduce(sum,slices,2)": 3, "(x - C1)": 4,
    "(x / C1 softplus)": 4, "mish": 4, "prelu": 4, "softplus": 3, "logsoftmax scale": 3,
    "LRN5": 10, "LN": 10, "rms": 4, "GRN": 4, "frn": 4, "tlu": 3,
    "IN": 4, "GN4": 4, "drop(0.5)": 8, "droppath(0.1)": 6, "scale": 6, "bias": 4,
    "glu": 3,
    "affine": 4, "times(3)": 4,
    "plus(2)": 4, "weight": 4, "M": 10, "M3/2p1": 14, "M3/1p1": 10, "M5": 3, "A": 8, "A3/1p1": 8, "A3/2": 4, "A7": 3,
    "GAP": 12, "GMP": 4, "sumpool(2)": 3, "lppool(2,2)": 3, "(C1 + x)": 24, "[x | x]": 16, "(x * GAP)": 14,
    "(x * C1)": 4, "up(2)": 5, "up(2,bilinear)": 5, "pad(1)": 6, "crop(2,2)": 4, "pick(0,1,2)": 3, "shuffle(2)": 8,
    "widen(c+4)": 3, "pixelshuffle(2)": 3, "unshuffle(2)": 3, "blur(3,2)": 4, "swap(depth,width)": 3,
}  # fmt: skip

_HALVED = ("unshuffle(2)",)
"""Layers that need extents which 2 divides."""

_SMALLEST = {"C1": "C1D8", "Ck": "C3D8", "DW": "DW3", "Cg": "C3D8g2", "T": "T2D8/2"}


def wholes() -> Iterator[tuple[str, str, int]]:
    """Names, specs and batches of networks whose times tell how accurate predictions are; none gives a sample."""
    residual = "def res(d): (C3D{d} BN R C3D{d} BN + x) R\n"
    yield "plain convolutions", "input: 1@28x28\nC5D6 R M C5D16 R M FC120 R FC84 R FC10", 16
    yield "convolutions of 3x3", "input: 3@32x32\n(C3D32 R)*2 M (C3D64 R)*2 M (C3D128 R)*2 M FC256 R FC10", 8
    yield "residual blocks", f"{residual}input: 3@64x64\nC3D40 BN R res(40)*2 C3D80/2 BN R res(80)*2 GAP FC100", 4
    yield (
        "depthwise convolutions",
        "input: 3@96x96\nC3D24/2 BN relu6 DW3 BN relu6 C1D48 BN relu6 DW3/2 BN relu6 C1D96 BN relu6 "
        "(DW3 BN relu6 C1D96 BN relu6)*3 GAP FC100",
        6,
    )
    yield "a bottleneck", "input: 3@80x80\nC7D48/2 BN R M ((C1D24 BN R C3D24 BN R C1D48 BN + x) R)*4 GAP FC200", 10


def grid(share: float) -> Iterator[tuple[str, int]]:
    """Specs with the batches that they are timed at; `share` of the full number of samples."""
    draw = random.Random(1)
    for text, count in (("C1", 110), ("Ck", 150), ("DW", 60), ("Cg", 50), ("T", 32)):
        yield f"input: 8@5x5\nweight {_SMALLEST[text]}", 1
        for _ in range(max(round(count * share), 6)):
            yield _convolution(draw, text)
    for _ in range(max(round(48 * share), 8)):  # few maps: the kernels for them are others, and far from any peak
        depth, out, extent = draw.choice(_FEW), draw.choice(_FEW), draw.choice(_EXTENTS[2:10])
        yield f"input: {depth}@{extent}x{extent}\nweight C{draw.choice((3, 3, 5))}D{out}", draw.choice(_BATCHES)
    for _ in range(max(round(30 * share), 6)):
        yield _first(draw)
    for _ in range(max(round(60 * share), 8)):
        inputs, units = (
            draw.choice((48, 136, 272, 656, 1200, 2600, 5200, 10400)),
            draw.choice((10, 72, 136, 520, 1100, 4400)),
        )
        yield f"input: {inputs}@1\nweight FC{units}", draw.choice(_BATCHES)
    yield "input: 20@1\nweight FC12", 1
    for text, count in _POINTWISE.items():
        least = 8 if text in _HALVED else 9  # next to nothing: what a layer of its class takes at least
        yield f"input: 12@{least}x{least}\nweight {text}", 1
        for _ in range(max(round(count * share), 3)):
            yield _pointwise(draw, text)
    for batch in (1, 6, 20):
        yield "input: 1@40\nembed(1000,60)", batch
    for batch in (1, 4):
        yield "input: 3@6x22x22\nC3D12 BN R M C1D12", batch
        yield "input: 12@6x22x22\nC3x1x1D40 R C1x3x3D28 BN R C3D20 R GAP", batch


def _convolution(draw: random.Random, kind: str) -> tuple[str, int]:
    most = draw.choice(_MACS)
    attempt = 0
    while True:
        attempt += 1
        depth, out, extent = draw.choice(_DEPTHS[1:]), draw.choice(_DEPTHS[1:]), draw.choice(_EXTENTS)
        kernel, stride, batch = draw.choice((3, 3, 3, 5, 7)), draw.choice((1, 1, 1, 2)), draw.choice(_BATCHES)
        if kind == "C1":
            text, macs = f"C1D{out}/{stride}b{draw.choice('01')}", depth * out * extent**2 / stride**2
        elif kind == "Ck":
            shape = draw.choice((f"{kernel}", f"{kernel}", f"{kernel}", f"1x{kernel}", f"{kernel}x1"))
            area = kernel**2 if shape == f"{kernel}" else kernel
            text, macs = f"C{shape}D{out}/{stride}b{draw.choice('01')}", depth * out * area * extent**2 / stride**2
        elif kind == "DW":
            text, macs = f"DW{kernel}/{stride}b0", depth * kernel**2 * extent**2 / stride**2
        elif kind == "Cg":
            groups = draw.choice((2, 4, 8, 32))
            depth, out = -(-depth // groups) * groups, -(-out // groups) * groups
            text, macs = f"C3D{out}/{stride}g{groups}b0", depth * out // groups * 9 * extent**2 / stride**2
        else:
            text, macs = f"T{draw.choice((2, 3))}D{out}/2", depth * out * 9 * extent**2
        wanted = most / 8 <= macs * batch <= most or attempt > 500  # depthwise ones are never large
        if wanted and macs * batch <= _MACS[-1] and (depth + out) * extent**2 * batch < _MOST_ELEMENTS:
            return f"input: {depth}@{extent}x{extent}\nweight {text}", batch


def _first(draw: random.Random) -> tuple[str, int]:
    """A convolution of the picture: no gradient goes on from it."""
    while True:
        depth, extent, batch = draw.choice((1, 3, 3)), draw.choice(_EXTENTS[4:]), draw.choice(_BATCHES)
        kernel, out, stride = draw.choice((3, 5, 7, 11)), draw.choice(_DEPTHS[1:9]), draw.choice((1, 2, 2))
        if depth * out * (kernel * extent // stride) ** 2 * batch <= _MACS[-1]:
            return f"input: {depth}@{extent}x{extent}\nC{kernel}D{out}/{stride}p1", batch


def _pointwise(draw: random.Random, text: str) -> tuple[str, int]:
    while True:
        depth, extent, batch = draw.choice(_DEPTHS[2:]), draw.choice(_EXTENTS[1:]), draw.choice(_BATCHES)
        if (text == "A7" and extent < 7) or (text == "M5" and extent < 5):
            continue
        if text in _HALVED and extent % 2:
            continue
        if depth * extent**2 * batch < _MOST_ELEMENTS:
            return f"input: {depth}@{extent}x{extent}\nweight {text}", batch

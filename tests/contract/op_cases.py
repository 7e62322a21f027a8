"""For every op a strategy of random layers with the volumes that enter them; the contract tests run over all."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from hypothesis import assume
from hypothesis import strategies as st

from convsize.geometry import AXIS_NAMES, Extents, GeometryError, Padding, Shape
from convsize.ops import catalogue
from convsize.ops.base import Argument, Op, Suffixes

FILLS = ("reflect", "replicate", "circular")
ROUNDINGS = (None, "floor", "ceil", "exact")


class Case(NamedTuple):
    op: Op
    inputs: tuple[Shape, ...]
    output: Shape


Draw = Callable[[st.SearchStrategy], object]


def sized(op: Op, *inputs: Shape) -> Case:
    """The case, unless the random numbers make no layer."""
    try:
        output = op.output(*inputs)
    except GeometryError:
        assume(False)
    assume(output.elements <= 4000)
    return Case(op, inputs, output)


def extents(rank: int, least: int = 1) -> st.SearchStrategy[Extents]:
    largest = {0: 1, 1: 14, 2: 7, 3: 5}[rank]
    return st.tuples(*(st.integers(least, max(least, largest)),) * rank)


@st.composite
def volumes(draw, ranks=(1, 2, 3), depths=(1, 6), least=1) -> Shape:
    rank = draw(st.sampled_from(ranks))
    return Shape(draw(st.integers(*depths)), draw(extents(rank, least)))


def numbers(rank: int, low: int, high: int) -> st.SearchStrategy[Extents]:
    """One number for every axis, or one per axis."""
    return st.one_of(st.tuples(st.integers(low, high)), st.tuples(*(st.integers(low, high),) * rank))


@st.composite
def paddings(draw, rank: int, low: int = 0, high: int = 3) -> Padding | None:
    mode = draw(st.sampled_from((None, "explicit", "explicit", "valid", "half", "full", "same")))
    if mode is None:
        return None
    if mode != "explicit":
        return Padding(mode)
    count = draw(st.sampled_from((1, rank)))
    side = st.integers(low, high)
    pair = st.one_of(side.map(lambda zeros: (zeros, zeros)), st.tuples(side, side))
    return Padding("explicit", tuple(draw(pair) for _ in range(count)))


def of_token(mnemonic: str, suffixes: Suffixes, source: Shape) -> Case:
    try:
        op = catalogue.token(mnemonic).from_suffixes(suffixes, source)
    except GeometryError:
        assume(False)
    return sized(op, source)


def arguments_of(name: str, **arguments: Argument) -> dict[str, Argument]:
    op_type = catalogue.word(name)
    assert op_type is not None
    return {param.name: arguments.get(param.name, param.default) for param in op_type.PARAMS}


def of_word(name: str, source: Shape, **arguments: Argument) -> Case:
    op_type = catalogue.word(name)
    assert op_type is not None
    complete = arguments_of(name, **arguments)
    try:
        op = op_type.from_arguments(complete, source)
    except GeometryError:
        assume(False)
    return sized(op, source)


@st.composite
def convolutions(draw, mnemonic: str) -> Case:
    source = draw(volumes())
    rank = source.rank
    groups = draw(st.sampled_from([g for g in range(1, source.channels + 1) if source.channels % g == 0]))
    multiple = draw(st.integers(1, 3))
    depth = multiple * (source.channels if mnemonic == "DW" else groups)
    fill = draw(st.sampled_from((*("zeros",) * 4, *FILLS)))
    padding = draw(paddings(rank, low=-1 if fill == "zeros" else 0))
    suffixes = Suffixes(
        size=draw(st.one_of(st.none(), numbers(rank, 1, 4))),
        depth=draw(st.sampled_from((None, depth))),
        stride=draw(st.one_of(st.none(), numbers(rank, 1, 3))),
        padding=padding.replace(fill=fill) if padding else padding,
        dilation=draw(st.one_of(st.none(), numbers(rank, 1, 3))),
        groups=None if mnemonic == "DW" else groups,
        bias=draw(st.sampled_from((None, False, True))),
        rounding=draw(st.sampled_from(ROUNDINGS)),
        standard=draw(st.sampled_from((None, None, "ws", "sws"))),
        epsilon=draw(st.sampled_from((None, Fraction(1, 1000)))),
    )
    return of_token(mnemonic, suffixes, source)


@st.composite
def transposed(draw) -> Case:
    source = draw(volumes())
    rank = source.rank
    groups = draw(st.sampled_from([g for g in range(1, source.channels + 1) if source.channels % g == 0]))
    suffixes = Suffixes(
        size=draw(numbers(rank, 1, 4)),
        depth=draw(st.sampled_from((None, groups, 2 * groups))),
        stride=draw(st.one_of(st.none(), numbers(rank, 1, 3))),
        padding=draw(paddings(rank)),
        dilation=draw(st.one_of(st.none(), numbers(rank, 1, 3))),
        groups=groups,
        output_padding=draw(st.one_of(st.none(), numbers(rank, 0, 2))),
        bias=draw(st.sampled_from((None, False, True))),
    )
    return of_token("T", suffixes, source)


@st.composite
def pools(draw, mnemonic: str) -> Case:
    source = draw(volumes())
    rank = source.rank
    suffixes = Suffixes(
        size=draw(st.one_of(st.none(), numbers(rank, 1, 4))),
        stride=draw(st.one_of(st.none(), numbers(rank, 1, 3))),
        padding=draw(paddings(rank)),
        dilation=draw(st.one_of(st.none(), st.none(), numbers(rank, 1, 3))),
        count_zeros=draw(st.sampled_from((None, False, True))) if mnemonic == "A" else None,
        rounding=draw(st.sampled_from(ROUNDINGS)),
    )
    return of_token(mnemonic, suffixes, source)


@st.composite
def tokens(draw, mnemonic: str, ranks=(1, 2, 3), depths=(2, 6), least=1, **suffixes) -> Case:
    source = draw(volumes(ranks, depths, least))
    return of_token(mnemonic, Suffixes(**{name: draw(value) for name, value in suffixes.items()}), source)


@st.composite
def adaptive_pools(draw, mnemonic: str, least=1) -> Case:
    source = draw(volumes((1, 2, 3), (2, 6), least))
    size = draw(st.one_of(st.none(), numbers(source.rank, 1, 8)))
    return of_token(mnemonic, Suffixes(size=size), source)


@st.composite
def words(draw, name: str, ranks=(0, 1, 2, 3), depths=(2, 6), least=1, **arguments) -> Case:
    source = draw(volumes(ranks, depths, least))
    return of_word(name, source, **{key: draw(value) for key, value in arguments.items()})


@st.composite
def window_words(draw, name: str, **arguments) -> Case:
    source = draw(volumes())
    drawn = {key: draw(value) for key, value in arguments.items()}
    stride = draw(st.one_of(st.none(), st.integers(1, 3)))
    return of_word(name, source, kernel_size=draw(st.integers(1, 3)), stride=stride, **drawn)


@st.composite
def constants(draw, name: str) -> Case:
    source = draw(volumes((0, 1, 2, 3)))
    count = draw(st.sampled_from((1, source.channels)))
    values = st.sampled_from((Fraction(3), Fraction(1, 10), Fraction(-2)))
    return of_word(name, source, k=tuple(draw(values) for _ in range(count)))


@st.composite
def clamps(draw) -> Case:
    bounds = draw(st.sampled_from(((Fraction(-1), Fraction(2)), (Fraction(1, 4), None), (None, Fraction(2)))))
    return of_word("clamp", draw(volumes((0, 1, 2, 3))), lo=bounds[0], hi=bounds[1])


@st.composite
def reductions(draw) -> Case:
    source = draw(volumes((0, 1, 2, 3), depths=(2, 8), least=2))
    how = draw(st.sampled_from(("mean", "sum", "max", "min", "norm", "std", "var")))
    over = draw(st.sampled_from(("depth", "positions", "time", "height", "width", "slices", "slices")))
    if over != "slices":
        return of_word("reduce", source, how=how, over=over)
    slices, groups = draw(st.sampled_from((2, 3, 4))), draw(st.sampled_from((1, 2)))
    return of_word("reduce", source, how=how, over=over, r=slices, groups=groups)


@st.composite
def upsamplings(draw) -> Case:
    source = draw(volumes())
    whole = numbers(source.rank, 1, 4)
    scale = draw(st.one_of(whole, factors(source.rank), other_volumes(source)))
    return of_word("up", source, scale=scale, **draw(samplings(source)))


SCALES = tuple(Fraction(*each) for each in ((1, 2), (1, 3), (2, 3), (3, 2), (5, 2), (3, 4), (4, 5), (8, 5), (2, 1)))


def factors(rank: int) -> st.SearchStrategy[tuple[Fraction, ...]]:
    each = st.sampled_from(SCALES)
    return st.one_of(st.tuples(each), st.tuples(*(each,) * rank))


def other_volumes(source: Shape) -> st.SearchStrategy[Shape]:
    """Volumes with as many axes, as a tap has them."""
    return extents(source.rank).map(lambda spatial: Shape(3, spatial))


@st.composite
def samplings(draw, source: Shape) -> dict[str, str]:
    """How values between positions are found: what there is for the number of axes."""
    modes = ("nearest", "bilinear", "bilinear", *(("bicubic",) if source.rank == 2 else ()))
    mode = draw(st.sampled_from(modes))
    ways = ("centred", "aligned", *(("antialias",) if source.rank == 2 else ()))
    return {"mode": mode, "sampling": "centred" if mode == "nearest" else draw(st.sampled_from(ways))}


@st.composite
def resizings(draw) -> Case:
    source = draw(volumes())
    return of_word("resize", source, extents=draw(extents(source.rank)), **draw(samplings(source)))


@st.composite
def pads(draw) -> Case:
    source = draw(volumes())
    count = draw(st.sampled_from((1, 2, 2 * source.rank)))
    mode = draw(st.sampled_from(("zeros", "zeros", *FILLS)))
    amounts = tuple(draw(st.integers(-2 if mode == "zeros" else 0, 3)) for _ in range(count))
    return of_word("pad", source, amounts=amounts, mode=mode)


@st.composite
def crops(draw) -> Case:
    source = draw(volumes())
    kept = tuple(draw(st.integers(1, extent)) for extent in source.spatial)
    return of_word("crop", source, extents=Shape(3, kept) if draw(st.booleans()) else kept)


@st.composite
def slices(draw) -> Case:
    source = draw(volumes((0, 1, 2, 3)))
    start = draw(st.integers(0, source.channels - 1))
    return of_word("slice", source, start=start, stop=draw(st.integers(start + 1, source.channels)))


@st.composite
def swaps(draw) -> Case:
    source = draw(volumes())
    return of_word("swap", source, depth="depth", axis=draw(st.sampled_from(AXIS_NAMES[source.rank])))


@st.composite
def picks(draw) -> Case:
    source = draw(volumes((0, 1, 2, 3)))
    return of_word("pick", source, maps=tuple(draw(st.lists(st.integers(0, source.channels - 1), min_size=1))))


@st.composite
def reshapes(draw) -> Case:
    source = draw(volumes((0, 1, 2, 3)))
    rest = source.elements
    dims = []
    for _ in range(draw(st.integers(0, 3))):
        dims.append(draw(st.sampled_from([d for d in range(1, rest + 1) if rest % d == 0])))
        rest //= dims[-1]
    return of_word("reshape", source, dims=(rest, *dims))


@st.composite
def softmaxes(draw) -> Case:
    if draw(st.booleans()):
        return draw(tokens("S", ranks=(0, 1, 2, 3)))
    return draw(words("softmax", depths=(2, 8), r=st.sampled_from((2, 4)), groups=st.sampled_from((1, 2))))


@st.composite
def broadcasting(draw, join: str) -> Case:
    """Branches that are as large as each other, or 1 in depth, 1 on some or all axes, or flat."""
    source = draw(volumes((0, 1, 2, 3)))
    alike = draw(st.booleans())
    shapes = []
    for _ in range(draw(st.integers(2, 4))):
        kind = "same" if alike else draw(st.sampled_from(("same", "channels", "positions", "some", "flat")))
        if kind == "flat":
            shapes.append(Shape(draw(st.sampled_from((1, source.channels)))))
        elif kind == "some":
            shapes.append(Shape(source.channels, tuple(draw(st.sampled_from((1, each))) for each in source.spatial)))
        else:
            depth = 1 if kind == "positions" else source.channels
            shapes.append(Shape(depth, (1,) * source.rank if kind == "channels" else source.spatial))
    return sized(catalogue.join(join).from_arguments({}, source), *shapes)


@st.composite
def concatenations(draw) -> Case:
    source = draw(volumes((0, 1, 2, 3)))
    depths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    shapes = tuple(Shape(depth, source.spatial) for depth in depths)
    return sized(catalogue.join("concatenate").from_arguments({}, source), *shapes)


@st.composite
def attentions(draw) -> Case:
    heads, value = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kind = draw(st.sampled_from(("plain", "plain", "key", "part", "bias", "depth", "one", "two")))
    source = draw(volumes())
    if kind in ("one", "two"):
        key = value if draw(st.booleans()) else draw(st.integers(1, 3))
        other = draw(volumes())
        shapes = [source.replace(channels=heads * key)]
        depths = (key + value,) if kind == "one" else (key, value)
        shapes += [other.replace(channels=heads * each) for each in depths]
        op = catalogue.word("attn").from_arguments(arguments_of("attn", heads=heads), shapes[0])
        return sized(op, *shapes)
    if kind == "depth":
        return of_word("attn", source.replace(channels=3 * heads * value), heads=heads, over="depth")
    given = {}
    key = value
    if kind == "key" or draw(st.integers(0, 3)) == 0:
        key = given["key"] = draw(st.integers(1, 3))
    if kind == "part" or draw(st.integers(0, 2)) == 0:
        part = draw(st.sampled_from((1, 2, 2, 3)))
        source = source.replace(spatial=tuple(part * draw(st.integers(1, 5 - source.rank)) for _ in source.spatial))
        given[draw(st.sampled_from(("window", "window", "grid")))] = part
        if "window" in given and part > 1 and draw(st.booleans()):
            given["shift"] = draw(st.integers(1, part - 1))
    if kind == "bias" or draw(st.integers(0, 2)) == 0:
        given["bias"] = draw(st.sampled_from(("relative", "distance")))
    return of_word("attn", source.replace(channels=heads * (2 * key + value)), heads=heads, **given)


@st.composite
def inputs(draw) -> Case:
    source = draw(volumes((0, 1, 2, 3)))
    return sized(catalogue.join("input").from_arguments({"dims": source.dims}, source))


@st.composite
def batch_norms(draw) -> Case:
    if draw(st.booleans()):
        return draw(tokens("BN", ranks=(0, 1, 2, 3), bias=BIAS))
    return draw(words("bn", eps=EPS, momentum=st.just(Fraction(1, 100))))


@st.composite
def layer_norms(draw) -> Case:
    if draw(st.booleans()):
        return draw(tokens("LN", ranks=(0, 1, 2, 3), depths=(3, 6), bias=BIAS))
    return draw(words("ln", depths=(3, 6), eps=EPS))


@st.composite
def instance_norms(draw) -> Case:
    return draw(tokens("IN", bias=BIAS)) if draw(st.booleans()) else draw(words("in", ranks=(1, 2, 3), eps=EPS))


@st.composite
def group_norms(draw) -> Case:
    if draw(st.booleans()):
        size = st.tuples(st.integers(1, 3))
        return draw(tokens("GN", ranks=(0, 1, 2, 3), depths=(2, 8), size=size, bias=BIAS))
    return draw(words("gn", num_groups=st.integers(1, 3), eps=EPS))


@st.composite
def local_response_norms(draw) -> Case:
    if draw(st.booleans()):
        return draw(tokens("LRN", size=st.sampled_from((None, (3,), (4,)))))
    shares = st.sampled_from((Fraction(1, 2), Fraction(1, 10)))
    return draw(words("lrn", ranks=(1, 2, 3), n=st.integers(1, 6), alpha=shares, beta=shares, k=st.just(Fraction(2))))


BIAS = st.sampled_from((None, False, True))
EPS = st.sampled_from((Fraction(1, 1000), Fraction(1, 10**6)))
PROBABILITIES = st.sampled_from((Fraction(0), Fraction(1, 5), Fraction(1, 2), Fraction(1)))

CASES: dict[str, st.SearchStrategy[Case]] = {
    "Convolution": convolutions("C"),
    "DepthwiseConvolution": convolutions("DW"),
    "TransposedConvolution": transposed(),
    "MaxPool": pools("M"),
    "AveragePool": pools("A"),
    "SumPool": window_words("sumpool"),
    "LpPool": window_words("lppool", norm_type=st.sampled_from((Fraction(1), Fraction(2), Fraction(5, 2)))),
    "GlobalAveragePool": adaptive_pools("GAP", least=2),
    "GlobalMaxPool": adaptive_pools("GMP"),
    "FullyConnected": tokens("FC", ranks=(0, 1, 2, 3), size=st.tuples(st.integers(1, 5)), bias=BIAS),
    "BatchNorm": batch_norms(),
    "LayerNorm": layer_norms(),
    "RMSNorm": words("rms", depths=(3, 6), eps=st.one_of(st.none(), EPS), gain=st.sampled_from((0, 1))),
    "GlobalResponseNorm": st.one_of(tokens("GRN"), words("grn", ranks=(1, 2, 3), eps=EPS)),
    "FilterResponseNorm": words("frn", ranks=(1, 2, 3), eps=EPS),
    "ThresholdedLinear": words("tlu"),
    "InstanceNorm": instance_norms(),
    "GroupNorm": group_norms(),
    "LocalResponseNorm": local_response_norms(),
    "ReLU": tokens("R", ranks=(0, 1, 2, 3)),
    "Softmax": softmaxes(),
    "LogSoftmax": words("logsoftmax"),
    "ReLU6": words("relu6"),
    "LeakyReLU": words("leaky", a=st.sampled_from((Fraction(1, 100), Fraction(1, 5)))),
    "PReLU": words("prelu", depths=(3, 3), n=st.sampled_from((1, 3))),
    "ELU": words("elu", a=st.sampled_from((1, Fraction(1, 2)))),
    "GELU": words("gelu", approximate=st.sampled_from(("none", "tanh"))),
    "SELU": words("selu"),
    "GLU": words("glu", depths=(2, 8)),
    "SiLU": words("silu"),
    "Mish": words("mish"),
    "Sigmoid": words("sigmoid"),
    "Tanh": words("tanh"),
    "Hardswish": words("hswish"),
    "Hardsigmoid": words("hsigmoid"),
    "Softplus": words("softplus"),
    "Dropout": words("drop", p=PROBABILITIES),
    "DropPath": words("droppath", p=PROBABILITIES),
    "Upsample": upsamplings(),
    "Resize": resizings(),
    "Pad": pads(),
    "Crop": crops(),
    "Slice": slices(),
    "Pick": picks(),
    "Shuffle": words("shuffle", ranks=(1, 2, 3), groups=st.integers(1, 3)),
    "Widen": words("widen", depth=st.integers(2, 9)),
    "Embedding": words("embed", ranks=(1, 2), depths=(1, 1), vocabulary=st.just(50), depth=st.integers(1, 4)),
    "Attention": attentions(),
    "Token": words("token", ranks=(1,), depths=(1, 4), n=st.integers(1, 3)),
    "Front": words("front", ranks=(1,), depths=(1, 4), n=st.integers(1, 3)),
    "Position": words("position", ranks=(1, 2, 3), depths=(1, 4)),
    "Scale": words("scale"),
    "Bias": words("bias"),
    "Times": constants("times"),
    "Plus": constants("plus"),
    "Clamp": clamps(),
    "Absolute": words("abs"),
    "Exponential": words("exp"),
    "Logarithm": words("log"),
    "SquareRoot": words("sqrt"),
    "Reduce": reductions(),
    "Power": words("power", p=st.sampled_from((Fraction(2), Fraction(3), Fraction(1, 2), Fraction(-1)))),
    "Weight": words("weight"),
    "Affine": words("affine"),
    "Flatten": words("flat"),
    "Reshape": reshapes(),
    "PixelUnshuffle": words("unshuffle", ranks=(2,), depths=(1, 4), r=st.integers(1, 3)),
    "Blur": words(
        "blur",
        ranks=(1, 2, 3),
        depths=(1, 4),
        n=st.integers(1, 5),
        s=st.integers(1, 3),
        mode=st.sampled_from(("reflect", "reflect", "zeros", *FILLS)),
    ),
    "Swap": swaps(),
    "PixelShuffle": words("pixelshuffle", ranks=(2,), depths=(4, 9), r=st.integers(1, 3)),
    "Add": broadcasting("add"),
    "Multiply": broadcasting("multiply"),
    "Subtract": broadcasting("subtract"),
    "Divide": broadcasting("divide"),
    "Concatenate": concatenations(),
    "Input": inputs(),
}

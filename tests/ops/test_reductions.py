"""Reductions: by hand, what is refused, and the published modules that they make."""

import pytest

import convsize
from convsize.errors import SpecError


def outputs(text, source="6@4x5"):
    return convsize.parse(f"input: {source}\n{text}").nodes[-1].output.dims


@pytest.mark.parametrize(
    ("text", "dims"),
    [
        ("reduce(mean,depth)", (1, 4, 5)),
        ("reduce(max,positions)", (6, 1, 1)),
        ("reduce(sum,height)", (6, 1, 5)),
        ("reduce(std,width)", (6, 4, 1)),
        ("reduce(max,slices,3)", (2, 4, 5)),
        ("reduce(sum,slices,3,groups=2)", (2, 4, 5)),
        ("flat reduce(norm,depth)", (1,)),
    ],
)
def test_what_is_left(text, dims):
    assert outputs(text) == dims


def test_the_first_of_three_axes_is_time():
    assert outputs("reduce(mean,time)", "2@3x4x5") == (2, 1, 4, 5)
    assert outputs("reduce(mean,width)", "2@7") == (2, 1)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("reduce(mean,time)", "E206", "6@4x5 has no axis `time`"),
        ("reduce(sum,slices)", "E111", "needs the number r of slices"),
        ("reduce(sum,depth,2)", "E111", "takes no number"),
        ("reduce(sum,slices,4)", "E204", "4 slices do not divide the depth 6"),
        ("flat reduce(sum,positions)", "E205", "after flattening"),
        ("plus(1,2)", "E111", "2 numbers for 6 maps"),
        ("clamp(1,0)", "E111", "`lo` must be below `hi`"),
        ("clamp", "E111", "needs a bound"),
        ("power(0)", "E111", "makes every value 1"),
    ],
)
def test_what_is_refused(text, code, message):
    with pytest.raises(SpecError) as caught:
        outputs(text)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert message in found.message


# The parameters are those of the papers' own code at these depths.
CBAM = (
    "input: 64@8x8\nshared mlp: FC4 R FC64\n(x * (GAP mlp + GMP mlp) sigmoid) "
    "(x * [reduce(mean,depth) | reduce(max,depth)] C7D1b0 BN sigmoid)"
)
COORDINATES = (
    "input: 64@8x8\nshared squeeze: C1D8 BN hswish\n"
    "(x * reduce(mean,width) squeeze C1D64 sigmoid * reduce(mean,height) squeeze C1D64 sigmoid)"
)
SPLIT = (
    "input: 64@8x8\nC3D128g2 BN R as parts\n"
    "(@parts * reduce(sum,slices,2) GAP C1D32 BN R C1D128 softmax(2)) reduce(sum,slices,2)"
)
MODULES = {
    # 64·4 + 4 + 4·64 + 64, one for both pools; 2·7·7 and a batch norm of one map.
    "CBAM": (CBAM, 580 + 98 + 2, (64, 8, 8)),
    # 64·8 + 8 and a batch norm of 8 for both axes, 8·64 + 64 for each.
    "coordinate attention": (COORDINATES, 520 + 16 + 2 * 576, (64, 8, 8)),
    # 128·32·9 + 128, a batch norm of 128, 64·32 + 32, one of 32, 32·128 + 128.
    "split attention": (SPLIT, 36992 + 256 + 2080 + 64 + 4224, (64, 8, 8)),
    # z = mean + exp(v/2)·noise; the noise is an input.
    "a VAE's sample": (
        "input image: 1@28x28\ninput noise: 20@1\n@noise flat as z\n@image FC400 R as h\n"
        "@h FC20 as mean\n@h FC20 times(1/2) exp as deviation\n"
        "(@mean + (@deviation * @z)) FC400 R FC784 sigmoid",
        784 * 400 + 400 + 2 * (400 * 20 + 20) + 20 * 400 + 400 + 400 * 784 + 784,
        (784,),
    ),
    "shares": ("input: 8@4x4\nC1 exp (x / reduce(sum,depth))", 72, (8, 4, 4)),
    "a siamese distance": (
        "input left: 1@28x28\ninput right: 1@28x28\nshared twin: C5D16p0 R M C5D32p0 R M FC64\n"
        "@left twin as a\n@right twin as b\n(@a - @b) reduce(norm,depth)",
        416 + 12832 + 32832,
        (1,),
    ),
    "cosine": (
        "input left: 64@1\ninput right: 64@1\n@left (x * @right) reduce(sum,depth) as dot\n"
        "@left (reduce(norm,depth) * @right reduce(norm,depth)) clamp(lo=0.00000001) as norms\n"
        "@dot (x / @norms)",
        0,
        (1, 1),
    ),
}


@pytest.mark.parametrize("name", MODULES)
def test_published_modules(name):
    text, parameters, dims = MODULES[name]
    network = convsize.parse(text)
    assert network.analyze().totals.parameters == parameters
    assert network.nodes[network.outputs["main"]].output.dims == dims


@pytest.mark.parametrize("name", [name for name in MODULES if name != "cosine"])
@pytest.mark.parametrize("batch", [2, 3])
def test_their_receipts_are_exact(name, batch):
    pytest.importorskip("torch")
    receipt = convsize.parse(MODULES[name][0]).verify(batches=(batch,), apart=False)
    assert {line.quantity: line.verdict for line in receipt.lines if line.verdict == "FAILS"} == {}

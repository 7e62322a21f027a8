"""FLOPs besides multiply-adds, by hand: an addition, a product, a comparison, a root or an exponential is one."""

import pytest

import convsize

VALUES = 12 * 4 * 4
"""Values of the input, and of most outputs."""


@pytest.mark.parametrize(
    ("layer", "kind", "flops"),
    [
        ("R", "activation", VALUES),
        ("abs", "activation", VALUES),
        ("tanh", "activation", VALUES),
        ("exp", "activation", VALUES),
        ("log", "activation", VALUES),
        ("sqrt", "activation", VALUES),
        ("power(3)", "activation", VALUES),
        ("clamp(lo=0)", "activation", VALUES),
        ("clamp(-1,1)", "activation", 2 * VALUES),
        ("relu6", "activation", 2 * VALUES),
        ("leaky(0.1)", "activation", 2 * VALUES),  # compared, scaled
        ("prelu", "activation", 2 * VALUES),
        ("elu", "activation", 3 * VALUES),  # compared, e^x, less 1
        ("elu(0.5)", "activation", 4 * VALUES),  # and scaled
        ("selu", "activation", 4 * VALUES),
        ("sigmoid", "activation", 3 * VALUES),  # e^-x, plus 1, divided
        ("silu", "activation", 4 * VALUES),
        ("glu", "activation", 4 * VALUES // 2),  # half the values, times the other half's sigmoid
        ("softplus", "activation", 3 * VALUES),  # e^x, plus 1, its logarithm
        ("mish", "activation", 5 * VALUES),  # softplus, tanh, times x
        ("hsigmoid", "activation", 4 * VALUES),  # plus 3, cut at both ends, divided
        ("hswish", "activation", 5 * VALUES),
        ("gelu", "activation", 5 * VALUES),  # over the root of 2, erf, plus 1, times x, halved
        ("gelu(tanh)", "activation", 9 * VALUES),  # x + 0.044715·x·x·x, scaled, tanh, plus 1, times x, halved
        ("softmax", "activation", 5 * VALUES),  # maximum, less it, e^x, summed, divided
        ("logsoftmax", "activation", 5 * VALUES),
        ("BN", "norm", 2 * VALUES),
        ("IN", "norm", 5 * VALUES),
        ("INb1", "norm", 7 * VALUES),  # with a gain and a bias
        ("GN4", "norm", 7 * VALUES),
        ("LN", "norm", 7 * VALUES),
        ("rms(gain=0)", "norm", 3 * VALUES),  # squared, summed, divided
        ("rms", "norm", 4 * VALUES),
        ("times(3)", "scale", VALUES),
        ("plus(3)", "scale", VALUES),
        ("scale", "scale", VALUES),
        ("weight", "scale", VALUES),
        ("affine", "scale", 2 * VALUES),
        ("bias", "bias", VALUES),
        ("position", "bias", VALUES),
        ("C3D8", "bias", 8 * 16),
        ("DW3", "bias", VALUES),
        ("FC7", "bias", 7),
        ("T2D3/2", "bias", 3 * 64),
        ("C3D8b0ws", "norm", 4 * 8 * 12 * 9),
        ("C3D8b0sws", "norm", 4 * 8 * 12 * 9 + 8),
        ("M", "pool", 3 * 12 * 4),  # comparisons of four values
        ("M3/2p1", "pool", 8 * 12 * 4),
        ("GMP", "pool", 15 * 12),
        ("GMP2", "pool", 3 * 12 * 4),
        ("A", "pool", 4 * 12 * 4),  # three additions and a division
        ("A3/1p1", "pool", 9 * VALUES),
        ("GAP", "pool", 16 * 12),
        ("GAP2", "pool", 4 * 12 * 4),
        ("up(2,bilinear)", "resample", (4 + 3) * 12 * 64),  # products with four values, and their sum
        ("up(2,bicubic)", "resample", (16 + 15) * 12 * 64),
        ("sumpool(2)", "pool", 3 * 12 * 4),
        ("lppool(2,2)", "pool", (4 + 3 + 1) * 12 * 4),  # powers, their sum, its root
        ("reduce(mean,depth)", "pool", 12 * 16),
        ("reduce(max,width)", "pool", 3 * 12 * 4),
        ("reduce(sum,positions)", "pool", 15 * 12),
        ("reduce(norm,positions)", "pool", (16 + 15 + 1) * 12),
    ],
)
def test_flops_of_one_layer(layer, kind, flops):
    network = convsize.parse(f"input: 12@4x4\n{layer}")
    (node,) = network.layers
    assert [(work.kind, work.flops) for work in node.op.work(network.input_shapes(node), node.output)] == [
        (kind, flops)
    ]


@pytest.mark.parametrize(
    "layer",
    [
        "shuffle(2)",
        "pixelshuffle(2)",
        "unshuffle(2)",
        "up(2)",
        "slice(2,6)",
        "pick(1,0)",
        "pad(1)",
        "crop(3)",
        "widen(14)",
        "drop(0.5)",
        "droppath(0.5)",
        "flat",
        "C3D8b0",
    ],
)
def test_what_only_moves_values_computes_nothing(layer):
    network = convsize.parse(f"input: 12@4x4\n{layer}")
    (node,) = network.layers
    assert node.op.work(network.input_shapes(node), node.output) == ()


@pytest.mark.parametrize("joined", ["(R + x)", "(R - x)", "(R * x)", "(R / x)", "(x * GAP)"])
def test_a_join_of_two_computes_one_value_each(joined):
    network = convsize.parse(f"input: 12@4x4\n{joined}")
    node = network.nodes[-1]
    assert [(work.kind, work.flops) for work in node.op.work(network.input_shapes(node), node.output)] == [
        ("join", VALUES)
    ]

"""What an op is where nothing is said of it: as PyTorch has it, or as the language promises."""

import inspect

import pytest

from convsize import parse
from convsize.geometry import Padding
from convsize.ops.base import Op


def op(text: str) -> Op:
    return parse(f"input: 6@12x12\n{text}\n").nodes[-1].op


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("BN", "BatchNorm2d"),
        ("bn", "BatchNorm2d"),
        ("LN", "LayerNorm"),
        ("ln", "LayerNorm"),
        ("IN", "InstanceNorm2d"),
        ("in", "InstanceNorm2d"),
        ("GN2", "GroupNorm"),
        ("gn(2)", "GroupNorm"),
        ("LRN5", "LocalResponseNorm"),
        ("lrn(5)", "LocalResponseNorm"),
        ("leaky", "LeakyReLU"),
        ("prelu", "PReLU"),
    ],
)
def test_numbers_are_those_of_pytorch(text, layer):
    nn = pytest.importorskip("torch.nn")
    parameters = inspect.signature(getattr(nn, layer)).parameters.items()
    usual = {name: each.default for name, each in parameters if each.default is not each.empty}
    made = op(text)
    found = {name: float(getattr(made, name)) for name in usual if hasattr(made, name)}
    assert found
    assert found == {name: usual[name] for name in found}


@pytest.mark.parametrize(
    ("token", "word"),
    [("BN", "bn"), ("LN", "ln"), ("IN", "in"), ("GN3", "gn(3)"), ("LRN5", "lrn(5)"), ("S", "softmax")],
)
def test_a_token_is_its_word(token, word):
    assert op(token) == op(word)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("C3D4", {"stride": (1, 1), "padding": Padding("half"), "dilation": (1, 1), "groups": 1, "bias": True}),
        ("DW3", {"out_channels": 6, "stride": (1, 1), "padding": Padding("half"), "dilation": (1, 1), "bias": True}),
        ("T2D4", {"stride": (1, 1), "padding": Padding("valid"), "dilation": (1, 1), "groups": 1, "bias": True}),
        ("T2D4", {"output_padding": (0, 0)}),
        ("M", {"kernel_size": (2, 2), "stride": (2, 2), "padding": Padding("valid"), "dilation": (1, 1)}),
        ("A", {"kernel_size": (2, 2), "stride": (2, 2), "count_zeros": True, "rounding": "floor"}),
        ("M3", {"kernel_size": (3, 3), "stride": (3, 3), "rounding": "floor"}),
        ("A3", {"kernel_size": (3, 3), "stride": (3, 3), "padding": Padding("valid")}),
        ("sumpool(3)", {"kernel_size": (3, 3), "stride": (3, 3)}),
        ("lppool(2,3)", {"norm_type": 2, "kernel_size": (3, 3), "stride": (3, 3)}),
        ("up(2)", {"scale_factor": (2, 2), "mode": "nearest", "sampling": "centred"}),
        ("FC3", {"out_features": 3, "bias": True}),
        ("pad(1)", {"pairs": ((1, 1), (1, 1))}),
    ],
)
def test_what_is_not_said(text, fields):
    assert {name: getattr(op(text), name) for name in fields} == fields


@pytest.mark.parametrize(
    ("token", "parameters", "macs"),
    [
        # A gain and a shift for each of the 6 maps.
        ("BN", 2 * 6, 0),
        ("BNb0", 0, 0),
        ("IN", 0, 0),
        ("INb0", 0, 0),
        ("INb1", 2 * 6, 0),
        ("LN", 2 * 6, 0),
        ("LNb1", 2 * 6, 0),
        ("LNb0", 0, 0),
        ("GN2", 2 * 6, 0),
        ("GN2b1", 2 * 6, 0),
        ("GN2b0", 0, 0),
        ("prelu", 1, 0),
        ("prelu(6)", 6, 0),
        ("weight", 1, 0),
        ("scale", 6, 0),
        ("affine", 2 * 6, 0),
        # A weight for every map in and out, times the window, times the positions.
        ("C3D4", 6 * 4 * 9 + 4, 144 * 6 * 4 * 9),
        ("C3D4b1", 6 * 4 * 9 + 4, 144 * 6 * 4 * 9),
        ("C3D4b0", 6 * 4 * 9, 144 * 6 * 4 * 9),
        ("C3D4g2", 3 * 4 * 9 + 4, 144 * 3 * 4 * 9),
        ("C1x3D4/2b0", 6 * 4 * 3, 36 * 6 * 4 * 3),
        ("DW3", 6 * 9 + 6, 144 * 6 * 9),
        ("DW3b0", 6 * 9, 144 * 6 * 9),
        ("DW3D12", 12 * 9 + 12, 144 * 12 * 9),
        ("T2D4", 6 * 4 * 4 + 4, 144 * 6 * 4 * 4),
        ("T2D4b0", 6 * 4 * 4, 144 * 6 * 4 * 4),
        ("T2D4g2", 3 * 4 * 4 + 4, 144 * 3 * 4 * 4),
        ("FC3", 864 * 3 + 3, 864 * 3),
        ("FC3b0", 864 * 3, 864 * 3),
    ],
)
def test_parameters_and_multiply_adds_by_hand(token, parameters, macs):
    totals = parse(f"input: 6@12x12\n{token}\n").analyze().totals
    assert (totals.parameters, totals.macs) == (parameters, macs)

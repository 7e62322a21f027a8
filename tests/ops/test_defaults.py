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
        ("up(2)", {"scale_factor": (2, 2), "linear": False}),
        ("FC3", {"out_features": 3, "bias": True}),
        ("pad(1)", {"pairs": ((1, 1), (1, 1))}),
    ],
)
def test_what_is_not_said(text, fields):
    assert {name: getattr(op(text), name) for name in fields} == fields

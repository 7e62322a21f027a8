"""Pasted code and prints of torch.nn: the calls that they stand for compute what the modules compute."""

import re
from collections import OrderedDict

import pytest
import torch
from torch import nn

from convsize.errors import UsageError
from convsize.importing.pasted.text import read_text
from convsize.importing.torch_modules.table import CLASSES
from tests.importing.run_calls import run

_ = OrderedDict

VGG = """
import torch.nn as nn
width = 8
model = nn.Sequential(
    nn.Conv2d(3, width, kernel_size=3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
    nn.MaxPool2d(2, ceil_mode=True),
    nn.Sequential(OrderedDict([("conv", nn.Conv2d(width, width * 2, 3, bias=False)), ("act", nn.GELU())])),
    nn.Flatten(), nn.Dropout(0.5), nn.Linear(width * 2 * 3 * 3, 10), nn.LogSoftmax(dim=1),
)
"""

POINTWISE = ("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "Sigmoid", "Tanh", "Softsign")

CASES = [
    ("nn.Conv2d(3, 8, (3, 5), stride=(2, 1), padding=(1, 2), dilation=1, groups=1)", (3, 9, 8)),
    ("nn.Conv2d(3, 6, 2, padding='same', groups=3, bias=False)", (3, 9, 8)),
    ("nn.Conv2d(3, 6, 3, padding=2, padding_mode='reflect')", (3, 9, 8)),
    ("nn.Conv1d(3, 6, 3, padding='valid', dilation=2)", (3, 9)),
    ("nn.Conv3d(3, 6, 3, padding=1, padding_mode='circular')", (3, 5, 5, 5)),
    ("nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1, groups=2)", (4, 5, 7)),
    ("nn.ConvTranspose1d(4, 6, 3, 2, dilation=2, bias=False)", (4, 5)),
    ("nn.ConvTranspose3d(4, 6, 2, 2)", (4, 2, 3, 2)),
    ("nn.BatchNorm1d(3, eps=0.1)", (3, 9)),
    ("nn.BatchNorm1d(3, affine=False)", (3,)),
    ("nn.BatchNorm2d(3)", (3, 4, 4)),
    ("nn.BatchNorm3d(3, momentum=0.3)", (3, 4, 4, 2)),
    ("nn.InstanceNorm1d(3)", (3, 4)),
    ("nn.InstanceNorm2d(3, affine=True)", (3, 4, 4)),
    ("nn.InstanceNorm3d(3)", (3, 4, 4, 3)),
    ("nn.GroupNorm(2, 4)", (4, 4, 4)),
    ("nn.LayerNorm((4, 5))", (3, 4, 5)),
    ("nn.LayerNorm(5, bias=False)", (3, 4, 5)),
    ("nn.LayerNorm(5, elementwise_affine=False)", (3, 4, 5)),
    ("nn.RMSNorm(5)", (3, 4, 5)),
    ("nn.PReLU()", (3, 4, 5)),
    ("nn.PReLU(3)", (3, 4, 5)),
    ("nn.Linear(5, 7, bias=False)", (3, 4, 5)),
    ("nn.MaxPool1d(3, 2, 1)", (3, 10)),
    ("nn.MaxPool2d(3, 2, 1, dilation=2)", (3, 10, 11)),
    ("nn.MaxPool3d(2, ceil_mode=True)", (3, 5, 5, 5)),
    ("nn.AvgPool1d(3, 2, 1)", (3, 10)),
    ("nn.AvgPool2d((3, 2), stride=2, padding=1, ceil_mode=True, count_include_pad=False)", (3, 10, 11)),
    ("nn.AvgPool3d(2)", (3, 4, 4, 4)),
    ("nn.AdaptiveAvgPool1d(3)", (3, 10)),
    ("nn.AdaptiveAvgPool2d((None, 3))", (3, 10, 11)),
    ("nn.AdaptiveAvgPool3d(1)", (3, 4, 4, 4)),
    ("nn.AdaptiveMaxPool1d(3)", (3, 10)),
    ("nn.AdaptiveMaxPool2d(3)", (3, 10, 11)),
    ("nn.AdaptiveMaxPool3d((1, 2, 3))", (3, 4, 4, 4)),
    ("nn.ReflectionPad1d((1, 2))", (3, 5)),
    ("nn.ReflectionPad2d((1, 2, 3, 0))", (3, 5, 5)),
    ("nn.ReflectionPad3d(1)", (3, 3, 3, 3)),
    ("nn.ReplicationPad1d(1)", (3, 3)),
    ("nn.ReplicationPad2d(1)", (3, 3, 3)),
    ("nn.ReplicationPad3d(1)", (3, 3, 3, 3)),
    ("nn.CircularPad1d(1)", (3, 3)),
    ("nn.CircularPad2d(1)", (3, 3, 3)),
    ("nn.CircularPad3d(1)", (3, 3, 3, 3)),
    ("nn.ZeroPad1d(1)", (3, 4)),
    ("nn.ZeroPad2d((0, 1, 0, 2))", (3, 4, 4)),
    ("nn.ZeroPad3d(1)", (3, 4, 4, 4)),
    ("nn.ConstantPad1d(1, 0.5)", (3, 4)),
    ("nn.ConstantPad2d((1, -1, 0, 2), 2.0)", (3, 4, 5)),
    ("nn.ConstantPad3d(1, 1)", (3, 4, 4, 4)),
    ("nn.Upsample(scale_factor=2)", (3, 4, 5)),
    ("nn.Upsample(size=(7, 9), mode='bilinear', align_corners=True)", (3, 4, 5)),
    ("nn.Upsample(scale_factor=1.7, mode='bicubic')", (3, 4, 5)),
    ("nn.Upsample(scale_factor=(1, 2, 2), mode='trilinear')", (3, 2, 4, 5)),
    ("nn.UpsamplingNearest2d(scale_factor=3)", (3, 2, 4)),
    ("nn.UpsamplingBilinear2d(scale_factor=2)", (3, 2, 4)),
    ("nn.PixelShuffle(2)", (8, 2, 4)),
    ("nn.PixelUnshuffle(2)", (3, 2, 4)),
    ("nn.ChannelShuffle(2)", (4, 2, 4)),
    ("nn.Flatten(2)", (4, 2, 4)),
    ("nn.Unflatten(1, (2, -1))", (4, 2)),
    ("nn.Identity()", (4, 2)),
    ("nn.GLU(dim=1)", (4, 2)),
    ("nn.Softmax(dim=1)", (4, 2, 2)),
    ("nn.LogSoftmax(-1)", (4, 2, 2)),
    ("nn.Softmax2d()", (4, 2, 2)),
    ("nn.Dropout(0.3)", (4,)),
    *((f"nn.Dropout{axes}d()", (4, 2, 3, 5)[: axes + 1]) for axes in (1, 2, 3)),
    ("nn.AlphaDropout()", (4, 2, 2)),
    ("nn.LogSigmoid()", (4, 2, 2)),
    ("nn.LeakyReLU(0.2)", (4, 2, 2)),
    ("nn.ELU(0.5)", (4, 2, 2)),
    ("nn.CELU(0.5)", (4, 2, 2)),
    ("nn.Hardtanh(-2, 0.5)", (4, 2, 2)),
    ("nn.Softplus(2.0, 3.0)", (4, 2, 2)),
    ("nn.Threshold(0.1, 20)", (4, 2, 2)),
    ("nn.GELU(approximate='tanh')", (4, 2, 2)),
    *(
        (f"nn.{name}()", (4, 2, 2))
        for name in [
            "ReLU",
            "ReLU6",
            "SELU",
            "SiLU",
            "Mish",
            "Hardswish",
            "Hardsigmoid",
            "Sigmoid",
            "Tanh",
            "Softsign",
            "LogSigmoid",
        ]
    ),
]


def built(code: str) -> nn.Module:
    scope = {"nn": nn, "OrderedDict": OrderedDict}
    exec(code if "model =" in code else f"model = {code}", scope)
    return scope["model"].eval()  # type: ignore[attr-defined]


def shaken(module: nn.Module) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    for value in module.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape) + 0.5)
    return dict(module.state_dict())


def same(text: str, module: nn.Module, shape: tuple[int, ...]) -> None:
    """What the text stands for computes what the module does, with the module's own parameters."""
    calls = read_text(text, "-", shape)
    x = torch.randn(2, *shape)
    weights = {path: each for path, each in shaken(module).items() if not path.endswith("num_batches_tracked")}
    expected = module(x)
    (found,) = run(calls, {"x": x, **weights}).values()
    torch.testing.assert_close(found, expected)
    assert sum(each.size for each in calls.parameters) == sum(each.numel() for each in module.parameters())


@pytest.mark.parametrize(("code", "shape"), [*CASES, (VGG, (3, 10, 9))], ids=lambda value: str(value)[:60])
def test_code_computes_what_the_module_does(code: str, shape: tuple[int, ...]) -> None:
    module = built(code)
    if isinstance(module, nn.Identity):
        with pytest.raises(UsageError, match="no layers"):
            read_text(code, "-", shape)
        return
    text = code if code is VGG else f"nn.Sequential({code})"
    same(text, module if code is VGG else nn.Sequential(module), shape)


HIDDEN = re.compile(r"AvgPool2d\(\(3|AvgPool1d\(3, 2, 1|Upsample\((size|scale_factor=[1(])")
"""What a print leaves out."""


@pytest.mark.parametrize(("code", "shape"), [*CASES, (VGG, (3, 10, 9))], ids=lambda value: str(value)[:60])
def test_prints_compute_what_the_module_does_or_are_refused(code: str, shape: tuple[int, ...]) -> None:
    module = built(code)
    if code is not VGG:
        module = nn.Sequential(module, nn.ReLU())
    if HIDDEN.search(code):
        with pytest.raises(UsageError, match=r"a print does not say its `(ceil_mode|count_include_pad|align_corners)`"):
            read_text(str(module), "-", shape)
        return
    same(str(module), module, shape)


def test_every_class_of_the_table_is_among_the_cases() -> None:
    named = {found[1] for code, _ in CASES if (found := re.match(r"nn\.(\w+)\(", code))}
    assert named == set(CLASSES)


LEFT_OUT = ("self", "device", "dtype", "args", "kwargs", "min_value", "max_value")


def test_classes_take_the_arguments_that_pytorch_gives_them() -> None:
    import inspect

    from convsize.importing.signatures import _parsed

    for name, (signature, _) in CLASSES.items():
        names, by_name, defaults = _parsed(signature)
        theirs = inspect.signature(getattr(nn, name).__init__).parameters
        ours = [each for each in theirs if each not in LEFT_OUT]
        printed = ["mode"] if name.startswith("Upsampling") else []
        if name != "Identity" and not name.startswith("AdaptiveMax"):
            assert [each for each in names + by_name if each not in printed] == ours, name
        for each, default in defaults.items():
            if each in theirs:
                assert theirs[each].default == default, (name, each)


def test_lines_are_a_chain_and_shared_modules_are_one() -> None:
    calls = read_text("self.a = nn.Conv2d(3, 4, 3)\nact = nn.ReLU()\nnn.Conv2d(4, 2, 1),", "-", (3, 8, 8))
    assert [call.op for call in calls.calls] == ["conv2d", "relu", "conv2d"]
    assert [each.path for each in calls.parameters] == ["a.weight", "a.bias", "2.weight", "2.bias"]
    assert "chain" in calls.notes[0]
    calls = read_text("c = nn.Conv2d(3, 3, 1)\nnn.Sequential(c, nn.ReLU(), c)", "-", (3, 8, 8))
    assert [each.path for each in calls.parameters] == ["0.weight", "0.bias"]
    assert [call.scope[-1].path for call in calls.calls] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nn.Sequential(nn.Conv2d(3, n, 3))", "line 1: `n` is no literal"),
        ("a = 1\nopen('x')\nnn.Conv2d(3, f(), 3)", "line 3: `f\\(\\)` is no literal"),
        ("for i in range(3):\n  nn.ReLU()", "line 1: a loop would have to be run"),
        ("class A(nn.Module):\n  pass", "line 1: a class would have to be run"),
        ("nn.Sequential(*[nn.ReLU() for _ in range(3)])", "is no literal"),
        ("nn.ReLU(\n", "line 1: this is no Python"),
        ("", "no module"),
        ("nn.Sequential()", "no layers"),
        ("x = 2 ** 999999999", "too large"),
        ("nn.Conv2d(3, 10**12 * 10**12, 3)", "too large"),
        ("nn.Conv2d(3, 2**50, 3)", "holds more values than any can"),
        (
            "nn.Sequential(nn.Conv2d(3, 4, 3), Attn(4),\nCBAM(4), nn.Conv2D(4, 4, 1))",
            r"3 lines.*\n.*Attn.*\n.*line 2: CBAM",
        ),
        ("nn.Conv2D(3, 4, 3)", "did you mean `Conv2d`"),
        ("nn.Conv2d(3, 4, 3, strides=2)", "no argument `strides`: did you mean `stride`"),
        ("nn.Conv2d(3, 4)", "`kernel_size` is missing"),
        ("nn.Conv2d(3, 4, 3, 1, 0, 1, 1, True, 'zeros', 9)", "takes 9 arguments, and is given 10"),
        ("nn.Conv2d(4, 4, 3)", "takes a depth of 4 in 1 group and gives 4, and is given 3@8x8"),
        ("nn.Conv2d(3, 4, '3')", "its `kernel_size` is '3'"),
        ("nn.Conv2d(3, 4, 3, True)", "its `stride` is True"),
        ("nn.Conv2d(3, 4, 3, dtype=torch.half)", "is no literal"),
        ("nn.Conv2d(3, 4, 9)", "nothing is left"),
        ("nn.Conv2d(3, 4, 3), nn.Linear(4, 10)", "takes 4 values, and 4@6x6 has 6 in its last axis: flatten it before"),
        ("nn.BatchNorm1d(3)", "for 1 axis of positions"),
        ("nn.BatchNorm2d(3, track_running_stats=False)", "statistics of the batch"),
        ("nn.BatchNorm2d(3, momentum=None)", "mean over all batches"),
        ("BatchNorm2d(3, eps=1e-05, momentum=None, affine=True, track_running_stats=True)", "mean over all batches"),
        ("nn.MaxPool2d(2, return_indices=True)", "`return_indices` is True"),
        ("nn.Softmax(), nn.Flatten(2), nn.Softmax()", "over the samples"),
        ("nn.LSTM(3, 4)", "not known"),
        ("Net(\n  (conv): Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))\n)", "a print does not say how it calls"),
        ("ModuleList(\n  (0-3): 4 x ReLU()\n)", "stands in a list"),
        ("Sequential(\n  (0): ReLU()\n  (0): ReLU()\n)", "line 3: `.0.` is there twice"),
        ("Sequential(\n  (0): ReLU()\n", "never closed"),
        ("Sequential(\n  (0): ReLU()\n)\n)", "closes nothing"),
        ("Sequential(\n  (0): Conv2d(3, 4, kernel_size=(3, 3), stride=f())\n)", "line 2: `f\\(\\)` is no literal"),
        ("nn.Sequential(" * 150 + ")" * 150, "deep"),
        ("(0): Sequential(\n" * 2000, "more than 100 deep"),
        ("x = " + "-" * 60000 + "1", "no Python|nested"),
        ("nn.ReLU()\n" * 200_000, "longer than"),
        ("\0", "no Python|null"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"(?s){problem}"):
        read_text(text, "net.py", (3, 8, 8))


NAMED = "net = nn.Sequential(OrderedDict([('conv', nn.Conv2d(3, 8, 3)), ('act', nn.ReLU())]))\n"

SET = [
    (f"{NAMED}net.act = nn.Sigmoid()", ["conv2d", "sigmoid"]),
    (f"{NAMED}net.conv = nn.Sequential(nn.Conv2d(3, 4, 1))\nnet.conv.more = nn.ReLU()", ["conv2d", "relu", "relu"]),
    (f"{NAMED}net.last = nn.Sigmoid()\nother = net\nother.act = nn.Tanh()", ["conv2d", "tanh", "sigmoid"]),
    ("a = nn.Conv2d(3, 3, 1)\nb = a\na = nn.ReLU()\n", ["conv2d", "relu"]),
    ("net = nn.Sequential(nn.ReLU())\nnet.to('cuda').eval()\nnet.to(device)\nprint(net, net(x).size())", ["relu"]),
    ("nn.Sequential(nn.ReLU()).eval()", ["relu"]),
    ("from torch.nn import Sigmoid as ReLU\nnn.Sequential(ReLU())", ["sigmoid"]),
    (
        "import torch.nn as t\nfrom torch.nn.modules.activation import Tanh\nt.Sequential(Tanh(), t.ReLU())",
        ["tanh", "relu"],
    ),
]


@pytest.mark.parametrize(("text", "ops"), SET, ids=lambda value: str(value)[-50:])
def test_what_lines_change_is_changed(text: str, ops: list[str]) -> None:
    assert [call.op for call in read_text(text, "-", (3, 8, 8)).calls] == ops


CONV = "c = nn.Conv2d(3, 8, 3)\nnet = nn.Sequential(c, nn.ReLU())\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        *(
            (f"{CONV}c.{name}", "line 3: `c.* sets an attribute of Conv2d")
            for name in ("stride = (2, 2)", "bias = None")
        ),
        (f"{CONV}net.stride = 2", "line 3: .*sets an attribute of Sequential"),
        (f"{CONV}c.weight = nn.ReLU()", "sets an attribute of Conv2d"),
        (f"{CONV}net.conv.bias = None", "line 3: .*what `net.conv` is"),
        (f"{CONV}self.net.bias = None", "what `self.net` is"),
        (f"{CONV}net[0] = nn.ReLU()", "line 3: `net.0. = nn.ReLU..` changes what is there"),
        (f"{CONV}nn = net", "name of a library"),
        ("a = nn.Sequential(nn.ReLU())\na.more = a\nnn.Sequential(a)", "stands in itself"),
        *((f"{CONV}{call}", "line 3") for call in ("print(net.append(nn.ReLU()))", "net.append(c)")),
        *((f"{CONV}net.{call}", "line 3") for call in ("to(torch.float16)", "train(mode=f())", "half()")),
        (f"{CONV}other = net.append(nn.ReLU())", "no class of torch.nn"),
        ("from foo import ReLU\nnn.Sequential(ReLU())", "line 2: foo.ReLU.*none of torch.nn"),
        ("from foo import *\nnn.Sequential(ReLU())", "line 2: foo.ReLU"),
        ("from foo import nn\nnn.Sequential(nn.ReLU())", "line 2: what `foo.nn.Sequential` computes is not known"),
        ("from .foo import nn\nnn.ReLU()", "line 2: .foo.nn.ReLU"),
        ("nn.Sequential(complexnn.Conv2d(3, 8, 3), my.ReLU())", "2 lines.*complexnn.Conv2d"),
        ("torch.ao.nn.quantized.Conv2d(3, 8, 3)", "torch.ao.nn.quantized.Conv2d"),
        ("a = [1, 1]\n" + "a = [a, a]\n" * 40 + "nn.Conv2d(a, 8, 3)", "more than 10,000 values"),
        ("a = [nn.ReLU()]\n" + "a = [*a, *a]\n" * 40 + "nn.Sequential(*a)", "more than 10,000 values"),
    ],
    ids=lambda value: str(value)[-50:],
)
def test_changes_that_are_not_understood_are_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"(?s){problem}"):
        read_text(text, "net.py", (3, 8, 8))


def test_an_input_must_be_given() -> None:
    with pytest.raises(UsageError, match="--input"):
        read_text("nn.ReLU()", "-")

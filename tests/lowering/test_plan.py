"""The plan: in-place activations, logits, names, what dies when."""

import pytest

import convsize
from convsize.graph.layer_names import ATTRIBUTES
from convsize.lowering.plan import Init, lower


def step(plan, name):
    return next(each for each in plan.steps if each.name == name)


def in_place(text):
    plan = lower(convsize.parse(f"input: 3@16x16\n{text}"))
    return [each.name for each in plan.steps if each.in_place]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("C3D8 R", ["relu1"]),
        ("C3D8 BN R GN2 leaky(0.1) FC3 elu", ["relu1", "leaky1", "elu1"]),
        ("(C3D3 + x) R", ["relu1"]),
        ("C3D8 leaky(0)", []),  # its output no longer tells the sign of its input
        ("C3D8 silu C3D8 relu6 C3D8 hswish", []),  # they keep their inputs: in place autograd clones them
        ("C3D8 (R C3D8 + x)", []),  # the convolution's output is read twice
        ("C3D8 as a R\nhead h @a: FC3", []),
        ("R C3D8", []),  # the input is the caller's
        ("C3D8 sigmoid R", []),  # sigmoid keeps its output
        ("C3D8 M R", []),
        ("C3D8 R R", ["relu1"]),  # the second would overwrite what the first keeps
        ("C3D8 drop(0.5) R", []),  # in evaluation dropout hands its input on
        ("C3D8 slice(0,4) R", []),
    ],
)
def test_in_place(text, names):
    assert in_place(text) == names


def test_logits_leave_out_a_softmax_that_ends_an_output():
    net = convsize.parse("input: 3@8x8\nC3D8 R as a GAP FC4 S\nhead h @a: FC2 logsoftmax\nhead raw @a: FC2")
    whole, training = lower(net), lower(net, logits=True)
    assert (whole.logits, training.logits) == (False, True)
    assert {each.name for each in whole.steps} - {each.name for each in training.steps} == {
        "softmax1",
        "h.logsoftmax1",
    }
    names = [each.name for each in training.inputs] + [each.name for each in training.steps]
    assert {name: names[value] for name, value in training.outputs} == {"main": "fc1", "h": "h.fc1", "raw": "raw.fc1"}


def test_a_softmax_inside_stays():
    plan = lower(convsize.parse("input: 3@8x8\nC1D4 S C1D2"), logits=True)
    assert not plan.logits
    assert [each.name for each in plan.steps] == ["conv1", "softmax1", "conv2"]


def test_values_die_after_their_last_reader():
    plan = lower(convsize.parse("input: 3@8x8\nC3D3 (C3D3 R + x) R"))
    dead = {each.name: each.dead for each in plan.steps}
    # Values: 0 input, 1 conv1, 2 conv2, 3 relu1, 4 add1, 5 relu2. The sum is the last to read conv1.
    assert dead == {"conv1": (0,), "conv2": (), "relu1": (2,), "add1": (1, 3), "relu2": (4,)}


def test_padding_and_flattening_are_calls_of_their_own():
    plan = lower(convsize.parse("input: 3@9x9\nC4D8psame R T3D8/2p0:1 FC3"))
    assert [each.target for each in step(plan, "conv1").calls] == ["F.pad", "nn.Conv2d"]
    assert [each.target for each in step(plan, "tconv1").calls] == ["nn.ConvTranspose2d", "F.pad"]
    assert [each.target for each in step(plan, "fc1").before] == ["nn.Flatten"]


def test_initialisation_goes_by_what_comes_next():
    plan = lower(convsize.parse("input: 3@8x8\nC3D8 BN leaky(0.2) C3D8 drop(0.5) R C3D8 tanh FC8 R FC2"))
    inits = {each.name: each.init for each in plan.steps if each.init}
    assert inits == {
        "conv1": Init("he", 0.2),
        "conv2": Init("he"),
        "conv3": Init("glorot"),
        "fc1": Init("he"),
        "fc2": Init("glorot"),
    }


def test_tokens_are_told_from_numbers():
    text = "input words: 1@12\ninput image: 3@4x4\n@words embed(50,8) GMP as a\n[@a flat | @image GAP flat]"
    plan = lower(convsize.parse(text))
    assert [(each.name, each.tokens) for each in plan.inputs] == [("words", True), ("image", False)]


def test_no_attribute_of_a_module_can_be_a_head():
    pytest.importorskip("torch")
    from convsize.runtime.module import NetworkModule

    module = NetworkModule(lower(convsize.parse("input: 3@8x8\nR")))
    public = {name for name in dir(module) if not name.startswith("_")}
    assert public - {"T_destination"} == ATTRIBUTES | {"relu1"}  # no name of a spec begins with a capital

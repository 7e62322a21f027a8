"""The module: names, inputs, heads, initialisation, speed of the loop, and what becomes of copies."""

from __future__ import annotations

import copy
import pickle
import weakref
from pathlib import Path

import pytest
from zoo import over_the_zoo

import convsize

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

SPECS = sorted((Path(__file__).resolve().parents[2] / "specs").glob("*.spec"))
TWO = "input left: 3@8x8\ninput right: 1@8x8\n@left C3D4 R as a\n[@a | @right] C1D4 as c GAP FC2 S\nhead box @c: FC4"


@over_the_zoo
def test_names_and_shapes_are_those_of_the_analyses(path):
    net = convsize.load(path)
    module = net.to_torch(device="meta")
    expected = [(f"{node.module}.{each.name}", each.shape) for node in net.layers for each in net.own_parameters(node)]
    assert [(key, tuple(value.shape)) for key, value in module.state_dict().items()] == expected
    trained = sum(parameter.numel() for parameter in module.parameters())
    assert trained == net.analyze().totals.parameters
    assert all(isinstance(module.get_submodule(node.module), nn.Module) for node in net.layers)


def test_inputs_come_by_place_or_by_name():
    module = convsize.parse(TWO).to_torch()
    left, right = torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8)
    by_place = module(left, right)
    assert list(by_place) == ["main", "box"]
    for other in (module(right=right, left=left), module(left, right=right)):
        assert torch.equal(by_place["main"], other["main"])
    for arguments, named in [((left,), {}), ((left, right, left), {}), ((left, right), {"left": left}), ((), {"x": 1})]:
        with pytest.raises(TypeError, match="takes left, right, each once"):
            module(*arguments, **named)


def test_one_output_is_a_tensor():
    assert convsize.parse("input: 3@8x8\nC3D4 GAP").to_torch()(torch.rand(2, 3, 8, 8)).shape == (2, 4, 1, 1)


def test_logits():
    net = convsize.parse("input: 3@8x8\nC3D4 GAP FC5 S")
    torch.manual_seed(0)
    whole = net.to_torch()
    logits = net.to_torch(logits=True)
    logits.load_state_dict(whole.state_dict())
    x = torch.rand(2, 3, 8, 8)
    assert torch.allclose(whole(x).sum(1), torch.ones(2))
    assert torch.equal(whole(x), logits(x).softmax(1))


def test_a_network_without_layers_hands_its_input_on():
    x = torch.rand(2, 5)
    assert convsize.parse("input: 5@1x1\nS").to_torch(logits=True)(x) is x


def test_copies_and_pickles_are_their_own():
    module = convsize.parse(TWO).to_torch().eval()
    inputs = torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8)
    before = module(*inputs)["box"]
    other = copy.deepcopy(module)
    loaded = pickle.loads(pickle.dumps(module))
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    assert torch.equal(module(*inputs)["box"], before)
    assert torch.equal(loaded(*inputs)["box"], before)
    assert not other(*inputs)["box"].any()


def test_a_layer_can_be_replaced():
    module = convsize.parse("input: 3@8x8\ndef b: C3D4 R\nb GAP FC5").to_torch()
    module.fc1 = nn.Linear(4, 7)
    module.b1.conv1.requires_grad_(False)
    module.b1.conv1 = nn.Identity()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        module(torch.rand(2, 3, 8, 8))  # three maps instead of four reach the new layer
    assert module(torch.rand(2, 4, 8, 8)).shape == (2, 7)


def test_weights_start_by_the_activation_behind_them():
    torch.manual_seed(0)
    module = convsize.parse("input: 64@8x8\nC3D256 BN R C3D256 leaky(0.5) C3D256 tanh T3D128 R FC10").to_torch()
    fan = 9 * 256
    expected = {
        "conv1": (2 / (9 * 64)) ** 0.5,
        "conv2": (2 / (1 + 0.25) / fan) ** 0.5,  # a slope of 0.5 below zero
        "conv3": (2 / (fan + fan)) ** 0.5,
        "tconv1": (2 / fan) ** 0.5,  # its weight is (256, 128, 3, 3): what comes in stands first
        "fc1": (2 / (128 * 100 + 10)) ** 0.5,
    }
    for name, deviation in expected.items():
        layer = module.get_submodule(name)
        assert layer.weight.std().item() == pytest.approx(deviation, rel=0.02), name
        assert not layer.bias.any()


def test_tensors_are_given_up_when_nothing_reads_them_any_more():
    module = convsize.parse("input: 3@8x8\nC3D4 (C3D4 sigmoid + x) sigmoid C3D4").to_torch().eval()
    seen: dict[str, weakref.ref] = {}
    alive: dict[str, list[str]] = {}

    def see(name, value):
        seen[name] = weakref.ref(value.untyped_storage())
        seen[name] = weakref.ref(value)
        del value
        alive[name] = [each for each, reference in seen.items() if reference() is not None]

    with torch.no_grad():
        module.run((torch.rand(1, 3, 8, 8),), see=see)
    # conv1 is read again by the sum, which is shown before what it read is given up.
    assert alive == {
        "conv1": ["conv1"],
        "conv2": ["conv1", "conv2"],
        "sigmoid1": ["conv1", "conv2", "sigmoid1"],
        "add1": ["conv1", "sigmoid1", "add1"],
        "sigmoid2": ["add1", "sigmoid2"],
        "conv3": ["sigmoid2", "conv3"],
    }


def test_train_and_eval_reach_every_layer():
    module = convsize.parse("input: 3@8x8\ndef b: C3D4 BN drop(0.5)\nb b FC2").to_torch()
    assert all(not each.training for each in module.eval().modules())
    assert module.b2.bn1.training is False


def test_without_pytorch_the_extra_is_named(monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(convsize.UsageError, match=r"pip install 'convsize\[torch\]'"):
        convsize.parse("input: 3@8x8\nR").to_torch()


def test_other_orders_of_space_to_depth():
    x = torch.arange(2 * 3 * 4 * 6, dtype=torch.float32).reshape(2, 3, 4, 6)
    corners = [x[..., row::2, column::2] for row in (0, 1) for column in (0, 1)]
    net = convsize.parse("input: 3@4x6\nunshuffle(2) shuffle(3)").to_torch()
    assert torch.equal(net(x), torch.cat(corners, 1))  # TResNet's
    net = convsize.parse("input: 3@4x6\nunshuffle(2) shuffle(3) pick(0,1,2,6,7,8,3,4,5,9,10,11)").to_torch()
    assert torch.equal(net(x), torch.cat([corners[at] for at in (0, 2, 1, 3)], 1))  # Focus, of YOLOv5

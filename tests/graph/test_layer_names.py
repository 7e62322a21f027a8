"""What layers are called: unique names, which are attributes in PyTorch, whatever a spec calls its parts."""

import keyword

import pytest
from hostile import hostile
from hypothesis import given, settings
from strategies import networks

from convsize.api import parse
from convsize.graph.layer_names import ATTRIBUTES, numbered, of_heads


def names(text):
    return [node.name for node in parse(text).nodes]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # The number that would give a name away twice is left out.
        ("input conv1: 3@9x9\nC3D4 R", ["conv1", "conv2", "relu1"]),
        ("input: 3@9x9\nC3D4 as a R\nhead conv1 @a: C3D2", ["input", "conv2", "relu1", "conv1.conv1"]),
        ("input: 3@9x9\ndef conv: C3D4\nconv C3 conv", ["input", "conv1.conv1", "conv2", "conv3.conv1"]),
        ("input bot1: 3@9x9\ndef bot: C3D4\nbot", ["bot1", "bot2.conv1"]),
        # A word that is no attribute in Python, or one of a module's own, gets an underscore.
        ("input: 3@9x9\nC3D4 as a R\nhead class @a: R", ["input", "conv1", "relu1", "class_.relu1"]),
        ("input: 3@9x9\nR\nhead train: R\nhead train_: R", ["input", "relu1", "train__.relu1", "train_.relu1"]),
        ("input a: 3@9x9\nR as t\nhead a: R", ["a", "relu1", "a_.relu1"]),
        ("input: 3@9x9\nR as t\nhead _modules: R", ["input", "relu1", "head_modules.relu1"]),
        ("input: 3@9x9\ndef __f: R\n__f", ["input", "block_f1.relu1"]),
    ],
)  # fmt: skip
def test_names(text, wanted):
    assert names(text) == wanted


def test_the_first_relu6_is_not_the_61st_relu():
    found = names("input: 3@9x9\nR*61 relu6")
    assert found[-2:] == ["relu61", "relu6_1"]


def test_numbers_go_on_and_leave_out_what_is_taken():
    counters = {}
    assert [numbered("bot", counters, frozenset({"bot2"})) for _ in range(3)] == ["bot1", "bot3", "bot4"]
    assert [numbered("c2", counters, frozenset()) for _ in range(2)] == ["c2_1", "c2_2"]
    assert numbered("__", counters, frozenset()) == "block1"


def test_heads():
    assert of_heads(["box", "class", "class_", "in1", "_", "__1", "_1"], ["in1"]) == {
        "box": "box",
        "class": "class__",
        "class_": "class_",
        "in1": "in1_",
        "_": "head_",
        "__1": "head_1",
        "_1": "_1",
    }


def unique(network):
    found = [node.name for node in network.nodes]
    assert len(set(found)) == len(found)
    around = {".".join(node.blocks[:depth]) for node in network.nodes for depth in range(1, len(node.blocks) + 1)}
    assert not around & set(found)
    for node in network.layers:
        assert node.name.split(".")[:-1] == list(node.blocks)
        for part in node.name.split("."):
            assert part.isidentifier()
            assert not keyword.iskeyword(part)
            assert part not in ATTRIBUTES
            assert not part.startswith("__")


@settings(max_examples=100)
@given(hostile())
def test_names_are_unique_whatever_parts_are_called(text):
    unique(parse(text))


@settings(max_examples=60)
@given(networks())
def test_names_of_random_networks_are_unique(text):
    unique(parse(text))

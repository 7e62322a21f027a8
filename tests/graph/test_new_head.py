"""New heads: the spec with its last layer, or all behind a tap, replaced."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import convsize
from convsize import api
from convsize.graph.new_head import NewHead, with_heads

SPECS = Path(__file__).parents[2] / "specs"
SMALL = "input: 3@32x32\nC3D8 BN R M as features\nC3D16 BN R GAP as code FC20 R FC5 S\nexpect: out=5\n"


def changed(network: convsize.Network | str, *heads: str) -> tuple[NewHead, convsize.Network]:
    old = convsize.parse(network) if isinstance(network, str) else network
    new = with_heads(old, heads)
    return new, api.from_source(new.source, name="network")


def spec(name: str) -> convsize.Network:
    return convsize.load(SPECS / f"{name}.spec")


def specs(network: convsize.Network) -> str:
    return " ".join(node.spec for node in network.layers)


def test_the_last_layer_is_replaced_and_its_softmax_stays() -> None:
    head, network = changed(SMALL, "FC10")
    assert specs(network) == "C3D8 BN R M C3D16 BN R GAP FC20 R FC10 S"
    assert head.layers(network) == {"fc2"}
    assert head.dropped == {"fc2"}


def test_all_behind_a_tap_is_replaced() -> None:
    head, network = changed(SMALL, "@features GAP FC7 R FC10")
    assert specs(network) == "C3D8 BN R M GAP FC7 R FC10"
    assert head.layers(network) == {"gap1", "fc1", "relu2", "fc2"}
    assert head.dropped == {"conv2", "bn2", "relu2", "gap1", "fc1", "relu3", "fc2", "softmax1"}


def test_behind_a_tap_within_a_line() -> None:
    _, network = changed(SMALL, "@code FC10")
    assert specs(network) == "C3D8 BN R M C3D16 BN R GAP FC10"


def test_behind_the_end_there_is_room() -> None:
    head, network = changed("input: 3@32x32\nC3D8 GAP as end", "@end FC10")
    assert specs(network) == "C3D8 GAP FC10"
    assert head.dropped == set()


def test_a_head_of_several_layers_takes_the_place_of_one() -> None:
    head, network = changed(SMALL, "FC50 R drop(p=0.5) FC10")
    assert specs(network).endswith("GAP FC20 R FC50 R drop(p=0.5) FC10 S")
    assert head.layers(network) == {"fc2", "relu4", "drop1", "fc3"}
    assert head.dropped == {"fc2"}


def test_a_block_of_the_spec_may_be_the_head() -> None:
    head, network = changed(f"def top(d): FC50 R FC{{d}}\n{SMALL}", "top(10)")
    assert network.nodes[network.outputs["main"]].output.channels == 10
    assert {"top1.fc1", "top1.fc2"} <= head.layers(network)


@pytest.mark.parametrize(
    ("name", "head", "parameters"),
    [
        # 2048·10 + 10 instead of 2048·1000 + 1000
        ("resnet50", "FC10", 25_557_032 - 2_049_000 + 20_490),
        ("vgg_d", "FC10", 138_357_544 - 4_097_000 + 40_970),
        ("squeezenet1_0", "C1D10", 1_248_424 - 513_000 + 5_130),
    ],
)
def test_networks_of_the_zoo(name: str, head: str, parameters: int) -> None:
    _, network = changed(spec(name), head)
    assert network.analyze().totals.parameters == parameters


def test_other_heads_by_name() -> None:
    _, network = changed(spec("localisation"), "FC10", "box=FC8")
    assert [network.nodes[end].output.channels for end in network.outputs.values()] == [10, 8]


def test_heads_that_are_written_as_one_are_replaced_together() -> None:
    head, network = changed(spec("googlenet"), "FC10", "aux1=FC10")
    assert [network.nodes[end].output.channels for end in network.outputs.values()] == [10, 10, 10]
    assert head.layers(network) == {"fc1", "aux1.fc2", "aux2.fc2"}


@pytest.mark.parametrize(
    ("text", "heads", "message"),
    [
        (SMALL, ["@feature FC10"], "has no value of that name: did you mean `@features`?"),
        (SMALL, ["@input FC10"], "--head @input: this value is an input or inside brackets"),
        (SMALL, ["@features"], "write layers after the tap, as in `@features FC10`"),
        (SMALL, ["box=FC10"], "network has no output `box`; it has main"),
        (SMALL, [""], "needs a series of layers, such as FC10, not ``"),
        (SMALL, ["FC10 # more"], "needs a series of layers"),
        (SMALL, ["FC10", "FC11"], "--head FC11: `FC10` replaces this layer already"),
        ("input: 3@8x8\nC3D8 (C3D8 + x)", ["FC10"], "does not end in one layer with weights"),
        ("input: 3@8x8\n(FC8 R)*2", ["FC10"], "is written once but used several times"),
        (
            "input: 3@8x8\ndef f: FC8 R\nf f",
            ["FC10"],
            "network with weights, f2.fc1, is written once but used several times",
        ),
    ],
)
def test_what_cannot_be_replaced(text: str, heads: list[str], message: str) -> None:
    with pytest.raises(convsize.UsageError, match=re.escape(message)):
        changed(text, *heads)


def test_a_wrong_series_is_shown_where_it_stands() -> None:
    with pytest.raises(convsize.SpecError) as error:
        changed(SMALL, "FX10")
    assert error.value.source.name == "<network> with --head FX10"


def test_all_lines_behind_a_tap_go() -> None:
    head, network = changed("input: 3@32x32\nC3D8 R as deep\nM\nC3D4 R\nGAP\nFC5 S\n", "@deep GAP FC10")
    assert specs(network) == "C3D8 R GAP FC10"
    assert head.dropped == {"maxpool1", "conv2", "relu2", "gap1", "fc1", "softmax1"}

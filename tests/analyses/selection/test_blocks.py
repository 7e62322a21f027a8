"""Blocks by pattern, and what may work in place where they run again."""

from __future__ import annotations

import pytest

from convsize import Network, parse
from convsize.analyses.selection.blocks import matching_blocks, overwriting
from convsize.analyses.selection.in_place import in_place
from convsize.errors import UsageError


def network() -> Network:
    return parse(
        "input: 3@8x8\ndef g: R drop(0.5)\ndef f: R C3D4 R g C3D4\nC3D4 f f as end R GAP FC5\nhead h @end: GAP\n"
    )


def names(net: Network, indices: object) -> list[str]:
    return [net.nodes[index].name for index in sorted(indices)]  # type: ignore[call-overload]


def test_a_block_is_what_one_call_made() -> None:
    net = network()
    first, second = matching_blocks(net, ("f*",), frozenset())
    assert (first.name, second.name) == ("f1", "f2")
    assert names(net, first.members) == [
        "f1.relu1", "f1.conv1", "f1.relu2", "f1.g1.relu1", "f1.g1.drop1", "f1.conv2",
    ]  # fmt: skip
    assert (names(net, first.inputs), names(net, first.outputs)) == (["conv1"], ["f1.conv2"])
    assert (names(net, second.inputs), names(net, second.outputs)) == (["f1.conv2"], ["f2.conv2"])
    assert first.random


def test_blocks_within_blocks() -> None:
    net = network()
    inner = matching_blocks(net, ("*.g1",), frozenset())
    assert [block.name for block in inner] == ["f1.g1", "f2.g1"]
    assert names(net, inner[0].outputs) == ["f1.g1.drop1"]
    assert [block.name for block in matching_blocks(net, ("*.g1", "f2"), frozenset())] == ["f1.g1", "f2"]
    drop = next(node.index for node in net.layers if node.name == "f1.g1.drop1")
    (without,) = matching_blocks(net, ("f1.g1",), frozenset({drop}))
    assert (names(net, without.members), without.random) == (["f1.g1.relu1"], False)
    with pytest.raises(UsageError, match="no block is called `k`"):
        matching_blocks(net, ("k",), frozenset())
    with pytest.raises(UsageError, match="no block is called `f\\*`: none is made by a `def`"):
        matching_blocks(parse("input: 3@8x8\nC3\n"), ("f*",), frozenset())


def test_nothing_overwrites_what_its_block_is_run_from_again() -> None:
    net = network()
    plain = set(names(net, in_place(net)))
    assert {"f1.relu1", "f1.relu2", "f2.relu1", "f2.relu2"} <= plain
    again = set(names(net, overwriting(net, matching_blocks(net, ("f*",), frozenset()))))
    assert again == plain - {"f1.relu1", "f2.relu1"}

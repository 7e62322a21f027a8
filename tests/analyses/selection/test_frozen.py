"""The layers that are meant by patterns and taps."""

from __future__ import annotations

import re

import pytest

import convsize
from convsize.analyses.selection.frozen import frozen_layers

NETWORK = convsize.parse(
    "input: 3@32x32\ndef down(d): C3D{d}/2 BN R\nC3D8 R as stem down(8) down(16) as features GAP FC10\n"
    "head aux @stem: GAP FC10"
)


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ([], []),
        (["conv1"], ["conv1"]),
        (["down1"], ["down1.conv1", "down1.bn1", "down1.relu1"]),
        (["down*.bn1", "conv?"], ["conv1", "down1.bn1", "down2.bn1"]),
        (["@stem"], ["conv1", "relu1"]),
        (
            ["@features"],
            ["conv1", "relu1", *(f"down{block}.{layer}1" for block in (1, 2) for layer in ("conv", "bn", "relu"))],
        ),
        (["aux.*"], ["aux.gap1", "aux.fc1"]),
    ],
)
def test_patterns_and_taps(patterns: list[str], names: list[str]) -> None:
    assert [NETWORK.nodes[index].name for index in sorted(frozen_layers(NETWORK, tuple(patterns)))] == names


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("covn1", "no layer is called `covn1`: did you mean `conv1`?"),
        ("conv9", "no layer is called `conv9`: there are conv1"),
        ("@feature", "no value is called `@feature`: did you mean `@features`?"),
        ("@input", "`@input` is an input, with no layers before it to freeze"),
    ],
)
def test_what_there_is_not(pattern: str, message: str) -> None:
    with pytest.raises(convsize.UsageError, match=re.escape(message)):
        frozen_layers(NETWORK, (pattern,))

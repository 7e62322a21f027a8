"""What an author states is the last thing to be doubted: the input's size, a padding or a stride is changed instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from convsize.check.check import check_source
from convsize.check.config import Config
from convsize.check.fix import mend
from convsize.errors import Source

ALEXNET = """input: 3@224x224
C11D96/4p0 R M3/2 C5D256 R M3/2 C3D384 R C3D384 R C3D256 R M3/2 256@6x6
FC4096 R FC4096 R FC1000
"""
LENET = "input: 1@32x32\nC5D6 R M C5D16 R M FC120 R FC84 R FC10\nexpect: params=61706\n"


def help_of(text: str, code: str) -> str | None:
    (found,) = [each for each in check_source(Source(text)).diagnostics if each.code == code]
    return found.help


def test_alexnet_at_224_is_offered_227() -> None:
    assert help_of(ALEXNET, "E407") == (
        "declare the input for which it holds: write `3@227x227`; otherwise write `256@5x5` if the network is right"
    )


@pytest.mark.parametrize("command", ["analyze", "draw"])
def test_the_network_is_shown_all_the_same(command: str, convsize: Callable[..., Any]) -> None:
    ran = convsize(command, "-e", ALEXNET)
    assert ran.code == 1
    assert "E407" in ran.err
    assert "3@227x227" in ran.err
    assert "C11D96/4p0" in ran.out
    if command == "analyze":
        assert "leave out pixels" in " ".join(ran.out.split())


def test_a_lenet_on_unpadded_convolutions_is_offered_no_padding() -> None:
    # 6·25 + 6 + 16·6·25 + 16 + 120·400 + 120 + 84·120 + 84 + 10·84 + 10 = 61,706
    assert "write `default: Cp0`" in str(help_of(LENET, "E401"))
    mended = mend(check_source(Source(LENET)), Config(), unsafe=True).findings
    assert mended.source.text == LENET.replace("C5D6", "default: Cp0\nC5D6", 1)


@pytest.mark.parametrize(
    "text",
    [
        "input: 3@32x32\nC3D8 R FC10\nexpect: params=7\n",
        "input: 3@32x32\nC3D8 R FC10\nexpect: out=11\n",
        "input: 3@32x32\nC3D8 4@32x32 R FC10\n",
        "input: 3@32x32\nC3D8 R FC10\nexpect: graph=0123456789abcdef\n",
    ],
)
def test_what_is_stated_is_never_rewritten(text: str) -> None:
    mended = mend(check_source(Source(text)), Config(), unsafe=True).findings
    assert mended.source.text == text
    assert any(each.severity == "error" for each in mended.diagnostics)


def test_output_padding_comes_before_a_crop() -> None:
    text = "input: 3@24x24\n(C3D8/2 T3D8/2p1 + C3D8) FC3\n"
    assert "pad the output: write `T3D8/2p1a1`, or crop" in str(help_of(text, "E302"))
    mended = mend(check_source(Source(text)), Config(), unsafe=True).findings
    assert mended.source.text.startswith("input: 3@24x24\n(C3D8/2 T3D8/2p1a1 + C3D8)")

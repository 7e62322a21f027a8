"""No command writes a line that is wider than the terminal, with colour or without, and none cuts a sentence."""

import re

import pytest

from convsize.cli.app import COMMANDS

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")

_UNET, _DENSE, _TEN = "specs/unet.spec", "specs/densenet121.spec", "specs/resnet18.spec"

_CALLS = (
    f"analyze {_UNET}",
    "analyze specs/vgg_d_bn.spec --expand",
    f"analyze {_UNET} {_TEN}",
    f"sizes {_UNET} --why 300 --near 301",
    "sizes specs/googlenet.spec",
    f"memory {_UNET}",
    "memory specs/alexnet.spec --what-if",
    f"memory {_UNET} --device h200 --batch 4 --autocast bf16",
    f"fit {_TEN} --device l4",
    "time specs/shufflenet_v2_x1_0.spec --train",
    f"time {_TEN} --sweep batch=1..8",
    f"diff {_UNET} {_TEN}",
    f"diff {_DENSE} specs/shufflenet_v2_x1_0.spec",
    f"check {_UNET} {_TEN}",
    f"draw {_DENSE}",
    f"draw {_UNET} --detail layer",
    "draw specs/googlenet.spec --detail network",
    f"rf {_TEN}",
    f"compare {_UNET} {_DENSE} specs/googlenet.spec {_TEN}",
    "explain macs specs/deeplab_v3_plus.spec",
    "explain macs specs/convnext_tiny.spec --as ptflops",
    "devices",
    "ops",
    "ops --facts",
    "ops C",
    "ops lppool",
    "rules",
    "rules W517",
    "--help",
)


def _wide(text: str, width: int) -> list[str]:
    return [line for line in _ESCAPES.sub("", text).splitlines() if len(line) > width]


@pytest.mark.parametrize("call", _CALLS)
def test_no_line_is_wider_than_the_terminal(convsize, call: str) -> None:
    for width, tty in ((80, False), (140, True)):
        ran = convsize(*call.split(), width=width, tty=tty)
        assert ran.code in (0, 1), ran.err
        assert _wide(ran.out + ran.err, width) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_no_help_is_wider_than_the_terminal(convsize, command: str) -> None:
    assert _wide(convsize(command, "--help").out, 80) == []


def test_colour_changes_no_text(convsize) -> None:
    for call in (f"memory {_TEN}", f"diff {_UNET} {_TEN}", f"time {_TEN} --train", f"draw {_TEN}", "devices"):
        plain, painted = (convsize(*call.split(), tty=tty).out for tty in (False, True))
        assert _ESCAPES.sub("", painted) == plain


def test_sentences_are_wrapped_and_not_cut(convsize) -> None:
    for call in (f"memory {_UNET}", f"memory {_UNET} --device l4 --batch 1", "devices", "rules", "ops"):
        assert not re.search(r"\w…$", convsize(*call.split()).out, re.MULTILINE)


def test_columns_of_figures_stand_to_the_right(convsize) -> None:
    rows = convsize("time", _TEN, "--sweep", "batch=8..16").out.splitlines()[2:6]
    assert [row[:5] for row in rows] == ["batch", "─────", "    8", "   16"]
    shares = [line for line in convsize("memory", _TEN).out.splitlines() if line.endswith("%")]
    assert len({len(line) for line in shares[:5]}) == 1

"""Safe fixes never add, drop or alter a layer: what comes out is what the text can only mean, or nothing is fixed."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from strategies import SPECS, networks

from convsize.check.check import check_source
from convsize.check.config import Config
from convsize.check.fix import mend
from convsize.errors import Source
from convsize.graph.build import attempt
from convsize.graph.digest import digest
from convsize.language.parser import parse
from convsize.ops import catalogue

CONFIG = Config()
SMALL = tuple(text for text in SPECS if len(text) < 900)

EXAMPLES = max(30, int(os.environ.get("CONVSIZE_FUZZ", "0")))

ARGUMENTS = {
    "bn": "(eps=0.001)",
    "crop": "(4)",
    "drop": "(0.5)",
    "droppath": "(0.1)",
    "embed": "(9,3)",
    "gn": "(4)",
    "in": "(eps=0.001)",
    "leaky": "(0.1)",
    "ln": "(eps=0.001)",
    "lppool": "(2,2)",
    "lrn": "(5)",
    "pad": "(1)",
    "pick": "(0,1)",
    "pixelshuffle": "(2)",
    "unshuffle": "(2)",
    "blur": "(3,2)",
    "swap": "(depth,width)",
    "prelu": "(8)",
    "reshape": "(8,8,8)",
    "shuffle": "(4)",
    "slice": "(0,4)",
    "softmax": "(2)",
    "sumpool": "(2)",
    "times": "(2)",
    "up": "(2)",
    "widen": "(16)",
}
PARTS = ("log", "pixel", "drop", "sum", "lp", "hard", "soft", "h")
TOKENS = (
    *("C3D8", "C", "DW3", "T2D8", "M", "M3/2", "A", "GAP", "GMP", "FC8"),
    *("BN", "LN", "IN", "GN4", "LRN5", "GRN", "R", "S"),
)
NORMS = ("bn", "ln", "in", "gn", "lrn", "grn")


def graph(text: str) -> str | None:
    """The digest of the network that a text builds, if it does."""
    file, found = parse(Source(text))
    network = None if found else attempt(file).network
    return None if network is None else digest(network)


def safely_fixed(text: str) -> str:
    return mend(check_source(Source(text), CONFIG), CONFIG, unsafe=False).findings.source.text


def casings(name: str) -> Iterator[str]:
    yield from {name, name.lower(), name.upper(), name.capitalize(), name[:2].upper() + name[2:]}
    yield name[:-1] + name[-1].upper()
    for part in PARTS:
        if name.startswith(part) and name != part:
            yield part.capitalize() + name[len(part) :].capitalize()


@pytest.mark.parametrize("word", catalogue.WORDS)
def test_every_word_in_every_casing(word: str) -> None:
    for arguments in dict.fromkeys(("", "()", ARGUMENTS.get(word, ""))):
        for line in ("{} GAP FC3", "C3D8 {} C3D8 {} FC3", "({} + x) FC3", "{}*2 FC3"):
            right = "LRN" if word == "lrn" and arguments in ("", "()") else word + arguments.replace("()", "")
            meant = graph("input: 8@8x8\n" + line.replace("{}", right) + "\n")
            for name in casings(word):
                text = "input: 8@8x8\n" + line.replace("{}", name + arguments) + "\n"
                mended = safely_fixed(text)
                # `BN` and the like are layers of their own with PyTorch's numbers.
                if mended != text or (graph(text) is not None and name.lower() not in NORMS):
                    assert graph(mended) in (meant, None), (text, mended)


@pytest.mark.parametrize("token", TOKENS)
def test_every_token_in_every_casing(token: str) -> None:
    meant = graph(f"input: 8@8x8\n{token} FC3\n")
    for name in {token, token.lower(), token.capitalize()}:
        text = f"input: 8@8x8\n{name} FC3\n"
        mended = safely_fixed(text)
        if mended != text:
            assert graph(mended) == meant, (text, mended)


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("C3D64 Mish C3D64 Mish GAP FC10", "C3D64 mish C3D64 mish GAP FC10"),
        ("C3D64 Softplus GAP FC10", "C3D64 softplus GAP FC10"),
        ("C3D64 Scale Affine GAP FC10", "C3D64 scale affine GAP FC10"),
        ("C3D64 Crop(4) GAP FC10", None),
        ("C3D64 ChannelShuffle(4) GAP FC10", None),
        ("C3D64ReLU FC10", "C3D64 R FC10"),
        ("C3D64 BNReLU FC10", "C3D64 BN R FC10"),
        ("C3D64 CReLU FC10", None),
        ("C3D64 PRELU FC10", "C3D64 prelu FC10"),
        ("C3D64foo FC10", None),
        ("conv1 R FC10", None),
        ("C3D64 M 2 FC10", None),
        ("C3D64 FC 10", "C3D64 FC10"),
        ("C3D64 sigmod FC10", None),
        ("C3D64 R drop(0) R FC10", None),
        ("C3D6;4 FC10", None),
        ("C3D64 R)*2 FC10", None),
        ("COO FC10", None),
    ],
)
def test_what_a_safe_fix_does(text: str, mended: str | None) -> None:
    spec = f"input: 3@32x32\n{text}\n"
    assert safely_fixed(spec) == (spec if mended is None else f"input: 3@32x32\n{mended}\n") or mended is None
    if mended is None:
        assert graph(safely_fixed(spec)) == graph(spec)  # none, where it did not build


UNUSED = ("let zz=3 # why", "let zz=[1,2], yy=zz", "# kept\ndef zz(d): (C3D{d} R)*2 GAP", "def zz: C3D8\ndef yy: zz R")


@pytest.mark.parametrize("unused", UNUSED)
def test_what_is_unused_goes_and_comments_stay(unused: str) -> None:
    for text in SMALL[::4]:
        if graph(text) is None:
            continue
        whole = text if text.endswith("\n") else f"{text}\n"
        usual = safely_fixed(whole)
        for before, after in ((f"{unused}\n", ""), ("", f"{unused}\n")):
            mended = safely_fixed(before + whole + after)
            assert graph(mended) == graph(text)
            comment = {"let zz=3 # why": "# why\n", UNUSED[2]: "# kept\n"}.get(unused, "")
            assert mended == (comment + usual if before else usual + comment)


# ---- properties ------------------------------------------------------------------------------------------------------


@st.composite
def misspelt(draw: DrawFn) -> tuple[str, str]:
    """A sound spec and the same with slips of which each leaves one reading, or none that builds."""
    text = draw(st.one_of(networks(), st.sampled_from(SMALL)))
    lines = text.split("\n")
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(lines) - 1))
        line = lines[row]
        if line.startswith(("#", "expect", "input", "let")) or ":" not in line + ":" or not line:
            continue
        start = line.index(":") + 1 if line.startswith(("def", "head", "default")) else 0
        words = line[start:].split(" ")
        at = draw(st.integers(0, len(words) - 1))
        word = words[at]
        if word.isalpha() and word.islower() and word in catalogue.WORDS:
            words[at] = draw(st.sampled_from(sorted(set(casings(word)))))
        elif word in ("R", "GAP", "GMP"):
            words[at] = {"R": draw(st.sampled_from(("relu", "ReLU", "Relu"))), "GAP": "gap", "GMP": "gmp"}[word]
        elif word[:1] == "C" and "D" in word[1:] and word.replace("D", "").isalnum():
            words[at] = draw(st.sampled_from((word.replace("D", " D", 1), word.lower(), word + ",")))
        lines[row] = line[:start] + " ".join(words)
    return text, "\n".join(lines)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
@given(misspelt())
def test_a_slip_is_mended_to_what_was_meant_or_not_at_all(pair: tuple[str, str]) -> None:
    meant, slipped = pair
    if (wanted := graph(meant)) is not None:
        assert graph(safely_fixed(slipped)) in (wanted, None), slipped


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.one_of(networks(), st.sampled_from(SMALL)), st.data())
def test_a_network_that_builds_stays_the_one_it_is(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    put = data.draw(st.sampled_from(("", " R R ", " drop(0) ", " M1 ", " as t9 ", " C3 ", "/2")))
    changed = text[:at] + put + text[at:]
    if (before := graph(changed)) is not None:
        assert graph(safely_fixed(changed)) == before

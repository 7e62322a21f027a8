"""The project's parser and an independent grammar for Lark accept the same files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lark import Lark, Token, Tree
from lark.exceptions import LarkError
from strategies import SPECS, grammatical, mutated, networks, noise, soups

from convsize.errors import Source
from convsize.language.parser import parse

HERE = Path(__file__).parent


class JoinLines:
    """Drops newlines inside brackets and before an indented line, which continues the line before it."""

    always_accept = ("_NL",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        depth = 0
        for token in stream:
            if token.type == "_NL":
                last = token.rpartition("\n")[2]
                if depth or (last and not last.lstrip(" \t")):
                    continue
            elif token.type in ("LPAR", "LSQB", "CALL"):
                depth += 1
            elif token.type in ("RPAR", "RSQB"):
                depth = max(depth - 1, 0)
            yield token


_GRAMMAR = Lark(
    (HERE / "witness.lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer="contextual",
    postlex=JoinLines(),
    start=["file", "expr", "times"],
    # Lark looks for terminals that collide with the help of a further package.
    strict=find_spec("interegular") is not None,
)
_BLANK = re.compile(r"#[^\n]*|\r?\n")
_BRACES = re.compile(r"\{((?:[^{}#]|#[^\n]*\n)*)\}")
_DIMS = r"(?:\d+|\{\})(?:[x:](?:\d+|\{\}))*"
_FILL = "(?:reflect|replicate|circular)"
_SUFFIX = re.compile(
    rf"(D|/|p(?:same|valid|half|full|{_FILL})|p{_DIMS}{_FILL}|d|g|a|b|z|p)(?:{_DIMS})?|(floor|ceil|exact)"
)
_SIZE = re.compile(rf"(?:[A-Z]+)(?:{_DIMS})?")


def witness(text: str) -> bool:
    """Whether the witness accepts a text as a spec."""
    # A byte order mark, and the half of a line break at the end of a text, are matters of files and not of grammar.
    text = text.removeprefix("\ufeff").removesuffix("\r")
    try:
        tree = _GRAMMAR.parse(text, start="file")
        for token in tree.scan_values(lambda value: isinstance(value, Token)):
            for inner in _BRACES.findall(token):
                _GRAMMAR.parse(_BLANK.sub(" ", inner), start="times" if token.type == "REPEAT" else "expr")
            if token.type == "LAYER" and _repeats_a_suffix(token):
                return False
    except LarkError:
        return False
    trunks = [statement for statement in tree.children if isinstance(statement, Tree) and statement.data == "trunk"]
    return not any(
        isinstance(child, Token) and child.type == "INPUT" for trunk in trunks[1:] for child in trunk.children
    )


def _repeats_a_suffix(layer: str) -> bool:
    bare = _BRACES.sub("{}", layer)
    size = _SIZE.match(bare)
    assert size is not None
    heads = [found[1][0] if found[1] else "rounding" for found in _SUFFIX.finditer(bare, size.end())]
    return len(set(heads)) < len(heads)


# ---- texts -----------------------------------------------------------------------------------------------------------

# The networks by which the language is described.
DESCRIBED = (
    """\
# specs/vgg_d.spec
input: 3@224x224
(C3D64 R)*2 M (C3D128 R)*2 M (C3D256 R)*3 M ((C3D512 R)*3 M)*2  512@7x7
(FC4096 R drop(0.5))*2 FC1000 S
expect: params=138357544
""",
    """\
# GoogLeNet with both auxiliary heads
input: 3@224x224
default: M3/2ceil
def inc(a, b, bb, e, ee, q):
  [C1D{a} R | C1D{b} R C3D{bb} R | C1D{e} R C5D{ee} R | M3/1p1 C1D{q} R]
def aux: A5/3 C1D128 R FC1024 R drop(0.7) FC1000 S
C7D64/2 R M LRN5 C1D64 R C3D192 R LRN5 M 192@28x28
inc(64,96,128,16,32,32) inc(128,128,192,32,96,64) M
inc(192,96,208,16,48,64) as i4a
inc(160,112,224,24,64,64) inc(128,128,256,24,64,64) inc(112,144,288,32,64,64) as i4d
inc(256,160,320,32,128,128) M inc(256,160,320,32,128,128) inc(384,192,384,48,128,128)
A7 drop(0.4) FC1000 S
head aux1 @i4a: aux
head aux2 @i4d: aux
expect: params=13378280
expect main: params=6998552 out=1000
""",
    """\
# ResNet-50
input: 3@224x224
default: Cb0
def f(d, s=1): C1D{d} BN R C3D{d}/{s} BN R C1D{4*d} BN
def bot(d): (f(d) + x) R
def down(d, s=2): (f(d,s) + C1D{4*d}/{s} BN) R
C7D64/2 BN R M3/2p1
down(64,s=1) bot(64)*2 down(128) bot(128)*3 down(256) bot(256)*5 down(512) bot(512)*2 GAP FC1000 S
expect: params=25557032
""",
    """\
# DenseNet-121
input: 3@224x224
default: Cb0
def dl: [x | BN R C1D128 BN R C3D32]
def tr: BN R C1D{c/2} A2
C7D64/2 BN R M3/2p1 dl*6 tr dl*12 tr dl*24 tr dl*16 BN R GAP FC1000 S
expect: params=7978856
""",
    "def se(r, n=c): (x * GAP FC{n/r} R FC{n} sigmoid)\n",
    "def cn(n=c): (DW7 LN C1D{4*n} gelu C1D{n} scale + x)\n",
    "C3D64ws C3D64b0sws{0.00001}R DW3ws{e}ceil\ndefault: Cb0ws\n",
    "shared tower(n, k=3): (C{k}D{n} R)*2\n@left tower(8) as a @right tower(8)\n",
    "dd(256) [crop(104) | M dd(512) T2D256/2] dd(256)\n",
    "embed(18765,300) [C3D100p0 R GMP | C4D100p0 R GMP | C5D100p0 R GMP] drop(0.5) FC2 S\n",
    "[pick(0,1,2) C5D1p0 | pick(1,2,3) C5D1p0 | pick(0,1,2,3,4,5) C5D1p0]\n",
)

ACCEPTED = (
    "CRCRP",
    "C3D64RM",
    "C11D96/4RLRN5M3/2",
    "C3D64 C3D64 M C3D128 C3D128 M FC4096 FC4096 FC1000 S",
    "conv3-64 conv3-64 maxpool FC-4096 soft-max",
    "INPUT -> [[CONV -> RELU]*N -> POOL]*M -> [FC -> RELU]*K -> FC",
    "input left: 3@5x5\ninput right: 1@5x5\n[@left | @right] as p, q",
    "C3 as a -> R\n  C5 # continued\n# aside\n\n  M\nhead box @a: FC4",
    "(x*GAP FC{c/16} R FC{c} sigmoid)*{n-1}",
    "[x | C3 [R]*2\n| R\n]",
    "C{k}x3D{4*a}/{s}x1p0:1x{2}d2g{c//4}b0exact",
    "f(3, 64, hswish, se, @p, n=c, act=leaky(0.1))",
    "let N=2, M=3*(4+-1)//2 % 5\ndefault: Cb0 M3/2ceil",
    "default: bn(eps=0.001, momentum=e) Cb0 leaky(0.2)",
    "let n=[16, 2*16,\n 64], m=3, k = [ 3 ]",
    "expect: params=1 macs~4.09G memory(batch=8)<=8GiB graph=1f3a out=512@7x7\nexpect @a: out>=1\nexpect main: out=3",
    "C4D64p1:2 R\nC4D64p1:2x0:1",
    "C3preflectR C3p1x{n}replicateb0 DWpcircularceil R",
    "\ufeffR\r\nM\r\n",
    "",
)

REFUSED = (
    "AP",
    "MP2",
    "DO0.5",
    "C3D64same",
    "C3D64/2/2",
    "C3D64b0b1",
    "C3p1p1reflect",
    "C3p1reflectx0",
    "C3p1mirror",
    "C3D{}",
    "C3 D64",
    "C3D",
    "C3x",
    "Conv3",
    "(R + R * R)",
    "[R | ]",
    "[R + R]",
    "(R | R)",
    "()",
    "((R)",
    "R)",
    "(R]",
    "R + R",
    "R * 2",
    "R *2",
    "*2 R",
    "R*2*2",
    "R C3 INPUT",
    "3x224x224",
    "3@",
    "1@1x2x3x4",
    "512@7xx7",
    "512@7x7x",
    "C3 -> -> R",
    "-> R",
    "R ->",
    "@Stem",
    "R as Stem",
    "R as",
    "let as=3",
    "let n=[]",
    "let n=[3",
    "let n=[3,]",
    "let n=[[3]]",
    "C{[3]}",
    "let n",
    "def input: R",
    "def f (a): R",
    "shared f (a): R",
    "shared: R",
    "C3 shared C3",
    "C3 as shared",
    "def f(a):",
    "head: FC4",
    "expect:",
    "expect: params",
    "expect: params==3",
    "expect: params=1.5k",
    "expect: params=C3",
    "R*2512@7x7",
    "default:",
    "default: drop",
    "default: Cb0 drop",
    "default: bn(eps=1) (R)",
    "default: input()",
    "input: 3",
    "inputs: 3@5x5",
    "R; M",
    "C3×3",
)


# ---- the comparison --------------------------------------------------------------------------------------------------

# What the project's parser refuses although it is well-formed by the grammar. The witness does not judge a text with
# one of these errors, for others may follow from it.
UNJUDGED = {
    "E006": "`C3d64` is well-formed, a dilation of 64; the parser takes it for a slip of the shift key",
    "E007": "`R psame` is a layer and a word to the grammar; the parser takes it for one layer with a space in it",
    "E014": "`c3d64` is a word to the grammar; the parser takes it for a layer in small letters",
    "E018": "limits of length, nesting and number are no part of a grammar",
}


def syntax_errors(text: str) -> set[str]:
    _, diagnostics = parse(Source(text))
    return {found.code for found in diagnostics if found.severity == "error" and found.code.startswith("E0")}


def agree(text: str) -> None:
    errors = syntax_errors(text)
    if errors & UNJUDGED.keys():
        return
    assert witness(text) == (not errors), sorted(errors)


def test_the_texts_that_both_accept() -> None:
    for text in (*SPECS, *DESCRIBED, *ACCEPTED):
        assert syntax_errors(text) == set(), text
        assert witness(text), text


@pytest.mark.parametrize("text", REFUSED)
def test_the_texts_that_both_refuse(text: str) -> None:
    assert syntax_errors(text)
    assert not witness(text)


@given(networks())
@settings(max_examples=60)
def test_networks_are_accepted_by_both(text: str) -> None:
    assert syntax_errors(text) == set()
    assert witness(text)


@pytest.mark.parametrize("examples", [60, pytest.param(250, marks=pytest.mark.slow)])
def test_any_text_is_accepted_by_both_or_by_none(examples: int) -> None:
    any_text = given(st.one_of(grammatical(), mutated(), soups(), noise()))
    settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow])(any_text(agree))()

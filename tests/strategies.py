"""Hypothesis strategies for spec texts, from sound networks to noise.

networks() builds, grammatical() parses but may make no sense, soups() and mutated() mostly do neither, noise() is any
text at all.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

SPECS = tuple(
    path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent.parent / "specs").glob("*.spec"))
)

_DEPTHS = st.sampled_from((1, 2, 3, 4, 8, 12, 16, 24, 64))
_WORDS = (
    "relu6",
    "leaky(0.1)",
    "prelu",
    "elu",
    "gelu",
    "silu",
    "mish",
    "sigmoid",
    "tanh",
    "hswish",
    "hsigmoid",
    "selu",
)
_POINTWISE = (
    "R",
    "BN",
    "LN",
    "LRN",
    "GRN",
    "LRN3",
    "IN",
    "scale",
    "affine",
    "drop(0.5)",
    "droppath(0.1)",
    "times(2)",
    "plus(-0.5)",
    "clamp(-1,1)",
    "abs",
    "power(2)",
    *_WORDS,
)
_GAPS = st.sampled_from((" ", " ", " ", "  ", " -> ", "\t"))


# ---- networks that build ---------------------------------------------------------------------------------------------


@st.composite
def _keeping(draw: DrawFn, depth: int, level: int) -> tuple[str, int]:
    """An item that keeps height and width, and the depth behind it."""
    kind = draw(st.integers(0, 9 if level else 3))
    if kind == 0:
        return draw(st.sampled_from(_POINTWISE)), depth
    if kind == 1:
        kernel = draw(st.sampled_from((1, 3, 5)))
        dilation = draw(st.sampled_from(("", "", "d2")))
        bias = draw(st.sampled_from(("", "b0", "b1")))
        out = draw(_DEPTHS)
        return f"C{kernel}D{out}{dilation}{bias}", out
    if kind == 2:
        return draw(
            st.sampled_from(
                ("DW3", "C", "C3", "M3/1p1", "A3/1p1", "A3/1p1z0", "DW5D{2*c}", "C3preflect", "DW3preplicate")
            )
        ), depth
    if kind == 3:
        return draw(st.sampled_from(("C1D{c}", "C3D{c//1}", "C1D{max(c, 1)}"))), depth
    inner, out = draw(_series(depth, level - 1))
    if kind == 4:
        return f"({inner})", out
    if kind == 5:
        return f"({inner} C1D{depth} + x)", depth
    if kind == 6:
        return f"(x * GAP FC{{c}} {draw(st.sampled_from(('sigmoid', 'hsigmoid')))})", depth
    if kind == 7:
        other, more = draw(_series(depth, level - 1))
        return f"[{inner} | {other}]", out + more
    if kind == 8:
        return f"({inner} C1D{depth} R)*{draw(st.integers(0, 3))}", depth
    return f"[{inner} C1D{depth} | x | C1D{depth}]", 3 * depth


@st.composite
def _series(draw: DrawFn, depth: int, level: int) -> tuple[str, int]:
    items = []
    for _ in range(draw(st.integers(1, 3))):
        text, depth = draw(_keeping(depth, level))
        items.append(text)
    gap = draw(_GAPS)
    return gap.join(items), depth


@st.composite
def networks(draw: DrawFn) -> str:
    """A spec that builds without an error: 1-D to 3-D, with joins, repeats, blocks, taps and heads."""
    rank = draw(st.sampled_from((1, 2, 2, 2, 3)))
    extent = draw(st.integers(8, 33 if rank < 3 else 12))
    depth = draw(st.integers(1, 4))
    lines = [f"input: {depth}@{'x'.join([str(extent)] * rank)}"]
    more = ("default: Cb0", "default: bn(eps=0.001) M2 leaky(0.2)", "let N=2, M=3", "# a comment")
    lines += draw(st.lists(st.sampled_from(more), max_size=2, unique=True))
    body, _ = draw(_series(8, 1))
    lines.append(f"def block(d, s=1): C3D{{d}}/{{s}} R C1D8 {body} C1D{{d}}")
    lines.append(f"def pair(d): [C3D{{d}} R | C1D8 {body} C1D{{d}}] as p, q")
    heads = []
    for number in range(draw(st.integers(1, 3))):
        stage, _ = draw(_series(depth, 2))
        width = draw(_DEPTHS)
        call = draw(st.sampled_from((f"block({width})", f"block(d={width})", f"block({width},s=1)")))
        line = f"{stage} {call}"
        if draw(st.integers(0, 2)) == 0:
            line += f" pair({width}) as u{number}, v{number} (@u{number} + @v{number})"
        if extent >= 4 and draw(st.booleans()):
            line += draw(st.sampled_from((" M", " A", " M2", " P2/2", " M3/2p1")))
            extent //= 2
        if draw(st.booleans()):
            line += f" as tap{number}"
            heads.append(f"head out{number} @tap{number}: GAP FC{draw(st.integers(1, 9))}")
        lines.append(line)
        depth = width
    lines.append(draw(st.sampled_from(("GAP FC10 S", "FC10", "flat FC3 logsoftmax", "C1D5 GAP"))))
    lines += heads
    if draw(st.booleans()):
        lines.append("expect: params>0")
    return draw(st.sampled_from(("\n", "\n", "\n\n", "\r\n", " # so\n"))).join(lines) + draw(
        st.sampled_from(("", "\n"))
    )


# ---- texts that parse ------------------------------------------------------------------------------------------------

_LOWER = st.sampled_from(("a", "b", "c", "n", "block", "se", "stem", "x1", "drop", "up", "conv_3", "input", "as", "x"))
_NAMES = st.one_of(_LOWER, st.sampled_from(("N", "R", "C3D64", "Width")))
_INTS = st.one_of(st.integers(0, 9), st.integers(0, 4096)).map(str)


_BETWEEN = ("+", "-", "*", "/", "//", "%", "**", " + ", " // ", " ** ")


def _expressions(level: int = 2) -> SearchStrategy[str]:
    if not level:
        return st.one_of(_INTS, _NAMES, st.sampled_from(("0.5", "1e-5")))
    inner = _expressions(level - 1)
    return st.one_of(
        inner,
        st.tuples(inner, st.sampled_from(_BETWEEN), inner).map("".join),
        inner.map("({})".format),
        inner.map("-{}".format),
        st.tuples(st.sampled_from(("min", "max", "round")), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
    )


_EXPRESSIONS = _expressions()
_DIM = st.one_of(_INTS, _INTS, _EXPRESSIONS.map("{{{}}}".format))
_INDEXED = st.tuples(_EXPRESSIONS, st.sampled_from((",", ", ", " , ")), _NAMES).map(lambda t: "{" + "".join(t) + "}")
_SIZES = st.lists(_DIM, min_size=1, max_size=3).map("x".join)
_PAIR = st.one_of(_DIM, st.tuples(_DIM, _DIM).map(":".join))
_FILLS = ("reflect", "replicate", "circular")
_PADDING = st.one_of(
    st.sampled_from(("psame", "pvalid", "phalf", "pfull", *(f"p{fill}" for fill in _FILLS))),
    st.tuples(st.lists(_PAIR, min_size=1, max_size=3).map("x".join), st.sampled_from(("", "", "", *_FILLS))).map(
        lambda parts: f"p{parts[0]}{parts[1]}"
    ),
)
_SUFFIX = {
    "D": _DIM.map("D{}".format),
    "/": _SIZES.map("/{}".format),
    "p": _PADDING,
    "d": _SIZES.map("d{}".format),
    "g": _DIM.map("g{}".format),
    "a": _SIZES.map("a{}".format),
    "b": st.sampled_from(("b0", "b1")),
    "z": st.sampled_from(("z0", "z1")),
    "rounding": st.sampled_from(("floor", "ceil", "exact")),
    "ws": st.sampled_from(("ws", "sws", "ws{0.001}", "sws{e}")),
}
_ALLOWED = {
    "C": "D / p d g b rounding ws",
    "DW": "D / p d g b rounding ws",
    "T": "D / p d g a b",
    "M": "/ p d rounding",
    "P": "/ p d rounding",
    "A": "/ p d z rounding",
    "FC": "b",
    "BN": "b",
    "LN": "b",
    "IN": "b",
    "GN": "b",
}
_SIZELESS = ("GAP", "GMP", "BN", "LN", "IN", "GRN", "R", "S")


@st.composite
def layers(draw: DrawFn) -> str:
    """A layer token with suffixes in any order."""
    mnemonic = draw(st.sampled_from(("C", "C", "DW", "T", "M", "P", "A", "FC", "GN", "LRN", *_SIZELESS)))
    text = mnemonic
    if mnemonic not in _SIZELESS and (mnemonic in ("FC", "GN", "T") or draw(st.booleans())):
        text += draw(_DIM if mnemonic in ("FC", "GN", "LRN") else _SIZES)
    heads = _ALLOWED.get(mnemonic, "").split()
    if heads:
        for head in draw(st.lists(st.sampled_from(heads), unique=True, max_size=3)):
            text += draw(_SUFFIX[head])
    return text


_ALIASES = st.sampled_from(("conv3-64", "maxpool", "FC-4096", "soft-max", "CONV", "RELU", "POOL", "INPUT"))
_TAPS = _LOWER.map("@{}".format)
_SHAPES = st.sampled_from(("3@224x224", "1@28", "3@16x112x112", "512@7x7"))
_ARGS = st.one_of(
    _EXPRESSIONS,
    _TAPS,
    st.tuples(_NAMES, st.just("="), _EXPRESSIONS).map("".join),
    st.tuples(_LOWER, st.just("=@a")).map("".join),
)
_CALLS = st.one_of(_LOWER, st.tuples(_LOWER, st.lists(_ARGS, max_size=3)).map(lambda t: f"{t[0]}({', '.join(t[1])})"))


@st.composite
def _items(draw: DrawFn, level: int) -> str:
    kind = draw(st.integers(0, 9 if level else 5))
    if kind < 2:
        text = draw(layers())
    elif kind == 2:
        text = draw(_CALLS)
    elif kind == 3:
        text = draw(st.one_of(_ALIASES, _TAPS))
    elif kind == 4:
        text = draw(st.one_of(_SHAPES, st.just("x")))
    elif kind == 5:
        text = "".join(draw(st.lists(layers(), min_size=1, max_size=3)))
    else:
        series = _texts(level - 1)
        separator = draw(st.sampled_from((" + ", " * ", " - ", " / ", " | ", "|", "+", "\n  | ", " |\n")))
        branches = separator.join(draw(st.lists(series, min_size=1, max_size=3)))
        if "|" in separator:
            text = draw(st.sampled_from(("[{}]", "[ {} ]", "split[{}]"))).format(branches)
        else:
            text = draw(st.sampled_from(("({})", "( {} )", "(\n{}\n)"))).format(branches)
    if draw(st.integers(0, 5)) == 0:
        text += "*" + draw(st.one_of(_DIM, _INDEXED))
    if draw(st.integers(0, 7)) == 0:
        text += " as " + ", ".join(draw(st.lists(_LOWER, min_size=1, max_size=2)))
    return text


@st.composite
def _texts(draw: DrawFn, level: int = 2) -> str:
    return draw(_GAPS).join(draw(st.lists(_items(level), min_size=1, max_size=4)))


_VALUES = st.sampled_from(
    ("1000", "4.09G", "25557032", "8GiB", "512@7x7", "1f3a", "abc", "7.5MiB", "0", "20ms", "1.5T", "2TiB")
)
_CHECKS = st.tuples(
    st.sampled_from(("params", "macs", "out", "memory(batch=8)", "graph", "rf")),
    st.sampled_from(("=", "~", "<=", ">=", "<", ">")),
    _VALUES,
).map("".join)


@st.composite
def _statements(draw: DrawFn) -> str:
    kind = draw(st.integers(0, 8))
    if kind == 0:
        return f"input{draw(st.sampled_from(('', ' left')))}: {draw(_SHAPES)}"
    if kind == 1:
        words = st.tuples(_LOWER, st.lists(_ARGS, max_size=2)).map(lambda t: f"{t[0]}({', '.join(t[1])})")
        return "default: " + " ".join(draw(st.lists(st.one_of(layers(), layers(), words), min_size=1, max_size=3)))
    if kind == 2:
        several = st.lists(_EXPRESSIONS, min_size=1, max_size=3).map(lambda values: f"[{', '.join(values)}]")
        pairs = draw(st.lists(st.tuples(_NAMES, st.one_of(_EXPRESSIONS, several)), min_size=1, max_size=3))
        return "let " + ", ".join(f"{name}={value}" for name, value in pairs)
    if kind == 3:
        params = draw(st.lists(st.tuples(_NAMES, st.one_of(st.none(), _EXPRESSIONS)), max_size=3))
        listed = ", ".join(name if value is None else f"{name}={value}" for name, value in params)
        return f"{draw(st.sampled_from(('def', 'shared')))} {draw(_LOWER)}({listed}): {draw(_texts())}"
    if kind == 4:
        return f"head {draw(_LOWER)}{draw(st.sampled_from(('', ' @stem')))}: {draw(_texts())}"
    if kind == 5:
        target = draw(st.sampled_from(("", " main", " @stem")))
        return f"expect{target}: {' '.join(draw(st.lists(_CHECKS, min_size=1, max_size=3)))}"
    return draw(_texts())


@st.composite
def grammatical(draw: DrawFn) -> str:
    """A text made by the grammar: it parses but for reserved names, and rarely makes a network."""
    lines = draw(st.lists(_statements(), min_size=1, max_size=5))
    return draw(st.sampled_from(("\n", "\n\n", "\r\n", " # note\n", "\n# note\n"))).join(lines) + "\n"


# ---- texts that mostly do not ----------------------------------------------------------------------------------------

_TOKENS = (
    *"()[]|+*/-,=:@#{}<>~%.",
    *("\n", "\n  ", " ", "->", "//", "<=", ">="),
    *("C", "D", "DW", "T", "M", "P", "A", "GAP", "FC", "BN", "R", "S", "LRN5", "C3D64", "C3d64", "M3/2ceil", "FC10"),
    *("x", "c", "as", "def", "shared", "let", "head", "input", "expect", "default", "split", "drop", "block", "relu6"),
    *("0", "1", "3", "64", "0.5", "3@32x32", "@stem", "*3", "*{n}", "p1", "/2", "b0", "same", "conv3-64", "maxpool"),
    *("CONV", "POOL", "INPUT", "MP2", "AP", "DO0.5", "params=1", "macs~1.5G", "block(", "drop(0.5)", "}", "é", "\x00"),
)


def soups() -> SearchStrategy[str]:
    """Tokens of the language in any order."""
    glue = st.sampled_from(("", " ", " "))
    tokens = st.tuples(st.sampled_from(_TOKENS), glue).map("".join)
    return st.lists(tokens, max_size=24).map("".join)


@st.composite
def mutated(draw: DrawFn) -> str:
    """A sound spec with a few characters deleted, doubled, swapped or put in."""
    text = draw(st.one_of(st.sampled_from(SPECS), networks(), grammatical()))
    for _ in range(draw(st.integers(1, 3))):
        if not text:
            break
        at = draw(st.integers(0, len(text) - 1))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            text = text[:at] + text[at + 1 :]
        elif kind == 1:
            text = text[:at] + text[at] + text[at:]
        elif kind == 2:
            text = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
        elif kind == 3:
            text = text[:at] + draw(st.sampled_from(_TOKENS)) + text[at:]
        else:
            end = draw(st.integers(at, min(at + 20, len(text))))
            text = text[:at] + text[end:]
    return text


def noise() -> SearchStrategy[str]:
    """Any text, and any bytes read as Latin-1."""
    return st.one_of(st.text(max_size=80), st.binary(max_size=80).map(lambda data: data.decode("latin-1")))

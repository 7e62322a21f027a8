"""The layers a spec can name: what a size means on each, which suffixes it can carry, and the other spellings."""

from __future__ import annotations

from typing import Literal

from convsize.record import Record


class Mnemonic(Record):
    """A layer's capital letters and what may stand after them.

    what: the layer in words, with its article; size: whether a number may or must follow; counts: what that number is;
    suffixes: the heads of `SUFFIXES` that mean something on it.
    """

    what: str
    size: Literal["none", "optional", "required"]
    counts: str
    suffixes: frozenset[str]


# In canonical order, which is also the order in which `fmt` writes them after the size.
SUFFIXES: dict[str, str] = {
    "D": "depth",
    "/": "stride",
    "p": "padding",
    "d": "dilation",
    "g": "groups",
    "a": "output padding",
    "b": "bias",
    "z": "zeros",
    "rounding": "rounding",
    "ws": "weight standardisation",
}
# How each is written, for help lines.
SAMPLES: dict[str, str] = {
    "D": "D64",
    "/": "/2",
    "p": "p1",
    "d": "d2",
    "g": "g4",
    "a": "a1",
    "b": "b0",
    "z": "z0",
    "rounding": "ceil",
    "ws": "ws",
}
ROUNDINGS: dict[str, Literal["floor", "ceil", "exact"]] = {"f": "floor", "c": "ceil", "e": "exact"}
PAD_MODES: dict[str, Literal["same", "valid", "half", "full"]] = {
    "s": "same",
    "v": "valid",
    "h": "half",
    "f": "full",
}
# What padding is made of, where it is no zeros, and the layers that can have it.
FILLS: tuple[Literal["reflect", "replicate", "circular"], ...] = ("reflect", "replicate", "circular")
FILLED: frozenset[str] = frozenset(("C", "DW"))

_NONE: frozenset[str] = frozenset()
_BIAS = frozenset("b")
_CONVOLUTION = frozenset(("D", "/", "p", "d", "g", "b", "rounding", "ws"))

MNEMONICS: dict[str, Mnemonic] = {
    "C": Mnemonic("a convolution", "optional", "kernel", _CONVOLUTION),
    "DW": Mnemonic("a depthwise convolution", "optional", "kernel", _CONVOLUTION),
    "T": Mnemonic("a transposed convolution", "required", "kernel", frozenset(("D", "/", "p", "d", "g", "a", "b"))),
    "M": Mnemonic("a max pool", "optional", "window", frozenset(("/", "p", "d", "rounding"))),
    "A": Mnemonic("an average pool", "optional", "window", frozenset(("/", "p", "d", "z", "rounding"))),
    "GAP": Mnemonic("global average pooling", "optional", "number of positions", _NONE),
    "GMP": Mnemonic("global max pooling", "optional", "number of positions", _NONE),
    "FC": Mnemonic("a fully connected layer", "required", "number of units", _BIAS),
    "BN": Mnemonic("batch normalisation", "none", "", _BIAS),
    "LN": Mnemonic("layer normalisation", "none", "", _BIAS),
    "IN": Mnemonic("instance normalisation", "none", "", _BIAS),
    "GN": Mnemonic("group normalisation", "required", "number of groups", _BIAS),
    "LRN": Mnemonic("local response normalisation", "optional", "window", _NONE),
    "GRN": Mnemonic("global response normalisation", "none", "", _NONE),
    "R": Mnemonic("a ReLU", "none", "", _NONE),
    "S": Mnemonic("a softmax", "none", "", _NONE),
}

# `P` (the lecture notes' pool) is `M`; the whole words are those of the CS231n notes. INPUT stands for no layer.
SPELLINGS: dict[str, str] = {"P": "M", "CONV": "C", "RELU": "R", "POOL": "M"}
WHOLE_WORDS: frozenset[str] = frozenset(("CONV", "RELU", "POOL", "INPUT"))

# The spellings of more than one letter by their first, longest first: with the single letters they are a prefix code,
# so that glued layers can be told apart from left to right.
LONGER: dict[str, tuple[str, ...]] = {
    "B": ("BN",),
    "C": ("CONV",),
    "D": ("DW",),
    "F": ("FC",),
    "G": ("GAP", "GMP", "GRN", "GN"),
    "I": ("INPUT", "IN"),
    "L": ("LRN", "LN"),
    "P": ("POOL",),
    "R": ("RELU",),
}
SINGLE: frozenset[str] = frozenset("CTMPARS")

"""Every op by what a spec calls it: the one list to add a line to.

Files are imported when their op is asked for: a run pays for the layers that its networks have. Words of other packages
are looked for where a word is unknown: reading what is installed takes longer than an analysis.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING

from convsize.errors import UsageError
from convsize.ops.base import Op
from convsize.words import listed

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "convsize.ops"
"""The entry points by which other packages offer ops: the word, and where its class is."""

TOKENS = {
    "C": "convolution:Convolution",
    "DW": "depthwise:DepthwiseConvolution",
    "T": "transposed:TransposedConvolution",
    "M": "max_pool:MaxPool",
    "A": "average_pool:AveragePool",
    "GAP": "global_average_pool:GlobalAveragePool",
    "GMP": "global_max_pool:GlobalMaxPool",
    "FC": "fully_connected:FullyConnected",
    "BN": "batch_norm:BatchNorm",
    "LN": "layer_norm:LayerNorm",
    "IN": "instance_norm:InstanceNorm",
    "GN": "group_norm:GroupNorm",
    "LRN": "local_response_norm:LocalResponseNorm",
    "GRN": "global_response_norm:GlobalResponseNorm",
    "R": "relu:ReLU",
    "S": "softmax:Softmax",
}
"""The layer tokens' mnemonics."""

WORDS = {
    "relu6": "relu6:ReLU6",
    "leaky": "leaky_relu:LeakyReLU",
    "prelu": "prelu:PReLU",
    "elu": "elu:ELU",
    "gelu": "gelu:GELU",
    "selu": "selu:SELU",
    "glu": "glu:GLU",
    "silu": "silu:SiLU",
    "mish": "mish:Mish",
    "sigmoid": "sigmoid:Sigmoid",
    "tanh": "tanh:Tanh",
    "hswish": "hardswish:Hardswish",
    "hsigmoid": "hardsigmoid:Hardsigmoid",
    "softplus": "softplus:Softplus",
    "softmax": "softmax:Softmax",
    "logsoftmax": "log_softmax:LogSoftmax",
    "drop": "dropout:Dropout",
    "droppath": "drop_path:DropPath",
    "up": "upsample:Upsample",
    "resize": "upsample:Resize",
    "sumpool": "sum_pool:SumPool",
    "lppool": "lp_pool:LpPool",
    "pad": "pad:Pad",
    "crop": "crop:Crop",
    "slice": "channel_slice:Slice",
    "pick": "pick:Pick",
    "shuffle": "shuffle:Shuffle",
    "widen": "widen:Widen",
    "embed": "embed:Embedding",
    "attn": "attention:Attention",
    "token": "token:Token",
    "front": "front:Front",
    "position": "position:Position",
    "scale": "scale:Scale",
    "bias": "bias:Bias",
    "times": "times:Times",
    "plus": "plus:Plus",
    "clamp": "clamp:Clamp",
    "abs": "absolute:Absolute",
    "exp": "exponential:Exponential",
    "log": "logarithm:Logarithm",
    "sqrt": "square_root:SquareRoot",
    "power": "power:Power",
    "reduce": "reduce:Reduce",
    "weight": "weight:Weight",
    "affine": "affine:Affine",
    "flat": "flatten:Flatten",
    "reshape": "reshape:Reshape",
    "pixelshuffle": "pixel_shuffle:PixelShuffle",
    "unshuffle": "pixel_unshuffle:PixelUnshuffle",
    "blur": "blur:Blur",
    "swap": "swap:Swap",
    "bn": "batch_norm:BatchNorm",
    "ln": "layer_norm:LayerNorm",
    "grn": "global_response_norm:GlobalResponseNorm",
    "frn": "filter_response_norm:FilterResponseNorm",
    "tlu": "thresholded_linear:ThresholdedLinear",
    "rms": "rms_norm:RMSNorm",
    "in": "instance_norm:InstanceNorm",
    "gn": "group_norm:GroupNorm",
    "lrn": "local_response_norm:LocalResponseNorm",
}
"""The words, with what they are called in a spec."""

JOINS = {
    "add": "add:Add",
    "multiply": "multiply:Multiply",
    "subtract": "subtract:Subtract",
    "divide": "divide:Divide",
    "concatenate": "concatenate:Concatenate",
    "input": "input:Input",
}
"""What joins branches, and the input."""

_NO_WORDS = frozenset({"input", "sum", "difference", "gate", "quotient", "concatenation"})

PART = "slice"
"""The word for the part of the depth that a branch of a `split` takes."""

RESERVED = frozenset({"input", "default", "let", "def", "shared", "head", "expect", "split", "as", "x", "c"})
"""What means something else in a spec: no word can be called so."""


@cache
def _load(place: str) -> type[Op]:
    module, name = place.split(":")
    loaded: type[Op] = getattr(importlib.import_module(f"convsize.ops.{module}"), name)
    return loaded


def token(mnemonic: str) -> type[Op]:
    """The op of a layer token. Raises KeyError where there is none."""
    return _load(TOKENS[mnemonic])


def word(name: str) -> type[Op] | None:
    """The op of a word, or None where no op has that name.

    Raises UsageError where another package has such a word, and what it offers is no op.
    """
    place = WORDS.get(name)
    if place is not None:
        return _load(place)
    if name in _registered:
        return _registered[name]
    # Only words begin with a small letter: that C3 is none need not be looked up.
    offered = _offered().get(name, ()) if name[:1].islower() else ()
    return _installed(name, offered) if offered else None


def word_names() -> tuple[str, ...]:
    """Every word."""
    return tuple(dict.fromkeys((*WORDS, *_registered, *_offered())))


_registered: dict[str, type[Op]] = {}


def register(op: type[Op]) -> type[Op]:
    """Makes an op a word of the language, called as its SPELLING begins; see `convsize.ops.register`."""
    if not (isinstance(op, type) and issubclass(op, Op) and op.NAME):
        raise TypeError(
            f"{op!r} is not an op: an op is a class derived from convsize.ops.base.Op that states its NAME and "
            "its rules"
        )
    name = op.SPELLING.partition("(")[0]
    if not (name.isidentifier() and name.isascii() and name[0].islower()) or name in RESERVED:
        raise ValueError(f"the op {op.__name__} cannot be the word `{name}`: a word is a name in small letters")
    if op.KIND in _NO_WORDS:
        raise ValueError(f"the op {op.__name__} cannot be a word: a word has one input, a {op.KIND} has not")
    if name in WORDS or _registered.get(name, op) is not op:
        raise ValueError(f"the op {op.__name__} cannot be the word `{name}`: there is one of that name")
    known = [_load(place) for place in _places()] + [each for each in _registered.values() if each is not op]
    for fact in ("NAME", "STEM"):
        other = next((each for each in known if getattr(each, fact) == getattr(op, fact)), None)
        if other is not None:
            raise ValueError(f"the op {op.__name__} has the {fact} of {other.__name__}: `{getattr(op, fact)}`")
    _registered[name] = op
    return op


@cache
def _offered() -> dict[str, tuple[EntryPoint, ...]]:
    """What other packages offer, by the word; nothing of it is loaded."""
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for each in entry_points(group=GROUP):
        found[each.name] = (*found.get(each.name, ()), each)
    return found


def _installed(name: str, offered: tuple[EntryPoint, ...]) -> type[Op]:
    """The op that another package offers as a word."""
    packages = ["another package" if each.dist is None else f"the package {each.dist.name}" for each in offered]
    wrong = f"the word `{name}` of {listed(packages)} cannot be used"
    if len(offered) > 1:
        raise UsageError(f"{wrong}: it would be two ops; uninstall one of them")
    try:
        op = register(offered[0].load())
    except Exception as error:  # whatever the other package does wrong
        raise UsageError(f"{wrong}: {type(error).__name__}: {error}") from error
    if _registered.get(name) is not op:
        raise UsageError(f"{wrong}: its op says that it is `{op.SPELLING}`")
    return op


def join(kind: str) -> type[Op]:
    """The op of a join, or of an input. Raises KeyError where there is none."""
    return _load(JOINS[kind])


def _places() -> tuple[str, ...]:
    return tuple(dict.fromkeys((*TOKENS.values(), *WORDS.values(), *JOINS.values())))


def all_ops() -> tuple[type[Op], ...]:
    """Every op once: tokens, words, joins, input, then those of other packages."""
    others = (word(name) for name in word_names() if name not in WORDS)
    return (*map(_load, _places()), *(op for op in others if op is not None))

"""Every op by what a spec calls it: the one list to add a line to.

Files are imported when their op is asked for: a run pays for the layers that its networks have.
"""

from __future__ import annotations

import importlib
from functools import cache

from convsize.ops.base import Op

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
    "sumpool": "sum_pool:SumPool",
    "lppool": "lp_pool:LpPool",
    "pad": "pad:Pad",
    "crop": "crop:Crop",
    "slice": "channel_slice:Slice",
    "pick": "pick:Pick",
    "shuffle": "shuffle:Shuffle",
    "widen": "widen:Widen",
    "embed": "embed:Embedding",
    "scale": "scale:Scale",
    "times": "times:Times",
    "weight": "weight:Weight",
    "affine": "affine:Affine",
    "flat": "flatten:Flatten",
    "reshape": "reshape:Reshape",
    "pixelshuffle": "pixel_shuffle:PixelShuffle",
    "bn": "batch_norm:BatchNorm",
    "ln": "layer_norm:LayerNorm",
    "in": "instance_norm:InstanceNorm",
    "gn": "group_norm:GroupNorm",
    "lrn": "local_response_norm:LocalResponseNorm",
}
"""The words, with what they are called in a spec."""

JOINS = {
    "add": "add:Add",
    "multiply": "multiply:Multiply",
    "concatenate": "concatenate:Concatenate",
    "input": "input:Input",
}
"""What joins branches, and the input."""


@cache
def _load(place: str) -> type[Op]:
    module, name = place.split(":")
    loaded: type[Op] = getattr(importlib.import_module(f"convsize.ops.{module}"), name)
    return loaded


def token(mnemonic: str) -> type[Op]:
    """The op of a layer token. Raises KeyError where there is none."""
    return _load(TOKENS[mnemonic])


def word(name: str) -> type[Op] | None:
    """The op of a word, or None where no op has that name."""
    place = WORDS.get(name)
    return None if place is None else _load(place)


def word_names() -> tuple[str, ...]:
    """Every word."""
    return tuple(WORDS)


def join(kind: str) -> type[Op]:
    """The op of a join, or of an input. Raises KeyError where there is none."""
    return _load(JOINS[kind])


def all_ops() -> tuple[type[Op], ...]:
    """Every op once: tokens, words, joins, input."""
    places = dict.fromkeys((*TOKENS.values(), *WORDS.values(), *JOINS.values()))
    return tuple(_load(place) for place in places)

"""The names of layers in other libraries, with how each is read and what it is in words."""

from __future__ import annotations

from collections.abc import Callable

from convsize.language.mistakes.libraries import units, windows
from convsize.language.mistakes.libraries.arguments import Given, Unread
from convsize.record import Record


def _no_call(_: Given) -> str:
    raise Unread("")


class _Entry(Record):
    """A name: how a call is read, what the name alone is where it needs no numbers, and the form in words.

    pure: whether there is nothing to it but the name; own: whether it is a word of the language in other letters.
    """

    read: Callable[[Given], str]
    alone: str | None
    form: str
    pure: bool = False
    own: bool = False


def _nothing(form: str) -> _Entry:
    return _Entry(_no_call, None, form)


def _function(spelled: str, read: Callable[[Given], str] | None = None, **only: object) -> _Entry:
    return _Entry(read or units.plain(spelled, **only), spelled, f"write `{spelled}`", pure=True)


def _sized(read: Callable[[Given], str], form: str, alone: str | None = None) -> _Entry:
    return _Entry(read, alone, form)


_CONVOLUTION = _sized(windows.convolution, "a convolution is written `CkDn`: its kernel k, then its depth n")
_TRANSPOSED = _sized(windows.transposed, "a transposed convolution is written `TkDn/s`: kernel k, depth n, stride s")
_DEPTHWISE = _sized(windows.depthwise, "a depthwise convolution is written `DWk`, with its kernel k")
_SEPARABLE = _sized(windows.separable, "this is two layers: `DWkb0 C1Dn`, with the kernel k and the depth n")
_MAX = _sized(windows.pool("M"), "a max pool is written `Mk/s`, with its window k and its stride s", "M")
_AVERAGE = _sized(windows.pool("A"), "an average pool is written `Ak/s`, with its window k and its stride s", "A")
_LINEAR = _sized(units.linear, "a fully connected layer is written `FCn`, with its number of units n")
_UP = _sized(units.upsample, "upsampling is written `up(s)`, with its factor s")
_PAD = _sized(windows.around(1), "zero padding is written `pad(n)`, with the zeros on every side")
_PADS = {
    f"{name}pad": _sized(windows.around(1, fill), f"this padding is written `pad(n,{fill})`, n pixels on every side")
    for name, fill in (("reflection", "reflect"), ("replication", "replicate"), ("circular", "circular"))
}
_GAP = _function("GAP", keepdims=False)
_GMP = _function("GMP", keepdims=False)


def _reduction(how: str) -> _Entry:
    return _nothing(f"a reduction is written `reduce({how},over)`, over `depth`, `positions`, `height` or `width`")


_SUM = _nothing("a sum is written in round brackets: `(a + b)`")
_PRODUCT = _nothing("a product is written in round brackets: `(a * b)`")
_CONCATENATION = _nothing("a concatenation is written in square brackets: `[a | b]`")
_ATTENTION = _nothing("attention is written `C1D{3*c} attn(h) C1D{c/3}`, with its h heads between its projections")
_STANDARDISED = _nothing("a convolution of standardised weights is written `CkDnws`, with a gain a filter `CkDnsws`")
_EMBEDDING = _sized(
    units.word("embed", "num_embeddings", "embedding_dim"),
    "an embedding is written `embed(v,d)`: vocabulary, then depth",
)

ENTRIES: dict[str, _Entry] = {
    "abs": _function("abs"),
    "activation": _sized(units.named, "an activation is written by its own name, as `R` or `gelu`"),
    "adaptiveavgpool": _sized(
        windows.adaptive("GAP"), "an adaptive average pool is written `GAPn`, with its n positions an axis"
    ),
    "adaptivemaxpool": _sized(
        windows.adaptive("GMP"), "an adaptive max pool is written `GMPn`, with its n positions an axis"
    ),
    "add": _SUM,
    "averagepool": _AVERAGE,
    "averagepooling": _AVERAGE,
    "avgpool": _AVERAGE,
    "avgpooling": _AVERAGE,
    "attention": _ATTENTION,
    "batchnorm": _sized(units.batch_norm, "write `BN`", "BN"),
    "batchnormalization": _sized(
        units.keras_batch_norm, "batch normalisation is written `BN`; Keras' eps is 0.001", None
    ),
    "blurpool": _sized(
        units.blur_pool, "a pool by a fixed filter is written `blur(n,s)`, with its window and its stride"
    ),
    "cat": _CONCATENATION,
    "channelshuffle": _sized(
        units.word("shuffle", "groups"), "a channel shuffle is written `shuffle(g)`, with its groups"
    ),
    "concat": _CONCATENATION,
    "concatenate": _CONCATENATION,
    "conv": _CONVOLUTION,
    "stdconv": _STANDARDISED,
    "scaledstdconv": _STANDARDISED,
    "wsconv": _STANDARDISED,
    "convolution": _CONVOLUTION,
    "convt": _TRANSPOSED,
    "convtranspose": _TRANSPOSED,
    "cropping": _sized(windows.around(-1), "cropping is written `crop(h,w)`, with the extents to keep"),
    "deconv": _TRANSPOSED,
    "deconvolution": _TRANSPOSED,
    "dense": _LINEAR,
    "depthwiseconv": _DEPTHWISE,
    "do": _sized(units.dropout("drop"), "dropout is written `drop(p)`, with its probability p"),
    "dropout": _sized(units.dropout("drop"), "dropout is written `drop(p)`, with its probability p"),
    "dwconv": _DEPTHWISE,
    "divide": _nothing("a quotient is written in round brackets: `(a / b)`"),
    "elu": _function("elu", units.elu),
    "embedding": _EMBEDDING,
    "flatten": _function("flat", start_dim=1, end_dim=-1),
    "fullyconnected": _LINEAR,
    "exp": _function("exp"),
    "gelu": _function("gelu", units.gelu),
    "globalaveragepool": _GAP,
    "globalaveragepooling": _GAP,
    "globalavgpool": _GAP,
    "globalmaxpool": _GMP,
    "globalmaxpooling": _GMP,
    "glu": _function("glu"),
    "groupnorm": _sized(units.group_norm, "group normalisation is written `GNg`, with its number of groups g"),
    "groupnormalization": _nothing("group normalisation is written `GNg`, with its number of groups g"),
    "hardsigmoid": _function("hsigmoid"),
    "hardswish": _function("hswish"),
    "hardtanh": _sized(units.hard_tanh, "hard tanh is written `clamp(-1,1)`", "clamp(-1,1)"),
    "identity": _nothing("leave it out; a branch that changes nothing is `x`"),
    "inputlayer": _nothing("an input is declared on a line of its own: `input: depth@height×width`"),
    "instancenorm": _sized(units.instance_norm, "write `IN`", "IN"),
    "layernorm": _nothing("layer normalisation over the depth is written `LN`"),
    "layernormalization": _nothing("layer normalisation over the depth is written `LN`"),
    "leakyrelu": _sized(units.leaky, "a leaky ReLU is written `leaky(a)`, with its slope a"),
    "linear": _LINEAR,
    "localresponsenorm": _sized(units.response_norm, "local response normalisation is written `LRNn`, over n maps"),
    "log": _function("log"),
    "logsoftmax": _function("logsoftmax", units.over_depth("logsoftmax")),
    "lppool": _sized(units.lp_pool, "Lp pooling is written `lppool(p,k)`, with its norm p and its window k"),
    "lrelu": _sized(units.leaky, "a leaky ReLU is written `leaky(a)`, with its slope a"),
    "max": _reduction("max"),
    "maxout": _nothing("maxout over r maps is written `reduce(max,slices,r)`"),
    "maxpool": _MAX,
    "maxpooling": _MAX,
    "mha": _ATTENTION,
    "mean": _reduction("mean"),
    "min": _reduction("min"),
    "mish": _function("mish"),
    "multiheadattention": _ATTENTION,
    "multiply": _PRODUCT,
    "pixelunshuffle": _sized(
        units.word("unshuffle", "downscale_factor"), "space to depth is written `unshuffle(r)`, with its factor r"
    ),
    "pixelshuffle": _sized(
        units.word("pixelshuffle", "upscale_factor"), "a pixel shuffle is written `pixelshuffle(r)`, with its factor r"
    ),
    "pool": _sized(_no_call, "a max pool is written `Mk/s`, with its window k and its stride s", "M"),
    "pooling": _sized(_no_call, "a max pool is written `Mk/s`, with its window k and its stride s", "M"),
    "pow": _sized(units.power, "a power is written `power(p)`, with its exponent p"),
    "prelu": _function("prelu", units.prelu),
    "relu": _function("R"),
    "relu6": _function("relu6"),
    "selu": _function("selu"),
    "separableconv": _SEPARABLE,
    "sigmoid": _function("sigmoid"),
    "silu": _function("silu"),
    "softmax": _function("S", units.over_depth("S")),
    "softplus": _function("softplus", beta=1.0),
    "sqrt": _function("sqrt"),
    "square": _function("power(2)"),
    "rmsnorm": _sized(units.rms_norm, "RMS normalisation over the depth is written `rms`", "rms"),
    "stochasticdepth": _sized(units.dropout("droppath"), "stochastic depth is written `droppath(p)`"),
    "subtract": _nothing("a difference is written in round brackets: `(a - b)`"),
    "sum": _reduction("sum"),
    "swish": _function("silu"),
    "tanh": _function("tanh"),
    "transposedconv": _TRANSPOSED,
    "upsample": _UP,
    "upsamplingbilinear": _sized(units.upsample_aligned, "it is written `up(s,bilinear,aligned)`, with its factor s"),
    "upsampling": _UP,
    **_PADS,
    "zeropad": _PAD,
    "zeropadding": _PAD,
}
"""By name in small letters, without underscores and without the number of axes after it."""

_OWN = {
    "affine": "a learned gain and bias for every map",
    "bias": "a learned bias for every map",
    "blur(n)": "with the number of its coefficients",
    "clamp(lo,hi)": "with its bounds",
    "crop(h,w)": "with the extents to keep",
    "drop(p)": "with its probability p",
    "droppath(p)": "with its probability p",
    "embed(v,d)": "with the vocabulary and the depth",
    "flat": "",
    "hsigmoid": "",
    "hswish": "",
    "leaky(a)": "with its slope a",
    "pad(n)": "with the zeros on every side",
    "front(n)": "with the number of positions",
    "position": "a learned value for every map at every position",
    "token(n)": "with the number of learned positions",
    "pick(i,j,…)": "with the maps to keep",
    "plus(k)": "with its term k",
    "power(p)": "with its exponent p",
    "reduce(how,over)": "with what is made of what, as in `reduce(mean,depth)`",
    "reshape(d,h,w)": "with the volume",
    "attn(heads)": "with its number of heads",
    "resize(h,w)": "with the extents to reach",
    "frn": "filter response normalisation",
    "tlu": "the thresholded linear unit after `frn`",
    "rms": "normalisation by the root mean square over the depth",
    "scale": "a learned gain for every map",
    "unshuffle(r)": "space to depth, with its factor r",
    "shuffle(g)": "with its groups",
    "slice(a,b)": "from map a to before map b",
    "swap(depth,width)": "with the axis that becomes the depth",
    "sumpool(k)": "with its window k",
    "times(k)": "with its factor k",
    "up(s)": "with its factor s",
    "weight": "a learned scalar",
    "widen(d)": "with the output depth",
}
"""The words that no library calls so, with what their brackets hold: only their letters can be wrong."""

for _form, _what in _OWN.items():
    _name, _bracket, _ = _form.partition("(")
    _said = f"in small letters it is `{_form}`" + (f", {_what}" if _what else "")
    ENTRIES[_name] = _Entry(_no_call, None if _bracket else _name, _said, pure=not _bracket, own=True)

SHARED = frozenset(
    (
        "abs",
        "elu",
        "exp",
        "gelu",
        "glu",
        "log",
        "logsoftmax",
        "lppool",
        "mish",
        "pixelshuffle",
        "prelu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "softmax",
        "softplus",
        "sqrt",
        "tanh",
    )
)
"""The words that the language has in common with other libraries."""

RECURRENT = frozenset(("convlstm", "gru", "lstm", "rnn"))
"""Layers that carry a state along an axis."""

ELSEWHERE = frozenset(
    (
        "alphadropout",
        "avgunpool",
        "bilinear",
        "celu",
        "convlstm",
        "crelu",
        "dropblock",
        "featuredropout",
        "fold",
        "fractionalmaxpool",
        "gaussiannoise",
        "geglu",
        "gru",
        "hardshrink",
        "logsigmoid",
        "lstm",
        "maxunpool",
        "rnn",
        "roialign",
        "roipool",
        "round",
        "rrelu",
        "softmin",
        "softshrink",
        "softsign",
        "spatialdropout",
        "spectralnorm",
        "starrelu",
        "swiglu",
        "syncbatchnorm",
        "tanhshrink",
        "threshold",
        "unfold",
        "unpool",
        "weightnorm",
    )
)
"""Layers of other libraries that the language does not have: no name of its own is meant by them."""

STEMS = {
    "averagepool": "A",
    "avgpool": "A",
    "conv": "C",
    "convolution": "C",
    "convtranspose": "T",
    "deconv": "T",
    "dense": "FC",
    "depthwiseconv": "DW",
    "dwconv": "DW",
    "groupnorm": "GN",
    "linear": "FC",
    "localresponsenorm": "LRN",
    "maxpool": "M",
    "pool": "M",
}
"""The letters that stand for a name with the token's own numbers right after it: `CONV3D64`, `POOL2`."""

LIBRARIES = frozenset(("nn", "torch", "layers", "keras", "tf", "F", "K", "L"))
"""What stands before a point in front of a layer's name."""


KERAS = frozenset(
    (
        "averagepooling",
        "batchnormalization",
        "cropping",
        "dense",
        "depthwiseconv",
        "globalaveragepooling",
        "maxpooling",
        "separableconv",
        "upsampling",
        "zeropadding",
    )
)
"""Names that only Keras has, however they are spelled."""

"""Names of layers in other libraries, read by their arguments: `Conv2d(16, 128, 5, stride=2)` is `C5D128/2p0`.

Every entry knows the defaults of the libraries that have its layer: PyTorch's convolutions pad nothing and Keras' are
`valid`, Keras' batch norm has an eps of 0.001. Whatever of a call has no counterpart in a spec makes the whole call
unread; then the help says in words how the layer is written, without numbers that nobody wrote. Nothing is executed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from fractions import Fraction

from convsize.record import Record

LONGEST_CALL = 400
"""Characters of a call that are read; no layer needs as many."""


class Reading(Record):
    """What a name or a call from elsewhere is in a spec.

    spelled: what a spec writes, or None where the call says something that a spec cannot; help: what to write, in
    words; certain: whether nothing but the spelling differs, so that it can be replaced unseen.
    """

    spelled: str | None
    help: str
    certain: bool = False


class _Unread(Exception):  # noqa: N818 (control flow, never seen outside)
    """The call says something that a spec cannot; the argument says what."""


_MISSING = object()


class _Given:
    """The arguments of a call: each entry takes those that it knows, and what is left is not understood.

    keras: whether the name's spelling or its arguments are those of Keras; explicit: whether the spec has a `default`,
    so that what a token leaves out may mean something else.
    """

    def __init__(self, positional: list[object], named: dict[str, object], *, keras: bool | None, explicit: bool):
        self.positional = positional
        self.named = named
        self.taken: set[int] = set()
        self.keras = keras
        self.explicit = explicit

    def take(self, *names: str, at: int | None = None, default: object = _MISSING) -> object:
        """An argument by one of its names or by its place."""
        found = [name for name in names if name in self.named]
        placed = at is not None and at < len(self.positional)
        if len(found) + placed > 1:
            raise _Unread(f"`{found[0]}` is given twice")
        if found:
            return self.named.pop(found[0])
        if placed:
            assert at is not None
            self.taken.add(at)
            return self.positional[at]
        if default is _MISSING:
            raise _Unread(f"`{names[0]}` is missing")
        return default

    def skip(self, *names: str) -> None:
        """Arguments that change nothing which a spec states."""
        for name in names:
            self.named.pop(name, None)

    def done(self) -> None:
        """Raises where an argument is left."""
        self.skip("name", "dtype", "device", "inplace", "trainable", "input_shape", "kernel_initializer")
        left = [f"`{name}=`" for name in self.named]
        left += [f"`{self.positional[at]}`" for at in range(len(self.positional)) if at not in self.taken]
        if left:
            raise _Unread(f"a spec has no counterpart of {left[0]}")


def _whole(value: object, least: int = 1) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    raise _Unread(f"`{value}` is not a whole number of at least {least}")


def _extents(value: object, least: int = 1) -> tuple[int, ...]:
    """One number, or one for every axis; one where all are alike."""
    values = value if isinstance(value, tuple | list) else (value,)
    numbers = tuple(_whole(each, least) for each in values)
    if not 1 <= len(numbers) <= 3:
        raise _Unread(f"`{value}` has no number for every axis")
    return numbers[:1] if len(set(numbers)) == 1 else numbers


def _dims(values: tuple[int, ...]) -> str:
    return "x".join(map(str, values))


def _decimal(value: object) -> str:
    """A number as a spec writes it: 1e-05 as 0.00001."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**9:
        raise _Unread(f"`{value}` is not a number that a spec allows")
    exact = Fraction(repr(value))
    if exact.denominator == 1:
        return str(exact.numerator)
    return f"{value:.18f}".rstrip("0") if Fraction(f"{value:.18f}") == exact else repr(value)


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _Unread(f"`{value}` is neither True nor False")


# ---- layers with a window --------------------------------------------------------------------------------------------


def _stride(stride: tuple[int, ...], *, explicit: bool = False) -> str:
    return f"/{_dims(stride)}" if explicit or stride != (1,) else ""


def _half(kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...] | None:
    """The padding of a convolution that says none; None where a kernel is even."""
    rank = max(len(kernel), len(dilation))
    pairs = zip(_spread(kernel, rank), _spread(dilation, rank), strict=True)
    pads = tuple(d * (k - 1) // 2 for k, d in pairs)
    if any(k % 2 == 0 for k in kernel):
        return None
    return pads[:1] if len(set(pads)) == 1 else pads


def _spread(values: tuple[int, ...], rank: int) -> tuple[int, ...]:
    if len(values) in (1, rank):
        return values * rank if len(values) == 1 else values
    raise _Unread("the numbers are not for the same axes")


def _padding(
    given: _Given, padding: object, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> str:
    """The suffix of a convolution's padding; nothing where it is the half padding that a token means by itself."""
    half = _half(kernel, dilation)
    if padding == "same":
        if set(stride) == {1} and half is not None:
            padding = half
        else:
            return "psame"
    elif padding == "valid":
        padding = 0
    elif isinstance(padding, str) or given.keras:
        raise _Unread(f"a spec does not support the padding `{padding}`")
    pads = _extents(padding, 0)
    return "" if half == pads and not given.explicit else f"p{_dims(pads)}"


_ACTIVATIONS = {
    "relu": "R",
    "relu6": "relu6",
    "elu": "elu",
    "gelu": "gelu",
    "silu": "silu",
    "swish": "silu",
    "mish": "mish",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softplus": "softplus",
    "softmax": "S",
    "log_softmax": "logsoftmax",
    "linear": "",
    "None": "",
}


def _activation(value: object) -> str:
    known = _ACTIVATIONS.get(str(value))
    if known is None:
        raise _Unread(f"a spec does not support the activation `{value}`")
    return f" {known}" if known else ""


def _convolution(given: _Given) -> str:
    activation = ""
    if given.keras is None and "filters" not in given.named and len(given.positional) > 2:
        raise _Unread("PyTorch's `Conv2d` and Keras' `Conv2D` order their arguments differently")
    if given.keras or (given.keras is None and "out_channels" not in given.named):
        given.keras = True
        depth = _whole(given.take("filters", at=0))
        kernel = _extents(given.take("kernel_size", at=1))
        stride = _extents(given.take("strides", at=2, default=1))
        padding = given.take("padding", at=3, default="valid")
        dilation = _extents(given.take("dilation_rate", default=1))
        bias = _flag(given.take("use_bias", default=True))
        activation = _activation(given.take("activation", default=None))
        if max(kernel) > 31:
            raise _Unread("Keras' `Conv2D` takes the filters first, then the kernel size")
    else:
        given.take("in_channels", at=0, default=None)
        depth = _whole(given.take("out_channels", at=1))
        kernel = _extents(given.take("kernel_size", at=2))
        stride = _extents(given.take("stride", at=3, default=1))
        padding = given.take("padding", at=4, default=0)
        dilation = _extents(given.take("dilation", at=5, default=1))
        bias = _flag(given.take("bias", at=7, default=True))
        if given.take("padding_mode", at=8, default="zeros") != "zeros":
            raise _Unread("a spec pads with zeros only")
    groups = _whole(given.take("groups", at=None if given.keras else 6, default=1))
    parts = [
        f"C{_dims(kernel)}D{depth}",
        _stride(stride, explicit=given.explicit),
        _padding(given, padding, kernel, stride, dilation),
        f"d{_dims(dilation)}" if dilation != (1,) or given.explicit else "",
        f"g{groups}" if groups > 1 or given.explicit else "",
        _bias(given, bias),
        activation,
    ]
    return "".join(parts)


def _bias(given: _Given, bias: bool) -> str:
    return "b0" if not bias else "b1" if given.explicit else ""


def _keras_depthwise(given: _Given, bias: bool) -> str:
    kernel = _extents(given.take("kernel_size", at=0))
    stride = _extents(given.take("strides", at=1, default=1))
    padding = given.take("padding", at=2, default="valid")
    multiplier = _whole(given.take("depth_multiplier", at=3, default=1))
    dilation = _extents(given.take("dilation_rate", default=1))
    given.keras = True
    parts = [
        f"DW{_dims(kernel)}",
        f"D{{{multiplier}*c}}" if multiplier > 1 else "",
        _stride(stride, explicit=given.explicit),
        _padding(given, padding, kernel, stride, dilation),
        f"d{_dims(dilation)}" if dilation != (1,) else "",
        _bias(given, bias),
    ]
    return "".join(parts)


def _depthwise(given: _Given) -> str:
    bias = _flag(given.take("use_bias", default=True))
    return _keras_depthwise(given, bias) + _activation(given.take("activation", default=None))


def _separable(given: _Given) -> str:
    depth = _whole(given.take("filters", at=0))
    given.positional, given.taken = given.positional[1:], set()
    bias = _flag(given.take("use_bias", default=True))
    activation = _activation(given.take("activation", default=None))
    # The bias stands behind the pointwise convolution only.
    return f"{_keras_depthwise(given, bias=False)} C1D{depth}{_bias(given, bias)}{activation}"


def _transposed(given: _Given) -> str:
    activation = ""
    dilation: tuple[int, ...] = (1,)
    pads: tuple[tuple[int, int], ...]
    if given.keras is None and "filters" not in given.named and len(given.positional) > 2:
        raise _Unread("PyTorch's `ConvTranspose2d` and Keras' `Conv2DTranspose` order their arguments differently")
    if given.keras or (given.keras is None and "out_channels" not in given.named):
        depth = _whole(given.take("filters", at=0))
        kernel = _extents(given.take("kernel_size", at=1))
        stride = _extents(given.take("strides", at=2, default=1))
        padding = given.take("padding", at=3, default="valid")
        bias = _flag(given.take("use_bias", default=True))
        activation = _activation(given.take("activation", default=None))
        groups = 1
        rank = max(len(kernel), len(stride))
        sizes = list(zip(_spread(kernel, rank), _spread(stride, rank), strict=True))
        # TensorFlow's is the gradient of its convolution: `same` gives stride times the input, `valid` at least that.
        lost = [max(k - s, 0) if padding == "same" else 0 for k, s in sizes]
        if padding not in ("same", "valid"):
            raise _Unread(f"a spec does not support the padding `{padding}`")
        pads = tuple((each // 2, each - each // 2) for each in lost)
        extra = tuple(max(s - k, 0) for k, s in sizes)
    else:
        given.take("in_channels", at=0, default=None)
        depth = _whole(given.take("out_channels", at=1))
        kernel = _extents(given.take("kernel_size", at=2))
        stride = _extents(given.take("stride", at=3, default=1))
        pads = tuple((each, each) for each in _extents(given.take("padding", at=4, default=0), 0))
        extra = _extents(given.take("output_padding", at=5, default=0), 0)
        groups = _whole(given.take("groups", at=6, default=1))
        bias = _flag(given.take("bias", at=7, default=True))
        dilation = _extents(given.take("dilation", at=8, default=1))
        if given.take("padding_mode", at=9, default="zeros") != "zeros":
            raise _Unread("a spec pads with zeros only")
    pads = pads[:1] if len(set(pads)) == 1 else pads
    extra = extra[:1] if len(set(extra)) == 1 else extra
    said = "x".join(str(one) if one == two else f"{one}:{two}" for one, two in pads)
    parts = [
        f"T{_dims(kernel)}D{depth}",
        _stride(stride, explicit=given.explicit),
        f"p{said}" if said != "0" or given.explicit else "",
        f"d{_dims(dilation)}" if dilation != (1,) or given.explicit else "",
        f"g{groups}" if groups > 1 or given.explicit else "",
        f"a{_dims(extra)}" if extra != (0,) or given.explicit else "",
        _bias(given, bias),
        activation,
    ]
    return "".join(parts)


def _pool(mnemonic: str) -> Callable[[_Given], str]:
    def read(given: _Given) -> str:
        given.skip("return_indices", "data_format")
        rounding, zeros = "floor", ""
        dilation: tuple[int, ...] = (1,)
        keras = given.keras or bool({"pool_size", "strides"} & given.named.keys())
        if keras:
            kernel = _extents(given.take("pool_size", at=0, default=2))
            stride = given.take("strides", at=1, default=None)
            padding = given.take("padding", at=2, default="valid")
            if padding not in ("same", "valid"):
                raise _Unread(f"a spec does not support the padding `{padding}`")
            pads = "psame" if padding == "same" else ""
            if pads and mnemonic == "A":
                zeros = "z0"  # TensorFlow's averages leave the zeros out
        else:
            kernel = _extents(given.take("kernel_size", at=0))
            stride = given.take("stride", at=1, default=None)
            padded = _extents(given.take("padding", at=2, default=0), 0)
            pads = f"p{_dims(padded)}" if padded != (0,) else ""
            if mnemonic == "M":
                dilation = _extents(given.take("dilation", at=3, default=1))
                ceil = given.take("ceil_mode", at=5, default=False)
            else:
                ceil = given.take("ceil_mode", at=3, default=False)
                if not _flag(given.take("count_include_pad", at=4, default=True)) and pads:
                    zeros = "z0"
                if given.take("divisor_override", at=5, default=None) is not None:
                    raise _Unread("a spec has no counterpart of `divisor_override`")
            rounding = "ceil" if _flag(ceil) else "floor"
        steps = kernel if stride is None else _extents(stride)
        parts = [
            f"{mnemonic}{_dims(kernel)}",
            _stride(steps, explicit=True) if steps != kernel or given.explicit else "",
            pads,
            f"d{_dims(dilation)}" if dilation != (1,) else "",
            zeros,
            rounding if rounding != "floor" or given.explicit else "",
        ]
        return "".join(parts)

    return read


def _adaptive(mnemonic: str) -> Callable[[_Given], str]:
    def read(given: _Given) -> str:
        size = _extents(given.take("output_size", at=0))
        if size != (1,):
            raise _Unread(
                f"{_dims(size)} positions are left: pool with a window of the extent there divided by "
                f"{_dims(size)}, gives"
            )
        return mnemonic

    return read


def _around(sign: int) -> Callable[[_Given], str]:
    """Zero padding, and cropping as its opposite: PyTorch begins with the last axis, Keras with the first."""

    def read(given: _Given) -> str:
        value = given.take("padding", "cropping", at=0, default=1 if given.keras else _MISSING)
        if isinstance(value, tuple | list) and any(isinstance(each, tuple | list) for each in value):
            pairs = [tuple(_whole(each, 0) for each in pair) for pair in value if isinstance(pair, tuple | list)]
            if len(pairs) != len(value) or any(len(pair) != 2 for pair in pairs):
                raise _Unread(f"`{value}` has no two numbers for every axis")
            flat = [each for pair in pairs for each in pair]
        elif isinstance(value, tuple | list):
            numbers = [_whole(each, 0) for each in value]
            if given.keras:
                flat = [each for number in numbers for each in (number, number)]
            elif len(numbers) % 2:
                raise _Unread(f"`{value}` has no two numbers for every axis")
            else:
                flat = [each for at in range(len(numbers) - 2, -1, -2) for each in numbers[at : at + 2]]
        else:
            flat = [_whole(value, 0)]
        shown = flat[:1] if len(set(flat)) == 1 else flat
        return f"pad({','.join(str(sign * each) for each in shown)})"

    return read


# ---- layers of units, norms, activations -----------------------------------------------------------------------------


def _linear(given: _Given) -> str:
    activation = _activation(given.take("activation", default=None))
    if len(given.positional) > 1 or "out_features" in given.named:
        given.take("in_features", at=0, default=None)
        units = _whole(given.take("out_features", at=1))
        bias = _flag(given.take("bias", at=2, default=True))
    else:
        units = _whole(given.take("units", at=0))
        bias = _flag(given.take("use_bias", "bias", default=True))
    return f"FC{units}{_bias(given, bias)}{activation}"


def _batch_norm(given: _Given) -> str:
    given.skip("track_running_stats")
    given.take("num_features", at=0, default=None)
    eps = given.take("eps", at=1, default=1e-5)
    momentum = given.take("momentum", at=2, default=0.1)
    affine = _flag(given.take("affine", at=3, default=True))
    return _normed(given, eps, momentum, affine)


def _keras_batch_norm(given: _Given) -> str:
    if given.take("axis", at=0, default=-1) not in (-1, 1):
        raise _Unread("layers of a spec normalise over the depth only")
    momentum = given.take("momentum", at=1, default=0.99)
    eps = given.take("epsilon", at=2, default=1e-3)
    center, scale = _flag(given.take("center", default=True)), _flag(given.take("scale", default=True))
    if center != scale:
        raise _Unread("a spec's `BN` has both gain and bias, or none")
    if not isinstance(momentum, float):
        raise _Unread(f"`{momentum}` is not a valid momentum")
    return _normed(given, eps, float(1 - Fraction(repr(momentum))), center)


def _normed(given: _Given, eps: object, momentum: object, affine: bool) -> str:
    if (eps, momentum) == (1e-5, 0.1):
        return f"BN{_bias(given, affine)}"
    if not affine:
        raise _Unread("a spec's `bn(eps=…, momentum=…)` has gain and bias")
    parts = [f"eps={_decimal(eps)}"] if eps != 1e-5 else []
    parts += [f"momentum={_decimal(momentum)}"] if momentum != 0.1 else []
    return f"bn({', '.join(parts)})"


def _group_norm(given: _Given) -> str:
    groups = _whole(given.take("num_groups", "groups", at=0))
    given.take("num_channels", at=1, default=None)
    affine = _flag(given.take("affine", default=True))
    if given.take("eps", at=2, default=1e-5) != 1e-5:
        raise _Unread("`eps` is not PyTorch's own; `gn(…)` takes it")
    return f"GN{groups}{_bias(given, affine)}"


def _instance_norm(given: _Given) -> str:
    given.take("num_features", at=0, default=None)
    affine = _flag(given.take("affine", at=3, default=False))
    return "INb1" if affine else "INb0" if given.explicit else "IN"


def _response_norm(given: _Given) -> str:
    size = _whole(given.take("size", at=0))
    numbers = [given.take(name, at=at, default=own) for at, (name, own) in enumerate(_RESPONSE.items(), start=1)]
    said = [
        f"{name}={_decimal(value)}"
        for (name, own), value in zip(_RESPONSE.items(), numbers, strict=True)
        if value != own
    ]
    return f"lrn({size}, {', '.join(said)})" if said else f"LRN{size}"


_RESPONSE = {"alpha": 1e-4, "beta": 0.75, "k": 1.0}


def _leaky(given: _Given) -> str:
    slope = given.take("negative_slope", "alpha", "a", at=0, default=None)
    if slope is None:
        raise _Unread("PyTorch's slope is 0.01 and Keras' 0.3")
    return f"leaky({_decimal(slope)})"


def _plain(spelled: str, **only: object) -> Callable[[_Given], str]:
    """A layer without numbers; `only` are arguments that must have their default."""

    def read(given: _Given) -> str:
        for at, (name, value) in enumerate(only.items()):
            if given.take(name, at=at, default=value) != value:
                raise _Unread(f"a spec's `{spelled}` has no `{name}`")
        return spelled

    return read


def _over_depth(spelled: str) -> Callable[[_Given], str]:
    def read(given: _Given) -> str:
        if given.take("dim", "axis", at=0, default=1) not in (1, -1, None):
            raise _Unread(f"a spec's `{spelled}` runs over the depth")
        return spelled

    return read


def _named(given: _Given) -> str:
    spelled = _activation(given.take("activation", at=0)).strip()
    if not spelled:
        raise _Unread("it does nothing")
    return spelled


def _dropout(word: str) -> Callable[[_Given], str]:
    def read(given: _Given) -> str:
        given.skip("seed", "mode")
        if len(given.positional) > 1 and given.positional[1] in ("row", True, False):
            given.taken.add(1)
        rate = given.take("p", "rate", "drop_prob", at=0, default=_MISSING if given.keras or word != "drop" else 0.5)
        return f"{word}({_decimal(rate)})"

    return read


def _prelu(given: _Given) -> str:
    slopes = _whole(given.take("num_parameters", at=0, default=1))
    return "prelu" if slopes == 1 else f"prelu({slopes})"


def _word(word: str, *names: str) -> Callable[[_Given], str]:
    """A word with whole numbers, one for each of these parameters."""

    def read(given: _Given) -> str:
        return f"{word}({','.join(str(_whole(given.take(name, at=at))) for at, name in enumerate(names))})"

    return read


def _lp_pool(given: _Given) -> str:
    norm = _decimal(given.take("norm_type", at=0))
    kernel = _extents(given.take("kernel_size", at=1))
    stride = given.take("stride", at=2, default=None)
    if len(kernel) > 1 or _flag(given.take("ceil_mode", at=3, default=False)):
        raise _Unread("a spec's `lppool` has one window for every axis and rounds down")
    return f"lppool({norm},{kernel[0]}{'' if stride is None else f',{_dims(_extents(stride))}'})"


def _upsample(given: _Given) -> str:
    if given.keras or "interpolation" in given.named:
        scale = given.take("size", at=0, default=2)
        mode = given.take("interpolation", at=None, default="nearest")
    else:
        if given.take("size", at=0, default=None) is not None:
            raise _Unread("`up` takes the factor, but this is the extent")
        scale = given.take("scale_factor", at=1)
        mode = given.take("mode", at=2, default="nearest")
        if given.take("align_corners", at=3, default=None):
            raise _Unread("a spec's `up` does not align corners")
    if isinstance(scale, float) and scale.is_integer():
        scale = int(scale)
    factors = ",".join(map(str, _extents(scale)))
    if mode not in ("nearest", "bilinear", "linear", "trilinear"):
        raise _Unread(f"a spec's `up` has no mode `{mode}`")
    return f"up({factors})" if mode == "nearest" else f"up({factors},bilinear)"


def _no_call(_: _Given) -> str:
    raise _Unread("")


class _Entry(Record):
    """A name: how a call is read, what the name alone is where it needs no numbers, and the form in words.

    pure: whether there is nothing to it but the name; own: whether it is a word of the language in other letters.
    """

    read: Callable[[_Given], str]
    alone: str | None
    form: str
    pure: bool = False
    own: bool = False


def _nothing(form: str) -> _Entry:
    return _Entry(_no_call, None, form)


def _function(spelled: str, read: Callable[[_Given], str] | None = None, **only: object) -> _Entry:
    return _Entry(read or _plain(spelled, **only), spelled, f"write `{spelled}`", pure=True)


def _sized(read: Callable[[_Given], str], form: str, alone: str | None = None) -> _Entry:
    return _Entry(read, alone, form)


_CONVOLUTION = _sized(_convolution, "a convolution is written `CkDn`: its kernel k, then its depth n")
_TRANSPOSED = _sized(_transposed, "a transposed convolution is written `TkDn/s`: kernel k, depth n, stride s")
_DEPTHWISE = _sized(_depthwise, "a depthwise convolution is written `DWk`, with its kernel k")
_SEPARABLE = _sized(_separable, "this is two layers: `DWkb0 C1Dn`, with the kernel k and the depth n")
_MAX = _sized(_pool("M"), "a max pool is written `Mk/s`, with its window k and its stride s", "M")
_AVERAGE = _sized(_pool("A"), "an average pool is written `Ak/s`, with its window k and its stride s", "A")
_LINEAR = _sized(_linear, "a fully connected layer is written `FCn`, with its number of units n")
_UP = _sized(_upsample, "upsampling is written `up(s)`, with its factor s")
_PAD = _sized(_around(1), "zero padding is written `pad(n)`, with the zeros on every side")
_GAP = _function("GAP", keepdims=False)
_GMP = _function("GMP", keepdims=False)
_SUM = _nothing("a sum is written in round brackets: `(a + b)`")
_PRODUCT = _nothing("a product is written in round brackets: `(a * b)`")
_CONCATENATION = _nothing("a concatenation is written in square brackets: `[a | b]`")
_EMBEDDING = _sized(
    _word("embed", "num_embeddings", "embedding_dim"), "an embedding is written `embed(v,d)`: vocabulary, then depth"
)

ENTRIES: dict[str, _Entry] = {
    "activation": _sized(_named, "an activation is written by its own name, as `R` or `gelu`"),
    "adaptiveavgpool": _sized(_adaptive("GAP"), "pooling to one position is written `GAP`"),
    "adaptivemaxpool": _sized(_adaptive("GMP"), "pooling to one position is written `GMP`"),
    "add": _SUM,
    "averagepool": _AVERAGE,
    "averagepooling": _AVERAGE,
    "avgpool": _AVERAGE,
    "avgpooling": _AVERAGE,
    "batchnorm": _sized(_batch_norm, "write `BN`", "BN"),
    "batchnormalization": _sized(_keras_batch_norm, "batch normalisation is written `BN`; Keras' eps is 0.001", None),
    "cat": _CONCATENATION,
    "channelshuffle": _sized(_word("shuffle", "groups"), "a channel shuffle is written `shuffle(g)`, with its groups"),
    "concat": _CONCATENATION,
    "concatenate": _CONCATENATION,
    "conv": _CONVOLUTION,
    "convolution": _CONVOLUTION,
    "convt": _TRANSPOSED,
    "convtranspose": _TRANSPOSED,
    "cropping": _sized(_around(-1), "cropping is written `crop(h,w)`, with the extents to keep"),
    "deconv": _TRANSPOSED,
    "deconvolution": _TRANSPOSED,
    "dense": _LINEAR,
    "depthwiseconv": _DEPTHWISE,
    "do": _sized(_dropout("drop"), "dropout is written `drop(p)`, with its probability p"),
    "dropout": _sized(_dropout("drop"), "dropout is written `drop(p)`, with its probability p"),
    "dwconv": _DEPTHWISE,
    "elu": _function("elu", alpha=1.0),
    "embedding": _EMBEDDING,
    "flatten": _function("flat", start_dim=1, end_dim=-1),
    "fullyconnected": _LINEAR,
    "gelu": _function("gelu", approximate="none"),
    "globalaveragepool": _GAP,
    "globalaveragepooling": _GAP,
    "globalavgpool": _GAP,
    "globalmaxpool": _GMP,
    "globalmaxpooling": _GMP,
    "groupnorm": _sized(_group_norm, "group normalisation is written `GNg`, with its number of groups g"),
    "groupnormalization": _nothing("group normalisation is written `GNg`, with its number of groups g"),
    "hardsigmoid": _function("hsigmoid"),
    "hardswish": _function("hswish"),
    "identity": _nothing("leave it out; a branch that changes nothing is `x`"),
    "inputlayer": _nothing("an input is declared on a line of its own: `input: depth@height×width`"),
    "instancenorm": _sized(_instance_norm, "write `IN`", "IN"),
    "layernorm": _nothing("layer normalisation over the depth is written `LN`"),
    "layernormalization": _nothing("layer normalisation over the depth is written `LN`"),
    "leakyrelu": _sized(_leaky, "a leaky ReLU is written `leaky(a)`, with its slope a"),
    "linear": _LINEAR,
    "localresponsenorm": _sized(_response_norm, "local response normalisation is written `LRNn`, over n maps"),
    "logsoftmax": _function("logsoftmax", _over_depth("logsoftmax")),
    "lppool": _sized(_lp_pool, "Lp pooling is written `lppool(p,k)`, with its norm p and its window k"),
    "lrelu": _sized(_leaky, "a leaky ReLU is written `leaky(a)`, with its slope a"),
    "maxpool": _MAX,
    "maxpooling": _MAX,
    "mish": _function("mish"),
    "multiply": _PRODUCT,
    "pixelshuffle": _sized(
        _word("pixelshuffle", "upscale_factor"), "a pixel shuffle is written `pixelshuffle(r)`, with its factor r"
    ),
    "pool": _sized(_no_call, "a max pool is written `Mk/s`, with its window k and its stride s", "M"),
    "pooling": _sized(_no_call, "a max pool is written `Mk/s`, with its window k and its stride s", "M"),
    "prelu": _function("prelu", _prelu),
    "relu": _function("R"),
    "relu6": _function("relu6"),
    "separableconv": _SEPARABLE,
    "sigmoid": _function("sigmoid"),
    "silu": _function("silu"),
    "softmax": _function("S", _over_depth("S")),
    "softplus": _function("softplus", beta=1.0),
    "stochasticdepth": _sized(_dropout("droppath"), "stochastic depth is written `droppath(p)`"),
    "swish": _function("silu"),
    "tanh": _function("tanh"),
    "transposedconv": _TRANSPOSED,
    "upsample": _UP,
    "upsampling": _UP,
    "zeropad": _PAD,
    "zeropadding": _PAD,
}
"""By name in small letters, without underscores and without the number of axes behind it."""

_OWN = {
    "affine": "a learned gain and bias for every map",
    "crop(h,w)": "with the extents to keep",
    "drop(p)": "with its probability p",
    "droppath(p)": "with its probability p",
    "embed(v,d)": "with the vocabulary and the depth",
    "flat": "",
    "hsigmoid": "",
    "hswish": "",
    "leaky(a)": "with its slope a",
    "pad(n)": "with the zeros on every side",
    "pick(i,j,…)": "with the maps to keep",
    "reshape(d,h,w)": "with the volume",
    "scale": "a learned gain for every map",
    "shuffle(g)": "with its groups",
    "slice(a,b)": "from map a to before map b",
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

_SHARED = frozenset(
    (
        "elu",
        "gelu",
        "logsoftmax",
        "lppool",
        "mish",
        "pixelshuffle",
        "prelu",
        "relu6",
        "sigmoid",
        "silu",
        "softmax",
        "softplus",
        "tanh",
    )
)
"""The words that the language has in common with other libraries."""

ELSEWHERE = frozenset(
    (
        "alphadropout",
        "attention",
        "avgunpool",
        "bilinear",
        "blurpool",
        "celu",
        "crelu",
        "dropblock",
        "featuredropout",
        "fold",
        "fractionalmaxpool",
        "gaussiannoise",
        "geglu",
        "glu",
        "gru",
        "hardshrink",
        "hardtanh",
        "logsigmoid",
        "lstm",
        "max",
        "maxout",
        "maxunpool",
        "mean",
        "mha",
        "min",
        "multiheadattention",
        "pixelunshuffle",
        "reflectionpad",
        "replicationpad",
        "rmsnorm",
        "rnn",
        "roialign",
        "roipool",
        "round",
        "rrelu",
        "selu",
        "softmin",
        "softshrink",
        "softsign",
        "spatialdropout",
        "spectralnorm",
        "starrelu",
        "sum",
        "swiglu",
        "syncbatchnorm",
        "tanhshrink",
        "threshold",
        "unfold",
        "unpool",
        "upsamplingbilinear",
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
"""The letters that stand for a name with the token's own numbers right behind it: `CONV3D64`, `POOL2`."""

LIBRARIES = frozenset(("nn", "torch", "layers", "keras", "tf", "F", "K", "L"))
"""What stands before a point in front of a layer's name."""


_KERAS = frozenset(
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


def _plainly(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _key(name: str) -> tuple[str, bool | None] | None:
    """The entry that a name means, and whether it is Keras' spelling: `Conv2D` and not `Conv2d`; None: either."""
    keras: bool | None = None
    plain = _plainly(name)
    for axes in ("1d", "2d", "3d"):
        for before, behind in ((axes, ""), (axes, "transpose")):
            if plain.endswith(before + behind) and plain != before + behind:
                mark = name.replace("_", "")[len(plain) - len(before + behind) + 1]
                some_small = any(char.islower() for char in name)
                some_great = any(char.isupper() for char in name)
                keras = mark == "D" if some_small and some_great else None
                plain = plain.removesuffix(before + behind) + behind
                break
    if plain in _KERAS:
        keras = True
    return (plain, keras) if plain in ENTRIES else None


def known(name: str) -> bool:
    """Whether a name is a layer somewhere: in a spec, spelled otherwise, or in another library."""
    return _key(name) is not None or elsewhere(name)


def own(name: str) -> bool:
    """Whether a name is a word of the language as it stands."""
    return name in _SHARED or (name in ENTRIES and ENTRIES[name].own)


def elsewhere(name: str) -> bool:
    """Whether a name is a layer of other libraries that a spec has not."""
    plain = _plainly(name)
    return plain in ELSEWHERE or plain.rstrip("123d") in ELSEWHERE


def stem(name: str) -> str | None:
    """The layer's letters for a name without its numbers: `CONV` is `C`."""
    return STEMS.get(_plainly(name))


def read(name: str, call: str | None = None, *, defaults: bool = False) -> Reading | None:
    """What a name, or a call with its brackets, means in a spec; None where no library has the name.

    defaults: whether the spec has a `default` statement, so that a token must state all that the call states.
    """
    found = _key(name)
    if found is None:
        if not elsewhere(name):
            return None
        return Reading(None, "specs have no such layer; `convsize ops` lists the layers")
    key, keras = found
    entry = ENTRIES[key]
    if call is None:
        if entry.alone is None:
            return Reading(None, entry.form)
        return Reading(entry.alone, f"write `{entry.alone}`", entry.pure)
    if entry.own:
        spelled = key if entry.pure and call == "()" else key + call
        return Reading(spelled, f"write `{spelled}`", entry.pure and call == "()")
    try:
        given = _arguments(call, keras, defaults)
        bare = not given.positional and not given.named
        spelled = entry.read(given)
        given.done()
    except _Unread as why:
        reason = str(why)
        return Reading(None, f"{entry.form}; here {reason}" if reason else entry.form)
    return Reading(spelled, f"write `{spelled}`", entry.pure and bare)


def _arguments(call: str, keras: bool | None, defaults: bool) -> _Given:
    if len(call) > LONGEST_CALL:
        raise _Unread("this is too long to be a layer")
    try:
        tree = ast.parse(f"f{call}", mode="eval").body
        if not isinstance(tree, ast.Call):
            raise _Unread("the brackets hold no arguments")
        positional = [ast.literal_eval(each) for each in tree.args]
        named = {each.arg: ast.literal_eval(each.value) for each in tree.keywords if each.arg is not None}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise _Unread("an argument is not a plain number or word") from None
    if len(named) != len(tree.keywords):
        raise _Unread("an argument is not a plain number or word")
    if keras is None and {"filters", "strides", "activation", "use_bias", "pool_size"} & named.keys():
        keras = True
    elif keras is None and {"in_channels", "out_channels", "stride", "ceil_mode"} & named.keys():
        keras = False
    return _Given(positional, named, keras=keras, explicit=defaults)

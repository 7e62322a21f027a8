"""Layers of other libraries with a window: convolutions, pools, what pads and crops."""

from __future__ import annotations

from collections.abc import Callable

from convsize.language.mistakes.libraries import arguments
from convsize.language.mistakes.libraries.arguments import MISSING, Given, Unread


def _stride(stride: tuple[int, ...], *, explicit: bool = False) -> str:
    return f"/{arguments.dims(stride)}" if explicit or stride != (1,) else ""


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
    raise Unread("the numbers are not for the same axes")


def _padding(
    given: Given,
    padding: object,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    filled: object = "zeros",
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
        raise Unread(f"a spec does not support the padding `{padding}`")
    pads = arguments.extents(padding, 0)
    if filled != "zeros" and any(pads):
        return f"p{filled}" if half == pads else f"p{arguments.dims(pads)}{filled}"
    return "" if half == pads and not given.explicit else f"p{arguments.dims(pads)}"


_ACTIVATIONS = {
    "relu": "R",
    "relu6": "relu6",
    "elu": "elu",
    "selu": "selu",
    "exponential": "exp",
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


def activation_word(value: object) -> str:
    """An activation that is an argument of a layer."""
    known = _ACTIVATIONS.get(str(value))
    if known is None:
        raise Unread(f"a spec does not support the activation `{value}`")
    return f" {known}" if known else ""


def convolution(given: Given) -> str:
    """A convolution with its activation, if it has one."""
    activation = ""
    filled: object = "zeros"
    if given.keras is None and "filters" not in given.named and len(given.positional) > 2:
        raise Unread("PyTorch's `Conv2d` and Keras' `Conv2D` order their arguments differently")
    if given.keras or (given.keras is None and "out_channels" not in given.named):
        given.keras = True
        depth = arguments.whole(given.take("filters", at=0))
        kernel = arguments.extents(given.take("kernel_size", at=1))
        stride = arguments.extents(given.take("strides", at=2, default=1))
        padding = given.take("padding", at=3, default="valid")
        dilation = arguments.extents(given.take("dilation_rate", default=1))
        bias = arguments.flag(given.take("use_bias", default=True))
        activation = activation_word(given.take("activation", default=None))
        if max(kernel) > 31:
            raise Unread("Keras' `Conv2D` takes the filters first, then the kernel size")
    else:
        given.take("in_channels", at=0, default=None)
        depth = arguments.whole(given.take("out_channels", at=1))
        kernel = arguments.extents(given.take("kernel_size", at=2))
        stride = arguments.extents(given.take("stride", at=3, default=1))
        padding = given.take("padding", at=4, default=0)
        dilation = arguments.extents(given.take("dilation", at=5, default=1))
        bias = arguments.flag(given.take("bias", at=7, default=True))
        filled = given.take("padding_mode", at=8, default="zeros")
        if filled not in ("zeros", "reflect", "replicate", "circular"):
            raise Unread(f"a spec does not support the padding `{filled}`")
    groups = arguments.whole(given.take("groups", at=None if given.keras else 6, default=1))
    parts = [
        f"C{arguments.dims(kernel)}D{depth}",
        _stride(stride, explicit=given.explicit),
        _padding(given, padding, kernel, stride, dilation, filled),
        f"d{arguments.dims(dilation)}" if dilation != (1,) or given.explicit else "",
        f"g{groups}" if groups > 1 or given.explicit else "",
        bias_suffix(given, bias),
        activation,
    ]
    return "".join(parts)


def bias_suffix(given: Given, bias: bool) -> str:
    """The suffix of a bias where a token alone would say something else."""
    return "b0" if not bias else "b1" if given.explicit else ""


def _keras_depthwise(given: Given, bias: bool) -> str:
    kernel = arguments.extents(given.take("kernel_size", at=0))
    stride = arguments.extents(given.take("strides", at=1, default=1))
    padding = given.take("padding", at=2, default="valid")
    multiplier = arguments.whole(given.take("depth_multiplier", at=3, default=1))
    dilation = arguments.extents(given.take("dilation_rate", default=1))
    given.keras = True
    parts = [
        f"DW{arguments.dims(kernel)}",
        f"D{{{multiplier}*c}}" if multiplier > 1 else "",
        _stride(stride, explicit=given.explicit),
        _padding(given, padding, kernel, stride, dilation),
        f"d{arguments.dims(dilation)}" if dilation != (1,) else "",
        bias_suffix(given, bias),
    ]
    return "".join(parts)


def depthwise(given: Given) -> str:
    """A depthwise convolution."""
    bias = arguments.flag(given.take("use_bias", default=True))
    return _keras_depthwise(given, bias) + activation_word(given.take("activation", default=None))


def separable(given: Given) -> str:
    """A depthwise convolution and one of 1x1 after it."""
    depth = arguments.whole(given.take("filters", at=0))
    given.positional, given.taken = given.positional[1:], set()
    bias = arguments.flag(given.take("use_bias", default=True))
    activation = activation_word(given.take("activation", default=None))
    # The bias stands after the pointwise convolution only.
    return f"{_keras_depthwise(given, bias=False)} C1D{depth}{bias_suffix(given, bias)}{activation}"


def transposed(given: Given) -> str:
    """A transposed convolution with its output padding."""
    activation = ""
    dilation: tuple[int, ...] = (1,)
    pads: tuple[tuple[int, int], ...]
    if given.keras is None and "filters" not in given.named and len(given.positional) > 2:
        raise Unread("PyTorch's `ConvTranspose2d` and Keras' `Conv2DTranspose` order their arguments differently")
    if given.keras or (given.keras is None and "out_channels" not in given.named):
        depth = arguments.whole(given.take("filters", at=0))
        kernel = arguments.extents(given.take("kernel_size", at=1))
        stride = arguments.extents(given.take("strides", at=2, default=1))
        padding = given.take("padding", at=3, default="valid")
        bias = arguments.flag(given.take("use_bias", default=True))
        activation = activation_word(given.take("activation", default=None))
        groups = 1
        rank = max(len(kernel), len(stride))
        sizes = list(zip(_spread(kernel, rank), _spread(stride, rank), strict=True))
        # TensorFlow's is the gradient of its convolution: `same` gives stride times the input, `valid` at least that.
        lost = [max(k - s, 0) if padding == "same" else 0 for k, s in sizes]
        if padding not in ("same", "valid"):
            raise Unread(f"a spec does not support the padding `{padding}`")
        pads = tuple((each // 2, each - each // 2) for each in lost)
        extra = tuple(max(s - k, 0) for k, s in sizes)
    else:
        given.take("in_channels", at=0, default=None)
        depth = arguments.whole(given.take("out_channels", at=1))
        kernel = arguments.extents(given.take("kernel_size", at=2))
        stride = arguments.extents(given.take("stride", at=3, default=1))
        pads = tuple((each, each) for each in arguments.extents(given.take("padding", at=4, default=0), 0))
        extra = arguments.extents(given.take("output_padding", at=5, default=0), 0)
        groups = arguments.whole(given.take("groups", at=6, default=1))
        bias = arguments.flag(given.take("bias", at=7, default=True))
        dilation = arguments.extents(given.take("dilation", at=8, default=1))
        if given.take("padding_mode", at=9, default="zeros") != "zeros":
            raise Unread("a spec pads with zeros only")
    pads = pads[:1] if len(set(pads)) == 1 else pads
    extra = extra[:1] if len(set(extra)) == 1 else extra
    said = "x".join(str(one) if one == two else f"{one}:{two}" for one, two in pads)
    parts = [
        f"T{arguments.dims(kernel)}D{depth}",
        _stride(stride, explicit=given.explicit),
        f"p{said}" if said != "0" or given.explicit else "",
        f"d{arguments.dims(dilation)}" if dilation != (1,) or given.explicit else "",
        f"g{groups}" if groups > 1 or given.explicit else "",
        f"a{arguments.dims(extra)}" if extra != (0,) or given.explicit else "",
        bias_suffix(given, bias),
        activation,
    ]
    return "".join(parts)


def pool(mnemonic: str) -> Callable[[Given], str]:
    """Reads pools of a mnemonic, `M` or `A`."""

    def read(given: Given) -> str:
        given.skip("return_indices", "data_format")
        rounding, zeros = "floor", ""
        dilation: tuple[int, ...] = (1,)
        keras = given.keras or bool({"pool_size", "strides"} & given.named.keys())
        if keras:
            kernel = arguments.extents(given.take("pool_size", at=0, default=2))
            stride = given.take("strides", at=1, default=None)
            padding = given.take("padding", at=2, default="valid")
            if padding not in ("same", "valid"):
                raise Unread(f"a spec does not support the padding `{padding}`")
            pads = "psame" if padding == "same" else ""
            if pads and mnemonic == "A":
                zeros = "z0"  # TensorFlow's averages leave the zeros out
        else:
            kernel = arguments.extents(given.take("kernel_size", at=0))
            stride = given.take("stride", at=1, default=None)
            padded = arguments.extents(given.take("padding", at=2, default=0), 0)
            pads = f"p{arguments.dims(padded)}" if padded != (0,) else ""
            if mnemonic == "M":
                dilation = arguments.extents(given.take("dilation", at=3, default=1))
                ceil = given.take("ceil_mode", at=5, default=False)
            else:
                ceil = given.take("ceil_mode", at=3, default=False)
                if not arguments.flag(given.take("count_include_pad", at=4, default=True)) and pads:
                    zeros = "z0"
                if given.take("divisor_override", at=5, default=None) is not None:
                    raise Unread("a spec has no counterpart of `divisor_override`")
            rounding = "ceil" if arguments.flag(ceil) else "floor"
        steps = kernel if stride is None else arguments.extents(stride)
        parts = [
            f"{mnemonic}{arguments.dims(kernel)}",
            _stride(steps, explicit=True) if steps != kernel or given.explicit else "",
            pads,
            f"d{arguments.dims(dilation)}" if dilation != (1,) else "",
            zeros,
            rounding if rounding != "floor" or given.explicit else "",
        ]
        return "".join(parts)

    return read


def adaptive(mnemonic: str) -> Callable[[Given], str]:
    """Reads pools to so many positions an axis."""

    def read(given: Given) -> str:
        size = arguments.extents(given.take("output_size", at=0))
        return mnemonic if set(size) == {1} else f"{mnemonic}{arguments.dims(size)}"

    return read


def around(sign: int, fill: str = "") -> Callable[[Given], str]:
    """Padding, and cropping as its opposite: PyTorch begins with the last axis, Keras with the first."""

    def read(given: Given) -> str:
        value = given.take("padding", "cropping", at=0, default=1 if given.keras else MISSING)
        if isinstance(value, tuple | list) and any(isinstance(each, tuple | list) for each in value):
            pairs = [
                tuple(arguments.whole(each, 0) for each in pair) for pair in value if isinstance(pair, tuple | list)
            ]
            if len(pairs) != len(value) or any(len(pair) != 2 for pair in pairs):
                raise Unread(f"`{value}` has no two numbers for every axis")
            flat = [each for pair in pairs for each in pair]
        elif isinstance(value, tuple | list):
            numbers = [arguments.whole(each, 0) for each in value]
            if given.keras:
                flat = [each for number in numbers for each in (number, number)]
            elif len(numbers) % 2:
                raise Unread(f"`{value}` has no two numbers for every axis")
            else:
                flat = [each for at in range(len(numbers) - 2, -1, -2) for each in numbers[at : at + 2]]
        else:
            flat = [arguments.whole(value, 0)]
        shown = flat[:1] if len(set(flat)) == 1 else flat
        return f"pad({','.join([*(str(sign * each) for each in shown), *filter(None, [fill])])})"

    return read

"""Layers of other libraries without a window: units, norms, activations and what scales."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from convsize.language.mistakes.libraries import arguments, windows
from convsize.language.mistakes.libraries.arguments import MISSING, Given, Unread


def linear(given: Given) -> str:
    """A fully connected layer with its activation, if it has one."""
    activation = windows.activation_word(given.take("activation", default=None))
    if len(given.positional) > 1 or "out_features" in given.named:
        given.take("in_features", at=0, default=None)
        units = arguments.whole(given.take("out_features", at=1))
        bias = arguments.flag(given.take("bias", at=2, default=True))
    else:
        units = arguments.whole(given.take("units", at=0))
        bias = arguments.flag(given.take("use_bias", "bias", default=True))
    return f"FC{units}{windows.bias_suffix(given, bias)}{activation}"


def batch_norm(given: Given) -> str:
    """A batch norm of PyTorch."""
    given.skip("track_running_stats")
    given.take("num_features", at=0, default=None)
    eps = given.take("eps", at=1, default=1e-5)
    momentum = given.take("momentum", at=2, default=0.1)
    affine = arguments.flag(given.take("affine", at=3, default=True))
    return _normed(given, eps, momentum, affine)


def keras_batch_norm(given: Given) -> str:
    """A batch norm of Keras, whose momentum is one minus PyTorch's."""
    if given.take("axis", at=0, default=-1) not in (-1, 1):
        raise Unread("layers of a spec normalise over the depth only")
    momentum = given.take("momentum", at=1, default=0.99)
    eps = given.take("epsilon", at=2, default=1e-3)
    center, scale = (
        arguments.flag(given.take("center", default=True)),
        arguments.flag(given.take("scale", default=True)),
    )
    if center != scale:
        raise Unread("a spec's `BN` has both gain and bias, or none")
    if not isinstance(momentum, float):
        raise Unread(f"`{momentum}` is not a valid momentum")
    return _normed(given, eps, float(1 - Fraction(repr(momentum))), center)


def _normed(given: Given, eps: object, momentum: object, affine: bool) -> str:
    if (eps, momentum) == (1e-5, 0.1):
        return f"BN{windows.bias_suffix(given, affine)}"
    if not affine:
        raise Unread("a spec's `bn(eps=…, momentum=…)` has gain and bias")
    parts = [f"eps={arguments.decimal(eps)}"] if eps != 1e-5 else []
    parts += [f"momentum={arguments.decimal(momentum)}"] if momentum != 0.1 else []
    return f"bn({', '.join(parts)})"


def group_norm(given: Given) -> str:
    """A group norm."""
    groups = arguments.whole(given.take("num_groups", "groups", at=0))
    given.take("num_channels", at=1, default=None)
    affine = arguments.flag(given.take("affine", default=True))
    if given.take("eps", at=2, default=1e-5) != 1e-5:
        raise Unread("`eps` is not PyTorch's own; `gn(…)` takes it")
    return f"GN{groups}{windows.bias_suffix(given, affine)}"


def rms_norm(given: Given) -> str:
    """An RMS norm over the depth."""
    given.take("normalized_shape", at=0, default=None)
    eps = given.take("eps", at=1, default=None)
    gain = arguments.flag(given.take("elementwise_affine", at=2, default=True))
    said = [*([] if eps is None else [f"eps={arguments.decimal(eps)}"]), *([] if gain else ["gain=0"])]
    return f"rms({','.join(said)})" if said else "rms"


def instance_norm(given: Given) -> str:
    """An instance norm."""
    given.take("num_features", at=0, default=None)
    affine = arguments.flag(given.take("affine", at=3, default=False))
    return "INb1" if affine else "INb0" if given.explicit else "IN"


def response_norm(given: Given) -> str:
    """A local response norm."""
    size = arguments.whole(given.take("size", at=0))
    numbers = [given.take(name, at=at, default=own) for at, (name, own) in enumerate(_RESPONSE.items(), start=1)]
    said = [
        f"{name}={arguments.decimal(value)}"
        for (name, own), value in zip(_RESPONSE.items(), numbers, strict=True)
        if value != own
    ]
    return f"lrn({size}, {', '.join(said)})" if said else f"LRN{size}"


_RESPONSE = {"alpha": 1e-4, "beta": 0.75, "k": 1.0}


def leaky(given: Given) -> str:
    """A leaky ReLU with its slope."""
    slope = given.take("negative_slope", "alpha", "a", at=0, default=None)
    if slope is None:
        raise Unread("PyTorch's slope is 0.01 and Keras' 0.3")
    return f"leaky({arguments.decimal(slope)})"


def elu(given: Given) -> str:
    """An ELU with its factor."""
    alpha = given.take("alpha", at=0, default=1.0)
    return "elu" if alpha == 1 else f"elu({arguments.decimal(alpha)})"


def gelu(given: Given) -> str:
    """A GELU, exact or by tanh."""
    approximate = given.take("approximate", at=0, default="none")
    if approximate not in ("none", "tanh", True, False):
        raise Unread("`approximate` is none or tanh")
    return "gelu(tanh)" if approximate in ("tanh", True) else "gelu"


def hard_tanh(given: Given) -> str:
    """A clamp with both bounds."""
    low, high = given.take("min_val", at=0, default=-1.0), given.take("max_val", at=1, default=1.0)
    return f"clamp({arguments.signed(low)},{arguments.signed(high)})"


def power(given: Given) -> str:
    """A power with its exponent."""
    return f"power({arguments.signed(given.take('exponent', at=0))})"


def plain(spelled: str, **only: object) -> Callable[[Given], str]:
    """A layer without numbers; `only` are arguments that must have their default."""

    def read(given: Given) -> str:
        for at, (name, value) in enumerate(only.items()):
            if given.take(name, at=at, default=value) != value:
                raise Unread(f"a spec's `{spelled}` has no `{name}`")
        return spelled

    return read


def over_depth(spelled: str) -> Callable[[Given], str]:
    """Reads what acts along the depth alone."""

    def read(given: Given) -> str:
        if given.take("dim", "axis", at=0, default=1) not in (1, -1, None):
            raise Unread(f"a spec's `{spelled}` runs over the depth")
        return spelled

    return read


def named(given: Given) -> str:
    """An activation that is named by an argument."""
    spelled = windows.activation_word(given.take("activation", at=0)).strip()
    if not spelled:
        raise Unread("it does nothing")
    return spelled


def dropout(word: str) -> Callable[[Given], str]:
    """Reads what drops values at random."""

    def read(given: Given) -> str:
        given.skip("seed", "mode")
        if len(given.positional) > 1 and given.positional[1] in ("row", True, False):
            given.taken.add(1)
        rate = given.take("p", "rate", "drop_prob", at=0, default=MISSING if given.keras or word != "drop" else 0.5)
        return f"{word}({arguments.decimal(rate)})"

    return read


def prelu(given: Given) -> str:
    """A ReLU with learned slopes."""
    slopes = arguments.whole(given.take("num_parameters", at=0, default=1))
    return "prelu" if slopes == 1 else f"prelu({slopes})"


def word(word: str, *names: str) -> Callable[[Given], str]:
    """A word with whole numbers, one for each of these parameters."""

    def read(given: Given) -> str:
        return f"{word}({','.join(str(arguments.whole(given.take(name, at=at))) for at, name in enumerate(names))})"

    return read


def lp_pool(given: Given) -> str:
    """An Lp pool."""
    norm = arguments.decimal(given.take("norm_type", at=0))
    kernel = arguments.extents(given.take("kernel_size", at=1))
    stride = given.take("stride", at=2, default=None)
    if len(kernel) > 1 or arguments.flag(given.take("ceil_mode", at=3, default=False)):
        raise Unread("a spec's `lppool` has one window for every axis and rounds down")
    return f"lppool({norm},{kernel[0]}{'' if stride is None else f',{arguments.dims(arguments.extents(stride))}'})"


def blur_pool(given: Given) -> str:
    """A blur with a stride: timm's, which takes the number of maps first, or kornia's, written `BlurPool2D`."""
    timm = not given.keras and "kernel_size" not in given.named
    if timm:
        given.take("channels", at=0, default=None)
    size = arguments.whole(given.take("filt_size", "kernel_size", at=int(timm), default=3 if timm else MISSING))
    stride = arguments.whole(given.take("stride", at=1 + timm, default=2))
    mode = given.take("pad_mode", at=3, default="reflect") if timm else "zeros"
    if size % 2 == 0 or (timm and stride > 2):
        raise Unread("a spec's `blur(n,s)` pads by n - 1 pixels, half of them on each side")
    if mode not in ("reflect", "zeros", "replicate", "circular"):
        raise Unread(f"a spec's `blur` has no padding `{mode}`")
    behind = "" if (stride, mode) == (1, "reflect") else f",{stride}"
    return f"blur({size}{behind}{'' if mode == 'reflect' else f',{mode}'})"


def upsample(given: Given) -> str:
    """Upsampling by a factor or to extents, nearest or interpolated."""
    sampling = ""
    extents = None
    if given.keras or "interpolation" in given.named:
        scale = given.take("size", at=0, default=2)
        mode = given.take("interpolation", at=None, default="nearest")
    else:
        extents = given.take("size", at=0, default=None)
        scale = given.take("scale_factor", at=1, default=None if extents is not None else MISSING)
        mode = given.take("mode", at=2, default="nearest")
        if arguments.flag(given.take("align_corners", at=3, default=None) or False):
            sampling = ",aligned"
        if arguments.flag(given.take("antialias", at=None, default=False)):
            sampling = ",antialias"
    if extents is not None:
        word = f"resize({','.join(map(str, arguments.extents(extents)))}"
    else:
        factors = [_factor(each) for each in (scale if isinstance(scale, tuple | list) else [scale])]
        word = f"up({','.join(factors if len(set(factors)) > 1 else factors[:1])}"
    if mode not in ("nearest", "bilinear", "linear", "trilinear", "bicubic"):
        raise Unread(f"a spec's `up` has no mode `{mode}`")
    if mode == "nearest":
        return f"{word})"
    return f"{word},{'bicubic' if mode == 'bicubic' else 'bilinear'}{sampling})"


def upsample_aligned(given: Given) -> str:
    """Bilinear upsampling with aligned corners, which PyTorch has as a layer of its own."""
    found = upsample(given)
    return f"{found[:-1]},bilinear,aligned)"


def _factor(value: object) -> str:
    """A factor as a spec writes it: whole, or a fraction."""
    if isinstance(value, float) and not value.is_integer():
        found = Fraction(value).limit_denominator(64)
        if abs(float(found) - value) > 1e-6:
            raise Unread(f"`{value}` is no simple fraction")
        return f"{found.numerator}/{found.denominator}"
    return str(arguments.whole(int(value) if isinstance(value, float) else value))

"""Modules without weights that keep the volume: activations, dropout, views."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from convsize.importing.aten.values import arithmetic, flattened, pointwise, viewed
from convsize.importing.aten.windows import shown
from convsize.importing.given import Given
from convsize.importing.writer import CallError, Wire, Writer
from convsize.words import plural

__all__ = ["PLAIN"]

Writes = Callable[[Writer, Wire, Given], Wire]


def _activation(op: str, arguments: tuple[tuple[str, str], ...], writer: Writer, x: Wire, given: Given) -> Wire:
    """A function of every value; its numbers are (the module's name, the call's)."""
    return pointwise(writer, op, x, **{theirs: given.number(own) for own, theirs in arguments})


def _gelu(writer: Writer, x: Wire, given: Given) -> Wire:
    return pointwise(writer, "gelu", x, approximate=given.text("approximate", "none", "tanh"))


def _softsign(writer: Writer, x: Wire, given: Given) -> Wire:  # noqa: ARG001 (the table's form)
    below = arithmetic(writer, "add", pointwise(writer, "abs", x), 1.0)
    return arithmetic(writer, "div", x, below)


def _softmax(op: str, writer: Writer, x: Wire, given: Given) -> Wire:
    if given.values["dim"] is None:
        if len(x.shape) == 3:
            raise CallError("without `dim` it is over the samples")
        return pointwise(writer, op, x, dim=1)
    dim = given.whole("dim")
    if not -len(x.shape) <= dim < len(x.shape):
        raise CallError(f"there is no axis {dim} of {len(x.shape)}")
    return pointwise(writer, op, x, dim=dim)


def _softmax_2d(writer: Writer, x: Wire, given: Given) -> Wire:  # noqa: ARG001 (the table's form)
    if x.rank != 2:
        raise CallError(f"it works over 2 axes of positions, and is given {shown(x)}")
    return pointwise(writer, "softmax", x, dim=-3)


def _glu(writer: Writer, x: Wire, given: Given) -> Wire:
    dim = given.whole("dim")
    if not -len(x.shape) <= dim < len(x.shape) or x.shape[dim] % 2:
        raise CallError(f"axis {dim} of {shown(x)} has no two halves")
    at = dim % len(x.shape)
    return writer.call("glu", (*x.shape[:at], x.shape[at] // 2, *x.shape[at + 1 :]), {"self": x, "dim": dim})


def _dropout(op: str, writer: Writer, x: Wire, given: Given) -> Wire:
    p = given.number("p")
    if not 0 <= p <= 1:
        raise CallError(f"its `p` is {p}, and must lie between 0 and 1")
    return pointwise(writer, op, x, p=float(p), train=False)


def _flatten(writer: Writer, x: Wire, given: Given) -> Wire:
    return flattened(writer, x, given.whole("start_dim"), given.whole("end_dim"))


def _unflatten(writer: Writer, x: Wire, given: Given) -> Wire:
    dim = given.whole("dim")
    found = given.values["unflattened_size"]
    sizes = given.sizes("unflattened_size", len(found) if isinstance(found, tuple | list) else 1, -1)
    if not -len(x.shape) <= dim < len(x.shape):
        raise CallError(f"there is no axis {dim} of {len(x.shape)}")
    at = dim % len(x.shape)
    part = viewed(Writer(""), Wire("", (x.shape[at],)), sizes).shape
    return writer.call("unflatten", (*x.shape[:at], *part, *x.shape[at + 1 :]), {"self": x, "dim": dim, "sizes": sizes})


def _channel_shuffle(writer: Writer, x: Wire, given: Given) -> Wire:
    groups = given.whole("groups")
    if groups < 1 or x.shape[1] % groups:
        raise CallError(f"a depth of {x.shape[1]} has no {plural(groups, 'equal group')}")
    return pointwise(writer, "channel_shuffle", x, groups=groups)


def _identity(writer: Writer, x: Wire, given: Given) -> Wire:  # noqa: ARG001 (the table's form)
    return x


_IN_PLACE = "inplace=False"
_PLAIN = {
    **dict.fromkeys(("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid"), _IN_PLACE),
    **dict.fromkeys(("Sigmoid", "Tanh", "LogSigmoid"), ""),
}
_NUMBERED: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "LeakyReLU": ("negative_slope=0.01, inplace=False", "leaky_relu", (("negative_slope", "negative_slope"),)),
    "ELU": ("alpha=1.0, inplace=False", "elu", (("alpha", "alpha"),)),
    "CELU": ("alpha=1.0, inplace=False", "celu", (("alpha", "alpha"),)),
    "Hardtanh": (
        "min_val=-1.0, max_val=1.0, inplace=False",
        "hardtanh",
        (("min_val", "min_val"), ("max_val", "max_val")),
    ),
    "Softplus": ("beta=1.0, threshold=20.0", "softplus", (("beta", "beta"), ("threshold", "threshold"))),
    "Threshold": ("threshold, value, inplace=False", "threshold", (("threshold", "threshold"), ("value", "value"))),
}
_OPS = {"LogSigmoid": "log_sigmoid", "SiLU": "silu", "ReLU": "relu", "ReLU6": "relu6"}
_DROPOUTS = {
    "Dropout": "dropout",
    **{f"Dropout{axes}d": "feature_dropout" for axes in (1, 2, 3)},
    "AlphaDropout": "alpha_dropout",
}

PLAIN: dict[str, tuple[str, Writes]] = {
    **{name: (signature, partial(_activation, _OPS.get(name, name.lower()), ())) for name, signature in _PLAIN.items()},
    **{name: (signature, partial(_activation, op, names)) for name, (signature, op, names) in _NUMBERED.items()},
    **{name: ("p=0.5, inplace=False", partial(_dropout, op)) for name, op in _DROPOUTS.items()},
    "GELU": ("approximate='none'", _gelu),
    "Softmax": ("dim=None", partial(_softmax, "softmax")),
    "LogSoftmax": ("dim=None", partial(_softmax, "log_softmax")),
    "Softmax2d": ("", _softmax_2d),
    "Softsign": ("", _softsign),
    "GLU": ("dim=-1", _glu),
    "Flatten": ("start_dim=1, end_dim=-1", _flatten),
    "Unflatten": ("dim, unflattened_size", _unflatten),
    "ChannelShuffle": ("groups", _channel_shuffle),
    "Identity": ("", _identity),
}

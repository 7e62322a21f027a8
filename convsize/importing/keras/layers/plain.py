"""Layers without weights: activations, views, dropout, fixed arithmetic."""

from __future__ import annotations

from functools import partial
from typing import Any

from convsize.importing.aten.values import arithmetic, flattened, permuted, pointwise, viewed
from convsize.importing.aten.weighted import batch_norm
from convsize.importing.keras.layers.activations import activated, softmax
from convsize.importing.keras.layers.called import Called, Writes
from convsize.importing.keras.values import Value
from convsize.importing.writer import CallError, Wire
from convsize.words import plural

__all__ = ["PLAIN"]


def _activation(called: Called) -> Value:
    return activated(called, called.value, called.values["activation"])


def _same_axes(called: Called, op: str, **arguments: Any) -> Value:
    return called.value.alike(pointwise(called.writer, op, called.value.plain, **arguments))


def _relu(called: Called) -> Value:
    slope = called.number("negative_slope") if called.values["negative_slope"] is not None else 0.0
    if called.values["threshold"] not in (None, 0):
        raise CallError("its `threshold` is not 0, which cannot be read")
    if called.values["max_value"] is None:
        return _same_axes(called, "leaky_relu", negative_slope=float(slope)) if slope else _same_axes(called, "relu")
    most = called.number("max_value")
    if slope:
        raise CallError("a leaky ReLU with a largest value")
    return _same_axes(called, "hardtanh", min_val=0.0, max_val=float(most))


def _leaky(called: Called) -> Value:
    name = "alpha" if called.values["alpha"] is not None else "negative_slope"
    return _same_axes(called, "leaky_relu", negative_slope=called.number(name))


def _elu(called: Called) -> Value:
    return _same_axes(called, "elu", alpha=called.number("alpha"))


def _softmax(called: Called) -> Value:
    axis = called.values["axis"]
    several = axis if isinstance(axis, list | tuple) else [axis]
    if len(several) != 1 or isinstance(several[0], bool) or not isinstance(several[0], int):
        raise CallError(f"a softmax over the axes {axis!r}")
    return softmax(called.value, "softmax", several[0])


def _dropout(op: str, called: Called) -> Value:
    rate = called.number("rate")
    if not 0 <= rate <= 1:
        raise CallError(f"its `rate` is {rate}, and must lie between 0 and 1")
    return _same_axes(called, op, p=float(rate), train=False)


def _nothing(called: Called) -> Value:
    return called.value


def _noise(called: Called) -> Value:
    called.writer.notes.append(f"`{called.path}` adds noise in training alone, which the calls leave out.")
    return called.value


def _flatten(called: Called) -> Value:
    value = called.value
    if len(value.shape) == 2:
        return value
    # Channels first, Keras brings the maps to the end before it flattens.
    if called.data_format == "channels_first":
        x = permuted(called.writer, value.keras, (0, *range(2, len(value.shape)), 1))
    else:
        # The order of what follows is that of weights: a Dense layer takes it as PyTorch has it.
        x = value.volume
        return Value(called.writer, loose=flattened(called.writer, x), sizes=x.shape[1:])
    return Value(called.writer, keras=flattened(called.writer, x))


def _reshape(called: Called) -> Value:
    found = called.values["target_shape"]
    sizes = called.sizes("target_shape", len(found) if isinstance(found, list | tuple) else 1, -1)
    value = called.value
    return Value(called.writer, keras=viewed(called.writer, value.keras, (value.shape[0], *sizes)))


def _permute(called: Called) -> Value:
    found = called.values["dims"]
    dims = called.sizes("dims", len(found) if isinstance(found, list | tuple) else 1)
    return Value(called.writer, keras=permuted(called.writer, called.value.keras, (0, *dims)))


def _numbers(called: Called, name: str, depth: int) -> float | tuple[float, ...]:
    found = called.values[name]
    if isinstance(found, list | tuple):
        flat = list(found)
        while len(flat) == 1 and isinstance(flat[0], list | tuple):
            flat = list(flat[0])
        if any(isinstance(each, bool) or not isinstance(each, int | float) for each in flat):
            raise CallError(f"its `{name}` is {found!r}, and must be of numbers")
        if len(flat) == 1:
            return float(flat[0])
        if len(flat) != depth:
            raise CallError(f"its `{name}` has {plural(len(flat), 'number')} for a depth of {depth}")
        return tuple(map(float, flat))
    return called.number(name)


def _by(called: Called, op: str, x: Wire, numbers: float | tuple[float, ...], at: int) -> Wire:
    """Arithmetic with a number, or with one a map."""
    if isinstance(numbers, tuple):
        shape = tuple(len(numbers) if axis == at else 1 for axis in range(len(x.shape)))[1:]
        return arithmetic(called.writer, op, x, called.writer.const(shape, numbers))
    nothing = 0.0 if op in ("add", "sub") else 1.0
    return x if numbers == nothing else arithmetic(called.writer, op, x, numbers)


def _at(value: Value) -> int:
    return 1 if value.stands_first else len(value.shape) - 1


def _rescaling(called: Called) -> Value:
    value, depth = called.value, called.value.shape[-1]
    x = _by(called, "mul", value.plain, _numbers(called, "scale", depth), _at(value))
    return value.alike(_by(called, "add", x, _numbers(called, "offset", depth), _at(value)))


def _normalization(called: Called) -> Value:
    value = called.value
    called.absent("invert")
    depth = value.shape[-1]
    if called.values["axis"] not in (-1, [-1], len(value.shape) - 1, [len(value.shape) - 1]):
        raise CallError("it is not over the last axis")
    if called.values["mean"] is None or called.values["variance"] is None:
        # Adapted to data: the mean and the variance are weights of the file. A deviation is taken for 1e-7 at least.
        mean, variance = called.buffer("mean", (depth,)), called.buffer("variance", (depth,))
        return Value(called.writer, volume=batch_norm(called.writer, value.volume, None, None, mean, variance, 1e-14))
    mean_, variance_ = _numbers(called, "mean", depth), _numbers(called, "variance", depth)
    several = variance_ if isinstance(variance_, tuple) else (variance_,)
    if min(several) < 0:
        raise CallError("its variance is below 0")
    roots = tuple(max(each**0.5, 1e-7) for each in several)
    x = _by(called, "sub", value.plain, mean_, _at(value))
    return value.alike(_by(called, "div", x, roots if isinstance(variance_, tuple) else roots[0], _at(value)))


def _stochastic(called: Called) -> Value:
    return _same_axes(called, "dropout", p=called.number("drop_path_rate"), train=False)


PLAIN: dict[str, tuple[str, Writes]] = {
    "Activation": ("activation", _activation),
    "ReLU": ("max_value=None, negative_slope=0.0, threshold=0.0", _relu),
    "LeakyReLU": ("negative_slope=0.3, *, alpha=None", _leaky),
    "ELU": ("alpha=1.0", _elu),
    "Softmax": ("axis=-1", _softmax),
    "Dropout": ("rate", partial(_dropout, "dropout")),
    **{
        f"SpatialDropout{axes}D": ("rate, data_format=None", partial(_dropout, "feature_dropout")) for axes in (1, 2, 3)
    },
    "AlphaDropout": ("rate", partial(_dropout, "alpha_dropout")),
    # A layer of keras.applications' ConvNeXt; the scope says that it drops whole samples.
    "StochasticDepth": ("drop_path_rate", _stochastic),
    "GaussianNoise": ("stddev", _noise),
    "GaussianDropout": ("rate", _noise),
    "ActivityRegularization": ("l1=0.0, l2=0.0", _nothing),
    "Identity": ("", _nothing),
    "Flatten": ("data_format=None", _flatten),
    "Reshape": ("target_shape", _reshape),
    "Permute": ("dims", _permute),
    "Rescaling": ("scale, offset=0.0", _rescaling),
    "Normalization": ("axis=-1, mean=None, variance=None, invert=False", _normalization),
}

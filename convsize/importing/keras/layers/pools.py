"""Layers that pool, pad, crop and resize."""

from __future__ import annotations

from functools import partial

from convsize.importing.aten.values import reduced
from convsize.importing.aten.windows import Pairs, adaptive, average_pool, max_pool, pad, resized, same
from convsize.importing.keras.layers.called import Called, Writes
from convsize.importing.keras.values import Value
from convsize.importing.writer import CallError
from convsize.words import plural

__all__ = ["POOLS"]


def _pool(how: str, axes: int, called: Called) -> Value:
    x = called.volume(axes)
    kernel = called.sizes("pool_size", axes)
    stride = called.sizes("pool_size" if called.values["strides"] is None else "strides", axes)
    padding = called.text("padding", "valid", "same")
    pairs = same(x, kernel, stride, (1,) * axes) if padding == "same" else ((0, 0),) * axes
    if how == "max":
        made = max_pool(called.writer, x, kernel, stride, pairs)
    else:
        made = average_pool(called.writer, x, kernel, stride, pairs, zeros=not any(map(any, pairs)))
    return called.value.made(made, called.data_format)


def _global(how: str, axes: int, called: Called) -> Value:
    x = called.volume(axes)
    keep = called.flag("keepdims")
    made = reduced(called.writer, "mean" if how == "avg" else "amax", x, tuple(range(2, axes + 2)), keep)
    return called.value.made(made, called.data_format)


def _adaptive(how: str, axes: int, called: Called) -> Value:
    wanted = called.sizes("output_size", axes)
    return called.value.made(adaptive(called.writer, called.volume(axes), wanted, how), called.data_format)


def _amounts(called: Called, name: str, axes: int) -> Pairs:
    """2, (2, 3), or ((1, 2), (3, 4)): before and after every axis; of one axis (1, 2) is before and after."""
    found = called.values[name]
    if axes == 1 and isinstance(found, list | tuple) and len(found) == 2:
        found = [found]
    several = list(found) if isinstance(found, list | tuple) else [found] * axes
    pairs = [tuple(each) if isinstance(each, list | tuple) else (each, each) for each in several]
    if len(pairs) != axes or any(len(each) != 2 for each in pairs):
        raise CallError(f"its `{name}` is {called.values[name]!r}, which does not go with {plural(axes, 'axis')}")
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for each in pairs for n in each):
        raise CallError(f"its `{name}` is {called.values[name]!r}, and must be of whole numbers from 0")
    return tuple((each[0], each[1]) for each in pairs)


def _padding(axes: int, called: Called) -> Value:
    amounts = _amounts(called, "padding", axes)
    return called.value.made(pad(called.writer, called.volume(axes), amounts), called.data_format)


def _cropping(axes: int, called: Called) -> Value:
    amounts = tuple((-before, -after) for before, after in _amounts(called, "cropping", axes))
    return called.value.made(pad(called.writer, called.volume(axes), amounts), called.data_format)


def _upsampling(axes: int, called: Called) -> Value:
    mode = "nearest"
    if axes == 2:
        mode = called.text("interpolation", "nearest", "bilinear").removeprefix("bi")
    factors = tuple(map(float, called.sizes("size", axes)))
    return called.value.made(resized(called.writer, called.volume(axes), mode, factors=factors), called.data_format)


_POOL = "pool_size=2, strides=None, padding='valid', data_format=None"

POOLS: dict[str, tuple[str, Writes]] = {
    **{f"MaxPooling{axes}D": (_POOL, partial(_pool, "max", axes)) for axes in (1, 2, 3)},
    **{f"AveragePooling{axes}D": (_POOL, partial(_pool, "avg", axes)) for axes in (1, 2, 3)},
    **{
        f"Global{name}Pooling{axes}D": ("data_format=None, keepdims=False", partial(_global, how, axes))
        for name, how in (("Average", "avg"), ("Max", "max"))
        for axes in (1, 2, 3)
    },
    **{
        f"Adaptive{name}Pooling{axes}D": ("output_size, data_format=None", partial(_adaptive, how, axes))
        for name, how in (("Average", "avg"), ("Max", "max"))
        for axes in (1, 2, 3)
    },
    **{f"ZeroPadding{axes}D": ("padding=1, data_format=None", partial(_padding, axes)) for axes in (1, 2, 3)},
    **{f"Cropping{axes}D": ("cropping, data_format=None", partial(_cropping, axes)) for axes in (1, 2, 3)},
    "UpSampling1D": ("size=2", partial(_upsampling, 1)),
    "UpSampling2D": ("size=2, data_format=None, interpolation='nearest'", partial(_upsampling, 2)),
    "UpSampling3D": ("size=2, data_format=None", partial(_upsampling, 3)),
}

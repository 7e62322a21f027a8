"""Pools, padding, resizing, and reductions."""

from __future__ import annotations

from typing import Any

from convsize.importing.axes import UnsayableError, flat, merged, standard
from convsize.importing.calls import BATCH
from convsize.importing.reader import Asked, Handler
from convsize.importing.values import Constant, Meaning, Value
from convsize.words import plural

__all__ = ["HANDLERS"]


def _pool(kind: str) -> Handler:
    def handler(asked: Asked) -> Meaning:
        axes = int(asked.call.op.split("pool")[1][0])
        layer = asked.reader.volume(asked.value("self"))
        volume = asked.reader.layers[layer].volume
        if len(volume) != axes + 1:
            raise UnsayableError(f"a pool over {plural(axes, 'axis')} of a volume that has {len(volume) - 1}")
        window = asked.sizes("kernel_size", axes)
        stride = asked.sizes("stride", axes, 0)
        stride = window if not any(stride) else stride
        padding = tuple((each, each) for each in asked.sizes("padding", axes, 0))
        numbers: dict[str, Any] = {
            "size": window,
            "stride": stride,
            "padding": padding,
            "dilation": asked.sizes("dilation", axes) if kind == "M" else (1,) * axes,
            "rounding": "ceil" if asked.number("ceil_mode", False) else "floor",
        }
        if kind == "A":
            if asked.number("divisor_override") is not None:
                raise UnsayableError("an average pool with a divisor of its own")
            counted = asked.number("count_include_pad", True) or not any(map(any, padding))
            numbers["zeros"] = bool(counted)
        return asked.reader.add(kind, (layer,), asked.call.results[0].shape[1:], **numbers)

    return handler


def _pool_and_indices(asked: Asked) -> list[Meaning]:
    made = _pool("M")(asked)
    assert not isinstance(made, list)
    return [made, Constant(asked.call.results[-1].shape)]


def _adaptive(kind: str) -> Handler:
    def handler(asked: Asked) -> Meaning:
        axes = int(asked.call.op.split("pool")[1][0])
        layer = asked.reader.volume(asked.value("self"))
        volume = asked.reader.layers[layer].volume
        if len(volume) != axes + 1:
            raise UnsayableError(f"a pool over {plural(axes, 'axis')} of a volume that has {len(volume) - 1}")
        extents = asked.shape[2:]
        if extents == volume[1:]:
            return Value(layer, standard(BATCH, volume))
        return asked.reader.add(kind, (layer,), (volume[0], *extents), extents=extents)

    return handler


def _adaptive_max(asked: Asked) -> list[Meaning]:
    made = _adaptive("GMP")(asked)
    assert not isinstance(made, list)
    return [made, Constant(asked.shape)]


def _pad(asked: Asked) -> Meaning:
    value = asked.value("self")
    amounts = asked.number("pad") or asked.number("padding") or ()
    mode = asked.number("mode", "constant")
    for name in ("reflection", "replication"):
        if asked.call.op.startswith(name):
            mode = {"reflection": "reflect", "replication": "replicate"}[name]
    if not any(amounts):
        return value
    axes = value.axes
    rank = len(axes)
    volume = asked.reader.layers[value.layer].volume
    whole = standard(BATCH, volume)
    pads = [(0, 0)] * (len(volume) - 1)
    widened = 0
    if value.rolled:
        raise UnsayableError("padding of what is rolled round")
    changed: dict[int, int] = {}
    for at in range(len(amounts) // 2):
        dim = rank - 1 - at
        before, after = amounts[2 * at : 2 * at + 2]
        if not before and not after:
            continue
        places = [each for each in range(len(volume)) if whole[each + 1] == axes[dim] and whole[each + 1]]
        if not places:  # an axis of one position: where it stands says which it is
            places = [dim - 1] if rank == len(volume) + 1 and not axes[dim] and volume[dim - 1] == 1 else []
        if not places:
            raise UnsayableError("padding of an axis that is none of the volume's")
        changed[dim] = places[0]
        if places[0] == 0:
            if before < 0 or after < 0 or before or mode != "constant" or asked.number("value", 0) not in (0, None):
                raise UnsayableError("padding of the depth before its maps")
            widened = after
        else:
            pads[places[0] - 1] = (before, after)
    layer = value.layer
    shape = volume
    if any(map(any, pads)):
        shape = (volume[0], *(length + sum(pad) for length, pad in zip(volume[1:], pads, strict=True)))
        fill = asked.number("value", 0) or 0
        layer = asked.reader.add("pad", (layer,), shape, pads=tuple(pads), value=float(fill), mode=mode).layer
    if widened:
        shape = (volume[0] + widened, *shape[1:])
        layer = asked.reader.add("widen", (layer,), shape, depth=shape[0]).layer
    new = standard(BATCH, shape)
    return Value(layer, tuple(new[changed[at] + 1] if at in changed else axis for at, axis in enumerate(axes)))


def _resize(asked: Asked) -> Meaning:
    layer = asked.reader.volume(asked.value("self") if "self" in asked.arguments else asked.value("input"))
    volume = asked.reader.layers[layer].volume
    extents = asked.shape[2:]
    op = asked.call.op
    mode = "nearest"
    for word in ("bilinear", "trilinear", "linear", "bicubic"):
        if word in op:
            mode = word
            break
    if "exact" in op:
        raise UnsayableError("resizing by the mode nearest-exact")
    if extents == volume[1:]:
        return Value(layer, standard(BATCH, volume))
    numbers: dict[str, Any] = {"aligned": bool(asked.number("align_corners", False)), "antialias": "_aa" in op}
    factors = _factors(asked, len(extents))
    if not numbers["aligned"]:
        for factor, out, length in zip(factors, extents, volume[1:], strict=False):
            if abs(length * factor - out) > 1e-5 * out:
                raise UnsayableError(
                    f"resizing of {length} by {factor:g}: PyTorch reads positions by this factor, a spec by "
                    f"{out}/{length}, as with recompute_scale_factor=True"
                )
    return asked.reader.add("resize", (layer,), (volume[0], *extents), mode=mode, extents=extents, **numbers)


def _factors(asked: Asked, axes: int) -> tuple[float, ...]:
    """The factors that a call of resizing states; () where it states sizes."""
    found = asked.number("scale_factors")
    if found is None:
        names = ("scales",) if axes == 1 else ("scales_d", "scales_h", "scales_w")[-axes:]
        found = tuple(asked.number(name) for name in names)
    several = found if isinstance(found, tuple) else (found,)
    return () if None in several else tuple(map(float, several))


def _reduction(how: str) -> Handler:
    def handler(asked: Asked) -> Meaning:
        value = asked.value("self")
        dims = asked.number("dim")
        if dims is None or dims == ():
            dims = tuple(range(len(value.axes)))
        dims = {each % len(value.axes) for each in (dims if isinstance(dims, tuple) else (dims,))}
        if how == "norm" and asked.number("ord", 2) != 2:
            raise UnsayableError("a norm of another order than 2")
        if how in ("std", "var"):
            corrected = asked.number("correction", 1 if asked.number("unbiased", True) else 0)
            if corrected:
                raise UnsayableError(f"a {how} that divides by one less than the number of values")
        kept = bool(asked.number("keepdim", False))
        volume = asked.reader.layers[value.layer].volume
        whole = standard(BATCH, volume)
        over = merged(
            tuple(sorted(flat(tuple(value.axes[at] for at in sorted(dims))), key=lambda f: (f.axis, -f.stride)))
        )
        axes = tuple(() if at in dims else axis for at, axis in enumerate(value.axes) if kept or at not in dims)
        if value.rolled and not set(merged(flat(whole[2:]))) <= set(over):
            raise UnsayableError("a reduction of what is rolled round")
        if not over:
            if how in ("mean", "sum", "max", "min"):
                return value.replace(axes=axes, alias=False)
            raise UnsayableError(f"a {how} of single values")
        if over == merged(flat(whole[2:])):
            shape = (volume[0], *(1 for _ in volume[1:]))
            if how in ("mean", "max"):
                made = asked.reader.add("GAP" if how == "mean" else "GMP", (value.layer,), shape, extents=shape[1:])
            else:
                made = asked.reader.add("reduce", (value.layer,), shape, how=how, over="positions")
            return Value(made.layer, axes)
        if over == whole[1]:
            made = asked.reader.add("reduce", (value.layer,), (1, *volume[1:]), how=how, over="depth")
            return Value(made.layer, axes)
        if len(over) == 1 and over[0].axis == 0 and over[0].stride * over[0].size == volume[0]:
            shape = (over[0].stride, *volume[1:])
            made = asked.reader.add("reduce", (value.layer,), shape, how=how, over="slices", slices=over[0].size)
            return Value(made.layer, axes)
        if len(over) == 1 and over[0].axis > 0 and over == whole[over[0].axis + 1]:
            at = over[0].axis
            names = {1: ("width",), 2: ("height", "width"), 3: ("time", "height", "width")}[len(volume) - 1]
            shape = tuple(1 if each == at else length for each, length in enumerate(volume))
            made = asked.reader.add("reduce", (value.layer,), shape, how=how, over=names[at - 1])
            return Value(made.layer, axes)
        raise UnsayableError(f"a {how} over {', '.join(map(str, sorted(dims)))}, which are no whole axes of the volume")

    return handler


def _extreme(how: str) -> Handler:
    """Max and min, which give indices as well where they are told an axis."""

    def handler(asked: Asked) -> list[Meaning] | Meaning:
        made = _reduction(how)(asked)
        assert not isinstance(made, list)
        return [made, Constant(asked.shape)] if len(asked.call.results) > 1 else made

    return handler


HANDLERS: dict[str, Handler] = {
    **{f"max_pool{axes}d": _pool("M") for axes in (1, 2, 3)},
    **{f"max_pool{axes}d_with_indices": _pool_and_indices for axes in (1, 2, 3)},
    **{f"avg_pool{axes}d": _pool("A") for axes in (1, 2, 3)},
    **{f"adaptive_avg_pool{axes}d": _adaptive("GAP") for axes in (1, 2, 3)},
    **{f"adaptive_max_pool{axes}d": _adaptive_max for axes in (1, 2, 3)},
    **dict.fromkeys(("pad", "constant_pad_nd"), _pad),
    **dict.fromkeys([f"{mode}_pad{axes}d" for mode in ("reflection", "replication") for axes in (1, 2, 3)], _pad),
    **dict.fromkeys(
        [
            "upsample_nearest1d",
            "upsample_nearest2d",
            "upsample_nearest3d",
            "upsample_linear1d",
            "upsample_bilinear2d",
            "upsample_trilinear3d",
            "upsample_bicubic2d",
            "_upsample_bilinear2d_aa",
            "_upsample_bicubic2d_aa",
            "_upsample_nearest_exact2d",
        ],
        _resize,
    ),
    "mean": _reduction("mean"),
    "sum": _reduction("sum"),
    "amax": _reduction("max"),
    "amin": _reduction("min"),
    "var": _reduction("var"),
    "std": _reduction("std"),
    "linalg_vector_norm": _reduction("norm"),
    "max": _extreme("max"),
    "min": _extreme("min"),
}

"""What the ops with windows share: resolving padding, sliding, and saying padding to PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd

from convsize.geometry import (
    AXIS_NAMES,
    EVERYTHING,
    NO_PADDING,
    AxisWindow,
    Extents,
    Fill,
    GeometryError,
    Padding,
    Rounding,
    Shape,
    Window,
    dividing,
    output_extent,
    overhang,
    per_axis,
    remainder,
    same_transposed,
)
from convsize.ops.base import Argument, Saved, SaveMode, Suffixes, TorchCall, TorchValue
from convsize.ops.shared.arguments import require_positive, whole
from convsize.ops.shared.keeps import tensor_bytes
from convsize.ops.shared.resample import adaptive_reads, require_short
from convsize.record import Record
from convsize.words import are, grid_word, plural


def axis_names(shape: Shape) -> tuple[str, ...]:
    """The names of a volume's axes."""
    return AXIS_NAMES[shape.rank]


def axis_name(shape: Shape, axis: int) -> str:
    """The name of an axis as people say it: "height", "width", "length", "time"."""
    return AXIS_NAMES[shape.rank][axis]


def require_spatial(what: str, shape: Shape) -> None:
    """Raises GeometryError (E205) where a windowed op follows a flat vector, (E206) where it has over three axes."""
    if shape.rank == 0:
        raise GeometryError(
            "E205",
            f"{what} after flattening: its input is a vector of {plural(shape.channels, 'unit')} without positions",
            f"put it before the layer that flattens, or give the vector positions: `reshape({shape.channels},1,1)`",
        )
    if shape.rank > 3:
        raise GeometryError(
            "E206",
            f"{what} over {plural(shape.rank, 'axis')}: volumes have one to three",
            "fold axes together with `reshape(…)`",
        )


def adaptive_extents(what: str, suffixes: Suffixes, source: Shape) -> Extents:
    """The extents that an adaptive pool leaves: 1 by default. Raises GeometryError (E103, E111, E205, E206)."""
    require_spatial(what, source)
    extents = per_axis(suffixes.size or (1,), source.rank)
    for axis, extent in enumerate(extents):
        require_positive(f"the {axis_name(source, axis)} that is left", extent)
        require_short(source.spatial[axis], extent, extent // gcd(source.spatial[axis], extent))
    return extents


def adaptive_window(source: Shape, extents: Extents) -> Window:
    """What an output of an adaptive pool sees: everything where one is left, else windows that may be uneven."""
    if set(extents) == {1}:
        return EVERYTHING
    reads = (adaptive_reads(extent, count) for extent, count in zip(source.spatial, extents, strict=True))
    return Window("reads", reads=tuple(reads))


def adaptive_pooled(source: Shape, extents: Extents) -> int:
    """How many values all windows of an adaptive pool hold, over all maps: those where windows overlap count again."""
    pooled = source.channels
    for extent, count in zip(source.spatial, extents, strict=True):
        reads = adaptive_reads(extent, count)
        pooled *= sum(reads.of(o)[1] - reads.of(o)[0] + 1 for o in range(count))
    return pooled


def adaptive_size(extents: Extents) -> TorchValue:
    """The `output_size` of an adaptive pool, as a person writes it."""
    return extents[0] if len(set(extents)) == 1 else extents


def window_without_effect(axes: tuple[AxisWindow, ...]) -> str | None:
    """Why a pool changes nothing, None where it does something."""
    alone = all(axis.reach == axis.stride == 1 and not axis.before and not axis.after for axis in axes)
    return "a window of 1 at stride 1" if alone else None


def require_size(what: str, size: Extents | None, example: str) -> int:
    """The single number of a token that cannot do without. Raises GeometryError (E101, E206, E111)."""
    if size is None:
        raise GeometryError("E101", f"this layer needs its {what}", f"write it after the mnemonic: `{example}`")
    if len(size) != 1:
        written = "x".join(map(str, size))
        raise GeometryError("E206", f"the {what} is one number, `{written}` are {len(size)}", f"write `{example}`")
    require_positive(f"the {what}", size[0])
    return size[0]


class PoolWindow(Record):
    """What a pool's token says, with what it leaves out: window 2, stride as wide as the window, no padding, floor."""

    kernel_size: Extents
    stride: Extents
    padding: Padding
    dilation: Extents
    rounding: Rounding


def pool_window(what: str, suffixes: Suffixes, source: Shape) -> PoolWindow:
    """The window of a pool that is written as a token. Raises GeometryError (E205, E206)."""
    require_spatial(what, source)
    kernel_size = per_axis(suffixes.size or (2,), source.rank)
    return PoolWindow(
        kernel_size,
        kernel_size if suffixes.stride is None else per_axis(suffixes.stride, source.rank),
        suffixes.padding or NO_PADDING,
        per_axis(suffixes.dilation or (1,), source.rank),
        suffixes.rounding or "floor",
    )


def word_window(what: str, arguments: Mapping[str, Argument], source: Shape) -> tuple[Extents, Extents]:
    """The window and the stride of a pool that is written as a word. Raises GeometryError (E205, E206)."""
    require_spatial(what, source)
    kernel_size = per_axis((whole(arguments["kernel_size"]),), source.rank)
    stride = arguments["stride"]
    return kernel_size, kernel_size if stride is None else per_axis((whole(stride),), source.rank)


def _require_window(kernel: Extents, stride: Extents, dilation: Extents, padding: Padding, rank: int) -> None:
    for what, values in (("kernel", kernel), ("stride", stride), ("dilation", dilation)):
        for value in values:
            require_positive(f"the {what}", value)
    if len(padding.pairs) > 1 and len(padding.pairs) != rank:
        raise GeometryError(
            "E206",
            f"the padding names {plural(len(padding.pairs), 'axis')}, the input has {rank}",
            f"write one number for every axis, or {rank} joined by `x`",
        )


def resolve(
    source: Shape, kernel: Extents, stride: Extents, dilation: Extents, padding: Padding
) -> tuple[AxisWindow, ...]:
    """The window of every axis, with its padding in zeros.

    Raises GeometryError E111 (a number below 1), E206 (padding for another number of axes), E207 (half padding of an
    even kernel).
    """
    _require_window(kernel, stride, dilation, padding, source.rank)
    axes = []
    for axis, (k, s, d) in enumerate(zip(kernel, stride, dilation, strict=True)):
        if padding.mode == "half" and k % 2 == 0:
            reach = d * (k - 1)
            keeping = f"p{reach // 2}:{reach - reach // 2}" if reach % 2 else f"p{reach // 2}"
            raise GeometryError(
                "E207",
                f"half padding needs an odd kernel: {d}·({k} - 1)/2 = {reach / 2:g} zeros on each side of the "
                f"{axis_name(source, axis)}",
                f"write the padding: `p0` for none, `{keeping}` to keep the extents at stride 1",
            )
        before, after = padding.resolve(k, s, d, source.spatial[axis], axis)
        axes.append(AxisWindow(k, s, d, before, after, fill=padding.fill))
    return tuple(axes)


def resolve_transposed(
    source: Shape, kernel: Extents, stride: Extents, dilation: Extents, padding: Padding, output_padding: Extents
) -> tuple[AxisWindow, ...]:
    """The transposed window of every axis; the output padding is taken off the padding after.

    Raises GeometryError E111, E206, E207 as `resolve`, E209 (output padding not below stride or dilation).
    """
    plain = Padding("valid") if padding.mode == "same" else padding
    axes = []
    for axis, window in enumerate(resolve(source, kernel, stride, dilation, plain)):
        extra = output_padding[axis]
        limit = max(window.stride, window.dilation)
        if not 0 <= extra < limit:
            raise GeometryError(
                "E209",
                f"output padding {extra} must be below the stride {window.stride} or the dilation {window.dilation}",
                f"write `a{limit - 1}` or less" if limit > 1 else "leave `a` out, or use a stride of 2",
            )
        before, after = same_transposed(window) if padding.mode == "same" else (window.before, window.after)
        axes.append(window.replace(before=before, after=after - extra, transposed=True))
    return tuple(axes)


def _filter_text(window: AxisWindow) -> str:
    dilated = f" dilated by {window.dilation} (reach {window.reach})" if window.dilation > 1 else ""
    return f"a {window.kernel}-wide filter{dilated}"


def _extent_text(extent: int, window: AxisWindow, name: str, noun: str) -> str:
    if not window.before and not window.after:
        return f"the {plural(extent, noun)} of the {name}"
    signs = "".join(f" {'+' if zeros >= 0 else '-'} {abs(zeros)}" for zeros in (window.before, window.after))
    return f"the {extent}{signs} = {plural(extent + window.before + window.after, noun)} of the padded {name}"


def _division(extent: int, window: AxisWindow) -> str:
    """The division behind an output extent, as the notes write it: (7 - 3 + 2·1)/2 + 1."""
    if window.before == window.after:
        zeros = f" + 2·{window.before}" if window.before > 0 else f" - 2·{-window.before}" if window.before else ""
    else:
        zeros = "".join(f" {'+' if side >= 0 else '-'} {abs(side)}" for side in (window.before, window.after))
    return f"({extent} - {window.reach}{zeros})/{window.stride} + 1"


def _not_exact(extent: int, window: AxisWindow, name: str, noun: str) -> GeometryError:
    rest = remainder(extent, window)
    value = (extent + window.before + window.after - window.reach) / window.stride + 1
    near = dividing(extent, window)
    fixes = []
    if near.padding is not None and near.padding != window.before:
        fixes.append(f"a padding of `p{near.padding}`")
    if near.kernel is not None:
        fixes.append(f"a kernel of {near.kernel}")
    fixes.append(f"a stride of {near.stride}")
    fixes.append(f"an input of {' or '.join(map(str, near.extents))} {noun}s")
    return GeometryError(
        "E201",
        f"{_division(extent, window)} = {round(value, 2 if window.stride < 100 else 6)} is not a whole number: "
        f"{plural(rest, noun)} of the {name} {are(rest)} left over",
        f"any one of these divides: {', '.join(fixes[:-1])}, or {fixes[-1]}",
    )


def slide(source: Shape, axes: tuple[AxisWindow, ...], rounding: Rounding) -> Extents:
    """The output extents of windows that slide over a volume.

    Raises GeometryError E201 (`exact` with a remainder), E202 (filter larger than the padded input), E208 (a
    transposed convolution that leaves nothing), E210 (a crop that leaves nothing).
    """
    extents = []
    noun = grid_word(source.rank)
    for axis, window in enumerate(axes):
        extent = source.spatial[axis]
        name = axis_name(source, axis)
        count = output_extent(extent, window, rounding)
        if window.transposed:
            if count < 1:
                raise GeometryError(
                    "E208",
                    f"({extent} - 1)·{window.stride} - {window.before} - {window.after} + {window.reach} = {count}: "
                    f"no {name} is left",
                    f"pad less: `p{max((window.before + window.after + count - 1) // 2, 0)}` leaves a {noun}",
                )
        else:
            require_rest(source, axis, window.before, window.after)
            require_fill(source, axis, window)
            if rounding == "ceil" and window.fill != "zeros" and overhang(extent, window, count):
                beyond = plural(overhang(extent, window, count), noun)
                raise GeometryError(
                    "E213",
                    f"rounding up reads {beyond} of the {name} after a padding that is no zeros: {window.fill}",
                    "leave `ceil` out, or pad more after",
                )
            if count < 1:
                padded = extent + window.before + window.after
                widest = (padded - 1) // window.dilation + 1
                raise GeometryError(
                    "E202",
                    f"{_filter_text(window)} does not fit {_extent_text(extent, window, name, noun)}",
                    f"a kernel of at most {widest}, a padding of `p{-(-(window.reach - extent) // 2)}` or a larger "
                    "input fits",
                )
            if rounding == "exact" and remainder(extent, window):
                raise _not_exact(extent, window, name, noun)
        extents.append(count)
    return tuple(extents)


def require_rest(source: Shape, axis: int, before: int, after: int) -> None:
    """Raises GeometryError (E210) where negative padding crops everything of an axis away."""
    extent, name, noun = source.spatial[axis], axis_name(source, axis), grid_word(source.rank)
    cropped = -min(before, 0) - min(after, 0)
    if cropped >= extent:
        raise GeometryError(
            "E210",
            f"cropping {plural(cropped, noun)} leaves nothing of the {plural(extent, noun)} of the {name}",
            f"crop at most {extent - 1}",
        )


def require_fill(source: Shape, axis: int, window: AxisWindow) -> None:
    """Raises GeometryError (E213) where padding needs more pixels than there are to mirror or to wrap around.

    A reflection leaves the border's own pixel out, so that it can be at most one pixel shorter than the axis.
    """
    extent, name, noun = source.spatial[axis], axis_name(source, axis), grid_word(source.rank)
    most = extent - 1 if window.fill == "reflect" else extent
    wanted = max(window.before, window.after)
    if window.fill in ("reflect", "circular") and wanted > most:
        what = "reflection" if window.fill == "reflect" else "circular padding"
        raise GeometryError(
            "E213",
            f"{what} of {wanted} needs {plural(wanted + extent - most, noun)}, and the {name} has {extent}",
            f"pad by at most {most}, or with `replicate`" if most else "pad with zeros or with `replicate`",
        )


def require_pool_padding(axes: tuple[AxisWindow, ...]) -> None:
    """Raises GeometryError (E203) where a pool's padding is over half its window, or negative.

    A window that lies wholly in the padding would have nothing to pool. The limit is PyTorch's: half of the kernel,
    not of what it reaches when dilated.
    """
    for window in axes:
        for zeros in (window.before, window.after):
            if zeros < 0:
                raise GeometryError(
                    "E203", f"a pool's padding cannot be negative: {zeros}", f"crop before it: `pad({zeros})`"
                )
            if zeros > window.kernel // 2:
                raise GeometryError(
                    "E203",
                    f"padding {zeros} is over half of the pool's {window.kernel}-wide window",
                    f"pad by at most `p{window.kernel // 2}`",
                )


def pad_call(pairs: tuple[tuple[int, int], ...], fill: Fill = "zeros", **kwargs: TorchValue) -> TorchCall:
    """F.pad over the spatial axes; PyTorch counts the axes from the last one."""
    amounts = tuple(zeros for pair in reversed(pairs) for zeros in pair)
    if fill == "zeros":
        return TorchCall("F.pad", (("pad", amounts), *kwargs.items()))
    name = {"reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}[fill]
    return TorchCall("F.pad", (("pad", amounts), ("mode", fill)), like=f"nn.{name}Pad{len(pairs)}d")


def padded_call(
    axes: tuple[AxisWindow, ...], source: Shape, rounding: Rounding, value: float | None = None
) -> tuple[tuple[TorchCall, ...], Extents]:
    """The F.pad call that must come first, if any, and the `padding` argument after it.

    Symmetric padding is the layer's own argument. PyTorch's layers know no asymmetric one, no cropping one and, but
    for pools, no rounding up: then F.pad adds every zero (or `value`), those that rounding up needs among them.
    It adds all padding that is no zeros.
    """
    pairs = []
    for extent, window in zip(source.spatial, axes, strict=True):
        extra = overhang(extent, window, output_extent(extent, window, rounding)) if rounding == "ceil" else 0
        pairs.append((window.before, window.after + extra))
    fill = axes[0].fill
    if fill != "zeros" and any(map(any, pairs)):
        return (pad_call(tuple(pairs), fill),), (0,) * len(pairs)
    if all(before == after >= 0 for before, after in pairs):
        return (), tuple(before for before, _ in pairs)
    filled: dict[str, TorchValue] = {} if value is None else {"value": value}
    return (pad_call(tuple(pairs), "zeros", **filled),), (0,) * len(pairs)


def padded_shape(axes: tuple[AxisWindow, ...], source: Shape, rounding: Rounding) -> Shape:
    """The volume with its padding and with what rounding up adds after it."""
    extents = []
    for extent, window in zip(source.spatial, axes, strict=True):
        extra = overhang(extent, window, output_extent(extent, window, rounding)) if rounding == "ceil" else 0
        extents.append(extent + window.before + window.after + extra)
    return Shape(source.channels, tuple(extents))


def kept_padded(axes: tuple[AxisWindow, ...], source: Shape, rounding: Rounding, mode: SaveMode) -> Saved:
    """What an op after `padded_call` keeps of its input: the padded copy where one is made."""
    pads, _ = padded_call(axes, source, rounding)
    if not pads:
        return Saved("input")
    return Saved("extra", name="padded input", size=tensor_bytes(padded_shape(axes, source, rounding), mode))


def torch_rank(name: str, source: Shape) -> str:
    """A PyTorch layer's name with its number of axes: "nn.Conv{}d" to "nn.Conv2d"."""
    return name.format(source.rank)


def kept_convolution(
    axes: tuple[AxisWindow, ...], source: Shape, rounding: Rounding, mode: SaveMode, weight: tuple[Saved, ...]
) -> tuple[Saved, ...]:
    """What a convolution keeps: its input (or the padded copy it was given) and its weight, even a frozen one."""
    if not (mode.needs[0] or mode.trains):
        return ()
    return (
        *kept_mirrored(axes, mode),
        kept_padded(axes, source, rounding, mode),
        *weight,
    )


def kept_mirrored(axes: tuple[AxisWindow, ...], mode: SaveMode) -> tuple[Saved, ...]:
    """The input, which padding by reflection and by replication keeps: PyTorch asks it for its shape alone."""
    padded = any(window.before or window.after for window in axes)
    return (Saved("input"),) if padded and mode.needs[0] and axes[0].fill in ("reflect", "replicate") else ()

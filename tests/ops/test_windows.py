"""The arithmetic of windows as properties, against brute force."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convsize
from convsize.geometry import (
    AxisWindow,
    GeometryError,
    Padding,
    Shape,
    dividing,
    output_extent,
    overhang,
    remainder,
    same_transposed,
)
from convsize.ops.base import SaveMode
from convsize.ops.shared.windows import (
    kept_padded,
    pad_call,
    padded_call,
    padded_shape,
    resolve,
    resolve_transposed,
    slide,
)

windows = st.builds(
    AxisWindow,
    kernel=st.integers(1, 7),
    stride=st.integers(1, 5),
    dilation=st.integers(1, 3),
    before=st.integers(-2, 4),
    after=st.integers(-2, 4),
    transposed=st.just(False),
)
extents = st.integers(1, 40)


@given(extents, windows)
def test_floor_counts_the_windows_that_fit(extent, window):
    padded = extent + window.before + window.after
    starts = [s for s in range(0, max(padded, 0), window.stride) if s + window.reach <= padded]
    assert max(output_extent(extent, window), 0) == len(starts)


@given(extents, windows)
def test_ceil_adds_a_window_that_starts_before_the_end_of_the_input(extent, window):
    floor, ceil = output_extent(extent, window), output_extent(extent, window, "ceil")
    assume(floor >= 1)
    starts_inside = floor * window.stride < extent + window.before
    assert ceil - floor == int(remainder(extent, window) > 0 and starts_inside)
    assert overhang(extent, window, floor) == 0
    assert overhang(extent, window, ceil) < window.stride


@given(extents, windows)
def test_what_is_said_to_divide_is_the_nearest_that_divides(extent, window):
    """Of two that are as near the smaller one; further than a stride there is nothing that is not nearer, too."""
    assume(output_extent(extent, window) >= 1)

    def divides(changed: AxisWindow, size: int = extent) -> bool:
        return output_extent(size, changed) >= 1 and remainder(size, changed) == 0

    def nearest(value: int, lowest: int, changed: Callable[[int], AxisWindow]) -> int | None:
        near = sorted(range(lowest, value + window.stride + 1), key=lambda each: (abs(each - value), each))
        return next((each for each in near if abs(each - value) <= window.stride and divides(changed(each))), None)

    near = dividing(extent, window)
    assert near.padding == nearest(window.before, 0, lambda p: window.replace(before=p, after=p))
    assert near.kernel == nearest(window.kernel, 1, lambda k: window.replace(kernel=k))
    assert near.stride == (nearest(window.stride, 1, lambda s: window.replace(stride=s)) or 1)
    below = next(size for size in range(extent, extent - window.stride, -1) if remainder(size, window) == 0)
    assert near.extents == tuple(size for size in (below, below + window.stride) if size >= 1)


def test_a_window_is_what_is_said_of_it():
    assert AxisWindow(3) == AxisWindow(3, 1, 1, 0, 0, False)
    assert (AxisWindow(3).reach, AxisWindow(3, 5).reach, AxisWindow(3, 5, 4).reach) == (3, 3, 9)


def test_a_stride_beyond_any_image_is_answered_at_once():
    near = dividing(10**15, AxisWindow(3, 10**12 + 1))
    assert near.stride == 1
    assert near.padding is None


@given(extents, st.integers(1, 7), st.integers(1, 5), st.integers(1, 3))
def test_same_padding_gives_the_ceiling(extent, kernel, stride, dilation):
    source = Shape(1, (extent,))
    axes = resolve(source, (kernel,), (stride,), (dilation,), Padding("same"))
    assert slide(source, axes, "floor") == (-(-extent // stride),)


@given(extents, st.integers(1, 7), st.integers(1, 5), st.integers(1, 3))
def test_same_padding_of_a_transposed_convolution_multiplies(extent, kernel, stride, dilation):
    source = Shape(1, (extent,))
    axes = resolve_transposed(source, (kernel,), (stride,), (dilation,), Padding("same"), (0,))
    assert slide(source, axes, "floor") == (extent * stride,)


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "padding"),
    [
        (2, 2, 1, (0, 0)),
        (3, 2, 1, (0, 1)),
        (4, 2, 1, (1, 1)),
        (5, 2, 1, (1, 2)),
        (7, 2, 1, (2, 3)),
        (3, 1, 3, (3, 3)),
        (1, 2, 1, (0, -1)),
        (1, 4, 1, (0, -3)),
    ],
)
def test_a_transposed_axis_that_grows_by_its_stride_alone(kernel, stride, dilation, padding):
    """The reach less the stride, the smaller half in front, and never less than nothing there."""
    window = AxisWindow(kernel, stride, dilation, transposed=True)
    before, after = same_transposed(window)
    assert (before, after) == padding
    for extent in (1, 2, 9):
        assert output_extent(extent, window.replace(before=before, after=after)) == extent * stride


@given(extents, windows)
def test_a_transposed_window_undoes_the_extents(extent, window):
    assume(extent + min(window.before, 0) + min(window.after, 0) >= 1)
    count = output_extent(extent, window)
    assume(count >= 1)
    back = output_extent(count, window.replace(transposed=True))
    assert back == extent - remainder(extent, window)


@pytest.mark.parametrize("fill", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    ("pad", "pairs"), [("0,1,", ((0, 1), (0, 1))), ("0,0,2,1,", ((0, 0), (2, 1))), ("0,0,0,0,", ((0, 0), (0, 0)))]
)
def test_a_pad_of_one_axis_has_its_fill(fill: str, pad: str, pairs: tuple[tuple[int, int], ...]) -> None:
    node = convsize.parse(f"input: 1@4x4\npad({pad}{fill})").nodes[-1]
    filled = any(map(any, pairs))
    assert node.op.torch(Shape(1, (4, 4))) == (pad_call(pairs, fill) if filled else pad_call(pairs),)


@pytest.mark.parametrize(
    ("token", "padding", "cut"),
    [
        ("T2D3/2", (0, 0), None),
        ("T3D3/2p0", (0, 0), None),
        ("T3D3/2p1a1", (1, 1), None),
        ("T3D3/2p0:1", (0, 0), (0, -1, 0, -1)),
        ("T3D3/2p1x0:1", (0, 0), (0, -1, -1, -1)),
        ("T1D3/2psame", (0, 0), (0, 1, 0, 1)),
    ],
)
def test_a_transposed_convolution_is_cut_where_its_sides_differ(token, padding, cut) -> None:
    call, *rest = convsize.parse(f"input: 2@4x4\n{token}").nodes[-1].op.torch(Shape(2, (4, 4)))
    assert dict(call.kwargs)["padding"] == padding
    assert [dict(each.kwargs)["pad"] for each in rest] == ([] if cut is None else [cut])


def test_padding_calls():
    # F.pad counts axes from the last one.
    source = Shape(3, (8, 6))
    axes = (AxisWindow(3, before=0, after=1), AxisWindow(3, before=1, after=1))
    calls, padding = padded_call(axes, source, "floor")
    assert calls[0].target == "F.pad"
    assert dict(calls[0].kwargs) == {"pad": (1, 1, 0, 1)}
    assert padding == (0, 0)
    even = (AxisWindow(3, before=1, after=1), AxisWindow(3, before=2, after=2))
    assert padded_call(even, source, "floor") == ((), (1, 2))
    # Rounding up: (8 - 3)/2 leaves 1, so one more zero; (6 - 3)/2 leaves 1 likewise.
    calls, padding = padded_call((AxisWindow(3, 2), AxisWindow(3, 2)), source, "ceil", float("-inf"))
    assert dict(calls[0].kwargs) == {"pad": (0, 1, 0, 1), "value": float("-inf")}
    assert padding == (0, 0)
    assert padded_shape((AxisWindow(3, 2), AxisWindow(3, 2)), source, "ceil") == Shape(3, (9, 7))


def test_a_padded_copy_is_kept_where_one_is_made():
    source = Shape(3, (8, 6))
    mode = SaveMode(batch=2)
    assert kept_padded((AxisWindow(3, before=1, after=1),) * 2, source, "floor", mode).what == "input"
    uneven = kept_padded((AxisWindow(3, before=0, after=1),) * 2, source, "floor", mode)
    # 2 samples of 3·9·7 values of 4 bytes
    assert (uneven.what, uneven.size) == ("extra", 2 * 3 * 9 * 7 * 4)


@given(st.integers(1, 30), windows)
def test_sliding_gives_an_extent_or_an_error(extent, window):
    if (
        output_extent(extent, window) < 1
        or remainder(extent, window)
        or -min(window.before, 0) - min(window.after, 0) >= extent
    ):
        with pytest.raises(GeometryError, match=r"."):
            slide(Shape(1, (extent,)), (window,), "exact")
        return
    (count,) = slide(Shape(1, (extent,)), (window,), "exact")
    assert (count - 1) * window.stride + window.reach == extent + window.before + window.after

"""Attention: its figures by hand, what it refuses, and what it computes against plain loops."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest

import convsize
from convsize.errors import SpecError
from convsize.geometry import AxisWindow, Shape


def network(text: str) -> convsize.Network:
    return convsize.parse(f"input: {text}")


def attention(text: str):
    (node,) = [node for node in network(text).layers if node.op.KIND == "attention"]
    return node


# ---- figures, worked out by hand -------------------------------------------------------------------------------------


def test_multiply_adds_are_those_of_both_products():
    # 4 x 4 positions, 16 weights for each; queries, keys and values 12 deep: 16·16·12 twice.
    node = attention("3@4x4\nC1D36 attn(3)")
    assert node.output == Shape(12, (4, 4))
    assert node.op.macs((Shape(36, (4, 4)),), node.output) == 2 * 16 * 16 * 12
    # In windows of 2 x 2 every position has 4 weights.
    node = attention("3@4x4\nC1D36 attn(3,window=2)")
    assert node.op.macs((Shape(36, (4, 4)),), node.output) == 2 * 16 * 4 * 12
    # 16 queries, 4 keys; 2 heads of keys 3 deep, of values 5 deep.
    text = "3@4x4\n[A2 C1D6 | A2 C1D10 | C1D6] as k, v, q @q attn(2,@k,@v)"
    assert attention(text).output == Shape(10, (4, 4))
    assert network(text).analyze().layers[-1].macs == 16 * 4 * (2 * 3 + 2 * 5)
    # Over the depth 3 heads of 4 maps have 4 x 4 weights each, of 16 positions.
    node = attention("3@4x4\nC1D36 attn(3,depth)")
    assert node.output == Shape(12, (4, 4))
    assert node.op.macs((Shape(36, (4, 4)),), node.output) == 2 * 3 * 4 * 4 * 16


@pytest.mark.parametrize(
    ("needs", "macs"),
    [
        ((False, False, False), 0),
        ((False, False, True), 640),  # the gradient of the values
        ((False, True, False), 640 + 384),  # that of the weights, and of the keys by them
        ((True, False, False), 640 + 384),
        ((False, True, True), 2 * 640 + 384),
        ((True, False, True), 2 * 640 + 384),
        ((True, True, False), 640 + 2 * 384),
        ((True, True, True), 2 * 640 + 2 * 384),
    ],
)
def test_multiply_adds_backward_are_those_of_the_products_that_are_needed(needs, macs):
    # 16 queries and 4 keys; two heads of keys 3 deep and of values 5 deep: 384 for the weights, 640 for the values.
    op = attention("3@4x4\n[A2 C1D6 | A2 C1D10 | C1D6] as k, v, q @q attn(2,@k,@v)").op
    shapes = (Shape(6, (4, 4)), Shape(6, (2, 2)), Shape(10, (2, 2)))
    assert op.macs_backward(shapes, Shape(10, (4, 4)), needs, trains=True) == macs
    # Values as deep as keys are a fused kernel's, which makes the weights again and all gradients: five products.
    fused = attention("3@4x4\n[A2 C1D6 | A2 C1D6 | C1D6] as k, v, q @q attn(2,@k,@v)").op
    shapes = (Shape(6, (4, 4)), Shape(6, (2, 2)), Shape(6, (2, 2)))
    assert fused.macs_backward(shapes, Shape(6, (4, 4)), needs, trains=True) == (5 * 384 if any(needs) else 0)


@pytest.mark.parametrize(
    ("spec", "shapes"),
    [
        ("attn(2)", {}),
        ("attn(2,relative)", {"weight": (7 * 7, 2), "index": (16, 16)}),
        ("attn(2,relative,window=2)", {"weight": (3 * 3, 2), "index": (4, 4)}),
        ("attn(2,distance,grid=2)", {"weight": (2 * 2, 2), "index": (4, 4)}),
        ("attn(2,window=2,shift=1)", {"mask": (4, 1, 4, 4)}),
        ("attn(2,depth)", {"weight": (2, 1, 1)}),
    ],
)
def test_parameters_are_those_of_offsets(spec, shapes):
    (node,) = network(f"12@4x4\n{spec}").layers
    assert {each.name: each.shape for each in node.op.parameters(Shape(12, (4, 4)))} == shapes


def test_windows_lie_side_by_side_and_shifted_ones_are_cut_off():
    (plain,) = network("12@6\nattn(2,window=3)").layers
    assert plain.op.window(Shape(12, (6,))).axes == (AxisWindow(3, 3),)
    report = network("12@12\nC3 attn(2,window=4) C3").analyze()
    # 3 pixels, of 4 neighbours 6, of 3 positions in two windows 10.
    assert [row.receptive_field.size for row in report.layers] == [(3,), (6,), (10,)]


def test_a_query_sees_its_place_and_the_keys_everything():
    report = network("4@9\nC3 as k\nC3D4 attn(2,@k,@k)").analyze()
    row = report.layers[-1].receptive_field
    assert (row.size, row.whole) == ((9,), False)


def test_windows_say_which_sizes_fit():
    sizes = network("3@28x28\nC1D12 attn(2,window=7)").sizes()
    assert [sizes.axes[0].valid.has(extent) for extent in (6, 7, 14, 20, 21)] == [False, True, True, False, True]


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "help_text"),
    [
        (
            "8@4x4\nattn(2)",
            "queries, keys and values in 2 heads are 6 equal parts of the depth 8: 8/6 leaves 2",
            "give them a depth of 12 before it, as by `C1D12`",
        ),
        (
            "12@5x4\nattn(2,window=2)",
            "windows of 2 must divide the 5 positions of the height: 5/2 leaves 1",
            "take an input that makes it 4 or 6, or pad it: `pad(0,1)`",
        ),
        (
            "12@4x4\nattn(2,window=2,grid=2)",
            "attention has a window or a grid, not both",
            "write one attention after another",
        ),
        ("12@4x4\nattn(2,shift=1)", "a shift of 1 moves no window", "write `window=7,shift=3`"),
        ("12@4x4\nattn(2,window=2,shift=2)", "a shift of 2 moves no window", "write a shift from 1 to 1, or none"),
        (
            "12@4x4\nattn(2,relative,depth)",
            "over the depth there are no windows and no offsets, and keys are as deep as values",
            "leave `depth` out, or write the number of heads and `depth` alone",
        ),
        (
            "4@4x4\nR as k\nattn(2,@k,@k,depth)",
            "over the depth queries, keys and values come from one volume that holds them",
            "leave `depth` out, or the taps",
        ),
        (
            "12@4x4\nattn(2,key=3)",
            "a depth of 12 has no room for values after 12 of queries and keys",
            "give it a depth above 12, as by `C1D18`",
        ),
        (
            "4@4x4\nM2 as k\nC1D6 attn(2,@k,@k)",
            "queries and keys must be equally deep: 6 and 4",
            "give both the same depth, as by `C1D6`",
        ),
        (
            "4@4x4\nR as k\nM2 as v\n@k attn(2,@k,@v)",
            "every key has a value: 4@4x4 are keys of other positions than 4@2x2",
            "take both from one volume",
        ),
        (
            "4@4x4\nM2 as k\n@k up(2) attn(2,@k,@k,relative)",
            "positions have offsets to each other where keys have the positions of the queries",
            "leave `relative` out",
        ),
        (
            "4@4x4\nR as k\nattn(2,@k,@k,window=2)",
            "windows are cut from one volume that holds queries, keys and values",
            "leave `window` and `grid` out, or the taps",
        ),
        (
            "12@4x4\nattn(2,5)",
            "`bias` must be one of none, relative, distance for `attn`",
            "write it as `attn(heads, @k, @v, bias=none, key, window, grid, shift=0, over=positions)`",
        ),
    ],
)
def test_what_cannot_be_is_said(text, message, help_text):
    with pytest.raises(SpecError) as error:
        network(text)
    found = error.value.diagnostics[0]
    assert (found.message, found.help) == (message, help_text)


# ---- what it computes ------------------------------------------------------------------------------------------------


def plainly(op, source, weight=None):
    """Attention by loops over positions: windows, grids, shifts and offsets as the papers draw them."""
    import torch

    batch, depth, *extents = source.shape
    places = list(product(*map(range, extents)))
    size, heads, shift = op.part, op.heads, op.shift
    third = depth // 3 // heads
    parts = source.reshape(batch, 3, heads, third, prod(extents))

    def window_of(place):
        if size is None:
            return ()
        if op.grid:
            return tuple(at % (extent // size) for at, extent in zip(place, extents, strict=True))
        return tuple((at - shift) // size for at in place)

    def inside(place):
        if size is None:
            return place
        if op.grid:
            return tuple(at // (extent // size) for at, extent in zip(place, extents, strict=True))
        return tuple((at - shift) % size for at in place)

    out = torch.zeros(batch, heads, third, len(places), dtype=source.dtype)
    within = extents if size is None else [size] * len(extents)
    for at, place in enumerate(places):
        seen = [number for number, other in enumerate(places) if window_of(other) == window_of(place)]
        scores = torch.einsum("bhd,bhdk->bhk", parts[:, 0, ..., at], parts[:, 1][..., seen]) / third**0.5
        if weight is not None:
            for number, other in enumerate(seen):
                row = 0
                for one, two, extent in zip(inside(place), inside(places[other]), within, strict=True):
                    far = one - two
                    row = (
                        row * (2 * extent - 1) + far + extent - 1 if op.bias == "relative" else row * extent + abs(far)
                    )
                scores[..., number] += weight[row]
        out[..., at] = torch.einsum("bhk,bhdk->bhd", scores.softmax(-1), parts[:, 2][..., seen])
    return out.reshape(batch, depth // 3, *extents)


@pytest.mark.parametrize("extents", [(6,), (4, 6), (2, 4, 2)])
@pytest.mark.parametrize(
    "spec",
    [
        "attn(2)",
        "attn(2,relative)",
        "attn(2,distance)",
        "attn(2,window=2)",
        "attn(2,grid=2)",
        "attn(1,relative,grid=2)",
        "attn(1,distance,window=2)",
        "attn(2,window=2,shift=1)",
        "attn(2,relative,window=2,shift=1)",
    ],
)
def test_it_computes_what_the_papers_draw(spec, extents):
    torch = pytest.importorskip("torch")
    from convsize.runtime.calls import build

    torch.manual_seed(1)
    (node,) = network(f"12@{'x'.join(map(str, extents))}\n{spec}").layers
    module = build(node.op.torch(Shape(12, extents))).double()
    weight = dict(module.named_parameters()).get("weight")
    if weight is not None:
        torch.nn.init.normal_(weight)
    source = torch.randn(2, 12, *extents, dtype=torch.float64)
    torch.testing.assert_close(module(source), plainly(node.op, source, weight), atol=1e-9, rtol=0)


def test_keys_of_other_positions_are_those_of_pytorchs_own_layer():
    torch = pytest.importorskip("torch")
    from convsize.runtime.calls import build

    (*_, node) = network("4@3x2\nC1D4 as k\nA1x2 C1D4 as v\n@k attn(2,@v,@v)").layers
    q, k = torch.randn(2, 4, 3, 2), torch.randn(2, 4, 3, 1)
    wanted = torch.nn.functional.scaled_dot_product_attention(*(each.reshape(2, 2, 2, -1).mT for each in (q, k, k)))
    found = build(node.op.torch(Shape(4, (3, 2)), Shape(4, (3, 1)), Shape(4, (3, 1))))(q, k, k)
    torch.testing.assert_close(found, wanted.mT.reshape(2, 4, 3, 2))


def test_over_the_depth_maps_are_weighed_by_their_cosines():
    torch = pytest.importorskip("torch")
    from convsize.runtime.calls import build

    (node,) = network("12@3x2\nattn(2,depth)").layers
    module = build(node.op.torch(Shape(12, (3, 2)))).double()
    temperatures = torch.tensor([0.5, 3.0], dtype=torch.float64)
    module.weight.data.copy_(temperatures.reshape(2, 1, 1))
    source = torch.randn(2, 12, 3, 2, dtype=torch.float64)
    q, k, v = source.flatten(2).split(4, dim=1)
    wanted = torch.zeros(2, 4, 6, dtype=torch.float64)
    for head in range(2):
        maps = range(2 * head, 2 * head + 2)
        for one in maps:
            cosines = torch.stack([torch.cosine_similarity(q[:, one], k[:, other], dim=-1) for other in maps], dim=-1)
            weights = (temperatures[head] * cosines).softmax(-1)
            wanted[:, one] = sum(weights[:, at, None] * v[:, other] for at, other in enumerate(maps))
    torch.testing.assert_close(module(source), wanted.reshape(2, 4, 3, 2))

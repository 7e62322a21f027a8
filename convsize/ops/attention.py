"""Attention over positions, or over the depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import ClassVar, Self

from convsize.geometry import (
    EVERYTHING,
    POINTWISE,
    AxisWindow,
    Extents,
    GeometryError,
    Shape,
    Window,
)
from convsize.ops.base import (
    Argument,
    ExtentRule,
    Kind,
    Op,
    Parameter,
    ParamSpec,
    Saved,
    SaveMode,
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.arguments import require_positive, whole
from convsize.ops.shared.windows import axis_name, require_spatial
from convsize.record import Record
from convsize.words import plural


class _Sizes(Record):
    """What attention works on: windows of a sample, the positions of one that ask and that are asked, depths of a head.

    extents: those of a window.
    """

    windows: int
    queries: int
    keys: int
    key_depth: int
    value_depth: int
    extents: Extents


class Attention(Op):
    """Attention in heads: every position gets a mean of the values of all positions, weighted by how well its query
    meets their keys.

    Spec
        `attn(heads)`: the depth holds the queries, the keys and the values one after another, a third each, and each
        third holds its heads one after another: `C1D{3*c} attn(12) C1D{c/3}`. `key=32` says how deep a head's queries
        and keys are, where they are not as deep as its values. `attn(8, @k, @v)`: what stands before it are the
        queries, and taps hold the keys and the values, of other positions or fewer; `attn(8, @kv)`: one holds both.
        `window=7`: positions see those of their own window of 7x7; `grid=7`: every window is a grid of 7x7 positions
        that lie as far apart as the extents allow. `shift=3`: windows begin 3 positions later, and those at the ends
        are cut off. `relative`: a learned number for every head and offset is added to the weights before the softmax;
        `distance`: the same for both signs of an offset. `attn(8,depth)`: the maps of a head see each other in place of
        positions, by how alike they are (their cosine), times a learned temperature for every head.
    Shape
        3·D@H×W to D@H×W; the heads must divide D. With taps Dq@H×W, Dk@L and Dv@L to Dv@H×W. Windows must divide the
        extents. A sequence of L tokens is D@L.
    Window
        everything, or the window it is in; queries that are given see their own position. Over the depth everything,
        too, since the weights come from all positions; with a single map in each head there is nothing to weigh, and it
        is the own position. Of a grid everything is a bound: it leaves out what lies between its positions.
    Parameters
        none: the projections around it are layers of their own. `relative`: weight (2h-1)·(2w-1) by heads for windows
        of h×w, `distance`: h·w by heads, and as a buffer which of them each pair of positions has. `shift`: a mask of
        every window as a buffer. `depth`: weight heads·1·1, the temperatures.
    MACs
        L·L'·(Dq + Dv) for L queries, and L' keys of each: the products of queries with keys, and of weights with
        values. FLOPs: of each of the heads·L·L' weights 5 for the softmax, 1 for the scale 1/√d, 1 for every addend.
        Over the depth 2·L·D²/heads, of heads·(D/heads)² weights; FLOPs: 3 besides for every value of queries and keys,
        whose norms are divided out.
    Saved for backward
        PyTorch's fused kernel on a CPU: queries, keys and values, each a copy with the heads' vectors in order, the
        output, and the logarithm of the sum of every softmax, heads·L numbers of 4 bytes or more; never all weights. On
        CUDA the same, by its fused kernels: FlashAttention in half precision, in float32 the memory-efficient one,
        which rounds L up to a multiple of 32. These two are taken from PyTorch's source, not measured. With `relative`,
        `distance`, `shift`, or keys not as deep as values, the products are written out: then the heads·L·L' weights
        are kept as well. Over the depth they are written out, too: queries, keys, their norms (as they are, and held
        above 0) and their quotients, values, and weights before and after the softmax.
    PyTorch
        F.scaled_dot_product_attention on heads; written out where something is added to the weights. Windows are
        cut by torch.reshape and torch.permute, and shifted by torch.roll. `depth`: F.normalize, and two products.
    Source
        Vaswani et al. 2017; of images: Dosovitskiy et al. 2021, ViT; windows: Liu et al. 2021, Swin; grids: Tu et al.
        2022, MaxViT; distances: Graham et al. 2021, LeViT; depth: El-Nouby et al. 2021, XCiT. Fused: Dao et al. 2022,
        FlashAttention.
    """

    NAME: ClassVar[str] = "attention"
    KIND: ClassVar[Kind] = "attention"
    VALUES: ClassVar[Values] = "any"
    EXTENTS: ClassVar[ExtentRule] = "kept"
    STEM: ClassVar[str] = "attn"
    SPELLING: ClassVar[str] = "attn(heads)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("heads"),
        ParamSpec("k", "tap", required=False),
        ParamSpec("v", "tap", required=False),
        ParamSpec("bias", "choice", required=False, default="none", choices=("none", "relative", "distance")),
        ParamSpec("key", required=False),
        ParamSpec("window", required=False),
        ParamSpec("grid", required=False),
        ParamSpec("shift", required=False, default=0),
        ParamSpec("over", "choice", required=False, default="positions", choices=("positions", "depth")),
    )

    heads: int
    bias: str
    key: int | None
    part: int | None
    grid: bool
    shift: int
    over: str

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        numbers: dict[str, int | None] = {}
        for name in ("heads", "key", "window", "grid"):
            value = arguments[name]
            numbers[name] = None if value is None else whole(value)
            if value is not None:
                require_positive(f"`{name}`", whole(value))
        shift, window, grid = whole(arguments["shift"]), numbers["window"], numbers["grid"]
        if window is not None and grid is not None:
            raise GeometryError(
                "E105", "attention has a window or a grid, not both", "write one attention after another"
            )
        if shift and (window is None or not 0 < shift < window):
            raise GeometryError(
                "E111",
                f"a shift of {shift} moves no window",
                "write `window=7,shift=3`" if window is None else f"write a shift from 1 to {window - 1}, or none",
            )
        part = window if grid is None else grid
        bias, over = str(arguments["bias"]), str(arguments["over"])
        if over == "depth" and (bias != "none" or part is not None or numbers["key"] is not None):
            raise GeometryError(
                "E105",
                "over the depth there are no windows and no offsets, and keys are as deep as values",
                "leave `depth` out, or write the number of heads and `depth` alone",
            )
        return cls(whole(arguments["heads"]), bias, numbers["key"], part, grid is not None, shift, over)

    # ---- volumes -----------------------------------------------------------------------------------------------------

    def _depths(self, inputs: Sequence[Shape]) -> tuple[int, int]:
        """How deep a head's queries and keys, and its values are. Raises GeometryError (E204, E301)."""
        first, last = inputs[0].channels, inputs[-1].channels
        if len(inputs) == 1 and self.key is None:
            self._require(first, 3 * self.heads, "queries, keys and values")
            return (first // (3 * self.heads),) * 2
        if len(inputs) > 1:
            self._require(first, self.heads, "queries")
            key = first // self.heads
            if self.key not in (None, key):
                raise GeometryError(
                    "E204", f"{plural(self.heads, 'head')} of queries are {key} deep, not {self.key}", "leave `key` out"
                )
            if len(inputs) == 3 and inputs[1].channels != first:
                raise GeometryError(
                    "E301",
                    f"queries and keys must be equally deep: {first} and {inputs[1].channels}",
                    f"give both the same depth, as by `C1D{first}`",
                )
        else:
            assert self.key is not None
            key = self.key
        before = {1: 2, 2: 1, 3: 0}[len(inputs)] * self.heads * key
        if last <= before:
            raise GeometryError(
                "E204",
                f"a depth of {last} has no room for values after {before} of queries and keys",
                f"give it a depth above {before}, as by `C1D{before + self.heads * key}`",
            )
        self._require(last - before, self.heads, "values")
        return key, (last - before) // self.heads

    def _require(self, depth: int, parts: int, what: str) -> None:
        if depth % parts:
            above = depth - depth % parts + parts
            raise GeometryError(
                "E204",
                f"{what} in {plural(self.heads, 'head')} are {parts} equal parts of the depth {depth}: "
                f"{depth}/{parts} leaves "
                f"{depth % parts}",
                f"give them a depth of {above} before it, as by `C1D{above}`",
            )

    def output(self, *inputs: Shape) -> Shape:
        for shape in inputs:
            require_spatial("attention", shape)
        source = inputs[0]
        _, value = self._depths(inputs)
        if self.over == "depth" and len(inputs) > 1:
            raise GeometryError(
                "E105",
                "over the depth queries, keys and values come from one volume that holds them",
                "leave `depth` out, or the taps",
            )
        if len(inputs) == 3 and inputs[1].spatial != inputs[2].spatial:
            raise GeometryError(
                "E303",
                f"every key has a value: {inputs[1]} are keys of other positions than {inputs[2]}",
                "take both from one volume",
            )
        if self.part is not None:
            if len(inputs) > 1:
                raise GeometryError(
                    "E105",
                    "windows are cut from one volume that holds queries, keys and values",
                    "leave `window` and `grid` out, or the taps",
                )
            for axis, extent in enumerate(source.spatial):
                if extent % self.part:
                    below, name = extent - extent % self.part, axis_name(source, axis)
                    what = "a grid" if self.grid else "windows"
                    raise GeometryError(
                        "E201",
                        f"{what} of {self.part} must divide the {plural(extent, 'position')} of the {name}: "
                        f"{extent}/{self.part} leaves {extent % self.part}",
                        f"take an input that makes it {below or self.part} or {below + self.part}, or pad it: "
                        f"`pad(0,{self.part - extent % self.part})`",
                    )
        elif self.bias != "none" and any(shape.spatial != source.spatial for shape in inputs):
            raise GeometryError(
                "E303",
                "positions have offsets to each other where keys have the positions of the queries",
                f"leave `{self.bias}` out",
            )
        return Shape(self.heads * value, source.spatial)

    @property
    def multiple(self) -> int:
        return self.part or 1

    def _sizes(self, inputs: Sequence[Shape]) -> _Sizes:
        key, value = self._depths(inputs)
        source = inputs[0]
        extents = source.spatial if self.part is None else (self.part,) * source.rank
        queries = prod(extents)
        keys = queries if len(inputs) == 1 else inputs[-1].area
        return _Sizes(source.area // queries, queries, keys, key, value, extents)

    @property
    def _added(self) -> bool:
        return self.bias != "none" or self.shift > 0

    @property
    def _learns(self) -> bool:
        """Whether it has parameters, all of which act before the softmax."""
        return self.bias != "none" or self.over == "depth"

    def _fused(self, sizes: _Sizes) -> bool:
        """Whether PyTorch's fused kernels do it: nothing is added, and keys are as deep as values."""
        return not self._added and self.over == "positions" and sizes.key_depth == sizes.value_depth

    # ---- what is seen ------------------------------------------------------------------------------------------------

    def window(self, *inputs: Shape) -> Window:
        if self.over == "depth" and inputs[0].channels == 3 * self.heads:
            return POINTWISE  # a softmax over one map is 1
        if self.part is None or self.grid:
            return EVERYTHING
        before = self.part - self.shift if self.shift else 0
        axis = AxisWindow(self.part, self.part, before=before, after=self.shift)
        return Window("blocks", (axis,) * inputs[0].rank)

    def window_of(self, place: int, *inputs: Shape) -> Window:
        return POINTWISE if len(inputs) > 1 and not place else self.window(*inputs)

    # ---- what it costs -----------------------------------------------------------------------------------------------

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        sizes = self._sizes(inputs)
        if self.over == "depth":
            return (Parameter("weight", (self.heads, 1, 1)),)
        found = []
        if self.bias != "none":
            offsets = prod(2 * extent - 1 if self.bias == "relative" else extent for extent in sizes.extents)
            found.append(Parameter("weight", (offsets, self.heads)))
            found.append(Parameter("index", (sizes.queries, sizes.queries), "buffer", "int64"))
        if self.shift:
            found.append(Parameter("mask", (sizes.windows, 1, sizes.queries, sizes.queries), "buffer"))
        return tuple(found)

    def _products(self, inputs: Sequence[Shape]) -> tuple[int, int]:
        """Multiply-adds of queries with keys, and of weights with values."""
        sizes = self._sizes(inputs)
        if self.over == "depth":
            return (self.heads * sizes.value_depth**2 * sizes.queries,) * 2
        pairs = sizes.windows * sizes.queries * sizes.keys * self.heads
        return pairs * sizes.key_depth, pairs * sizes.value_depth

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return sum(self._products(inputs))

    def macs_backward(self, inputs: tuple[Shape, ...], output: Shape, needs: Sequence[bool], *, trains: bool) -> int:
        keys, values = self._products(inputs)
        if self._fused(self._sizes(inputs)):
            # It makes the weights again: five products where forward has two.
            return 3 * keys + 2 * values if any(needs) else 0
        asks, asked, held = (needs[0], needs[len(needs) // 2], needs[-1])
        weights = asks or asked or (trains and self._learns)
        return keys * (asks + asked) + values * (held + weights)

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        sizes = self._sizes(inputs)
        if self.over == "depth":
            scores = self.heads * sizes.value_depth**2
            return (Work("norm", 6 * output.elements), Work("activation", 5 * scores), Work("scale", scores))
        weights = sizes.windows * self.heads * sizes.queries * sizes.keys
        scaled = weights if self._fused(sizes) else self.heads * sizes.key_depth * sizes.windows * sizes.queries
        added = (self.bias != "none") + (self.shift > 0)
        return (
            Work("activation", 5 * weights),
            Work("scale", scaled),
            *((Work("bias", added * weights),) if added else ()),
        )

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        return bool(inputs) and inputs[-1]

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        trains = mode.trains and self._learns
        if not any(mode.needs) and not trains:
            return ()
        sizes = self._sizes(inputs)
        one = mode.batch * sizes.windows * self.heads

        def extra(name: str, count: int, itemsize: int = mode.itemsize) -> Saved:
            return Saved("extra", name=name, size=one * count * itemsize)

        if self.over == "depth":
            vectors, scores = sizes.value_depth * sizes.queries, sizes.value_depth**2
            last = (
                *((extra("products", scores),) if trains else ()),
                extra("weights", scores),
                extra("values", vectors),
            )
            if not mode.needs[0]:
                return last
            names = ("queries", "keys", "unit queries", "unit keys")
            norms = (f"{held}norms of {what}" for what in names[:2] for held in ("", "bounded "))
            return (
                *(extra(name, vectors) for name in names),
                *(extra(name, sizes.value_depth) for name in norms),
                Saved("parameter", name="weight"),
                *last,
            )
        queries = extra("queries", sizes.queries * sizes.key_depth)
        keys = extra("keys", sizes.keys * sizes.key_depth)
        values = extra("values", sizes.keys * sizes.value_depth)
        if not self._fused(sizes):
            asks, asked, held = mode.needs[0], mode.needs[len(mode.needs) // 2], mode.needs[-1]
            weighed = asks or asked or trains
            return (
                *((queries,) if asked else ()),
                *((keys,) if asks else ()),
                *((values,) if weighed else ()),
                *((extra("weights", sizes.queries * sizes.keys),) if weighed or held else ()),
                *((Saved("parameter", name="index"),) if trains else ()),
            )
        rows = sizes.queries
        if mode.device == "cuda" and mode.itemsize == 4:
            rows = -(-rows // 32) * 32
        means = extra("means", sizes.queries * sizes.value_depth)
        return (
            queries,
            keys,
            values,
            Saved("output") if self._merges(inputs[0]) else means,
            extra("logarithms of the sums", rows, max(mode.itemsize, 4)),
        )

    def _merges(self, source: Shape) -> bool:
        """Whether the windows lie in memory as the volume does, so that they are put together without a copy."""
        if self.part is None:
            return True
        size, rank = self.part, source.rank
        counts = [extent // size for extent in source.spatial]
        alone = [count == 1 or size == 1 for count in counts]
        if self.grid:
            return all(alone)
        return all(alone[axis] or size**axis * prod(counts[axis + 1 :]) == 1 for axis in range(rank))

    # ---- PyTorch -----------------------------------------------------------------------------------------------------

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        sizes, source = self._sizes(inputs), inputs[0]
        if self.over == "depth":
            return (TorchCall("convsize.ChannelAttention", (("heads", self.heads),)),)
        if self._fused(sizes):
            own = TorchCall("convsize.Attention", (("heads", self.heads),))
        else:
            own = TorchCall(
                "convsize.WrittenAttention",
                (
                    ("heads", self.heads),
                    ("key_depth", sizes.key_depth),
                    *((("extents", sizes.extents), ("bias", self.bias)) if self.bias != "none" else ()),
                    *((("image", source.spatial), ("window", self.part), ("shift", self.shift)) if self.shift else ()),
                ),
            )
        if self.part is None:
            return (own,)
        cut, put = self._parting(source, source.channels), self._putting(source, self.heads * sizes.value_depth)
        if not self.shift:
            return (*cut, own, *put)
        axes = tuple(range(2, 2 + source.rank))

        def rolled(by: int) -> TorchCall:
            return TorchCall("torch.roll", (("shifts", (by,) * source.rank), ("dims", axes)))

        return (rolled(-self.shift), *cut, own, *put, rolled(self.shift))

    def _parting(self, source: Shape, depth: int) -> tuple[TorchCall, ...]:
        """The windows as samples of their own."""
        assert self.part is not None
        rank = source.rank
        pairs = [(extent // self.part, self.part) for extent in source.spatial]
        shape = tuple(each for pair in pairs for each in (reversed(pair) if self.grid else pair))
        number, inner = range(2 + self.grid, 2 + 2 * rank, 2), range(3 - self.grid, 2 + 2 * rank, 2)
        return (
            TorchCall("torch.reshape", (("shape", (-1, depth, *shape)),)),
            TorchCall("torch.permute", (("dims", (0, *number, 1, *inner)),)),
            TorchCall("torch.reshape", (("shape", (-1, depth, *(self.part,) * rank)),)),
        )

    def _putting(self, source: Shape, depth: int) -> tuple[TorchCall, ...]:
        """The windows put together again."""
        assert self.part is not None
        rank = source.rank
        counts = [extent // self.part for extent in source.spatial]
        number, inner = list(range(1, 1 + rank)), list(range(2 + rank, 2 + 2 * rank))
        pairs = zip(inner, number, strict=True) if self.grid else zip(number, inner, strict=True)
        return (
            TorchCall("torch.reshape", (("shape", (-1, *counts, depth, *(self.part,) * rank)),)),
            TorchCall("torch.permute", (("dims", (0, 1 + rank, *(each for pair in pairs for each in pair))),)),
            TorchCall("torch.reshape", (("shape", (-1, depth, *source.spatial)),)),
        )

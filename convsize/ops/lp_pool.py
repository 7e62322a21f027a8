"""Lp pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import ClassVar, Self

from convsize.geometry import (
    NO_PADDING,
    AxisWindow,
    Extents,
    GeometryError,
    Shape,
    Window,
)
from convsize.ops.base import (
    Argument,
    Kind,
    MapsRead,
    Op,
    Parameter,
    ParamSpec,
    Saved,
    SaveMode,
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.arguments import (
    number,
)
from convsize.ops.shared.keeps import tensor_bytes
from convsize.ops.shared.windows import (
    resolve,
    slide,
    torch_rank,
    word_window,
)


class LpPool(Op):
    """Lp pooling: (Σ h^p)^(1/p) over every window, map by map; p = 1 sums, a large p comes near the maximum.

    Spec
        `lppool(p, k, s=k)`: norm p, window k and stride s on every axis, no padding, floor.
    Shape
        D@L -> D@L', L' = ⌊(L - k)/S⌋ + 1 per axis.
    Window
        k per axis with its stride.
    Parameters
        none.
    MACs
        none. FLOPs: 2·k… an output: k… powers, k… - 1 additions and a root.
    Saved for backward
        input, its powers, and of the outputs: the means of the powers, their signs, their magnitudes, their sums.
    PyTorch
        nn.LPPool1d, nn.LPPool2d, nn.LPPool3d.
    Source
        Bilen, lecture 7; Yoon, part 6: (Σ h^p)^(1/p).
    """

    NAME: ClassVar[str] = "Lp pooling"
    KIND: ClassVar[Kind] = "pool"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "lppool"
    SPELLING: ClassVar[str] = "lppool(p,k,s=k)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("norm_type", "number"),
        ParamSpec("kernel_size"),
        ParamSpec("stride", required=False),
    )

    norm_type: Fraction
    kernel_size: Extents
    stride: Extents

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        kernel_size, stride = word_window("Lp pooling", arguments, source)
        norm_type = number(arguments["norm_type"])
        if norm_type <= 0:
            raise GeometryError("E111", f"the norm must be above 0, not {float(norm_type):g}", "write `lppool(2,…)`")
        return cls(norm_type, kernel_size, stride)

    def _axes(self, source: Shape) -> tuple[AxisWindow, ...]:
        return resolve(source, self.kernel_size, self.stride, (1,) * source.rank, NO_PADDING)

    def output(self, *inputs: Shape) -> Shape:
        return Shape(inputs[0].channels, slide(inputs[0], self._axes(inputs[0]), "floor"))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes(inputs[0]))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        # Odd powers keep the sign of a value, and of the sum.
        return self.norm_type % 2 == 0 or all(inputs)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("pool", output.elements * 2 * prod(self.kernel_size)),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0]:
            return ()
        size = tensor_bytes(output, mode)
        return (
            Saved("input"),
            Saved("extra", name="powers of the input", size=tensor_bytes(inputs[0], mode)),
            *(Saved("extra", name=name, size=size) for name in ("means", "signs", "magnitudes", "sums")),
        )

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        p = self.norm_type
        # nn.LPPool1d alone of all pools refuses a tuple of one.
        one = inputs[0].rank == 1
        kwargs = (
            ("norm_type", p.numerator if p.denominator == 1 else float(p)),
            ("kernel_size", self.kernel_size[0] if one else self.kernel_size),
            ("stride", self.stride[0] if one else self.stride),
        )
        return (TorchCall(torch_rank("nn.LPPool{}d", inputs[0]), kwargs),)

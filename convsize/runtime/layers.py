"""Layers that PyTorch has not, each a class that needs none of the others.

Exported files hold the classes that they use as they stand here, so lines have 88 characters.
"""

from __future__ import annotations

from functools import reduce
from math import comb

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch import Tensor, nn


class LayerNorm(nn.LayerNorm):
    """Layer normalisation over dimension 1, the depth, at every position."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class RMSNorm(nn.RMSNorm):
    """RMS normalisation over dimension 1, the depth, at every position."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class GlobalResponseNorm(nn.Module):
    """Maps weighted by their norms over the mean of all maps' norms, and added."""

    def __init__(self, shape: tuple[int, ...], eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))
        self.bias = nn.Parameter(torch.zeros(shape))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        axes = tuple(range(2, x.dim()))
        norms: Tensor = torch.linalg.vector_norm(x, dim=axes, keepdim=True)
        factors = norms / (norms.mean(1, keepdim=True) + self.eps)
        return x + ((x * factors) * self.weight + self.bias)


class FilterResponseNorm(nn.Module):
    """Maps over the roots of the means of their squares, with a gain and a bias."""

    def __init__(self, shape: tuple[int, ...], eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        mean: Tensor = x.pow(2).mean(tuple(range(2, x.dim())), keepdim=True)
        return x * (mean + self.eps).rsqrt() * self.weight + self.bias


class ThresholdedLinear(nn.Module):
    """The larger one of a value and a learned threshold."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.tau = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return torch.maximum(x, self.tau)


class Embedding(nn.Embedding):
    """Tokens 1@L to vectors d@L."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.squeeze(1).long()).movedim(-1, 1)


class Scale(nn.Module):
    """A learned factor that broadcasts over its input."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class Bias(nn.Module):
    """A learned bias that broadcasts over its input."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias


class Affine(nn.Module):
    """A learned gain and a learned bias that broadcast over their input."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias


class Plus(nn.Module):
    """A given number for every map is added."""

    def __init__(self, terms: tuple[float, ...]) -> None:
        super().__init__()
        self.terms = terms

    def forward(self, x: Tensor) -> Tensor:
        terms = torch.tensor(self.terms, dtype=x.dtype, device=x.device)
        return x + terms.reshape(-1, *(1,) * (x.dim() - 2))


class Times(nn.Module):
    """Every map is multiplied by a given number."""

    def __init__(self, factors: tuple[float, ...]) -> None:
        super().__init__()
        self.factors = factors

    def forward(self, x: Tensor) -> Tensor:
        factors = torch.tensor(self.factors, dtype=x.dtype, device=x.device)
        return x * factors.reshape(-1, *(1,) * (x.dim() - 2))


class DropPath(nn.Module):
    """Stochastic depth: a sample's whole branch is dropped with probability p."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = x.new_empty((x.shape[0], *(1,) * (x.dim() - 1))).bernoulli_(1 - self.p)
        return x * (kept / (1 - self.p) if self.p < 1 else kept)


class Pick(nn.Module):
    """The maps of the given numbers, in their order."""

    def __init__(self, indices: tuple[int, ...]) -> None:
        super().__init__()
        self.indices = indices

    def forward(self, x: Tensor) -> Tensor:
        return x[:, torch.tensor(self.indices, device=x.device)]


class Crop(nn.Module):
    """The middle of the first operand, as large as the second."""

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        amounts: list[int] = []
        pairs = zip(x.shape[2:], other.shape[2:], strict=True)
        for extent, kept in reversed([*pairs]):
            before = (extent - kept) // 2
            amounts += (-before, before + kept - extent)
        return F.pad(x, amounts)


class Gate(nn.Module):
    """A product whose flat operands get an axis of 1 for every axis of the others."""

    def forward(self, *operands: Tensor) -> Tensor:
        rank = max(operand.dim() for operand in operands)
        axes = [(1,) * (rank - operand.dim()) for operand in operands]
        pairs = zip(operands, axes, strict=True)
        return reduce(torch.mul, [x.reshape(*x.shape, *ones) for x, ones in pairs])


class Sum(nn.Module):
    """A sum whose flat operands get an axis of 1 for every axis of the others."""

    def forward(self, *operands: Tensor) -> Tensor:
        rank = max(operand.dim() for operand in operands)
        axes = [(1,) * (rank - operand.dim()) for operand in operands]
        pairs = zip(operands, axes, strict=True)
        return reduce(torch.add, [x.reshape(*x.shape, *ones) for x, ones in pairs])


class Difference(nn.Module):
    """A difference whose flat operands get an axis of 1 for every axis of the others."""

    def forward(self, *operands: Tensor) -> Tensor:
        rank = max(operand.dim() for operand in operands)
        axes = [(1,) * (rank - operand.dim()) for operand in operands]
        pairs = zip(operands, axes, strict=True)
        return reduce(torch.sub, [x.reshape(*x.shape, *ones) for x, ones in pairs])


class Quotient(nn.Module):
    """A quotient whose flat operands get an axis of 1 for every axis of the others."""

    def forward(self, *operands: Tensor) -> Tensor:
        rank = max(operand.dim() for operand in operands)
        axes = [(1,) * (rank - operand.dim()) for operand in operands]
        pairs = zip(operands, axes, strict=True)
        return reduce(torch.div, [x.reshape(*x.shape, *ones) for x, ones in pairs])


class AveragePool(nn.Module):
    """Average pooling that is dilated, or whose uneven padding does not count.

    `padding` is in F.pad's order; `overhang` is what rounding up adds after each
    axis, which never counts.
    """

    def __init__(
        self,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        overhang: tuple[int, ...],
        dilation: tuple[int, ...],
        count_include_pad: bool,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.overhang = tuple(end for extra in reversed(overhang) for end in (0, extra))
        self.dilation = dilation
        self.count_include_pad = count_include_pad
        self._slide = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(kernel_size)]

    def forward(self, x: Tensor) -> Tensor:
        maps = x.reshape(-1, 1, *x.shape[2:])
        ones = x.new_ones((1, 1, *self.kernel_size))
        counted = torch.ones_like(maps[:1])
        counted = F.pad(counted, self.padding, value=float(self.count_include_pad))
        counted = F.pad(counted, self.overhang)
        both = [a + b for a, b in zip(self.padding, self.overhang, strict=True)]
        padded = F.pad(maps, both) if any(both) else maps
        sums = self._slide(padded, ones, None, self.stride, 0, self.dilation)
        counts = self._slide(counted, ones, None, self.stride, 0, self.dilation)
        return (sums / counts).reshape(*x.shape[:2], *sums.shape[2:])


class Attention(nn.Module):
    """Attention in heads over all positions.

    The depth holds queries, keys and values, each with its heads one after another; or
    keys and values are given, in one tensor or in two.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, x: Tensor, *given: Tensor) -> Tensor:
        if len(given) == 1:
            given = given[0].chunk(2, dim=1)
        parts = (x, *given) if given else x.chunk(3, dim=1)
        q, k, v = (self._in_heads(part) for part in parts)
        out = F.scaled_dot_product_attention(q, k, v)
        return out.mT.reshape(x.shape[0], -1, *x.shape[2:])

    def _in_heads(self, x: Tensor) -> Tensor:
        """D@L as heads of L vectors, those of a position one after another."""
        x = x.flatten(2).mT.clone(memory_format=torch.contiguous_format)
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class WrittenAttention(nn.Module):
    """Attention in heads, written out: for what is added to the scores, and for keys
    that are not as deep as values.

    bias: whether offsets between the positions of a window of these extents have a
    learned number for each head, "relative" by their signs or "distance" without. Of an
    image that was shifted before its windows were cut, positions do not see those that
    came from the other end.
    """

    index: Tensor
    mask: Tensor

    def __init__(
        self,
        heads: int,
        key_depth: int,
        extents: tuple[int, ...] = (),
        bias: str = "",
        image: tuple[int, ...] = (),
        window: int = 0,
        shift: int = 0,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.key_depth = key_depth
        self.bias = bias
        self.shift = shift
        if bias:
            axes = [torch.arange(extent) for extent in extents]
            places = torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)
            index, count = torch.zeros((), dtype=torch.int64), 1
            for place, extent in zip(places, extents, strict=True):
                offset = place[:, None] - place
                signed = bias == "relative"
                size = 2 * extent - 1 if signed else extent
                index = index * size + (offset + extent - 1 if signed else offset.abs())
                count *= size
            self.weight = nn.Parameter(torch.zeros(count, heads))
            self.register_buffer("index", index)
        if shift:
            rank, axes = len(image), [torch.arange(extent) for extent in image]
            limits = [(extent - window, extent - shift) for extent in image]
            pairs = zip(axes, limits, strict=True)
            parts = [(at >= first).int() + (at >= last) for at, (first, last) in pairs]
            regions = torch.stack(torch.meshgrid(*parts, indexing="ij"), dim=-1)
            cut = [n for extent in image for n in (extent // window, window)]
            order = (*range(0, 2 * rank, 2), *range(1, 2 * rank, 2), 2 * rank)
            regions = regions.reshape(*cut, rank).permute(order)
            regions = regions.reshape(-1, window**rank, rank)
            apart = (regions[:, None, :, None] != regions[:, None, None]).any(-1)
            self.register_buffer("mask", torch.where(apart, -100.0, 0.0))

    def forward(self, x: Tensor, *given: Tensor) -> Tensor:
        keys = self.heads * self.key_depth
        if not given:
            parts = torch.split(x, [keys, keys, x.shape[1] - 2 * keys], dim=1)
        elif len(given) == 1:
            values = given[0].shape[1] - keys
            parts = (x, *torch.split(given[0], [keys, values], dim=1))
        else:
            parts = (x, *given)
        q, k, v = (self._in_heads(part) for part in parts)
        scores: Tensor = (q * self.key_depth**-0.5) @ k.mT
        if self.bias:
            scores = scores + self.weight[self.index].movedim(-1, 0)
        if self.shift:
            shape = (-1, self.mask.shape[0], *scores.shape[1:])
            scores = (scores.view(shape) + self.mask).view(scores.shape)
        out = scores.softmax(-1) @ v
        return out.mT.reshape(x.shape[0], -1, *x.shape[2:])

    def _in_heads(self, x: Tensor) -> Tensor:
        """D@L as heads of L vectors, those of a head one after another."""
        x = x.reshape(x.shape[0], self.heads, x.shape[1] // self.heads, -1)
        return x.mT.clone(memory_format=torch.contiguous_format)


class Position(nn.Module):
    """A learned value for every map at every position, added."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight


class Token(nn.Module):
    """Learned positions in front of a sequence."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.weight.expand(x.shape[0], -1, -1), x), dim=2)


class Blur(nn.Module):
    """Every map convolved with a fixed filter of binomial coefficients."""

    weight: Tensor

    def __init__(
        self,
        channels: int,
        kernel_size: tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
    ) -> None:
        super().__init__()
        weight = torch.ones(channels, 1, *kernel_size)
        for axis, size in enumerate(kernel_size, start=2):
            row = [comb(size - 1, k) / 2 ** (size - 1) for k in range(size)]
            weight = weight * torch.tensor(row).view(-1, *(1,) * (weight.dim() - axis - 1))
        self.register_buffer("weight", weight)
        self.slide = (stride, padding, 1, channels)
        self.convolve = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(kernel_size)]

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x, self.weight, None, *self.slide)


class StdConv(nn.Module):
    """A convolution whose filters have mean 0 and variance 1.

    With `gain` each is scaled, by a learned gain over the root of its size.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
        gain: bool = False,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        shape = (out_channels, in_channels // groups, *kernel_size)
        self.weight = nn.Parameter(torch.empty(shape))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        ones = torch.ones(out_channels, *(1,) * (len(shape) - 1))
        self.gain = nn.Parameter(ones) if gain else None
        self.eps = eps
        self.slide = (stride, padding, dilation, groups)
        self.convolve = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(kernel_size)]

    def forward(self, x: Tensor) -> Tensor:
        rows = self.weight.reshape(1, self.weight.shape[0], -1)
        gain = None
        if self.gain is not None:
            gain = (self.gain * rows.shape[2] ** -0.5).view(-1)
        rows = F.batch_norm(rows, None, None, gain, None, True, 0.0, self.eps)
        return self.convolve(x, rows.reshape_as(self.weight), self.bias, *self.slide)


class ChannelAttention(nn.Module):
    """Attention in heads between maps: by their cosines, times a learned temperature."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.weight = nn.Parameter(torch.ones(heads, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (self._in_heads(part) for part in x.chunk(3, dim=1))
        scores = (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).mT) * self.weight
        out: Tensor = scores.softmax(-1) @ v
        return out.reshape(x.shape[0], -1, *x.shape[2:])

    def _in_heads(self, x: Tensor) -> Tensor:
        """D@L as heads of maps."""
        x = x.reshape(x.shape[0], self.heads, x.shape[1] // self.heads, -1)
        return x.clone(memory_format=torch.contiguous_format)

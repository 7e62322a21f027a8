"""How feature maps lie in memory: map by map, or with the depth innermost, as PyTorch's channels_last."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def channels_last(tensor: Tensor) -> Tensor:
    """Maps of two axes with the depth innermost; any other tensor as it is."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def to_channels_last(module: nn.Module) -> nn.Module:
    """The module itself, its convolutions' weights over two axes with the depth innermost."""
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

"""Workspaces of cuDNN and cuBLAS, measured on a GPU: every distinct convolution once, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from convsize.analyses.memory.workspaces import ConvolutionCall
from convsize.runtime.calls import build_call


def measure_workspaces(calls: Iterable[ConvolutionCall], dtype: str) -> dict[str, int]:
    """The bytes by key that each call takes on the GPU besides the tensors that it is given and gives."""
    found: dict[str, int] = {}
    for call in calls:
        forward, backward = call.key(dtype, "forward"), call.key(dtype, "backward")
        if forward not in found or backward not in found:
            found[forward], found[backward] = _measured(call, getattr(torch, dtype))
    return found


def measure_cublas() -> int:
    """The bytes of one workspace of cuBLAS: what stays after the first matrix product."""
    left = torch.ones((64, 64), device="cuda")
    torch._C._cuda_clearCublasWorkspaces()
    before = _current()
    product = left @ left
    torch.cuda.synchronize()
    return _current() - before - _size(product)


def _measured(call: ConvolutionCall, dtype: torch.dtype) -> tuple[int, int]:
    layer = build_call(call.call).to("cuda", dtype)
    source = torch.rand(call.shape, device="cuda", dtype=dtype, requires_grad=call.needs)
    wanted = [source] if call.needs else []
    wanted += list(layer.parameters())
    # The first call chooses the plan, and may try several.
    _backward(layer(source), wanted)
    output, forward = _besides(lambda: layer(source))
    (result,) = output
    _, backward = _besides(lambda: _backward(result, wanted))
    return forward, backward


def _backward(output: Tensor, wanted: list[Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(output, wanted, torch.ones_like(output))


def _besides(work: Callable[[], Tensor | tuple[Tensor, ...]]) -> tuple[tuple[Tensor, ...], int]:
    """What work gives, and the bytes that it takes at its peak besides that."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = _current()
    results = work()
    torch.cuda.synchronize()
    kept = results if isinstance(results, tuple) else (results,)
    peak = torch.cuda.memory_stats()["requested_bytes.all.peak"]
    return kept, max(peak - before - sum(map(_size, kept)), 0)


def _current() -> int:
    current: int = torch.cuda.memory_stats()["requested_bytes.all.current"]
    return current


def _size(tensor: Tensor) -> int:
    return tensor.untyped_storage().nbytes()

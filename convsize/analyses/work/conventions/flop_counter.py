"""PyTorch's own FlopCounterMode, and the operations that torchvision states for its models."""

from __future__ import annotations

from convsize.analyses.work.conventions.base import Convention, Counted, Met, as_ours


def _doubled(met: Met) -> Counted:
    return Counted(2 * met.macs, "a multiply-add is two operations" if met.macs else "")


TORCH = Convention(
    name="torch",
    version="2.13.0",
    unit="FLOPs, two a multiply-add",
    says="Convolutions and matrix products and nothing else; attention too, but for CPUs' fused kernel.",
    source="https://docs.pytorch.org/docs/stable/utils.html",
    rules={},
    otherwise=_doubled,
)

TORCHVISION = Convention(
    name="torchvision",
    version="0.29.1",
    unit="operations, one a multiply-add",
    says="Convolutions and matrix products, those of attention included, and nothing else, as we count them.",
    source="https://docs.pytorch.org/vision/stable/models.html",
    rules={},
    otherwise=as_ours,
)

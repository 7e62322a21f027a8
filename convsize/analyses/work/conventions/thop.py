"""thop (pytorch-OpCounter): modules by their exact class, in what it calls MACs."""

from __future__ import annotations

from fractions import Fraction
from math import prod

from convsize.analyses.work.conventions.base import WRITTEN, Convention, Counted, Met, as_ours, nothing, times

_UPSAMPLING = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}


def _transposed(met: Met) -> Counted:
    stride = met.leaving * met.kernel * (met.inputs[0].channels // _groups(met))
    return Counted(stride, "by output size, as if the stride were 1")


def _groups(met: Met) -> int:
    groups = met.setting("groups")
    return groups if isinstance(groups, int) else 1


def _norm(met: Met) -> Counted:
    return Counted((4 if met.affine else 2) * met.entering, "4 a value, 2 without a gain")


def _softmax(met: Met) -> Counted:
    axis = met.setting("dim")
    assert isinstance(axis, int)
    length = met.dims[axis - 1]
    return Counted(met.entering // length * (3 * length - 1), "exponentials, sums and divisions")


def _adaptive(met: Met) -> Counted:
    window = Fraction(prod(met.inputs[0].spatial), prod(met.output.spatial))
    return Counted(int((window + 1) * met.leaving), "its additions, and a division")


def _upsample(met: Met) -> Counted:
    mode = str(met.setting("mode") or "nearest")
    return Counted(_UPSAMPLING.get(mode, 0) * met.leaving, "1 a value nearest, 5, 11 or 259 interpolated")


CONVENTION = Convention(
    name="thop",
    version="0.1.1.post2209072238",
    unit="MACs",
    says="Modules by their exact class. Biases are left out; norms, average pools, upsampling and softmax are added.",
    source="https://github.com/Lyken17/pytorch-OpCounter",
    rules={
        "nn.Conv": as_ours,
        "nn.Linear": as_ours,
        "nn.ConvTranspose": _transposed,
        "nn.BatchNorm": _norm,
        "nn.InstanceNorm": _norm,
        "nn.LayerNorm": _norm,
        "nn.PReLU": times(1, "1 a value"),
        "nn.Softmax": _softmax,
        "nn.AvgPool": times(1, "1 a value that leaves"),
        "nn.AdaptiveAvgPool": _adaptive,
        "nn.Upsample": _upsample,
    },
    otherwise=nothing,
    unknown=WRITTEN | {"convsize.LayerNorm"},
)

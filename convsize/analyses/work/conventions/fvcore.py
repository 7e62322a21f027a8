"""fvcore (FlopCountAnalysis): the operators of a trace, in what it calls FLOPs, a multiply-add being one."""

from __future__ import annotations

from convsize.analyses.work.conventions.base import WRITTEN, Convention, Counted, Met, as_ours, nothing


def _batch_norm(met: Met) -> Counted:
    return Counted((2 if met.affine else 1) * met.entering, "2 a value, 1 without a gain")


def _norm(met: Met) -> Counted:
    return Counted((5 if met.affine else 4) * met.entering, "5 a value, 4 without a gain")


def _upsample(met: Met) -> Counted:
    mode = met.setting("mode") or "nearest"
    if met.output.rank != 2 or mode not in ("nearest", "bilinear"):
        return nothing(met)
    return Counted((4 if mode == "bilinear" else 1) * met.leaving, "1 a value nearest, 4 bilinear")


def _adaptive(met: Met) -> Counted:
    if len(met.inputs[0].spatial) != 2:
        return nothing(met)
    return Counted(met.entering, "1 a value that enters")


CONVENTION = Convention(
    name="fvcore",
    version="0.1.5.post20221221",
    unit="FLOPs, one a multiply-add",
    says="Operators of a trace. Biases are left out; norms, upsampling and adaptive average pools are added.",
    source="https://github.com/facebookresearch/fvcore/blob/main/docs/flop_count.md",
    rules={
        "nn.Conv": as_ours,
        "nn.ConvTranspose": as_ours,
        "nn.Linear": as_ours,
        "nn.BatchNorm": _batch_norm,
        "nn.GroupNorm": _norm,
        "nn.InstanceNorm": _norm,
        "convsize.LayerNorm": _norm,
        "nn.Upsample": _upsample,
        "F.interpolate": _upsample,
        "nn.AdaptiveAvgPool": _adaptive,
    },
    otherwise=nothing,
    unknown=WRITTEN,
)

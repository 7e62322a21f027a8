"""ptflops, by its first backend: modules and the functions that they call, in what it calls MACs."""

from __future__ import annotations

from convsize.analyses.work.conventions.base import WRITTEN, Convention, Counted, Met, Rule, nothing

_TWICE = "2 a value: counted twice"


def _weights(met: Met) -> Counted:
    bias = met.leaving if met.has("bias") else 0
    return Counted(met.macs + bias, "biases too" if bias else "")


def _norm(met: Met) -> Counted:
    return Counted((2 if met.affine else 1) * met.entering, "2 a value, 1 without a gain")


def _each(factor: int) -> Rule:
    why = _TWICE if factor == 2 else "1 a value"
    return lambda met: Counted(factor * met.entering, why)


def _upsample(met: Met) -> Counted:
    return Counted(2 * met.leaving, _TWICE) if met.name == "nn.Upsample" else Counted(met.leaving, "1 a value")


def _response(met: Met) -> Counted:
    (volume,), size = met.inputs, met.setting("size")
    assert isinstance(size, int)
    padded = (volume.channels + size - 1) * volume.area
    return Counted(3 * volume.elements + padded, "two products, a sum, and the pool inside")


CONVENTION = Convention(
    name="ptflops",
    version="0.7.5",
    unit="MACs",
    says="Modules and functions. Biases, norms, pools, upsampling and most activations are added; what a module "
    "hands on to a function is counted twice.",
    source="https://github.com/sovrasov/flops-counter.pytorch",
    rules={
        "nn.Conv": _weights,
        "nn.ConvTranspose": _weights,
        "nn.Linear": _weights,
        "nn.BatchNorm": _norm,
        "nn.InstanceNorm": _norm,
        "nn.GroupNorm": _norm,
        "nn.ReLU": _each(2),
        "nn.ReLU6": _each(1),
        "nn.LeakyReLU": _each(1),
        "nn.PReLU": _each(2),
        "nn.ELU": _each(2),
        "nn.GELU": _each(2),
        "nn.SiLU": _each(1),
        "nn.Softmax": _each(1),
        "nn.MaxPool": _each(2),
        "nn.AvgPool": _each(2),
        "nn.AdaptiveAvgPool": _each(2),
        "nn.AdaptiveMaxPool": _each(2),
        "nn.LocalResponseNorm": _response,
        "nn.Upsample": _upsample,
        "F.interpolate": _upsample,
    },
    otherwise=nothing,
    unknown=WRITTEN | {"convsize.LayerNorm"},
)

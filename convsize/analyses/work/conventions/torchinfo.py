"""torchinfo (torch-summary): parameters times positions, in what it calls mult-adds."""

from __future__ import annotations

from math import prod

from convsize.analyses.work.conventions.base import WRITTEN, Convention, Counted, Met, nothing


def _convolution(met: Met) -> Counted:
    why = "biases too" if met.has("bias") else ""
    return Counted(met.values_of("weight", "bias") * prod(met.output.spatial), why)


def _transposed(met: Met) -> Counted:
    why = "by output size, as if the stride were 1; biases too"
    return Counted(met.values_of("weight", "bias") * prod(met.output.spatial), why)


def _linear(met: Met) -> Counted:
    return Counted(met.values_of("weight", "bias"), "biases too" if met.has("bias") else "")


def _others(met: Met) -> Counted:
    values = met.values_of("weight", "bias")
    if not values:
        return nothing(met)
    return Counted(values, "each parameter once, however many positions there are")


CONVENTION = Convention(
    name="torchinfo",
    version="1.8.0",
    unit="mult-adds",
    says="Each parameter, biases included, times the positions of its output in a convolution, and once elsewhere.",
    source="https://github.com/TylerYep/torchinfo",
    rules={"nn.Conv": _convolution, "nn.ConvTranspose": _transposed, "nn.Linear": _linear},
    otherwise=_others,
    unknown=WRITTEN,
)

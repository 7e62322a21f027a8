"""Autocast: which operators compute in half precision, which in float32, and the copies that this takes.

Source: ATen/autocast_mode.h for CUDA and ATen/autocast_mode.cpp for a CPU, whose list is another one. PyTorch 2.13.
"""

from __future__ import annotations

from convsize.analyses.memory.tape import Device, Leaf, Tape, Value


def _ranks(*names: str) -> set[str]:
    return {f"nn.{name}{rank}d" for name in names for rank in (1, 2, 3)}


HALF = frozenset({*_ranks("Conv", "ConvTranspose"), "nn.Linear", "nn.PReLU"})
"""Calls whose inputs and parameters are cast to the half precision type."""

INSIDE = frozenset({"convsize.Attention", "convsize.WrittenAttention", "convsize.ChannelAttention", "convsize.StdConv"})
"""Calls that compute in half precision, and cast within what they take."""

FLOAT: dict[Device, frozenset[str]] = {
    "cpu": frozenset(
        {"nn.ReflectionPad1d", "nn.ReflectionPad2d", *_ranks("ReplicationPad")}
        | {"nn.MaxPool3d", "nn.AvgPool3d", "nn.AdaptiveAvgPool3d", "nn.AdaptiveMaxPool3d", "F.avg_pool3d"}
        | {"F.cross_entropy", "F.mse_loss", "F.smooth_l1_loss"}
    ),
    "cuda": frozenset(
        {"nn.GroupNorm", "nn.LayerNorm", "convsize.LayerNorm", "nn.RMSNorm", "convsize.RMSNorm"}
        | {"nn.Softplus", "nn.Softmax", "nn.LogSoftmax"}
        | {
            "nn.Upsample",
            "torch.pow",
            "torch.exp",
            "torch.log",
            *_ranks("LPPool"),
            "F.nll_loss",
            "F.mse_loss",
            "F.smooth_l1_loss",
        }
    ),
}
"""Calls whose inputs are cast to float32. All others compute in the type they are given, mixed ones in the wider."""


def cast(tape: Tape, source: Value, target: str) -> Value:
    """A tensor as a call of PyTorch takes it, held by the caller: itself, or under autocast a copy in another type."""
    if tape.autocast is None:
        return tape.share(source)
    if target in HALF:
        return to_type(tape, source, 2)
    return to_type(tape, source, 4) if target in FLOAT[tape.device] else tape.share(source)


def to_type(tape: Tape, source: Value | Leaf, itemsize: int) -> Value:
    """The values in another type, held by the caller; a tensor of that type is itself."""
    value = source.value if isinstance(source, Leaf) else source
    if value.itemsize == itemsize:
        return tape.share(value)
    before = value.itemsize
    output = tape.clone(value, itemsize)
    tape.record(output, [source], [], lambda tape, gradient: [tape.clone(gradient, before)])
    return output


def half_parameter(tape: Tape, leaf: Leaf) -> Value:
    """A parameter in half precision, held by the caller. Copies of trained ones are held until autocast ends.

    A parameter that several layers share is copied once.
    """
    if (known := tape.casts.get(id(leaf))) is not None:
        tape.recalled.add(id(leaf))
        return tape.share(known)
    copy = to_type(tape, leaf, 2)
    if leaf.trained:
        tape.casts[id(leaf)] = tape.share(copy)
    return copy


def end_autocast(tape: Tape) -> None:
    """The context is left: its copies of parameters live on only where backward keeps them."""
    for copy in tape.casts.values():
        tape.release(copy)
    tape.casts.clear()
    tape.autocast = None

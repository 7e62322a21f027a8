"""What every PyTorch call of a layer does on the tape: what it allocates, keeps for backward, and gives back there.

What is kept is what the layer's op states; the recorders know in which order and at which operator it comes and goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convsize.analyses.memory import composites as arithmetic
from convsize.analyses.memory import moves as moves
from convsize.analyses.memory import reductions, standard
from convsize.analyses.memory import single_kernels as kernels
from convsize.analyses.memory.attention import attention, channel_attention, written_attention
from convsize.analyses.memory.autocast import HALF, cast, half_parameter
from convsize.analyses.memory.call import Call, Layer, Recorder, padded_shape
from convsize.analyses.memory.norms import filter_response_norm, global_response_norm, rms_norm
from convsize.analyses.memory.strides import Extents
from convsize.analyses.memory.tape import Leaf, Tape, Value
from convsize.errors import UsageError
from convsize.ops.base import TorchCall


def run(tape: Tape, layer: Layer, inputs: Sequence[Value]) -> Value:
    """A layer's forward pass: its output, held by the caller, who goes on holding the inputs.

    Raises UsageError where what a call of PyTorch allocates is not known.
    """
    calls = layer.op.torch(*layer.shapes)
    values = list(inputs)
    for place, call in enumerate(calls):
        recorder = RECORDERS.get(call.kernel)
        if recorder is None:
            raise UsageError(
                f"the training memory of {layer.name} is not known: what {call.kernel} holds has not been measured; "
                f"an op can say that it is like a call which is known: `TorchCall({call.kernel!r}, …, like='nn.ReLU6')`"
            )
        result = (layer.mode.batch, *_result(calls[place + 1 :], layer.output.dims))
        if tape.autocast is None:
            output = recorder(Call(tape, layer, _arguments(call), result, layer.mode, layer.leaves), values)
        else:
            output = _autocast(tape, layer, call, result, recorder, values)
        if place:
            tape.release(values[0])
        values = [output]
    return values[0]


def _autocast(
    tape: Tape, layer: Layer, call: TorchCall, result: Extents, recorder: Recorder, values: Sequence[Value]
) -> Value:
    """A call on copies of its inputs and its parameters in the type that autocast wants for it."""
    # The last argument is cast first: GCC, which PyTorch is built with, evaluates arguments from right to left.
    copies: dict[str, Value] = {}
    parameters: Mapping[str, Leaf | Value] = layer.leaves
    if call.kernel in HALF:
        names = reversed(layer.leaves)
        parameters = copies = {name: half_parameter(tape, layer.leaves[name]) for name in names}
    casts = [cast(tape, value, call.kernel) for value in reversed(values)][::-1]
    mode = layer.mode.replace(itemsize=casts[0].itemsize)
    output = recorder(Call(tape, layer, _arguments(call), result, mode, parameters), casts)
    for value in (*casts, *copies.values()):
        tape.release(value)
    return output


def _arguments(call: TorchCall) -> dict[str, object]:
    """What a call is given: of what is computed as a convolution, what that would be given."""
    return dict((call.convolution or call).kwargs)


def _result(after: Sequence[TorchCall], dims: Extents) -> Extents:
    """The shape in front of the calls that follow a layer's own: they crop, scale or reshape."""
    for call in reversed(after):
        if call.target == "F.pad":
            amounts = dict(call.kwargs)["pad"]
            assert isinstance(amounts, tuple)
            dims = padded_shape(dims, tuple(-int(amount) for amount in amounts))
    return dims


def _ranks(name: str, recorder: Recorder, ranks: Sequence[int] = (1, 2, 3)) -> dict[str, Recorder]:
    return {f"nn.{name}{rank}d": recorder for rank in ranks}


_OF_THEIR_INPUT = (
    "nn.ELU",
    "nn.SELU",
    "nn.GELU",
    "nn.SiLU",
    "nn.Mish",
    "nn.Hardswish",
    "nn.Hardsigmoid",
    "nn.Softplus",
)
"""Activations whose backward takes their input."""

RECORDERS: dict[str, Recorder] = {
    **_ranks("Conv", kernels.convolution),
    **_ranks("ConvTranspose", kernels.transposed_convolution),
    **_ranks("BatchNorm", kernels.batch_norm),
    **_ranks("InstanceNorm", kernels.instance_norm),
    **_ranks("MaxPool", kernels.pool, (2, 3)),
    "nn.MaxPool1d": kernels.line_pool,
    **_ranks("AvgPool", kernels.pool, (1, 2)),
    "nn.AvgPool3d": kernels.contiguous_pool,
    **_ranks("LPPool", arithmetic.lp_pool),
    **_ranks("AdaptiveMaxPool", kernels.adaptive_max_pool),
    **_ranks("AdaptiveAvgPool", kernels.mean_pool),
    "nn.Linear": kernels.linear,
    "nn.GroupNorm": kernels.group_norm,
    "nn.LayerNorm": kernels.norm,
    "convsize.LayerNorm": kernels.layer_norm,
    "nn.RMSNorm": rms_norm,
    "convsize.RMSNorm": rms_norm,
    "convsize.GlobalResponseNorm": global_response_norm,
    "convsize.FilterResponseNorm": filter_response_norm,
    "nn.ReLU": kernels.activation("output", "gradient"),
    "nn.ReLU6": kernels.activation("gradient", "input", preserves=True),
    "nn.LeakyReLU": kernels.activation("input", "gradient"),
    **{f"nn.{name}": kernels.activation("gradient", "output") for name in ("Sigmoid", "Tanh")},
    **dict.fromkeys(_OF_THEIR_INPUT, kernels.activation("gradient", "input")),
    "nn.GLU": kernels.gated,
    "nn.Softmax": kernels.softmax,
    "nn.LogSoftmax": kernels.softmax,
    "nn.PReLU": kernels.prelu,
    "nn.Upsample": kernels.resample,
    "nn.PixelShuffle": kernels.resample,
    "nn.PixelUnshuffle": kernels.resample,
    "nn.ChannelShuffle": moves.channel_shuffle,
    "nn.LocalResponseNorm": arithmetic.local_response_norm,
    "nn.Dropout": arithmetic.dropout,
    "nn.Flatten": moves.flatten,
    "F.pad": moves.pad,
    **_ranks("ReflectionPad", moves.mirrored),
    **_ranks("ReplicationPad", moves.mirrored),
    **_ranks("CircularPad", moves.wrapped),
    "torch.add": arithmetic.sum_of,
    "torch.sub": arithmetic.folded(arithmetic.subtract),
    "torch.mul": arithmetic.multiply,
    "torch.div": arithmetic.folded(arithmetic.divide),
    "torch.abs": arithmetic.absolute,
    "torch.exp": kernels.activation("gradient", "output"),
    "torch.log": kernels.activation("gradient", "input"),
    "torch.sqrt": arithmetic.square_root,
    "torch.pow": arithmetic.power,
    "torch.clamp": arithmetic.one_bound,
    "torch.mean": reductions.mean,
    "torch.sum": reductions.total,
    "torch.amax": reductions.extreme,
    "torch.amin": reductions.extreme,
    "torch.linalg.vector_norm": reductions.vector_norm,
    "torch.var": reductions.variance,
    "torch.std": reductions.deviation,
    "torch.cat": moves.concatenate,
    "torch.narrow": moves.narrow,
    "torch.reshape": moves.reshape,
    "torch.permute": moves.permute,
    "torch.roll": moves.roll,
    "convsize.AveragePool": arithmetic.average_pool,
    "convsize.Scale": arithmetic.scale,
    "convsize.ThresholdedLinear": arithmetic.threshold,
    "convsize.Bias": arithmetic.bias,
    "convsize.Affine": arithmetic.affine,
    "convsize.Plus": arithmetic.plus,
    "convsize.Times": arithmetic.times,
    "convsize.DropPath": arithmetic.drop_path,
    "convsize.Pick": moves.pick,
    "convsize.Gate": arithmetic.spread(arithmetic.product),
    "convsize.Sum": arithmetic.spread(arithmetic.add),
    "convsize.Difference": arithmetic.spread(arithmetic.subtract),
    "convsize.Quotient": arithmetic.spread(arithmetic.divide),
    "convsize.Embedding": moves.embedding,
    "convsize.StdConv": standard.convolution,
    "convsize.Attention": attention,
    "convsize.WrittenAttention": written_attention,
    "convsize.ChannelAttention": channel_attention,
    "convsize.Position": arithmetic.position,
    "convsize.Token": moves.token,
}
"""What each call does; a call that is not here is an error, never a zero."""

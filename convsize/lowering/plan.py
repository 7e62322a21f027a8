"""The plan: a network as PyTorch calls in order, plain data that the module, the source and JSON are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from convsize.analyses.selection.blocks import Block, matching_blocks, overwriting
from convsize.analyses.selection.logits import trailing_softmax
from convsize.analyses.selection.tokens import token_values
from convsize.graph.network import Network, Node
from convsize.ops.base import Parameter, TorchCall
from convsize.record import Record


class PlanInput(Record):
    """An input: its name, its volume, and whether it holds whole numbers (tokens) instead of real ones."""

    name: str
    dims: tuple[int, ...]
    tokens: bool


class Init(Record):
    """How a layer's weights start.

    scheme: "he" before rectifiers (variance 2/(fan_in·(1 + slope²)): He et al. 2015), "glorot" elsewhere (variance
    2/(fan_in + fan_out): Glorot & Bengio 2010). slope: that of the rectifier below 0.
    """

    scheme: Literal["he", "glorot"]
    slope: float = 0.0


class Step(Record):
    """One layer.

    name: the node's name. module: the prefix of its parameters, bot3.conv2 of bot3.conv2.weight: another name than its
    own where it stands in a `shared` block, whose uses are calls of one module. again: whether a step before it has
    the same parameters.
    calls: `before` take the inputs and prepare them (padding, flattening), `call` is the layer itself, `after` follow.
    inputs: values it reads; value i is input i, or the output of step i - len(inputs of the plan).
    dead: values that no later step reads and that are no outputs: their storage may go.
    source: the node's index in the network.
    """

    name: str
    op: str
    spec: str
    before: tuple[TorchCall, ...]
    call: TorchCall
    after: tuple[TorchCall, ...]
    inputs: tuple[int, ...]
    dead: tuple[int, ...]
    output: tuple[int, ...]
    in_place: bool
    parameters: tuple[Parameter, ...]
    init: Init | None
    source: int
    module: str
    again: bool = False

    @property
    def calls(self) -> tuple[TorchCall, ...]:
        """All its calls in order."""
        return (*self.before, self.call, *self.after)


class PlanBlock(Record):
    """Steps, from number `start` to before `end`, that run under a checkpoint: backward runs them again.

    inputs: the values that they read of others; outputs: those of them that others read; dead: the values of others
    that may go afterwards. random: whether one of them draws random numbers.
    """

    name: str
    start: int
    end: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    dead: tuple[int, ...]
    random: bool


class Plan(Record):
    """A network as calls of PyTorch.

    outputs: the trunk's end ("main") and the heads, each with the value it is. logits says that a softmax at an output
    was left out: losses take what stands before it. blocks: what runs under a checkpoint in training.
    """

    name: str
    inputs: tuple[PlanInput, ...]
    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, int], ...]
    logits: bool
    blocks: tuple[PlanBlock, ...] = ()


_RECTIFIERS = {
    "nn.ReLU": 0.0,
    "nn.ReLU6": 0.0,
    "nn.PReLU": 0.25,
    "nn.ELU": 0.0,
    "nn.SELU": 1.0,
    "nn.GELU": 0.0,
    "nn.SiLU": 0.0,
    "nn.Mish": 0.0,
    "nn.Hardswish": 0.0,
    "nn.Softplus": 0.0,
}
_SATURATING = {"nn.Sigmoid", "nn.Tanh", "nn.Hardsigmoid", "nn.Hardtanh", "nn.Softmax", "nn.LogSoftmax"}
_WEIGHTED = ("nn.Conv", "nn.Linear", "convsize.StdConv")


def lower(network: Network, *, logits: bool = False, in_place: bool = True, checkpoint: tuple[str, ...] = ()) -> Plan:
    """The plan of a network; with `logits` without the softmax or log-softmax that ends an output.

    in_place: whether activations overwrite their input where that saves memory. checkpoint: patterns of blocks that
    keep nothing in training but their inputs, and are run again in the backward pass.

    Raises UsageError where a pattern has no block, or where tokens are computed with.
    """
    ends = dict(network.outputs)
    dropped: frozenset[int] = frozenset()
    if logits:
        dropped = trailing_softmax(network)
        ends = {name: network.nodes[end].inputs[0] if end in dropped else end for name, end in ends.items()}
    order = [node for node in network.nodes if not node.inputs]
    inputs = len(order)
    order += [node for node in network.layers if node.index not in dropped]
    place = {node.index: at for at, node in enumerate(order)}
    last = {place[index]: at for at, node in enumerate(order) for index in node.reads}
    kept = {place[end] for end in ends.values()}
    blocks = matching_blocks(network, checkpoint, dropped)
    overwritten = overwriting(network, blocks) if in_place else frozenset()
    tokens = token_values(network)
    readers = _readers(network)
    inits = _inits(network, readers)
    steps = []
    for at, node in enumerate(order[inputs:], start=inputs):
        shapes = network.input_shapes(node)
        calls = node.op.torch(*shapes)
        if node.index in overwritten:
            calls = tuple(call.replace(kwargs=(*call.kwargs, ("inplace", True))) for call in calls)
        if node.like is not None:
            calls = tuple(_like(call) for call in calls)
        own = next((i for i, call in enumerate(calls) if _is_layer(call)), 0)
        reads = tuple(place[index] for index in node.reads)
        unused = () if at in last or at in kept else (at,)
        steps.append(
            Step(
                name=node.name,
                op=node.op.NAME,
                spec=node.spec,
                before=calls[:own],
                call=calls[own],
                after=calls[own + 1 :],
                inputs=reads,
                dead=(*sorted({index for index in reads if last[index] == at and index not in kept}), *unused),
                output=node.output.dims,
                in_place=node.index in overwritten,
                parameters=node.op.parameters(*shapes),
                init=inits[node.index] if calls[own].target.startswith(_WEIGHTED) else None,
                source=node.index,
                module=node.module,
                again=node.first is not None,
            )
        )
    return Plan(
        name=network.name,
        inputs=tuple(
            PlanInput(name, network.nodes[index].output.dims, index in tokens) for name, index in network.inputs.items()
        ),
        steps=tuple(steps),
        outputs=tuple((name, place[end]) for name, end in ends.items()),
        logits=bool(dropped),
        blocks=tuple(_block(block, place, steps, inputs) for block in blocks),
    )


def _block(block: Block, place: Mapping[int, int], steps: Sequence[Step], inputs: int) -> PlanBlock:
    start, end = place[block.members[0]] - inputs, place[block.members[-1]] - inputs + 1
    outside = tuple(place[index] for index in block.inputs)
    dead = {index for step in steps[start:end] for index in step.dead}
    return PlanBlock(
        block.name,
        start,
        end,
        outside,
        tuple(place[index] for index in block.outputs),
        tuple(index for index in outside if index in dead),
        block.random,
    )


def _like(call: TorchCall) -> TorchCall:
    """A resizing or a crop to stated extents as what reads them of its second operand."""
    if call.target == "F.pad":
        return TorchCall("convsize.Crop", like=call.kernel)
    kwargs = tuple((key, value) for key, value in call.kwargs if key != "size")
    return call.replace(target="F.interpolate", kwargs=kwargs, like=call.kernel)


def _is_layer(call: TorchCall) -> bool:
    """Whether a call is the layer's own and neither its padding nor its flattening."""
    return call.target.startswith(("nn.", "convsize.")) and call.target != "nn.Flatten"


def _readers(network: Network) -> list[list[Node]]:
    readers: list[list[Node]] = [[] for _ in network.nodes]
    for node in network.nodes:
        for index in node.inputs:
            readers[index].append(node)
    return readers


def _inits(network: Network, readers: list[list[Node]]) -> list[Init]:
    """How weights start whose values go on from each node, by index.

    He's way where a rectifier comes next, Glorot's where a saturating function, the next weights or nothing does; what
    lies between (norms, sums, pools) makes no difference.
    """
    glorot = Init("glorot")
    ahead = [glorot] * len(network.nodes)
    own: list[Init | None] = [None] * len(network.nodes)
    for node in reversed(network.nodes):
        found = (own[reader.index] or ahead[reader.index] for reader in readers[node.index])
        ahead[node.index] = next((init for init in found if init.scheme == "he"), glorot)
        if not node.inputs:
            continue
        call = node.op.torch(*network.input_shapes(node))[-1]
        target = call.kernel
        if call.target == "nn.LeakyReLU":
            slope = dict(call.kwargs)["negative_slope"]
            assert isinstance(slope, float)
            own[node.index] = Init("he", slope)
        elif call.target in _SATURATING:
            own[node.index] = glorot
        elif target in _RECTIFIERS:
            own[node.index] = Init("he", _RECTIFIERS[target])
        elif target in _SATURATING or target.startswith(_WEIGHTED):
            own[node.index] = glorot
    return ahead

"""A step of training, or a forward pass of evaluation, replayed on the tape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from convsize.analyses.memory import optimizer
from convsize.analyses.memory.autocast import end_autocast
from convsize.analyses.memory.call import Layer
from convsize.analyses.memory.checkpoint import Frame
from convsize.analyses.memory.kernel_choice import require_kernels
from convsize.analyses.memory.loss import loss_of, losses_of, target, total
from convsize.analyses.memory.recorders import run
from convsize.analyses.memory.tape import Leaf, Moment, Node, Storage, Tape, Value, nodes_behind
from convsize.analyses.selection.blocks import Block, matching_blocks, overwriting
from convsize.analyses.selection.frozen import frozen_layers
from convsize.analyses.selection.logits import trailing_softmax
from convsize.analyses.selection.tokens import TOKEN, token_values
from convsize.batches import require_batch
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.ops.base import SaveMode
from convsize.records import AUTOCAST, ITEM_SIZES, TrainingMoment, TrainingPeak, TrainingSetting
from convsize.records.optimizers import OPTIMIZERS
from convsize.words import listed


def require_known(setting: TrainingSetting) -> None:
    """Raises UsageError where a setting makes no sense, whatever the network."""
    require_batch(setting.batch)
    if setting.optimizer not in OPTIMIZERS:
        raise UsageError(f"there is no optimizer `{setting.optimizer}` here; there are: {', '.join(OPTIMIZERS)}")
    if setting.accumulate < 1:
        raise UsageError(f"gradients are accumulated over at least one batch, not {setting.accumulate}")
    if setting.dtype not in ITEM_SIZES:
        raise UsageError(f"training memory is known for {', '.join(ITEM_SIZES)}, not for `{setting.dtype}`")
    if setting.autocast is not None and setting.autocast not in AUTOCAST:
        raise UsageError(f"autocast computes in {listed(AUTOCAST, 'or')}, not in `{setting.autocast}`")
    if setting.autocast is not None and setting.dtype != "float32":
        raise UsageError(f"autocast is for a network in float32, not in {setting.dtype}: leave one of them out")
    if setting.inference and (setting.checkpoint or setting.losses or setting.accumulate > 1):
        raise UsageError("inference has no loss and no backward pass: leave losses, checkpoints and accumulation out")


def smallest_batch(network: Network, frozen: tuple[str, ...] = (), *, inference: bool = False) -> int:
    """The smallest batch that PyTorch trains: 2 where a norm would see a single value of every map.

    frozen: patterns of layers that are not trained; a batch norm among them keeps its statistics, as all do in
    inference. A group norm whose groups are single maps has none to keep.

    Raises UsageError where a pattern has no layer.
    """
    left_out = trailing_softmax(network) | frozen_layers(network, frozen)
    for node in network.layers:
        by_map = node.op.STATISTICS == "group" and any(
            dict(call.kwargs).get("num_groups") == node.output.channels
            for call in node.op.torch(*network.input_shapes(node))
        )
        over_batch = node.op.STATISTICS == "batch" and not inference and node.index not in left_out
        if node.output.area == 1 and (by_map or over_batch):
            return 2
    return 1


class Step:
    """A model, its optimizer and its batch on a tape, and the steps that are run on them."""

    def __init__(
        self, network: Network, setting: TrainingSetting, watch: Callable[[Storage, bool], None] | None = None
    ) -> None:
        """`watch` is shown every storage that comes (True) or goes.

        Raises UsageError where the setting makes no sense for the network.
        """
        require_known(setting)
        if setting.device == "cpu":
            require_kernels(network, setting.dtype)
        smallest = smallest_batch(network, setting.frozen, inference=setting.inference)
        if setting.batch < smallest:
            raise UsageError(
                f"{network.name}: PyTorch {'computes' if setting.inference else 'trains'} no norm on a single value a "
                f"map, as there is in a batch of {setting.batch}: use a batch of at least {smallest}, or freeze the "
                "batch norm"
            )
        self.network = network
        self.setting = setting
        self.optimizer = OPTIMIZERS[setting.optimizer]
        self.itemsize = ITEM_SIZES[setting.dtype]
        self.tape = Tape(setting.device)
        self.tape.half = setting.autocast or setting.dtype
        self.tape.watch = watch
        self.tape.recording = not setting.inference
        self.saved: list[tuple[int, int]] = []
        self.leaves: list[Leaf] = []
        self.states: list[list[Value]] = []
        self._outputs: list[Value] = []
        self._dropped = frozenset() if setting.inference else trailing_softmax(network)
        blocks = matching_blocks(network, setting.checkpoint, self._dropped)
        self._program = _program(network, blocks, self._dropped)
        self._overwriting = overwriting(network, blocks) if setting.in_place else frozenset[int]()
        self._frozen = frozen_layers(network, setting.frozen)
        self._own: list[dict[str, Leaf]] = []
        for index in range(len(network.nodes)):
            self._own.append(self._parameters(index))
        self._ends = {
            name: network.nodes[end].inputs[0] if end in self._dropped else end for name, end in network.outputs.items()
        }
        self._dead = self._last_readers()
        self._tokens = token_values(network)
        self._inputs = {node.index: self._input(node.index) for node in network.nodes if not node.inputs}
        self._losses = losses_of(network, setting.losses)
        self._targets: dict[str, Value] = {}
        if not setting.inference:
            for name, end in self._ends.items():
                self._targets[name] = target(self.tape, self._losses[name], self._shape(end), self.itemsize)

    def _shape(self, index: int) -> tuple[int, ...]:
        return (self.setting.batch, *self.network.nodes[index].output.dims)

    def _input(self, index: int) -> Value:
        itemsize = TOKEN if index in self._tokens else self.itemsize
        return self.tape.empty(self._shape(index), None, itemsize, "inputs")

    def _parameters(self, index: int) -> dict[str, Leaf]:
        node = self.network.nodes[index]
        if index in self._dropped:
            return {}
        if node.first is not None:
            return self._own[node.first]
        found = {}
        frozen = index in self._frozen
        for parameter in self.network.parameters(node):
            buffer = parameter.role == "buffer"
            itemsize = 8 if parameter.dtype == "int64" else self.itemsize
            kind: Literal["buffers", "parameters"] = "buffers" if buffer else "parameters"
            value = self.tape.empty(parameter.shape, None, itemsize, kind)
            leaf = found[parameter.name] = Leaf(parameter.name, value, index, trained=not (buffer or frozen))
            self.leaves.append(leaf)
        return found

    def _last_readers(self) -> dict[int, list[int]]:
        """What may go after every layer: values that no later one reads and that are no outputs."""
        ends = set(self._ends.values())
        last: dict[int, int] = {}
        for node in self.network.layers:
            if node.index not in self._dropped:
                last |= dict.fromkeys(node.reads, node.index)
                last.setdefault(node.index, node.index)
        dead: dict[int, list[int]] = {}
        for index, reader in last.items():
            if index not in ends and self.network.nodes[index].inputs:
                dead.setdefault(reader, []).append(index)
        return dead

    def bytes(self, kind: Literal["parameters", "buffers"]) -> int:
        """The bytes of all parameters, or of all buffers."""
        return self.tape.by_kind[kind]

    # ---- steps -------------------------------------------------------------------------------------------------------

    def run(self) -> TrainingPeak:
        """A training step; in inference a forward pass."""
        tape = self.tape
        tape.moment, tape.layer = "forward", -1
        for leaf in self.leaves:
            if leaf.gradient is not None:
                tape.release(leaf.gradient)
                leaf.gradient = None
        tape.start()
        held: list[Value] = []
        if self.setting.inference:
            self.forward()
        else:
            for turn in range(min(self.setting.accumulate, 2)):
                # Every batch after the first finds gradients to add to; a third one is like the second.
                if turn:
                    self._forget(held)
                held = [self._pass()]
            tape.at("optimizer", -1)
            # The optimizer passes over parameters that no gradient has reached.
            trained = [leaf for leaf in self.leaves if leaf.gradient is not None]
            optimizer.step(self.optimizer, tape, trained, self.states)
        tape.close()
        peak = self._peak()
        self._forget(held)
        return peak

    def _peak(self) -> TrainingPeak:
        moment, layer = self.tape.peak_at
        return TrainingPeak(
            bytes=self.tape.peak,
            moment=moment,
            layer=self._name(layer),
            parts=tuple(self.tape.peak_kinds.items()),
            timeline=tuple(
                TrainingMoment(each.moment, self._name(each.layer), each.highest, each.end)
                for each in self.tape.stretches
            ),
        )

    def _name(self, index: int) -> str | None:
        return self.network.nodes[index].name if index >= 0 else None

    def _pass(self) -> Value:
        """Forward and backward."""
        loss = self.loss()
        try:
            self.tape.backward(loss)
        except ValueError:
            raise UsageError(
                f"{self.network.name}: no parameter is trained, so there is no training step: ask for the forward pass "
                "alone, `--inference`, or `--infer` of profile"
            ) from None
        return loss

    def _forget(self, held: Sequence[Value]) -> None:
        """The caller lets go of the loss and the outputs."""
        for value in (*held, *self._outputs):
            self.tape.release(value)
        self._outputs = []

    def loss(self) -> Value:
        """The forward pass with the loss, which the caller holds."""
        tape = self.tape
        values = self.forward()
        tape.at("loss", -1)
        tape.autocast = self.setting.autocast
        found = total(
            tape,
            [loss_of(tape, self._losses[name], values[end], self._targets[name]) for name, end in self._ends.items()],
        )
        end_autocast(tape)
        self.saved = _saved(found)
        return found

    def forward(self) -> dict[int, Value]:
        """The forward pass: the outputs, which are held until they are forgotten."""
        tape = self.tape
        tape.autocast = self.setting.autocast
        values = dict(self._inputs)
        for block, members in self._program:
            if block is None:
                self._layers("forward", members, values)
            else:
                self._checkpointed(block, values)
        if self.setting.inference:
            end_autocast(tape)
        ends = dict.fromkeys(self._ends.values())
        self._outputs = [values[end] for end in ends if self.network.nodes[end].inputs]
        return values

    def _layers(self, moment: Moment, members: Sequence[int], values: dict[int, Value]) -> None:
        """Runs layers on values by node, which go as soon as no later layer reads them."""
        tape, network, setting = self.tape, self.network, self.setting
        for index in members:
            node = network.nodes[index]
            tape.at(moment, index)
            inputs = [values[each] for each in node.inputs]
            own = self._own[index]
            mode = SaveMode(
                batch=setting.batch,
                device=setting.device,
                # What is frozen stays in evaluation mode: statistics of batch norms are kept, nothing is dropped.
                training=not setting.inference and index not in self._frozen,
                inplace=index in self._overwriting,
                needs=tuple(tape.needs(each) for each in inputs),
                trains=any(leaf.trained for leaf in own.values()),
                itemsize=self.itemsize,
                parameter_itemsize=self.itemsize,
            )
            layer = Layer(
                node.name, node.op, network.input_shapes(node), node.output, mode, own, index in self._overwriting
            )
            values[index] = run(tape, layer, inputs)
            for each in self._dead.get(index, ()):
                tape.release(values.pop(each))

    def _checkpointed(self, block: Block, values: dict[int, Value]) -> None:
        """A block that keeps nothing but its inputs, which the caller holds at least until it has run."""
        tape = self.tape
        inputs = [values[index] for index in block.inputs]
        leaves = [leaf for member in block.members for leaf in self._own[member].values()]
        frame = Frame(tape, inputs, leaves, random=block.random)

        def run_layers(moment: Moment) -> dict[int, Value]:
            own = {index: tape.share(value) for index, value in zip(block.inputs, frame.inputs, strict=True)}
            self._layers(moment, block.members, own)
            return own

        def again() -> None:
            run_layers("recompute")

        frame.again = again
        tape.block = frame
        found = run_layers("forward")
        tape.block = None
        for index, value in found.items():
            if index in block.outputs:
                values[index] = value
            else:
                tape.release(value)
        frame.leave(tape)
        for member in block.members:
            for index in self._dead.get(member, ()):
                if index in values:
                    tape.release(values.pop(index))


def _program(
    network: Network, blocks: Sequence[Block], dropped: frozenset[int]
) -> list[tuple[Block | None, tuple[int, ...]]]:
    """The layers in order, those of a block together."""
    first = {block.members[0]: block for block in blocks}
    inside = {index for block in blocks for index in block.members}
    found: list[tuple[Block | None, tuple[int, ...]]] = []
    for node in network.layers:
        if node.index in first:
            found.append((first[node.index], first[node.index].members))
        elif node.index not in inside and node.index not in dropped:
            found.append((None, (node.index,)))
    return found


def _saved(loss: Value) -> list[tuple[int, int]]:
    """The storages that the graph keeps besides parameters, buffers and inputs: the bytes of every layer's own."""
    if not isinstance(loss.node, Node):
        return []
    seen: set[int] = set()
    by_layer: dict[int, int] = {}
    for node in nodes_behind(loss.node):
        for storage in (*node.kept, *(node.block.held if node.block is not None else ())):
            if id(storage) not in seen and storage.kind == "activations":
                seen.add(id(storage))
                by_layer[storage.layer] = by_layer.get(storage.layer, 0) + storage.size
    return sorted(by_layer.items(), key=lambda each: (each[0] < 0, each[0]))

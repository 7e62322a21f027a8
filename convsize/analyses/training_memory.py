"""Training memory: what a step of training holds, at every operator boundary, by replaying it on the tape."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

from convsize.analyses.in_place import in_place
from convsize.analyses.logits import trailing_softmax
from convsize.analyses.training_calls import Layer, run
from convsize.analyses.training_optimizer import OPTIMIZERS
from convsize.analyses.training_tape import Leaf, Node, Tape, Value, nodes_behind
from convsize.errors import UsageError, nearest
from convsize.graph.network import Network
from convsize.ops.base import SaveMode
from convsize.ops.batch_norm import BatchNorm
from convsize.ops.embed import Embedding
from convsize.records import ITEM_SIZES, TrainingChoice, TrainingMemory, TrainingMoment, TrainingPeak, TrainingSetting

DTYPES = ("float32", "float64", "bfloat16")
"""The types in which predictions were held against PyTorch."""


def training_memory(network: Network, setting: TrainingSetting) -> TrainingMemory:
    """What training holds: saved for backward, and the peak of the first and of a later step.

    A step is what a training loop does: gradients set to None, the forward pass, the cross entropy of every output
    (summed where there are several), the backward pass, and the optimizer's step, one parameter at a time. The caller
    holds the inputs and the targets, and the outputs and the loss to the end of the step. A softmax that ends an output
    is left out.

    Raises UsageError where the setting makes no sense, or where what a layer holds is not known.
    """
    if setting.device != "cpu":
        raise UsageError(f"the peak of training is not known on `{setting.device}`")
    step = _Step(network, setting)
    first = step.run()
    saved = step.saved
    later = step.run()
    return TrainingMemory(
        name=network.name,
        source=network.source,
        setting=setting,
        parameters=step.bytes("parameters"),
        buffers=step.bytes("buffers"),
        gradients=sum(leaf.value.size for leaf in step.leaves if leaf.gradient is not None),
        optimizer_state=step.tape.by_kind["optimizer"],
        inputs=step.tape.by_kind["inputs"],
        saved=sum(size for _, size in saved),
        saved_by_layer=tuple((_name(network, layer), size) for layer, size in saved),
        first=first,
        steady=later,
    )


def saved_bytes(network: Network, setting: TrainingSetting) -> int:
    """The bytes that autograd's graph holds after the forward pass and the loss; not parameters, buffers and inputs.

    On "cuda" without the space that cuDNN reserves for itself in a batch norm.
    """
    step = _Step(network, setting)
    step.forward()
    return sum(size for _, size in step.saved)


def what_if_choices(network: Network, setting: TrainingSetting) -> tuple[TrainingChoice, ...]:
    """The peaks under the usual optimizers and types, all else as it is set."""
    return tuple(
        TrainingChoice(
            optimizer,
            dtype,
            training_memory(network, setting._replace(optimizer=optimizer, dtype=dtype)).peak.bytes,
        )
        for optimizer in ("sgd", "momentum", "adamw")
        for dtype in ("float32", "bfloat16")
    )


def smallest_batch(network: Network) -> int:
    """The smallest batch that PyTorch trains: 2 where a batch norm would see a single value of every map."""
    dropped = trailing_softmax(network)
    alone = any(
        isinstance(node.op, BatchNorm) and node.output.area == 1 for node in network.layers if node.index not in dropped
    )
    return 2 if alone else 1


def require_known(setting: TrainingSetting) -> None:
    """Raises UsageError where a setting makes no sense, or is one whose memory is not known."""
    if setting.batch < 1:
        raise UsageError(f"a batch holds at least one sample, not {setting.batch}")
    if setting.optimizer not in OPTIMIZERS:
        raise UsageError(f"there is no optimizer `{setting.optimizer}` here; there are: {', '.join(OPTIMIZERS)}")
    if setting.accumulate < 1:
        raise UsageError(f"gradients are accumulated over at least one batch, not {setting.accumulate}")
    if setting.dtype not in DTYPES:
        raise UsageError(f"training memory is known for {', '.join(DTYPES)}, not for `{setting.dtype}`")
    unknown = TrainingSetting()
    for name in ("autocast", "losses", "in_place", "checkpoint", "inference"):
        if getattr(setting, name) != getattr(unknown, name):
            raise UsageError(f"training memory is not known with {name.replace('_', ' ')} set")


def _matching(network: Network, patterns: tuple[str, ...]) -> frozenset[int]:
    """The layers that patterns of names are about: `down*` has the layers of every block of such a name.

    Raises UsageError where a pattern has no layer.
    """
    found: set[int] = set()
    for pattern in patterns:
        own = {n.index for n in network.layers if fnmatchcase(n.name, pattern) or fnmatchcase(n.name, f"{pattern}.*")}
        if not own:
            near = nearest(pattern, [node.name for node in network.layers])
            guess = f": did you mean `{near}`?" if near else ""
            raise UsageError(f"{network.name}: no layer is called `{pattern}`{guess}")
        found |= own
    return frozenset(found)


def _name(network: Network, index: int) -> str:
    return "loss" if index < 0 else network.nodes[index].name


class _Step:
    """A model, its optimizer and its batch on a tape, and the training steps that are run on them."""

    def __init__(self, network: Network, setting: TrainingSetting) -> None:
        require_known(setting)
        if setting.batch < smallest_batch(network):
            raise UsageError(
                f"{network.name}: PyTorch trains no batch norm on a single value a map, as there is in a batch of "
                f"{setting.batch}: take a batch of {smallest_batch(network)} or more"
            )
        self.network = network
        self.setting = setting
        self.optimizer = OPTIMIZERS[setting.optimizer]
        self.itemsize = ITEM_SIZES[setting.dtype]
        self.tape = Tape()
        self.saved: list[tuple[int, int]] = []
        self.leaves: list[Leaf] = []
        self.states: list[list[Value]] = []
        self._outputs: list[Value] = []
        self._overwriting = in_place(network)
        self._dropped = trailing_softmax(network)
        self._frozen = _matching(network, setting.frozen)
        self._own = [self._parameters(index) for index in range(len(network.nodes))]
        self._ends = [network.nodes[end].inputs[0] if end in self._dropped else end for end in network.outputs.values()]
        last: dict[int, int] = {}
        for node in network.layers:
            if node.index not in self._dropped:
                last |= dict.fromkeys(node.inputs, node.index)
        self._unread = {node.index for node in network.layers} - set(last) - set(self._ends)
        self._dead: dict[int, list[int]] = {}
        for index, reader in last.items():
            if index not in self._ends and network.nodes[index].inputs:
                self._dead.setdefault(reader, []).append(index)
        self._inputs = {node.index: self._input(node.index) for node in network.nodes if not node.inputs}
        for end in self._ends:
            shape = self._shape(end)
            self.tape.empty((shape[0], *shape[2:]), None, 8, "inputs")

    def _shape(self, index: int) -> tuple[int, ...]:
        return (self.setting.batch, *self.network.nodes[index].output.dims)

    def _input(self, index: int) -> Value:
        tokens = any(isinstance(node.op, Embedding) for node in self.network.nodes if index in node.inputs)
        return self.tape.empty(self._shape(index), None, 8 if tokens else self.itemsize, "inputs")

    def _parameters(self, index: int) -> dict[str, Leaf]:
        node = self.network.nodes[index]
        if index in self._dropped:
            return {}
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

    def bytes(self, kind: Literal["parameters", "buffers"]) -> int:
        """The bytes of all parameters, or of all buffers."""
        return self.tape.by_kind[kind]

    def run(self) -> TrainingPeak:
        """A training step."""
        tape = self.tape
        tape.moment, tape.layer = "forward", -1
        for leaf in self.leaves:
            if leaf.gradient is not None:
                tape.release(leaf.gradient)
                leaf.gradient = None
        tape.start()
        loss = self._pass()
        if self.setting.accumulate > 1:
            # Every batch after the first finds gradients to add to; a third one is like the second.
            self._forget(loss)
            loss = self._pass()
        tape.at("optimizer", -1)
        # The optimizer passes over parameters that no gradient has reached.
        trained = [leaf for leaf in self.leaves if leaf.gradient is not None]
        self.optimizer.step(tape, trained, self.states)
        tape.close()
        moment, layer = tape.peak_at
        peak = TrainingPeak(
            bytes=tape.peak,
            moment=moment,
            layer=_name(self.network, layer) if layer >= 0 else None,
            parts=tuple(tape.peak_kinds.items()),
            timeline=tuple(
                TrainingMoment(each.moment, _name(self.network, each.layer) if each.layer >= 0 else None, *each[2:])
                for each in tape.stretches
            ),
        )
        self._forget(loss)
        return peak

    def _pass(self) -> Value:
        """Forward and backward."""
        loss = self.forward()
        try:
            self.tape.backward(loss)
        except ValueError:
            raise UsageError(f"{self.network.name}: no parameter is trained") from None
        return loss

    def _forget(self, loss: Value) -> None:
        """The caller lets go of the loss and the outputs."""
        for value in (loss, *self._outputs):
            self.tape.release(value)

    def forward(self) -> Value:
        """The forward pass with the loss, which the caller holds."""
        tape, network, setting = self.tape, self.network, self.setting
        values: dict[int, Value] = dict(self._inputs)
        for node in network.layers:
            if node.index in self._dropped:
                continue
            tape.at("forward", node.index)
            inputs = [values[index] for index in node.inputs]
            own = self._own[node.index]
            mode = SaveMode(
                batch=setting.batch,
                device=setting.device,
                inplace=node.index in self._overwriting,
                needs=tuple(tape.needs(each) for each in inputs),
                trains=any(leaf.trained for leaf in own.values()),
                itemsize=self.itemsize,
            )
            layer = Layer(
                node.name, node.op, network.input_shapes(node), node.output, mode, own, node.index in self._overwriting
            )
            values[node.index] = run(tape, layer, inputs)
            for index in self._dead.get(node.index, ()):
                tape.release(values.pop(index))
            if node.index in self._unread:
                tape.release(values.pop(node.index))
        tape.at("loss", -1)
        losses = [_cross_entropy(tape, values[end]) for end in self._ends]
        total = losses[0]
        for other in losses[1:]:
            before, total = total, _added(tape, total, other)
            tape.release(other)
            tape.release(before)
        self._outputs = [values[end] for end in dict.fromkeys(self._ends) if network.nodes[end].inputs]
        self.saved = self._saved(total)
        return total

    def _saved(self, loss: Value) -> list[tuple[int, int]]:
        """The storages that the graph keeps besides parameters, buffers and inputs: the bytes of every layer's own."""
        if not isinstance(loss.node, Node):
            return []
        seen: set[int] = set()
        by_layer: dict[int, int] = {}
        for node in nodes_behind(loss.node):
            for storage in node.kept:
                if id(storage) not in seen and storage.kind == "activations":
                    seen.add(id(storage))
                    by_layer[storage.layer] = by_layer.get(storage.layer, 0) + storage.size
        return sorted(by_layer.items(), key=lambda each: (each[0] < 0, each[0]))


def _cross_entropy(tape: Tape, logits: Value) -> Value:
    """log_softmax, which keeps its result, and nll_loss, which keeps that and the sum of the weights; 4-byte loss."""
    log = tape.like(logits)
    tape.record(log, [logits], [log.storage], lambda tape, gradient: [tape.like(gradient)])
    loss = tape.empty((), None, logits.itemsize, "other")
    weights = tape.empty((), None, logits.itemsize)
    shape, strides, itemsize = log.shape, log.strides, log.itemsize
    tape.record(loss, [log], [log.storage, weights.storage], lambda tape, _: [tape.empty(shape, strides, itemsize)])
    tape.release(log)
    tape.release(weights)
    return loss


def _added(tape: Tape, first: Value, second: Value) -> Value:
    total = tape.empty((), None, first.itemsize, "other")
    tape.record(total, [first, second], [], lambda tape, gradient: [tape.share(gradient), tape.share(gradient)])
    return total

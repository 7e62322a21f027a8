"""Training memory: what a step of training holds, at every operator boundary, by replaying it on the tape."""

from __future__ import annotations

from convsize.analyses.training_step import Step
from convsize.graph.network import Network
from convsize.records import TrainingChoice, TrainingMemory, TrainingSetting


def training_memory(network: Network, setting: TrainingSetting) -> TrainingMemory:
    """What training holds: saved for backward, and the peak of the first and of a later step.

    A step is what a training loop does: gradients set to None, the forward pass, the loss of every output (summed
    where there are several), the backward pass, and the optimizer's step: on a CPU one parameter at a time, on CUDA
    all together. The caller holds the inputs and the targets, and the outputs and the loss to the end of the step. A
    softmax that ends an output is left out. In inference a step is the whole network's forward pass.

    Raises UsageError where the setting makes no sense, or where what a layer holds is not known.
    """
    step = Step(network, setting)
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
        saved_by_layer=tuple((network.nodes[layer].name if layer >= 0 else "loss", size) for layer, size in saved),
        first=first,
        steady=later,
    )


def saved_bytes(network: Network, setting: TrainingSetting) -> int:
    """The bytes that autograd's graph holds after the forward pass and the loss; not parameters, buffers and inputs.

    On "cuda" without the space that cuDNN reserves for itself in a batch norm.
    """
    step = Step(network, setting)
    step.loss()
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

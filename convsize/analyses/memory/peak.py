"""Training memory: what a step of training holds, at every operator boundary, by replaying it on the tape."""

from __future__ import annotations

from convsize.analyses.memory.kernel_choice import without_kernel
from convsize.analyses.memory.step import Step
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.records import DeviceShare, TrainingChoice, TrainingMemory, TrainingSetting
from convsize.records.device import Device
from convsize.words import listed


def training_memory(network: Network, setting: TrainingSetting, device: Device | None = None) -> TrainingMemory:
    """What training holds: saved for backward, and the peak of the first and of a later step.

    A step is what a training loop does: gradients set to None, the forward pass, the loss of every output (summed
    where there are several), the backward pass, and the optimizer's step: on a CPU one parameter at a time, on CUDA
    all together. The caller holds the inputs and the targets, and the outputs and the loss to the end of the step. A
    softmax that ends an output is left out. In inference a step is the whole network's forward pass. device: what is
    known of the GPU where the setting's device is one.

    Raises UsageError where the setting makes no sense, or where what a layer holds is not known.
    """
    allocator = None
    if setting.device == "cuda":
        from convsize.analyses.memory.cuda_allocator import CachingAllocator

        allocator = CachingAllocator()
    step = Step(network, setting, None if allocator is None else allocator.watch)
    first = step.run()
    saved = step.saved
    later = step.run()
    shares: tuple[DeviceShare, ...] = ()
    if allocator is not None:
        from convsize.analyses.memory.device import device_shares

        shares = device_shares(network, setting, allocator, max(first, later, key=lambda each: each.bytes), device)
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
        device=shares,
    )


def saved_bytes(network: Network, setting: TrainingSetting) -> int:
    """The bytes that autograd's graph holds after the forward pass and the loss; not parameters, buffers and inputs.

    On "cuda" without the space that cuDNN reserves for itself in a batch norm.
    """
    step = Step(network, setting)
    step.loss()
    return sum(size for _, size in step.saved)


def fatal_layers(network: Network, setting: TrainingSetting) -> tuple[str, ...]:
    """The layers whose backward ends the process of PyTorch 2.13 on a processor, with no word but a signal.

    They are group norms that are trained after a layer norm, the depth innermost, where no gradient flows further.
    """
    step = Step(network, setting)
    step.loss()
    return tuple(dict.fromkeys(network.nodes[layer].name for layer in step.tape.fatal))


def require_survivors(network: Network, setting: TrainingSetting) -> None:
    """Raises UsageError where PyTorch would end the process in the backward pass."""
    fatal = () if setting.inference else fatal_layers(network, setting)
    if fatal:
        raise UsageError(
            f"PyTorch ends the process in the backward pass of {listed(fatal)} on a CPU: its group norm fails after a "
            f"layer norm where no gradient flows further. Freeze {listed(fatal)}, too, or train a layer before"
        )


def what_if_choices(
    network: Network, setting: TrainingSetting, device: Device | None = None
) -> tuple[TrainingChoice, ...]:
    """The peaks under the usual optimizers and precisions, with and without checkpoints, all else as it is set.

    The checkpoints are the setting's, or those of all blocks; a network without blocks has none. Where a CPU cannot
    compute the network in bfloat16 that is left out.
    """
    blocks = any(node.blocks for node in network.layers)
    patterns = setting.checkpoint or (("*",) if blocks else ())

    def choice(
        optimizer: str, checkpoint: tuple[str, ...], name: str, dtype: str, autocast: str | None
    ) -> TrainingChoice:
        other = setting.replace(optimizer=optimizer, dtype=dtype, autocast=autocast, checkpoint=checkpoint)
        found = training_memory(network, other, device)
        return TrainingChoice(optimizer, name, checkpoint, found.peak.bytes, found.reserved)

    return tuple(
        choice(optimizer, checkpoint, name, dtype, autocast)
        for optimizer in ("sgd", "momentum", "adamw")
        for checkpoint in dict.fromkeys([(), patterns])
        for name, dtype, autocast in (
            ("float32", "float32", None),
            ("bfloat16", "bfloat16", None),
            ("autocast", "float32", setting.autocast or "bfloat16"),
        )
        if setting.device != "cpu" or not without_kernel(network, dtype)
    )

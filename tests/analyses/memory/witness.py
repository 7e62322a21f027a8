"""What PyTorch holds, measured by means of one's own, and what it differs by from what is predicted."""

import weakref

from convsize.analyses.memory.peak import fatal_layers, training_memory


def computed_on(network):
    """The device to read saved bytes on: on "meta" storages are told apart and have their sizes, and nothing is
    computed. Attention has no fused kernel there."""
    return "cpu" if any(node.op.KIND == "attention" for node in network.nodes) else "meta"


def saved_by_own_hooks(network, setting):
    """The bytes of the storages that are saved until the loss is there, those that exist anyway left out."""
    import torch

    from convsize.runtime.meters.step import batch_for
    from convsize.runtime.threads import computing_threads

    batch = batch_for(network, setting)
    known = [*batch.module.parameters(), *batch.module.buffers(), *batch.inputs, *batch.targets]
    anyway = {tensor.untyped_storage().data_ptr() for tensor in known}
    kept = weakref.WeakSet()

    class Kept:
        """What a node keeps, gone with the node."""

        def __init__(self, tensor):
            self.tensor = tensor.detach()
            kept.add(self)

    with computing_threads(1), torch.autograd.graph.saved_tensors_hooks(Kept, lambda each: each.tensor), batch.autocast:
        outputs = batch.module(*batch.inputs)
        each = outputs.values() if isinstance(outputs, dict) else [outputs]
        held = sum(loss(o, t) for loss, o, t in zip(batch.losses, each, batch.targets, strict=True))
    storages = [each.tensor.untyped_storage() for each in kept]
    del held
    return sum({each.data_ptr(): each.nbytes() for each in storages if each.data_ptr() not in anyway}.values())


def inference_peak(network, setting):
    """The most bytes that live at operator boundaries of a forward pass without gradients, on a CPU."""
    import torch

    from convsize.runtime.meters.step import batch_for, peak_of

    batch = batch_for(network, setting)

    def forward():
        with torch.no_grad(), batch.autocast:
            return batch.module(*batch.inputs)

    return peak_of(batch, None, forward).boundaries


def predicted_bytes(network, setting):
    """What is predicted, by name: the saved bytes, and the peaks of a first and a later step.

    Where PyTorch would end the process that is nothing.
    """
    memory = training_memory(network, setting)
    if setting.inference:
        return {"peak": memory.steady.bytes}
    if fatal_layers(network, setting):
        return {}
    return {"saved": memory.saved, "peaks": [memory.first.bytes, memory.steady.bytes]}


def measured_bytes(network, setting):
    """The same, measured on a CPU."""
    from convsize.runtime.meters.step import batch_for, peaks_by_torch

    if setting.inference:
        return {"peak": inference_peak(network, setting)}
    saved = saved_by_own_hooks(network, setting)
    peaks = peaks_by_torch(batch_for(network, setting), setting.optimizer, setting.accumulate)
    return {"saved": saved, "peaks": [each.boundaries for each in peaks]}


def differences(network, setting):
    """What differs, as (predicted, measured) by name."""
    predicted = predicted_bytes(network, setting)
    measured = measured_bytes(network, setting) if predicted else {}
    return {name: (predicted[name], each) for name, each in measured.items() if predicted[name] != each}


def assert_peaks(network, setting):
    """The peaks of the first and of a later step are PyTorch's at operator boundaries."""
    from convsize.runtime.meters.step import batch_for, peaks_by_torch

    memory = training_memory(network, setting)
    measured = peaks_by_torch(batch_for(network, setting), setting.optimizer, setting.accumulate)
    assert [memory.first.bytes, memory.steady.bytes] == [each.boundaries for each in measured]

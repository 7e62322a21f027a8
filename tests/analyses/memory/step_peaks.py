"""Predicted and measured peaks of training steps on a CPU."""

from convsize.analyses.memory.peak import training_memory


def assert_peaks(network, setting):
    """The peaks of the first and of a later step are PyTorch's at operator boundaries."""
    from convsize.runtime.meters.step import batch_for, peaks_by_torch

    memory = training_memory(network, setting)
    measured = peaks_by_torch(batch_for(network, setting), setting.optimizer, setting.accumulate)
    assert [memory.first.bytes, memory.steady.bytes] == [each.boundaries for each in measured]

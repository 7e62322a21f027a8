"""What fits: the largest batch that can be trained within a budget of memory."""

from __future__ import annotations

from convsize.analyses.training_memory import training_memory
from convsize.analyses.training_step import smallest_batch
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.records import BatchFit, TrainingMemory, TrainingSetting

LARGEST_BATCH = 2**24
"""Samples up to which a batch is looked for."""


def largest_batch(network: Network, setting: TrainingSetting, memory: int) -> BatchFit:
    """The largest batch whose training peak is at most `memory` bytes; the setting's own batch plays no role.

    The peak grows with the batch: at every operator boundary each tensor that lives there is as large as before or
    larger. It is the largest of finitely many affine functions, so a chord lies above it, and what a chord says to fit
    does.

    Raises UsageError where the budget is below one byte, or so large that a batch of 2²⁴ samples fits.
    """
    if memory < 1:
        raise UsageError(f"a budget holds at least one byte, not {memory}")
    known: dict[int, TrainingMemory] = {}

    def at(batch: int) -> TrainingMemory:
        if batch not in known:
            known[batch] = training_memory(network, setting._replace(batch=batch))
        return known[batch]

    def peak(batch: int) -> int:
        return at(batch).peak.bytes

    smallest = smallest_batch(network)
    if peak(smallest) > memory:
        return BatchFit(network.name, memory, smallest, 0, None, at(smallest))
    low, high = smallest, 2 * smallest
    while peak(high) <= memory:
        if high >= LARGEST_BATCH:
            raise UsageError(f"{network.name}: even a batch of {high:,} samples fits")
        # Beyond what the last two batches say, so that the next one is likely to lie above the budget.
        growth = max((peak(high) - peak(low)) // (high - low), 1)
        low, high = high, min(max(2 * high, high + 9 * (memory - peak(high)) // (8 * growth) + 1), LARGEST_BATCH)
    while high - low > 1:
        middle = low + (high - low) * (memory - peak(low)) // (peak(high) - peak(low))
        middle = min(max(middle, low + 1), high - 1)
        low, high = (middle, high) if peak(middle) <= memory else (low, middle)
    return BatchFit(network.name, memory, smallest, low, at(low), at(high))

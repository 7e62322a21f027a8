"""Blocks that run under torch.utils.checkpoint: they keep their inputs alone, and backward runs them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.utils.checkpoint import checkpoint

from convsize.lowering.plan import PlanBlock

Run = Callable[[int, int, list[Any]], None]
"""Runs the steps from one number to before another on a list of values, which fills and empties as it goes."""


def run_checkpointed(run: Run, steps: int, blocks: Sequence[PlanBlock], values: list[Any]) -> None:
    """All steps on a list of values, those of each block under a checkpoint."""
    done = 0
    for block in blocks:
        run(done, block.start, values)
        _run_block(run, block, values)
        done = block.end
    run(done, steps, values)


def _run_block(run: Run, block: PlanBlock, values: list[Any]) -> None:
    size = len(values)

    def forward(*inputs: Tensor) -> tuple[Tensor, ...]:
        own: list[Any] = [None] * size
        for index, value in zip(block.inputs, inputs, strict=True):
            own[index] = value
        del inputs, value
        run(block.start, block.end, own)
        return tuple(own[index] for index in block.outputs)

    # A state of the random numbers takes memory and time, and says something only where they are drawn.
    found = checkpoint(
        forward, *[values[index] for index in block.inputs], use_reentrant=False, preserve_rng_state=block.random
    )
    for index, value in zip(block.outputs, found, strict=True):
        values[index] = value
    for index in block.dead:
        values[index] = None

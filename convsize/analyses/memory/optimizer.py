"""An optimizer's step on the tape: the state that it makes, and what it needs for a moment.

On a CPU PyTorch takes the parameters one at a time, on CUDA all together ("foreach"), with temporaries as large as all
of them. Source: torch/optim/sgd.py, adam.py and adamw.py, PyTorch 2.13.
"""

from __future__ import annotations

from collections.abc import Sequence

from convsize.analyses.memory.tape import Leaf, Tape, Value
from convsize.records.optimizers import Optimizer


def step(optimizer: Optimizer, tape: Tape, leaves: Sequence[Leaf], states: list[list[Value]]) -> None:
    """A step on the tape. `states` are filled by the first one."""
    first = not states
    if first and optimizer.counts:
        # Adam makes all states before it works on any parameter. Counts stay with the processor.
        for leaf in leaves:
            state = [tape.empty((), None, 4, "optimizer")] if tape.device == "cpu" else []
            states.append([*state, *(_state(tape, leaf) for _ in range(optimizer.moments))])
    if tape.device == "cpu":
        _one_at_a_time(optimizer, tape, leaves, states, first)
    else:
        _all_together(optimizer, tape, leaves, states, first)


def _one_at_a_time(
    optimizer: Optimizer, tape: Tape, leaves: Sequence[Leaf], states: list[list[Value]], first: bool
) -> None:
    # Local variables, which live until the next parameter replaces them: Adam's denominator and a changed gradient.
    before: Value | None = None
    gradient: Value | None = None
    for leaf in leaves:
        if gradient is not None:
            tape.release(gradient)
        gradient = tape.like(leaf.value) if optimizer.decays else None
        if optimizer.counts:
            root = tape.like(leaf.value)
            number = tape.number()
            denominator = tape.like(leaf.value)
            tape.release(number)
            tape.release(root)
            if before is not None:
                tape.release(before)
            before = denominator
        elif first and optimizer.moments:
            states.append([_state(tape, leaf)])
        elif optimizer.moments:
            tape.release(tape.number())
        if optimizer.looks_ahead:
            decayed, gradient = gradient, tape.like(leaf.value)
            if decayed is not None:
                tape.release(decayed)
    for value in (before, gradient):
        if value is not None:
            tape.release(value)


def _all_together(
    optimizer: Optimizer, tape: Tape, leaves: Sequence[Leaf], states: list[list[Value]], first: bool
) -> None:
    """Nesterov's look ahead is added to the gradients in place."""
    decayed = [tape.like(leaf.value) for leaf in leaves] if optimizer.decays else []
    if not optimizer.counts and first and optimizer.moments:
        states += [[_state(tape, leaf)] for leaf in leaves]
    if optimizer.counts:
        # Adam lets go of the gradients with the decay in them before it takes its roots.
        for value in decayed:
            tape.release(value)
        decayed = [tape.like(leaf.value) for leaf in leaves]
    for value in decayed:
        tape.release(value)


def _state(tape: Tape, leaf: Leaf) -> Value:
    return tape.empty(leaf.value.shape, None, leaf.value.itemsize, "optimizer")

"""Optimizers: the state that they hold, and what their step needs for a moment, one parameter at a time.

Source: torch/optim/sgd.py, adam.py and adamw.py, the single-tensor versions, which PyTorch 2.13 takes on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from convsize.analyses.training_tape import Leaf, Tape, Value


class Optimizer(NamedTuple):
    """An optimizer by what it holds.

    moments: tensors of state as large as the parameter; counts: whether there is a 4-byte step count for each.
    decays: a weight decay that is added to a copy of the gradient (decoupled decay needs none).
    """

    moments: int
    counts: bool = False
    decays: bool = False

    def step(self, tape: Tape, leaves: Sequence[Leaf], states: list[list[Value]]) -> None:
        """A step on the tape. `states` are filled by the first one."""
        first = not states
        if first and self.counts:
            # Adam makes all states before it works on any parameter.
            for leaf in leaves:
                state = [tape.empty((), None, 4, "optimizer")]
                size = leaf.value.itemsize
                state += [tape.empty(leaf.value.shape, None, size, "optimizer") for _ in range(self.moments)]
                states.append(state)
        before: Value | None = None  # Adam's denominator is a local variable that the next one replaces.
        decayed: Value | None = None
        for leaf in leaves:
            if decayed is not None:
                tape.release(decayed)
            decayed = tape.like(leaf.value) if self.decays else None
            if self.counts:
                root = tape.like(leaf.value)
                number = tape.number()
                denominator = tape.like(leaf.value)
                tape.release(number)
                tape.release(root)
                if before is not None:
                    tape.release(before)
                before = denominator
            elif first and self.moments:
                states.append([tape.empty(leaf.value.shape, None, leaf.value.itemsize, "optimizer")])
            elif self.moments:
                tape.release(tape.number())
        for value in (before, decayed):
            if value is not None:
                tape.release(value)


OPTIMIZERS = {
    "sgd": Optimizer(0),
    "sgd-l2": Optimizer(0, decays=True),
    "momentum": Optimizer(1),
    "momentum-l2": Optimizer(1, decays=True),
    "adam": Optimizer(2, counts=True),
    "adam-l2": Optimizer(2, counts=True, decays=True),
    "adamw": Optimizer(2, counts=True),
}
"""By the name that a setting has for it."""

"""Optimizers: the state that they hold, and what their step needs for a moment.

On a CPU PyTorch takes the parameters one at a time, on CUDA all together ("foreach"), with temporaries as large as all
of them. Source: torch/optim/sgd.py, adam.py and adamw.py, PyTorch 2.13.
"""

from __future__ import annotations

from collections.abc import Sequence

from convsize.analyses.memory.tape import Leaf, Tape, Value
from convsize.record import Record


class Optimizer(Record):
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
            # Adam makes all states before it works on any parameter. Counts stay with the processor.
            for leaf in leaves:
                state = [tape.empty((), None, 4, "optimizer")] if tape.device == "cpu" else []
                states.append([*state, *(_state(tape, leaf) for _ in range(self.moments))])
        if tape.device == "cpu":
            self._one_at_a_time(tape, leaves, states, first)
        else:
            self._all_together(tape, leaves, states, first)

    def _one_at_a_time(self, tape: Tape, leaves: Sequence[Leaf], states: list[list[Value]], first: bool) -> None:
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
                states.append([_state(tape, leaf)])
            elif self.moments:
                tape.release(tape.number())
        for value in (before, decayed):
            if value is not None:
                tape.release(value)

    def _all_together(self, tape: Tape, leaves: Sequence[Leaf], states: list[list[Value]], first: bool) -> None:
        decayed = [tape.like(leaf.value) for leaf in leaves] if self.decays else []
        if not self.counts and first and self.moments:
            states += [[_state(tape, leaf)] for leaf in leaves]
        if self.counts:
            # Adam lets go of the gradients with the decay in them before it takes its roots.
            for value in decayed:
                tape.release(value)
            decayed = [tape.like(leaf.value) for leaf in leaves]
        for value in decayed:
            tape.release(value)


def _state(tape: Tape, leaf: Leaf) -> Value:
    return tape.empty(leaf.value.shape, None, leaf.value.itemsize, "optimizer")


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

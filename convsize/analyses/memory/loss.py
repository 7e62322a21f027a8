"""Losses: which output has which, and what they hold on the tape."""

from __future__ import annotations

from convsize.analyses.memory.autocast import cast
from convsize.analyses.memory.tape import Tape, Value
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.records.losses import LOSSES
from convsize.words import nearest, or_rather


def losses_of(network: Network, losses: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The loss of every output by its name; "" among the given names stands for the outputs that are not named.

    Raises UsageError where there is no such loss or output, or where one is named twice.
    """
    given: dict[str, str] = {}
    for name, loss in losses:
        if loss not in LOSSES:
            guess = or_rather(nearest(loss, LOSSES), f"there are: {', '.join(LOSSES)}")
            raise UsageError(f"there is no loss `{loss}` here{guess}")
        if name and name not in network.outputs:
            raise UsageError(f"{network.name} has no output `{name}`; it has: {', '.join(network.outputs)}")
        if name in given:
            raise UsageError(f"the loss of {f'`{name}`' if name else 'the outputs'} is given twice")
        given[name] = loss
    usual = given.get("", next(iter(LOSSES)))
    return {name: given.get(name, usual) for name in network.outputs}


def target(tape: Tape, loss: str, output: tuple[int, ...], itemsize: int) -> Value:
    """What an output is compared with: a class of 8 bytes at every position, or a value for every value."""
    if LOSSES[loss].labels:
        return tape.empty((output[0], *output[2:]), None, 8, "inputs")
    return tape.empty(output, None, itemsize, "inputs")


def loss_of(tape: Tape, loss: str, output: Value, wanted: Value) -> Value:
    """The loss of an output as a tensor, held by the caller."""
    found = LOSSES[loss]
    if found.labels:
        return _cross_entropy(tape, output)
    return _distance(tape, output, wanted, f"F.{found.function}")


def total(tape: Tape, losses: list[Value]) -> Value:
    """The sum of losses, from left to right, held by the caller, who gives up the losses once it is there."""
    found = tape.share(losses[0])
    for other in losses[1:]:
        before, found = found, tape.empty((), None, losses[0].itemsize, "other")
        needed = tape.needs(before), tape.needs(other)

        def rule(tape: Tape, gradient: Value, needed: tuple[bool, bool] = needed) -> list[Value | None]:
            return [tape.share(gradient) if each else None for each in needed]

        tape.record(found, [before, other], [], rule)
        tape.release(before)
    for loss in losses:
        tape.release(loss)
    return found


def _cross_entropy(tape: Tape, logits: Value) -> Value:
    """log_softmax, which keeps its result, and nll_loss, which keeps that and the sum of the weights.

    Under autocast a CPU computes both in float32, CUDA the second one alone, on a copy.
    """
    source = cast(tape, logits, "F.cross_entropy")
    if not tape.needs(logits):
        # All but the result is gone with the operator, a copy that autocast made once the result is there.
        loss = tape.empty((), None, 4 if tape.autocast is not None else source.itemsize, "other")
        tape.release(source)
        return loss
    log = tape.empty(source.shape, None, source.itemsize)
    tape.record(log, [source], [log.storage], _contiguous)
    taken = cast(tape, log, "F.nll_loss")
    loss = tape.empty((), None, taken.itemsize, "other")
    weights = tape.empty((), None, taken.itemsize)
    seen = taken.shape, None, taken.itemsize
    tape.record(loss, [taken], [taken.storage, weights.storage], lambda tape, _: [tape.empty(*seen)])
    for value in (source, log, taken, weights):
        tape.release(value)
    return loss


def _contiguous(tape: Tape, gradient: Value) -> list[Value | None]:
    return [tape.empty(gradient.shape, None, gradient.itemsize)]


def _distance(tape: Tape, output: Value, wanted: Value, target: str) -> Value:
    """A mean over all values of what an output and its target differ by; both are kept.

    PyTorch computes what every value gives into the result before it averages that and shrinks the result to a number:
    the number goes on holding the storage of all values.
    """
    source = cast(tape, output, target)
    loss = Value(tape.allocate(source.size, "other"), (), (), source.itemsize)
    seen = source.shape, None, source.itemsize
    tape.record(loss, [source], [source.storage, wanted.storage], lambda tape, _: [tape.empty(*seen)])
    tape.release(source)
    return loss

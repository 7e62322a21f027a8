"""Timing layers alone, in such a way that their times add up to a network's.

A layer in a hot loop finds its weights in the cache and runs up to twice as fast as in a network, so all layers take
turns in random order, with a fresh copy of their input before each. Freed memory is kept: mapping it anew for every
tensor takes as long as many a layer.
"""

from __future__ import annotations

import contextlib
import random
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import prod

import torch
from torch import Tensor, nn

from convsize.analyses.time_pieces import Layer, Piece
from convsize.record import Record
from convsize.runtime.calls import build
from convsize.runtime.clock import Clock

_AT_ONCE = 2**30
"""Bytes of inputs and weights of layers that take turns."""


class _Turn(Record):
    """A layer that takes its turn: what is timed, and what is done before."""

    key: str
    work: Callable[[], object]
    before: Callable[[], None]


def time_pieces(
    wanted: Iterable[Piece],
    dtype: torch.dtype,
    clock: Clock,
    *,
    device: str = "cpu",
    rounds: int = 4,
    together: int | None = None,
) -> dict[str, list[float]]:
    """The seconds of every distinct piece, one for each round; the first round is left out.

    together: pieces that take turns, by default all that fit into memory: those of a network. Where it is said pieces
    of like size take turns, as in a network, for what is still in a cache depends on it.

    A backward pass is timed without the engine's own cost of being called, which a network pays once.
    """
    distinct = list({piece.key: piece for piece in wanted}.values())
    engine = _engine(clock, device)
    found: dict[str, list[float]] = {piece.key: [] for piece in distinct}
    order = random.Random(0)
    if together is not None:
        distinct.sort(key=lambda piece: piece.bytes)
    for group in _groups(distinct, dtype.itemsize, together or len(distinct)):
        turns = [_turn(piece, dtype, device) for piece in group]
        for turn in range(rounds + 1):
            order.shuffle(turns)
            for each in turns:
                each.before()
                seconds = clock.once(each.work)
                if turn:
                    found[each.key].append(seconds)
    for piece in distinct:
        if piece.direction.startswith("backward"):
            found[piece.key] = [max(seconds - engine, seconds / 10) for seconds in found[piece.key]]
    return found


def median_of(times: Sequence[float]) -> float:
    """The median of a piece's rounds."""
    return statistics.median(times)


def _engine(clock: Clock, device: str) -> float:
    """What a backward pass over next to nothing takes."""
    leaf = torch.ones(1, device=device, requires_grad=True)
    gradient = torch.ones(1, device=device)
    times = []
    for _ in range(50):
        output = leaf.view_as(leaf)
        leaf.grad = None
        times.append(clock.once(lambda output=output: output.backward(gradient)))  # type: ignore[misc]
    return statistics.median(times)


def _groups(distinct: list[Piece], itemsize: int, most: int) -> Iterator[list[Piece]]:
    """Pieces in groups whose tensors fit into memory together."""
    group: list[Piece] = []
    size = 0
    for piece in distinct:
        own = 4 * itemsize * sum(map(prod, piece.layer.inputs))
        if group and (size + own > _AT_ONCE or len(group) == most):
            yield group
            group, size = [], 0
        group.append(piece)
        size += own
    if group:
        yield group


def _source(layer: Layer, dtype: torch.dtype, device: str) -> list[Tensor]:
    """Inputs as a network has them: half of the values 0, as a rectifier leaves them."""
    if layer.tokens:
        return [torch.randint(0, 50, dims, device=device) for dims in layer.inputs]
    return [torch.randn(dims, device=device, dtype=dtype).relu_() for dims in layer.inputs]


def _turn(piece: Piece, dtype: torch.dtype, device: str) -> _Turn:
    with torch.device(device):
        module: nn.Module = build(piece.layer.calls).to(dtype)
    module.train(piece.direction != "inference")
    sources = _source(piece.layer, dtype, device)
    needs = piece.direction in ("forward", "backward") and not piece.layer.tokens
    held: list[Tensor] = []

    def fresh() -> None:
        held.clear()
        for parameter in module.parameters():
            parameter.grad = None
        for each in sources:
            # The copy is no leaf, so that a layer may work on it in place.
            held.append(each.detach().requires_grad_(needs).clone() if needs else each.clone())

    if not piece.direction.startswith("backward"):
        quiet = torch.no_grad if piece.direction == "inference" else contextlib.nullcontext

        def forward() -> None:
            with quiet():
                held.append(module(*held))

        return _Turn(piece.key, forward, fresh)

    results: list[Tensor] = []

    def run() -> None:
        fresh()
        results[:] = [module(*held)]
        results.append(torch.ones_like(results[0]))

    return _Turn(piece.key, lambda: results[0].backward(results[1]), run)  # type: ignore[no-untyped-call]

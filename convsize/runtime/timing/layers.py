"""Timing layers alone, so that their times add up to a network's.

A layer in a hot loop finds its weights in the cache and runs up to twice as fast as in a network, so all layers take
turns in random order, with a fresh copy of their input before each. What a network keeps for its backward pass was
written long before it is read, so all layers run forward before the first runs backward; what it does not keep is given
back at once. Freed memory is kept by the allocator: mapping it anew for every tensor takes as long as many a layer.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterable, Iterator
from math import prod

import torch
from torch import Tensor, nn

from convsize.analyses.time.units import Layer, Piece, pieces
from convsize.graph.network import Network
from convsize.record import Record
from convsize.records.time import TimeSetting
from convsize.runtime.calls import build
from convsize.runtime.layouts import channels_last, to_channels_last
from convsize.runtime.timing.clock import Clock

_ENGINES = 5
"""Backward passes over next to nothing that take turns with every group of layers."""

_AT_ONCE = 2**30
"""Bytes of inputs and weights of layers that take turns."""


class _Turn(Record):
    """A layer that takes its turn: what is done before all turns of a round, and before this one; what is timed.

    after: gives back what nothing keeps.
    """

    key: str
    prepare: Callable[[], None]
    before: Callable[[], None]
    work: Callable[[], object]
    after: Callable[[], None]
    gradients: bool


def time_pieces(
    wanted: Iterable[Piece],
    dtype: torch.dtype,
    clock: Clock,
    *,
    device: str = "cpu",
    rounds: int = 4,
    sweeps: int = 1,
    together: int | None = None,
    in_channels_last: bool = False,
) -> dict[str, list[float]]:
    """The seconds of every distinct piece, one for each round of every sweep, in which one round more comes first.

    sweeps: how often all groups of pieces that take turns are gone through, so that a while in which other programs
    disturb the machine does not fall on all times of a piece.

    together: pieces that take turns, by default all that fit into memory: those of a network. Where it is said pieces
    of like size take turns, as in a network, for what is still in a cache depends on it. in_channels_last: maps lie
    with the depth innermost.

    What asking the clock takes is not counted, nor, in a backward pass, the engine's own cost of being called, which a
    network pays once; it takes turns with the layers, for in a loop it would be less.
    """
    distinct = list({piece.key: piece for piece in wanted}.values())
    asking = statistics.median(clock.once(_nothing) for _ in range(200))
    found: dict[str, list[float]] = {piece.key: [] for piece in distinct}
    if together is not None:
        distinct.sort(key=lambda piece: (piece.direction != "inference", piece.bytes))
    groups = list(_groups(distinct, dtype.itemsize, together or len(distinct)))
    order = random.Random(0)
    for _ in range(sweeps):
        order.shuffle(groups)
        for group in groups:
            turns = [_turn(piece, dtype, device, in_channels_last) for piece in group]
            turns += [_engine(device) for _ in range(_ENGINES)]
            times = _rounds(turns, rounds, clock, order)
            engine = statistics.median(times.pop(""))
            for piece in group:
                less = engine if piece.direction.startswith("backward") else asking
                found[piece.key] += [max(seconds - less, seconds / 10) for seconds in times[piece.key]]
    return found


def _rounds(turns: list[_Turn], rounds: int, clock: Clock, order: random.Random) -> dict[str, list[float]]:
    """The seconds of every turn by key, of all rounds but one before them."""
    found: dict[str, list[float]] = {each.key: [] for each in turns}
    for turn in range(rounds + 1):
        order.shuffle(turns)
        for each in turns:
            each.prepare()
        for each in turns:
            each.before()
            with torch.set_grad_enabled(each.gradients):
                seconds = clock.once(each.work)
            each.after()
            if turn:
                found[each.key].append(seconds)
    return found


def _nothing() -> None:
    pass


def time_layers(
    network: Network, setting: TimeSetting, clock: Clock, device: str = "cpu", *, in_channels_last: bool = False
) -> dict[str, float]:
    """The median seconds of every layer of a network by key; they take turns with each other alone, as in it."""
    wanted = pieces(network, setting.batch, setting.dtype, training=setting.training)
    times = time_pieces(wanted, getattr(torch, setting.dtype), clock, device=device, in_channels_last=in_channels_last)
    return {key: statistics.median(each) for key, each in times.items()}


def _engine(device: str) -> _Turn:
    """A backward pass over next to nothing."""
    leaf = torch.ones(1, device=device, requires_grad=True)
    gradient = torch.ones(1, device=device)
    held: list[Tensor] = []

    def forward() -> None:
        leaf.grad = None
        held.append(leaf.view_as(leaf))

    return _Turn("", forward, _nothing, lambda: held[0].backward(gradient), held.clear, gradients=True)  # type: ignore[no-untyped-call]


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
        sizes = [value for call in layer.calls for key, value in call.kwargs if key == "num_embeddings"]
        vocabulary = min(size for size in sizes if isinstance(size, int))
        return [torch.randint(0, vocabulary, dims, device=device) for dims in layer.inputs]
    return [torch.randn(dims, device=device, dtype=dtype).relu_() for dims in layer.inputs]


def _turn(piece: Piece, dtype: torch.dtype, device: str, in_channels_last: bool) -> _Turn:
    with torch.device(device):
        module: nn.Module = build(piece.layer.calls).to(dtype)
    module.train(piece.direction != "inference")
    sources = _source(piece.layer, dtype, device)
    if in_channels_last:
        to_channels_last(module)
        sources = [channels_last(each) for each in sources]
    needs = piece.direction in ("forward", "backward") and not piece.layer.tokens
    held: list[Tensor] = []

    def fresh() -> None:
        held.clear()
        for parameter in module.parameters():
            parameter.grad = None
        for each in sources:
            # The copy is no leaf, so that a layer may work on it in place.
            held.append(each.detach().requires_grad_(needs).clone() if needs else each.clone())

    def forward() -> None:
        held.append(module(*held))

    if not piece.direction.startswith("backward"):
        inference = piece.direction == "inference"
        return _Turn(piece.key, _nothing, fresh, forward, held.clear if inference else _nothing, not inference)

    def run() -> None:
        fresh()
        forward()

    def gradient() -> None:
        held.append(torch.ones_like(held[-1]))

    def backward() -> None:
        held[-2].backward(held[-1])  # type: ignore[no-untyped-call]

    return _Turn(piece.key, run, gradient, backward, held.clear, gradients=True)

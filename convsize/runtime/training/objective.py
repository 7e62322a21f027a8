"""The objective: a loss for every output that is trained, and how well each one does."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch import Tensor

from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.record import Record
from convsize.records import HeadScore, RunSettings
from convsize.records.losses import LOSSES
from convsize.words import nearest, or_rather, plural

_TOP = 5
_SUMS = 5
"""What is summed for an output: samples, loss, right answers, those among the first five, absolute error."""


class Head(Record):
    """An output with its loss, the loss' weight, and the axes of the output after the batch: (classes, *extents)."""

    name: str
    loss: str
    weight: float
    dims: tuple[int, ...]


class Objective:
    """The weighted sum of the outputs' losses, each the mean over its batch."""

    def __init__(self, heads: tuple[Head, ...], smoothing: float) -> None:
        self.heads = heads
        self._smoothing = smoothing

    def loss(self, outputs: Tensor | Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
        """The loss to go down; label smoothing is part of it."""
        found = outputs if isinstance(outputs, Mapping) else {self.heads[0].name: outputs}
        total: Tensor | None = None
        for head in self.heads:
            loss = _loss(head, found[head.name], targets[head.name], self._smoothing)
            if head.weight != 1:
                loss = loss * head.weight
            total = loss if total is None else total + loss
        assert total is not None
        return total

    def sums(self, outputs: Tensor | Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
        """What a batch adds to the test's sums: a row of `_SUMS` numbers for every output, in double precision."""
        found = outputs if isinstance(outputs, Mapping) else {self.heads[0].name: outputs}
        rows = []
        for head in self.heads:
            output, target = found[head.name].float(), targets[head.name]
            samples = output.new_tensor(len(output))
            loss = _loss(head, output, target, 0.0) * samples
            zero = output.new_zeros(())
            if LOSSES[head.loss].labels:
                # The share of a sample's places that are right, where it has more than one.
                places = target[0].numel()
                labels = _labels(head, target)
                first = (output.argmax(1) == labels).sum() / places
                among = zero
                if head.dims[0] > _TOP:
                    among = (output.topk(_TOP, 1).indices == labels.unsqueeze(1)).sum() / places
                rows.append(torch.stack((samples, loss, first, among, zero)))
            else:
                error = (output - target.reshape(output.shape)).abs().mean() * samples
                rows.append(torch.stack((samples, loss, zero, zero, error)))
        return torch.stack(rows).double()

    def scores(self, sums: list[float]) -> tuple[float, tuple[HeadScore, ...]]:
        """The test's loss, weighted as in training, and the scores, of sums over all batches and processes."""
        scores = []
        for at, head in enumerate(self.heads):
            samples, loss, first, among, error = sums[at * _SUMS : (at + 1) * _SUMS]
            if LOSSES[head.loss].labels:
                top5 = among / samples if head.dims[0] > _TOP else None
                scores.append(HeadScore(head.name, loss / samples, first / samples, top5))
            else:
                scores.append(HeadScore(head.name, loss / samples, error=error / samples))
        total = sum(head.weight * score.loss for head, score in zip(self.heads, scores, strict=True))
        return total, tuple(scores)


def _loss(head: Head, output: Tensor, target: Tensor, smoothing: float) -> Tensor:
    if LOSSES[head.loss].labels:
        return F.cross_entropy(output, _labels(head, target), label_smoothing=smoothing)
    found: Tensor = getattr(F, LOSSES[head.loss].function)(output, target.reshape(output.shape))
    return found


def _labels(head: Head, target: Tensor) -> Tensor:
    """Labels with the output's extents, also where those are all 1: N for N×10×1×1 is N×1×1."""
    shape = (len(target), *head.dims[1:])
    return target if target.shape == shape else target.reshape(shape)


def require_losses(network: Network, settings: RunSettings) -> None:
    """Raises UsageError where a loss or a weight names no output of the network, or where there is no such loss."""
    for option, pairs in (("--loss", settings.losses), ("--loss-weight", settings.loss_weights)):
        for name, _ in pairs:
            if name and name not in network.outputs:
                raise UsageError(f"{option} names `{name}`, {_no_output(network, name)}")
    for _, kind in settings.losses:
        if kind not in LOSSES:
            guess = or_rather(nearest(kind, LOSSES), f"there are: {', '.join(LOSSES)}")
            raise UsageError(f"there is no loss `{kind}`{guess}")


def objective(network: Network, settings: RunSettings, targets: Mapping[str, Tensor]) -> Objective:
    """The losses that the settings name, for every output that the data has targets for.

    Where none is named, whole numbers are labels of classes (cross entropy) and others are values (mean squared
    error). `targets` are those of some samples.

    Raises UsageError where a target does not fit its output, or where the data has none for an output that is to be
    trained.
    """
    losses = dict(settings.losses)
    weights = dict(settings.loss_weights)
    heads = []
    for name, end in network.outputs.items():
        weight = weights.get(name, 1.0)
        if weight == 0:
            continue
        if name not in targets:
            raise UsageError(
                f"the data has no targets for the output `{name}`: --loss-weight {name}=0 leaves it untrained"
            )
        target = targets[name]
        usual = "mse" if target.is_floating_point() else "cross-entropy"
        kind = losses.get(name, losses.get("", usual))
        head = Head(name, kind, weight, network.nodes[end].output.dims)
        _require_fit(head, target)
        heads.append(head)
    if not heads:
        raise UsageError(f"{network.name}: every output has a loss weight of 0, so nothing is trained")
    return Objective(tuple(heads), settings.label_smoothing)


def _require_fit(head: Head, target: Tensor) -> None:
    each = target[0].numel()
    if LOSSES[head.loss].labels:
        if target.is_floating_point():
            raise UsageError(
                f"cross entropy needs class labels, but the targets of `{head.name}` are values: use --loss "
                f"{head.name}=mse or {head.name}=smooth-l1"
            )
        places = 1
        for extent in head.dims[1:]:
            places *= extent
        if each != places:
            raise UsageError(
                f"the output `{head.name}` has {plural(places, 'position')} to label per sample, but the data has "
                f"{plural(each, 'label')}"
            )
        return
    values = 1
    for extent in head.dims:
        values *= extent
    if not target.is_floating_point():
        raise UsageError(
            f"{head.loss} compares values, but the targets of `{head.name}` are class labels: use --loss "
            f"{head.name}=cross-entropy"
        )
    if each != values:
        raise UsageError(f"the output `{head.name}` has {plural(values, 'value')} per sample, but the data has {each}")


def _no_output(network: Network, name: str) -> str:
    guess = or_rather(nearest(name, network.outputs), f"there are: {', '.join(network.outputs)}")
    return f"and {network.name} has no such output{guess}"

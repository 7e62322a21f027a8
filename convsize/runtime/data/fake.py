"""Random data of the right shapes: for profiling, and for networks that no data set here fits."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from convsize.errors import UsageError
from convsize.lowering.plan import Plan
from convsize.runtime.data.samples import Batch, Data, Samples, Task

_TRAINING = 1024
_POOL_BYTES = 2**26
_POOL = 256


class _Fake(Samples):
    """Samples drawn once into a pool, so that reading them costs a copy only; further ones repeat those."""

    def __init__(self, length: int, inputs: tuple[Tensor, ...], targets: dict[str, Tensor]) -> None:
        self._length = length
        self._inputs = inputs
        self._targets = targets

    def __len__(self) -> int:
        return self._length

    def __getitems__(self, indices: list[int]) -> Batch:
        places = torch.tensor(indices) % len(self._inputs[0])
        return tuple(each[places] for each in self._inputs), {
            name: each[places] for name, each in self._targets.items()
        }


def fake_data(length: str, plan: Plan, task: Task, seed: int) -> Data:
    """`fake` or `fake:N`: N training samples, a quarter as many for the test, for any network.

    Inputs are normal numbers, or tokens below the vocabulary; targets are classes drawn evenly, or normal numbers.

    Raises UsageError where N is no number of samples.
    """
    training = _TRAINING
    if length:
        if not (length.isascii() and length.isdigit() and len(length) <= 9 and int(length)):
            raise UsageError(f"--data fake:N takes a number of samples, such as fake:4096, not `{length}`")
        training = int(length)
    test = max(1, training // 4)
    vocabulary = min(
        (
            value
            for step in plan.steps
            for key, value in step.call.kwargs
            if key == "num_embeddings" and isinstance(value, int)
        ),
        default=1,
    )
    bytes_of_one = 8 * sum(map(math.prod, [*(each.dims for each in plan.inputs), *task.outputs.values()]))
    pool = max(1, min(_POOL, training, _POOL_BYTES // bytes_of_one))
    random = torch.Generator().manual_seed(seed)
    inputs = tuple(
        torch.randint(vocabulary, (pool, *each.dims), generator=random)
        if each.tokens
        else torch.randn(pool, *each.dims, generator=random)
        for each in plan.inputs
    )
    targets = {
        name: torch.randn(pool, *dims, generator=random)
        if name in task.regressed
        else torch.randint(dims[0], (pool, *dims[1:]), generator=random)
        for name, dims in task.outputs.items()
    }
    return Data(
        name="fake",
        train=_Fake(training, inputs, targets),
        test=_Fake(test, inputs, targets),
        classes=(),
        said=(
            (
                f"random samples, {training:,} for training and {test:,} for testing: there is nothing to learn from "
                "them"
            ),
        ),
    )

"""Modules that are easily misread come in exactly, or are refused with the cause: never a wrong spec.

Counts and volumes cannot tell: every spec is run beside its module. A spec that computes something else raises neither
of the errors below, so that it fails here.
"""

from __future__ import annotations

import re

import pytest
import traps
from torch import Tensor, nn

import convsize
from convsize.errors import UsageError
from convsize.importing.importer import RefusedError


@pytest.mark.parametrize("trap", traps.EXACT, ids=lambda trap: trap.__name__)
def test_it_comes_in_exactly(trap: type[nn.Module]) -> None:
    module = trap()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    network = convsize.from_torch(module, (3, 8, 8))
    assert network.name == trap.__name__
    assert module.training
    assert all(value.equal(before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize("trap", traps.REFUSED, ids=lambda trap: trap.__name__)
def test_it_is_refused_with_the_cause(trap: type[nn.Module]) -> None:
    with pytest.raises((RefusedError, UsageError)) as caught:
        convsize.from_torch(trap(), (3, 8, 8))
    assert re.search(r"\d+x \w+.*: .{10,}|cannot export", str(caught.value)), str(caught.value)


class Three(nn.Module):
    """Three obstacles, none of which follows from another."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = (
            traps.SoftmaxOverWidth(),
            traps.SoftmaxOverWidth(),
            traps.PoolWithDivisor(),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.first(x), self.second(x), self.third(x)


def test_obstacles_are_told_all_at_once_the_most_frequent_first() -> None:
    with pytest.raises(RefusedError) as caught:
        convsize.from_torch(Three(), (3, 8, 8))
    assert str(caught.value).splitlines() == [
        "Three has 3 calls that a spec cannot say",
        "  2x softmax in SoftmaxOverWidth, first at first: a softmax over positions or over part of the depth",
        "  1x avg_pool2d in PoolWithDivisor, at third: an average pool with a divisor of its own",
    ]


def test_no_traps_are_left_out() -> None:
    made = {each for each in vars(traps).values() if isinstance(each, type) and issubclass(each, traps.Trap)}
    assert made - {traps.Trap} == {*traps.EXACT, *traps.REFUSED}

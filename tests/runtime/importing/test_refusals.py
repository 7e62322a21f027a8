"""What a spec cannot say of a module is refused with the reason, and never written as something near it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

import convsize
from convsize.errors import UsageError
from convsize.importing.importer import RefusedError, import_calls
from convsize.runtime.importing.capture import capture

HOLED, ZEROS = torch.tensor([1.0, 0.0, 2.0, 3.0]).view(1, 4, 1, 1), torch.zeros(1, 4, 1, 1)
TWO = torch.ones(2, 4, 1, 1)


class Of(nn.Module):
    """A convolution and what a function makes of its output; the function takes the module, too."""

    def __init__(self, forward: Callable[..., Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.made = forward

    def forward(self, *given: Tensor) -> Tensor:
        return self.made(self, *given)


def refused(module: nn.Module | Callable[..., Tensor]) -> str:
    """Why a module is refused."""
    with pytest.raises((RefusedError, UsageError)) as caught:
        convsize.from_torch(module if isinstance(module, nn.Module) else Of(module), (3, 8, 8))
    return str(caught.value)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e39])
@pytest.mark.parametrize(
    "made",
    [
        lambda k: nn.Sequential(nn.LeakyReLU(k)),
        lambda k: nn.Sequential(nn.ELU(k)),
        lambda k: nn.Sequential(nn.BatchNorm2d(3, eps=k)),
        lambda k: Of(lambda m, x: m.conv(x) ** k),
        lambda k: Of(lambda m, x: m.conv(x) + k),
        lambda k: Of(lambda m, x: m.conv(x) * k),
        lambda k: Of(lambda m, x: k - m.conv(x)),
        lambda k: Of(lambda m, x: F.pad(m.conv(x), (1, 1, 1, 1), value=k)),
    ],
)
def test_numbers_that_no_spec_has(made: Callable[[float], nn.Module], number: float) -> None:
    assert str(number).strip("-") in refused(made(number))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda m, x: m.conv(x) / 0, "a division by 0"),
        (lambda m, x: m.conv(x) / HOLED, "a division by 0"),
        (lambda m, x: m.conv(x) * 0, "a product with 0"),
        (lambda m, x: m.conv(x) * ZEROS, "a product with 0"),
        (lambda m, x: F.interpolate(m.conv(x), scale_factor=1.7), "resizing of 6 by 1.7"),
        (lambda m, x: F.interpolate(m.conv(x), scale_factor=1.7, mode="bilinear"), "recompute_scale_factor=True"),
    ],
)
def test_arithmetic_and_sizes(made: Callable[..., Tensor], reason: str) -> None:
    assert reason in refused(made)


def test_sizes_that_a_factor_rounds_are_read_where_the_module_recomputes_it() -> None:
    made = Of(lambda m, x: F.interpolate(m.conv(x), scale_factor=1.7, recompute_scale_factor=True))
    assert [node.output.dims for node in convsize.from_torch(made, (3, 8, 8)).layers][-1] == (4, 10, 10)


def test_statistics_that_are_the_mean_over_all_batches() -> None:
    assert "momentum=None" in refused(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, momentum=None)))
    assert convsize.from_torch(nn.Sequential(nn.BatchNorm2d(3, momentum=0.0)), (3, 8, 8))


@pytest.mark.parametrize(
    "made",
    [
        lambda m, x: m.conv(x) / x.shape[0],
        lambda m, x: x * x.size(0) + len(x),
        lambda m, x: m.conv(x)[0:2],
        lambda m, x: m.conv(x) if x.shape[0] == 2 else m.conv(x).relu(),
        lambda m, x: m.conv(x) + TWO,
        lambda m, x: m.conv(x).reshape(2, -1),
    ],
)
def test_what_reads_how_many_samples_there_are(made: Callable[..., Tensor]) -> None:
    assert "it reads the size of the batch" in refused(made)


@pytest.mark.parametrize(
    ("made", "reason"),
    [(lambda m, x: m.conv(x).log(), "not finite"), (lambda m, x: m.conv(x).sigmoid().neg().relu(), "0 everywhere")],
)
def test_what_shows_nothing_when_it_is_run(made: Callable[..., Tensor], reason: str) -> None:
    assert reason in refused(made)


class Held(nn.Module):
    """A convolution, and arithmetic with a buffer."""

    def __init__(self, values: list[float], persistent: bool, sign: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.register_buffer("held", torch.tensor(values).view(1, -1, 1, 1), persistent)
        self.sign = sign

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        return x * self.held if self.sign == "*" else x + self.held


@pytest.mark.parametrize("sign", "+*")
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_state_that_a_checkpoint_fills(value: float, sign: str) -> None:
    assert "its buffer `held`" in refused(Held([value] * 4, True, sign))


@pytest.mark.parametrize("values", [[0.5], [1.0, 2.0, 3.0, 4.0]])
def test_numbers_of_buffers_are_named_where_a_checkpoint_may_hold_others(values: list[float]) -> None:
    for persistent in (True, False):
        module = Held(values, persistent, "*").eval()
        notes = capture("held", module, (3, 8, 8)).notes
        assert [each.partition(" are ")[0] for each in notes] == ["The numbers of `held`"] * persistent
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            convsize.from_torch(module, (3, 8, 8))
        assert [str(each.message) for each in caught if "held" in str(each.message)] == [f"Held: {n}" for n in notes]


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        (nn.Dropout2d(0.3), "whole maps"),
        (nn.Dropout3d(0.3), "whole maps"),
        (nn.AlphaDropout(0.3), "values to a negative number"),
        (nn.Dropout(0.3), ""),
        (nn.Dropout2d(0.0), ""),
    ],
)
def test_dropouts_that_train_otherwise_are_named(layer: nn.Module, what: str) -> None:
    shape = (3, 8, 8, 8) if isinstance(layer, nn.Dropout3d) else (3, 8, 8)
    notes = import_calls(capture("net", nn.Sequential(nn.ReLU(), layer).eval(), shape)).notes
    assert [what in each for each in notes] == [True] * bool(what)


@pytest.mark.parametrize(
    "made",
    [
        lambda m, x, y: torch.cat([x, y], 1),
        lambda m, x, y: x.relu() + y.relu(),
        lambda m, x, y: m.conv(x) + y[:, :1, 1:-1, 1:-1],
        lambda m, x, y: y * x.sigmoid(),
        lambda m, x, y: (x + y, y.relu()),
    ],
)
def test_inputs_that_meet_at_once(made: Callable[..., Tensor]) -> None:
    assert len(convsize.from_torch(Of(made), (3, 8, 8), (3, 8, 8)).inputs) == 2


class Squeezed(nn.Module):
    """What is left of a volume is one number a sample, without an axis for it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 8)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.conv(x)
        return found.squeeze()


def test_what_has_no_depth_is_refused_with_the_reason() -> None:
    with pytest.raises(RefusedError, match="samples alone, and no depth"):
        convsize.from_torch(Squeezed(), (3, 8, 8))

"""A counting convention: what a tool adds up for each call of PyTorch that a network makes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from convsize.geometry import Shape
from convsize.ops.base import Parameter, TorchCall
from convsize.record import Record


class Counted(Record):
    """What a tool counts of one call, for one sample, and why that is not what we count.

    amount: None where it depends on how the model's code is written. why: "" where the tool counts as we do.
    """

    amount: int | None
    why: str = ""


NOTHING = Counted(0)
"""A call in which the tool sees no work, as we see none."""

UNSURE = Counted(None, "depends on how the model's code writes it")


class Met(Record):
    """A call as a tool meets it: with the volumes that enter and leave it, and its parameters.

    dims: the extents of the tensor that enters it, without the batch; a call before it may have cut the depth in parts.
    macs are ours, of the layer that the call belongs to.
    """

    call: TorchCall
    inputs: tuple[Shape, ...]
    dims: tuple[int, ...]
    output: Shape
    parameters: tuple[Parameter, ...]
    macs: int

    @property
    def name(self) -> str:
        """The call without the number of its axes: `nn.Conv` for `nn.Conv2d`."""
        target = self.call.target
        return target[:-2] if target[-2:] in ("1d", "2d", "3d") else target

    @property
    def entering(self) -> int:
        """Values of the first volume that enters."""
        return self.inputs[0].elements

    @property
    def leaving(self) -> int:
        """Values of the volume that leaves."""
        return self.output.elements

    def has(self, name: str) -> bool:
        """Whether it has a parameter of that name."""
        return any(each.name == name for each in self.parameters)

    @property
    def affine(self) -> bool:
        """Whether a norm has a gain."""
        return self.has("weight")

    @property
    def kernel(self) -> int:
        """Weights of one filter along its axes: 9 for 3x3."""
        weight = next(each for each in self.parameters if each.name == "weight")
        return prod(weight.shape[2:])

    def values_of(self, *names: str) -> int:
        """Values of the parameters of these names."""
        return sum(prod(each.shape) for each in self.parameters if each.name in names and each.role != "buffer")

    def setting(self, name: str) -> object:
        """An argument of the call."""
        return dict(self.call.kwargs).get(name)


Rule = Callable[[Met], Counted]


class Convention(Record):
    """How one tool counts.

    name: `thop`. version: the release that the rules were read from and are tested against. unit: what the tool calls
    its figure. says: its way of counting in a sentence. rules: by the name of a call (`Met.name`). otherwise: what it
    does with calls that no rule is about. unknown: calls whose count depends on how the model's code is written.
    """

    name: str
    version: str
    unit: str
    says: str
    source: str
    rules: dict[str, Rule]
    otherwise: Rule
    unknown: frozenset[str] = frozenset()

    def count(self, met: Met) -> Counted:
        """What the tool counts of a call."""
        ours = met.call.target.partition(".")[0] in ("nn", "torch", "F", "convsize")
        if not ours or met.call.target in self.unknown or met.name in self.unknown:
            return UNSURE
        return self.rules.get(met.name, self.otherwise)(met)


def times(factor: int, why: str) -> Rule:
    """So much for every value that leaves."""
    return lambda met: Counted(factor * met.leaving, why)


def as_ours(met: Met) -> Counted:
    """What we count."""
    return Counted(met.macs)


def nothing(met: Met) -> Counted:
    """Nothing; where we count something, as of a blurring filter, the tool may see a convolution or may not."""
    return UNSURE if met.macs else NOTHING


WRITTEN = frozenset(
    {
        "convsize.Attention",
        "convsize.WrittenAttention",
        "convsize.StdConv",
        "convsize.Embedding",
    }
)
"""What PyTorch has no layer for, and every model writes in its own way, so that a tool may or may not see it."""

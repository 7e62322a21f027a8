"""The module: a plan as an nn.Module that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from convsize.lowering.plan import Init, Plan, Step
from convsize.runtime.calls import build_call
from convsize.runtime.checkpointing import run_checkpointed

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class _Turn:
    """One step as the forward pass needs it, with nothing left to look up but the layer itself."""

    __slots__ = ("after", "before", "dead", "inputs", "name", "output", "path")

    def __init__(self, step: Step, output: int) -> None:
        self.name = step.name
        self.path = tuple(step.module.split("."))
        self.before = tuple(build_call(call) for call in step.before)
        self.after = tuple(build_call(call) for call in step.after)
        self.inputs = step.inputs
        self.output = output
        self.dead = step.dead


class NetworkModule(nn.Module):
    """A network that runs.

    Every layer is a submodule under its own name, so that parameters are called as the analyses call them:
    `bot3.conv2.weight`. The layers of a `shared` block are there once, under the block's name, and are called at every
    use. The layers between `bot3`'s own are plain containers. A layer may be replaced
    (`net.fc1 = nn.Linear(512, 10)`); a container only with one that holds the same layers, for the forward pass calls
    the layers, each one where the network says.

    Tensors are given up as soon as no later layer reads them. In training the plan's blocks run under a checkpoint.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._inputs = tuple(each.name for each in plan.inputs)
        self._outputs = plan.outputs
        self._frozen: tuple[str, ...] = ()
        self._turns = tuple(_Turn(step, at) for at, step in enumerate(plan.steps, start=len(plan.inputs)))
        self._blocks = plan.blocks
        for step in plan.steps:
            if step.again:
                continue
            *containers, name = step.module.split(".")
            home: nn.Module = self
            for container in containers:
                if container not in home._modules:
                    home.add_module(container, nn.Module())
                home = home.get_submodule(container)
            layer = build_call(step.call)
            home.add_module(name, layer)
            if step.init is not None:
                initialise(layer, step.init)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The layers in execution order."""
        return tuple(turn.name for turn in self._turns)

    def freeze(self, layers: Iterable[str]) -> None:
        """Trains these layers no more. They stay in evaluation mode, too: a batch norm's statistics are kept as well,
        and nothing is dropped.
        """
        self._frozen = (*self._frozen, *layers)
        paths = {turn.name: ".".join(turn.path) for turn in self._turns}
        self._frozen = tuple(paths.get(name, name) for name in self._frozen)
        for name in self._frozen:
            self.get_submodule(name).requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> NetworkModule:
        """Training or evaluation mode; layers that are frozen stay in evaluation mode."""
        super().train(mode)
        for name in self._frozen:
            self.get_submodule(name).eval()
        return self

    def forward(self, *inputs: Tensor, **named: Tensor) -> Tensor | dict[str, Tensor]:
        """The output, or where there are several a dict of them with the trunk's end as "main".

        Inputs come in the order of their declaration, or by name.
        """
        return self.run(inputs, named)

    def run(
        self,
        inputs: tuple[Tensor, ...],
        named: dict[str, Tensor] | None = None,
        see: Callable[[str, Tensor], None] | None = None,
    ) -> Tensor | dict[str, Tensor]:
        """The forward pass; `see` is shown every layer's output by name."""
        values: list[Any] = [*self._arranged(inputs, named or {}), *(None,) * len(self._turns)]
        del inputs, named
        if self._blocks and self.training and torch.is_grad_enabled():
            run_checkpointed(partial(self._run, see=see), len(self._turns), self._blocks, values)
        else:
            self._run(0, len(self._turns), values, see)
        if len(self._outputs) == 1:
            last: Tensor = values[self._outputs[0][1]]
            return last
        return {name: values[index] for name, index in self._outputs}

    def _run(self, start: int, end: int, values: list[Any], see: Callable[[str, Tensor], None] | None) -> None:
        """Runs layers on a list of values, which fills and empties as it goes."""
        for turn in self._turns[start:end]:
            layer: nn.Module = self
            for name in turn.path:
                layer = layer._modules[name]  # type: ignore[assignment]
            if turn.before or turn.after:
                value = [values[index] for index in turn.inputs]
                for call in turn.before:
                    value = [call(*value)]
                result = layer(*value)
                del value
                for call in turn.after:
                    result = call(result)
                values[turn.output] = result
                del result
            elif len(turn.inputs) == 1:
                values[turn.output] = layer(values[turn.inputs[0]])
            else:
                values[turn.output] = layer(*[values[index] for index in turn.inputs])
            if see is not None:
                see(turn.name, values[turn.output])
            for index in turn.dead:
                values[index] = None

    def _arranged(self, inputs: tuple[Tensor, ...], named: dict[str, Tensor]) -> tuple[Tensor, ...]:
        if not named and len(inputs) == len(self._inputs):
            return inputs
        given = dict(zip(self._inputs, inputs, strict=False)) | named
        if len(inputs) + len(named) != len(given) or set(given) != set(self._inputs):
            names = ", ".join(self._inputs)
            told = ", ".join([*(f"input {at}" for at in range(1, len(inputs) + 1)), *named])
            raise TypeError(
                f"this network takes {names}, each once, by position or by name; it was given {told or 'none'}"
            )
        return tuple(given[name] for name in self._inputs)


def initialise(layer: nn.Module, init: Init) -> None:
    """Weights from a normal distribution of the variance that `init` names, biases 0.

    A transposed convolution's weight has its two first axes the other way round, so its fan out is what PyTorch's
    convention calls in.
    """
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    if init.scheme == "he":
        mode: Literal["fan_in", "fan_out"] = "fan_out" if isinstance(layer, _TRANSPOSED) else "fan_in"
        nn.init.kaiming_normal_(weight, a=init.slope, mode=mode, nonlinearity="leaky_relu")
    else:
        nn.init.xavier_normal_(weight)
    if isinstance(bias, Tensor):
        nn.init.zeros_(bias)


def build_module(plan: Plan, device: str | torch.device = "cpu", dtype: torch.dtype | None = None) -> NetworkModule:
    """The module of a plan, on a device (on "meta" it has shapes and no values)."""
    with torch.device(device):
        module = NetworkModule(plan)
    return module if dtype is None else module.to(dtype)

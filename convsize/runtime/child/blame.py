"""Doing a training step again, each call noted before it is made: the last note names the call that ends a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from convsize.graph.network import Network
from convsize.records import TrainingSetting
from convsize.runtime.layouts import channels_last, to_channels_last
from convsize.runtime.meters.step import batch_for, loss_of

_TIMES = 2
"""A kernel that writes where it should not does not always end the process at once."""


class _Noting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every operator, with the layer in whose forward or backward pass it is called."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._note = note
        self.layer = ""

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self._note(func.name() + self.layer)
        return func(*args, **(kwargs or {}))


def training_steps(
    network: Network, setting: TrainingSetting, note: Callable[[str], None], *, last: bool = False
) -> None:
    """Forward and backward passes of a network, told call by call: `aten::…, in the backward pass of conv2`."""
    batch = batch_for(network, setting.replace(inference=False))
    if last:
        batch = batch.replace(module=to_channels_last(batch.module), inputs=list(map(channels_last, batch.inputs)))
    for _ in range(_TIMES):
        noting = _Noting(note)
        known: set[object] = set()

        def see(layer: str, output: Tensor, noting: _Noting = noting, known: set[object] = known) -> None:
            ahead = [output.grad_fn]
            while ahead:
                node = ahead.pop()
                if node is None or node in known:
                    continue
                known.add(node)
                node.register_prehook(partial(_enter, noting, layer))
                ahead += [each for each, _ in node.next_functions]

        with noting:
            _, loss = loss_of(batch, see)
            loss.backward()  # type: ignore[no-untyped-call]
        batch.module.zero_grad()


def _enter(noting: _Noting, layer: str, _: tuple[Tensor, ...]) -> None:
    noting.layer = f", in the backward pass of {layer}"

"""Steps of a network with and without instruments.

Forward, a mark is set when a layer's output is there: a layer's time is that from the mark before it to its own.
Backward, a mark is set before every node of autograd's graph: a node's time, with that of summing what it hands on,
goes to the next mark. A node belongs to the layer whose output first reaches it, so branches, activations in place,
inputs without a gradient and several heads need no care of their own. Nothing between two marks is lost, and no two
layers share it: the sum of all is the instrumented step.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from convsize.records import Measured, TrainingSetting
from convsize.runtime.meters.step import Batch, loss_of, optimizer_of
from convsize.runtime.timing.clock import Clock

LOSS, ENGINE, OPTIMIZER = "the loss", "start of backward", "the optimizer"
"""What belongs to no layer; layers have no blanks in their names."""

See = Callable[[str, Tensor], None]


def measured(seconds: Sequence[float]) -> Measured:
    """The median and the quartiles of repeats, of which there is at least one."""
    if len(seconds) < 2:
        return Measured(seconds[0], seconds[0], seconds[0])
    low, middle, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Measured(middle, low, high)


class _Marks:
    """Moments, each with the name of what begins there: of the processor, or of the GPU's stream."""

    def __init__(self, *, cuda: bool) -> None:
        self.cuda = cuda
        self._found: list[tuple[Any, str]] = []

    def set(self, name: str) -> None:
        """Something of this name begins now."""
        if not self.cuda:
            self._found.append((time.perf_counter(), name))
            return
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        self._found.append((event, name))

    def seconds(self) -> dict[str, float]:
        """What lies between each mark and the next, summed by name."""
        if self.cuda:
            torch.cuda.synchronize()
        sums: dict[str, float] = defaultdict(float)
        for (start, name), (end, _) in zip(self._found, self._found[1:], strict=False):
            sums[name] += start.elapsed_time(end) / 1000 if self.cuda else end - start
        return sums


class Steps:
    """A batch that steps are made with, and the seconds they took.

    forward, backward: by layer; outside: by what belongs to no layer; whole, whole_instrumented: of whole steps.
    """

    def __init__(self, batch: Batch, setting: TrainingSetting) -> None:
        self.module = batch.module
        self.batch = batch
        self.setting = setting
        self.names = self.module.layer_names
        self.forward: dict[str, list[float]] = defaultdict(list)
        self.backward: dict[str, list[float]] = defaultdict(list)
        self.outside: dict[str, list[float]] = defaultdict(list)
        self.whole: list[float] = []
        self.whole_instrumented: list[float] = []
        self._clock = Clock(setting.device)
        self._update = None
        if not setting.inference:
            self._update = optimizer_of(setting.optimizer, self.module.parameters())

    def plain(self, *, counts: bool = True) -> None:
        """A step without instruments."""
        self._ready()
        taken = self._clock.once(self.step)
        if counts:
            self.whole.append(taken)

    def step(self, see: See | None = None) -> None:
        """A forward pass, or a training step; `see` is shown every layer's output."""
        if self._update is None:
            with torch.inference_mode():
                self.module.run(tuple(self.batch.inputs), see=see)
            return
        _, loss = loss_of(self.batch, see)
        loss.backward()  # type: ignore[no-untyped-call]
        self._update.step()
        self._update.zero_grad(set_to_none=True)

    def instrumented(self, *, counts: bool = True) -> None:
        """A step with a mark at every layer."""
        self._ready()
        if self._update is None:
            marks = self._instrumented_forward()
            passes = [(marks, self.forward)]
        else:
            passes = self._instrumented_training(self._update)
        if not counts:
            return
        whole = 0.0
        outside: dict[str, float] = defaultdict(float)
        for marks, layers in passes:
            for name, seconds in marks.seconds().items():
                whole += seconds
                if name in self.names:
                    layers[name].append(seconds)
                else:
                    outside[name] += seconds
        for name, seconds in outside.items():
            self.outside[name].append(seconds)
        self.whole_instrumented.append(whole)

    def _instrumented_forward(self) -> _Marks:
        marks = _Marks(cuda=self._clock.cuda)
        following = _following(self.names, "")
        with torch.inference_mode():
            marks.set(self.names[0])
            self.module.run(tuple(self.batch.inputs), see=lambda name, _: marks.set(following[name]))
        return marks

    def _instrumented_training(self, update: torch.optim.Optimizer) -> list[tuple[_Marks, dict[str, list[float]]]]:
        forward, backward = _Marks(cuda=self._clock.cuda), _Marks(cuda=self._clock.cuda)
        following = _following(self.names, LOSS)
        ends: list[tuple[str, Any]] = []

        def see(name: str, output: Tensor) -> None:
            ends.append((name, output.grad_fn))
            forward.set(following[name])

        forward.set(self.names[0])
        outputs, loss = loss_of(self.batch, see)
        forward.set("")
        nodes = nodes_by_name([*ends, (LOSS, loss.grad_fn)])
        for name, node in nodes:
            node.register_prehook(lambda _, name=name: backward.set(name))
        ends.clear()
        backward.set(ENGINE)
        loss.backward()  # type: ignore[no-untyped-call]
        del outputs, loss
        backward.set(OPTIMIZER)
        update.step()
        update.zero_grad(set_to_none=True)
        backward.set("")
        return [(forward, self.forward), (backward, self.backward)]

    def _ready(self) -> None:
        """Waits until a GPU has done all that was asked of it."""
        if self._clock.cuda:
            torch.cuda.synchronize()


def _following(names: Sequence[str], last: str) -> dict[str, str]:
    """What begins when a layer has ended."""
    return dict(zip(names, (*names[1:], last), strict=True))


def nodes_by_name(ends: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The nodes of autograd's graph, each with the first of the names whose end reaches it."""
    seen: set[Any] = set()
    found = []
    for name, end in ends:
        waiting = [end]
        while waiting:
            node = waiting.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            found.append((name, node))
            waiting += [each for each, _ in node.next_functions]
    return found

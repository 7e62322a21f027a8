"""The largest batch or input that fits."""

from __future__ import annotations

from convsize.answers.answer import Answer
from convsize.records import BatchFit as BareBatchFit
from convsize.records import InputFit as BareInputFit
from convsize.records import TrainingSetting
from convsize.words import plural


class BatchFit(Answer, BareBatchFit):
    """The largest batch, printed as `convsize fit` has it. setting: what it was asked for."""

    setting: TrainingSetting = TrainingSetting(1)

    def __repr__(self) -> str:
        return f"<BatchFit of {self.name}: batch {self.batch:,} in {plural(self.capacity.available, 'byte')}>"

    def __str__(self) -> str:
        from convsize.views.answers import fit

        return fit.render(self, self.setting).rstrip()


class InputFit(Answer, BareInputFit):
    """The largest input, printed as `convsize fit --largest input` has it. setting: what it was asked for."""

    setting: TrainingSetting = TrainingSetting(1)

    def __repr__(self) -> str:
        largest = ", ".join(f"{name} {_volume(dims)}" for name, dims in self.inputs) or "no input"
        return f"<InputFit of {self.name}: {largest} in {plural(self.capacity.available, 'byte')}>"

    def __str__(self) -> str:
        from convsize.views.answers import fit

        return fit.render(self, self.setting).rstrip()


def _volume(dims: tuple[int, ...]) -> str:
    return f"{dims[0]}@{'x'.join(map(str, dims[1:]))}" if dims[1:] else str(dims[0])

"""A predicted time."""

from __future__ import annotations

from convsize.answers.answer import Answer
from convsize.records import LayerRow
from convsize.records.time import TimePrediction as BareTimePrediction


class TimePrediction(Answer, BareTimePrediction):
    """A predicted time, printed as `convsize time` has it. rows: the layers of the network's report."""

    rows: tuple[LayerRow, ...] = ()

    def __repr__(self) -> str:
        what = "a training step" if self.setting.training else "a forward pass"
        return f"<TimePrediction of {self.name}: {self.seconds:.3g} s for {what} on {self.device}>"

    def __str__(self) -> str:
        from convsize.views.answers import time

        return time.render(self, self.rows).rstrip()

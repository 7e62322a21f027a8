"""The memory of a training step."""

from __future__ import annotations

from convsize.answers.answer import Answer
from convsize.records import TrainingMemory as BareTrainingMemory
from convsize.words import plural


class TrainingMemory(Answer, BareTrainingMemory):
    """The memory of a step, printed as `convsize memory` has it."""

    def __repr__(self) -> str:
        return (
            f"<TrainingMemory of {self.name}: peak {plural(self.peak.bytes, 'byte')} at batch {self.setting.batch:,}>"
        )

    def __str__(self) -> str:
        from convsize.views.answers import memory

        return memory.render(self).rstrip()

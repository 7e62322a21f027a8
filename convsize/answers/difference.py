"""What changes between two networks."""

from __future__ import annotations

from convsize.answers.answer import Answer
from convsize.records import Difference as BareDifference
from convsize.words import plural


class Difference(Answer, BareDifference):
    """What changes between two networks, printed as `convsize diff` has it."""

    def __repr__(self) -> str:
        changed = "the same network" if self.same else f"{plural(len(self.layers), 'layer')} changed"
        return f"<Difference of {self.before.name} and {self.after.name}: {changed}>"

    def __str__(self) -> str:
        from convsize.views.answers import difference

        return difference.render(self).rstrip()

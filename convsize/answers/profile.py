"""A measured profile."""

from __future__ import annotations

from convsize.answers.answer import Answer
from convsize.records import LayerRow
from convsize.records import Profile as BareProfile


class Profile(Answer, BareProfile):
    """A measured profile, printed as `convsize profile` has it. rows: the layers of the network's report."""

    rows: tuple[LayerRow, ...] = ()

    def __repr__(self) -> str:
        return f"<Profile of {self.name}: {self.step.median:.3g} s a step at batch {self.batch:,} on {self.device}>"

    def __str__(self) -> str:
        from convsize.views.answers import profile

        return profile.render(self, self.rows).rstrip()

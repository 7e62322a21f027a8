"""The sizes that a network takes."""

from __future__ import annotations

from convsize.answers.answer import Answer
from convsize.records import InputSizes as BareInputSizes
from convsize.records import SizesReport


class InputSizes(Answer, BareInputSizes):
    """The sizes that a network takes, printed as `convsize sizes` has them."""

    def __repr__(self) -> str:
        return f"<InputSizes of {self.name}: {len(self.axes)} {'axis' if len(self.axes) == 1 else 'axes'}>"

    def __str__(self) -> str:
        from convsize.views.answers import sizes

        return sizes.render(SizesReport(self, (), (), ())).rstrip()

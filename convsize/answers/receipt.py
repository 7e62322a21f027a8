"""What was predicted and measured."""

from __future__ import annotations

from convsize.answers.answer import Answer
from convsize.records import Receipt as BareReceipt
from convsize.words import plural


class Receipt(Answer, BareReceipt):
    """What was predicted and measured, printed as `convsize verify` has it."""

    def __repr__(self) -> str:
        return f"<Receipt of {self.name}: {'holds' if self.holds else 'fails'}, {plural(len(self.lines), 'line')}>"

    def __str__(self) -> str:
        from convsize.views.answers import receipt

        return receipt.render(self).rstrip()

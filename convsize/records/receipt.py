"""Receipts: what was predicted, and what PyTorch then did."""

from __future__ import annotations

from typing import Literal

from convsize.record import Record

Verdict = Literal["exact", "within", "FAILS", "not measured"]


class Line(Record):
    """One quantity of a receipt.

    predicted, measured: plain numbers of `unit`; where the quantity is a set of facts (volumes, names with shapes),
    predicted says how many there are and measured how many of them PyTorch has as well. measured is None where nothing
    could be measured, predicted where there is no prediction for this device. verdict: "exact", "within" the tolerance,
    "FAILS", or "not measured". note: what the figure is, or why there is none; failures: what does not agree, each in a
    line. tolerance: the share of the measured figure by which the predicted one may be off, 0 where it must be exact.
    """

    quantity: str
    unit: Literal["volumes", "tensors", "macs", "flops", "bytes", "layers", "outputs", "µs"]
    predicted: int | None
    measured: int | None
    verdict: Verdict
    note: str = ""
    failures: tuple[str, ...] = ()
    tolerance: float = 0.0

    @property
    def difference(self) -> int | None:
        """Predicted less measured."""
        return None if self.measured is None or self.predicted is None else self.predicted - self.measured


class Receipt(Record):
    """What was predicted of one network, what PyTorch then did on a device, and whether they agree.

    versions: names and versions of what took part; device: its kind, and its name where it has one. autocast: the type
    that training was measured in by torch.autocast, None where it was not.
    """

    name: str
    spec: str
    graph: str
    device: str
    dtype: str
    optimizer: str
    batches: tuple[int, ...]
    versions: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    autocast: str | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing fails."""
        return all(line.verdict != "FAILS" for line in self.lines)

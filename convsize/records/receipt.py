"""Receipts: what was predicted, and what PyTorch then did."""

from typing import Literal, NamedTuple


class Line(NamedTuple):
    """One quantity of a receipt.

    predicted, measured: plain numbers of `unit`; where the quantity is a set of facts (volumes, names with shapes),
    predicted says how many there are and measured how many of them PyTorch has as well. measured is None where nothing
    could be measured, predicted where there is no prediction for this device. verdict: "exact", "FAILS", or
    "not measured". note: what the figure is, or why there is none; failures: what does not agree, each in a line.
    """

    quantity: str
    unit: Literal["volumes", "tensors", "macs", "flops", "bytes", "layers", "outputs"]
    predicted: int | None
    measured: int | None
    verdict: Literal["exact", "FAILS", "not measured"]
    note: str = ""
    failures: tuple[str, ...] = ()

    @property
    def difference(self) -> int | None:
        """Predicted less measured."""
        return None if self.measured is None or self.predicted is None else self.predicted - self.measured


class Receipt(NamedTuple):
    """What was predicted of one network, what PyTorch then did on a device, and whether they agree.

    versions: names and versions of what took part; device: its kind, and its name where it has one.
    """

    name: str
    spec: str
    graph: str
    device: str
    dtype: str
    batches: tuple[int, ...]
    versions: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing fails."""
        return all(line.verdict != "FAILS" for line in self.lines)

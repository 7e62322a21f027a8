"""reports/receipts/*.json and reports/receipts.md, made by measuring every spec."""

from __future__ import annotations

import json
from pathlib import Path

import convsize
from convsize.records import Line, Receipt
from convsize.views.answers.receipt import document, summary

ROOT = Path(__file__).resolve().parents[3]
SPECS = sorted((ROOT / "specs").glob("*.spec"))
RECEIPTS = ROOT / "reports" / "receipts"
SUMMARY = ROOT / "reports" / "receipts.md"

_HEAD = """\
# Receipts

What convsize predicts of every network in `specs/` without PyTorch, held against what PyTorch then does:
`convsize verify`. A figure stands here where predicted and measured are the same number; where it is within its
tolerance the difference stands behind it, and anything else would be bold.
The receipts with every line are in `receipts/`. Made by `pytest tests/runtime/verify/test_receipts.py --update`, which
measures all networks again.

Volumes are those of every layer, tensors the parameters and buffers by name and shape. Multiply-adds are those of a
batch of 3 as `FlopCounterMode` has them (half its FLOPs); backward holds its bug, by which it counts the weights'
gradient of grouped convolutions once a group: the receipts say the true figure. Bytes saved for backward are those of
`saved_tensors_hooks` in training. Peaks are those of training steps at batch 3 with momentum, from the profiler's trace
of allocations: of the first and of later steps at operator boundaries, and of the allocator with what kernels hold for
a moment, which is predicted to 1.5 %. Everything was computed on a processor, nothing on a GPU.
"""


def measured(path: Path) -> Receipt:
    """The receipt of a spec, on the processor."""
    return convsize.load(path).verify().replace(spec=f"specs/{path.name}")


def write_all() -> None:
    """Measures every spec and writes its receipt and the summary."""
    RECEIPTS.mkdir(parents=True, exist_ok=True)
    for stale in RECEIPTS.glob("*.json"):
        stale.unlink()
    for path in SPECS:
        text = document([measured(path)], several=False)
        (RECEIPTS / f"{path.stem}.json").write_text(text, encoding="utf-8")
    SUMMARY.write_text(rendered(read_all()), encoding="utf-8")


def read_all() -> list[Receipt]:
    """The receipts that are there, by name."""
    found = []
    for path in sorted(RECEIPTS.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        lines = []
        for line in data["lines"]:
            line.pop("difference")
            lines.append(Line(**{**line, "failures": tuple(line["failures"])}))
        data.pop("holds")
        data |= {"batches": tuple(data["batches"]), "versions": tuple(data["versions"].items()), "lines": tuple(lines)}
        found.append(Receipt(**data))
    return found


def rendered(receipts: list[Receipt]) -> str:
    """The summary."""
    return f"{_HEAD}\n{summary(receipts)}"

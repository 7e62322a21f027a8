"""The receipts in reports/ are those of the specs as they are, and what they predict is what is predicted now."""

from __future__ import annotations

import pytest
from receipts_report import SPECS, SUMMARY, read_all, rendered, write_all

import convsize
from convsize.analyses.memory.peak import saved_bytes
from convsize.analyses.memory.step import smallest_batch
from convsize.records import TrainingSetting

STALE = "is stale: run pytest tests/runtime/verify/test_receipts.py --update"


@pytest.fixture(scope="module")
def receipts(request: pytest.FixtureRequest):
    if request.config.getoption("--update"):
        pytest.importorskip("torch")
        write_all()
    return {receipt.name: receipt for receipt in read_all()}


def test_every_spec_has_one_and_all_hold(receipts):
    assert list(receipts) == [path.stem for path in SPECS]
    assert all(receipt.holds for receipt in receipts.values())
    assert SUMMARY.read_text(encoding="utf-8") == rendered(list(receipts.values())), f"reports/receipts.md {STALE}"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_they_are_about_what_is_predicted_now(receipts, path):
    net = convsize.load(path)
    receipt, report = receipts[path.stem], net.analyze()
    lines = {line.quantity: line for line in receipt.lines}
    assert receipt.graph == report.graph, f"reports/receipts/{path.stem}.json {STALE}"
    assert lines["output volumes"].predicted == len(report.layers)
    assert lines["multiply-adds, forward"].predicted == receipt.batches[-1] * report.totals.macs
    for batch in receipt.batches:
        predicted = saved_bytes(net, TrainingSetting(batch)) if batch >= smallest_batch(net) else None
        assert lines[f"saved for backward, batch {batch}"].predicted == predicted


def test_fidelity_across_the_zoo(receipts):
    lines = [line for receipt in receipts.values() for line in receipt.lines]
    assert {line.verdict for line in lines} == {"exact", "within", "not measured"}
    assert all(line.difference == 0 for line in lines if line.verdict == "exact")
    peaks = [line for line in lines if "step" in line.quantity and line.verdict == "exact"]
    assert len(peaks) >= 2 * 20
    allocated = [line for line in lines if line.quantity.startswith("allocator peak") and line.verdict == "within"]
    assert len(allocated) >= 20
    assert max(abs(line.difference) / line.measured for line in allocated) <= 0.015

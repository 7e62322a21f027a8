"""reports/training.md is what was measured, and what was measured is what was asked for."""

from __future__ import annotations

import pytest
from training_report import REPORT, accuracies, render, results


def test_the_report_is_up_to_date(request: pytest.FixtureRequest) -> None:
    text = render()
    if request.config.getoption("--update"):
        REPORT.write_text(text, encoding="utf-8")
    assert REPORT.read_text(encoding="utf-8") == text, "reports/training.md is stale: run this test with --update"


def test_lenet_reads_digits_within_a_minute() -> None:
    assert min(accuracies("lenet5-digits")) > 0.98
    assert max(each["seconds"] for each in results()["runs"]["lenet5-digits"]["results"]) < 60


def test_the_keras_network_reads_mnist() -> None:
    assert min(accuracies("keras-mnist")) > 0.975
    assert all(len(each["accuracy"]) == 5 for each in results()["runs"]["keras-mnist"]["results"])

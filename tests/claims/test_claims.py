"""Every published claim is reproduced, or differs for the reason given; reports/claims.md says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from claims_measures import Judged, agrees, shown
from claims_report import render, verdict
from claims_table import CLAIMS, Figure

REPORT = Path(__file__).parents[2] / "reports" / "claims.md"
FIGURES = [(f"{claim.id} {figure.what}", figure) for claim in CLAIMS for figure in claim.figures]


def test_every_row_of_the_collection_is_there() -> None:
    rows = [
        f"{kind}{number}"
        for kind, last in (("F", 13), ("E", 20), ("N", 19), ("G", 10))
        for number in range(1, last + 1)
    ]
    assert [claim.id for claim in CLAIMS] == rows


@pytest.mark.parametrize("figure", [figure for _, figure in FIGURES], ids=[name for name, _ in FIGURES])
def test_claim(figure: Figure) -> None:
    ruled = verdict(figure)
    assert (ruled == "reproduced") == (not figure.why)
    if ruled == "differs":
        assert figure.measure is not None
        assert figure.spec is not None
        ours = figure.measure(figure.spec)
        # Of an answer in words, the numbers; of any other, the answer: the reason given must still be about them.
        for part in ours.text.split(", ") if isinstance(ours, Judged) else [shown(ours)]:
            assert part in figure.why


@pytest.mark.parametrize(
    ("printed", "ours", "same"),
    [
        ("76", 76, True),
        ("76", 75, False),
        ("1,520", 1520, True),
        ("1,520", 1524, False),
        ("35K", 34_848, True),
        ("35K", 34_499, False),
        ("800K", 802_816, True),
        ("800K", 851_000, False),
        ("60 million", 62_378_344, True),
        ("60 million", 65_100_000, False),
        ("138M", 138_357_544, True),
        ("3.2M", 3_211_264, True),
        ("3.2M", 3_260_000, False),
        ("102,760,448", 102_760_448, True),
        ("102,760,448", 102_760_449, False),
        ("16,000,000,000", 16_006_144_000, True),
        ("16,000,000,000", 16_600_000_000, False),
    ],
)
def test_how_figures_are_compared(printed: str, ours: int, same: bool) -> None:
    assert agrees(printed, ours) is same


def test_the_report_is_up_to_date(request: pytest.FixtureRequest) -> None:
    text = render()
    if request.config.getoption("--update"):
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(text, encoding="utf-8")
    assert REPORT.read_text(encoding="utf-8") == text, "reports/claims.md is stale: run pytest tests/claims --update"

"""reports/claims.md, made from the table of claims."""

from __future__ import annotations

from typing import Literal

from claims_measures import agrees, shown
from claims_table import SECTIONS, Figure

Verdict = Literal["reproduced", "differs", "not computable"]

_HEAD = """\
# Published claims

Every number that the lecture notes behind this project print about sizing, what convsize was asked, and its answer.
Made from the table in `tests/claims/claims_table.py` by `pytest tests/claims --update`; a test tells when it is stale.

Sources: **AG** Aggarwal, slides to *Neural Networks and Deep Learning*, ch. 8 (2018). **BI** Bilen, MLP lecture 7
(2019). **VA** Varma & Das, *Deep Learning*, ch. 12. **KU** Kurmi, DSE316 ConvNet slides (2022). **YO** Yoon,
M2177.003100 part 6 (2020). Volumes are H×W×D, as printed there. What is asked as "`3@32x32` through `C5D6p0`" is
`convsize analyze -e C5D6p0 --input 3@32x32`; a name is a file of `specs/`.

A number printed with a unit, or of a million and more, was rounded: ours must round to its digits, where trailing zeros
say nothing. Every other number must be met exactly. K and M are powers of ten, an operation is a multiply-add unless
FLOPs are named, "about" is within a tenth, and a formula holds when it does in every case tried.
"""


def verdict(figure: Figure) -> Verdict:
    if figure.measure is None or figure.spec is None:
        return "not computable"
    return "reproduced" if agrees(figure.printed, figure.measure(figure.spec)) else "differs"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def render() -> str:
    """The report as Markdown."""
    tally: dict[Verdict, int] = {"reproduced": 0, "differs": 0, "not computable": 0}
    parts = []
    for title, claims in SECTIONS:
        lines = [
            f"## {title}",
            "",
            "| claim | figure | asked | as printed | ours | verdict |",
            "|---|---|---|---|---|---|",
        ]
        for claim in claims:
            name = f"**{claim.id}** {claim.source}: {claim.about}"
            for figure in claim.figures:
                ruled = verdict(figure)
                tally[ruled] += 1
                asked = figure.spec.shown if figure.spec is not None else "–"
                ours = "–" if figure.measure is None or figure.spec is None else shown(figure.measure(figure.spec))
                told = ruled if ruled == "reproduced" else f"**{ruled}**: {figure.why}"
                cells = (name, figure.what, asked, figure.printed, ours, told)
                lines.append(f"| {' | '.join(map(_cell, cells))} |")
                name = ""
        parts.append("\n".join(lines) + "\n")
    counts = (
        f"{sum(tally.values())} figures: {tally['reproduced']} reproduced, {tally['differs']} differ, "
        f"{tally['not computable']} not computable.\n"
    )
    return "\n".join((_HEAD, counts, *parts))

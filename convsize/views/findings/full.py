"""Every finding with the lines it is about, carets and help."""

from __future__ import annotations

from convsize.records import CheckReport
from convsize.views.findings.summary import summary
from convsize.views.text import excerpt
from convsize.views.text.paint import PLAIN, Paint


def render(report: CheckReport, *, width: int | None = None, paint: Paint = PLAIN) -> str:
    """The findings in the order of files and places, then how many there are."""
    parts = [
        excerpt.render(found, file.source, width=width, paint=paint) + "\n"
        for file in report.files
        for found in file.diagnostics
    ]
    return "".join(parts) + summary(report) + "\n"

"""Findings as JUnit XML: a test case for every file, failed where there are findings, in error where the tool broke."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from convsize.records import CheckReport, FileFindings
from convsize.views.text import excerpt


def render(report: CheckReport) -> str:
    """One suite. All findings of a file are in its one `failure`: several readers of this format look at the first."""
    failed = sum(bool(file.diagnostics) and file.failure is None for file in report.files)
    broken = sum(file.failure is not None for file in report.files)
    counts = f'tests="{len(report.files)}" failures="{failed}" errors="{broken}"'
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            f'<testsuites name="convsize" {counts}>\n',
            f'  <testsuite name="convsize check" {counts} skipped="0">\n',
            *(_case(file) for file in report.files),
            "  </testsuite>\n",
            "</testsuites>\n",
        )
    )


def _case(file: FileFindings) -> str:
    head = f'    <testcase classname="convsize.check" name={_quoted(file.source.name)}'
    if file.failure is not None:
        message = f"convsize failed: {file.failure}"
        return f'{head}>\n      <error type="internal" message={_quoted(message)}/>\n    </testcase>\n'
    if not file.diagnostics:
        return f"{head}/>\n"
    first = file.diagnostics[0]
    message = f"{first.code}: {first.message}"
    if len(file.diagnostics) > 1:
        message += f" (and {len(file.diagnostics) - 1} more)"
    kind = min((found.severity for found in file.diagnostics), key=("error", "warning", "advice").index)
    body = "\n".join(excerpt.render(found, file.source) for found in file.diagnostics)
    said = f'<failure type="{kind}" message={_quoted(message)}>{_text(body)}</failure>'
    return f"{head}>\n      {said}\n    </testcase>\n"


def _text(text: str) -> str:
    """XML 1.0 has no way to say most control characters: they become �, as on a terminal."""
    return escape(excerpt.visible(text, lines=True))


def _quoted(text: str) -> str:
    return quoteattr(excerpt.visible(text))

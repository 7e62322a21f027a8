"""Findings as JSON of the tool's own: all that is known of each, schema 1, described by findings.schema.json."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from convsize.errors import Diagnostic, Source, Span
from convsize.records import CheckReport

SCHEMA = 1


def render(report: CheckReport) -> str:
    """One object: `findings` in the order of files and places, `failures` where the tool itself broke.

    Lines and columns count from 1, offsets from 0, in characters; an end is the first place after it.
    """
    names = {rule.code: rule.name for rule in report.rules}
    counts = Counter(found.code for file in report.files for found in file.diagnostics)
    value = {
        "schema": SCHEMA,
        "tool": {"name": "convsize", "version": report.version},
        "files": [file.source.name for file in report.files],
        "findings": [
            {"file": file.source.name, "name": names.get(found.code)} | _finding(found, file.source)
            for file in report.files
            for found in file.diagnostics
        ],
        "failures": [
            {"file": file.source.name, "message": file.failure} for file in report.files if file.failure is not None
        ],
        "suppressed": sum(file.suppressed for file in report.files),
        "statistics": dict(sorted(counts.items())),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _finding(found: Diagnostic, source: Source) -> dict[str, Any]:
    return {
        "code": found.code,
        "severity": found.severity,
        "message": found.message,
        **_range(found.span, source),
        "label": found.label,
        "help": found.help,
        "labels": [{"message": label.text, **_range(label.span, source)} for label in found.labels],
        "fixes": [
            {"replacement": fix.replacement, "safe": fix.safe, **_range(fix.span, source)} for fix in found.fixes
        ],
    }


def _range(span: Span, source: Source) -> dict[str, Any]:
    start, end = source.place(span.start), source.place(span.end)
    return {
        "start": {"line": start.line, "column": start.column, "offset": span.start},
        "end": {"line": end.line, "column": end.column, "offset": span.end},
    }

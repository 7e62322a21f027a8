"""Findings as SARIF 2.1.0 (OASIS, 2020), which code scanning services read."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from convsize.errors import Diagnostic, Fix, Source, Span
from convsize.records import CheckReport, FileFindings, RulePage

_LEVELS = {"error": "error", "warning": "warning", "advice": "note"}


def render(report: CheckReport) -> str:
    """One run: every rule with its page, the findings, and where the tool itself broke as a notification."""
    places = {rule.code: place for place, rule in enumerate(report.rules)}
    failures = [file for file in report.files if file.failure is not None]
    value = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "convsize",
                        "semanticVersion": report.version,
                        "rules": [_rule(rule) for rule in report.rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "artifacts": [{"location": _location(file.source)} for file in report.files],
                "invocations": [
                    {
                        "executionSuccessful": not failures,
                        "toolExecutionNotifications": [_notification(file) for file in failures],
                    }
                ],
                "results": [
                    _result(found, file.source, places.get(found.code))
                    for file in report.files
                    for found in file.diagnostics
                ],
            }
        ],
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: RulePage) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "help": {"text": rule.page},
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
    }


def _notification(file: FileFindings) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": f"convsize failed: {file.failure}"},
        "locations": [{"physicalLocation": {"artifactLocation": _location(file.source)}}],
    }


def _result(found: Diagnostic, source: Source, rule: int | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": found.code,
        "level": _LEVELS[found.severity],
        "message": {"text": found.message if not found.help else f"{found.message}\nhelp: {found.help}"},
        "locations": [_place(found.span, source, found.label)],
    }
    if rule is not None:
        result["ruleIndex"] = rule
    if found.labels:
        result["relatedLocations"] = [
            {"id": number, **_place(label.span, source, label.text)} for number, label in enumerate(found.labels)
        ]
    if found.fixes:
        result["fixes"] = [_fix(fix, source) for fix in found.fixes]
    return result


def _place(span: Span, source: Source, text: str) -> dict[str, Any]:
    place: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _location(source), "region": _region(span, source)}
    }
    if text:
        place["message"] = {"text": text}
    return place


def _region(span: Span, source: Source) -> dict[str, Any]:
    start, end = source.place(span.start), source.place(span.end)
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "charOffset": span.start,
        "charLength": span.end - span.start,
    }


def _fix(fix: Fix, source: Source) -> dict[str, Any]:
    old, new = source.slice(fix.span), fix.replacement
    said = f"replace `{old}` by `{new}`" if old and new else f"insert `{new}`" if new else f"remove `{old}`"
    return {
        "description": {"text": said if fix.safe else f"{said} (this changes sizes)"},
        "artifactChanges": [
            {
                "artifactLocation": _location(source),
                "replacements": [{"deletedRegion": _region(fix.span, source), "insertedContent": {"text": new}}],
            }
        ],
    }


def _location(source: Source) -> dict[str, str]:
    """A relative reference, as code scanning wants it; of an absolute path a file URI."""
    path = quote(source.name.encode("utf-8", "surrogateescape"))  # as the file system holds it
    return {"uri": f"file://{path}" if path.startswith("/") else path}

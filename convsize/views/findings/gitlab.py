"""Findings as GitLab's code quality report: a JSON list of issues in the format of Code Climate's.

GitLab tells old issues from new ones by their fingerprints. They are made of the file, the code and the text under the
finding, not of its line number, so that a line added above makes no finding new.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from convsize.records import CheckReport

_SEVERITIES = {"error": "major", "warning": "minor", "advice": "info"}


def render(report: CheckReport) -> str:
    """The list; a file on which the tool itself broke is a blocker."""
    issues: list[dict[str, Any]] = []
    for file in report.files:
        alike: Counter[tuple[str, str]] = Counter()
        path = file.source.name
        for found in file.diagnostics:
            under = " ".join(file.source.slice(found.span).split())
            alike[found.code, under] += 1
            issues.append(
                {
                    "description": f"{found.code}: {found.message}" + (f"; {found.help}" if found.help else ""),
                    "check_name": found.code,
                    "fingerprint": _digest(path, found.code, under, str(alike[found.code, under])),
                    "severity": _SEVERITIES[found.severity],
                    "location": {
                        "path": path,
                        "lines": {
                            "begin": file.source.place(found.span.start).line,
                            "end": file.source.place(max(found.span.end - 1, found.span.start)).line,
                        },
                    },
                }
            )
        if file.failure is not None:
            issues.append(
                {
                    "description": f"convsize failed: {file.failure}",
                    "check_name": "internal-error",
                    "fingerprint": _digest(path, "internal-error"),
                    "severity": "blocker",
                    "location": {"path": path, "lines": {"begin": 1, "end": 1}},
                }
            )
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"


def _digest(*parts: str) -> str:
    from hashlib import sha256

    return sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

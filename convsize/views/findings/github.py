"""Findings as GitHub workflow commands, which GitHub shows as annotations on a pull request.

The format and its escapes: "Workflow commands for GitHub Actions", and `toolkit/packages/core/src/command.ts`.
"""

from __future__ import annotations

from convsize.errors import Diagnostic, Source
from convsize.records import CheckReport
from convsize.views.text.excerpt import visible

_COMMANDS = {"error": "error", "warning": "warning", "advice": "notice"}


def render(report: CheckReport) -> str:
    """One command a finding, and one for every file on which the tool itself broke."""
    names = {rule.code: rule.name for rule in report.rules}
    lines: list[str] = []
    for file in report.files:
        lines.extend(_finding(found, file.source, names.get(found.code, "")) for found in file.diagnostics)
        if file.failure is not None:
            lines.append(_command("error", {"title": "convsize failed", "file": file.source.name}, file.failure))
    return "".join(f"{line}\n" for line in lines)


def _finding(found: Diagnostic, source: Source, name: str) -> str:
    start = source.place(found.span.start)
    # GitHub's end is the last character itself, and columns are allowed within one line only.
    last = source.place(max(found.span.end - 1, found.span.start))
    properties = {
        "title": f"convsize {found.code} {name}".rstrip(),
        "file": source.name,
        "line": str(start.line),
        "endLine": str(last.line),
    }
    if start.line == last.line:
        properties |= {"col": str(start.column), "endColumn": str(last.column)}
    message = found.message if not found.help else f"{found.message}\nhelp: {found.help}"
    return _command(_COMMANDS[found.severity], properties, message)


def _command(command: str, properties: dict[str, str], message: str) -> str:
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{command} {said}::{_data(visible(message, lines=True))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

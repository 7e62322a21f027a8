"""A network as a Markdown page for repositories: the table and the totals, the diagram in Mermaid, the findings."""

from __future__ import annotations

from convsize.errors import Diagnostic, Source
from convsize.views import drawing_mermaid, markdown
from convsize.views.report_content import NetworkPage, drawn

INDEX = "README.md"
"""The page that compares all networks: the one that repositories show of a folder."""

_MOST_SHAPES = 150
"""GitHub and GitLab draw no flowchart of more than 50,000 characters or 500 edges; one of 150 shapes is below both."""

_SIGNS = frozenset("\\`*_{}[]()<>#+-.!|&~$")


def render(page: NetworkPage, *, index: bool = False) -> str:
    """The page of one network; `index` says that it stands beside one that compares several."""
    report = page.report
    out = [f"[All networks]({INDEX})\n\n"] if index else []
    out.append(markdown.render(report))
    found = drawn(report, _MOST_SHAPES)
    if found is not None:
        out.append(f"\n### Diagram\n\n```mermaid\n{drawing_mermaid.render(report, detail=found[0])}```\n")
    out.append("\n### Findings\n\n")
    source = page.findings.source
    out += [_finding(each, source) for each in page.findings.diagnostics] or ["None.\n"]
    out.append(f"\n### Spec\n\n{fenced(report.source.text)}")
    return "".join(out)


def escaped(text: str) -> str:
    """A text in a line of Markdown, shown as it is."""
    return "".join(f"\\{char}" if char in _SIGNS else char for char in " ".join(text.split()))


def fenced(text: str) -> str:
    """A text as a block of code, between fences that are longer than any in it."""
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}\n"


def _finding(found: Diagnostic, source: Source) -> str:
    place = source.place(found.span.start)
    help_text = f" – fix: {escaped(found.help)}" if found.help else ""
    return f"- **{found.code}**, line {place.line}: {escaped(found.message)}{help_text}\n"

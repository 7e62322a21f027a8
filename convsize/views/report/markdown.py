"""A network as a Markdown page for repositories: the table and the totals, the diagram in Mermaid, the findings."""

from __future__ import annotations

from convsize.errors import Diagnostic, Source
from convsize.views.analysis import markdown
from convsize.views.drawing import mermaid
from convsize.views.report.content import NetworkPage, drawn, spec_text

INDEX = "README.md"
"""The page that compares all networks: the one that repositories show of a folder."""

_MOST_SHAPES = 150
"""GitHub and GitLab draw no flowchart of more than 50,000 characters or 500 edges; one of 150 shapes is below both."""


def render(page: NetworkPage, *, index: bool = False) -> str:
    """The page of one network; `index` says that it stands beside one that compares several."""
    report = page.report
    out = [f"[All networks]({INDEX})", ""] if index else []
    out += [*markdown.heading(report), "", *markdown.totals(report)]
    if report.insights:
        out += ["", "### What stands out", "", *markdown.insights(report)]
    found = drawn(report, _MOST_SHAPES)
    if found is not None:
        out += ["", "### Diagram", "", "```mermaid", mermaid.render(report, detail=found[0]).rstrip(), "```"]
    source = page.findings.source
    findings = [_finding(each, source) for each in page.findings.diagnostics]
    out += ["", "### Findings", "", *(findings or ["None."])]
    out += ["", "### Layers", "", *markdown.layers(report)]
    out += ["", "### Spec", "", fenced(spec_text(report))]
    return "\n".join(out) + "\n"


def fenced(text: str) -> str:
    """A text as a block of code, between fences that are longer than any in it."""
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def _finding(found: Diagnostic, source: Source) -> str:
    place = source.place(found.span.start)
    help_text = f" – fix: {markdown.sentence(found.help)}" if found.help else ""
    return f"- **{found.code}**, line {place.line}: {markdown.sentence(found.message)}{help_text}"

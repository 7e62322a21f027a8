"""What a check found in one sentence, and as a table of codes."""

from __future__ import annotations

from collections import Counter

from convsize.records import CheckReport
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import plural


def summary(report: CheckReport) -> str:
    """How many findings there are in how many files; what comments keep quiet and what broke is not left out."""
    counts = [len(file.diagnostics) for file in report.files]
    checked = plural(sum(file.failure is None for file in report.files), "file")
    quiet = sum(file.suppressed for file in report.files)
    broken = sum(file.failure is not None for file in report.files)
    if sum(counts):
        where = plural(sum(count > 0 for count in counts), "file")
        text = f"{plural(sum(counts), 'finding')} in {where} ({checked} checked"
    else:
        text = f"no findings ({checked} checked"
    if quiet:
        text += f", {plural(quiet, 'finding')} suppressed"
    if broken:
        text += f", {broken} not checked: convsize failed"
    return text + ")"


def statistics(report: CheckReport, *, paint: Paint = PLAIN) -> str:
    """How often each code was found, the most frequent first."""
    counts = Counter(found.code for file in report.files for found in file.diagnostics)
    names = {rule.code: rule.name for rule in report.rules}
    width = len(str(max(counts.values(), default=0)))
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = [f"{count:>{width}}  {paint(code, 'bold')}  {names.get(code, '')}".rstrip() for code, count in ordered]
    return "".join(f"{line}\n" for line in lines) + summary(report) + "\n"

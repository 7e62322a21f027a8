"""What a check finds in specs."""

from __future__ import annotations

from convsize.errors import Diagnostic, Severity, Source
from convsize.record import Record


class FileFindings(Record):
    """What a check found in one file, in the order of the text.

    suppressed: how many findings comments in the file keep quiet. failure: where the tool itself broke on this file, in
    one line; the findings are then not all there is to say.
    """

    source: Source
    diagnostics: tuple[Diagnostic, ...] = ()
    suppressed: int = 0
    failure: str | None = None


class RulePage(Record):
    """A rule as formats describe it: its code, name, usual level, one line on it, and the paragraphs of its page."""

    code: str
    name: str
    level: Severity
    summary: str
    page: str


class CheckReport(Record):
    """What a check found in all files, sorted by file; `rules` are all that there are, `version` is the tool's."""

    files: tuple[FileFindings, ...]
    rules: tuple[RulePage, ...]
    version: str

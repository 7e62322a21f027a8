"""What a rule is: one code, what it finds, why that matters, and how to fix it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from convsize.errors import Diagnostic
from convsize.graph.network import Network
from convsize.record import Record
from convsize.records import LayerRow, Report


class Context(Record):
    """What a rule looks at: a network without errors, what the analyses say of it, and the rows by node index."""

    network: Network
    report: Report
    rows: Mapping[int, LayerRow]


Finder = Callable[[Context], Iterator[Diagnostic]]


class Rule(Record):
    """A rule and its reference page.

    code: "W501"; name: "dropped-pixels", short and in kebab case; summary: one line for the table of rules.
    style: only with `--style`, because well-known networks contradict it.
    checks, why, fix: plain paragraphs; source: the notes, a paper, or the trap it comes from.
    example: a small spec that it finds something in; better: the same spec mended.
    find: the check; None for codes that the parser, the builder or the expectations report themselves.
    """

    code: str
    name: str
    summary: str
    checks: str
    why: str
    source: str
    example: str
    better: str
    fix: str
    find: Finder | None = None
    style: bool = False

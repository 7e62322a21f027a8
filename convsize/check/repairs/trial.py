"""The smallest change of geometry that makes a spec valid: tokens with one number changed, tried in order of smallness.

What is smallest is what changes least of the network: first padding, then rounding, then stride, kernel, groups and
depth; a layer before the faulty one only where nothing at the layer itself will do. Every candidate is tried by
building the network again, for a number that mends one call of a block may spoil another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from convsize.check.repairs.candidates import candidates
from convsize.check.repairs.tokens import Repair
from convsize.errors import Diagnostic, Fix, Source, Span
from convsize.graph.build import Attempt
from convsize.language.parser import parse
from convsize.language.tree import DefStmt, File

LARGEST_TRIAL = 60_000
"""Layers that are sized in all trials for one finding together, so that a large network gets fewer of them."""

MOST_TRIALS = 64

Build = Callable[[File], Attempt]
"""Builds a file with the constants and inputs that the caller was given."""


def edited(text: str, fixes: tuple[Fix, ...]) -> str:
    """The text with all fixes made, none of which overlap."""
    for fix in sorted(fixes, key=lambda each: each.span.values(), reverse=True):
        text = text[: fix.span.start] + fix.replacement + text[fix.span.end :]
    return text


def moved(offset: int, fixes: tuple[Fix, ...], *, end: bool = False) -> int:
    """Where a place of the text is when the fixes are made; inside a fix, its beginning or its end."""
    shift = 0
    for fix in sorted(fixes, key=lambda each: each.span.values()):
        if fix.span.end <= offset and not (fix.span.start == offset and not end):
            shift += len(fix.replacement) - (fix.span.end - fix.span.start)
        elif fix.span.start < offset:
            return fix.span.start + shift + (len(fix.replacement) if end else 0)
    return offset + shift


def repair(
    file: File,
    found: Diagnostic,
    before: Attempt,
    build: Build,
) -> Repair | None:
    """The smallest change that removes an error of the geometry and brings no other; None where none was found.

    before: what came of building the file as it is.
    """
    trials = min(MOST_TRIALS, max(LARGEST_TRIAL // max(before.layers, 1), 8))
    for each in islice(candidates(file, found, before), trials):
        if works(file.source, found, each.fix, before, build):
            return each
    return None


def works(
    source: Source,
    found: Diagnostic,
    fix: Fix,
    before: Attempt,
    build: Build,
    *,
    everywhere: bool = True,
) -> bool:
    """Whether a change removes an error without bringing others: those after it, which it hid, may come to light.

    In a block they may not: there they would be those of another call, for which the change is wrong.
    everywhere: whether it must leave the calls and iterations alone that are right without it.
    """
    file, wrong = parse(Source(edited(source.text, (fix,)), source.name))
    if any(each.severity == "error" for each in wrong):
        return False
    after = build(file)
    if everywhere and _changes_what_fits(before, after, found, fix):
        return False
    if after.network is not None:
        return True
    if len(after.diagnostics) > len(before.diagnostics):
        return False
    known = {(each.code, moved(each.span.start, (fix,))) for each in before.diagnostics}
    fresh = [each for each in after.diagnostics if (each.code, each.span.start) not in known]
    block = block_around(file, Span(fix.span.start, fix.span.start))
    if still_wrong(after.diagnostics, found, fix) or any(block and is_in(block, each.span) for each in fresh):
        return False
    return (len(after.diagnostics) < len(before.diagnostics) and not fresh) or after.layers > before.layers


def block_around(file: File, span: Span) -> DefStmt | None:
    """The block in which a place lies."""
    return next((stmt for stmt in file.statements if isinstance(stmt, DefStmt) and is_in(stmt, span)), None)


def is_in(block: DefStmt, span: Span) -> bool:
    """Whether a place lies in a block's body."""
    return block.body.span.start <= span.start and span.end <= block.body.span.end


def _changes_what_fits(before: Attempt, after: Attempt, found: Diagnostic, fix: Fix) -> bool:
    """Whether a change reaches a call or an iteration of its place that was right.

    It does by a token that does something else there, and by a layer added where the volume was right already.
    """
    if fix.span.start <= found.span.start and found.span.end <= fix.span.end and found.code.startswith("E2"):
        outputs = {node.name: node.output for node in after.nodes}
        return any(outputs.get(node.name) != node.output for node in before.nodes if node.span == found.span)
    if any(fix.span.start <= node.span.start and node.span.end <= fix.span.end for node in before.nodes):
        return False
    end = fix.span.start + len(fix.replacement)
    added = [node for node in after.nodes if fix.span.start <= node.span.start and node.span.end <= end]
    return any(node.output == after.nodes[node.inputs[0]].output and node.op.parameters(node.output) for node in added)


def still_wrong(after: Iterable[Diagnostic], found: Diagnostic, fix: Fix) -> bool:
    """Whether an error of volumes, the same or another, is still where a fix was to remove one."""
    start, end = moved(found.span.start, (fix,)), moved(found.span.end, (fix,), end=True)
    return any(
        (each.code == found.code or each.code[:2] in ("E2", "E3")) and each.span.start <= end and start <= each.span.end
        for each in after
        if each.severity == "error"
    )

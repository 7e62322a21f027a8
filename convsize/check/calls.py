"""Errors inside a block that are mended where the block is called: a number in the block would be one for all calls."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.check.repairs.tokens import Repair
from convsize.check.repairs.trial import LARGEST_TRIAL, Build, block_around, edited
from convsize.errors import Diagnostic, Fix, Source, Span
from convsize.graph.build import Attempt
from convsize.language.parser import parse
from convsize.language.tree import Call, DefStmt, File, Group, Name, Num, Series
from convsize.rules.places import items_of, series_of

MOST_CALLS = 16
"""Calls of one block that are mended together."""

_SHOWN = 4


def at_calls(file: File, found: Diagnostic, before: Attempt, build: Build) -> Repair | None:
    """The arguments with which every call of a block crops a branch to what the other branch of a join gives.

    None where the block crops nothing by an argument, or a call gives it no plain number.
    """
    block = block_around(file, found.span)
    if block is None:
        return None
    fixes: dict[int, tuple[Call, Fix]] = {}
    now, error = file, found
    for _ in range(min(MOST_CALLS, max(LARGEST_TRIAL // max(before.layers, 1), 4))):
        wanted = _wanted(now, error)
        number = _call_of(now, error)
        if wanted is None or number is None or number in fixes:
            return None
        parameter, size, more = wanted
        call = _calls(file)[number]
        fix = _argument(block, call, parameter, size, more=more)
        if fix is None:
            return None
        fixes[number] = call, fix
        made = tuple(each for _, each in fixes.values())
        now, wrong = parse(Source(edited(file.source.text, made), file.source.name))
        if any(each.severity == "error" for each in wrong):
            return None
        after = build(now)
        inside = [each for each in after.diagnostics if _is_in(now, each.span, block)]
        if not inside:
            better = after.network is not None or len(after.diagnostics) <= len(before.diagnostics)
            return _together(file, parameter, fixes) if better else None
        (error, *others) = inside
        if others or error.code != found.code:
            return None
    return None


def _is_in(file: File, span: Span, block: DefStmt) -> bool:
    found = block_around(file, span)
    return found is not None and found.name.name == block.name.name


def _calls(file: File) -> list[Call]:
    """Every call, in the order of the text: changing an argument changes neither their number nor their order."""
    found = [item.atom for series in series_of(file) for item in series.items if isinstance(item.atom, Call)]
    return sorted(found, key=lambda call: call.span.start)


def _call_of(file: File, found: Diagnostic) -> int | None:
    """The number of the call in which an error inside a block arises."""
    spans = {label.span for label in found.labels if label.text.startswith("in this call")}
    return next((number for number, call in enumerate(_calls(file)) if call.span in spans), None)


def _wanted(file: File, found: Diagnostic) -> tuple[str, int, bool] | None:
    """The parameter by which a branch of the join is cropped, and its value, or what it lacks (True)."""
    for branch in _branches(file, found.span):
        last = branch.items[-1].atom
        if not isinstance(last, Call) or last.name.name != "crop" or last.args is None or len(last.args) != 1:
            continue
        value = last.args[0].value
        if not isinstance(value, Name):
            continue
        for fix in found.fixes:
            word, _, numbers = fix.replacement.strip().rstrip(")").partition("(")
            values = [int(each) for each in numbers.split(",") if each.isdigit()]
            if fix.span != Span(branch.span.end, branch.span.end):
                continue
            if word == "crop" and len(values) == 1:
                return value.name, values[0], False
            gaps = {one + two for one, two in zip(values[::2], values[1::2], strict=False)}
            if word == "pad" and len(gaps) == 1:
                return value.name, gaps.pop(), True
    return None


def _branches(file: File, first: Span) -> Iterator[Series]:
    for series in series_of(file):
        for item in items_of(series):
            if isinstance(item.atom, Group) and item.atom.branches[0].span == first:
                yield from item.atom.branches
                return


def _argument(block: DefStmt, call: Call, parameter: str, size: int, *, more: bool) -> Fix | None:
    """The call's argument for a parameter, as another number: `size`, or by so much `more`."""
    places = [param.name.name for param in block.params]
    if call.name.name != block.name.name or parameter not in places:
        return None
    for place, arg in enumerate(call.args or ()):
        if (arg.name.name if arg.name else places[place] if place < len(places) else "") == parameter:
            if not isinstance(arg.value, Num) or arg.value.value.denominator != 1:
                return None
            size += int(arg.value.value) if more else 0
            return Fix(arg.span, f"{parameter}={size}" if arg.name else str(size), safe=False)
    return None


def _together(file: File, parameter: str, fixes: dict[int, tuple[Call, Fix]]) -> Repair:
    """All changed calls as one fix, from the first to the last of them."""
    calls = [fixes[number] for number in sorted(fixes)]
    text = file.source.text
    whole = calls[0][0].span.to(calls[-1][0].span)
    written = []
    for call, fix in calls:
        written.append(text[call.span.start : fix.span.start] + fix.replacement + text[fix.span.end : call.span.end])
    parts, at = [], whole.start
    for (call, _), new in zip(calls, written, strict=True):
        parts += [text[at : call.span.start], new]
        at = call.span.end
    shown = ", ".join(f"`{each}`" for each in written[:_SHOWN]) + (", …" if len(written) > _SHOWN else "")
    many = "each call its own" if len(calls) > 1 else "the call another"
    return Repair(Fix(whole, "".join(parts), safe=False), f"give {many} `{parameter}`: write {shown}")

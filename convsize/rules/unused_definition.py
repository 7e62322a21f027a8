"""W507: blocks, constants, inputs, names and heads that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convsize.errors import Diagnostic, Fix, Span
from convsize.language.tree import Call, DefStmt, HeadStmt, InputStmt, LetStmt, Stmt, TrunkStmt
from convsize.rules.base import Context, Rule
from convsize.rules.places import consumers, items_of, series_of
from convsize.rules.uses import Uses, params_of, uses_of


def _find(context: Context) -> Iterator[Diagnostic]:
    statements = context.network.file.statements
    mentions = [uses_of((stmt.body, stmt.params) if isinstance(stmt, DefStmt) else stmt) for stmt in statements]
    stated = list(zip(statements, mentions, strict=True))
    used: list[tuple[frozenset[str], Uses]] = [
        (frozenset(), uses) for stmt, uses in stated if not isinstance(stmt, DefStmt | LetStmt)
    ]
    blocks = {stmt.name.name: stmt for stmt in statements if isinstance(stmt, DefStmt)}
    inside = {stmt.name.name: (params_of(stmt), uses) for stmt, uses in stated if isinstance(stmt, DefStmt)}
    reached: set[str] = set()
    waiting = [name for hidden, uses in used for name in (uses.all - hidden) & blocks.keys()]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            hidden, uses = inside[name]
            used.append((hidden, uses))
            waiting.extend((uses.all - hidden) & blocks.keys())
    for name, block in blocks.items():
        if name not in reached:
            text = f"the block `{name}` is never used"
            yield _unused(block.name.span, text, "call it, or remove it", _line_removed(context, block.span))
    yield from _constants(context, [*used, *inside.values()])
    yield from _inputs(context)
    yield from _inner_names(context, stated)
    yield from _outer_names(context, stated)
    yield from _heads(context)


def _unused(span: Span, message: str, help_text: str, fixes: tuple[Fix, ...] = ()) -> Diagnostic:
    return Diagnostic("W507", "warning", message, span, help_text, fixes=fixes)


def _constants(context: Context, used: list[tuple[frozenset[str], Uses]]) -> Iterator[Diagnostic]:
    """`let`s that no layer needs, not even for another `let`; what only unused blocks need is not reported again."""
    lets = [each for each in context.network.file.statements if isinstance(each, LetStmt)]
    values = {
        name.name: (value, others)
        for each in lets
        for (name, value), others in zip(each.bindings, each.others, strict=True)
    }
    mentioned: set[str] = set()
    waiting = [name for hidden, uses in used for name in uses.all - hidden]
    while waiting:
        name = waiting.pop()
        if name not in mentioned:
            mentioned.add(name)
            waiting += uses_of(values[name]).all if name in values else ()
    for statement in lets:
        for at, (bound, _) in enumerate(statement.bindings):
            if bound.name not in mentioned:
                text = f"the constant `{bound.name}` is never used"
                fixes = _binding_removed(context, statement, at)
                yield _unused(bound.span, text, f"write `{{{bound.name}}}`, or remove it", fixes)


def _line_removed(context: Context, span: Span) -> tuple[Fix, ...]:
    """Takes a statement away with its line; comments around it stay. One with comments inside is left to its author."""
    text = context.network.source.text
    start = text.rfind("\n", 0, span.start) + 1
    end = span.end
    while text[end : end + 1] in (" ", "\t"):
        end += 1
    if text[start : span.start].strip() or "#" in text[span.start : span.end]:
        return ()
    if text[end : end + 1] == "#":
        return (Fix(Span(span.start, end), "", True),)
    ending = next((each for each in ("\r\n", "\n", "\r") if text.startswith(each, end)), "")
    if not ending and end < len(text):
        return ()
    return (Fix(Span(start, end + len(ending)), "", True),)


def _binding_removed(context: Context, statement: LetStmt, at: int) -> tuple[Fix, ...]:
    """Takes one constant out of its `let`, or the whole line where it has no other."""
    names = [name.span for name, _ in statement.bindings]
    if len(names) == 1:
        return _line_removed(context, statement.span)
    text = context.network.source.text
    if at + 1 < len(names):
        span = Span(names[at].start, names[at + 1].start)
    else:
        span = Span(text.rindex(",", 0, names[at].start), statement.span.end)
    return () if "#" in text[span.start : span.end] else (Fix(span, "", True),)


def _inputs(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    readers = consumers(network)
    for statement in network.file.statements:
        if isinstance(statement, InputStmt):
            name = statement.name.name if statement.name else "input"
            index = network.inputs[name]
            if not readers[index] and index not in network.outputs.values():
                yield _unused(statement.span, f"no layer reads the input `{name}`", f"start from it with `@{name}`")


def _inner_names(context: Context, stated: Sequence[tuple[Stmt, Uses]]) -> Iterator[Diagnostic]:
    """Names inside blocks and heads, which are not seen outside; a block may give those that it ends in."""
    asked = _asked(context)
    for statement, uses in stated:
        if not isinstance(statement, DefStmt | HeadStmt):
            continue
        what = "block" if isinstance(statement, DefStmt) else "head"
        # A head starts from a tap outside it.
        taps = uses.taps if isinstance(statement, DefStmt) else uses_of(statement.body).taps
        last = statement.body.items[-1]
        gives = isinstance(statement, DefStmt) and len(last.names) > 1
        if gives and statement.name.name not in asked:
            # The last of the values is the one that goes on.
            for name in last.names[:-1]:
                if name.name not in taps:
                    yield _unused(
                        name.span,
                        f"no call of `{statement.name.name}` takes the value `{name.name}`",
                        f"name the values at the call, `{statement.name.name} as "
                        f"{', '.join(each.name for each in last.names)}`, or take the branch away",
                    )
        for item in items_of(statement.body):
            for name in item.names:
                if name.name not in taps and not (gives and item is last):
                    alone = len(item.names) == 1
                    bound = item.repeat.span.end if item.repeat is not None else item.atom.span.end
                    plain = context.network.source.slice(Span(bound, name.span.start)).split() == ["as"]
                    fixes = (Fix(Span(bound, name.span.end), "", True),) if alone and plain else ()
                    yield _unused(
                        name.span,
                        f"nothing in this {what} starts from `@{name.name}`, and it is not seen outside",
                        f"take `as {name.name}` away" if alone else f"use it: `@{name.name}`",
                        fixes,
                    )


def _asked(context: Context) -> frozenset[str]:
    """The blocks that are called for several values; all of them where a parameter stands for one."""
    statements = context.network.file.statements
    blocks = frozenset(stmt.name.name for stmt in statements if isinstance(stmt, DefStmt))
    calls = {
        item.atom.name.name
        for series in series_of(context.network.file)
        for item in items_of(series)
        if len(item.names) > 1 and isinstance(item.atom, Call)
    }
    return frozenset(calls) if calls <= blocks else blocks


def _outer_names(context: Context, stated: Sequence[tuple[Stmt, Uses]]) -> Iterator[Diagnostic]:
    """Names of the trunk for values that lead nowhere. A name on the way is no waste: it marks a place to ask about."""
    network = context.network
    trunk = [stmt.series for stmt, _ in stated if isinstance(stmt, TrunkStmt)]
    # Blocks do not see the names of the trunk.
    taps = {tap for stmt, uses in stated if not isinstance(stmt, DefStmt) for tap in uses.taps}
    readers = consumers(network)
    for series in trunk:
        for item in items_of(series):
            for name in item.names:
                index = network.taps.get(name.name)
                if index is None or name.name in taps or readers[index] or index in network.outputs.values():
                    continue
                shape = network.nodes[index].output
                yield _unused(
                    name.span,
                    f"nothing starts from `@{name.name}`: the {shape} that it names leads nowhere",
                    f"use it, as in `(x + @{name.name})` or `head {name.name} @{name.name}: …`, or take its layers "
                    f"away",
                )


def _heads(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    ends = {index: name for name, index in reversed(list(network.outputs.items()))}
    for statement in network.file.statements:
        if isinstance(statement, HeadStmt):
            name = statement.name.name
            other = ends[network.outputs[name]]
            if other != name:
                what = "the trunk" if other == "main" else f"the head `{other}`"
                yield _unused(
                    statement.name.span,
                    f"the head `{name}` has no layer of its own: it gives what {what} gives",
                    "add its layers, or remove it",
                )


RULE = Rule(
    code="W507",
    name="unused-definition",
    summary="a block, constant, input, name or head that nothing uses",
    checks=(
        "Blocks that no trunk, head or used block calls; constants that no expression mentions; inputs that no layer "
        "reads; names inside a block or head that nothing there starts from; names of the trunk for values that lead "
        "nowhere; heads without a layer of their own. A name on the trunk's way is not reported: `expect @name:` and "
        "the analyses can ask about it."
    ),
    why=(
        "Mostly something was meant to be there: a skip that was never joined, a block that a copy replaced, a "
        "constant that a number replaced. What leads nowhere still counts among the parameters."
    ),
    source="The habit of every linter; unused skips are a common slip in hand-written U-Nets.",
    example="input: 3@32x32\ndef stage(d): C3D{d} R M\nlet n=10\nC3D64 R M FC10\n",
    better="input: 3@32x32\ndef stage(d): C3D{d} R M\nlet n=10\nstage(64) FC{n}\n",
    fix="Use it, or remove it: a block or a constant with its line, a name inside a block. Comments stay.",
    find=_find,
)

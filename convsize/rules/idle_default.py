"""W503: defaults that change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convsize.errors import Diagnostic, Fix, Span
from convsize.language.mnemonics import SUFFIXES
from convsize.language.tree import Call, DefaultStmt, DefStmt, Function, Layer, Name, Stmt
from convsize.ops import catalogue
from convsize.rules.base import Context, Rule
from convsize.rules.uses import nodes_of, params_of, uses_of
from convsize.words import plural

_FIELDS = {
    "size": "size",
    "D": "depth",
    "/": "stride",
    "p": "padding",
    "d": "dilation",
    "g": "groups",
    "a": "output_padding",
    "b": "bias",
    "z": "count_zeros",
    "rounding": "rounding",
    "ws": "standard",
}


_Nodes = tuple[Stmt, list[object]]
"""A statement, and all that stands in it."""


def _find(context: Context) -> Iterator[Diagnostic]:
    nodes = [(stmt, list(nodes_of(stmt))) for stmt in context.network.file.statements]
    yield from _parameters(context, nodes)
    yield from _defaults(context, nodes)


def _parameters(context: Context, nodes: Sequence[_Nodes]) -> Iterator[Diagnostic]:
    """Parameters that a block does not use, and defaults that every call replaces."""
    statements = context.network.file.statements
    blocks = {stmt.name.name: stmt for stmt in statements if isinstance(stmt, DefStmt)}
    if not blocks:
        return
    calls: dict[str, list[Call]] = {name: [] for name in blocks}
    passed: set[str] = set()
    for statement, found in nodes:
        hidden = params_of(statement) if isinstance(statement, DefStmt) else frozenset()
        for node in found:
            if isinstance(node, Call) and node.name.name in blocks and node.name.name not in hidden:
                calls[node.name.name].append(node)
            elif isinstance(node, Function):
                passed.add(node.name.name)
            elif isinstance(node, Name):
                passed.add(node.name)
    for name, block in blocks.items():
        if not calls[name] or name in passed:
            continue
        own = uses_of((block.body, tuple(param.default for param in block.params)))
        for place, param in enumerate(block.params):
            what = param.name.name
            if what not in own.all | own.taps:
                yield Diagnostic(
                    "W503",
                    "warning",
                    f"the parameter `{what}` changes nothing: the block `{name}` never uses it",
                    param.name.span,
                    "use it in the block, or remove it here and in the calls",
                )
            elif param.default is not None and all(_gives(call, place, what) for call in calls[name]):
                default = Span(param.name.span.end, param.default.span.end)
                count = len(calls[name])
                who = "its only call gives" if count == 1 else f"all its {plural(count, 'call')} give"
                closed = context.network.source.slice(Span(default.end, default.end + 1)) in (",", ")", " ")
                yield Diagnostic(
                    "W503",
                    "warning",
                    f"the default of `{what}` is never used: {who} a value",
                    param.name.span.to(param.default.span),
                    f"write `{what}` alone, or leave the value out of the calls that repeat it",
                    fixes=(Fix(default, "", True),) if closed else (),
                )


def _gives(call: Call, place: int, name: str) -> bool:
    args = call.args or ()
    return sum(arg.name is None for arg in args) > place or any(arg.name and arg.name.name == name for arg in args)


def _defaults(context: Context, nodes: Sequence[_Nodes]) -> Iterator[Diagnostic]:
    """Parts of `default` lines that no layer takes."""
    file = context.network.file
    lines = [stmt for stmt in file.statements if isinstance(stmt, DefaultStmt)]
    if not lines:
        return
    layers: list[Layer] = []
    for statement, found in nodes:
        for node in () if isinstance(statement, DefaultStmt) else found:
            if isinstance(node, Layer):
                layers.append(node)
            elif isinstance(node, Name) and node.name[0].isupper():
                return  # a layer passed to a block by name: too rare to follow
    taken = {pair for layer in layers for pair in _taken(layer)}
    for line in lines:
        for layer in line.layers:
            for part, span in layer.suffixes:
                if (layer.mnemonic, part) not in taken:
                    what = SUFFIXES.get(part, "size")
                    text = f"this default changes nothing: no `{layer.mnemonic}` in the file leaves its {what} out"
                    yield Diagnostic("W503", "warning", text, span, "remove it")
    yield from _words(context, lines)


def _words(context: Context, lines: list[DefaultStmt]) -> Iterator[Diagnostic]:
    """Words of `default` lines whose op no layer is."""
    used = {type(node.op) for node in context.network.layers}
    for word in (word for line in lines for word in line.words):
        name = word.name.name
        if catalogue.word(name) not in used:
            text = f"this default changes nothing: no layer is a `{name}`"
            yield Diagnostic("W503", "warning", text, word.span, "remove it")


def _taken(layer: Layer) -> Iterator[tuple[str, str]]:
    """What a layer takes from `default` lines: the mnemonic and the part of each."""
    for part, field in _FIELDS.items():
        if getattr(layer, field) is None:
            # A pool that writes its own window takes only the rounding.
            if part == "rounding" or layer.mnemonic not in ("M", "A") or layer.size is None:
                yield layer.mnemonic, part
            if (layer.mnemonic == "DW" and part in ("b", "p")) or (layer.mnemonic == "T" and part == "b"):
                yield "C", part


RULE = Rule(
    code="W503",
    name="idle-default",
    summary="a default or a parameter that changes nothing",
    checks=(
        "Parameters that a block never uses; default values of parameters for which every call gives a "
        "value; and parts and words of `default` lines that no layer of the file uses."
    ),
    why=(
        "A parameter without effect looks like a setting, and changing it does nothing. A default that is "
        "never used describes a case that does not occur."
    ),
    source="A trap of long specs: a stride that a block takes and forgets to use.",
    example="input: 3@32x32\ndef stage(d, s=1): C3D{d} R\nstage(64) stage(128,2) FC10\n",
    better="input: 3@32x32\ndef stage(d, s=1): C3D{d}/{s} R\nstage(64) stage(128,2) FC10\n",
    fix="Use the parameter, or remove it; remove a default that every call replaces (this is safe).",
    find=_find,
)

"""Names checked before anything is built: so that each mistake is reported once, wherever it stands, called or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice

from convsize.errors import Fix, Span
from convsize.graph.evaluate import FUNCTIONS, BuildError
from convsize.graph.scope import Lets, unknown_name
from convsize.language.formatter import expr_text
from convsize.language.mnemonics import MNEMONICS
from convsize.language.parser import parse_layer
from convsize.language.tree import (
    Arg,
    Atom,
    Binary,
    Call,
    DefaultStmt,
    DefStmt,
    Expr,
    File,
    Function,
    Group,
    HeadStmt,
    Ident,
    Identity,
    InputStmt,
    Item,
    Layer,
    LetStmt,
    Name,
    Neg,
    Num,
    Series,
    Tap,
    TrunkStmt,
)
from convsize.ops import catalogue
from convsize.ops.base import ParamSpec
from convsize.record import Record
from convsize.words import are, did_you_mean, nearest, plural

_KEYWORDS = frozenset({"input", "default", "let", "def", "shared", "head", "expect", "split", "as"})
_RESERVED = frozenset({"x", "c"})


def signature(definition: DefStmt) -> str:
    """A block's signature as help lines print it: `bot(d, s=1)`."""
    if not definition.params:
        return definition.name.name
    parts = [
        param.name.name + ("" if param.default is None else f"={expr_text(param.default)}")
        for param in definition.params
    ]
    return f"{definition.name.name}({', '.join(parts)})"


def check_names(file: File, defs: Mapping[str, DefStmt], lets: Lets) -> Iterator[BuildError]:
    """Every E104, E105 (arguments of blocks), E106, E109, E113, E114 and E115 that can be seen without building."""
    yield from _declared_twice(file)
    yield from _reserved(file)
    yield from _recursion(defs)
    defaults = any(isinstance(statement, DefaultStmt) for statement in file.statements)
    checker = _Checker(file.source.text, defs, lets, defaults=defaults)
    for statement in file.statements:
        if isinstance(statement, LetStmt):
            for name, _ in statement.bindings:
                try:
                    lets.value(name.name, name.span)
                    lets.choices(name.name)
                except BuildError as error:
                    yield error
        elif isinstance(statement, DefaultStmt):
            for layer in statement.layers:
                yield from checker.layer(layer)
            for word in statement.words:
                yield from checker.default(word)
        elif isinstance(statement, DefStmt):
            yield from _definition(statement, checker)
        elif isinstance(statement, HeadStmt):
            yield from checker.series(statement.body, may_start_with_x=True)
    for statement in file.statements:
        if isinstance(statement, TrunkStmt):
            yield from checker.series(statement.series, may_start_with_x=False)


def _declared_twice(file: File) -> Iterator[BuildError]:
    groups: dict[str, list[Ident]] = {"block": [], "constant": [], "input": [], "head": []}
    for statement in file.statements:
        if isinstance(statement, DefStmt):
            groups["block"].append(statement.name)
            yield from _repeated("parameter", [param.name for param in statement.params])
        elif isinstance(statement, LetStmt):
            groups["constant"].extend(name for name, _ in statement.bindings)
        elif isinstance(statement, InputStmt):
            groups["input"].append(statement.name or Ident("input", statement.span))
        elif isinstance(statement, HeadStmt):
            groups["head"].append(statement.name)
    for kind, names in groups.items():
        yield from _repeated(kind, names)


def _repeated(kind: str, names: Iterable[Ident]) -> Iterator[BuildError]:
    seen: set[str] = set()
    for name in names:
        if name.name in seen:
            article = "an" if kind == "input" else "a"
            text = f"there is {article} {kind} `{name.name}` already"
            if kind == "input":
                help_text = "give every input its own name: `input left: 3@32x32`"
            else:
                help_text = "give this one another name, or remove it"
            yield BuildError("E114", text, name.span, help_text)
        seen.add(name.name)


def _reserved(file: File) -> Iterator[BuildError]:
    for statement in file.statements:
        names: list[Ident] = []
        forbidden = _KEYWORDS | _RESERVED
        if isinstance(statement, DefStmt):
            names = [statement.name]
            forbidden = forbidden | FUNCTIONS.keys()
            for param in statement.params:
                if param.name.name in _RESERVED:
                    yield _reserved_error(param.name)
        elif isinstance(statement, LetStmt):
            names = [name for name, _ in statement.bindings]
            forbidden = _RESERVED
        elif isinstance(statement, HeadStmt):
            names = [statement.name]
            forbidden = frozenset({"main", "x"})
        for name in names:
            if name.name in forbidden:
                yield _reserved_error(name)


_MEANING = {
    "x": "the value that entered a block",
    "c": "the depth at that point",
    "main": "the end of the trunk",
}


def _reserved_error(name: Ident) -> BuildError:
    meaning = _MEANING.get(name.name, "a word of the language")
    return BuildError("E113", f"`{name.name}` is reserved: it is {meaning}", name.span, "choose another name")


def _recursion(defs: Mapping[str, DefStmt]) -> Iterator[BuildError]:
    """E109 for blocks that mention themselves, directly or through others; passing a block by name counts."""
    mentions = {name: tuple(_mentioned(definition, defs)) for name, definition in defs.items()}
    state: dict[str, int] = {}
    for root in defs:
        path: list[tuple[str, Iterator[tuple[str, Span]]]] = []
        if root in state:
            continue
        state[root] = 1
        path.append((root, iter(mentions[root])))
        while path:
            name, waiting = path[-1]
            step = next(waiting, None)
            if step is None:
                state[name] = 2
                path.pop()
                continue
            target, span = step
            if state.get(target) == 1:
                names = [each for each, _ in path]
                circle = " → ".join(f"`{each}`" for each in (*names[names.index(target) :], target))
                yield BuildError(
                    "E109",
                    f"blocks may not call themselves: {circle}",
                    span,
                    "repeat with `*3`, or write the layers out",
                )
            elif target not in state:
                state[target] = 1
                path.append((target, iter(mentions[target])))


def _mentioned(definition: DefStmt, defs: Mapping[str, DefStmt]) -> Iterator[tuple[str, Span]]:
    params = {param.name.name for param in definition.params}
    for ident in _idents(definition):
        if ident.name in defs and ident.name not in params:
            yield ident.name, ident.span


def _idents(definition: DefStmt) -> Iterator[Ident]:
    """Every name in a block's body and defaults that may stand for a block."""
    waiting: list[object] = [definition.body, *(param.default for param in definition.params if param.default)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Name):
            yield Ident(node.name, node.span)
        elif isinstance(node, Series):
            waiting.extend(item.atom for item in node.items)
        elif isinstance(node, Group):
            waiting.extend(node.branches)
        elif isinstance(node, Call | Function):
            yield node.name
            waiting.extend(arg.value for arg in node.args or ())


def _definition(definition: DefStmt, checker: _Checker) -> Iterator[BuildError]:
    inside = checker.inside_a_block()
    for param in definition.params:
        if param.default is not None:
            yield from inside.argument(Arg(None, param.default, param.name.span), _Expected())
        inside.params.add(param.name.name)
    yield from inside.series(definition.body, may_start_with_x=True)


class _Checker:
    """Walks series with the names that are known there; `params` are those of the block around them."""

    def __init__(self, text: str, defs: Mapping[str, DefStmt], lets: Lets, *, defaults: bool) -> None:
        self.text = text
        self.defaults = defaults
        self.defs = defs
        self.lets = lets
        self.params: set[str] = set()
        self.taps: set[str] = set()

    def inside_a_block(self) -> _Checker:
        return _Checker(self.text, self.defs, self.lets, defaults=self.defaults)

    def series(self, series: Series, *, may_start_with_x: bool) -> Iterator[BuildError]:
        for place, item in enumerate(series.items):
            atom = item.atom
            if isinstance(atom, Identity):
                if place or not may_start_with_x:
                    yield BuildError(
                        "E115",
                        "`x` is the value that enters a group or a block: it is allowed only at the start of one",
                        atom.span,
                        "name the value you mean and write its tap: `… as skip`, later `@skip`",
                    )
            else:
                yield from self.item(item)
            self.taps.update(name.name for name in item.names)

    def item(self, item: Item) -> Iterator[BuildError]:
        if item.repeat is not None and not isinstance(item.repeat, Name):
            yield from self.expr(item.repeat)  # a lone name may be a free `*N`: the builder says that better
        if item.index is None:
            yield from self.atom(item.atom)
            return
        if item.index.name in _RESERVED:
            yield _reserved_error(item.index)
        outer = self.params
        self.params = outer | {item.index.name}
        yield from self.atom(item.atom)
        self.params = outer

    def atom(self, atom: Atom) -> Iterator[BuildError]:
        if isinstance(atom, Layer):
            yield from self.layer(atom)
        elif isinstance(atom, Group):
            for branch in atom.branches:
                yield from self.series(branch, may_start_with_x=True)
        elif isinstance(atom, Call):
            yield from self.call(atom)

    def layer(self, layer: Layer) -> Iterator[BuildError]:
        dims = (layer.size, layer.stride, layer.dilation, layer.output_padding)
        for expr in (*(each for group in dims for each in group or ()), layer.depth, layer.groups, layer.epsilon):
            if expr is not None:
                yield from self.expr(expr)
        if layer.padding is not None:
            for pair in layer.padding.pairs:
                for side in pair:
                    if side is not None:
                        yield from self.expr(side)

    def expr(self, expr: Expr) -> Iterator[BuildError]:
        if isinstance(expr, Num):
            return
        if isinstance(expr, Name):
            if expr.name not in self.params and expr.name != "c" and expr.name not in self.lets:
                yield unknown_name(expr.name, expr.span, chain(self.params, self.lets.names(), "c"))
        elif isinstance(expr, Neg):
            yield from self.expr(expr.operand)
        elif isinstance(expr, Binary):
            yield from self.expr(expr.left)
            yield from self.expr(expr.right)
        else:
            for arg in expr.args:
                if not isinstance(arg.value, Tap):
                    yield from self.expr(arg.value)

    def call(self, call: Call) -> Iterator[BuildError]:
        name = call.name.name
        args = call.args or ()
        expected = [_Expected()] * len(args)
        if name not in self.params and name not in self.defs:
            word = catalogue.word(name)
            if word is None:
                yield self.unknown_call(call)
            else:
                expected = _expected(word.PARAMS, args)
        elif name in self.defs and name not in self.params:
            yield from self.arity(call, self.defs[name])
        for arg, what in zip(args, expected, strict=True):
            yield from self.argument(arg, what)

    def default(self, call: Call) -> Iterator[BuildError]:
        """A word of a `default` line, which is no block."""
        name = call.name.name
        if name in self.defs:
            text = f"`{name}` is a block, and a `default` line is for layers and words"
            yield BuildError("E105", text, call.name.span, f"give its parameter a default: `def {name}(d=8): …`")
        else:
            yield from self.call(call)

    def arity(self, call: Call, definition: DefStmt) -> Iterator[BuildError]:
        names = dict.fromkeys(param.name.name for param in definition.params)
        args = call.args or ()
        positional = [arg for arg in args if arg.name is None]
        given = set(islice(names, len(positional)))
        reason = None
        if len(positional) > len(names):
            reason = f"{plural(len(positional), 'argument')} {are(len(positional))} too many for"
        for arg in args:
            if arg.name is not None:
                if arg.name.name not in names:
                    guess = nearest(arg.name.name, names)
                    reason = f"there is no parameter `{arg.name.name}`" + (f" (`{guess}`?)" if guess else "") + " in"
                elif arg.name.name in given:
                    reason = f"`{arg.name.name}` is given twice to"
                given.add(arg.name.name)
        missing = [p.name.name for p in definition.params if p.default is None and p.name.name not in given]
        if reason is None and missing:
            reason = f"`{missing[0]}` is missing for"
        if reason is not None:
            text = f"{reason} the block `{definition.name.name}`"
            yield BuildError("E105", text, call.span, f"it is `{signature(definition)}`")

    def unknown_call(self, call: Call) -> BuildError:
        from convsize.language.mistakes import foreign

        name = call.name.name
        if name in self.taps:
            return BuildError("E105", f"`{name}` is a tap", call.name.span, f"start from it with `@{name}`")
        text = f"there is no block or word called `{name}`"
        own = nearest(name, chain(self.params, self.defs))
        if own is None:
            written = None if call.args is None else self.text[call.name.span.end : call.span.end]
            reading = foreign.read(name, written, defaults=self.defaults)
            if reading is not None:
                spelled = reading.spelled
                fixes = (
                    () if spelled is None else (Fix(call.span, self.bracketed(spelled, call.span), reading.certain),)
                )
                return BuildError("E104", text, call.name.span, reading.help, fixes=fixes)
        letter = MNEMONICS.get(name.upper())
        if own is None and len(name) == 1 and letter is not None and letter.size != "required" and call.args is None:
            own = name.upper()
        guess = own or nearest(name, catalogue.word_names())
        if guess is None:
            return BuildError(
                "E104", text, call.name.span, f"define it: `def {name}: …`; `convsize ops` lists the words"
            )
        return BuildError(
            "E104", text, call.name.span, did_you_mean(guess), fixes=(Fix(call.name.span, guess, safe=False),)
        )

    def bracketed(self, spelled: str, span: Span) -> str:
        """Several layers as one item, where a repeat follows."""
        return f"({spelled})" if " " in spelled and self.text[span.end : span.end + 1] == "*" else spelled

    def argument(self, arg: Arg, expected: _Expected) -> Iterator[BuildError]:
        value = arg.value
        if isinstance(value, Tap):
            return
        if isinstance(value, Name):
            if (
                value.name not in expected.known
                and not self.passable(value.name)
                and parse_layer(value.name, 0) is None
            ):
                known = chain(self.params, self.lets.names(), self.defs, expected.known, catalogue.word_names())
                guess = nearest(value.name, known)
                text = f"there is no number, layer, word or block called `{value.name}`"
                yield BuildError("E106", text, value.span, did_you_mean(guess, expected.text))
        elif isinstance(value, Function) and value.name.name not in FUNCTIONS:
            if not self.passable(value.name.name):
                yield self.unknown_call(Call(value.name, value.args, value.span))
            for inner in value.args:
                yield from self.argument(inner, _Expected())
        else:
            yield from self.expr(value)

    def passable(self, name: str) -> bool:
        return (
            name in self.params
            or name in self.lets
            or name in {"c", "x"}
            or name in self.defs
            or catalogue.word(name) is not None
        )


class _Expected(Record):
    """What may stand at the place of an argument.

    choices: the names that this place takes, the usual ones; number: whether it takes numbers; known: the names that
    any place of the word takes, which are no unknown names.
    """

    choices: tuple[str, ...] = ()
    number: bool = True
    known: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        if not self.choices:
            return "define it, or write a number"
        return f"write one of {', '.join(self.choices)}{', or a number' if self.number else ''}"


def _expected(params: tuple[ParamSpec, ...], args: tuple[Arg, ...]) -> list[_Expected]:
    """What every argument of a word may be: a place may be passed over where the word has a default for it."""
    known = tuple(choice for param in params for choice in param.choices)
    found = []
    at, numbers = 0, 0
    for arg in args:
        if arg.name is not None:
            here = tuple(param for param in params if param.name == arg.name.name)
        else:
            end = at
            while end + 1 < len(params) and (not params[end].required or (params[end].variadic and numbers)):
                end += 1
            here = params[at : end + 1]
            name = arg.value.name if isinstance(arg.value, Name) else None
            if here and here[0].variadic and (name is None or not numbers):
                numbers += 1
            else:
                at += 1 + next((place for place, param in enumerate(here) if name in param.choices), int(numbers > 0))
                numbers = 0
        choices = tuple(choice for param in here for choice in param.choices)
        found.append(_Expected(choices, not here or any(param.kind != "choice" for param in here), known))
    return found

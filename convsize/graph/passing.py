"""Arguments: evaluated where they stand, bound to a block's parameters where it is called."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from convsize.errors import Span
from convsize.graph.evaluate import FUNCTIONS, BuildError, Lookup, evaluate
from convsize.graph.name_check import signature
from convsize.graph.scope import Bound, Choice, Closure, Lets, Scope, TapValue, find_tap
from convsize.language.parser import parse_layer
from convsize.language.tree import Arg, DefStmt, Function, Layer, Name, Tap
from convsize.ops import catalogue
from convsize.ops.base import Op
from convsize.words import are, plural

Arguments = tuple[tuple[Bound, ...], tuple[tuple[str, Bound], ...]]
"""By place, and by name."""


class Passing:
    """Evaluates arguments in the scope where they stand."""

    __slots__ = ("_defs", "_layers", "_lets")

    def __init__(self, defs: Mapping[str, DefStmt], lets: Lets) -> None:
        self._defs = defs
        self._lets = lets
        self._layers: dict[Span, Layer | None] = {}

    def arguments(
        self, args: tuple[Arg, ...] | None, scope: Scope, lookup: Lookup, params: type[Op] | None
    ) -> Arguments:
        """Arguments evaluated where they stand; `params` is the word they are for, if it is one."""
        positional: list[Bound] = []
        named: list[tuple[str, Bound]] = []
        for arg in args or ():
            value = self._argument(arg, scope, lookup, params)
            if arg.name is not None:
                named.append((arg.name.name, value))
            elif named:
                text = "an unnamed argument follows a named one"
                raise BuildError("E105", text, arg.span, "put unnamed arguments first")
            else:
                positional.append(value)
        return tuple(positional), tuple(named)

    def _argument(self, arg: Arg, scope: Scope, lookup: Lookup, params: type[Op] | None) -> Bound:
        """One argument: a number, a tap, or a layer, word or block by name."""
        expr = arg.value
        if isinstance(expr, Tap):
            return TapValue(find_tap(expr, scope), expr.name)
        if isinstance(expr, Name):
            name = expr.name
            if params is not None and any(name in param.choices for param in params.PARAMS):
                return Choice(name)
            if name in scope.numbers or name in self._lets or name == "c":
                return lookup(name, expr.span)
            closure = self._by_name(name, scope, expr.span)
            if closure is not None:
                return closure
            return lookup(name, expr.span)
        if isinstance(expr, Function) and expr.name.name not in FUNCTIONS:
            name = expr.name.name
            passed = self._by_name(name, scope, expr.span)
            if passed is not None and passed.positional is None and passed.kind in {"word", "block"}:
                inner = catalogue.word(passed.name) if passed.kind == "word" else None
                positional, more = self.arguments(expr.args, scope, lookup, inner)
                return passed.replace(positional=positional, named=more)
        return evaluate(expr, lookup)

    def _by_name(self, name: str, scope: Scope, span: Span) -> Closure | None:
        """What a bare name passes: a parameter's block, a block, the identity, a layer token, or a word."""
        if name in scope.blocks:
            return scope.blocks[name]
        if name in self._defs:
            return Closure("block", name)
        if name == "x":
            return Closure("identity", "x")
        if catalogue.word(name) is not None:
            return Closure("word", name)
        if span not in self._layers:
            self._layers[span] = parse_layer(name, span.start)
        layer = self._layers[span]
        return Closure("layer", name, layer) if layer is not None else None

    def bind(
        self,
        definition: DefStmt,
        positional: tuple[Bound, ...],
        named: tuple[tuple[str, Bound], ...],
        lookup: Lookup,
        inner: Scope,
        span: Span,
    ) -> None:
        """Gives the block's parameters their values; a default sees `c` and the parameters before it."""
        given: dict[str, Bound] = {}
        names = dict.fromkeys(param.name.name for param in definition.params)
        if len(positional) > len(names):
            raise wrong_arguments(
                definition, f"{plural(len(positional), 'argument')} {are(len(positional))} too many for", span
            )
        given.update(zip(names, positional, strict=False))
        for key, value in named:
            if key not in names or key in given:
                reason = f"there is no `{key}` in" if key not in names else f"`{key}` is given twice to"
                raise wrong_arguments(definition, reason, span)
            given[key] = value
        for param in definition.params:
            name = param.name.name
            bound = given.get(name)
            if bound is None:
                if param.default is None:
                    raise wrong_arguments(definition, f"`{name}` is missing for", span)
                argument = Arg(None, param.default, param.name.span)
                bound = self._argument(argument, inner, lookup, None)
            if isinstance(bound, Fraction):
                inner.numbers[name] = bound
            elif isinstance(bound, TapValue):
                inner.taps[name] = bound.node
            elif isinstance(bound, Closure):
                inner.blocks[name] = bound


def wrong_arguments(definition: DefStmt, reason: str, span: Span) -> BuildError:
    """E105 with the block's signature."""
    name = definition.name.name
    return BuildError("E105", f"{reason} the block `{name}`", span, f"it is `{signature(definition)}`")

"""What names mean at a point of a spec: numbers, taps and blocks, lexically scoped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from itertools import chain
from typing import Literal

from convsize.errors import Fix, Span
from convsize.geometry import Shape
from convsize.graph.evaluate import BuildError, Unknown, evaluate
from convsize.graph.layer_names import ATTRIBUTES
from convsize.language.tree import Expr, Layer, LetStmt, Tap
from convsize.record import Record
from convsize.words import did_you_mean, nearest

Value = int | None
"""The node that a series has arrived at; None where an earlier error lost it."""


class Closure(Record):
    """A layer, word or block that is passed by name, with the arguments it was given where it was passed.

    `values` are evaluated arguments, by place and by name; None where no bracket was written.
    """

    kind: Literal["layer", "word", "block", "identity"]
    name: str
    layer: Layer | None = None
    positional: tuple[Bound, ...] | None = None
    named: tuple[tuple[str, Bound], ...] = ()


class TapValue(Record):
    """A tap that is passed as an argument: its value, its name where it is passed, and for a word its volume."""

    node: Value
    name: str
    shape: Shape | None = None


class Choice(Record):
    """A name that an argument of a word gives literally: `bilinear`."""

    name: str


Bound = Fraction | Closure | TapValue | Choice


class Scope:
    """The names of the trunk, of a head, or of one call of a block.

    Groups and branches share the scope they stand in, so that taps carry over from branch to branch and from iteration
    to iteration. `counters` number the layers for their names; `taken` are names that no layer here may have; `around`
    is where a block is called. `shared` is what stands before the names of weights in a `shared` block: `head.`.
    """

    __slots__ = ("around", "blocks", "calls", "counters", "instances", "numbers", "prefix", "shared", "taken", "taps")

    def __init__(
        self,
        prefix: str = "",
        instances: tuple[str, ...] = (),
        calls: tuple[Span, ...] = (),
        taken: frozenset[str] = ATTRIBUTES,
        around: Scope | None = None,
        shared: str | None = None,
    ) -> None:
        self.numbers: dict[str, Fraction] = {}
        self.blocks: dict[str, Closure] = {}
        self.taps: dict[str, Value] = {}
        self.counters: dict[str, int] = {}
        self.prefix = prefix
        self.instances = instances
        self.calls = calls
        self.taken = taken
        self.around = around
        self.shared = shared


class Lets:
    """The file's constants, evaluated on first use so that their order does not matter."""

    def __init__(self, statements: tuple[LetStmt, ...], overrides: Mapping[str, Fraction]) -> None:
        self._exprs: dict[str, Expr] = {name.name: expr for stmt in statements for name, expr in stmt.bindings}
        self._choices: dict[str, tuple[Expr, ...]] = {
            name.name: (first, *others)
            for stmt in statements
            for (name, first), others in zip(stmt.bindings, stmt.others, strict=True)
            if others
        }
        self._values: dict[str, Fraction] = {name: overrides[name] for name in overrides if name in self._exprs}
        self._open: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._exprs

    def names(self) -> Collection[str]:
        """The names that `let` lines give."""
        return self._exprs.keys()

    def choices(self, name: str) -> tuple[Fraction, ...]:
        """The values that a constant may have, in their order; none where it has a single one and may have any.

        Raises BuildError as `value` does.
        """
        return tuple(evaluate(expr, self.value) for expr in self._choices.get(name, ()))

    def value(self, name: str, span: Span) -> Fraction:
        """The constant's value. Raises BuildError E109 where constants need each other, E106 for an unknown name."""
        if name in self._values:
            return self._values[name]
        if name in self._open:
            circle = " needs ".join(f"`{each}`" for each in (*self._open[self._open.index(name) :], name))
            raise BuildError(
                "E109", f"these constants depend on each other in a circle: {circle}", span, "give one of them a number"
            )
        if name not in self._exprs:
            raise unknown_name(name, span, self._exprs)
        if len(self._open) > 100:
            raise BuildError(
                "E018", "constants depend on each other more than 100 levels deep", span, "write the numbers"
            )
        self._open.append(name)
        try:
            value = evaluate(self._exprs[name], self.value)
        finally:
            self._open.pop()
        self._values[name] = value
        return value


def unknown_name(name: str, span: Span, known: Iterable[str]) -> BuildError:
    """E106 with the nearest name."""
    guess = nearest(name, known)
    if guess is not None:
        text = f"there is no number called `{name}`"
        return BuildError("E106", text, span, did_you_mean(guess), fixes=(Fix(span, guess, safe=False),))
    return BuildError("E106", f"there is no number called `{name}`", span, f"add `let {name}=…`, or write the number")


class Numbers:
    """Looks names up at one point of a series: the block's parameters, the file's constants, and `c`."""

    __slots__ = ("_depth", "_lets", "_scope")

    def __init__(self, scope: Scope, lets: Lets, depth: int | None) -> None:
        self._scope = scope
        self._lets = lets
        self._depth = depth

    def __call__(self, name: str, span: Span) -> Fraction:
        """The number. Raises BuildError E106; Unknown where it depends on a volume that is lost."""
        scope = self._scope
        if name in scope.numbers:
            return scope.numbers[name]
        if name == "c":
            if self._depth is None:
                raise Unknown
            return Fraction(self._depth)
        if name in scope.blocks:
            raise BuildError("E106", f"`{name}` is a block here, not a number", span, "pass the number as an argument")
        if name in scope.taps:
            raise BuildError("E106", f"`{name}` is a tap here, not a number", span, f"the value itself is `@{name}`")
        if name not in self._lets:
            raise unknown_name(name, span, chain(scope.numbers, self._lets.names(), "c"))
        return self._lets.value(name, span)


def find_tap(tap: Tap, scope: Scope) -> Value:
    """The value that a tap names. Raises BuildError E108."""
    if tap.name not in scope.taps:
        raise unknown_tap(tap, scope)
    return scope.taps[tap.name]


def unknown_tap(tap: Tap, scope: Scope) -> BuildError:
    """E108 with the nearest tap, or with where the name would have to be bound."""
    guess = None if _is_outside(tap.name, scope) else nearest(tap.name, scope.taps)
    if tap.name in scope.blocks or tap.name in scope.numbers:
        kind = "a block" if tap.name in scope.blocks else "a number"
        return BuildError("E108", f"`{tap.name}` is {kind} here, not a tap", tap.span, f"write `{tap.name}`")
    if guess is not None:
        text = f"nothing before this is named `{tap.name}`"
        fix = Fix(tap.span, f"@{guess}", safe=False)
        return BuildError("E108", text, tap.span, did_you_mean(f"@{guess}"), fixes=(fix,))
    text = f"nothing before this is named `{tap.name}`"
    if _is_outside(tap.name, scope):
        text = f"a block sees its own taps only, and `{tap.name}` is named outside of it"
        hint = f"give the block a parameter for it, as in `def block({tap.name}): … @{tap.name}`, and pass the value: "
        return BuildError("E108", text, tap.span, f"{hint}`block(@{tap.name})`")
    return BuildError("E108", text, tap.span, f"name a value before it: `C3D64 as {tap.name}`")


def _is_outside(name: str, scope: Scope) -> bool:
    """Whether a value is named where a block is called, though not in the block."""
    outer = scope.around
    while outer is not None and name not in outer.taps:
        outer = outer.around
    return outer is not None

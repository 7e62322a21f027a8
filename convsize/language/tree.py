"""The syntax tree: what a spec says, with the place of everything, before any of it is evaluated."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, TypeAlias

from convsize.errors import Source, Span
from convsize.record import Record


class Ident(Record):
    """A name where it stands."""

    name: str
    span: Span


# ---- expressions: what stands in `{…}`, in arguments, in `let` ------------------------------------------------------


class Num(Record):
    """A number literal; `3` and `0.5` are both exact."""

    value: Fraction
    span: Span


class Name(Record):
    """A name in an expression: a `let`, a parameter, `c`; as an argument also a layer, a word or a block."""

    name: str
    span: Span


class Neg(Record):
    """-operand."""

    operand: Expr
    span: Span


class Binary(Record):
    """left op right."""

    op: Literal["+", "-", "*", "/", "//", "%", "**"]
    left: Expr
    right: Expr
    span: Span


class Function(Record):
    """min(…), max(…), round(v, m); as an argument also a word or a block with arguments: leaky(0.1)."""

    name: Ident
    args: tuple[Arg, ...]
    span: Span


Expr: TypeAlias = Num | Name | Neg | Binary | Function
Dims: TypeAlias = tuple[Expr, ...]


# ---- atoms ----------------------------------------------------------------------------------------------------------


class Pads(Record):
    """A padding suffix: a mode, or explicit pairs; `after` is None where one number stands for both sides.

    fill: the word after it, which alone says half padding: `p1reflect`, `preflect`.
    """

    mode: Literal["explicit", "valid", "half", "full", "same"]
    pairs: tuple[tuple[Expr, Expr | None], ...] = ()
    fill: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"


class Layer(Record):
    """One layer token, as written; what was not written is None.

    `mnemonic` is the canonical one (`P` is kept as `M`, an alias as what it stands for). `suffixes` gives the place of
    every part that was written, by its head: "size", "D", "/", "p", "d", "g", "a", "b", "z", "rounding", "ws".
    standard: how its filters are standardised, `ws`, or `sws` with a gain; epsilon: the number in braces after it.
    """

    mnemonic: str
    span: Span
    size: Dims | None = None
    depth: Expr | None = None
    stride: Dims | None = None
    padding: Pads | None = None
    dilation: Dims | None = None
    groups: Expr | None = None
    output_padding: Dims | None = None
    bias: bool | None = None
    count_zeros: bool | None = None
    rounding: Literal["floor", "ceil", "exact"] | None = None
    standard: Literal["ws", "sws"] | None = None
    epsilon: Expr | None = None
    suffixes: tuple[tuple[str, Span], ...] = ()


class Volume(Record):
    """`3@224x224`: an input's shape, or the assertion of the volume at a point of a series."""

    channels: int
    extents: tuple[int, ...]
    span: Span


class Tap(Record):
    """`@stem`."""

    name: str
    span: Span


class Identity(Record):
    """`x` at the start of a branch, a group or a block: the value that entered it."""

    span: Span


class Arg(Record):
    """An argument, by place or by name."""

    name: Ident | None
    value: Expr | Tap
    span: Span


class Call(Record):
    """A word or a block: `aux`, `drop(0.5)`. `args` is None where no bracket was written."""

    name: Ident
    args: tuple[Arg, ...] | None
    span: Span


GroupKind = Literal["series", "sum", "difference", "gate", "quotient", "concat", "split"]


class Group(Record):
    """Brackets around one or several branches.

    "series" is one branch in `( )` or `[ ]`; "sum" `(a + b)`; "difference" `(a - b)`; "gate" `(a * b)`;
    "quotient" `(a / b)`; "concat" `[a | b]`; "split"
    `split[a | b]` (with one branch, too).
    """

    kind: GroupKind
    branches: tuple[Series, ...]
    span: Span


Atom: TypeAlias = Layer | Volume | Tap | Identity | Call | Group


class Item(Record):
    """An atom, its repeat and its names: `(C3D64 R)*2 as stem`.

    index: the name that counts the iterations from 0 inside the atom, as in `C3D8d{2**i}*{10, i}`.
    """

    atom: Atom
    repeat: Expr | None
    names: tuple[Ident, ...]
    span: Span
    index: Ident | None = None


class Series(Record):
    """Items in juxtaposition; never empty in a tree without errors."""

    items: tuple[Item, ...]
    span: Span


# ---- statements -----------------------------------------------------------------------------------------------------


class InputStmt(Record):
    """`input: 3@224x224`, `input left: …`."""

    name: Ident | None
    volume: Volume
    span: Span


class DefaultStmt(Record):
    """`default: Cb0 M3/2 bn(eps=0.001)`: layers and words, in the order of the text among themselves."""

    layers: tuple[Layer, ...]
    words: tuple[Call, ...]
    span: Span


class LetStmt(Record):
    """`let N=2, M=3`; `let width=[16,32,64]` names choices, of which the first holds where none is chosen.

    others: for every binding the choices after the first.
    """

    bindings: tuple[tuple[Ident, Expr], ...]
    others: tuple[tuple[Expr, ...], ...]
    span: Span


class Param(Record):
    """A block's parameter with its default."""

    name: Ident
    default: Expr | None


class DefStmt(Record):
    """`def name(a, b=1): series`; shared: `shared name(a, b=1): series`, one set of weights for all its calls."""

    name: Ident
    params: tuple[Param, ...]
    body: Series
    span: Span
    shared: bool = False


class HeadStmt(Record):
    """`head box @stem: FC4`."""

    name: Ident
    tap: Tap | None
    body: Series
    span: Span


class Value(Record):
    """The right side of a check as written: `4.09G`, `1000`, `512@7x7`, a word or a digest.

    `number` is the plain value with its unit applied, None for words, digests and volumes; `step` is the worth of the
    last digit shown, which is what `~` compares to.
    """

    text: str
    number: Fraction | None
    step: Fraction | None
    volume: Volume | None
    span: Span


class Check(Record):
    """`params=25557032`, `memory(batch=8)<=8GiB`."""

    metric: Ident
    args: tuple[Arg, ...]
    comparison: Literal["=", "<=", ">=", "<", ">", "~"]
    value: Value
    span: Span


class ExpectStmt(Record):
    """`expect: …`, `expect main: …`, `expect aux1: …`, `expect @tap: …`."""

    target: Ident | Tap | None
    checks: tuple[Check, ...]
    span: Span


class TrunkStmt(Record):
    """A line of the trunk."""

    series: Series
    span: Span


Stmt: TypeAlias = InputStmt | DefaultStmt | LetStmt | DefStmt | HeadStmt | ExpectStmt | TrunkStmt


class Comment(Record):
    """`# …` to the end of its line; `alone` when nothing stands before it on that line."""

    text: str
    span: Span
    alone: bool


class File(Record):
    """A whole spec."""

    source: Source
    statements: tuple[Stmt, ...]
    comments: tuple[Comment, ...]

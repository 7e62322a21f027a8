"""Tree to text: the canonical form of a spec, and of its layers and expressions.

Spacing, suffix order, aliases and superfluous brackets are settled here; what the reader arranged stays: line breaks
between items, comments, single blank lines between statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from convsize.errors import Source, Span
from convsize.language.tree import (
    Arg,
    Call,
    Check,
    Comment,
    DefaultStmt,
    DefStmt,
    Dims,
    ExpectStmt,
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
    Param,
    Series,
    Stmt,
    Tap,
    TrunkStmt,
    Volume,
)
from convsize.record import Record

_INDENT = "    "
_OPERATORS = {"sum": "+", "difference": "-", "gate": "*", "quotient": "/", "concat": "|", "split": "|"}
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 4}
_SIGNED, _ATOMIC = 3, 5


def format_file(file: File) -> str:
    """The canonical form of a spec that has no errors.

    It reads as the same network, and formatting it again changes nothing.
    """
    writer = _Writer(file.source, file.comments)
    for stmt in file.statements:
        writer.statement(stmt)
    writer.comments_before(len(file.source.text) + 1)
    return writer.text()


def layer_text(layer: Layer, show: Callable[[Expr], str]) -> str:
    """The canonical text of a layer token; `show` writes each number, with its braces where it needs them."""

    def dims(values: Dims) -> str:
        return "x".join([show(value) for value in values])

    parts = [layer.mnemonic]
    if layer.size is not None:
        parts.append(dims(layer.size))
    if layer.depth is not None:
        parts.append("D" + show(layer.depth))
    if layer.stride is not None:
        parts.append("/" + dims(layer.stride))
    if layer.padding is not None:
        pads = layer.padding
        if pads.mode == "explicit":
            pairs = [show(before) if after is None else f"{show(before)}:{show(after)}" for before, after in pads.pairs]
            parts.append("p" + "x".join(pairs))
        elif pads.fill == "zeros":
            parts.append("p" + pads.mode)
        else:
            parts.append("p")  # half padding, which its fill says alone
        if pads.fill != "zeros":
            parts.append(pads.fill)
    if layer.dilation is not None:
        parts.append("d" + dims(layer.dilation))
    if layer.groups is not None:
        parts.append("g" + show(layer.groups))
    if layer.output_padding is not None:
        parts.append("a" + dims(layer.output_padding))
    if layer.bias is not None:
        parts.append("b1" if layer.bias else "b0")
    if layer.count_zeros is not None:
        parts.append("z1" if layer.count_zeros else "z0")
    if layer.rounding is not None:
        parts.append(layer.rounding)
    if layer.standard is not None:
        shown = "" if layer.epsilon is None else show(layer.epsilon)
        braced = shown if not shown or shown.startswith("{") else f"{{{shown}}}"
        parts.append(layer.standard + braced)
    return "".join(parts)


def expr_text(expr: Expr) -> str:
    """An expression with as few brackets as it can do with."""
    return _expr(expr)[0]


def _expr(expr: Expr) -> tuple[str, int]:
    """The text and how strongly it holds together: a sum, a product, a minus, a power, or what cannot come apart."""
    if isinstance(expr, Num):
        return _number(expr.value), _ATOMIC
    if isinstance(expr, Name):
        return expr.name, _ATOMIC
    if isinstance(expr, Function):
        return f"{expr.name.name}({_args(expr.args)})", _ATOMIC
    if isinstance(expr, Neg):
        # -a*b is (-a)*b, and -a**b is -(a**b).
        return "-" + _bracketed(expr.operand, _SIGNED), _SIGNED
    strength = _STRENGTH[expr.op]
    if expr.op == "**":  # from the right: a**b**c is a**(b**c)
        return f"{_bracketed(expr.left, _ATOMIC)}**{_bracketed(expr.right, _SIGNED)}", strength
    return f"{_bracketed(expr.left, strength)}{expr.op}{_bracketed(expr.right, strength + 1)}", strength


def _bracketed(expr: Expr, least: int) -> str:
    text, strength = _expr(expr)
    return text if strength >= least else f"({text})"


def _number(value: Fraction) -> str:
    """A literal's value in plain decimals, which it always has: its denominator divides a power of ten."""
    if value.denominator == 1:
        return str(value.numerator)
    places = 1
    while 10**places % value.denominator:
        places += 1
    digits = str(value.numerator * (10**places // value.denominator)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"


def _args(args: tuple[Arg, ...]) -> str:
    return ",".join([_arg(arg) for arg in args])


def _arg(arg: Arg) -> str:
    value = f"@{arg.value.name}" if isinstance(arg.value, Tap) else expr_text(arg.value)
    return value if arg.name is None else f"{arg.name.name}={value}"


def dim_text(expr: Expr) -> str:
    """A number as it stands in a token: bare where it is a whole literal, else in braces."""
    text = expr_text(expr)
    return text if isinstance(expr, Num) and expr.value.denominator == 1 else f"{{{text}}}"


# ---- statements as pieces -------------------------------------------------------------------------------------------


class _Piece(Record):
    """Text that no line break may part, and where it stood; `glued` to what stands before it where no space may be."""

    text: str
    span: Span
    glued: bool = False


def _pieces(stmt: Stmt, text: str) -> Iterator[_Piece]:
    if isinstance(stmt, TrunkStmt):
        yield from _series(stmt.series, text)
    elif isinstance(stmt, InputStmt):
        named = "" if stmt.name is None else f" {stmt.name.name}"
        yield _Piece(f"input{named}: {_volume(stmt.volume)}", stmt.span)
    elif isinstance(stmt, DefaultStmt):
        yield _Piece("default:", _word_of(stmt))
        pieces = [_Piece(_atom(each), each.span) for each in stmt.layers]
        pieces += [_Piece(_atom(each), each.span) for each in stmt.words]
        yield from sorted(pieces, key=lambda piece: piece.span.start)
    elif isinstance(stmt, LetStmt):
        yield _Piece("let", _word_of(stmt))
        last = len(stmt.bindings) - 1
        for index, ((name, expr), others) in enumerate(zip(stmt.bindings, stmt.others, strict=True)):
            comma = "" if index == last else ","
            values = ",".join(expr_text(each) for each in (expr, *others))
            written = f"[{values}]" if others else values
            yield _Piece(f"{name.name}={written}{comma}", name.span.to((expr, *others)[-1].span))
    elif isinstance(stmt, DefStmt):
        params = f"({', '.join([_param(param) for param in stmt.params])})" if stmt.params else ""
        word = "shared" if stmt.shared else "def"
        yield _Piece(f"{word} {stmt.name.name}{params}:", Span(stmt.span.start, _header_end(stmt)))
        yield from _series(stmt.body, text)
    elif isinstance(stmt, HeadStmt):
        origin = "" if stmt.tap is None else f" @{stmt.tap.name}"
        yield _Piece(f"head {stmt.name.name}{origin}:", stmt.span.to((stmt.tap or stmt.name).span))
        yield from _series(stmt.body, text)
    else:
        yield from _expect(stmt)


def _word_of(stmt: Stmt) -> Span:
    return Span(stmt.span.start, stmt.span.start + 1)


def _header_end(stmt: DefStmt) -> int:
    if not stmt.params:
        return stmt.name.span.end
    last = stmt.params[-1]
    return last.name.span.end if last.default is None else last.default.span.end


def _param(param: Param) -> str:
    return param.name.name if param.default is None else f"{param.name.name}={expr_text(param.default)}"


def _volume(volume: Volume) -> str:
    return f"{volume.channels}@{'x'.join(map(str, volume.extents))}"


def _expect(stmt: ExpectStmt) -> Iterator[_Piece]:
    target = stmt.target
    if target is None:
        yield _Piece("expect:", _word_of(stmt))
    else:
        at = "@" if isinstance(target, Tap) else ""
        yield _Piece(f"expect {at}{target.name}:", stmt.span.to(target.span))
    for check in stmt.checks:
        yield _Piece(_check(check), check.span)


def _check(check: Check) -> str:
    args = f"({_args(check.args)})" if check.args else ""
    return f"{check.metric.name}{args}{check.comparison}{check.value.text}"


def _series(series: Series, text: str) -> Iterator[_Piece]:
    for item in series.items:
        yield from _item(item, text)


def _item(item: Item, text: str) -> Iterator[_Piece]:
    item = _plain(item)
    atom, names = item.atom, item.names
    tail = "" if item.repeat is None else f"*{_times(item.repeat, item.index)}"
    if isinstance(atom, Group):
        yield from _group(atom, tail, text)
    else:
        yield _Piece(_atom(atom) + tail, atom.span)
    if names:
        yield _Piece(f"as {', '.join([name.name for name in names])}", names[0].span.to(names[-1].span))


def _times(repeat: Expr, index: Ident | None) -> str:
    return dim_text(repeat) if index is None else f"{{{expr_text(repeat)}, {index.name}}}"


def _plain(item: Item) -> Item:
    """An item without brackets around brackets: ((a)), ((a + b)), [[a | b]*2].

    A repeat and names keep what they apply to. Two names after a concatenation name its branches, so the brackets of
    `([a | b]) as p, q` (an error) must not vanish.
    """
    while isinstance(item.atom, Group) and item.atom.kind == "series" and len(item.atom.branches[0].items) == 1:
        (inner,) = item.atom.branches[0].items
        if not isinstance(inner.atom, Group):
            break
        if item.repeat is None and not item.names:
            item = inner
        elif inner.repeat is not None or inner.names or (item.names and inner.atom.kind in ("concat", "split")):
            break
        else:
            item = item.replace(atom=inner.atom)
    return item


def _group(group: Group, tail: str, text: str) -> Iterator[_Piece]:
    square = group.kind in ("concat", "split")
    opener = ("split[" if group.kind == "split" else "[") if square else "("
    start, end = group.span.start, group.span.end
    yield _Piece(opener, Span(start, start + 1))
    glued = True
    before = start
    for index, branch in enumerate(group.branches):
        if index:
            sign = _OPERATORS[group.kind]
            at = _find(text, sign, before)
            yield _Piece(sign, Span(at, at + 1))
        for piece in _series(branch, text):
            yield piece.replace(glued=True) if glued else piece
            glued = False
        before = branch.span.end
    yield _Piece(("]" if square else ")") + tail, Span(end - 1, end), glued=True)


def _find(text: str, sign: str, pos: int) -> int:
    """Where an operator stands at or after `pos`, comments passed over: the tree does not keep its place."""
    while text[pos] != sign:
        pos = text.index("\n", pos) if text[pos] == "#" else pos + 1
    return pos


def _atom(atom: Layer | Volume | Tap | Identity | Call) -> str:
    if isinstance(atom, Layer):
        return layer_text(atom, dim_text)
    if isinstance(atom, Volume):
        return _volume(atom)
    if isinstance(atom, Tap):
        return f"@{atom.name}"
    if isinstance(atom, Identity):
        return "x"
    return atom.name.name if atom.args is None else f"{atom.name.name}({_args(atom.args)})"


# ---- lines ----------------------------------------------------------------------------------------------------------


class _Writer:
    """Lays pieces out in lines, keeping the breaks of the source between them and the comments where they stand."""

    __slots__ = ("comments", "last_line", "line", "lines", "next_comment", "source")

    def __init__(self, source: Source, comments: tuple[Comment, ...]) -> None:
        self.source = source
        self.comments = comments
        self.next_comment = 0
        self.lines: list[str] = []
        self.line = ""
        self.last_line = 0  # of the source, that was written last

    def text(self) -> str:
        return "".join([line + "\n" for line in self.lines])

    def statement(self, stmt: Stmt) -> None:
        self.comments_before(stmt.span.start)
        self.blank(self.source.place(stmt.span.start).line)
        first = True
        for piece in _pieces(stmt, self.source.text):
            start = self.source.place(piece.span.start).line
            self.inner_comments(piece.span.start)
            if first:
                self.line = piece.text
            elif not self.line:
                self.line = _INDENT + piece.text
            elif piece.glued:
                self.line += piece.text
            elif start > self.last_line:
                self.flush()
                self.line = _INDENT + piece.text
            else:
                self.line += " " + piece.text
            first = False
            self.last_line = self.source.place(piece.span.end).line
        # Comments inside the last piece and the one after it.
        self.last_line = self.source.place(stmt.span.end).line
        while (comment := self.waiting(len(self.source.text) + 1)) is not None:
            line = self.source.place(comment.span.start).line
            if line > self.last_line or not self.line:
                break
            self.take(comment, f"{self.line}  {comment.text}")
            self.line = ""
        if self.line:
            self.flush()

    def inner_comments(self, offset: int) -> None:
        """The comments of a statement that stand before `offset`: each ends its line."""
        while (comment := self.waiting(offset)) is not None:
            if self.line and comment.alone:
                self.flush()
            self.take(comment, f"{self.line}  {comment.text}" if self.line else _INDENT + comment.text)
            self.line = ""

    def comments_before(self, offset: int) -> None:
        """The comments between two statements, each on a line of its own."""
        while (comment := self.waiting(offset)) is not None:
            self.blank(self.source.place(comment.span.start).line)
            self.take(comment, comment.text)

    def waiting(self, offset: int) -> Comment | None:
        if self.next_comment == len(self.comments):
            return None
        comment = self.comments[self.next_comment]
        return comment if comment.span.start < offset else None

    def take(self, comment: Comment, line: str) -> None:
        self.next_comment += 1
        self.lines.append(line)
        self.last_line = max(self.last_line, self.source.place(comment.span.start).line)

    def blank(self, line: int) -> None:
        """One empty line where the source has some between what was written last and `line`."""
        if self.lines and any(not self.source.line(number).strip() for number in range(self.last_line + 1, line)):
            self.lines.append("")

    def flush(self) -> None:
        self.lines.append(self.line)
        self.line = ""

"""Reading expressions and arguments: `4*a`, `2**i`, `min(n, 8)`, `round(c/r, 8)`, `64, b=2`, `@stem`."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from convsize.errors import Fix, Span
from convsize.language.scanner import DIGITS, IDENTIFIER, LOWER, MAX_DIGITS, MAX_EXPRESSION, UPPER, Scanner, Skip
from convsize.language.tree import Arg, Binary, Expr, Function, Ident, Name, Neg, Num, Tap

_SUMS: dict[str, Literal["+", "-"]] = {"+": "+", "-": "-"}
_PRODUCTS: dict[str, Literal["*", "%"]] = {"*": "*", "%": "%"}


def expression(scanner: Scanner) -> Expr:
    """The expression at the cursor. Raises Skip where there is none."""
    scanner.weight = 0
    return _sum(scanner)


def arguments(scanner: Scanner) -> tuple[Arg, ...]:
    """The arguments of a call up to its `)`, the cursor standing on its `(`. Raises Skip."""
    scanner.weight = 0
    return _arguments(scanner)


def _weigh(scanner: Scanner) -> None:
    scanner.weight += 1
    if scanner.weight > MAX_EXPRESSION:
        scanner.report(
            "E018",
            f"this expression has more than {MAX_EXPRESSION} operators and brackets",
            Span(scanner.pos, scanner.pos + 1),
            "name parts of it with `let`",
        )
        raise Skip


def _sum(scanner: Scanner) -> Expr:
    left = _product(scanner)
    while True:
        op = _SUMS.get(scanner.skip())
        if op is None or scanner.text.startswith("->", scanner.pos):
            return left
        _weigh(scanner)
        scanner.pos += 1
        right = _product(scanner)
        left = Binary(op, left, right, left.span.to(right.span))


def _product(scanner: Scanner) -> Expr:
    left = _factor(scanner)
    while True:
        char = scanner.skip()
        op: Literal["*", "/", "//", "%"] | None
        if char == "/":
            op = "//" if scanner.text.startswith("//", scanner.pos) else "/"
        else:
            op = _PRODUCTS.get(char)
            if op is None:
                return left
        _weigh(scanner)
        scanner.pos += len(op)
        right = _factor(scanner)
        left = Binary(op, left, right, left.span.to(right.span))


def _factor(scanner: Scanner) -> Expr:
    """A power with its signs: `-a**2` is `-(a**2)`, and `2**-1` needs no brackets."""
    if scanner.skip() == "-":
        start = scanner.pos
        _weigh(scanner)
        scanner.pos += 1
        operand = _factor(scanner)
        return Neg(operand, Span(start, operand.span.end))
    base = _atom(scanner)
    if scanner.skip() == "^":
        pos = scanner.pos
        scanner.report(
            "E016",
            "a power is written `**`",
            Span(pos, pos + 1),
            "write `**`",
            fixes=(Fix(Span(pos, pos + 1), "**", True),),
        )
        scanner.pos += 1
    elif scanner.text.startswith("**", scanner.pos):
        scanner.pos += 2
    else:
        return base
    _weigh(scanner)
    exponent = _factor(scanner)
    return Binary("**", base, exponent, base.span.to(exponent.span))


def _atom(scanner: Scanner) -> Expr:
    char = scanner.skip()
    start = scanner.pos
    if char in DIGITS:
        return number(scanner)
    if char in LOWER or char in UPPER:
        name = scanner.ident()
        if scanner.text[scanner.pos] == "(" and char in LOWER:
            _weigh(scanner)
            args = _arguments(scanner)
            return Function(name, args, Span(start, scanner.pos))
        return Name(name.name, name.span)
    if char == "(":
        _weigh(scanner)
        scanner.open()
        inner = _sum(scanner)
        if not scanner.close():
            raise Skip
        return inner
    if char == "{":
        return _braced(scanner)
    _missing(scanner, char)
    raise Skip


def _braced(scanner: Scanner) -> Expr:
    """An expression in braces inside brackets, where it needs none: E016, and the expression."""
    _weigh(scanner)
    start = scanner.open()
    inner = _sum(scanner)
    if not scanner.close():
        raise Skip
    end = scanner.pos
    plain = scanner.text[start + 1 : end - 1].strip()
    whole = scanner.text[:start].rstrip(" \t")[-1:] in "(,=" and scanner.skip() in ",)"
    written = plain if whole or isinstance(inner, Num | Name) else f"({plain})"
    scanner.report(
        "E016",
        "braces stand around an expression in a layer's name alone, as in `C3D{2*c}`",
        Span(start, end),
        f"write `{written}`",
        fixes=(Fix(Span(start, end), written, True),),
    )
    return inner


def _missing(scanner: Scanner, char: str) -> None:
    pos = scanner.pos
    if char == "." and scanner.text[pos + 1] in DIGITS:
        end = scanner.run(pos + 1)
        digits = scanner.text[pos:end]
        scanner.report(
            "E016",
            f"a number cannot begin with a point, as `{digits}` does",
            Span(pos, end),
            f"write `0{digits}`",
            fixes=(Fix(Span(pos, pos), "0", True),),
        )
    elif char == "@":
        scanner.report(
            "E016",
            "a number is needed here, not a tap",
            Span(pos, scanner.run(pos + 1)),
            "a tap can only be a whole argument, as in `cell(64, @stem)`",
        )
    else:
        what = "the line ends" if char == "\n" else f"`{char}` stands"
        scanner.report(
            "E016",
            f"{what} where a number, a name or a bracket is needed",
            scanner.here(),
            "write a number such as `64`, or an expression such as `4*a`",
        )


def number(scanner: Scanner) -> Num:
    """The number at the cursor, exact: `3`, `0.5`, `1e-5`."""
    whole = scanner.integer()
    text, pos = scanner.text, scanner.pos
    value = whole.value
    start = whole.span.start
    if text[pos] == "." and text[pos + 1] in DIGITS:
        end = pos + 1
        while text[end] in DIGITS:
            end += 1
        if end - pos - 1 > MAX_DIGITS:
            scanner.too_long(Span(pos + 1, end))
        else:
            value += Fraction(int(text[pos + 1 : end]), 10 ** (end - pos - 1))
        pos = end
    if text[pos] == "e":
        minus = text[pos + 1] == "-"
        begin = end = pos + 1 + minus
        while text[end] in DIGITS:
            end += 1
        if end > begin:
            if end - begin > 2 or int(text[begin:end]) > MAX_DIGITS:
                scanner.report(
                    "E103",
                    f"the exponent of `{text[start : begin + 2]}…` is beyond {MAX_DIGITS}",
                    Span(start, end),
                    "no setting of a network needs it",
                )
            else:
                value *= Fraction(10) ** (-int(text[begin:end]) if minus else int(text[begin:end]))
            pos = end
    scanner.pos = pos
    if text[pos] in IDENTIFIER:
        end = scanner.run(pos)
        scanner.report(
            "E016",
            f"`{text[pos:end]}` is glued to the number `{text[start:pos]}`",
            Span(start, end),
            f"a product needs its sign: `{text[start:pos]}*{text[pos:end]}`",
        )
        scanner.pos = end
        raise Skip
    return Num(value, Span(start, pos))


def _arguments(scanner: Scanner) -> tuple[Arg, ...]:
    scanner.open()
    args: list[Arg] = []
    if scanner.skip() == ")":
        scanner.close()
        return ()
    while True:
        args.append(_argument(scanner))
        if scanner.skip() != ",":
            break
        scanner.pos += 1
    if not scanner.close():
        raise Skip
    return tuple(args)


def _argument(scanner: Scanner) -> Arg:
    text = scanner.text
    char = scanner.skip()
    start = scanner.pos
    name: Ident | None = None
    if char in LOWER or char in UPPER:
        candidate = scanner.ident()
        if scanner.skip() == "=":
            scanner.pos += 1
            name = candidate
            char = scanner.skip()
        else:
            scanner.pos = start
    if char == "@":
        value: Expr | Tap = tap(scanner)
    else:
        value = _sum(scanner)
        if name is not None and text[scanner.pos] == "=":
            pos = scanner.pos
            scanner.report("E016", "one argument has two `=`", Span(pos, pos + 1), "put a comma between two arguments")
            raise Skip
    return Arg(name, value, Span(start, value.span.end))


def tap(scanner: Scanner) -> Tap:
    """The tap at the cursor, which stands on its `@`. Raises Skip where no name follows."""
    start = scanner.pos
    scanner.pos = start + 1
    char = scanner.text[start + 1]
    if char not in LOWER:
        if char in UPPER:
            scanner.ident()
            written = scanner.text[start : scanner.pos]
            small = "@" + written[1:].lower()
            scanner.report(
                "E016",
                f"`{written}` begins with a capital letter, which belongs to layers",
                Span(start, scanner.pos),
                f"write `{small}`, and name the value `as {small[1:]}`",
            )
        else:
            scanner.report(
                "E016",
                "`@` has no name after it",
                Span(start, start + 1),
                "write the name a value was given, as in `C3D64 as stem … @stem`",
            )
        raise Skip
    name = scanner.ident()
    return Tap(name.name, Span(start, scanner.pos))

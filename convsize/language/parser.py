"""Text to tree: `parse` reads a whole spec, `parse_layer` a single layer token."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Literal, NoReturn

from convsize.errors import Diagnostic, Fix, Label, Source, Span
from convsize.language.expressions import arguments, expression, tap
from convsize.language.layers import dropout, layers_in, read_layer
from convsize.language.mnemonics import MNEMONICS, SINGLE, WHOLE_WORDS
from convsize.language.scanner import (
    DIGITS,
    IDENTIFIER,
    KEYWORDS,
    LOWER,
    MAX_FILE,
    STATEMENTS,
    UPPER,
    Scanner,
    Skip,
    Stop,
    clean,
)
from convsize.language.tree import (
    Arg,
    Atom,
    Call,
    Check,
    DefaultStmt,
    DefStmt,
    ExpectStmt,
    Expr,
    File,
    Group,
    HeadStmt,
    Ident,
    Identity,
    InputStmt,
    Item,
    Layer,
    LetStmt,
    Name,
    Num,
    Param,
    Series,
    Stmt,
    Tap,
    TrunkStmt,
    Value,
    Volume,
)

_SIZED = frozenset(name for name, facts in MNEMONICS.items() if facts.size == "required")
_UNITS = {
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
_COMPARISONS: tuple[Literal["<=", ">=", "=", "<", ">", "~"], ...] = ("<=", ">=", "=", "<", ">", "~")
_KINDS: dict[str, Literal["sum", "gate", "concat"]] = {"+": "sum", "*": "gate", "|": "concat"}
# Every character that has a meaning somewhere.
_KNOWN = IDENTIFIER | frozenset("()[]{}|+*/@:,=<>~%.-")
# Characters that are typed or pasted for others; nothing where they are best left out.
_MEANT = {
    "→": "->",
    "⟶": "->",
    "–": "-",
    "—": "-",
    "−": "-",
    "\u00a0": " ",
    "\u2009": " ",
    "\u202f": " ",
    "＋": "+",
    "∗": "*",
    "·": "*",
    "⊙": "*",
    "⊕": "+",
    "“": "",
    "”": "",
    '"': "",
    "'": "",
    "`": "",
    ";": "",
}


def parse(source: Source) -> tuple[File, tuple[Diagnostic, ...]]:
    """The tree of a spec and what is wrong with it, in the order of the text.

    After an error the tree holds what could be read; it is complete only where there is no diagnostic.
    """
    text = source.text
    if len(text) > MAX_FILE:
        found = Diagnostic(
            "E018",
            "error",
            f"this file has {len(text)} characters, and a spec may have {MAX_FILE}",
            Span(0, 1),
            "blocks (`def`) and repeats (`*12`) say large networks in few lines",
        )
        return File(source, (), ()), (found,)
    cleaned, comments = clean(text)
    parser = _Parser(cleaned, text)
    parser.file()
    diagnostics = sorted(parser.scanner.diagnostics, key=lambda diagnostic: diagnostic.span.start)
    return File(source, tuple(parser.statements), comments), tuple(diagnostics)


def parse_layer(text: str, offset: int) -> Layer | None:
    """The layer that a text consists of, its spans moved by `offset`; None where the text is anything else."""
    if not text or text[0] not in UPPER:
        return None
    scanner = Scanner(" " * offset + text + "\n", offset, trial=True)
    try:
        layer = read_layer(scanner)
    except (Skip, Stop):
        return None
    return layer if scanner.pos == scanner.end else None


class _Parser:
    """Recursive descent over the grammar of statements and series; layers and expressions have their own readers."""

    __slots__ = ("defined", "original", "params", "scanner", "sizeless", "statements", "text", "trunk")

    def __init__(self, text: str, original: str) -> None:
        self.text = text
        self.original = original
        self.scanner = Scanner(text)
        self.statements: list[Stmt] = []
        self.params: frozenset[str] = frozenset()
        self.defined: frozenset[str] | None = None
        self.sizeless: list[Layer] = []
        self.trunk = False

    # ---- statements -------------------------------------------------------------------------------------------------

    def file(self) -> None:
        scanner, text = self.scanner, self.text
        try:
            while True:
                char = scanner.skip()
                if char == "\n":
                    if scanner.pos >= scanner.end:
                        break
                    scanner.pos += 1
                    continue
                self.params = frozenset()
                try:
                    self.statements.extend(self.statement(char))
                except Skip:
                    del scanner.opens[:]
                    scanner.pos = text.index("\n", scanner.pos)
            self.missing_sizes()
        except Stop:
            pass

    def missing_sizes(self) -> None:
        """E101, once every `default` is known: one of them may give the size."""
        given = {
            layer.mnemonic
            for stmt in self.statements
            if type(stmt) is DefaultStmt
            for layer in stmt.layers
            if layer.size is not None
        }
        for layer in self.sizeless:
            if layer.mnemonic not in given:
                facts = MNEMONICS[layer.mnemonic]
                example = {"FC": "FC1000", "GN": "GN32", "T": "T2D64/2"}[layer.mnemonic]
                self.scanner.report(
                    "E101",
                    f"{facts.what} needs its {facts.counts}",
                    layer.span,
                    f"write it right behind `{layer.mnemonic}`, as in `{example}`",
                )

    def statement(self, char: str) -> tuple[Stmt, ...]:
        scanner = self.scanner
        start = scanner.pos
        word = scanner.word_at(start) if char in LOWER or char in UPPER else ""
        if word in STATEMENTS:
            scanner.pos = start + len(word)
            readers: dict[str, Callable[[int], Stmt]] = {
                "input": self.input,
                "default": self.default,
                "let": self.let,
                "def": self.define,
                "head": self.head,
                "expect": self.expect,
            }
            stmt = readers[word](start)
            self.end_of_statement(word)
            return (stmt,)
        if word:
            self.misspelt(word)
        first = not self.trunk
        self.trunk = True
        series = self.series(top=True, first=first)
        return () if series is None else (TrunkStmt(series, series.span),)

    def end_of_statement(self, word: str) -> None:
        scanner = self.scanner
        text_end = scanner.pos
        if scanner.skip() != "\n" and self.text[scanner.pos - 1] != "\n":
            what = scanner.word_at(scanner.pos) or self.text[scanner.pos]
            span = Span(scanner.pos, scanner.pos + len(what))
            if what[0] not in _KNOWN:
                self.stray_character()
            elif "\n" in self.original[text_end : scanner.pos]:
                scanner.report(
                    "E016",
                    f"`{what}` continues the `{word}` statement, because its line is indented",
                    span,
                    "begin the line without indentation",
                )
            else:
                scanner.report(
                    "E016",
                    f"`{what}` stands behind the end of the `{word}` statement",
                    span,
                    "begin a new line for the next statement, without indentation",
                )
            raise Skip

    def misspelt(self, word: str) -> None:
        """E017 where a line begins like a statement but with no known word: `inputs: …`, `Input: …`."""
        scanner, text = self.scanner, self.text
        pos = scanner.pos + len(word)
        while text[pos] == " ":
            pos += 1
        if text[pos] != ":" or (text[pos + 1] in "0123456789{" and layers_in(word)):
            return  # a layer's padding may have a colon: `C4D64p1:2`
        span = Span(scanner.pos, scanner.pos + len(word))
        low = word.lower().rstrip("s")
        near = next((known for known in sorted(STATEMENTS) if known.startswith(low[:3]) or low.startswith(known)), None)
        scanner.report(
            "E017",
            f"`{word}:` begins no statement",
            span,
            f"write `{near}`" if near else "the statements are input, default, let, def, head and expect",
            fixes=(Fix(span, near, True),) if near else (),
        )
        raise Skip

    def malformed(self, message: str, help_text: str, span: Span | None = None) -> NoReturn:
        """E017, at the cursor unless told otherwise."""
        if span is None:
            span = self.scanner.here()
        self.scanner.report("E017", message, span, help_text)
        raise Skip

    def colon(self, word: str, example: str, start: int) -> None:
        scanner = self.scanner
        if scanner.skip() != ":":
            self.malformed(f"this `{word}` has no colon", f"write it as in `{example}`", Span(start, start + len(word)))
        scanner.pos += 1

    def name(self, word: str, example: str, *, capital: bool = False) -> Ident:
        """A name that a statement binds or mentions, with E017 where there is none."""
        scanner = self.scanner
        char = scanner.skip()
        if char in UPPER and not capital:
            written = scanner.word_at(scanner.pos)
            self.malformed(
                f"`{written}` begins with a capital letter, which belongs to layers",
                f"write `{written[0].lower()}{written[1:]}`",
            )
        if char not in LOWER and not (capital and char in UPPER):
            self.malformed(f"a name is missing in this `{word}`", f"write it as in `{example}`")
        written = scanner.word_at(scanner.pos)
        if written in KEYWORDS:
            self.malformed(f"`{written}` is a word of the language and cannot be a name", "choose another name")
        return scanner.ident()

    def input(self, start: int) -> InputStmt:
        scanner = self.scanner
        name = None
        example = "input: 3@224x224"
        if scanner.skip() != ":":
            if scanner.text[scanner.pos] not in LOWER | UPPER:
                self.colon("input", example, start)
            name = self.name("input", "input left: 3@224x224")
        self.colon("input", example, start)
        char = scanner.skip()
        if char == "\n":
            self.malformed("this `input` has no volume", f"write it as in `{example}`", Span(start, start + 5))
        if char not in DIGITS:
            self.malformed("an input's volume is written in plain numbers", f"write it as in `{example}`")
        volume = self.volume()
        if volume is None:
            number = scanner.integer()
            self.malformed(
                f"`{self.text[slice(*number.span)]}` alone is no volume",
                f"write the depth, `@` and the extents; a flat input of {number.value} is `{number.value}@1`",
                number.span,
            )
        return InputStmt(name, volume, Span(start, scanner.pos))

    def default(self, start: int) -> DefaultStmt:
        scanner = self.scanner
        example = "default: Cb0 M3/2"
        self.colon("default", example, start)
        layers: list[Layer] = []
        while scanner.skip() in UPPER:
            at = scanner.pos
            try:
                layers.append(read_layer(scanner))
            except Skip:
                scanner.recover(at, 0)
                layers.append(Layer("R", Span(at, scanner.pos)))
        if not layers:
            self.malformed("this `default` names no layer", f"write it as in `{example}`", Span(start, start + 7))
        return DefaultStmt(tuple(layers), Span(start, layers[-1].span.end))

    def let(self, start: int) -> LetStmt:
        scanner = self.scanner
        example = "let N=2, M=3"
        bindings: list[tuple[Ident, Expr]] = []
        while True:
            name = self.name("let", example, capital=True)
            if scanner.skip() != "=":
                self.malformed(f"`{name.name}` is given no value", f"write it as in `{example}`", name.span)
            scanner.pos += 1
            bindings.append((name, expression(scanner)))
            if scanner.skip() != ",":
                return LetStmt(tuple(bindings), Span(start, bindings[-1][1].span.end))
            scanner.pos += 1

    def define(self, start: int) -> DefStmt:
        scanner = self.scanner
        name = self.name("def", "def block(d, s=1): C3D{d}/{s} R")
        params: list[Param] = []
        if self.text[scanner.pos] == "(":
            scanner.open()
            while scanner.skip() != ")" or params:
                param = self.name("def", "def block(d, s=1): C3D{d}/{s} R", capital=True)
                default = None
                if scanner.skip() == "=":
                    scanner.pos += 1
                    default = expression(scanner)
                params.append(Param(param, default))
                if scanner.skip() != ",":
                    break
                scanner.pos += 1
            if not scanner.close():
                raise Skip
        elif scanner.skip() == "(":
            self.malformed(
                f"a space stands between `{name.name}` and its bracket",
                f"write `def {name.name}(`",
                Span(name.span.start, scanner.pos + 1),
            )
        self.params = frozenset(param.name.name for param in params)
        self.colon("def", f"def {name.name}: C3D64 R", start)
        body = self.body("def", start)
        return DefStmt(name, tuple(params), body, Span(start, body.span.end))

    def head(self, start: int) -> HeadStmt:
        scanner = self.scanner
        name = self.name("head", "head aux @stem: GAP FC10")
        origin = tap(scanner) if scanner.skip() == "@" else None
        self.colon("head", f"head {name.name} @stem: GAP FC10", start)
        body = self.body("head", start)
        return HeadStmt(name, origin, body, Span(start, body.span.end))

    def body(self, word: str, start: int) -> Series:
        found = len(self.scanner.diagnostics)
        series = self.series(top=True)
        if series is None:
            if len(self.scanner.diagnostics) == found:
                self.malformed(
                    f"this `{word}` has no layers",
                    "write them behind the colon, or on the next line with indentation",
                    Span(start, start + len(word)),
                )
            raise Skip
        return series

    def expect(self, start: int) -> ExpectStmt:
        scanner = self.scanner
        example = "expect: params=25557032"
        target: Ident | Tap | None = None
        char = scanner.skip()
        if char == "@":
            target = tap(scanner)
        elif char in LOWER or char in UPPER:
            target = self.name("expect", "expect main: params=25557032")
        self.colon("expect", example, start)
        checks: list[Check] = []
        while True:
            char = scanner.skip()
            if char == "\n" and checks:
                return ExpectStmt(target, tuple(checks), Span(start, checks[-1].span.end))
            if char == "\n":
                self.malformed("this `expect` states nothing", f"write it as in `{example}`", Span(start, start + 6))
            if char not in LOWER:
                if char in UPPER:
                    self.name("expect", example)
                what = scanner.word_at(scanner.pos) or char
                hint = "write `params=25557032`"
                if char == "," and checks:
                    hint = "separate two of them by a space"
                    digits = scanner.word_at(scanner.pos + 1)
                    if len(digits) == 3 and digits.isdigit() and checks[-1].value.number is not None:
                        hint = "write a long number without commas"
                self.malformed(
                    f"`{what}` stands where `expect` needs a quantity, as in `params=…`",
                    hint,
                    Span(scanner.pos, scanner.pos + len(what)),
                )
            checks.append(self.check())

    def check(self) -> Check:
        scanner, text = self.scanner, self.text
        metric = self.name("expect", "expect: params=25557032")
        args: tuple[Arg, ...] = ()
        if text[scanner.pos] == "(":
            args = arguments(scanner)
        scanner.skip()
        pos = scanner.pos
        comparison = next((sign for sign in _COMPARISONS if text.startswith(sign, pos)), None)
        if comparison is None:
            self.malformed(
                f"`{metric.name}` is compared to nothing",
                f"write `{metric.name}=…` for exactly, `~` for about, or a bound with `<=` or `>=`",
                metric.span,
            )
        scanner.pos = pos + len(comparison)
        if comparison == "=" and text[scanner.pos] == "=":
            self.malformed("two signs of equality stand here", f"write `{metric.name}=…`, with one", Span(pos, pos + 2))
        value = self.value(metric)
        return Check(metric, args, comparison, value, metric.span.to(value.span))

    def value(self, metric: Ident) -> Value:
        """`1000`, `4.09G`, `8GiB`, `512@7x7`, a word, or a digest such as `1f3a90c2`."""
        scanner, text = self.scanner, self.text
        char = scanner.skip()
        start = scanner.pos
        if char not in IDENTIFIER:
            self.malformed(
                f"`{metric.name}` is compared to nothing", f"write a value: `{metric.name}=1000`", metric.span
            )
        if char in UPPER:
            self.malformed(
                f"`{scanner.word_at(start)}` is no value",
                "a value is a number, a volume, a word in small letters or a digest",
            )
        end = scanner.run(start)
        if char in DIGITS:
            volume = self.volume()
            if volume is not None:
                return Value(text[start : scanner.pos], None, None, volume, volume.span)
            number = scanner.integer()
            digits = 0
            whole = number.value
            if text[scanner.pos] == "." and text[scanner.pos + 1] in DIGITS:
                scanner.pos += 1
                part = scanner.integer()
                digits = part.span.end - part.span.start
                whole += part.value / 10**digits
                end = scanner.run(scanner.pos)
            unit = text[scanner.pos : end]
            if unit == "" or unit in _UNITS:
                scanner.pos = end
                scale = _UNITS.get(unit, 1)
                step = Fraction(scale, 10**digits)
                return Value(text[start:end], whole * scale, step, None, Span(start, end))
            if digits or not all(char in "0123456789abcdef" for char in text[start:end]):
                scanner.pos = end
                self.malformed(
                    f"`{unit}` is no unit",
                    f"the units are {', '.join(_UNITS)}",
                    Span(end - len(unit), end),
                )
        scanner.pos = end
        return Value(text[start:end], None, None, None, Span(start, end))

    # ---- series -----------------------------------------------------------------------------------------------------

    def series(self, *, top: bool, first: bool = False) -> Series | None:
        """Items up to the end of the statement or, inside brackets, up to what may follow a branch.

        None where there is no item. `first` is the beginning of the trunk, where an `INPUT` is dropped.
        """
        scanner, text = self.scanner, self.text
        depth = len(scanner.opens)
        items: list[Item] = []
        arrow: Span | None = None
        while True:
            char = scanner.skip()
            start = scanner.pos
            try:
                if char in UPPER:
                    following = text[start + 1]
                    if char == "D" and (following in DIGITS or following == "{"):
                        self.stray_part(items)
                        continue
                    if first and not items and char == "I" and scanner.word_at(start) == "INPUT":
                        scanner.pos = start + 5
                        first = False
                        if scanner.skip() == "-" and text[scanner.pos + 1] == ">":
                            scanner.pos += 2
                        continue
                    layer = read_layer(scanner)
                    if layer.size is None and layer.mnemonic in _SIZED:
                        self.sizeless.append(layer)
                    atom: Atom = layer
                elif char in LOWER:
                    word = self.word(items)
                    if word is None:
                        if scanner.pos == start:
                            break  # a statement begins: a bracket before it was never closed
                        continue
                    atom = word
                elif char == "(" or char == "[":
                    if text[start + 1] in DIGITS and items and items[-1].span.end == start and self.bracketed(items):
                        continue
                    atom = self.group(start)
                elif char in DIGITS:
                    volume = self.number(items)
                    if volume is None:
                        continue
                    atom = volume
                elif char == "@":
                    atom = tap(scanner)
                elif char == "\n":
                    break  # inside brackets, only where the file ends
                elif char == "-" and text[start + 1] == ">":
                    if not items or arrow is not None:
                        self.useless_arrow(start)
                    arrow = Span(start, start + 2)
                    scanner.pos = start + 2
                    continue
                elif not top and char in ")]+|}":
                    break
                elif char == "*":
                    if self.loose_star(items, top):
                        continue
                    break
                else:
                    self.stray(items, char)
                    continue
                end = atom.span.end
                repeat: Expr | None = None
                names: tuple[Ident, ...] = ()
                char = text[scanner.pos]
                if char not in UPPER:
                    if char == "*":
                        repeat = self.repeat()
                        end = scanner.pos if repeat is not None else end
                    if scanner.skip() == "a" and scanner.word_at(scanner.pos) == "as":
                        names = self.names()
                        end = names[-1].span.end
            except Skip:
                scanner.recover(start, depth)
                # What could not be read stands in the tree as an item, so that its branch is not also called empty.
                items.append(Item(Identity(Span(start, scanner.pos)), None, (), Span(start, scanner.pos)))
                arrow = None
                continue
            arrow = None
            items.append(Item(atom, repeat, names, Span(start, end)))
        if arrow is not None and items:
            self.useless_arrow(arrow.start)
        if not items:
            return None
        return Series(tuple(items), Span(items[0].span.start, items[-1].span.end))

    def repeat(self) -> Expr | None:
        """The count of the repeat at the cursor; None where its `*` is the gate operator."""
        scanner, text = self.scanner, self.text
        star = scanner.pos
        char = text[star + 1]
        if char in DIGITS:
            scanner.pos = star + 1
            count: Expr = scanner.integer()
            if text[scanner.pos] in LOWER or text[scanner.pos] == "@":
                end = scanner.run(scanner.pos + 1)
                glued = text[scanner.pos : end]
                scanner.report(
                    "E016",
                    f"`{glued}` is glued to the repeat `{text[star : scanner.pos]}`",
                    Span(scanner.pos, end),
                    f"put a space before `{glued}`",
                    fixes=(Fix(Span(scanner.pos, scanner.pos), " ", True),),
                )
                scanner.pos = end
            return count
        if char == "{":
            scanner.pos = star + 1
            scanner.open()
            count = expression(scanner)
            if not scanner.close():
                raise Skip
            return count
        if char in UPPER and text[star + 2] not in IDENTIFIER:
            scanner.pos = star + 2
            return Name(char, Span(star + 1, star + 2))
        return None

    def names(self) -> tuple[Ident, ...]:
        """The names behind `as`, the cursor standing on it."""
        scanner = self.scanner
        found: list[Ident] = []
        scanner.pos += 2
        while True:
            char = scanner.skip()
            pos = scanner.pos
            written = scanner.word_at(pos)
            if char in UPPER or written in KEYWORDS:
                why = "begins with a capital letter" if char in UPPER else "is a word of the language"
                scanner.report(
                    "E016",
                    f"`{written}` {why} and cannot name a value",
                    Span(pos, pos + len(written)),
                    f"write `{written[0].lower()}{written[1:]}`" if char in UPPER else "choose another name",
                )
                scanner.pos = pos + len(written)
                raise Skip
            if char not in LOWER:
                scanner.report(
                    "E016",
                    "a name is missing behind `as`",
                    scanner.here(),
                    "write one in small letters, as in `C3D64 as stem`",
                )
                raise Skip
            found.append(scanner.ident())
            if scanner.skip() != ",":
                return tuple(found)
            scanner.pos += 1

    def volume(self) -> Volume | None:
        """The volume at the cursor, which stands on a digit; None where only a number stands there.

        Raises Skip with E012 for a volume that is written in another way.
        """
        scanner, text = self.scanner, self.text
        start = scanner.pos
        pos = start
        while text[pos] in DIGITS:
            pos += 1
        if text[pos] == "x" and text[pos + 1] in DIGITS:
            self.foreign_volume(start)
        if text[pos] != "@":
            return None
        channels = scanner.integer()
        extents: list[int] = []
        while text[scanner.pos] == ("x" if extents else "@") and text[scanner.pos + 1] in DIGITS:
            scanner.pos += 1
            extents.append(scanner.integer().value.numerator)
        span = Span(start, scanner.pos)
        if not extents:
            what = "`{n}`" if text[scanner.pos + 1] == "{" else "a digit"
            scanner.report(
                "E012",
                "a volume needs its extents behind the `@`",
                Span(start, scanner.pos + 1),
                "write them in plain numbers, as in `3@224x224`, not " + what
                if what != "a digit"
                else "write them in plain numbers, as in `3@224x224`",
            )
            scanner.pos += 1
            raise Skip
        if len(extents) > 3:
            scanner.report(
                "E012",
                f"this volume has {len(extents)} extents behind the `@`",
                span,
                "a volume has one (1-D), two (2-D) or three (3-D)",
            )
            raise Skip
        if text[scanner.pos] in LOWER:
            glued = scanner.word_at(scanner.pos)
            scanner.pos += len(glued)
            scanner.report(
                "E012",
                f"`{glued}` is glued to the volume `{text[start : span.end]}`",
                Span(span.end, scanner.pos),
                "put a space between them",
                fixes=(Fix(Span(span.end, span.end), " ", False),),
            )
            raise Skip
        return Volume(channels.value.numerator, tuple(extents), span)

    def foreign_volume(self, start: int) -> NoReturn:
        """E012 for `3x224x224` and `224x224x3`."""
        scanner, text = self.scanner, self.text
        end = start
        while text[end] in DIGITS or (text[end] == "x" and text[end + 1] in DIGITS):
            end += 1
        numbers = text[start:end].split("x")
        if len(numbers) == 3 and len(numbers[2]) < min(len(numbers[0]), len(numbers[1])):
            numbers = [numbers[2], *numbers[:2]]
        better = f"{numbers[0]}@{'x'.join(numbers[1:])}"
        hint = f"write the depth first and `@` behind it: `{better}`"
        fixes: tuple[Fix, ...] = (Fix(Span(start, end), better, False),)
        if len(numbers) == 2:
            hint = f"write the depth first and `@` behind it, as in `3@{'x'.join(numbers)}`"
            fixes = ()
        scanner.pos = end
        scanner.report(
            "E012", f"`{text[start:end]}` does not say which number is the depth", Span(start, end), hint, fixes=fixes
        )
        raise Skip

    def group(self, start: int, *, split: bool = False) -> Group:
        """The group whose bracket the cursor stands on."""
        scanner, text = self.scanner, self.text
        opener = text[scanner.pos]
        scanner.open()
        branches: list[Series] = []
        first = ""
        first_at = 0
        while True:
            found = len(scanner.diagnostics)
            series = self.series(top=False)
            char = text[scanner.pos]
            if series is not None:
                branches.append(series)
            elif scanner.pos < scanner.end and len(scanner.diagnostics) == found and char not in LOWER:
                self.empty_branch(opener, char, first or (char if char in _KINDS else ""))
            if char not in _KINDS:
                break
            span = Span(scanner.pos, scanner.pos + 1)
            if not first:
                first, first_at = char, scanner.pos
                if (char == "|") != (opener == "["):
                    self.wrong_bracket(opener, char, span)
            elif char != first:
                inner = f"(a {first} b)" if first != "|" else "[a | b]"
                outer = f"({inner} {char} c)" if char != "|" else f"[{inner} | c]"
                scanner.report(
                    "E010",
                    f"`{first}` and `{char}` are mixed in one group",
                    span,
                    f"put brackets around one of them, as in `{outer}`",
                    labels=(Label(Span(first_at, first_at + 1), f"the group begins with `{first}`"),),
                )
            scanner.pos += 1
        scanner.close()
        kind: Literal["series", "sum", "gate", "concat", "split"] = _KINDS[first] if first else "series"
        return Group("split" if split else kind, tuple(branches), Span(start, scanner.pos))

    def empty_branch(self, opener: str, char: str, op: str) -> None:
        scanner = self.scanner
        span = Span(scanner.pos, scanner.pos + 1)
        if not op:
            scanner.report("E009", "nothing stands in these brackets", span, "put layers in, or take them away")
            return
        sample = f"[C3D64 {op} x]" if opener == "[" else f"(C3D64 {op} x)"
        scanner.report(
            "E009",
            f"the branch before this `{char}` is empty",
            span,
            f"write `x` where the value should pass unchanged, as in `{sample}`",
        )

    def wrong_bracket(self, opener: str, char: str, span: Span) -> None:
        if char == "|":
            text = "`|` puts branches side by side in square brackets, and these are round"
            hint = "write `[a | b]`"
        else:
            verb = "adds" if char == "+" else "multiplies"
            text = f"`{char}` {verb} branches in round brackets, and these are square"
            hint = f"write `(a {char} b)`"
        at = self.scanner.opens[-1][1]
        self.scanner.report("E016", text, span, hint, labels=(Label(Span(at, at + 1), f"`{opener}` is opened here"),))

    def word(self, items: list[Item]) -> Atom | None:
        """What a small letter begins; None where it was an error, or where a statement begins (cursor unmoved)."""
        scanner, text = self.scanner, self.text
        start = scanner.pos
        end = scanner.run(start)
        name = text[start:end]
        char = text[end]
        if name in KEYWORDS:
            return self.keyword(name, start)
        if char == "(":
            scanner.pos = end
            args = arguments(scanner)
            return Call(Ident(name, Span(start, end)), args, Span(start, scanner.pos))
        if name == "x":
            scanner.pos = end
            return Identity(Span(start, end))
        if char == "-":
            alias = self.dashed(name, start, end)
            if alias is not None:
                return alias
        elif name == "maxpool" and not self.is_defined(name):
            scanner.pos = end
            return Layer("M", Span(start, end))
        if (not name.isalpha() or name in _LOOSE) and not self.is_defined(name) and self.loose_word(items, name):
            return None
        scanner.pos = end
        return Call(Ident(name, Span(start, end)), None, Span(start, end))

    def dashed(self, name: str, start: int, end: int) -> Layer | None:
        """`conv3-64` and `soft-max`, as the VGG paper writes them; None for any other word before a dash."""
        scanner, text = self.scanner, self.text
        if name == "soft" and text.startswith("-max", end):
            after = end + 4
            if text[after] in IDENTIFIER or text[after] == "(":
                return None
            scanner.pos = after
            return Layer("S", Span(start, after))
        if not name.startswith("conv") or text[end + 1] not in DIGITS:
            return None
        numbers = name[4:]
        if not numbers.isdigit():
            after = scanner.run(end + 1)
            plain = f"C{numbers}D{text[end + 1 : after]}"
            if layers_in(plain) != 1:
                return None
            self.small_layer(start, after, plain)
            raise Skip
        scanner.pos = start + 4
        kernel = scanner.integer()
        scanner.pos = end + 1
        depth = scanner.integer()
        after = scanner.pos
        if text[after] in IDENTIFIER or text[after] == "(":
            glued = scanner.word_at(after) or "("
            plain = f"C{numbers}D{text[end + 1 : after]}"
            scanner.report(
                "E003",
                f"`{glued}` is glued to `{text[start:after]}`",
                Span(after, after + len(glued)),
                f"put a space behind it, or write it `{plain}`",
                fixes=(Fix(Span(start, after), plain, True),),
            )
            raise Skip
        parts = (("size", kernel.span), ("D", Span(end, after)))
        return Layer("C", Span(start, after), (kernel,), depth, suffixes=parts)

    def is_defined(self, name: str) -> bool:
        """Whether the spec gives a name a meaning of its own, so that it is no misspelt layer."""
        if self.defined is None:
            self.defined = _defined(self.text)
        return name in self.params or name in self.defined

    def loose_word(self, items: list[Item], name: str) -> bool:
        """E007 and E014 for a word that looks like a suffix or a layer in small letters; whether it is one."""
        scanner = self.scanner
        start = scanner.pos
        if self.joins(items, start):
            return True
        plain = name.upper() if name in _SMALL else _in_capitals(name)
        if plain is None:
            return False
        self.small_layer(start, start + len(name), plain)
        scanner.pos = start + len(name)
        raise Skip

    def small_layer(self, start: int, end: int, plain: str) -> None:
        self.scanner.report(
            "E014",
            f"`{self.text[start:end]}` is written in small letters, and a layer in capitals",
            Span(start, end),
            f"write `{plain}`",
            fixes=(Fix(Span(start, end), plain, True),),
        )
        self.scanner.pos = end

    def keyword(self, name: str, start: int) -> Atom | None:
        scanner, text = self.scanner, self.text
        end = start + len(name)
        if name in STATEMENTS and start > 0 and text[start - 1] == "\n":
            return None
        scanner.pos = end
        if name == "split" and scanner.skip() == "[":
            return self.group(start, split=True)
        span = Span(start, end)
        if name == "split":
            scanner.report("E016", "`split` has no brackets", span, "write its branches: `split[C3D64 | x]`")
        elif name == "as":
            scanner.report(
                "E016",
                "`as` names the value before it, and none stands there",
                span,
                "put it behind a layer or a bracket, as in `C3D64 as stem`",
            )
            if scanner.skip() in LOWER:
                scanner.ident()
        else:
            scanner.report(
                "E016",
                f"`{name}` begins a statement and cannot stand in a series",
                span,
                "put it at the beginning of a line, without indentation",
            )
            # What follows belongs to the statement, not to the series.
            while text[scanner.pos] not in "\n)]|":
                scanner.pos += 1
        raise Skip

    # ---- what stands where it cannot --------------------------------------------------------------------------------

    def number(self, items: list[Item]) -> Volume | None:
        """The volume at the cursor; None after an error was reported for a number that stands alone."""
        scanner, text = self.scanner, self.text
        start = scanner.pos
        if self.joins(items, start):
            return None
        volume = self.volume()
        if volume is not None:
            return volume
        scanner.integer()
        end = scanner.run(scanner.pos)
        written = text[start:end]
        help_text = "a layer begins with a capital letter, as in `C3D64`"
        if text[end] == "*":
            help_text = f"a repeat stands behind what it repeats: `(C3D64 R)*{written}`"
        elif layers_in("C" + written):
            help_text = f"a convolution begins with its letter: `C{written}`"
        scanner.pos = end + (text[end] == "*")
        scanner.report("E016", f"`{written}` stands alone, and a number alone is no layer", Span(start, end), help_text)
        return None

    def bracketed(self, items: list[Item]) -> bool:
        """E003 for `FC(10)` and `C3(64)`; whether the bracket at the cursor is such a one."""
        scanner, text = self.scanner, self.text
        start = scanner.pos
        layer = items[-1].atom
        end = scanner.behind_brackets(start)
        number = text[start + 1 : end - 1]
        if type(layer) is not Layer or not all(char in "0123456789,x. " for char in number):
            return False
        written = text[slice(*layer.span)]
        better = f"{written}{number}" if layers_in(written + number) == 1 and layer.size is None else "C3D64/2"
        scanner.pos = end
        scanner.report(
            "E003",
            f"brackets are glued to the layer `{written}`",
            Span(start, end),
            f"a layer's numbers stand right behind its letters, as in `{better}`",
        )
        if self.sizeless and self.sizeless[-1] is layer:
            self.sizeless.pop()
        return True

    def stray_part(self, items: list[Item]) -> None:
        """A suffix where an item should begin: E007 where a layer stands before it."""
        scanner, text = self.scanner, self.text
        start = scanner.pos
        if self.joins(items, start) or (text[start] == "D" and dropout(scanner, start)):
            return
        end = start + 1
        while text[end] not in " \n()[]|+*,":
            end += 1
        written = text[start:end]
        scanner.pos = end
        what = "a depth" if written[0] == "D" else "a stride"
        scanner.report(
            "E016",
            f"`{written}` is {what}, and the layer that it belongs to is missing",
            Span(start, end),
            f"glue it to its layer, as in `C3{written}`",
        )

    def joins(self, items: list[Item], start: int) -> bool:
        """E007 where the text at `start` is the rest of the layer before it; whether it is."""
        scanner, text = self.scanner, self.text
        if not items or type(items[-1].atom) is not Layer or items[-1].repeat is not None or items[-1].names:
            return False
        layer = items[-1].atom
        if layer.span.end == start or text[layer.span.end : start].strip(" "):
            return False
        shown = joined = text[slice(*layer.span)]
        if shown[0] in LOWER or "-" in shown or shown in WHOLE_WORDS:
            joined = _plain_spelling(layer)
        written = joined
        end = start
        count = layers_in(joined)
        while layers_in(joined) == count:  # the last piece may have other layers glued to it
            stop = start
            ends = " \n()[]|+*," if text[start] in DIGITS else " \n()[]|+*,@"  # `3@4x4` is no tail
            while text[stop] not in ends and stop < start + _LONGEST_TAIL:
                stop += 1
            piece = text[start:stop]
            if (
                not piece
                or len(piece) == _LONGEST_TAIL
                or len(joined) > 2 * _LONGEST_TAIL
                or (piece[0] in UPPER and piece[0] != "D")
                or (piece[0] in DIGITS and joined[-1] not in UPPER)
                or layers_in(piece)
                or not layers_in(joined + piece)
            ):
                break
            joined += piece
            shown += " " + piece
            end = stop
            start = stop
            while text[start] == " ":
                start += 1
        if joined == written:
            return False
        if self.sizeless and self.sizeless[-1] is layer:
            self.sizeless.pop()
        scanner.pos = end
        span = Span(layer.span.start, end)
        scanner.report(
            "E007",
            f"a layer is written without spaces, unlike `{shown}`",
            span,
            f"write `{joined}`",
            fixes=(Fix(span, joined, True),),
        )
        return True

    def loose_star(self, items: list[Item], top: bool) -> bool:
        """E015 and its kin for a `*` that is no repeat; False where it is the gate operator."""
        scanner, text = self.scanner, self.text
        star = scanner.pos
        scanner.pos = star + 1
        char = scanner.skip()
        pos = scanner.pos
        end = scanner.run(pos)
        if char == "{":
            closed = text.find("}", pos, pos + 24)
            end = closed + 1 or pos + 1
        count = text[pos:end] if end > pos + 1 or char != "{" else "{n}"
        before = text[slice(*items[-1].span)] if items else ""
        if not before or len(before) > 24 or "\n" in before:
            before = "(C3D64 R)"
        named = char in UPPER and end == pos + 1 and char not in SINGLE
        if char == "{" or (char in DIGITS and text[end] != "@") or named:
            scanner.pos = end
            span = Span(star, end)
            if not items:
                scanner.report(
                    "E016", f"nothing stands before `*{count}` to repeat", span, f"write it as in `{before}*{count}`"
                )
            elif items[-1].repeat is not None or items[-1].names:
                scanner.report(
                    "E016",
                    f"`*{count}` cannot follow a repeat or a name",
                    span,
                    f"put brackets around what it repeats: `({before})*{count}`",
                )
            else:
                scanner.report(
                    "E015",
                    f"a space parts the repeat `*{count}` from what it repeats",
                    span,
                    f"write `{before}*{count}`",
                    fixes=(Fix(Span(items[-1].span.end, end), f"*{count}", True),),
                )
            return True
        if not top:
            scanner.pos = star
            return False
        if pos == star + 1 and items and count and (char in LOWER or len(count) > 1):
            scanner.pos = end
            scanner.report(
                "E016",
                f"`*{count}` repeats by a name without braces",
                Span(star, end),
                f"write `{before}*{{{count}}}`",
                fixes=(Fix(Span(pos, end), f"{{{count}}}", True),),
            )
            return True
        scanner.pos = star + 1
        scanner.report(
            "E016",
            "`*` multiplies branches only inside round brackets",
            Span(star, star + 1),
            "write `(a * b)` for a gate, or `*3`, glued, for a repeat",
        )
        return True

    def useless_arrow(self, start: int) -> None:
        self.scanner.report(
            "E016",
            "`->` stands between two items, and one of them is missing here",
            Span(start, start + 2),
            "take it away; a line that goes on in the next is followed by an indented one",
            fixes=(Fix(Span(start, start + 2), "", True),),
        )

    def stray_character(self) -> None:
        """E001, once for a run of the same kind."""
        scanner, text = self.scanner, self.text
        start = scanner.pos
        char = text[start]
        end = start + 1
        while text[end] == char or (char not in _MEANT and text[end] not in _KNOWN and text[end] not in " \n"):
            end += 1
        scanner.pos = end
        span = Span(start, end)
        shown = text[start : min(end, start + 8)]
        if char.isprintable():
            message = f"`{shown}` means nothing in a spec"
        elif char in _MEANT:
            message = f"a space of another kind (U+{ord(char):04X}) stands here"
        else:
            message = f"a control character (U+{ord(char):04X}) stands here"
        fixes: tuple[Fix, ...] = ()
        hint = "take it away"
        if char in _MEANT:
            meant = _MEANT[char] * (end - start)
            fixes = (Fix(span, meant, True),)
            if meant == "":
                hint = "take it away; spaces separate items, and line breaks separate statements"
            else:
                hint = "write a plain space" if meant.isspace() else f"write `{meant}`"
        elif char == "×":
            hint, fixes = self.times(start, end)
        elif char == "?":
            hint = "nothing is left to choice in a spec: keep the item, or leave it out"
        elif char == "^":
            hint = "a repeat is written `*3`"
        self.scanner.report("E001", message, span, hint, fixes=fixes)

    def times(self, start: int, end: int) -> tuple[str, tuple[Fix, ...]]:
        """Help for a multiplication sign: between sizes (`C3×3`) it is an x, before a number (`R ×2`) a repeat."""
        scanner, text = self.scanner, self.text
        number = end
        while text[number] == " ":
            number += 1
        stop = number
        while text[stop] in DIGITS:
            stop += 1
        if text[start - 1] in DIGITS and start > 0:
            scanner.pos = stop
            return "write the letter `x`", (Fix(Span(start, end), "x", True),)
        if stop > number:
            scanner.pos = stop
            return f"a repeat is written `*{text[number:stop]}`, glued to what it repeats", ()
        return "write `*`", (Fix(Span(start, end), "*", True),)

    def stray(self, items: list[Item], char: str) -> None:
        """A character that cannot begin an item."""
        scanner, text = self.scanner, self.text
        pos = scanner.pos
        span = Span(pos, pos + 1)
        if char not in _KNOWN:
            self.stray_character()
            return
        if char == "/":
            self.stray_part(items)
            return
        scanner.pos = pos + 1
        if char in ")]}":
            opener = {")": "(", "]": "[", "}": "{"}[char]
            scanner.report(
                "E011",
                f"`{char}` closes nothing",
                span,
                f"take it away, or put the `{opener}` where it should begin",
            )
        elif char == ",":
            scanner.report(
                "E016",
                "`,` stands between items, which only spaces separate",
                span,
                "leave it out",
                fixes=(Fix(span, "" if text[pos + 1] == " " else " ", True),),
            )
        elif char == "+":
            scanner.report("E016", "`+` adds branches only inside round brackets", span, "write `(a + b)`")
        elif char == "|":
            scanner.report("E016", "`|` parts branches only inside square brackets", span, "write `[a | b]`")
        elif char == "{":
            end = text.find("}", pos, pos + 64) + 1
            scanner.pos = end or pos + 1
            scanner.report(
                "E016",
                "an expression in braces stands alone",
                Span(pos, scanner.pos),
                "glue it to a layer, as in `C3D{n}`, or to a `*`",
            )
        elif char == ":":
            scanner.report("E016", "`:` stands in the middle of a series", span, "begin the statement on a new line")
        else:
            scanner.report(
                "E016",
                f"`{char}` cannot begin a layer",
                span,
                "a layer begins with a capital letter, a word or a block with a small one",
            )


# Beyond this, what follows a layer is no suffix that slipped away; it also bounds the work on hostile input.
_LONGEST_TAIL = 64
# Suffixes that, with a space before them, look like words.
_SMALL = frozenset(("gap", "gmp", "lrn", "dw", "fc"))
_LOOSE = _SMALL | {"ceil", "floor", "exact", "psame", "pvalid", "phalf", "pfull"}


def _in_capitals(name: str) -> str | None:
    """The layer that a word of small letters and digits spells, if it does: `c3d64`, `conv3d64`, `fc10`."""
    name = name.replace("conv", "c", 1) if name.startswith("conv") else name
    for mnemonic in sorted((*MNEMONICS, "P"), key=len, reverse=True):
        if name.startswith(mnemonic.lower()):
            rest = name[len(mnemonic) :]
            plain = mnemonic + rest.replace("d", "D", 1)
            if rest and layers_in(plain) == 1:
                return plain
    return None


def _plain_spelling(layer: Layer) -> str:
    """What an alias stands for, for a help line: the formatter is not imported for specs without errors."""
    from convsize.language.formatter import expr_text, layer_text

    return layer_text(layer, lambda expr: expr_text(expr) if type(expr) is Num else f"{{{expr_text(expr)}}}")


def _defined(text: str) -> frozenset[str]:
    """The names that a cleaned text gives to blocks and values; blocks hold before they are read, too."""
    names = set()
    before = ""
    for word in text.split():
        if before in ("def", "as"):
            end = 0
            while end < len(word) and word[end] in IDENTIFIER:
                end += 1
            names.add(word[:end])
        before = word
    return frozenset(names)

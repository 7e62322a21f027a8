"""Text to tree: `parse` reads a whole spec, `parse_layer` a single layer token."""

from __future__ import annotations

from collections.abc import Callable

from convsize.errors import Diagnostic, Fix, Source, Span
from convsize.language.expectations import read_expect
from convsize.language.expressions import arguments, expression, tap
from convsize.language.layers import layers_in
from convsize.language.mistakes.series import KNOWN, stray_character
from convsize.language.mnemonics import MNEMONICS
from convsize.language.scanner import (
    DIGITS,
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
from convsize.language.series import SeriesReader, layer_at
from convsize.language.statements import malformed, read_colon, read_name
from convsize.language.tree import (
    Call,
    DefaultStmt,
    DefStmt,
    Expr,
    File,
    HeadStmt,
    Ident,
    InputStmt,
    Layer,
    LetStmt,
    Param,
    Series,
    Stmt,
    TrunkStmt,
)
from convsize.language.volumes import read_volume
from convsize.words import nearest, plural


def parse(source: Source) -> tuple[File, tuple[Diagnostic, ...]]:
    """The tree of a spec and what is wrong with it, in the order of the text.

    After an error the tree holds what could be read; it is complete only where there is no diagnostic.
    """
    text = source.text
    if len(text) > MAX_FILE:
        found = Diagnostic(
            "E018",
            "error",
            f"this file has {plural(len(text), 'character')}, and a spec may have {MAX_FILE:,}",
            Span(0, 1),
            "blocks (`def`) and repeats (`*12`) keep large networks short",
        )
        return File(source, (), ()), (found,)
    cleaned, comments = clean(text)
    parser = _Parser(cleaned, text)
    parser.file()
    diagnostics = sorted(parser.scanner.diagnostics, key=lambda diagnostic: diagnostic.span.start)
    if diagnostics:
        from convsize.language.mistakes.pasted import pasted

        # One message says more than one for every line of what is no spec at all.
        whole = pasted(text)
        diagnostics = diagnostics if whole is None else [whole]
    return File(source, tuple(parser.statements), comments), tuple(diagnostics)


def parse_layer(text: str, offset: int) -> Layer | None:
    """The layer that a text consists of, its spans moved by `offset`; None where the text is anything else."""
    if not text or text[0] not in UPPER:
        return None
    scanner = Scanner(" " * offset + text + "\n", offset, trial=True)
    try:
        layer = layer_at(scanner)
    except (Skip, Stop):
        return None
    return layer if scanner.pos == scanner.end else None


class _Parser:
    """Recursive descent over the statements; what they are made of has readers of its own."""

    __slots__ = ("original", "reader", "scanner", "statements", "text", "trunk")

    def __init__(self, text: str, original: str) -> None:
        self.text = text
        self.original = original
        self.scanner = Scanner(text)
        self.reader = SeriesReader(self.scanner)
        self.statements: list[Stmt] = []
        self.trunk = False

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
                self.reader.params = frozenset()
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
        for layer in self.reader.sizeless:
            if layer.mnemonic not in given:
                facts = MNEMONICS[layer.mnemonic]
                example = {"FC": "FC1000", "GN": "GN32", "T": "T2D64/2"}[layer.mnemonic]
                self.scanner.report(
                    "E101",
                    f"{facts.what} needs its {facts.counts}",
                    layer.span,
                    f"write it directly after `{layer.mnemonic}`, as in `{example}`",
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
                "def": lambda at: self.define(at, "def"),
                "shared": lambda at: self.define(at, "shared"),
                "head": self.head,
                "expect": lambda at: read_expect(scanner, at),
            }
            stmt = readers[word](start)
            self.end_of_statement(word)
            return (stmt,)
        if word:
            self.misspelt(word)
        first = not self.trunk
        self.trunk = True
        series = self.reader.series(top=True, first=first)
        return () if series is None else (TrunkStmt(series, series.span),)

    def end_of_statement(self, word: str) -> None:
        scanner = self.scanner
        text_end = scanner.pos
        if scanner.skip() != "\n" and self.text[scanner.pos - 1] != "\n":
            what = scanner.word_at(scanner.pos) or self.text[scanner.pos]
            span = Span(scanner.pos, scanner.pos + len(what))
            if what[0] not in KNOWN:
                stray_character(scanner)
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
                    f"`{what}` follows the end of the `{word}` statement",
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
        near = nearest(word, sorted(STATEMENTS))
        scanner.report(
            "E017",
            f"`{word}:` is not a statement",
            span,
            f"write `{near}`" if near else "the statements are input, default, let, def, shared, head and expect",
            fixes=(Fix(span, near, word.lower().rstrip("s") == near),) if near else (),
        )
        raise Skip

    def input(self, start: int) -> InputStmt:
        scanner = self.scanner
        name = None
        example = "input: 3@224x224"
        if scanner.skip() != ":":
            if scanner.text[scanner.pos] not in LOWER | UPPER:
                read_colon(scanner, "input", example, start)
            name = read_name(scanner, "input", "input left: 3@224x224")
        read_colon(scanner, "input", example, start)
        char = scanner.skip()
        if char == "\n":
            malformed(scanner, "this `input` has no volume", f"write it as in `{example}`", Span(start, start + 5))
        if char not in DIGITS:
            malformed(scanner, "an input's volume is written in plain numbers", f"write it as in `{example}`")
        volume = read_volume(scanner)
        if volume is None:
            number = scanner.integer()
            malformed(
                scanner,
                f"`{number.span.of(self.text)}` alone is not a volume",
                f"write the depth, `@` and the extents; a flat input of {number.value} is `{number.value}@1`",
                number.span,
            )
        return InputStmt(name, volume, Span(start, scanner.pos))

    def default(self, start: int) -> DefaultStmt:
        scanner = self.scanner
        example = "default: Cb0 M3/2"
        read_colon(scanner, "default", example, start)
        layers: list[Layer] = []
        words: list[Call] = []
        end = start
        while True:
            char = scanner.skip()
            at = scanner.pos
            if char in UPPER:
                try:
                    layers.append(layer_at(scanner))
                except Skip:
                    scanner.recover(at, 0)
                    layers.append(Layer("R", Span(at, scanner.pos)))
            elif char in LOWER and self.text[scanner.run(at)] == "(" and scanner.word_at(at) not in KEYWORDS:
                name = scanner.ident()
                words.append(Call(name, arguments(scanner), Span(at, scanner.pos)))
            else:
                break
            end = scanner.pos
        if end == start:
            malformed(scanner, "this `default` names no layer", f"write it as in `{example}`", Span(start, start + 7))
        return DefaultStmt(tuple(layers), tuple(words), Span(start, end))

    def let(self, start: int) -> LetStmt:
        scanner = self.scanner
        example = "let N=2, M=3"
        bindings: list[tuple[Ident, Expr]] = []
        others: list[tuple[Expr, ...]] = []
        while True:
            name = read_name(scanner, "let", example, capital=True)
            if scanner.skip() != "=":
                malformed(scanner, f"`{name.name}` has no value", f"write it as in `{example}`", name.span)
            scanner.pos += 1
            (first, *more), end = self.choices()
            bindings.append((name, first))
            others.append(tuple(more))
            if scanner.skip() != ",":
                return LetStmt(tuple(bindings), tuple(others), Span(start, end))
            scanner.pos += 1

    def choices(self) -> tuple[list[Expr], int]:
        """The value of a constant, or the values in `[16,32,64]`, and where that ends."""
        scanner = self.scanner
        if scanner.skip() != "[":
            value = expression(scanner)
            return [value], value.span.end
        scanner.open()
        found = [expression(scanner)]
        while scanner.skip() == ",":
            scanner.pos += 1
            found.append(expression(scanner))
        if not scanner.close():
            raise Skip
        return found, scanner.pos

    def define(self, start: int, word: str) -> DefStmt:
        scanner = self.scanner
        example = f"{word} block(d, s=1): C3D{{d}}/{{s}} R"
        name = read_name(scanner, word, example)
        params: list[Param] = []
        if self.text[scanner.pos] == "(":
            scanner.open()
            while scanner.skip() != ")" or params:
                param = read_name(scanner, word, example, capital=True)
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
            malformed(
                scanner,
                f"there is a space between `{name.name}` and its bracket",
                f"write `{word} {name.name}(`",
                Span(name.span.start, scanner.pos + 1),
            )
        self.reader.params = frozenset(param.name.name for param in params)
        read_colon(scanner, word, f"{word} {name.name}: C3D64 R", start)
        body = self.body(word, start)
        return DefStmt(name, tuple(params), body, Span(start, body.span.end), word == "shared")

    def head(self, start: int) -> HeadStmt:
        scanner = self.scanner
        name = read_name(scanner, "head", "head aux @stem: GAP FC10")
        origin = tap(scanner) if scanner.skip() == "@" else None
        read_colon(scanner, "head", f"head {name.name} @stem: GAP FC10", start)
        body = self.body("head", start)
        return HeadStmt(name, origin, body, Span(start, body.span.end))

    def body(self, word: str, start: int) -> Series:
        scanner = self.scanner
        found = len(scanner.diagnostics)
        series = self.reader.series(top=True)
        if series is None:
            if len(scanner.diagnostics) == found:
                malformed(
                    scanner,
                    f"this `{word}` has no layers",
                    "write them after the colon, or indented on the next line",
                    Span(start, start + len(word)),
                )
            raise Skip
        return series

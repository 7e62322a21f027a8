"""Reading a series: the items of a trunk, a block, a head or a branch."""

from __future__ import annotations

from convsize.errors import Fix, Span
from convsize.language.expressions import arguments, expression, tap
from convsize.language.layers import Misread, fits, layers_in, read_layer
from convsize.language.mistakes import series as wrong
from convsize.language.mnemonics import FILLS, MNEMONICS
from convsize.language.scanner import (
    DIGITS,
    IDENTIFIER,
    KEYWORDS,
    LOWER,
    STATEMENTS,
    UPPER,
    Scanner,
    Skip,
    defined_names,
)
from convsize.language.tree import (
    Atom,
    Call,
    Expr,
    Group,
    GroupKind,
    Ident,
    Identity,
    Item,
    Layer,
    Name,
    Series,
    Volume,
)
from convsize.language.volumes import read_volume

_SIZED = frozenset(name for name, facts in MNEMONICS.items() if facts.size == "required")
_KINDS: dict[str, GroupKind] = {"+": "sum", "-": "difference", "*": "gate", "/": "quotient", "|": "concat"}
_PARTED = " \t\n#)"
"""What stands after a `-` or a `/` that is an operator: an arrow and a stride have none of it."""
# Layers in small letters, and suffixes that, with a space before them, look like words.
_LOOSE = wrong.SMALL | {"ceil", "floor", "exact", "psame", "pvalid", "phalf", "pfull"} | {f"p{fill}" for fill in FILLS}


def layer_at(scanner: Scanner) -> Layer:
    """The layer at the cursor, with everything that is wrong with it reported. Raises Skip where there is none.

    A spec without mistakes never imports their messages.
    """
    try:
        layer = read_layer(scanner)
    except Misread as error:
        from convsize.language.mistakes import layers

        layers.misread(scanner, error)
    if not fits(layer):
        from convsize.language.mistakes import layers

        layers.check(scanner, layer)
    return layer


class SeriesReader:
    """Recursive descent over series and groups; layers, volumes and expressions have readers of their own.

    params: the names that the block being read gives to its arguments. sizeless: layers that need a size and have none.
    """

    __slots__ = ("defined", "params", "scanner", "sizeless", "text")

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.text = scanner.text
        self.params: frozenset[str] = frozenset()
        self.sizeless: list[Layer] = []
        self.defined: frozenset[str] | None = None

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
                        self.part(items)
                        continue
                    if first and not items and char == "I" and scanner.word_at(start) == "INPUT":
                        scanner.pos = start + 5
                        first = False
                        if scanner.skip() == "-" and text[scanner.pos + 1] == ">":
                            scanner.pos += 2
                        continue
                    layer = layer_at(scanner)
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
                    if text[start + 1] in DIGITS and items and items[-1].span.end == start:
                        before = items[-1].atom
                        if type(before) is Layer and self.bracketed(before):
                            continue
                    atom = self.group(start)
                elif char in DIGITS:
                    number = self.number(items)
                    if number is None:
                        continue
                    atom = number
                elif char == "@":
                    atom = tap(scanner)
                elif char == "\n":
                    break  # inside brackets, only where the file ends
                elif char == "-" and text[start + 1] == ">":
                    if not items or arrow is not None:
                        wrong.useless_arrow(scanner, start)
                    arrow = Span(start, start + 2)
                    scanner.pos = start + 2
                    continue
                elif not top and (char in ")]+|}" or (char in "-/" and self.divides(start))):
                    break
                elif char == "*":
                    if wrong.loose_star(scanner, items, top):
                        continue
                    break
                elif char == "/":
                    self.part(items)
                    continue
                else:
                    wrong.stray(scanner, char)
                    continue
                end = atom.span.end
                repeat: Expr | None = None
                index: Ident | None = None
                names: tuple[Ident, ...] = ()
                char = text[scanner.pos]
                if char not in UPPER:
                    if char == "*":
                        repeat, index = self.repeat()
                        end = scanner.pos if repeat is not None else end
                    if scanner.skip() == "a" and scanner.word_at(scanner.pos) == "as":
                        names = self.names()
                        end = names[-1].span.end
            except Skip:
                scanner.recover(start, depth)
                if text[scanner.pos] == "*" and text[scanner.pos + 1] in DIGITS and scanner.pos > start:
                    scanner.pos = scanner.run(scanner.pos + 1)  # the repeat of what could not be read
                # What could not be read stands in the tree as an item, so that its branch is not also called empty.
                items.append(Item(Identity(Span(start, scanner.pos)), None, (), Span(start, scanner.pos)))
                arrow = None
                continue
            arrow = None
            items.append(Item(atom, repeat, names, Span(start, end), index))
        if arrow is not None and items:
            wrong.useless_arrow(scanner, arrow.start)
        if not items:
            return None
        return Series(tuple(items), Span(items[0].span.start, items[-1].span.end))

    def repeat(self) -> tuple[Expr | None, Ident | None]:
        """The count of the repeat at the cursor and its index; no count where its `*` is the gate operator."""
        scanner, text = self.scanner, self.text
        star = scanner.pos
        char = text[star + 1]
        if char in DIGITS:
            scanner.pos = star + 1
            count: Expr = scanner.integer()
            if text[scanner.pos] in LOWER or text[scanner.pos] == "@":
                wrong.glued_to_repeat(scanner, star)
            return count, None
        if char == "{":
            scanner.pos = star + 1
            scanner.open()
            count = expression(scanner)
            index = None
            if scanner.skip() == ",":
                scanner.pos += 1
                index = self.index()
            if not scanner.close():
                raise Skip
            return count, index
        if char in UPPER and text[star + 2] not in IDENTIFIER:
            scanner.pos = star + 2
            return Name(char, Span(star + 1, star + 2)), None
        return None, None

    def index(self) -> Ident:
        """The name after the comma of a repeat. Raises Skip where there is none."""
        scanner = self.scanner
        char = scanner.skip()
        if char not in LOWER and char not in UPPER:
            scanner.report(
                "E016",
                "a name is needed here: the index of the repeat",
                scanner.here(),
                "write it as in `*{10, i}`; inside the repeat `i` is 0, 1, …, 9",
            )
            raise Skip
        return scanner.ident()

    def names(self) -> tuple[Ident, ...]:
        """The names after `as`, the cursor standing on it."""
        scanner = self.scanner
        found: list[Ident] = []
        scanner.pos += 2
        while True:
            char = scanner.skip()
            if char not in LOWER or scanner.word_at(scanner.pos) in KEYWORDS:
                wrong.no_name(scanner)
            found.append(scanner.ident())
            if scanner.skip() != ",":
                return tuple(found)
            scanner.pos += 1

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
                wrong.empty_branch(scanner, opener, char, first or (char if char in _KINDS else ""))
            if char not in _KINDS or (char in "-/" and not self.divides(scanner.pos)):
                break
            span = Span(scanner.pos, scanner.pos + 1)
            if not first:
                first, first_at = char, scanner.pos
                if (char == "|") != (opener == "["):
                    wrong.wrong_bracket(scanner, opener, char, span)
            elif char != first:
                wrong.mixed(scanner, first, first_at, char)
            scanner.pos += 1
        scanner.close()
        kind: GroupKind = _KINDS[first] if first else "series"
        return Group("split" if split else kind, tuple(branches), Span(start, scanner.pos))

    def divides(self, at: int) -> bool:
        """Whether a `-` or a `/` in brackets is an operator between branches; `C3 / 2` means a stride."""
        text = self.text
        if text[at + 1] not in _PARTED:
            return False
        behind = at + 1
        while text[behind] in " \t":
            behind += 1
        return text[at] == "-" or text[behind] not in DIGITS

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
            found = len(scanner.diagnostics)
            try:
                args = arguments(scanner)
            except Skip:
                self.call_of_another_library(name, start, found)
                raise
            return Call(Ident(name, Span(start, end)), args, Span(start, scanner.pos))
        if name == "x":
            scanner.pos = end
            return Identity(Span(start, end))
        if char == "." and text[end + 1] in IDENTIFIER:
            self.call_of_another_library(name, start, len(scanner.diagnostics))
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

    def call_of_another_library(self, name: str, start: int, found: int) -> None:
        """E002 for `nn.ReLU()` and `conv2d(3, 64, 3, padding='same')`, in place of what was found in their brackets.

        found: how many errors there were before. Raises Skip where it is such a call.
        """
        if self.is_defined(name):
            return
        from convsize.language.mistakes import layers

        scanner = self.scanner
        held = scanner.diagnostics[found:]
        del scanner.diagnostics[found:]
        if layers.dotted_or_called(scanner, start):
            raise Skip
        scanner.diagnostics += held

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
            wrong.small_layer(scanner, start, after, plain)
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
                f"put a space after it, or write it `{plain}`",
                fixes=(Fix(Span(start, after), plain, True),),
            )
            raise Skip
        parts = (("size", kernel.span), ("D", Span(end, after)))
        return Layer("C", Span(start, after), (kernel,), depth, suffixes=parts)

    def is_defined(self, name: str) -> bool:
        """Whether the spec gives a name a meaning of its own, so that it is no misspelt layer."""
        if self.defined is None:
            self.defined = defined_names(self.text)
        return name in self.params or name in self.defined

    def keyword(self, name: str, start: int) -> Group | None:
        """`split[…]`; None where a statement begins (cursor unmoved)."""
        scanner = self.scanner
        end = start + len(name)
        if name in STATEMENTS and start > 0 and self.text[start - 1] == "\n":
            return None
        scanner.pos = end
        if name != "split" or scanner.skip() != "[":
            wrong.misplaced_keyword(scanner, name, Span(start, end))
        return self.group(start, split=True)

    def number(self, items: list[Item]) -> Volume | None:
        """The volume at the cursor; None after an error was reported for a number that stands alone."""
        scanner = self.scanner
        if self.joins(items, scanner.pos):
            return None
        found = read_volume(scanner)
        if found is None:
            wrong.lone_number(scanner)
        return found

    # ---- what may belong to the layer before it ---------------------------------------------------------------------

    def joins(self, items: list[Item], start: int) -> bool:
        """E007 where the text at `start` is the rest of the layer before it; whether it is."""
        if not items or type(items[-1].atom) is not Layer or items[-1].repeat is not None or items[-1].names:
            return False
        layer = items[-1].atom
        end = layer.span.end
        if end == start or self.text[end:start].strip(" ") or not wrong.parted(self.scanner, layer, start):
            return False
        self.forget(layer)
        return True

    def bracketed(self, layer: Layer) -> bool:
        """E003 for `FC(10)` and `C3(64)`; whether the bracket at the cursor is such a one."""
        if not wrong.bracketed(self.scanner, layer):
            return False
        self.forget(layer)
        return True

    def forget(self, layer: Layer) -> None:
        """Its size may be what was written wrong: it is not called missing as well."""
        if self.sizeless and self.sizeless[-1] is layer:
            self.sizeless.pop()

    def part(self, items: list[Item]) -> None:
        """A suffix where an item should begin."""
        if not self.joins(items, self.scanner.pos):
            wrong.stray_part(self.scanner)

    def loose_word(self, items: list[Item], name: str) -> bool:
        """E007 and E014 for a word that looks like a suffix or a layer in small letters; whether it is one."""
        start = self.scanner.pos
        if self.joins(items, start):
            return True
        plain = wrong.in_capitals(name)
        if plain is None:
            return False
        wrong.small_layer(self.scanner, start, start + len(name), plain)
        raise Skip

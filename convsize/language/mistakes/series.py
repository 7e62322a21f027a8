"""What is wrong where a series holds something that cannot stand there, and what was probably meant."""

from __future__ import annotations

from typing import NoReturn

from convsize.errors import Fix, Label, Span
from convsize.language.layers import layers_in
from convsize.language.mnemonics import MNEMONICS, SINGLE, WHOLE_WORDS
from convsize.language.scanner import DIGITS, IDENTIFIER, KEYWORDS, LOWER, UPPER, Scanner, Skip
from convsize.language.tree import Item, Layer, Num

# Every character that has a meaning somewhere.
KNOWN = IDENTIFIER | frozenset("()[]{}|+*/@:,=<>~%.-")
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
# Layers whose names, in small letters, look like words.
SMALL = frozenset(("gap", "gmp", "lrn", "dw", "fc"))
# Beyond this, what follows a layer is no suffix that slipped away; it also bounds the work on hostile input.
_LONGEST_TAIL = 64
_LARGEST_WINDOW = 11


def empty_branch(scanner: Scanner, opener: str, char: str, op: str) -> None:
    """E009 for the branch before `char`, of a group whose branches `op` parts, if anything does."""
    span = Span(scanner.pos, scanner.pos + 1)
    if not op:
        scanner.report("E009", "these brackets are empty", span, "put layers in, or remove them")
        return
    sample = f"[C3D64 {op} x]" if opener == "[" else f"(C3D64 {op} x)"
    scanner.report(
        "E009",
        f"the branch before this `{char}` is empty",
        span,
        f"write `x` where the value should pass unchanged, as in `{sample}`",
    )


def wrong_bracket(scanner: Scanner, opener: str, char: str, span: Span) -> None:
    """E016 for an operator in brackets of the other kind."""
    if char == "|":
        text = "`|` puts branches side by side in square brackets, but these are round"
        hint = "write `[a | b]`"
    else:
        does = {"+": "adds", "-": "subtracts", "*": "multiplies", "/": "divides"}[char] + " branches"
        text = f"`{char}` {does} in round brackets, but these are square"
        hint = f"write `(a {char} b)`"
    at = scanner.opens[-1][1]
    scanner.report("E016", text, span, hint, labels=(Label(Span(at, at + 1), f"`{opener}` is opened here"),))


def small_layer(scanner: Scanner, start: int, end: int, plain: str) -> None:
    """E014; the cursor goes on after the word."""
    scanner.report(
        "E014",
        f"`{scanner.text[start:end]}` is written in small letters, and a layer in capitals",
        Span(start, end),
        f"write `{plain}`",
        # `conv1` is what other tools call their first convolution: only the letters' case is spelling.
        fixes=(Fix(Span(start, end), plain, scanner.text[start:end].lower() == plain.lower()),),
    )
    scanner.pos = end


def bracketed(scanner: Scanner, layer: Layer) -> bool:
    """E003 for `FC(10)` and `C3(64)`; whether the bracket at the cursor is such a one."""
    text = scanner.text
    start = scanner.pos
    end = scanner.behind_brackets(start)
    number = text[start + 1 : end - 1]
    if not all(char in "0123456789,x. " for char in number):
        return False
    written = layer.span.of(text)
    better = f"{written}{number}" if layers_in(written + number) == 1 and layer.size is None else "C3D64/2"
    scanner.pos = end
    scanner.report(
        "E003",
        f"brackets are glued to the layer `{written}`",
        Span(start, end),
        f"a layer's numbers follow its letters directly, as in `{better}`",
    )
    return True


def stray_part(scanner: Scanner) -> None:
    """A suffix where an item should begin."""
    text = scanner.text
    start = scanner.pos
    if text[start] == "D":
        from convsize.language.mistakes.layers import dropout

        if dropout(scanner, start):
            return
    end = start + 1
    while text[end] not in " \n()[]|+*,":
        end += 1
    written = text[start:end]
    scanner.pos = end
    if written == "/" and text[end : end + 64].lstrip(" ")[:1] not in DIGITS:
        text = "`/` divides branches only inside round brackets, with spaces"
        scanner.report("E016", text, Span(start, end), "write `(a / b)`")
        return
    what = "a depth" if written[0] == "D" else "a stride"
    scanner.report(
        "E016",
        f"`{written}` is {what}, but its layer is missing",
        Span(start, end),
        f"glue it to its layer, as in `C3{written}`",
    )


def parted(scanner: Scanner, layer: Layer, start: int) -> bool:
    """E007 where the text at `start` is the rest of the layer, a space between them; whether it is."""
    text = scanner.text
    shown = joined = layer.span.of(text)
    if shown[0] in LOWER or "-" in shown or shown in WHOLE_WORDS:
        joined = _plain_spelling(layer)
    written = joined
    end = start
    sure = True
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
        if piece.isdigit() and joined[-1] in UPPER and MNEMONICS[layer.mnemonic].size != "required":
            # `M 2` may be a pool of 2; `M 128` is none, but a depth on its own, as lists of depths have them.
            if int(piece[:4]) > _LARGEST_WINDOW:
                break
            sure = False
        joined += piece
        shown += " " + piece
        end = stop
        start = stop
        while text[start] == " ":
            start += 1
    if joined == written:
        return False
    scanner.pos = end
    span = Span(layer.span.start, end)
    scanner.report(
        "E007",
        f"a layer is written without spaces, unlike `{shown}`",
        span,
        f"write `{joined}`",
        fixes=(Fix(span, joined, sure),),
    )
    return True


def loose_star(scanner: Scanner, items: list[Item], top: bool) -> bool:
    """E015 and its kin for a `*` that is no repeat; False where it is the gate operator."""
    text = scanner.text
    star = scanner.pos
    scanner.pos = star + 1
    char = scanner.skip()
    pos = scanner.pos
    end = scanner.run(pos)
    if char == "{":
        closed = text.find("}", pos, pos + 24)
        end = closed + 1 or pos + 1
    count = text[pos:end] if end > pos + 1 or char != "{" else "{n}"
    before = items[-1].span.of(text) if items else ""
    if not before or len(before) > 24 or "\n" in before:
        before = "(C3D64 R)"
    named = char in UPPER and end == pos + 1 and char not in SINGLE
    if char == "{" or (char in DIGITS and text[end] != "@") or named:
        scanner.pos = end
        span = Span(star, end)
        parted = text[items[-1].span.end : star] if items else ""
        if not items or parted.strip():
            scanner.report(
                "E016", f"there is nothing before `*{count}` to repeat", span, f"write it as in `{before}*{count}`"
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
                f"a space separates the repeat `*{count}` from what it repeats",
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
            f"`*{count}` needs braces around the name",
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


def useless_arrow(scanner: Scanner, start: int) -> None:
    """E016 for an arrow that joins nothing."""
    scanner.report(
        "E016",
        "`->` must be between two items, but one of them is missing",
        Span(start, start + 2),
        "remove it; to continue a line, indent the next one",
        fixes=(Fix(Span(start, start + 2), "", True),),
    )


def stray_character(scanner: Scanner) -> None:
    """E001, once for a run of the same kind."""
    text = scanner.text
    start = scanner.pos
    char = text[start]
    end = start + 1
    while text[end] == char or (char not in _MEANT and text[end] not in KNOWN and text[end] not in " \n"):
        end += 1
    scanner.pos = end
    span = Span(start, end)
    shown = text[start : min(end, start + 8)]
    if char.isprintable():
        message = f"`{shown}` means nothing in a spec"
    elif char in _MEANT:
        message = f"there is an unusual space (U+{ord(char):04X}) here"
    else:
        message = f"there is a control character (U+{ord(char):04X}) here"
    fixes: tuple[Fix, ...] = ()
    hint = "take it away"
    if char in _MEANT:
        meant = _MEANT[char] * (end - start)
        if not meant and start and text[start - 1] in IDENTIFIER and text[end] in IDENTIFIER:
            meant = " "  # what it parts stays two
        fixes = (Fix(span, meant, True),)
        if not _MEANT[char]:
            hint = "remove it; spaces separate items, and line breaks separate statements"
        else:
            hint = "write a plain space" if meant.isspace() else f"write `{meant}`"
    elif char == "×":
        hint, fixes = _times(scanner, start, end)
    elif char == "?":
        hint = "nothing in a spec is optional: keep the item, or remove it"
    elif char == "^":
        hint = "a repeat is written `*3`"
    scanner.report("E001", message, span, hint, fixes=fixes)


def _times(scanner: Scanner, start: int, end: int) -> tuple[str, tuple[Fix, ...]]:
    """Help for a multiplication sign: between sizes (`C3×3`) it is an x, before a number (`R ×2`) a repeat."""
    text = scanner.text
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


def stray(scanner: Scanner, char: str) -> None:
    """A character that cannot begin an item."""
    text = scanner.text
    pos = scanner.pos
    span = Span(pos, pos + 1)
    if char not in KNOWN:
        stray_character(scanner)
        return
    scanner.pos = pos + 1
    if char in ")]}":
        opener = {")": "(", "]": "[", "}": "{"}[char]
        scanner.report(
            "E011",
            f"`{char}` closes nothing",
            span,
            f"remove it, or put the `{opener}` where it should start",
        )
    elif char == ",":
        scanner.report(
            "E016",
            "`,` cannot separate items; spaces do",
            span,
            "leave it out",
            fixes=(Fix(span, "" if text[pos + 1] == " " else " ", True),),
        )
    elif char == "+":
        scanner.report("E016", "`+` adds branches only inside round brackets", span, "write `(a + b)`")
    elif char == "-" and text[pos - 1 : pos] == " ":
        scanner.report(
            "E016", "`-` subtracts branches only inside round brackets, with spaces", span, "write `(a - b)`"
        )
    elif char == "|":
        scanner.report("E016", "`|` separates branches only inside square brackets", span, "write `[a | b]`")
    elif char == "{":
        end = text.find("}", pos, pos + 64) + 1
        scanner.pos = end or pos + 1
        scanner.report(
            "E016",
            "an expression in braces cannot stand alone",
            Span(pos, scanner.pos),
            "glue it to a layer, as in `C3D{n}`, or to a `*`",
        )
    elif char == ":":
        scanner.report("E016", "there is a `:` in the middle of a series", span, "begin the statement on a new line")
    else:
        scanner.report(
            "E016",
            f"`{char}` cannot begin a layer",
            span,
            "a layer begins with a capital letter, a word or a block with a small one",
        )


def mixed(scanner: Scanner, first: str, first_at: int, char: str) -> None:
    """E010 for the operator at the cursor, in a group that another one, at `first_at`, has begun."""
    inner = f"(a {first} b)" if first != "|" else "[a | b]"
    outer = f"({inner} {char} c)" if char != "|" else f"[{inner} | c]"
    scanner.report(
        "E010",
        f"`{first}` and `{char}` are mixed in one group",
        Span(scanner.pos, scanner.pos + 1),
        f"put brackets around one of them, as in `{outer}`",
        labels=(Label(Span(first_at, first_at + 1), f"the group begins with `{first}`"),),
    )


def misplaced_keyword(scanner: Scanner, name: str, span: Span) -> NoReturn:
    """E016 for a word of the language, the cursor after it, that has no meaning where it stands. Raises Skip."""
    if name == "split":
        scanner.report("E016", "`split` has no brackets", span, "write its branches: `split[C3D64 | x]`")
    elif name == "as":
        scanner.report(
            "E016",
            "`as` names the value before it, but there is none",
            span,
            "put it after a layer or a bracket, as in `C3D64 as stem`",
        )
        if scanner.skip() in LOWER:
            scanner.ident()
    else:
        scanner.report(
            "E016",
            f"`{name}` begins a statement and cannot be part of a series",
            span,
            "put it at the beginning of a line, without indentation",
        )
        # What follows belongs to the statement, not to the series.
        while scanner.text[scanner.pos] not in "\n)]|":
            scanner.pos += 1
    raise Skip


def lone_number(scanner: Scanner) -> None:
    """E016 for the number at the cursor, and for those right after it: a list of depths is one mistake."""
    text = scanner.text
    start = scanner.pos
    scanner.integer()
    end = scanner.run(scanner.pos)
    written = text[start:end]
    help_text = "a layer begins with a capital letter, as in `C3D64`"
    if text[end] == "*":
        help_text = f"a repeat follows what it repeats: `(C3D64 R)*{written}`"
    elif written.isdigit():
        help_text = f"a convolution of depth {written} is `CkD{written}`, with its kernel k"
    elif layers_in("C" + written):
        help_text = f"a convolution begins with its letter: `C{written}`"
    scanner.pos = end + (text[end] == "*")
    scanner.report("E016", f"`{written}` is only a number, which is not a layer", Span(start, end), help_text)
    while written.isdigit() and text[end] == " ":
        while text[end] == " ":
            end += 1
        number = end
        while text[end] in DIGITS:
            end += 1
        if end == number or text[end] not in " \n":
            break
        scanner.pos = end


def glued_to_repeat(scanner: Scanner, star: int) -> None:
    """E016 for the name or the tap at the cursor, glued to the repeat that begins at `star`."""
    text = scanner.text
    start = scanner.pos
    end = scanner.run(start + 1)
    glued = text[start:end]
    scanner.report(
        "E016",
        f"`{glued}` is glued to the repeat `{text[star:start]}`",
        Span(start, end),
        f"put a space before `{glued}`",
        fixes=(Fix(Span(start, start), " ", True),),
    )
    scanner.pos = end


def no_name(scanner: Scanner) -> NoReturn:
    """E016 for what stands after `as`, at the cursor, and cannot name a value. Raises Skip."""
    pos = scanner.pos
    char = scanner.text[pos]
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
    else:
        scanner.report(
            "E016",
            "a name is missing after `as`",
            scanner.here(),
            "write one in small letters, as in `C3D64 as stem`",
        )
    raise Skip


def in_capitals(name: str) -> str | None:
    """The layer that a word of small letters and digits spells, if it does: `c3d64`, `conv3d64`, `gap`."""
    if name in SMALL:
        return name.upper()
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

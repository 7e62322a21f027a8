"""What is wrong with a layer token, and what was probably meant."""

from __future__ import annotations

from typing import NoReturn

from convsize.errors import Fix, Label, Span
from convsize.language.layers import NUMBER, Misread, dilation_for_depth, layers_in
from convsize.language.mistakes import foreign
from convsize.language.mistakes.libraries.names import ENTRIES, LIBRARIES, SHARED
from convsize.language.mnemonics import FILLED, FILLS, MNEMONICS, PAD_MODES, ROUNDINGS, SAMPLES, SINGLE, SUFFIXES
from convsize.language.scanner import DIGITS, IDENTIFIER, LOWER, UPPER, Scanner, Skip, Stop, defined_names
from convsize.language.tree import Layer
from convsize.words import did_you_mean, nearest


def misread(scanner: Scanner, error: Misread) -> NoReturn:
    """Says why no layer could be read."""
    name, *rest = error.args
    if name == "unknown":
        unknown(scanner)
    if name == "lettered_pool":
        lettered_pool(scanner, *rest)
    if name == "lettered_norm":
        lettered_norm(scanner)
    bad_tail(scanner, *rest)


def check(scanner: Scanner, layer: Layer) -> None:
    """E005, E006 and E102: what can be said once the whole token is read."""
    facts = MNEMONICS[layer.mnemonic]
    seen: dict[str, Span] = {}
    for part, span in layer.suffixes:
        if part in seen or (facts.size == "none" if part == "size" else part not in facts.suffixes):
            suffix(scanner, layer, part, span, seen.get(part))
        seen[part] = span
    if layer.padding is not None and layer.padding.fill != "zeros" and layer.mnemonic not in FILLED:
        filled(scanner, layer, seen["p"])
    if dilation_for_depth(layer):
        small_letter(scanner, layer, seen["d"])


def suffix(scanner: Scanner, layer: Layer, part: str, span: Span, first: Span | None) -> None:
    """E005 for a suffix that is written a second time, E102 for one that the layer does not carry."""
    text = scanner.text
    what = MNEMONICS[layer.mnemonic].what
    token, written = layer.span.of(text), span.of(text)
    without = text[layer.span.start : span.start] + text[span.end : layer.span.end]
    if first is not None:
        before = first.of(text)
        scanner.report(
            "E005",
            f"the {SUFFIXES[part]} is written twice in `{token}`",
            span,
            f"once is enough: `{without}`" if before == written else f"keep one of `{before}` and `{written}`",
            labels=(Label(first, "it is here already"),),
            fixes=(Fix(span, "", before == written),),
        )
        return
    instead = f"leave it out: `{without}`"
    if part == "size":
        message = f"the `{written}` of `{token}` means nothing: {what} has no size"
        if token == "R6":
            instead += "; a ReLU that stops at 6 is `relu6`"
        elif layer.mnemonic == "R":
            instead += f"; {written} in a row are `R*{written}`"
    else:
        message = f"the {SUFFIXES[part]} `{written}` means nothing on {what}"
    scanner.report("E102", message, span, instead, fixes=(Fix(span, "", False),))


def filled(scanner: Scanner, layer: Layer, span: Span) -> None:
    """E102 for padding that is no zeros on a layer which has zeros alone."""
    assert layer.padding is not None
    fill, what = layer.padding.fill, MNEMONICS[layer.mnemonic].what
    message = f"the padding `{span.of(scanner.text)}` means nothing on {what}: it pads with zeros alone"
    scanner.report("E102", message, span, f"pad before it: `pad(1,{fill})`")


def small_letter(scanner: Scanner, layer: Layer, span: Span) -> None:
    """E006 for a dilation as large as a depth, where no depth is given."""
    text = scanner.text
    start, end = layer.span.start, layer.span.end
    number = text[span.start + 1 : span.end]
    head, tail = text[start : span.start], text[span.end : end]
    as_depth, as_dilation = f"D{number}", f"D{{c}}d{number}"
    scanner.report(
        "E006",
        f"`{text[start:end]}` asks for a dilation of {number} and gives no depth",
        span,
        f"write `{head}{as_depth}{tail}` for a depth of {number}, "
        f"or `{head}{as_dilation}{tail}` if the dilation is meant",
        fixes=(Fix(span, as_depth, False), Fix(span, as_dilation, False)),
    )


def bad_tail(scanner: Scanner, start: int, pos: int, mnemonic: str) -> NoReturn:
    """E003, E004 and their kin: what stands at `pos` cannot go on the layer begun at `start`."""
    if scanner.trial:
        raise Stop
    text = scanner.text
    facts = MNEMONICS[mnemonic]
    layer = text[start:pos]
    char = text[pos]
    end = pos
    while text[end] in LOWER:
        end += 1
    word = text[pos:end]
    whole_end = scanner.run(pos)
    whole = text[pos:whole_end]
    scanner.pos = max(whole_end, pos + 1)
    if char == ".":
        digits = text[pos : scanner.run(pos + 1)]
        begin = pos
        while text[begin - 1] in DIGITS:
            begin -= 1
        scanner.pos = scanner.run(pos + 1)
        scanner.report(
            "E016",
            f"a layer's numbers are whole, and `{text[begin:pos]}{digits}` is not",
            Span(begin, scanner.pos),
            f"write a whole number after `{text[start:begin]}`",
        )
    elif char == "-":
        while text[end := end + 1] in DIGITS:
            pass
        number = text[pos + 1 : end]
        # `C3-64` is the VGG paper's conv3-64 half translated.
        better = f"D{number}" if "D" in facts.suffixes and "D" not in layer else f"/{number}"
        scanner.report(
            "E004",
            f"`-{number}` is not part of a layer",
            Span(pos, end),
            f"a depth is written `D`, a stride `/`: `{layer}{better}`",
            fixes=(Fix(Span(pos, pos + 1), better[0], False),),
        )
    elif foreign_name(scanner, start):
        pass
    elif word in PAD_MODES.values():
        scanner.report(
            "E003",
            f"`{word}` is glued to the layer `{layer}`",
            Span(pos, end),
            f"a padding begins with `p`: `{layer}p{word}`",
            fixes=(Fix(Span(pos, pos), "p", True),),
        )
    elif len(word) > 1 and (layer[-1] not in UPPER or foreign.known(whole)) and (layer not in SINGLE):
        _report_word(scanner, mnemonic, layer, whole, Span(pos, whole_end))
    elif len(word) > 1:
        _report_unknown(scanner, start, whole_end)
    elif char in DIGITS:
        scanner.report(
            "E004",
            f"the number `{whole}` belongs to nothing in `{layer}{whole}`",
            Span(pos, whole_end),
            f"{_may_carry(mnemonic)}",
        )
    elif char in SUFFIXES:
        wanted = {
            "p": "a number or one of same, valid, half and full",
            "b": "0 or 1",
            "z": "0 or 1",
        }.get(char, "a number")
        scanner.report(
            "E004",
            f"the {SUFFIXES[char]} `{char}` of `{layer}{whole}` needs {wanted} after it",
            Span(pos, whole_end),
            f"write it as in `{layer}{SAMPLES[char]}`",
        )
    elif word == "s" and "/" in facts.suffixes and text[end] in NUMBER:
        scanner.report(
            "E004",
            f"there is no suffix `s` for `{layer}`",
            Span(pos, whole_end),
            f"a stride is written with a slash: `{layer}/{whole[1:]}`",
            fixes=(Fix(Span(pos, pos + 1), "/", True),),
        )
    else:
        scanner.report(
            "E004",
            f"there is no suffix `{word or char}` for `{layer}`",
            Span(pos, whole_end),
            _may_carry(mnemonic),
        )
    raise Skip


def _report_word(scanner: Scanner, mnemonic: str, layer: str, word: str, span: Span) -> None:
    """E003 for a layer or block that lacks its space, E004 for a word that is neither that nor a suffix."""
    defined = defined_names(scanner.text)
    if foreign.known(word) or word in defined:
        scanner.report(
            "E003",
            f"`{word}` is glued to the layer `{layer}`",
            span,
            f"put a space between them: `{layer} {word}`",
            fixes=(Fix(Span(span.start, span.start), " ", True),),
        )
        return
    suffix = nearest(word, _suffix_words(mnemonic))
    own = suffix or nearest(word, [*sorted(defined), *filter(foreign.own, (*SHARED, *ENTRIES))])
    spelled = None if own is None else f"{'' if suffix else ' '}{own}"
    scanner.report(
        "E004",
        f"there is no suffix `{word}` for `{layer}`",
        span,
        _may_carry(mnemonic) if spelled is None else f"did you mean `{layer}{spelled}`?",
        fixes=() if spelled is None else (Fix(span, spelled, False),),
    )


def _suffix_words(mnemonic: str) -> list[str]:
    """The suffixes of a layer that are whole words."""
    suffixes = MNEMONICS[mnemonic].suffixes
    words = [f"p{mode}" for mode in PAD_MODES.values()] if "p" in suffixes else []
    words += [f"p{fill}" for fill in FILLS] if mnemonic in FILLED else []
    return words + (list(ROUNDINGS.values()) if "rounding" in suffixes else [])


def _may_carry(mnemonic: str) -> str:
    facts = MNEMONICS[mnemonic]
    carried = [f"`{SAMPLES[part]}`" for part in SUFFIXES if part in facts.suffixes]
    if not carried:
        return f"{facts.what} has no suffixes: put a space after `{mnemonic}`"
    return f"{facts.what} may carry {', '.join(carried)}"


def lettered_pool(scanner: Scanner, name: str) -> NoReturn:
    """E008: in `MP2` the letters would be two pools, in `AP` an average pool and a max pool."""
    start = scanner.pos
    end = start + 2
    while scanner.text[end] in DIGITS:
        end += 1
    number = scanner.text[start + 2 : end]
    kind = "a max pool" if name == "M" else "an average pool"
    scanner.report(
        "E008",
        f"`{scanner.text[start:end]}` could be one pool or two",
        Span(start, end),
        f"write `{name}{number}` for {kind}, or two pools with a space: `{name} P{number}`",
        fixes=(Fix(Span(start, start + 2), name, False),),
    )
    scanner.pos = end
    raise Skip


def lettered_norm(scanner: Scanner) -> NoReturn:
    """E008: `RMS` is a norm elsewhere, and here the letters of three layers."""
    start = scanner.pos
    end = start + 3
    scanner.report(
        "E008",
        "`RMS` could be a norm or three layers",
        Span(start, end),
        "write `rms` for normalisation by the root mean square, or three layers with spaces: `R M S`",
        fixes=(Fix(Span(start, end), "rms", False),),
    )
    scanner.pos = end
    raise Skip


def unknown(scanner: Scanner) -> NoReturn:
    """E002 and E008: no mnemonic begins at the cursor."""
    if scanner.trial:
        raise Stop
    text = scanner.text
    pos = scanner.pos
    end = scanner.run(pos)
    scanner.pos = end
    if text[pos] == "D" and text[pos + 1] == "O" and dropout(scanner, pos):
        raise Skip
    begin = pos
    while begin > 0 and begin > pos - 24 and text[begin - 1] in IDENTIFIER:
        begin -= 1
    run = text[begin:end]
    if text[pos] == "O" and pos > 0 and text[pos - 1] in DIGITS and layers_in(run.replace("O", "0")):
        zeros = run.replace("O", "0")
        scanner.report(
            "E002",
            f"`{run}` has the letter O in place of a digit",
            Span(begin, end),
            f"write the digit 0: `{zeros}`",
            fixes=(Fix(Span(begin, end), zeros, True),),
        )
        raise Skip
    if not foreign_name(scanner, pos):
        _report_unknown(scanner, pos, end)
    raise Skip


def _report_unknown(scanner: Scanner, pos: int, end: int) -> None:
    written = scanner.text[pos:end]
    near = _nearest(written)
    near = near if len(near) < 3 else []
    if near:
        hint = did_you_mean("` or `".join(near))
    elif any(char in LOWER for char in written):
        hint = "a layer's letters are capitals; words and blocks begin with a small letter"
    else:
        hint = f"the layers are {' '.join(_ALL)}"
    scanner.report(
        "E002",
        f"there is no layer `{written}`",
        Span(pos, end),
        hint,
        fixes=tuple([Fix(Span(pos, end), known, False) for known in near]),
    )


def foreign_name(scanner: Scanner, pos: int) -> bool:
    """E002 for a name from another tool around `pos`: `ReLU`, `Conv2d(3, 64, 3)`, `CONV3D64`; whether there is one."""
    text = scanner.text
    begin = pos
    while begin > 0 and begin > pos - _LONGEST_NAME and text[begin - 1] in IDENTIFIER:
        begin -= 1
    end = scanner.run(pos)
    if text[end] == "." and text[begin:end] in LIBRARIES and dotted_or_called(scanner, begin):
        return True
    for at in range(begin, pos + 1):
        if at > begin and not _may_begin(text, begin, at):
            continue
        name = text[at:end]
        if foreign.known(name):
            report_foreign(scanner, at, end)
            return True
        digits = at
        while digits < end and text[digits] not in DIGITS:
            digits += 1
        letters = foreign.stem(text[at:digits])
        if letters is None:
            continue
        stop, tail = end, text[digits:end]
        if letters == "C" and tail.isdigit() and text[end] == "-" and text[end + 1] in DIGITS:
            stop = scanner.run(end + 1)
            tail += "D" + text[end + 1 : stop]
        if layers_in(letters + tail) == 1:
            _replace(scanner, at, end, stop, letters + tail, f"write `{letters}{tail}`", safe=False)
            return True
    return False


_LONGEST_NAME = 40


def _may_begin(text: str, begin: int, at: int) -> bool:
    """Whether the layers of a run end before a place of it, where a name begins: `C3D64ReLU`, `BNReLU`, not `CReLU`."""
    if text[at] not in UPPER:
        return False
    before = text[begin:at]
    return before[-1] in DIGITS or (
        layers_in(before) > 0 and any(before.endswith(each) for each in MNEMONICS if each[1:])
    )


def report_foreign(scanner: Scanner, start: int, end: int, begin: int | None = None) -> None:
    """E002 for a name from another library and, where brackets follow, its call; the cursor goes after it.

    begin: where the library's own name before it begins, as in `nn.ReLU()`.
    """
    text = scanner.text
    name = text[start:end]
    stop, call = end, None
    if text[end] == "(":
        stop = scanner.behind_brackets(end)
        call = text[end:stop] if stop > end else "("
    reading = foreign.read(name, call, defaults="\ndefault" in text or text.startswith("default"))
    if reading is None:
        hint = "a layer's letters are capitals; words and blocks begin with a small letter"
        reading = foreign.Reading(None, hint)
    spelled = reading.spelled
    _replace(
        scanner, start if begin is None else begin, end, max(stop, end), spelled, reading.help, safe=reading.certain
    )


def dotted_or_called(scanner: Scanner, start: int) -> bool:
    """E002 for the name at `start` with its call, or after the libraries that stand before it; whether it is one."""
    text = scanner.text
    at, end = start, scanner.run(start)
    while text[end] == "." and text[at:end] in LIBRARIES:
        at, end = end + 1, scanner.run(end + 1)
    if end == at or (at == start and (foreign.own(text[at:end]) or not foreign.known(text[at:end]))):
        return False
    report_foreign(scanner, at, end, start)
    return True


def _replace(scanner: Scanner, start: int, end: int, stop: int, spelled: str | None, hint: str, *, safe: bool) -> None:
    """E002 for the name from `start` to `end`, and the fix that writes all up to `stop` anew."""
    text = scanner.text
    fixes: tuple[Fix, ...] = ()
    if spelled is not None:
        if " " in spelled and text[stop] == "*":
            spelled = f"({spelled})"
        space = " " if start and text[start - 1] in IDENTIFIER else ""
        fixes = (Fix(Span(start, stop), space + spelled, safe),)
    scanner.pos = stop
    scanner.report("E002", f"there is no layer `{text[start:end]}`", Span(start, end), hint, fixes=fixes)


_ALL = (*list(MNEMONICS)[:4], "P", *list(MNEMONICS)[4:])


def _nearest(written: str) -> list[str]:
    """The layer that a run names in another casing, else those that one letter more, less or other makes of it."""
    letters = 0
    while letters < len(written) and written[letters] not in DIGITS:
        letters += 1
    name, tail = written[:letters], written[letters:]
    if len(name) > 1 and name.upper() in MNEMONICS and layers_in(name.upper() + tail) == 1:
        return [name.upper() + tail]
    return [
        known + tail
        for known in MNEMONICS
        if len(known) > 1 and len(name) > 1 and _one_apart(name, known) and layers_in(known + tail) == 1
    ]


def _one_apart(left: str, right: str) -> bool:
    shared = 0
    while shared < min(len(left), len(right)) and left[shared] == right[shared]:
        shared += 1
    left, right = left[shared:], right[shared:]
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or left == right[::-1]


def dropout(scanner: Scanner, pos: int) -> bool:
    """E008 for `DO0.5` and `D0.5`; whether the text at `pos` is one."""
    text = scanner.text
    begin = pos + 2 if text[pos + 1] == "O" else pos + 1
    end = begin
    while text[end] in DIGITS or text[end] == ".":
        end += 1
    rate = text[begin:end]
    if text[end] in IDENTIFIER or (text[pos + 1] != "O" and "." not in rate):
        return False
    scanner.pos = end
    scanner.report(
        "E008",
        f"`{text[pos:end]}` is not a dropout layer",
        Span(pos, end),
        f"write `drop({rate or 'p'})`" + ("" if rate else ", with its probability p"),
        fixes=(Fix(Span(pos, end), f"drop({rate})", True),) if rate else (),
    )
    return True

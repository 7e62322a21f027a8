"""Reading one layer token: `C3D64/2p1`, `M3/2ceil`, `FC4096b0`, `GAP`."""

from __future__ import annotations

from typing import Literal, NoReturn

from convsize.errors import Fix, Label, Span
from convsize.language.expressions import expression
from convsize.language.mnemonics import (
    FOREIGN,
    LONGER,
    MNEMONICS,
    PAD_MODES,
    ROUNDINGS,
    SAMPLES,
    SINGLE,
    SPELLINGS,
    SUFFIXES,
    WHOLE_WORDS,
)
from convsize.language.scanner import DIGITS, IDENTIFIER, LOWER, UPPER, Scanner, Skip, Stop
from convsize.language.tree import Dims, Expr, Layer, Num, Pads

_NUMBER = DIGITS | {"{"}
# Behind these a token is over without a further look; D may begin a depth, and O may be meant as a zero.
_ENDS = (UPPER - {"D"}) | frozenset(" \n()[]|+*,:@")
# A dilation of this size, with no depth, is a small letter for a capital one: no network dilates by 16 and more.
_DILATION_LOOKS_LIKE_DEPTH = 16


def read_layer(scanner: Scanner) -> Layer:
    """The layer at the cursor, which stands on a capital letter. Raises Skip where there is none."""
    text = scanner.text
    start = scanner.pos
    head = text[start]
    name = ""
    for spelled in LONGER.get(head, ()):
        if text.startswith(spelled, start):
            name = spelled
            break
    else:
        if head not in SINGLE:
            _unknown(scanner)
        name = head
    pos = start + len(name)
    mnemonic = SPELLINGS.get(name, name)
    if name in WHOLE_WORDS:
        if text[pos] in IDENTIFIER or text[pos] == "(":
            _unknown(scanner)
        if name == "INPUT":
            scanner.pos = pos
            scanner.report(
                "E016",
                "`INPUT` stands only at the beginning of the trunk",
                Span(start, pos),
                "leave it out; `x` is the value that enters a branch",
            )
            raise Skip
        scanner.pos = pos
        return Layer(mnemonic, Span(start, pos))
    char = text[pos]
    size: Dims | None = None
    written: list[tuple[str, Span]] = []
    if char in _NUMBER:
        scanner.pos = pos
        size = _dims(scanner, start)
        written.append(("size", Span(pos, scanner.pos)))
        pos = scanner.pos
    elif char in _ENDS:
        if char == "P" and (name == "M" or name == "A"):
            _lettered_pool(scanner, name)
        scanner.pos = pos
        return Layer(mnemonic, Span(start, pos))
    elif char == "-" and name == "FC" and text[pos + 1] in DIGITS:
        return _dashed(scanner, start)

    depth: Expr | None = None
    stride: Dims | None = None
    padding: Pads | None = None
    dilation: Dims | None = None
    groups: Expr | None = None
    output_padding: Dims | None = None
    bias: bool | None = None
    count_zeros: bool | None = None
    rounding: Literal["floor", "ceil", "exact"] | None = None
    while True:
        char = text[pos]
        if char in _ENDS:
            break
        scanner.pos = pos + 1
        following = text[pos + 1]
        part = char
        if char == "D":
            if following not in _NUMBER:
                break
            depth = _dim(scanner, start)
        elif char == "/":
            stride = _dims(scanner, start)
        elif char == "p" and (following in _NUMBER or text.startswith(PAD_MODES.get(following, " "), pos + 1)):
            padding = _pads(scanner, start)
        elif char == "d" and following in _NUMBER:
            dilation = _dims(scanner, start)
        elif char == "g" and following in _NUMBER:
            groups = _dim(scanner, start)
        elif char == "a" and following in _NUMBER:
            output_padding = _dims(scanner, start)
        elif (char == "b" or char == "z") and (following == "0" or following == "1"):
            scanner.pos = pos + 2
            if char == "b":
                bias = following == "1"
            else:
                count_zeros = following == "1"
        elif char in ROUNDINGS and text.startswith(ROUNDINGS[char], pos):
            rounding = ROUNDINGS[char]
            scanner.pos = pos + len(rounding)
            part = "rounding"
        elif char in IDENTIFIER or char == "." or (char == "-" and following in DIGITS):
            _bad_tail(scanner, start, pos, mnemonic)
        else:
            break
        written.append((part, Span(pos, scanner.pos)))
        pos = scanner.pos
    scanner.pos = pos
    layer = Layer(
        mnemonic,
        Span(start, pos),
        size,
        depth,
        stride,
        padding,
        dilation,
        groups,
        output_padding,
        bias,
        count_zeros,
        rounding,
        tuple(written),
    )
    if len(written) > 1 or size is None or MNEMONICS[mnemonic].size == "none":
        _check(scanner, layer)
    return layer


def layers_in(text: str) -> int:
    """How many glued layers a text consists of; 0 where it is anything else."""
    scanner = Scanner(text + "\n", trial=True)
    count = 0
    try:
        while scanner.text[scanner.pos] in UPPER:
            read_layer(scanner)
            count += 1
    except (Skip, Stop):
        return 0
    return count if scanner.pos == scanner.end else 0


def _dim(scanner: Scanner, start: int) -> Expr:
    char = scanner.text[scanner.pos]
    if char in DIGITS:
        return scanner.integer()
    if char == "{":
        scanner.open()
        inner = expression(scanner)
        if not scanner.close():
            raise Skip
        return inner
    pos = scanner.pos
    before = scanner.text[pos - 1]
    scanner.report(
        "E004",
        f"`{before}` is followed by no number",
        Span(pos - 1, pos),
        f"write one right behind it, as in `{scanner.text[start:pos]}2`",
    )
    raise Skip


def _dims(scanner: Scanner, start: int) -> Dims:
    first = _dim(scanner, start)
    text = scanner.text
    if text[scanner.pos] != "x" or text[scanner.pos + 1] not in _NUMBER:
        return (first,)
    dims = [first]
    while text[scanner.pos] == "x" and text[scanner.pos + 1] in _NUMBER:
        scanner.pos += 1
        dims.append(_dim(scanner, start))
    return tuple(dims)


def _pads(scanner: Scanner, start: int) -> Pads:
    text = scanner.text
    mode = PAD_MODES.get(text[scanner.pos])
    if mode is not None:
        scanner.pos += len(mode)
        return Pads(mode)
    pairs: list[tuple[Expr, Expr | None]] = []
    while True:
        before = _dim(scanner, start)
        after: Expr | None = None
        if text[scanner.pos] == ":":
            scanner.pos += 1
            after = _dim(scanner, start)
        pairs.append((before, after))
        if text[scanner.pos] != "x" or text[scanner.pos + 1] not in _NUMBER:
            return Pads("explicit", tuple(pairs))
        scanner.pos += 1


def _dashed(scanner: Scanner, start: int) -> Layer:
    """`FC-4096`, as the VGG paper writes it."""
    dash = start + 2
    scanner.pos = dash + 1
    size = scanner.integer()
    end = scanner.pos
    if scanner.text[end] in IDENTIFIER or scanner.text[end] == "(":
        alias = scanner.text[start:end]
        plain = alias.replace("-", "")
        scanner.report(
            "E003",
            f"`{_glued(scanner, end)}` is glued to `{alias}`",
            Span(end, max(scanner.run(end), end + 1)),
            f"put a space behind it, or write it `{plain}`",
            fixes=(Fix(Span(dash, dash + 1), "", True),),
        )
        raise Skip
    return Layer("FC", Span(start, end), (size,), suffixes=(("size", Span(dash, end)),))


# ---- errors ---------------------------------------------------------------------------------------------------------


def _check(scanner: Scanner, layer: Layer) -> None:
    """E005, E006 and E102: what can be said once the whole token is read."""
    facts = MNEMONICS[layer.mnemonic]
    text = scanner.text
    start, end = layer.span
    token = text[start:end]
    seen: dict[str, Span] = {}
    for part, span in layer.suffixes:
        written = text[span.start : span.end]
        without = text[start : span.start] + text[span.end : end]
        if part in seen:
            before = text[slice(*seen[part])]
            scanner.report(
                "E005",
                f"the {SUFFIXES[part]} is written twice in `{token}`",
                span,
                f"once is enough: `{without}`" if before == written else f"keep one of `{before}` and `{written}`",
                labels=(Label(seen[part], "it stands here already"),),
                fixes=(Fix(span, "", before == written),),
            )
        elif part == "size" and facts.size == "none":
            instead = f"leave it out: `{without}`"
            if token == "R6":
                instead += "; a ReLU that stops at 6 is `relu6`"
            elif layer.mnemonic == "R":
                instead += f"; {written} in a row are `R*{written}`"
            elif layer.mnemonic in ("GAP", "GMP"):
                instead += f"; a window of {written} is `{'A' if layer.mnemonic == 'GAP' else 'M'}{written}`"
            scanner.report(
                "E102",
                f"the `{written}` of `{token}` means nothing: {facts.what} has no size",
                span,
                instead,
                fixes=(Fix(span, "", False),),
            )
        elif part != "size" and part not in facts.suffixes:
            scanner.report(
                "E102",
                f"the {SUFFIXES[part]} `{written}` means nothing on {facts.what}",
                span,
                f"leave it out: `{without}`",
                fixes=(Fix(span, "", False),),
            )
        seen[part] = span
    dilation = layer.dilation
    if dilation is not None and layer.depth is None and "D" in facts.suffixes and len(dilation) == 1:
        (value,) = dilation
        if type(value) is Num and value.value >= _DILATION_LOOKS_LIKE_DEPTH:
            span = seen["d"]
            number = text[span.start + 1 : span.end]
            head, tail = text[start : span.start], text[span.end : end]
            as_depth, as_dilation = f"D{number}", f"D{{c}}d{number}"
            scanner.report(
                "E006",
                f"`{token}` asks for a dilation of {number} and gives no depth",
                span,
                f"write `{head}{as_depth}{tail}` for a depth of {number}, "
                f"or `{head}{as_dilation}{tail}` if the dilation is meant",
                fixes=(Fix(span, as_depth, False), Fix(span, as_dilation, False)),
            )


def _glued(scanner: Scanner, pos: int) -> str:
    return scanner.word_at(pos) or scanner.text[pos]


def _bad_tail(scanner: Scanner, start: int, pos: int, mnemonic: str) -> NoReturn:
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
            f"write a whole number behind `{text[start:begin]}`",
        )
    elif char == "-":
        while text[end := end + 1] in DIGITS:
            pass
        number = text[pos + 1 : end]
        # `C3-64` is the VGG paper's conv3-64 half translated.
        better = f"D{number}" if "D" in facts.suffixes and "D" not in layer else f"/{number}"
        scanner.report(
            "E004",
            f"`-{number}` is no part of a layer",
            Span(pos, end),
            f"a depth is written `D`, a stride `/`: `{layer}{better}`",
            fixes=(Fix(Span(pos, pos + 1), better[0], False),),
        )
    elif (found := _foreign(scanner, start)) is not None:
        _report_foreign(scanner, *found)
    elif word in PAD_MODES.values():
        scanner.report(
            "E003",
            f"`{word}` is glued to the layer `{layer}`",
            Span(pos, end),
            f"a padding begins with `p`: `{layer}p{word}`",
            fixes=(Fix(Span(pos, pos), "p", True),),
        )
    elif len(word) > 1:
        scanner.report(
            "E003",
            f"`{whole}` is glued to the layer `{layer}`",
            Span(pos, whole_end),
            f"put a space between them: `{layer} {whole}`",
            fixes=(Fix(Span(pos, pos), " ", True),),
        )
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
            f"the {SUFFIXES[char]} `{char}` of `{layer}{whole}` needs {wanted} behind it",
            Span(pos, whole_end),
            f"write it as in `{layer}{SAMPLES[char]}`",
        )
    elif word == "s" and "/" in facts.suffixes and text[end] in _NUMBER:
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


def _may_carry(mnemonic: str) -> str:
    facts = MNEMONICS[mnemonic]
    carried = [f"`{SAMPLES[part]}`" for part in SUFFIXES if part in facts.suffixes]
    if not carried:
        return f"{facts.what} carries no suffix: put a space behind `{mnemonic}`"
    return f"{facts.what} may carry {', '.join(carried)}"


def _lettered_pool(scanner: Scanner, name: str) -> NoReturn:
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


def _foreign(scanner: Scanner, pos: int) -> tuple[int, int, str] | None:
    """Where a name from another tool stands around `pos`, and what it is here: `ReLU`, `Conv2d`, `CONV3D64`."""
    text = scanner.text
    begin = pos
    while begin > 0 and begin > pos - 24 and text[begin - 1] in IDENTIFIER:
        begin -= 1
    end = scanner.run(pos)
    letters = begin
    while letters < end and text[letters] not in DIGITS:
        letters += 1
    ours = FOREIGN.get(text[begin:letters].lower().replace("_", ""))
    if ours is None:
        return None
    tail = text[letters:end]
    if tail.lower() in ("1d", "2d", "3d") or not layers_in(ours + tail):
        tail = ""
    return begin, end, ours + tail


def _report_foreign(scanner: Scanner, begin: int, end: int, ours: str) -> None:
    written = scanner.text[begin:end]
    scanner.pos = scanner.behind_brackets(end) if scanner.text[end] == "(" else end
    helps = {"FC": "`FC1000`, with its number of units", "C": "`C3D64`: kernel 3, depth 64", "GN": "`GN32`"}
    if written == "RELU6":
        ours = "relu6"
    scanner.report(
        "E002",
        f"there is no layer `{written}`",
        Span(begin, end),
        f"write {helps.get(ours, f'`{ours}`')}",
        fixes=(Fix(Span(begin, end), ours, False),) if ours not in helps else (),
    )


def _unknown(scanner: Scanner) -> NoReturn:
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
    if text[pos] == "O" and layers_in(run.replace("O", "0")):
        zeros = run.replace("O", "0")
        scanner.report(
            "E002",
            f"`{run}` has the letter O where a digit can stand",
            Span(begin, end),
            f"write the digit 0: `{zeros}`",
            fixes=(Fix(Span(begin, end), zeros, True),),
        )
        raise Skip
    found = _foreign(scanner, pos)
    if found is not None:
        _report_foreign(scanner, *found)
        raise Skip
    written = text[pos:end]
    near = _nearest(written)
    near = near if len(near) < 3 else []
    scanner.report(
        "E002",
        f"there is no layer `{written}`",
        Span(pos, end),
        f"did you mean {' or '.join([f'`{known}`' for known in near])}?"
        if near
        else f"the layers are {' '.join(_ALL)}",
        fixes=tuple([Fix(Span(pos, end), known, False) for known in near]),
    )
    raise Skip


_ALL = (*list(MNEMONICS)[:4], "P", *list(MNEMONICS)[4:])


def _nearest(written: str) -> list[str]:
    """The layers that one letter more, less or other makes of a run."""
    letters = 0
    while letters < len(written) and written[letters] not in DIGITS:
        letters += 1
    name, tail = written[:letters], written[letters:]
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
    rate = rate or "0.5"
    scanner.pos = end
    scanner.report(
        "E008",
        f"`{text[pos:end]}` is not how dropout is written",
        Span(pos, end),
        f"write `drop({rate})`",
        fixes=(Fix(Span(pos, end), f"drop({rate})", True),),
    )
    return True

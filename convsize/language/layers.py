"""Reading one layer token: `C3D64/2p1`, `M3/2ceil`, `FC4096b0`, `GAP`.

What is wrong with a token that cannot be read is said by `mistakes.layers`; a spec without mistakes never
imports that.
"""

from __future__ import annotations

from typing import Literal

from convsize.errors import Fix, Span
from convsize.language.expressions import expression
from convsize.language.mnemonics import (
    FILLED,
    FILLS,
    LONGER,
    MNEMONICS,
    PAD_MODES,
    ROUNDINGS,
    SINGLE,
    SPELLINGS,
    WHOLE_WORDS,
)
from convsize.language.scanner import DIGITS, IDENTIFIER, UPPER, Scanner, Skip, Stop
from convsize.language.tree import Dims, Expr, Layer, Num, Pads

NUMBER = DIGITS | {"{"}
# Behind these a token is over without a further look; D may begin a depth, and O may be meant as a zero.
_ENDS = (UPPER - {"D"}) | frozenset(" \n()[]|+*,:@")
# A dilation of this size, with no depth, is a small letter for a capital one: no network dilates by 16 and more.
_LOOKS_LIKE_DEPTH = 16


class Misread(Skip):
    """No layer stands at the cursor; the arguments are the function of `mistakes.layers` that says why, and its own."""


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
            raise Misread("unknown")
        name = head
    pos = start + len(name)
    mnemonic = SPELLINGS.get(name, name)
    if name in WHOLE_WORDS:
        if text[pos] in IDENTIFIER or text[pos] == "(":
            raise Misread("unknown")
        if name == "INPUT":
            scanner.pos = pos
            scanner.report(
                "E016",
                "`INPUT` is allowed only at the start of the trunk",
                Span(start, pos),
                "leave it out; `x` is the value that enters a branch",
            )
            raise Skip
        scanner.pos = pos
        return Layer(mnemonic, Span(start, pos))
    char = text[pos]
    size: Dims | None = None
    written: list[tuple[str, Span]] = []
    if char in NUMBER:
        scanner.pos = pos
        size = _dims(scanner, start)
        written.append(("size", Span(pos, scanner.pos)))
        pos = scanner.pos
    elif char in _ENDS:
        if char == "P" and (name == "M" or name == "A"):
            raise Misread("lettered_pool", name)
        if char == "R" and name in "PCR" and text.startswith("RELU", pos):
            raise Misread("unknown")  # PRELU, CRELU and RRELU are layers of their own elsewhere
        if name == "R" and text.startswith("MS", pos):
            raise Misread("lettered_norm")
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
    standard: Literal["ws", "sws"] | None = None
    epsilon: Expr | None = None
    while True:
        char = text[pos]
        if char in _ENDS:
            break
        scanner.pos = pos + 1
        following = text[pos + 1]
        part = char
        if char == "D":
            if following not in NUMBER:
                break
            depth = _dim(scanner, start)
        elif char == "/":
            stride = _dims(scanner, start)
        elif char == "p" and (
            following in NUMBER
            or text.startswith(PAD_MODES.get(following, " "), pos + 1)
            or text.startswith(FILLS, pos + 1)
        ):
            padding = _pads(scanner, start)
        elif char == "d" and following in NUMBER:
            dilation = _dims(scanner, start)
        elif char == "g" and following in NUMBER:
            groups = _dim(scanner, start)
        elif char == "a" and following in NUMBER:
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
        elif (char == "w" and following == "s") or (char == "s" and text.startswith("ws", pos + 1)):
            standard = "ws" if char == "w" else "sws"
            scanner.pos = pos + len(standard)
            part = "ws"
            if text[scanner.pos] == "{":
                epsilon = _dim(scanner, start)
        elif char in IDENTIFIER or char == "." or (char == "-" and following in DIGITS):
            raise Misread("bad_tail", start, pos, mnemonic)
        else:
            break
        written.append((part, Span(pos, scanner.pos)))
        pos = scanner.pos
    scanner.pos = pos
    return Layer(
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
        standard,
        epsilon,
        tuple(written),
    )


def fits(layer: Layer) -> bool:
    """Whether every suffix is one that the layer carries, written once, and no dilation looks like a depth."""
    if len(layer.suffixes) < 2 and layer.size is not None and MNEMONICS[layer.mnemonic].size != "none":
        return True
    facts = MNEMONICS[layer.mnemonic]
    parts = [part for part, _ in layer.suffixes]
    if len(set(parts)) < len(parts) or any(part not in facts.suffixes for part in parts if part != "size"):
        return False
    if "size" in parts and facts.size == "none":
        return False
    if layer.padding is not None and layer.padding.fill != "zeros" and layer.mnemonic not in FILLED:
        return False
    return "d" not in parts or not dilation_for_depth(layer)


def dilation_for_depth(layer: Layer) -> bool:
    """Whether `C3d64` was written for `C3D64`."""
    if layer.dilation is None or layer.depth is not None or len(layer.dilation) != 1:
        return False
    (value,) = layer.dilation
    return "D" in MNEMONICS[layer.mnemonic].suffixes and type(value) is Num and value.value >= _LOOKS_LIKE_DEPTH


def layers_in(text: str) -> int:
    """How many glued layers a text consists of; 0 where it is anything else."""
    scanner = Scanner(text + "\n", trial=True)
    count = 0
    try:
        while scanner.text[scanner.pos] in UPPER:
            if not fits(read_layer(scanner)):
                return 0
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
        f"`{before}` needs a number",
        Span(pos - 1, pos),
        f"write it directly after, as in `{scanner.text[start:pos]}2`",
    )
    raise Skip


def _dims(scanner: Scanner, start: int) -> Dims:
    first = _dim(scanner, start)
    text = scanner.text
    if text[scanner.pos] != "x" or text[scanner.pos + 1] not in NUMBER:
        return (first,)
    dims = [first]
    while text[scanner.pos] == "x" and text[scanner.pos + 1] in NUMBER:
        scanner.pos += 1
        dims.append(_dim(scanner, start))
    return tuple(dims)


def _pads(scanner: Scanner, start: int) -> Pads:
    text = scanner.text
    fill = _fill(scanner)
    if fill != "zeros":
        return Pads("half", fill=fill)
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
        if text[scanner.pos] != "x" or text[scanner.pos + 1] not in NUMBER:
            return Pads("explicit", tuple(pairs), _fill(scanner))
        scanner.pos += 1


def _fill(scanner: Scanner) -> Literal["zeros", "reflect", "replicate", "circular"]:
    for fill in FILLS:
        if scanner.text.startswith(fill, scanner.pos):
            scanner.pos += len(fill)
            return fill
    return "zeros"


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
            f"`{scanner.word_at(end) or scanner.text[end]}` is glued to `{alias}`",
            Span(end, max(scanner.run(end), end + 1)),
            f"put a space after it, or write it `{plain}`",
            fixes=(Fix(Span(dash, dash + 1), "", True),),
        )
        raise Skip
    return Layer("FC", Span(start, end), (size,), suffixes=(("size", Span(dash, end)),))

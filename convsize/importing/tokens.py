"""Tokens: how a layer is written, with its numbers in slots, so that a block's parameters can take their places."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from convsize.importing.layers import Layer
from convsize.record import Record

__all__ = ["Defaults", "Expr", "Slot", "Token", "number", "token", "written"]


class Expr(Record):
    """What is computed of a block's parameters and of the depth at that point."""

    text: str


Number = int | Fraction | str | Expr | None

LETTERS = ("C", "DW", "T", "M", "A", "GAP", "GMP", "FC", "BN", "LN", "IN", "GN", "LRN", "R", "S")


class Slot(Record):
    """One argument: what stands before it, its value, and the value that need not be written.

    Texts are as they are; numbers may become a block's parameter.
    """

    lead: str
    value: Number
    default: Number = None


class Token(Record):
    """A layer without its place. depth: of what enters it, where its own depth may be left out."""

    kind: str
    slots: tuple[Slot, ...]
    source: int = 0


class Defaults(Record):
    """What the file states once: whether convolutions have biases, and the numbers of norms."""

    bias: bool = True
    norms: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()


Maker = Callable[[Layer, tuple[int, ...], Defaults], tuple[Slot, ...]]
"""Makes the slots of a layer, of the volume that enters it, and of what the file states once."""

_NORMS = {"BN": {"eps": "0.00001", "momentum": "0.1"}, "LN": {"eps": "0.00001"}, "IN": {"eps": "0.00001"}}
_NORMS["GN"] = {"eps": "0.00001"}


def number(value: float, near: float = 1e-13) -> str:
    """A number as the language has it: no exponent; what was a fraction of whole numbers is one again.

    near: how far what is written may be from it, as a share of it.

    >>> number(1e-05), number(0.1), number(2.0), number(1 / 255)
    ('0.00001', '0.1', '2', '1/255')
    """
    if value == int(value):
        return str(int(value))
    short = f"{value:.12g}"
    if float(short) == value or abs(float(short) - value) <= near * abs(value):
        text = f"{Decimal(short):f}"
        if len(text) <= 12:
            return text
    found = Fraction(value).limit_denominator(4096)
    if found.denominator > 1 and abs(float(found) - value) <= 1e-15 * abs(value):
        return f"{found.numerator}/{found.denominator}"
    return f"{Decimal(repr(value)):f}"


def norm_numbers(layer: Layer) -> tuple[tuple[str, str], ...]:
    """The numbers of a norm that the file may state once."""
    return tuple((name, number(layer.number(name), 1e-9)) for name in _NORMS[layer.kind])


def usual_norm(kind: str) -> tuple[tuple[str, str], ...]:
    """The numbers that a norm has where nobody states any."""
    return tuple(_NORMS[kind].items())


def token(layer: Layer, source: tuple[int, ...], defaults: Defaults) -> Token:
    """The token of a layer into which a volume goes."""
    make = _MAKERS.get(layer.kind)
    if make is not None:
        return Token(layer.kind, make(layer, source, defaults), source[0])
    return Token(layer.kind, ())


def written(token: Token, values: Callable[[int], str | None], deep: bool = False) -> str:
    """The token's text. values: what is written for the number of a slot, None for itself; deep: with its depth where
    that is as what enters.
    """
    parts = []
    for at, slot in enumerate(token.slots):
        text = values(at)
        if text is None:
            if slot.value == slot.default and not (deep and slot.lead == "D"):
                continue
            text = slot.value.text if isinstance(slot.value, Expr) else str(slot.value)
            if isinstance(slot.value, Expr) and token.kind in LETTERS:
                text = f"{{{text}}}"
        parts.append((slot.lead, text))
    if token.kind in LETTERS and not any(lead.endswith("=") for lead, _ in parts):
        return token.kind + "".join(lead + text for lead, text in parts)
    name = token.kind.lower() if token.kind in LETTERS else token.kind
    return f"{name}({','.join(lead.removeprefix(',') + text for lead, text in parts)})" if parts else name


def _axes(value: tuple[int, ...]) -> Number:
    return value[0] if len(set(value)) == 1 else "x".join(map(str, value))


def _pads(pads: tuple[tuple[int, int], ...]) -> str:
    each = [str(before) if before == after else f"{before}:{after}" for before, after in pads]
    return "p" + (each[0] if len(set(each)) == 1 else "x".join(each))


def _padding(layer: Layer) -> str:
    """The padding of a convolution; "" for half of its kernel."""
    mode = layer.number("mode") or ""
    if layer.number("same"):
        return "psame"
    kernel, dilation, pads = layer.number("size"), layer.number("dilation"), layer.number("padding")
    half = all(
        k % 2 and before == after == d * (k - 1) // 2
        for k, d, (before, after) in zip(kernel, dilation, pads, strict=True)
    )
    if half:
        return f"p{mode}" if mode else ""
    return _pads(pads) + mode


def _convolution(layer: Layer, source: tuple[int, ...], defaults: Defaults) -> tuple[Slot, ...]:
    depth, bias = layer.number("depth"), layer.number("bias")
    standard = layer.number("ws") or ""
    dilated = any(each > 1 for each in layer.number("dilation"))  # `C3d16` alone would look like a mistyped depth
    if standard:
        eps = number(layer.number("eps"))
        standard += "" if eps == "0.000001" else f"{{{eps}}}"
    return (
        Slot("", _axes(layer.number("size"))),
        Slot("D", depth, None if dilated else source[0]),
        Slot("/", _axes(layer.number("stride")), 1),
        Slot("", _padding(layer), ""),
        Slot("d", _axes(layer.number("dilation")), 1),
        Slot("g", layer.number("groups"), 1),
        Slot("", "" if bias == defaults.bias else f"b{int(bias)}", ""),
        Slot("", standard, ""),
    )


def _transposed(layer: Layer, source: tuple[int, ...], defaults: Defaults) -> tuple[Slot, ...]:
    pads = layer.number("padding")
    bias = layer.number("bias")
    return (
        Slot("", _axes(layer.number("size"))),
        Slot("D", layer.number("depth"), source[0]),
        Slot("/", _axes(layer.number("stride")), 1),
        Slot("", _pads(pads) if any(map(any, pads)) else "", ""),
        Slot("d", _axes(layer.number("dilation")), 1),
        Slot("g", layer.number("groups"), 1),
        Slot("a", _axes(layer.number("output_padding")), 0),
        Slot("", "" if bias == defaults.bias else f"b{int(bias)}", ""),
    )


def _pool(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    pads = layer.number("padding")
    window = _axes(layer.number("size"))
    rounding = layer.number("rounding")
    same = layer.number("same")
    return (
        Slot("", window, 2),
        Slot("/", _axes(layer.number("stride")), window),
        Slot("", "psame" if same else _pads(pads) if any(map(any, pads)) else "", ""),
        Slot("d", _axes(layer.number("dilation")), 1),
        Slot("", "z0" if layer.number("zeros") is False else "", ""),
        Slot("", "" if rounding == "floor" else rounding, ""),
    )


def _global(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    return (Slot("", _axes(layer.number("extents")), 1),)


def _full(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    return (Slot("", layer.number("depth")), Slot("", "" if layer.number("bias") else "b0", ""))


def _norm(layer: Layer, _: tuple[int, ...], defaults: Defaults) -> tuple[Slot, ...]:
    usual = dict(dict(defaults.norms).get(layer.kind, usual_norm(layer.kind)))
    stated = tuple(Slot(f"{name}=", value, usual[name]) for name, value in norm_numbers(layer))
    groups = (Slot("", layer.number("groups")),) if layer.kind == "GN" else ()
    gains = layer.kind != "IN"
    return (*groups, Slot("", "" if layer.number("bias") == gains else f"b{int(layer.number('bias'))}", ""), *stated)


def _rms(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    eps = layer.number("eps")
    return (
        Slot("eps=", "" if eps is None else number(eps, 1e-9), ""),
        Slot("gain=", "" if layer.number("gain") else "0", ""),
    )


def _lrn(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    usual = (("alpha", "0.0001"), ("beta", "0.75"), ("k", "1"))
    return (
        Slot("", layer.number("n")),
        *(Slot(f"{name}=", number(layer.number(name)), default) for name, default in usual),
    )


def _numbers(*names: str, whole: bool = False, **defaults: Number) -> Maker:
    """A word's arguments by place."""

    def make(layer: Layer, *_: Any) -> tuple[Slot, ...]:
        given = [(name, layer.number(name)) for name in names]
        return tuple(
            Slot("", each if whole else number(each), defaults.get(name)) for name, each in given if each is not None
        )

    return make


def _list(name: str) -> Maker:
    def make(layer: Layer, *_: Any) -> tuple[Slot, ...]:
        found = layer.number(name)
        each = found if isinstance(found, tuple) else (found,)
        return tuple(Slot("", number(one)) for one in each)

    return make


def _pad(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    pads = layer.number("pads")
    amounts = pads[:1] if len(set(pads)) == 1 else pads
    flat = [each for pair in amounts for each in pair]
    if len(flat) == 2 and flat[0] == flat[1]:
        flat = flat[:1]
    value, mode = layer.number("value"), layer.number("mode")
    return (
        *(Slot("", str(each)) for each in flat),
        Slot("", "" if mode == "constant" else mode, ""),
        Slot("value=", number(value) if value else "", ""),
    )


def _resize(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    mode = layer.number("mode")
    sizes = layer.number("extents") if layer.kind == "resize" else layer.number("factors")
    sizes = sizes[:1] if len(set(sizes)) == 1 else sizes
    return (
        *(Slot("", each if isinstance(each, int) else str(each)) for each in sizes),
        Slot("", "" if mode == "nearest" else mode, ""),
        Slot("", "aligned" if layer.number("aligned") else "", ""),
        Slot("", "antialias" if layer.number("antialias") else "", ""),
    )


def _clamp(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    low, high = layer.number("low"), layer.number("high")
    if low is not None and high is not None:
        return (Slot("", number(low)), Slot("", number(high)))
    return (Slot("lo=", number(low)),) if high is None else (Slot("hi=", number(high)),)


def _pick(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    return (*(Slot("", each) for each in layer.number("maps")), Slot("step=", layer.number("step")))


def _reduce(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    slices = layer.number("slices")
    return (
        Slot("", layer.number("how")),
        Slot("", layer.number("over")),
        *([Slot("", slices)] if slices is not None else []),
    )


def _gelu(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    return (Slot("", "tanh" if layer.number("tanh") else "", ""),)


def _attention(layer: Layer, *_: Any) -> tuple[Slot, ...]:
    return (
        Slot("", layer.number("heads")),
        Slot("", layer.number("bias") or "", ""),
        Slot("key=", layer.number("key"), None),
        Slot("window=", layer.number("window"), None),
        Slot("grid=", layer.number("grid"), None),
        Slot("shift=", layer.number("shift") or 0, 0),
    )


_MAKERS: dict[str, Maker] = {
    **dict.fromkeys(("C", "DW"), _convolution),
    "T": _transposed,
    **dict.fromkeys(("M", "A"), _pool),
    **dict.fromkeys(("GAP", "GMP"), _global),
    "FC": _full,
    **dict.fromkeys(("BN", "LN", "IN", "GN"), _norm),
    "LRN": _lrn,
    "rms": _rms,
    "leaky": _numbers("a", a="0.01"),
    "elu": _numbers("alpha", alpha="1"),
    "drop": _numbers("p"),
    "droppath": _numbers("p"),
    "power": _numbers("p"),
    "times": _list("k"),
    "plus": _list("k"),
    "reshape": _list("sizes"),
    "prelu": _numbers("slopes", whole=True, slopes=1),
    "slice": _numbers("start", "end", whole=True),
    "shuffle": _numbers("groups", whole=True),
    "widen": _numbers("depth", whole=True),
    "pixelshuffle": _numbers("ratio", whole=True),
    "unshuffle": _numbers("ratio", whole=True),
    "softmax": _numbers("slices", "groups", whole=True),
    "front": _numbers("count", whole=True, count=1),
    "token": _numbers("count", whole=True, count=1),
    "pad": _pad,
    "resize": _resize,
    "up": _resize,
    "clamp": _clamp,
    "pick": _pick,
    "reduce": _reduce,
    "gelu": _gelu,
    "attn": _attention,
}

"""The colours of pictures: what kinds of layers look like, and the scale of a heat map.

The hues are those of Okabe & Ito 2008 (Color Universal Design), which people with any of the common colour vision
deficiencies tell apart; as tints under black text they stay readable, and print in grey. Nothing is said by colour
alone: every shape holds its shorthand.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from convsize.record import Record

Theme = Literal["light", "dark"]

_ORANGE, _SKY, _GREEN, _YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
_BLUE, _VERMILLION, _PURPLE, _GREY = "#0072b2", "#d55e00", "#cc79a7", "#999999"

FAMILIES: dict[str, tuple[str, str]] = {
    "convolution": ("convolution", _SKY),
    "transposed": ("transposed convolution", _BLUE),
    "dense": ("fully connected", _GREEN),
    "attention": ("attention", _BLUE),
    "pool": ("pooling", _ORANGE),
    "norm": ("norm, scale", _YELLOW),
    "activation": ("activation", _VERMILLION),
    "sum": ("join", _PURPLE),
    "difference": ("join", _PURPLE),
    "gate": ("join", _PURPLE),
    "quotient": ("join", _PURPLE),
    "concatenation": ("join", _PURPLE),
    "reshaping": ("rearranging", _GREY),
    "regularisation": ("dropout", _GREY),
    "block": ("block", _SKY),
    "input": ("input, output", ""),
    "output": ("input, output", ""),
}
"""What a family is called in a legend, and its hue."""


class Colours(Record):
    """The colours of a theme: paper, ink (texts and lines), faint texts and lines, what a skip is drawn in."""

    paper: str
    ink: str
    faint: str
    panel: str
    skip: str
    strength: Fraction
    dark: bool

    @property
    def grid(self) -> str:
        """The lines of a plot's ticks."""
        return mixed(self.paper, self.faint, Fraction(25, 100))

    def fill(self, family: str) -> str:
        """The inside of a shape."""
        hue = FAMILIES[family][1]
        return mixed(self.paper, hue, self.strength / 2 if family == "block" else self.strength) if hue else self.paper

    def line(self, family: str) -> str:
        """The border of a shape."""
        hue = FAMILIES[family][1]
        return mixed(self.ink, hue, Fraction(7, 10)) if hue else self.ink

    def heat(self, share: Fraction) -> str:
        """A share of the largest one (0 … 1), from paper to vermillion, as far as the ink is read on it (4.5 to 1)."""
        most = Fraction(7, 10) if self.dark else Fraction(9, 10)
        return mixed(self.paper, _VERMILLION, most * min(max(share, Fraction(0)), Fraction(1)))

    def series(self, at: int) -> str:
        """The line of the at-th series of a plot (3 to 1 against the paper, WCAG 2 for graphical objects)."""
        return mixed(self.ink, _SERIES[at % len(_SERIES)], Fraction(7, 10))

    def area(self, at: int) -> str:
        """The area of the at-th series, on which the ink is read."""
        return mixed(self.paper, _SERIES[at % len(_SERIES)], self.strength)


_SERIES = (_BLUE, _VERMILLION, _GREEN, _ORANGE, _PURPLE, _SKY, _GREY)
_LIGHT = Colours("#ffffff", "#1a1a1a", "#595959", "#f6f6f6", "#b84f00", Fraction(45, 100), dark=False)
_DARK = Colours("#16181c", "#f0f0f0", "#b0b0b0", "#1f2228", _ORANGE, Fraction(40, 100), dark=True)
THEMES: dict[Theme, Colours] = {"light": _LIGHT, "dark": _DARK}


def light_and_dark() -> dict[str, str]:
    """What each colour of a light picture is in a dark one: a page with such rules shows one picture in both themes."""
    light, dark = THEMES["light"], THEMES["dark"]
    pairs = {getattr(light, name): getattr(dark, name) for name in ("paper", "ink", "faint", "panel", "skip", "grid")}
    for family in FAMILIES:
        pairs.setdefault(light.fill(family), dark.fill(family))
        pairs.setdefault(light.line(family), dark.line(family))
    for at in range(len(_SERIES)):
        pairs.setdefault(light.series(at), dark.series(at))
        pairs.setdefault(light.area(at), dark.area(at))
    return pairs


def mixed(one: str, other: str, share: Fraction) -> str:
    """A colour between two, `share` of the way to the other."""
    pairs = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)

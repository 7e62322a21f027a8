"""Pictures are readable: contrasts after WCAG 2, and palettes that stay apart in grey."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from convsize.api import load
from convsize.views.canvas.colours import FAMILIES, THEMES, Theme, mixed
from convsize.views.drawing import dot
from convsize.views.drawing.parts import Detail, Heat

SPECS = Path(__file__).resolve().parents[3] / "specs"


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_have_the_contrast_that_wcag_asks_for(theme: Theme) -> None:
    colours = THEMES[theme]
    for family in FAMILIES:
        assert contrast(colours.ink, colours.fill(family)) >= 4.5, family
    for step in range(5):
        assert contrast(colours.ink, colours.heat(Fraction(step, 4))) >= 4.5
    for ground in (colours.paper, colours.panel):
        assert contrast(colours.faint, ground) >= 4.5
    assert contrast(colours.skip, colours.paper) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("heat", [None, "macs"])
@pytest.mark.parametrize("detail", ["network", "block", "layer"])
def test_notes_within_shapes_can_be_read(theme: Theme, heat: Heat | None, detail: Detail) -> None:
    report = load(SPECS / "se_resnet50.spec").analyze()
    nodes = re.findall(
        r'<(.*)> class=.* fillcolor="(#\w{6})"', dot.render(report, detail=detail, heat=heat, theme=theme)
    )
    assert nodes
    for label, fill in nodes:
        for colour in re.findall(r'COLOR="(#\w{6})"', label):
            assert contrast(colour, fill) >= 4.5, label


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_more_heat_is_another_grey(theme: Theme) -> None:
    greys = [luminance(THEMES[theme].heat(Fraction(step, 10))) for step in range(11)]
    assert greys == sorted(greys, reverse=theme == "light")
    assert len(set(greys)) == 11


def test_mixed() -> None:
    assert mixed("#000000", "#ffffff", Fraction(1, 2)) == "#808080"
    assert mixed("#102030", "#ffffff", Fraction(0)) == "#102030"

"""What blocks consist of, in the shorthand that a spec would say it in."""

from pathlib import Path

import pytest

import convsize
from convsize.views.drawing.shorthand import shorthand


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("C3D8 BN R C3D8 BN R", "C3D8 C3D8"),
        ("[C1D4 R | C1D4 R C3D8 R | M3/1p1 C1D4]", "[C1D4 | C1D4 C3D8 | M3/1p1 C1D4]"),
        ("(C3D8 BN R C3D8 BN + x) R", "(C3D8 C3D8 + x)"),
        ("C1D8 (x * GAP C1D2 R C1D8 sigmoid) C1D4", "C1D8 (x * GAP C1D2 C1D8) C1D4"),
        ("(C1D8 (C3D8 + x) + C1D8)", "(C1D8 (C3D8 + x) + C1D8)"),
        ("R tanh", "R tanh"),
        ("C1D8 as a C3D8 as b [@a | @b C1D4 | @a C1D2]", "C1D8 [x | C3D8 C1D4 | C1D2]"),
        ("C1D8 as a C3D8 as b ([@a | @b] C1D8 + @b)", "C1D8 C3D8 | C1D8 +"),
    ],
)
def test_shorthand(text: str, short: str) -> None:
    assert shorthand(convsize.parse(f"input: 8@16x16\n{text}").analyze().layers) == short


def test_several_values_from_outside_are_joined() -> None:
    report = convsize.load(Path(__file__).resolve().parents[3] / "specs" / "unet.spec").analyze()
    rows = [row for row in report.layers if row.blocks[:1] == ("rise1",)]
    assert shorthand(rows) == "[crop(@up) | T2D512/2] C3D512 C3D512"


def test_brackets_close_however_much_is_left_out() -> None:
    branches = " | ".join(f"{'C3D64 ' * 5}C1D{depth}" for depth in range(8, 20))
    short = shorthand(convsize.parse(f"input: 8@16x16\n([{branches}] C1D8 + x)").analyze().layers)
    assert short == "([C3D64 C3D64 … | …] C1D8 + x)" or len(short) <= 64
    assert short.count("[") == short.count("]") == 1
    assert short.count("(") == short.count(")") == 1

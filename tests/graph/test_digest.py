"""The structural digest: equal however a network is written, different for any other network."""

import pytest

from convsize.errors import Source
from convsize.graph.build import build
from convsize.graph.digest import digest
from convsize.language.parser import parse


def graph(series: str, before: str = "", volume: str = "4@16x16") -> str:
    file, errors = parse(Source(f"input: {volume}\n{before}\n{series}\n"))
    assert not errors, errors
    return digest(build(file))


SAME = [
    ("C3D8 R C3D8 R", "(C3D8 R)*2"),
    ("C3D8 R", "C3D8/1p1d1g1b1 R"),
    ("C3D8 R M", "b M", "def b: C3D8 R"),
    ("(C3 + x)", "C3 as a @input as b (@a + @b)"),
    ("(C3 + C5)", "(C5 + C3)"),
    ("(x * C1 sigmoid)", "(C1 sigmoid * x)"),
    ("((C3 + C5) + C1)", "(C3 + C5 + C1)"),
    ("[[C3 | C5] | C1]", "[C3 | C5 | C1]"),
    ("DW3", "C3D4g4"),
    ("C3D8psame", "C3D8"),
    ("M2ceil", "M2/2"),
    ("C3 as a (C3 R + @a) head h: GAP", "C3 as q (@q + C3 R) head k: GAP"),
    ("C3 R", "b", "shared b: C3 R"),
    ("(@input b + @input b)", "b as q (@q + @input b)", "shared b: C3 R"),
    ("(p q + q p)", "(q p + p q)", "shared p: C3\nshared q: C5"),
    ("p q p", "q p q", "shared p: C3\nshared q: C3"),
    ("C3 as a C3 as b [@a | (@a + @b)] (x + C3D8)", "C3 as b C3 as z [@b | (@z + @b)] (C3D8 + x)"),
]
DIFFERENT = [
    ("(C3 - R)", "(R - C3)"),
    ("(C3 / R)", "(R / C3)"),
    ("(C3 - R)", "(C3 + R)"),
    ("((C3 - R) - x)", "(C3 - (R - x))"),
    ("C3D8", "C3D8b0"),
    ("C3D8", "C3D8p0"),
    ("C3D8 R", "R C3D8"),
    ("[C3 | C5]", "[C5 | C3]"),
    ("C3 as a (@a + @a)", "(C3 + C3)"),
    ("M3/2", "A3/2"),
    ("M3p1/2", "M3/2ceil"),
    ("drop(0.5)", "drop(0.4)"),
    ("split[x | C3]", "split[C3 | x]"),
    ("C3 as a C3 as b @input (@a + @b + x)", "C3 as a C3 as b @input (@a + @a + x)"),
    ("C3 head h @input: C3", "C3 R head h @input: C3"),
    # Two equal convolutions of one value: which of them feeds the sum twice may not matter, but that one does.
    ("C3 as a @input C3 as b (@a + @b) [x | @a]", "C3 as a @input C3 as b (@a + @a) [x | @b]"),
]


def lines(text: str) -> str:
    return text.replace(" head", "\nhead")


@pytest.mark.parametrize("pair", SAME, ids=lambda pair: pair[0])
def test_same_network(pair: tuple[str, ...]) -> None:
    before = pair[2] if len(pair) > 2 else ""
    assert graph(lines(pair[0]), before) == graph(lines(pair[1]), before)


SHARED = [
    ("(C3 R)*2", "b*2", "shared b: C3 R"),
    ("(C3 + C3)", "(b + b)", "shared b: C3"),
    # Which of four equal layers share their weights is another network.
    ("[p q | q p]", "[p q | p q]", "shared p: C3\nshared q: C3"),
    ("[p p | q q]", "[p q | p q]", "shared p: C3\nshared q: C3"),
    ("(p BN)*2", "(BN p)*2", "shared p: C3"),
]


@pytest.mark.parametrize("case", SHARED, ids=lambda case: case[0])
def test_weights_that_are_shared_are_another_network(case: tuple[str, str, str]) -> None:
    one, other, before = case
    assert graph(one, before) != graph(other, before)


@pytest.mark.parametrize("pair", DIFFERENT, ids=lambda pair: pair[0])
def test_different_network(pair: tuple[str, str]) -> None:
    assert graph(lines(pair[0])) != graph(lines(pair[1]))


def test_which_of_two_equal_branches_is_used_again_does_not_matter() -> None:
    first = graph("C3 as a @input C3 as b (@a + @b) [x | @a]")
    assert first == graph("C3 as a @input C3 as b (@a + @b) [x | @b]")


def test_input_volume_counts() -> None:
    assert graph("C3") != graph("C3", volume="4@16x18")


@pytest.mark.parametrize(
    ("series", "value"),
    [
        ("C3", "7774aa64994f60d1"),
        ("C3 as a C3 as b @input (@a + @b + x)", "0d74221bcb074811"),
        ("C3 as a C3 as b [@a | (@a + @b)] (x + C3D8)", "326534e2b6a885b7"),
    ],
)
def test_digests_stay_what_they_are(series, value):
    """Checkpoints and receipts name networks by them."""
    assert graph(series) == value

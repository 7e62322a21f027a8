"""Repairs of numbers that do not divide: the nearest that do, found for bounded work whatever is written."""

import pytest
from work import lines_run

from convsize.check.check import check_source
from convsize.check.repairs.layers import divisors
from convsize.errors import Source
from convsize.ops import catalogue

LARGE = (2**24 - 1, 10**9 - 1, 2**32, 10**17, 10**30)


def findings(series, volume="12@9x9"):
    return check_source(Source(f"input: {volume}\n{series}", "net.spec")).diagnostics


def test_divisors_are_the_nearest_first_and_below_before_above():
    # 12 = 1·12 = 2·6 = 3·4. From 5: 4 and 6 lie 1 away, 3 lies 2, 2 lies 3, 1 lies 4, 12 lies 7 away.
    assert divisors(12, 5) == [4, 6, 3, 2, 1, 12]
    assert divisors(12, 4) == [3, 2, 6, 1, 12]  # without the number itself; 2 and 6 both lie 2 away
    assert divisors(12, 10**30) == [12, 6, 4, 3, 2, 1]
    assert divisors(2**31 - 1, 5) == [1, 2**31 - 1]  # a prime


@pytest.mark.parametrize(
    ("series", "written"),
    [
        ("C3D8g5", "C3D8g4"),  # 4 is the nearest to 5 of 1, 2, 4, which divide 12 and 8
        ("C3D8g999999999", "C3D8g4"),
        ("GN9999999", "GN12"),
        ("GN5", "GN4"),
        ("shuffle(4294967296)", "shuffle(12)"),
        ("shuffle(5)", "shuffle(4)"),
    ],
)
def test_groups_that_divide(series, written):
    found = findings(series)
    fixes = [fix.replacement for each in found for fix in each.fixes]
    assert fixes[:1] == [written], found


TOKENS = [
    f"{name}{suffix}"
    for name in catalogue.TOKENS
    for suffix in ("{n}", "3D{n}", "3g{n}", "3D{n}g7", "3/{n}", "3/{n}exact", "3p{n}", "3d{n}", "2/2a{n}", "")
]
WORDS = [f"{name}({args})" for name in catalogue.WORDS for args in ("{n}", "{n},{n}", "1,{n}", "{n},2")]


@pytest.mark.parametrize("written", [*TOKENS, *WORDS])
def test_no_number_is_so_large_that_it_takes_long_to_say_what_is_wrong(written):
    for number in LARGE:
        series = written.replace("{n}", str(number))
        lines_run(lambda series=series: findings(series), most=400_000)


@pytest.mark.parametrize("written", ["GAP{n}", "GMP{n}", "resize({n})", "resize({n},bilinear)"])
def test_a_pattern_of_reads_that_is_too_long_is_refused(written):
    # 2^17 - 1 is a prime, and 2^16 = 65,536 outputs are the most that a pattern may have: 2^17 of 2 are just that.
    (found,) = findings(written.replace("{n}", str(2**17 - 1)), "2@14")
    assert (found.code, "too uneven" in found.message, "limit is 65,536" in found.message) == ("E103", True, True)
    assert all(each.code != "E103" for each in findings(written.replace("{n}", str(2**17)), "2@2"))


def test_a_scale_whose_pattern_is_too_long_is_refused():
    (found,) = findings("up(131071/7,bilinear)", "2@14")
    assert (found.code, "too uneven" in found.message) == ("E103", True)
    assert not any(each.code == "E103" for each in findings("up(3/2,bilinear)", "2@1000001"))


@pytest.mark.parametrize(
    ("series", "said"),
    [
        ("C3D8 R M*5", "too many iterations: write `M*3`"),
        ("C3D8 R M*4 FC10", "one iteration too many: write `M*3`"),
        ("(C3D8 R M)*5 FC10", "too many iterations: write `(C3D8 R M)*3`"),
        ("(C3D8 R A3/2)*4 FC10", "too many iterations: write `(C3D8 R A3/2)*2`"),
        ("M/4 M*2 FC10", "one iteration too many: write `M`"),
        ("C3D8 M C3D8 M C3D8 M C3D8 M C3D8", "one pool too many: leave it out"),
        ("def b: C3D8 R M\nb b b b FC10", "one `b` too many: leave it out"),
        ("def b: C3D8 R M\nb b b b b FC10", "`b` 2 times too often: leave it out"),
        ("def b: C3D8 R M\nb*5 FC10", "too many iterations: write `b*3`"),
        ("def b: C3D8 R (M R)*4\nb FC10", "one iteration too many: write `(M R)*3`"),
    ],
)
def test_one_pool_too_many(series, said):
    (found,) = findings(series, "3@8x8")
    assert found.help.startswith(said)
    assert "a kernel of at most 1" not in found.help
    assert found.help.count("on line") == 1

from fractions import Fraction

import pytest

from convsize.views.text import numbers
from convsize.words import plural


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1792, "1,792"),
        (9999, "9,999"),
        (10_000, "10.00K"),
        (36_928, "36.93K"),
        (999_949, "999.9K"),
        (999_960, "1.000M"),  # 999.96 rounds to 1000.0, which is a million
        (138_357_544, "138.4M"),
        (15_470_264_320, "15.47G"),
        (10**12, "1.000T"),
        (10**15, "1.000P"),
        (123_456 * 10**15, "123456P"),
        (-20_000, "-20.00K"),
    ],
)
def test_counts_have_four_digits_and_a_decimal_unit(value: int, text: str) -> None:
    assert numbers.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.000 KiB"),
        (64 * 224 * 224 * 4, "12.25 MiB"),  # 12,845,056 / 1,048,576
        (2**20 - 1, "1.000 MiB"),  # 1023.999 KiB rounds up to the next unit
        (24 * 2**30, "24.00 GiB"),
    ],
)
def test_bytes_have_four_digits_and_a_binary_unit(value: int, text: str) -> None:
    assert numbers.size(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0%"), (1, "100%"), (0.894, "89.4%"), (0.0004, "<0.1%"), (0.99999, ">99.9%"), (0.5, "50.0%")],
)
def test_a_share_never_rounds_to_all_or_nothing(value: float, text: str) -> None:
    assert numbers.share(value) == text


def test_axes_that_agree_are_one_number() -> None:
    assert numbers.axes((3, 3)) == "3"
    assert numbers.axes((1, 7)) == "1x7"
    assert numbers.axes((Fraction(1, 2), Fraction(1, 2))) == "0.5"
    assert numbers.axes((Fraction(1, 3), Fraction(2))) == "0.333x2"


def test_volumes_are_written_as_a_spec_writes_them() -> None:
    assert numbers.volume((64, 224, 224)) == "64@224x224"
    assert numbers.volume((300, 56)) == "300@56"
    assert numbers.volume((1000,)) == "1000"


def test_one_warning_and_two_warnings() -> None:
    assert plural(1, "warning") == "1 warning"
    assert plural(0, "warning") == "0 warnings"
    assert plural(1234, "layer") == "1,234 layers"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0123, "12 ms"),
        (0.00123, "1.2 ms"),
        (1.96, "2.0 s"),
        (9.96e-3, "10 ms"),
        (0.9996, "1.0 s"),
        (123, "120 s"),
    ],
)
def test_rough_times(seconds: float, text: str) -> None:
    assert numbers.rough(seconds) == text

"""Sizes as people write them on the command line."""

import pytest

from convsize.cli.units import size
from convsize.errors import UsageError


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("16GiB", 16 * 2**30),
        ("16 GiB", 16 * 2**30),
        ("16gib", 16 * 2**30),
        ("80GB", 80 * 10**9),
        ("24G", 24 * 10**9),
        ("24g", 24 * 10**9),
        ("512MiB", 512 * 2**20),
        ("1.5GiB", 3 * 2**29),
        ("2T", 2 * 10**12),
        ("2TiB", 2**41),
        ("1PB", 10**15),
        ("640kb", 640_000),
        ("0", 0),
    ],
)
def test_sizes(text: str, bytes_: int) -> None:
    assert size(text, "--memory") == bytes_


@pytest.mark.parametrize("text", ["", "G", "GiB", "-1GiB", "1e9", "16Gi", "16BB", "16GiBs", "1,5GiB", "9" * 16 + "GiB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="takes a size such as 16GiB"):
        size(text, "--memory")


@pytest.mark.parametrize("text", ["24", "1.5"])
def test_a_number_without_a_unit_is_a_question(text: str) -> None:
    with pytest.raises(UsageError, match=f"has no unit: write {text}GiB, {text}GB or {text}MiB"):
        size(text, "--memory")

"""Fixes inside a block that several calls use: right for all of them, or made at the calls."""

from itertools import product

import pytest
from zoo import UNET_IN_NUMBERS

import convsize
from convsize.check.advice import advised
from convsize.check.check import check_source
from convsize.check.config import Config
from convsize.check.repairs.trial import block_around, edited
from convsize.errors import Source
from convsize.geometry import Shape
from convsize.language.parser import parse

BODIES = (
    "[C3D{d}p0 crop(n) | C5D{d}p0]",
    "(C3D{d}p0 crop(n) + C5D{d}p0)",
    "[C{n}D{d}p0 | C3D{d}]",
    "(C{n}D{d}p0 + C3D{d}) R",
    "(C3D{d}/2 + x)",
    "(C3D{d} + x)",
    "[M | C3D{d}p0/2] C{n}D{d}p0",
    "[x | M C3D{d} T2D{d}/2]",
    "(x * GAP FC{n})",
    "C3D{d}g{n}",
    "C{n}D{d}/2exact",
)
CALLS = ("u(4,3) u(8,5)", "u(4,30) u(8,n=28)", "u(4,n=3) R u(6,4) u(4,9)", "u(4,5) M u(4,5)", "u(4,36)", "v(4) v(8)")


def checked(text: str) -> list:
    return [each for each in check_source(Source(text, "net.spec"), Config()).diagnostics if each.severity == "error"]


@pytest.mark.parametrize(("body", "calls"), list(product(BODIES, CALLS)))
def test_what_is_mended_in_a_block_fits_all_its_calls(body: str, calls: str) -> None:
    text = f"input: 4@41x41\ndef u(d, n): {body} R\ndef v(d): u(d,5)\n{calls} C1D2\n"
    for found in checked(text):
        for fix in found.fixes:
            mended, wrong = parse(Source(edited(text, (fix,)), "net.spec"))
            assert not wrong
            inside = {each.code for each in checked(mended.source.text) if block_around(mended, each.span)}
            before, _ = parse(Source(text, "net.spec"))
            if block_around(before, found.span) is not None:
                assert not inside, (found.help, mended.source.text)


@pytest.mark.parametrize("size", range(556, 590, 2))
def test_a_unet_of_another_size_is_mended_at_its_calls(size: int) -> None:
    text = UNET_IN_NUMBERS.replace("572x572", f"{size}x{size}")
    for found in checked(text):
        if found.fixes:
            (fix,) = found.fixes
            assert "crop(" not in fix.replacement
            convsize.parse(edited(text, (fix,)))


def test_each_call_gets_its_own_number() -> None:
    file, _ = parse(Source(UNET_IN_NUMBERS, "net.spec"))
    (found,) = advised(file, inputs={"input": Shape(1, (570, 570))}, stated=False)
    assert found.help == (
        "take the input `1@572x572`, or give each call its own `extent`: write `rise(32,@s4,54)`, "
        "`rise(16,@s3,100)`, `rise(8,@s2,192)`, `rise(4,@s1,376)`"
    )
    (found,) = checked("input: 4@40x40\ndef u(d, n): [C3D{d}p0 crop(n) | C5D{d}p0] R\nu(4,30) u(8,n=20)\n")
    assert found.help == "give each call its own `n`: write `u(4,36)`, `u(8,n=32)`"


def test_where_no_number_fits_all_calls_none_is_named() -> None:
    (found,) = checked("input: 4@40x40\ndef down(d, k=3): [C3D{d} | C{k}D{d}p0] R\ndown(4) down(8,k=5) C1\n")
    assert found.help == (
        "let `down` take the number as a parameter, as in `crop(n)`, and give each call its own: none fits all"
    )
    assert found.fixes == ()


def test_a_crop_to_a_named_branch_fits_all_calls() -> None:
    (found,) = checked("input: 4@40x40\ndef down(d, k=3): [C{k}D{d}p0 | C3D{d}] R\ndown(4) down(8,k=5) C1\n")
    assert found.help == "write `[C{k}D{d}p0 as small | C3D{d} crop(@small)]` for `[C{k}D{d}p0 | C3D{d}]`"

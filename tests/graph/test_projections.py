"""Projections that mend a sum: in the parameters of the block around it where these say the depth or the stride."""

import pytest

from convsize import SpecError
from convsize.api import parse
from convsize.check.check import check_source
from convsize.errors import Source
from convsize.geometry import Shape


def help_and_fixes(text):
    (found,) = check_source(Source(text, "net.spec")).diagnostics
    return found.help, [fix.replacement for fix in found.fixes]


@pytest.mark.parametrize(
    ("block", "call", "written"),
    [
        # Both are numbers: so is the projection.
        ("def b: (C3D8 + x)", "b", ["C1D8"]),
        ("def b: (C3D8/2 + x)", "b", ["C1D8/2"]),
        # A parameter for the depth, a number or none for the stride.
        ("def b(d): (C3D{d} + x)", "b(8)", ["C1D{d}", "C1D8"]),
        ("def b(d): (C3D{d}/2 + x)", "b(8)", ["C1D{d}/2", "C1D8/2"]),
        ("def b(d): (C3D{d} R C1D{4*d} + x)", "b(2)", ["C1D{4*d}", "C1D8"]),
        # What is no layer says nothing.
        ("def b(d): ((x + x) C3D{d} + x)", "b(8)", ["C1D{d}", "C1D8"]),
        # A parameter for the stride; the last depth counts.
        ("def b(s): (C3D8/{s} + x)", "b(2)", ["C1D8/{s}", "C1D8/2"]),
        ("def b(s): (C3D4/{s} C3D8 + x)", "b(2)", ["C1D8/{s}", "C1D8/2"]),
        ("def b(d, s): (C3D{d}/{s} BN R C3D{d} + x)", "b(8,2)", ["C1D{d}/{s}", "C1D8/2"]),
        # Beside a parameter a number, for another axis or another layer.
        ("def b(s): (C3D8/{s}x2 + x)", "b(2)", ["C1D8/{s}x2", "C1D8/2"]),
        ("def b(s): (C3D8/1 C3D8/{s} + x)", "b(2)", ["C1D8/{s}", "C1D8/2"]),
        # Two strides by parameters: no single one says their product.
        ("def b(s): (C3D8/{s} C3D8/{s} + x)", "b(2)", ["C1D8/4"]),
        ("def b(d, s): (C3D{d}/{s} C3D{d}/{s} + x)", "b(8,2)", ["C1D8/4"]),
        # No depth is written at all.
        ("def b(s): (C3/{s} + x)", "b(2)", ["C1D3/2"]),
        ("def b(s): (M3/{s}p1 + x)", "b(2)", ["C1D3/2"]),
    ],
)
def test_the_projection_in_the_terms_of_its_block(block, call, written):
    with pytest.raises(SpecError) as raised:
        parse(f"input: 3@32x32\n{block}\n{call}")
    (found,) = raised.value.diagnostics
    assert [fix.replacement.strip() for fix in found.fixes] == written
    assert found.help.endswith(f"replace `x` by `{written[0]}`")


@pytest.mark.parametrize("extent", [3, 8, 15, 31, 32, 33])
@pytest.mark.parametrize("strided", ["C3D{d}/2 R C3D{d}", "M3/2p1 C3D{d}", "M2ceil C3D{d}", "A3/2p1 R C3D{d}"])
def test_a_stride_in_one_branch_is_projected_at_even_and_at_odd_extents(strided, extent):
    for depth in (4, 8):
        net = f"input: 4@{extent}x{extent}\n({strided.replace('{d}', str(depth))} + x) R C3D4"
        said, fixes = help_and_fixes(net)
        assert f"C1D{depth}/2" in fixes, (net, said)
        assert said.endswith(f"replace `x` by `C1D{depth}/2`")
        concatenated = net.replace("(", "[").replace(" + ", " | ").replace(")", "]")
        assert help_and_fixes(concatenated)[1][0] == "C1/2"


@pytest.mark.parametrize("extent", [3, 5, 15, 31])
def test_lost_pixels_are_cropped_though_a_stride_would_do_as_well(extent):
    # 3 -> 1 -> 2: the stride of the pool is undone, so that the branches stand at one scale.
    said, fixes = help_and_fixes(f"input: 4@{extent}x{extent}\n[x | M T2D4/2] C3D4")
    assert any("crop(" in fix or "T2D4/2a1" in fix for fix in fixes), said
    assert not any("C1" in fix for fix in fixes)
    said, fixes = help_and_fixes("input: 4@5x5\n(x + C3p0) C3D4")
    assert fixes[0] == " crop(3)"


def test_a_branch_that_upsamples_too_far_is_not_strided_again():
    said, fixes = help_and_fixes("input: 3@32x32\nC3D8/2 as s C3D16/2 [@s | T4D8/4p0] C3D4")
    assert said == "bring the smaller branch up to the other: write `@s up(2)`"
    assert fixes == [" up(2)"]


@pytest.mark.parametrize(
    ("calls", "ways"),
    [
        ("block(64)*2 block(128)", 0),  # identities of 64 before
        ("block(128) block(128)", 0),  # one of 128 behind
        ("block(128)*2", 0),
        ("block(128)", 2),  # every call needs it
        ("block(128) block(256)", 1),  # only in the parameter of the block
    ],
)
def test_a_fix_in_a_block_leaves_the_calls_alone_that_are_right(calls, ways):
    block = "def block(d): (C3D{d} BN R C3D{d} BN + x) R"
    said, fixes = help_and_fixes(f"input: 64@8x8\n{block}\n{calls}")
    assert fixes == ["C1D{d}", "C1D128"][:ways]
    assert said.startswith("other calls are right as they are: give this one a block of its own") == (not ways)
    assert said.endswith("project the shortcut: replace `x` by `C1D{d}`")


def test_sizes_that_fit_are_said_for_the_input_that_was_asked_for():
    text = """input: 1@64x64
def dd(d): C3D{d} R
def up(d, s): [@s | T2D{d}/2] dd(d)
dd(2) as s1 M dd(2) as s2 M dd(2) as s3 M dd(2) as s4 M dd(2)
up(2,@s4) up(2,@s3) up(2,@s2) up(2,@s1)
"""
    with pytest.raises(SpecError) as raised:
        parse(text, inputs={"input": Shape(1, (300, 300))})
    (found,) = raised.value.diagnostics
    assert found.help == (
        "height and width must be multiples of 16, but 300 is not: take the input `1@288x288` or `1@304x304`, "
        "or write `T2D{d}/2 as small [@s crop(@small) | @small]` for `[@s | T2D{d}/2]`"
    )
    text = text.replace("[@s | T2D{d}/2]", found.fixes[0].replacement)
    assert parse(text, inputs={"input": Shape(1, (300, 300))}).nodes[-1].output == Shape(2, (288, 288))


def test_a_branch_of_several_layers_is_shown_whole():
    said, _ = help_and_fixes("input: 8@8x8\ndef b(d): (C3D{d}/2 R + A1/2 pad(0)) R\nb(16)")
    assert said == "project the other branch: replace `A1/2 pad(0)` by `A1/2 pad(0) C1D{d}`"
    said, _ = help_and_fixes("input: 8@8x8\n(C3D16 + C3D8 BN R C3D8 BN R C3D8 BN R C3D8) R")
    assert said == "project the other branch: end it with `C3D8 C1D16`"

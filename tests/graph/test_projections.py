"""Projections that mend a sum: in the parameters of the block around it where these say the depth or the stride."""

import pytest

from convsize import SpecError
from convsize.api import parse


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

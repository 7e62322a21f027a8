"""W517 against what branches see in PyTorch, and on networks whose branches lie as well as they can."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import convsize
from convsize.check.check import check_source
from convsize.check.config import Config
from convsize.errors import Source
from convsize.lowering.plan import lower

ISSUE = "C3D8/2 C3D8/2 as b C3D8/2\n[up(2) | @b] [C1D8 | C3D8]"

YOLO = """
def cv(d,k=1,s=1): C{k}D{d}/{s} BN silu
def bt(d): (cv(d) cv(d,3) + x)
def c3(d,n): [cv(d/2) bt(d/2)*{n} | cv(d/2)] cv(d)
def c3n(d): [cv(d/2) cv(d/2) cv(d/2,3) | cv(d/2)] cv(d)
def sppf(d): cv(d/2) [x | M5/1p2 | M5/1p2 M5/1p2 | M5/1p2 M5/1p2 M5/1p2] cv(d)
C6D8/2p2 BN silu cv(16,3,2) c3(16,1) cv(32,3,2) c3(32,2) as p3 cv(64,3,2) c3(64,3) as p4
cv(128,3,2) c3(128,1) sppf(128) cv(64) as t5
[up(2) | @p4] c3n(64) cv(32) as t4
[up(2) | @p3] c3n(32) as o3
[cv(32,3,2) | @t4] c3n(64) as o4
[cv(64,3,2) | @t5] c3n(128) C1D30
head h3 @o3: C1D30
head h4 @o4: C1D30
"""

UNET = """
default: Cb0
def f(d, s=1): C3D{d}/{s} BN R C3D{d} BN
def bb(d): (f(d) + x) R
def dn(d): (f(d,2) + C1D{d}/2 BN) R
def dec(d,s): [UP | @s] C3D{d} BN R C3D{d} BN R
C7D8/2 BN R as s1 M3/2p1 bb(8)*3 as s2 dn(16) bb(16)*3 as s3 dn(32) bb(32)*5 as s4 dn(64) bb(64)*2
dec(32,@s4) dec(16,@s3) dec(8,@s2) dec(8,@s1) up(2) C3D4 BN R C1
"""

HRNET = """
def bb: (C3 BN R C3 BN + x) R
def down(d): C3D{d}/2 BN
def over(d,s): C1D{d} BN up(s)
C3D8/2 BN R C3D8/2 BN R bb as a
@a down(16) R bb as b
(@a bb as a1 + @b bb as b1 over(8,2)) R bb as a
(@b1 + @a1 down(16)) R bb as b
@b down(32) R bb as c
(@a bb as a1 + @b bb as b1 over(8,2) + @c bb as c1 over(8,4)) R bb as a
(@a1 down(16) + @b1 + @c1 over(16,2)) R bb as b
(@a1 down(8) R down(32) + @b1 down(32) + @c1) R bb as c
@c down(64) R bb as d
(@a bb as a1 + @b bb as b1 over(8,2) + @c bb as c1 over(8,4) + @d bb as d1 over(8,8)) R bb as a
(@a1 down(16) + @b1 + @c1 over(16,2) + @d1 over(16,4)) R bb as b
(@a1 down(8) R down(32) + @b1 down(32) + @c1 + @d1 over(32,2)) R bb as c
(@a1 down(8) R down(8) R down(64) + @b1 down(16) R down(64) + @c1 down(64) + @d1) R bb as d
(@a bb as a1 + @b bb as b1 over(8,2) + @c bb as c1 over(8,4) + @d bb as d1 over(8,8)) R bb as a
[@a | @b1 over(8,2) | @c1 over(8,4) | @d1 over(8,8)] C1D4
"""

PYRAMID = "C3D8/2 R C3D8/2 R as p2 C3D8/2 R as p3 C3D8/2 R as p4 C3D8/2 R as p5\n" + "\n".join(
    "(@p5 up(2) + @p4) R DW3 C1D8 as u4 (up(2) + @p3) R DW3 C1D8 as u3 (up(2) + @p2) R DW3 C1D8 as p2\n"
    "(M3/2p1 + @p3 + @u3) R DW3 C1D8 as p3 (M3/2p1 + @p4 + @u4) R DW3 C1D8 as p4 (M3/2p1 + @p5) R DW3 C1D8 as p5"
    for _ in range(4)
)

WAVENET = """
def gated(d): (C2D8d{d}p{d}:0 tanh * C2D8d{d}p{d}:0 sigmoid) C1D8
C2D8p1:0 as a
(@a gated(1) as s1 + @a) as b
(@b gated(2) as s2 + @b) as c
(@c gated(4) as s3 + @c) as d
(@s1 + @s2 + @s3 + @d gated(8)) R C1D8 R C1D4
"""

TCN = "def tb(i): (C3D8d{i}p{2*i}:0 R drop(0.2) C3D8d{i}p{2*i}:0 R drop(0.2) + C1D8) R\ntb(1) tb(2) tb(4) tb(8) C1D2"

WELL = {
    "a block that all of its positions see, joined before": "input: 4@12\n((C1D12 attn(1,window=4) + x) + C5p4:0D4)",
    "issue": f"input: 3@64x64\n{ISSUE}",
    "yolov5s": f"input: 3@128x128\n{YOLO}",
    "resnet34 u-net": f"input: 3@64x64\n{UNET.replace('UP', 'up(2)')}",
    "resnet34 u-net, bilinear": f"input: 3@64x64\n{UNET.replace('UP', 'up(2,bilinear)')}",
    "resnet34 u-net, transposed": f"input: 3@64x64\n{UNET.replace('UP', 'T2D{c}/2')}",
    "hrnet": f"input: 3@64x64\n{HRNET}",
    "bifpn": f"input: 3@128x128\n{PYRAMID}",
    "wavenet": f"input: 8@128\n{WAVENET}",
    "tcn": f"input: 4@64\n{TCN}",
    "two inputs": "input left: 3@8x8\ninput right: 3@12x12\n@left [C3D4 | @right C3D4 C5D4p0] C1D2",
}

AMISS = {
    "one-sided even filters": "input: 3@32x32\nC3D8 R [C2D8p1:0 C2D8p1:0 | C3D8]",
    "a one-sided filter 4 wide": "input: 3@32x32\nC3D8 R (C4D8p3:0 + x)",
    "causal along two axes": "input: 3@32x32\nC3D8 R (C3D8p2:0 + x)",
    "causal beside symmetric": "input: 3@33\nC3D8 R (C3D8p2:0 + C3D8)",
    "the future": "input: 3@33\nC3D8 R (C3D8p0:2 + x)",
    "a crop off by one": "input: 3@32x32\nC3D8 as a M C3D8 up(2) pad(-1,0) as u\n[@u C3D4 | @a pad(0,-1)]",
    "a crop off by one behind two pools": "input: 3@32x32\nC3D8 as a M M up(4) pad(0,-1) as u\n[@u | @a pad(-1,0)]",
    "a crop off by two": "input: 3@32x32\nC3D8 as a C3D8/2 up(2) pad(-2,0) as u\n[@u C3D4 | @a pad(0,-2)]",
}


def warns(text: str) -> bool:
    found = check_source(Source(text, "net.spec"), Config()).diagnostics
    assert not [each for each in found if each.severity == "error"]
    return any(each.code == "W517" for each in found)


@pytest.mark.parametrize("name", WELL)
def test_branches_that_lie_as_well_as_they_can_are_passed_over(name: str) -> None:
    assert not warns(WELL[name])


@pytest.mark.parametrize("name", AMISS)
def test_branches_that_are_shifted_are_found(name: str) -> None:
    assert warns(AMISS[name])


LENGTH = 192
WIDE = 16
"""Units that are measured: a multiple of every period that can arise below."""

PLAIN = ("C3D4", "C1D4", "C5D4", "C3D4d2", "C2D4p1:0", "C2D4p0:1", "C3D4p2:0", "C3D4p0:2", "pad(1,-1)", "pad(-2,2)")
MIDDLE = ("A", "C4D4/2p1", "C2D4/2p0")
HALF = ("C3D4/2", "C5D4/2", "C1D4/2", "A3/2p1")
BACK = ("up(2)", "T2D4/2", "T4D4/2p1", "T3D4/2p1a1", "up(2,linear)")


@st.composite
def branches(draw: st.DrawFn, down: tuple[str, ...], level: int = 2) -> str:
    items = [draw(st.sampled_from(PLAIN)) for _ in range(draw(st.integers(0, 2)))]
    if level and draw(st.booleans()):
        items += [draw(st.sampled_from(down)), draw(joins(down, level - 1)), draw(st.sampled_from(BACK))]
    return " ".join(items) or "x"


@st.composite
def joins(draw: st.DrawFn, down: tuple[str, ...], level: int = 2) -> str:
    one, other = draw(branches(down, level)), draw(branches(down, level))
    join = draw(st.sampled_from(("({} C1D4 + {} C1D4)", "[{} C1D4 | {} C1D4]")))
    text = join.format(one, other)
    return text if level == 0 or draw(st.booleans()) else f"{text} {draw(joins(down, level - 1))}"


def supports(net: convsize.Network) -> dict[str, tuple[list[int], list[int]]]:
    """First and last pixel that every unit of every layer has a gradient in: the network is linear."""
    torch = pytest.importorskip("torch")
    from convsize.runtime.module import build_module

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the maps are tiny: threads would wait for each other
    plan = lower(net)
    every = tuple((step.name, at + 1) for at, step in enumerate(plan.steps))
    steps = tuple(step.replace(dead=()) for step in plan.steps)
    module = build_module(plan.replace(steps=steps, outputs=every), dtype=torch.float64).eval()
    found = {}
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.fill_(0 if name.endswith("bias") else 0.25)
        for name, values in module(torch.eye(LENGTH, dtype=torch.float64)[:, None]).items():
            reached = values.sum(1).T > 0
            first = reached.int().argmax(1)
            last = LENGTH - 1 - reached.int().flip(1).argmax(1)
            found[name] = first.tolist(), last.tolist()
    torch.set_num_threads(threads)
    return found


def agree(text: str, exact: bool) -> None:
    net = convsize.parse(f"input: 1@{LENGTH}\n{text}")
    rows = {row.name: row for row in net.analyze().layers}
    seen = supports(net)
    for row in rows.values():
        if len(row.inputs) != 2 or "input" in row.inputs or row.output[1] < 3 * WIDE:
            continue
        jump = Fraction(LENGTH, row.output[1])
        middle = range(row.output[1] // 2 - WIDE // 2, row.output[1] // 2 + WIDE // 2)
        (first, last), (other_first, other_last) = (seen[name] for name in row.inputs)
        doubled = sum(other_first[unit] + other_last[unit] - first[unit] - last[unit] for unit in middle)
        shift = Fraction(doubled, 2 * WIDE)
        causal = all(last[unit] == other_last[unit] for unit in middle)
        for each in row.shifts:
            assert (each.pixels, each.jump) == (shift, jump)
        if abs(shift) < jump or causal:
            assert not row.shifts
        elif exact:
            assert row.shifts


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(joins(MIDDLE))
def test_shifts_are_those_of_the_gradients(text: str) -> None:
    agree(text, exact=True)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(joins(MIDDLE + HALF))
def test_no_branches_that_average_the_same_centre_are_called_shifted(text: str) -> None:
    agree(text, exact=False)

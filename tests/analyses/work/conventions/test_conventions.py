"""Figures as other tools give them: known ones, and those of the tools themselves, to the last digit."""

from __future__ import annotations

from inspect import cleandoc
from pathlib import Path

import pytest

import convsize
from convsize import api
from convsize.analyses.work.conventions.recount import NAMES
from convsize.errors import UsageError
from convsize.geometry import Shape

SPECS = Path(__file__).parents[4] / "specs"

# Layers of all kinds, one after another: what a tool counts of a layer that it has no rule for is 0.
EVERYTHING = {
    "two axes": """
        input: 4@12x12
        C3D6 BN R C3D6g2b0 BNb0 relu6 C3D6/2 LRN3 leaky(0.1) prelu elu gelu silu sigmoid tanh hswish hsigmoid mish
        softplus selu DW3D12b0 GN3 IN INb1 shuffle(2) softmax(1) logsoftmax M2 T2D8/2 T3D8/2p1a1b0 up(2) up(2,bilinear)
        up(2,bicubic) A2 M3/2p1 pixelshuffle(2) drop(0.5) GAP2 GMP1 flat FC7 R FC5b0 S
    """,
    "one axis": "input: 4@32\nC3D6 BN R C3D6/2 IN M2 A2 T2D4/2 up(2) up(2,linear) GN2 S GAP2 flat FC3",
    "three axes": "input: 2@8x8x8\nC3D4 BN R C1D4g2 IN M2 T2D4/2 A2 up(2) up(2,trilinear) GMP2 GAP FC3",
    "joins": """
        input: 4@8x8
        C3D8 as a (C3D8 + x) R [C1D4 | C3D4 | x] split[C3D4 | x] C1D8 (x - @a) M2 C3D8 up(@a) resize(5) pad(1,reflect)
        C3D8p0 crop(2) slice(0,4) FC2
    """,
}

NETWORKS = {
    "alexnet": None,
    "autoencoder": None,
    "autoencoder_upsampling": None,
    "c3d": None,
    "deeplab_v3_plus": 64,
    "densenet121": 64,
    "fpn_resnet50": 64,
    "googlenet": None,
    "mobilenet_v2": 64,
    "resnet18": 64,
    "resnext50_32x4d": 64,
    "shufflenet_v2_x1_0": 64,
    "squeezenet1_0": 96,
    "style_transfer": 64,
    "vgg_a": 64,
}
"""Networks of specs/ and the size that they are counted at, where it is not their own."""


@pytest.fixture(scope="module")
def tools():
    pytest.importorskip("torch")
    import tools

    return tools


def sized(name: str, side: int | None) -> api.Network:
    network = convsize.load(SPECS / f"{name}.spec")
    if side is None:
        return network
    ((input_, start),) = network.inputs.items()
    shape = network.nodes[start].output
    changed = {input_: Shape(shape.channels, (side,) * shape.rank)}
    return api.from_source(network.source, name=network.name, inputs=changed)


@pytest.mark.parametrize(
    ("name", "tool", "figure"),
    [
        # As the tools' own pages and issues give them.
        ("resnet50", "thop", 4_133_742_592),
        ("resnet50", "fvcore", 4_111_512_576),
        ("resnet50", "torchvision", 4_089_184_256),
        ("resnet50", "torch", 8_178_368_512),
        ("vgg_d", "thop", 15_470_267_319),
    ],
)
def test_known_figures(name, tool, figure):
    count = convsize.load(SPECS / f"{name}.spec").explain(tool)
    assert (count.theirs, count.complete) == (figure, True)


@pytest.mark.parametrize("tool", [name for name in NAMES if name != "torchvision"])
@pytest.mark.parametrize("text", EVERYTHING.values(), ids=EVERYTHING)
def test_the_tools_count_layers_so(tools, text, tool):
    network = convsize.parse(cleandoc(text))
    count = network.explain(tool)
    assert count.complete
    assert count.theirs == tools.figure_of(tool, network)


@pytest.mark.slow
@pytest.mark.parametrize("tool", [name for name in NAMES if name != "torchvision"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_tools_count_networks_so(tools, name, tool):
    network = sized(name, NETWORKS[name])
    assert network.explain(tool).theirs == tools.figure_of(tool, network)


@pytest.mark.parametrize("tool", NAMES)
def test_rows_layers_and_totals_agree(tool):
    network = convsize.parse("input: 4@8x8\nC3D12 BN R attn(2) LN C3D8ws (x * GAP C1D8 sigmoid) GAP FC3 S")
    count = network.explain(tool)
    assert sum(row.ours for row in count.rows) == count.ours == network.analyze().totals.macs
    assert sum(row.theirs or 0 for row in count.rows) == count.theirs
    assert sum(theirs or 0 for _, theirs in count.layers) == count.theirs
    assert [name for name, _ in count.layers] == [row.name for row in network.analyze().layers]
    assert count.complete == all(theirs is not None for _, theirs in count.layers) == (tool in ("torch", "torchvision"))
    report = network.analyze(convention=tool)
    assert (report.totals.macs, report.convention) == (count.theirs, f"{tool} {count.version}")
    assert report.totals.parameters == network.analyze().totals.parameters


def test_reasons_stand_where_figures_differ():
    for tool in NAMES:
        for row in convsize.load(SPECS / "deeplab_v3_plus.spec").explain(tool).rows:
            assert bool(row.why) == (row.theirs != row.ours), (tool, row)


def test_an_unknown_tool_is_named():
    network = convsize.parse("input: 3@8x8\nC3D8")
    with pytest.raises(UsageError, match="did you mean `thop`"):
        network.explain("thopp")
    with pytest.raises(UsageError, match="there are: torch, torchvision"):
        network.analyze(convention="netron")


@pytest.mark.parametrize("tool", ["fvcore", "ptflops", "thop", "torchinfo"])
def test_work_that_a_tool_has_no_rule_for_is_not_known(tool):
    count = convsize.parse("input: 4@8x8\nC3D8 blur(3,2) GAP FC2").explain(tool)
    assert dict(count.layers)["blur1"] is None
    assert not count.complete

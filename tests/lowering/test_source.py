"""Exported source: formatted, with the module's parameters, and the module's answers."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, assume, given, settings

import convsize
from convsize.lowering.document import document
from convsize.lowering.plan import lower
from convsize.lowering.source.classes import DEFAULTS
from convsize.lowering.source.file import write
from convsize.ops import catalogue

torch = pytest.importorskip("torch")

from exported import answers, fed, module_of  # noqa: E402
from hostile import NAMES, hostile  # noqa: E402
from strategies import networks  # noqa: E402
from zoo import SPECS, over_the_zoo  # noqa: E402

QUICK = {"autoencoder", "autoencoder_upsampling", "cifar10", "cs231n", "keras_mnist", "lenet5", "lenet5_partial"}
QUICK |= {"text_cnn", "resnet18", "squeezenet1_1", "shufflenet_v2_x1_0", "mobilenet_v2", "efficientnet_b0"}

ODD = {
    "one axis": "input: 2@31\nC5D4/2 R M T3D6/2a1 LN DW3 A3/2ceil IN GMP FC3",
    "three axes": "input: 2@9x10x11\nC3D4/2psame BN R M1x2x2 C2D4psame up(2) GAP FC3",
    "same padding with strides": "input: 3@13x14\nC3D4/2psame R M3/2psame DW4/2psame A3/2psamez0 T4D4/2psame FC2",
    "asymmetric padding": "input: 3@13x14\nC3D4p0:1x2:0 R M3/2p1:0 A3/2p1:0z0 A2d2 T3D4/2p0:1 FC2",
    "rounding up": "input: 3@13x14\nC3D4/2p0ceil M2ceil A2ceil FC2",
    "several inputs and heads": (
        "input left: 3@8x8\ninput right: 1@8x8\n@left C3D4 R as a\n@right C3D4 R as b\n[@a | @b] C1D4 as c GAP FC2 S\n"
        "head box @c: FC4\nhead raw @a: GMP FC3 logsoftmax"
    ),
    "gates and constants": (
        "input: 4@6x6\ndef se(n=c): (x * GAP FC2 R FC{n} sigmoid)\nC3D8 se scale affine weight times(3) S"
    ),
    "blocks that take taps": (
        "input: 4@6x6\ndef cell(d, p): (C3D{d} R + @p)\nC3D4 as a C3D4\ncell(4, @a) as b cell(4, @a)\ncell(4, @b) FC2"
    ),
    "crops to taps": "input: 2@13x12\nC3p0 as a C3/2 as b [@a crop(@b) | @b] C1D2 (x + @input crop(@b))",
    "picks and slices": "input: 6@6x6\n[pick(0,2) C1D3 | slice(1,5) C3D3 | x] shuffle(2) pad(1,2) crop(5,5) flat FC2",
    "blocks that grow": "input: 4@6x6\ndef dl: [x | BN R C3D3]\ndl*6 GAP FC2",
    "slices and reshapes that differ": (
        "input: 8@6x6\ndef b(h, d): softmax(2) split[C3 | R] slice(0,d) C1D{2*c} crop(h) [slice(1,7) | slice(2,c-1)] "
        "C1D8 reshape(2,c/2,h,h) flat reshape(c/h/h,h,h) [slice(0,d) | slice(1,c-1)] up(2) C1D8\n"
        "b(6,4) M2 C1D16 b(3,8) as p reshape(32,9) up(2)\nhead h @p: split[C3 | R | x | C5] pick(0,3)"
    ),
    "a value that nothing reads": "input: 3@6x6\nC3D4 R as a C3D4 as b\n@a C3D2",
    "names that files use": "input: 3@6x6\ndef torch(d): C3D{d} R\ndef f_(d): (C3D{d} + x) R\ntorch(4) f_(4) f_(4) FC2",
}


def agree(net, batch=2):
    plan = lower(net)
    module, source = net.to_torch(), module_of(write(plan))
    assert [(key, value.shape, value.dtype) for key, value in module.state_dict().items()] == [
        (key, value.shape, value.dtype) for key, value in source.state_dict().items()
    ]
    source.load_state_dict(module.state_dict())
    inputs = fed(plan, batch)
    for mode in (True, False):
        ours, theirs = answers(module.train(mode), inputs), answers(source.train(mode), inputs)
        assert ours.keys() == theirs.keys() == dict(plan.outputs).keys()
        for name in ours:
            assert torch.equal(ours[name], theirs[name])


@pytest.fixture(autouse=True)
def _seeded(one_thread):
    torch.manual_seed(3)


@pytest.mark.parametrize("name", ODD)
def test_source_and_module_agree(name):
    agree(convsize.parse(ODD[name]))


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(hostile())
def test_source_runs_whatever_parts_are_called(text):
    agree(convsize.parse(text))


@pytest.mark.parametrize(
    "part", ["input {}: 3@5x5\nC3D4 R as t C3D2", "input: 3@5x5\nC3 R as t C3D2\nhead {} @t: C3D2 R"]
)
def test_every_name_can_be_an_input_and_a_head(part):
    for name in NAMES:
        net = convsize.parse(part.format(name))
        assert module_of(write(lower(net))).state_dict().keys() == net.to_torch().state_dict().keys()


@pytest.mark.parametrize(
    "name", ["none", "true", "false", "tensor", "f", "class", "int", "3d", "", "layer-norm", "Ünï"]
)
def test_a_file_and_a_block_of_any_name_make_classes(name):
    block = name if name.isidentifier() and name.isascii() and name.islower() else "none"
    text = f"input: 3@5x5\ndef {block}: [C3D3 | LN scale] C1D3\n{block} {block} GAP FC2"
    agree(convsize.parse(text, name=name))


@pytest.mark.parametrize("path", [path for path in SPECS if path.stem in QUICK], ids=lambda path: path.stem)
def test_specs_agree(path):
    agree(convsize.load(path))


@over_the_zoo
def test_specs_have_the_same_parameters(path):
    net = convsize.load(path)
    with torch.device("meta"):
        source = module_of(write(lower(net)))
    expected = [(f"{node.module}.{each.name}", each.shape) for node in net.layers for each in net.own_parameters(node)]
    assert [(key, tuple(value.shape)) for key, value in source.state_dict().items()] == expected
    outputs = answers(source, fed(lower(net), device="meta"))
    assert {name: tuple(value.shape[1:]) for name, value in outputs.items()} == {
        name: net.nodes[index].output.dims for name, index in net.outputs.items()
    }


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(networks())
def test_random_networks_agree(text):
    try:
        net = convsize.parse(text)
    except convsize.SpecError:
        assume(False)
    agree(net)


def test_files_are_formatted(tmp_path):
    for path in SPECS:
        (tmp_path / f"{path.stem}.py").write_text(write(lower(convsize.load(path))))
    for number, text in enumerate(ODD.values()):
        (tmp_path / f"odd_{number}.py").write_text(write(lower(convsize.parse(text))))
    ruff = [sys.executable, "-m", "ruff"]
    checked = subprocess.run([*ruff, "format", "--isolated", "--diff", tmp_path], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    linted = subprocess.run([*ruff, "check", "--isolated", tmp_path], capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout


def written(text):
    """The lines of a network's file, without their indent."""
    return [line.strip() for line in write(lower(convsize.parse(text))).splitlines()]


def test_slices_and_reshapes_read_as_if_written():
    twice = "input: 8@6x6\ndef b: {}\nb C1D16 b"
    lines = written(twice.format("split[C3 | R]"))
    assert "x, slice2 = x.chunk(2, dim=1)" in lines
    assert "x = self.conv1(x)" in lines
    assert "return x.chunk(4, dim=1)[1]" in written(twice.format("slice(c/4,c/2)"))
    assert "return x[:, 0:4]" in written(twice.format("slice(0,4)"))
    assert "return self.softmax1(x.unflatten(1, (2, -1))).flatten(1, 2)" in written(twice.format("softmax(2)"))
    assert "return x.unflatten(1, (-1, 2))" in written(
        "input: 8@6\ndef b(h): reshape(c/2,2,h)\nb(6) flat reshape(16,3) b(3)"
    )
    assert "x = x.reshape(x.shape[0], -1, 36)" in written(twice.format("reshape(c,36) C1D4 reshape(4,6,6)"))
    assert "return x.reshape(-1, 24, 12)" in written("input: 8@6x6\nR reshape(24,12)")


SPATIAL = (
    "C{n}D{m}pfull DW{n}D{c*m}pfull T{n}D{m}/{m} M{n}/{m} A{n}/{m}z0 A{n}p0:1 GAP GMP FC{n} BN LN"
    " IN GN{n} LRN{n} GRN R S"
)
CALLS = [
    *(SPATIAL.split()),
    "C1D24 attn(n)",
    "C1D48 reduce(max,slices,n,m)",
    "reshape(c,2048/c) token(n)",
    "reshape(c,2048/c) front(n)",
    "swap(depth,width)",
    *(
        f"{word}{arguments}"
        for word in catalogue.WORDS
        for arguments in ("", "(n)", "(n/8)", "(n,m)", "(n,n+m)", "(-1,n-m)", "(n,16*m,16)", "(c+n)", "(1,2,n,m)")
    ),
]
"""Layers with the arguments n and m, 2 and 4 in one place, 4 and 2 in another."""


def test_what_blocks_keep_never_shares_a_name():
    """Every layer, in a block that is called at other depths and extents with other numbers."""
    left = set(catalogue.WORDS) - {"embed"}
    for call in CALLS:
        text = f"input p: 8@16x16\ninput q: 32@8x8\ndef b(n, m): {call} scale\n@p b(2,4) as r @q b(4,2)\nhead h @r: R"
        try:
            net = convsize.parse(text)
        except convsize.SpecError:
            continue
        left.discard(call.split()[-1].partition("(")[0])
        file = write(lower(net))
        for body in file.split("\nclass ")[1:]:
            kept = re.findall(r"self\.(\w+) = ", body)
            assert len(kept) == len(set(kept)), body
        agree(net)
    assert not left


@pytest.mark.parametrize("name", ["resnet50", "unet"])
def test_a_file_reads_as_if_written(name, golden):
    golden(f"export/{name}.py.txt", write(lower(convsize.load(SPECS[0].with_name(f"{name}.spec")))))


def test_weights_start_alike():
    """The module and the file draw from the same distributions."""
    net = convsize.load(SPECS[0].with_name("resnet18.spec"))
    module, source = net.to_torch(), module_of(write(lower(net)))
    for (name, ours), theirs in zip(module.named_parameters(), source.parameters(), strict=True):
        if ours.numel() > 5000:
            assert theirs.std().item() == pytest.approx(ours.std().item(), rel=0.1), name
        elif name.endswith("bias"):
            assert torch.equal(ours, theirs)


def test_left_out_arguments_are_pytorchs_own():
    import inspect

    from convsize.runtime import layers

    for target, defaults in DEFAULTS.items():
        home, name = target.split(".")
        kind = getattr(layers if home == "convsize" else torch.nn, name, None)
        if kind is None:
            assert name == "LPPool3d"  # older versions have none
            continue
        if name == "LayerNorm":
            kind = torch.nn.LayerNorm
        known = {key: each.default for key, each in inspect.signature(kind).parameters.items()}
        for key, value in defaults.items():
            assert key not in known or known[key] == value, (target, key)


def test_a_name_cannot_leave_the_docstring():
    net = convsize.parse("input: 3@6x6\nC3D4", name='x"""\nimport os\n\\')
    text = write(lower(net))
    module_of(text)
    assert "import os" not in text.splitlines()
    assert "class XImportOs(nn.Sequential):" in text


def test_the_plan_as_json():
    net = convsize.parse("input: 3@6x6\nC3D4psame/2 (C3D4 R + x) M3/2p1:0 FC2 S")
    data = json.loads(document(lower(net)))
    assert [step["name"] for step in data["steps"]] == [node.name for node in net.layers]
    added = next(step for step in data["steps"] if step["op"] == "sum")
    assert added["inputs"] == ["relu1", "conv1"]
    assert added["calls"] == [{"target": "torch.add", "arguments": {}}]
    assert data["outputs"] == {"main": "softmax1"}

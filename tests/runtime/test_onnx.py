"""ONNX models: valid by onnx's own checker, and what they compute is what the module computes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import convsize
from convsize import parse
from convsize.errors import UsageError
from convsize.lowering.plan import lower
from convsize.ops.catalogue import JOINS, TOKENS, WORDS

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from convsize.runtime.module import build_module  # noqa: E402
from convsize.runtime.onnx import onnx_bytes  # noqa: E402

SPECS = Path(__file__).resolve().parents[2] / "specs"

NETWORKS = {
    "one axis": "input: 2@31\nC5D4/2 R M T3D6/2a1 DW3 A3/2ceil GMP FC3",
    "three axes": "input: 2@9x10x11\nC3D4/2psame BN R M1x2x2 C2D4psame GAP FC3",
    "padding": "input: 3@13x14\nC3D4/2psame R M3/2psame DW3p1:0 T3D4/2p0:1 A3/1psamez0 A2/1d2 M3/2ceil FC2",
    "inputs and heads": (
        "input left: 3@8x8\ninput right: 1@8x8\n@left C3D4 R as a\n@right C3D4 R as b\n[@a | @b] C1D4 as c GAP FC2 S\n"
        "head box @c: FC4\nhead raw @a: GMP FC3 logsoftmax"
    ),
    "activations": "input: 3@6x6\nC3D4 leaky(0.1) C3D4 elu C3D4 gelu C3D4 prelu LN rms C3D4 relu6 LRN3 FC2 tanh",
    "attention over the depth": "input: 3@8x8\nC1D24 attn(2,depth) FC3",
    "attention": "input: 3@8x8\nC2D8/2p0 reshape(8,16) token position (LN C1D24 attn(2) C1 + x) LN front FC3",
    "windows": (
        "input: 3@8x8\nC1D12 attn(2,relative,window=4,shift=1) C1D24 attn(2,grid=4) C1D14 attn(2,distance,key=2)\n"
        "[A2 C1D6 | A2 C1D4 | C1D6] as k, v, p @p attn(2,@k,@v) GAP FC3"
    ),
    "crops, blurs and swaps": (
        "input: 3@12x10\nC3D8 R as a M/1 blur(3,2) C3 blur(2,1,zeros) T2/2 as u\n"
        "@a crop(@u) C3p0 as v [@a crop(@v) | @v] swap(depth,width) C1D4 swap(height,depth) FC3"
    ),
    "functions": (
        "input: 6@8x8\nC3 abs plus(1) log plus(1) sqrt exp clamp(0,3) clamp(lo=0.1) clamp(hi=2) power(2) power(1/2) "
        "times(2) plus(1,2,3,4,5,6) times(1,2,3,4,5,6) selu elu(0.5) gelu(tanh) softplus mish hswish hsigmoid silu "
        "sigmoid C1D12 glu logsoftmax softmax(2) weight scale bias affine drop(0.5) droppath(0.3) FC3"
    ),
    "norms": "input: 6@8x8\nC3 BN LN IN GN2 LRN3 rms(gain=0) GRN frn tlu C3D4ws C3D4sws DW3sws FC3",
    "resizing": (
        "input: 4@8x8\nC3 up(3/2) up(1/2) up(3/2,bilinear) up(2,bilinear,aligned) up(1/2,bilinear,antialias) "
        "resize(7,9,bicubic) as a GAP4 up(@a,bilinear) GAP3x5 resize(5,4) FC3"
    ),
    "what padding is made of": (
        "input: 3@8x8\nC3D4preflect C3D4preplicate C3D4pcircular pad(1,reflect) pad(1,replicate) pad(1,circular) "
        "pad(1,value=0.5) pad(-1) crop(6,6) M3/2ceil A3p0:1z0 sumpool(1) lppool(2,1) FC2"
    ),
    "moves": "input: 4@8x8\nC3 unshuffle(2) pick(0,step=2) slice(1,7) shuffle(2) widen(8) pixelshuffle(2) flat FC3",
    "reductions": (
        "input: 6@8x8\nC3 R (x - reduce(mean,depth)) (x / reduce(norm,positions) plus(1)) (x - reduce(max,width)) "
        "(x - reduce(std,depth)) (x + reduce(var,positions)) (x - reduce(min,height)) reduce(max,slices,2) "
        "[x | C1D3 reduce(sum,slices,3)] (x * reduce(sum,positions)) FC3"
    ),
    "shared weights": "input: 3@8x8\nshared w: C3D6 BN R\nshared k: C1D6\nC1D6 w k w*2 (k + w) GAP FC2",
    "tokens": "input: 1@9\nembed(20,6) position C3 FC3",
    "gates and sums": (
        "input: 3@8x8\nC3D8 (x * GAP FC2 R FC8 sigmoid) (C3 BN silu C3 + x) "
        "(C3 + GAP C1 + C1D1 + GAP FC8) shuffle(2) up(2) pixelshuffle(2)"
    ),
}


def network_of(name):
    return convsize.parse(NETWORKS[name]) if name in NETWORKS else convsize.load(SPECS / f"{name}.spec")


def inputs_of(plan, batch):
    return [
        torch.randint(0, 20, (batch, *each.dims)) if each.tokens else torch.rand(batch, *each.dims)
        for each in plan.inputs
    ]


ALWAYS = ("inputs and heads", "activations", "text_cnn")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ALWAYS else pytest.mark.slow)
        for name in (*NETWORKS, "lenet5_partial", "text_cnn")
    ],
)
def test_what_it_computes(name):
    plan = lower(network_of(name))
    module = build_module(plan).eval()
    session = onnxruntime.InferenceSession(onnx_bytes(plan, module))
    for batch in (1, 3):
        inputs = inputs_of(plan, batch)
        with torch.no_grad():
            outputs = module(*inputs)
        expected = outputs if isinstance(outputs, dict) else {"main": outputs}
        given = {each.name: value.numpy() for each, value in zip(plan.inputs, inputs, strict=True)}
        for output, value in zip(session.run(list(expected), given), expected.values(), strict=True):
            torch.testing.assert_close(torch.from_numpy(output), value, rtol=1e-4, atol=1e-5)


def test_every_op_is_in_a_network():
    names = {type(node.op).__name__ for name in NETWORKS for node in network_of(name).nodes}
    every = {entry.partition(":")[2] for table in (TOKENS, WORDS, JOINS) for entry in table.values()}
    assert every - names == set()


def test_what_onnx_has_not_is_said():
    plan = lower(parse("input: 3@8x8\nC3D4 GMP3 FC2"))
    with pytest.raises(UsageError, match="PyTorch's exporter cannot say `adaptive_max_pool2d`, as in gmp1"):
        onnx_bytes(plan)


def test_names_and_the_batch():
    network = convsize.parse("input image: 3@8x8\ndef f: C3D4b0 BN R\nf as low f FC2\nhead box @low: FC4")
    plan = lower(network)
    module = build_module(plan)
    model = onnx.load_from_string(onnx_bytes(plan, module))
    assert [each.name for each in model.graph.input] == ["image"]
    assert [each.name for each in model.graph.output] == ["main", "box"]
    assert [each.dim_param or each.dim_value for each in model.graph.input[0].type.tensor_type.shape.dim] == [
        "batch", 3, 8, 8,
    ]  # fmt: skip
    stored = {each.name for each in model.graph.initializer}
    assert {name for name, _ in module.named_parameters()} <= stored
    operators = [each.name for each in model.graph.node]
    assert [name for name in operators if name.startswith("f2.")] == ["f2.conv1", "f2.bn1", "f2.relu1"]
    (convolution,) = (each for each in model.graph.node if each.name == "f2.conv1")
    assert list(convolution.input) == ["f1.relu1", "f2.conv1.weight"]


def test_the_command(convsize, tmp_path):
    arguments = ("export", "-e", "C3D4 R FC2", "-i", "3@8x8", "--to", "onnx")
    ran = convsize(*arguments, "-o", tmp_path / "net.onnx")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    onnx.checker.check_model(onnx.load(tmp_path / "net.onnx"))
    shown = convsize(*arguments, tty=True)
    assert (shown.code, shown.out) == (2, "")
    assert "an ONNX model is binary: name a file with -o" in shown.err


def test_trained_weights(convsize, tmp_path):
    save_file = pytest.importorskip("safetensors.torch").save_file
    network = lower(parse("input: 3@8x8\nC3D4 R FC2"))
    module = build_module(network)
    save_file(module.state_dict(), tmp_path / "net.safetensors")
    arguments = ("export", "-e", "C3D4 R FC2", "-i", "3@8x8", "--init", tmp_path / "net.safetensors")
    assert convsize(*arguments, "--to", "onnx", "-o", tmp_path / "net.onnx").code == 0
    stored = {
        each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(tmp_path / "net.onnx").graph.initializer
    }
    assert (stored["conv1.weight"] == module.conv1.weight.detach().numpy()).all()
    ran = convsize(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "--init is for --to onnx" in ran.err


def test_without_the_extra(convsize, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr("convsize.runtime.onnx.find_spec", lambda name: None if name == "onnxscript" else find(name))
    ran = convsize("export", "-e", "C3", "-i", "3@8x8", "--to", "onnx", "-o", "/nowhere/net.onnx")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error: this needs onnxscript, which is not installed: pip install 'convsize[onnx]'\n"


def test_weights_beyond_one_file():
    plan = lower(convsize.parse("input: 3@8x8\nFC3000000 FC400"))
    with pytest.raises(convsize.errors.UsageError, match="exceed the limit of an ONNX file"):
        onnx_bytes(plan, build_module(plan, "meta"))

"""What training holds with the kernels that PyTorch chooses on CUDA, through fake CUDA tensors: to the byte."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from training_layers import LAYERS

import convsize
from convsize.analyses.memory.peak import saved_bytes, training_memory
from convsize.analyses.memory.tape import Tape
from convsize.records import TrainingSetting
from convsize.records.optimizers import OPTIMIZERS

HERE = Path(__file__).parent
SPECS = HERE.parents[2] / "specs"
NAMES = (
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "lenet5_partial",
    "mobilenet_v2",
    "resnet18",
    "shufflenet_v2_x1_0",
    "text_cnn",
    "unet",
    "vgg_d",
)
DECOMPOSED = ("mish", "pick(1,1,0)", "rms", "rms(gain=0)")
"""Layers that are one operator on CUDA, or whose backward is, and several on fake tensors."""

MIXED = (
    "input: 3@8x8\nC1D4 LN [C3D4 | x | C1D2] R C1D2",
    "input: 3@4x4x4\nC1D4 LN C1D4 T1D2 LN C3D4 FC2",
    "input: 3@8\nC3D4 LN M flat FC2",
)
"""Networks whose layers meet in different types and layouts."""

FEW = {
    None: ["INb1", "IN", "GN4", "LN", "BN", "drop(0)", "drop(1)", "droppath(0.3)", "LRN3", "GMP", "times(3)"],
    "float16": ["S", "softmax(2)", "LN", "LRN3", "BN"],
}
"""Layers without autocast that CUDA has kernels of its own for, and those that take float16 otherwise than bfloat16."""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """A device guard for CUDA that does nothing, and hooks that claim cuDNN."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        pytest.skip("PyTorch is not installed")
    if shutil.which("g++") is None:
        pytest.skip("there is no g++ to build the stand-in for CUDA with")
    home = Path(found.origin).parent
    built = tmp_path_factory.mktemp("shim") / "shim.so"
    includes = [f"-I{home / 'include'}", f"-I{home / 'include/torch/csrc/api/include'}"]
    libraries = [f"-L{home / 'lib'}", "-ltorch_cpu", "-lc10", f"-Wl,-rpath,{home / 'lib'}"]
    source = HERE / "cudaguard_shim.cpp"
    command = ["g++", "-shared", "-fPIC", "-std=c++20", *includes, str(source), "-o", str(built), *libraries]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the stand-in for CUDA does not build against this PyTorch: {done.stderr[-200:]}")
    return built


@pytest.fixture(scope="module")
def measured(shim, tmp_path_factory):
    """For cases of a spec and a setting's fields the saved bytes, and the peaks of two steps: one process for all."""
    complaints = tmp_path_factory.mktemp("fake_cuda") / "stderr.txt"
    command = [sys.executable, str(HERE / "fake_cuda.py"), str(shim)]
    with (
        complaints.open("w") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):

        def line():
            """The next line of JSON, past what PyTorch says."""
            return next((json.loads(each) for each in process.stdout if each.startswith("[")), None)

        def answer(spec, fields, peaks):
            process.stdin.write(json.dumps([str(spec), {**fields, "device": "cuda"}, peaks]) + "\n")
            process.stdin.flush()
            found = line()
            assert found is not None, f"{spec} {fields}: {complaints.read_text()}"
            return found

        if line() is None:  # it begins with an empty list, where this PyTorch takes the stand-in
            pytest.skip(f"fake CUDA does not run on this PyTorch: {complaints.read_text()[-200:]}")
        yield lambda cases, *, peaks: [answer(spec, fields, peaks) for spec, fields in cases]
        process.stdin.close()


def predicted(cases, *, peaks):
    found = []
    for spec, fields in cases:
        network = convsize.load(spec) if isinstance(spec, Path) else convsize.parse(spec)
        setting = TrainingSetting(**fields, device="cuda")
        memory = training_memory(network, setting) if peaks else None
        found.append([saved_bytes(network, setting), [memory.first.bytes, memory.steady.bytes] if memory else []])
    return found


@pytest.mark.parametrize("fields", [{}, {"dtype": "bfloat16"}, {"autocast": "bfloat16"}], ids=str)
def test_saved_on_cuda(measured, fields):
    names = ("lenet5_partial", "mobilenet_v2") if "dtype" in fields else NAMES
    cases = [(SPECS / f"{name}.spec", {"batch": 3, **fields}) for name in names]
    assert predicted(cases, peaks=False) == measured(cases, peaks=False)


@pytest.fixture
def out_of_place(monkeypatch):
    """Gradients of a fork are added out of place, as autograd does with fake tensors alone."""

    def total(self, before, more):
        found = self.like(before)
        self.release(before)
        self.release(more)
        return found

    monkeypatch.setattr(Tape, "_sum", total)


def test_peaks_on_cuda(measured, out_of_place):
    cases = [
        (SPECS / f"{name}.spec", {"batch": 3, "optimizer": each})
        for name in ("lenet5", "cifar10")
        for each in OPTIMIZERS
    ]
    for autocast in ("bfloat16", "float16"):
        cases += [(SPECS / f"{name}.spec", {"batch": 2, "autocast": autocast}) for name in ("cifar10", "resnet18")]
    cases += [
        (SPECS / "vgg_d_bn.spec", {"batch": 2}),
        (SPECS / "mobilenet_v1.spec", {"batch": 2, "dtype": "float16"}),
        (SPECS / "resnet18.spec", {"batch": 2, "checkpoint": ["*"]}),
        (SPECS / "localisation.spec", {"batch": 2, "losses": [["box", "smooth-l1"]], "optimizer": "adamw"}),
    ]
    for text in MIXED:
        cases += [(text, {"batch": 2}), (text, {"batch": 2, "autocast": "bfloat16"})]
    assert predicted(_tuples(cases), peaks=True) == measured(cases, peaks=True)


def _tuples(cases):
    return [
        (spec, {name: tuple(map(tuple, each)) if name == "losses" else each for name, each in fields.items()})
        for spec, fields in cases
    ]


@pytest.mark.parametrize(
    "fields",
    [{}, {"autocast": "float16"}, pytest.param({"autocast": "bfloat16"}, marks=pytest.mark.slow)],
    ids=str,
)
def test_layers_on_cuda(measured, out_of_place, fields):
    setting = {"batch": 3, "optimizer": "sgd", **fields}
    layers = FEW.get(fields.get("autocast"), [layer for layer in LAYERS if layer not in DECOMPOSED])
    cases = [(f"input: 3@9x9\nC3D8 R {layer} R\nFC6 R FC3", setting) for layer in layers]
    ours = dict(zip(layers, predicted(cases, peaks=True), strict=True))
    assert ours == dict(zip(layers, measured(cases, peaks=True), strict=True))

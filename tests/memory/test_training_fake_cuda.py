"""Saved for backward with the kernels that PyTorch chooses on CUDA, through fake CUDA tensors: to the byte."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import convsize
from convsize.analyses.training_memory import saved_bytes
from convsize.records import TrainingSetting

HERE = Path(__file__).parent
SPECS = HERE.parents[1] / "specs"
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


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_saved_on_cuda(shim, dtype):
    paths = [str(SPECS / f"{name}.spec") for name in NAMES]
    command = [sys.executable, str(HERE / "fake_cuda.py"), str(shim), dtype, "3", *paths]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and not done.stdout:
        pytest.skip(f"fake CUDA does not run on this PyTorch: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    measured = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    setting = TrainingSetting(3, dtype=dtype, device="cuda")
    ours = {name: saved_bytes(convsize.load(SPECS / f"{name}.spec"), setting) for name in NAMES}
    assert ours == measured

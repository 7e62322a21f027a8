"""What a spec exports comes back as the same graph: import(export(spec)) = spec, by digest."""

from __future__ import annotations

from pathlib import Path

import pytest

import convsize
from convsize.importing.importer import import_calls
from convsize.runtime.importing.capture import capture
from convsize.runtime.importing.models import on_meta

SPECS = Path(__file__).parents[3] / "specs"
QUICK = ["alexnet", "lenet5", "shufflenet_v2_x1_0", "squeezenet1_0"]
SLOW = [
    "cifar10",
    "convnext_tiny",
    "densenet121",
    "googlenet",
    "mobilenet_v2",
    "resnet50",
    "se_resnet50",
    "vgg_d_bn",
]


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(each, marks=pytest.mark.slow) for each in SLOW)])
def test_what_is_exported_comes_back(name: str) -> None:
    network = convsize.load(SPECS / f"{name}.spec")
    with on_meta():
        module = network.to_torch().eval()
    inputs = [network.nodes[at].output.dims for at in network.inputs.values()]
    imported = import_calls(capture(name, module, *inputs))
    assert convsize.parse(imported.text).analyze().graph == network.analyze().graph

"""Call lists of known models, as PyTorch captured them, become the specs that are kept here, without PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest

import convsize
from convsize.importing import importer
from convsize.importing.calls import CallList, decode
from convsize.importing.folding import fold, repeats
from convsize.importing.folding.keys import Keys
from convsize.importing.importer import import_calls
from convsize.importing.writer import Writer

CALLS = sorted((Path(__file__).parent / "calls").glob("*.calls"))
SPECS = Path(__file__).parents[2] / "specs"

SAME = ["resnet18", "resnet50", "densenet121"]

PARAMETERS = {
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "densenet121": 7_978_856,
    "squeezenet1_0": 1_248_424,
    "efficientnet_b0": 5_288_548,
    "convnext_tiny": 28_589_128,
    "googlenet": 6_624_904,
    "inception_v3": 27_161_264 - 3_326_696,
    "shufflenet_v2_x1_0": 2_278_604,
    "mobilenet_v3_small": 2_542_856,
    "regnet_y_400mf": 4_344_144,
    "vgg16": 138_357_544,
    "r3d_18": 33_371_472,
}
"""torchvision's documented num_params; inception_v3 without its auxiliary head."""


def calls_of(name: str) -> CallList:
    return decode((Path(__file__).parent / "calls" / f"{name}.calls").read_bytes(), name)


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.stem)
def test_models_become_these_specs(path: Path, golden) -> None:
    calls = decode(path.read_bytes(), path.stem)
    imported = import_calls(calls)
    golden(f"import/{path.stem}.spec", imported.text)
    assert import_calls(calls) == imported
    network = convsize.parse(imported.text)
    assert len(list(network.layers)) == imported.layers
    if path.stem in PARAMETERS:
        assert network.analyze(with_digest=False).totals.parameters == PARAMETERS[path.stem]


@pytest.mark.parametrize("name", SAME)
def test_they_are_the_networks_of_specs_written_by_hand(name: str) -> None:
    ours = convsize.parse(import_calls(calls_of(name)).text)
    assert ours.analyze().graph == convsize.load(SPECS / f"{name}.spec").analyze().graph


def test_resnet50_is_three_lines() -> None:
    text = import_calls(calls_of("resnet50")).text
    series = [line for line in text.splitlines() if not line.startswith(("#", "input", "default"))]
    assert len(series) <= 3


def test_a_fold_that_says_another_graph_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = calls_of("resnet18")

    def wrong(structure, graph, reserved):
        first, second, *rest = structure.trunk
        return structure.replace(trunk=(second, first, *rest))

    before = import_calls(calls).text
    monkeypatch.setattr(importer, "folded", wrong)
    plain = import_calls(calls).text
    assert convsize.parse(plain).analyze().graph == convsize.parse(before).analyze().graph
    assert len(plain) > len(before)


def chain(length: int) -> CallList:
    """Activations one after another, each seventh another one."""
    writer = Writer("chain")
    wire = writer.input("x", (2, 3, 8, 8))
    for at in range(length):
        wire = writer.call("sigmoid" if at % 7 else "relu", wire.shape, {"self": wire})
    return writer.written([("", wire)])


@pytest.mark.parametrize("most", [0, 300, 2_000])
def test_of_a_long_chain_the_search_for_repeats_ends(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    searches: list[Keys] = []

    class Counted(Keys):
        def __init__(self) -> None:
            super().__init__()
            searches.append(self)

    monkeypatch.setattr(fold, "Keys", Counted)
    whole = import_calls(chain(120)).text
    monkeypatch.setattr(repeats, "MOST", most)
    part = import_calls(chain(120)).text
    full, bounded = (each.compared for each in searches)
    assert most <= bounded <= most + 120 < full
    assert len(part) > len(whole)
    assert convsize.parse(part).analyze().graph == convsize.parse(whole).analyze().graph

"""The default rules over the networks in specs/: silent or right, and each finding has its reason here."""

from pathlib import Path

import pytest

from convsize import api
from convsize.errors import Diagnostic
from convsize.rules import registry
from convsize.rules.base import Context

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.spec"))

# What the rules say when no comment in a spec keeps them quiet: code and the text under the carets.
JUSTIFIED = {
    # The example of the Keras documentation: 15 pixels, 13 behind the unpadded filter, pooled by 2 to 6.
    "cifar10": [("W501", "M")],
    # Long et al. pad by 100 so that an input of any size is large enough for the 7x7 filter.
    "fcn8s": [("W510", "C3D64p100")],
    # The published head has biases in front of its norms.
    # A zero of the padding is dropped, which is a layer of its own: the pool must see zeros.
    # timm's module has biases in front of its norms.
    "efficientformer_l1": [
        ("W506", text) for text in ("C1D{4*c}", "C1D{c/4}", *(f"C3D{size}/2" for size in (24, 48, 96, 224, 448)))
    ],
    "hrnet_w32": [("W506", f"C{size}b1") for size in ("3D256/2", "3D512/2", "3D1024/2", "1D2048")],
    # timm's stem has a bias in front of its first norm.
    "maxvit_tiny": [("W506", "C3D64/2psame")],
    # torchvision pools with count_include_pad, Szegedy's own TensorFlow code does not count the zeros.
    "inception_v3": [("W508", "A"), ("W508", "A"), ("W508", "A")],
    # (224 - 7)/2 and (224 - 3)/2 are not whole, and there is no padding.
    "squeezenet1_0": [("W501", "C7D96/2p0")],
    "squeezenet1_1": [("W501", "C3D64/2p0")],
    # PyTorch's example has biases in front of its instance norms.
    "style_transfer": [("W506", "C{k}D{d}/{s}"), ("W506", "C3D128")],
    # torchvision's vgg16_bn keeps the biases of vgg16.
    "vgg_d_bn": [("W506", "C3D{d}")],
}


def found_in(path: Path, *, style: bool) -> list[tuple[Diagnostic, str]]:
    network = api.load(path)
    report = network.analyze()
    context = Context(network, report, {row.index: row for row in report.layers})
    found = [each for rule in registry.checks(style=style) if rule.find is not None for each in rule.find(context)]
    found.sort(key=lambda each: each.span.values())
    return [(each, network.source.slice(each.span)) for each in found]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_default_rules_are_silent_or_right(path: Path) -> None:
    found = [(each.code, text) for each, text in found_in(path, style=False)]
    assert found == JUSTIFIED.get(path.stem, [])


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_no_place_has_a_code_twice_and_every_fix_lies_in_the_text(path: Path) -> None:
    found = found_in(path, style=True)
    assert len({(each.code, each.span) for each, _ in found}) == len(found)
    length = len(path.read_text())
    for each, text in found:
        assert text
        assert each.message
        assert each.help
        for fix in each.fixes:
            assert 0 <= fix.span.start <= fix.span.end <= length


def test_what_is_known_of_the_classics_is_said_with_style() -> None:
    vgg = {each.code: each.message for each, _ in found_in(SPECS[0].parent / "vgg_d.spec", style=True)}
    # The notes' own numbers: 102,760,448 weights and 4096 biases; 25,088 = 7·7·512.
    assert "102,764,544 of the 138,357,544 parameters (74 %)" in vgg["W504"]
    assert "512·49 = 25,088" in vgg["W512"]
    resnet = {each.code: each.message for each, _ in found_in(SPECS[0].parent / "resnet50.spec", style=True)}
    assert resnet["W555"] == "a 1-wide window at a stride of 2 skips 3 of every 4 pixels"
